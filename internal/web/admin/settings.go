package admin

import (
	"net/http"

	"github.com/usefloww/flowwd/internal/route"
	"github.com/usefloww/flowwd/internal/web/ui"
)

const settingsPath = adminPath + "/settings"

// Setting is one that is in force.
type Setting struct {
	Group, Variable, Flag, Help string
	// Value is empty for none; of a secret it says only that there is one.
	Value  string
	Secret bool
	// Source is where it comes from; empty for the default.
	Source string
}

// settingGroup are settings about the same.
type settingGroup struct {
	Name     string
	Settings []Setting
}

func (d Deps) getSettings(w http.ResponseWriter, r *http.Request, c route.Call[route.None]) error {
	var groups []settingGroup
	for _, s := range d.Settings {
		if len(groups) == 0 || groups[len(groups)-1].Name != s.Group {
			groups = append(groups, settingGroup{Name: s.Group})
		}
		last := &groups[len(groups)-1]
		last.Settings = append(last.Settings, s)
	}
	return ui.Show(w, r, http.StatusOK, d.frame("Settings", c.Principal), settingsPage(groups))
}
