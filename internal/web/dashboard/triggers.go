package dashboard

import (
	"net/http"
	"time"

	"github.com/usefloww/flowwd/internal/route"
	"github.com/usefloww/flowwd/internal/trigger"
	"github.com/usefloww/flowwd/internal/web/ui"
	"github.com/usefloww/flowwd/internal/workflow"
)

// triggerView is what starts runs.
type triggerView struct {
	ID, Type string
	// Call is how its webhook is called; nil for none.
	Call *callView
	// Upcoming are the next times of its schedule, Zone the place whose clock it
	// goes by.
	Upcoming []time.Time
	Zone     string
	// Form is the name of what people fill in to start it; ByHand says that there
	// is one.
	Form   string
	ByHand bool
	Runs   int
}

type triggersView struct {
	pageHead
	Triggers []triggerView
}

func (d Deps) getTriggers(w http.ResponseWriter, r *http.Request, c route.Call[workflow.Workflow]) error {
	all, err := d.Triggers.List(r.Context(), c.Object.ID)
	if err != nil {
		return err
	}
	v := triggersView{pageHead: headOf(c.Object, "/triggers")}
	for _, t := range all {
		if !t.DevOnly {
			v.Triggers = append(v.Triggers, d.triggerView(t))
		}
	}
	return ui.Show(w, r, http.StatusOK, d.workflowFrame("Triggers of ", c), triggersPage(v))
}

func (d Deps) triggerView(t trigger.Shown) triggerView {
	v := triggerView{ID: t.ID.String(), Type: t.Provider.Type + "." + t.Type, Upcoming: t.Upcoming, Zone: t.Options.Timezone, Runs: t.Runs}
	if t.Webhook != nil {
		call := d.callView(*t.Webhook)
		v.Call = &call
	}
	if t.Form != nil {
		v.ByHand, v.Form = true, t.Form.Name()
	}
	return v
}
