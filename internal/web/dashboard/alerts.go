package dashboard

import (
	"context"
	"net/http"
	"time"

	"github.com/usefloww/flowwd/internal/alert"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/route"
	"github.com/usefloww/flowwd/internal/web/ui"
	"github.com/usefloww/flowwd/internal/workflow"
)

// toldView is somebody who is told of failures.
type toldView struct {
	Kind string
	// What says in words how, To whom.
	What, To string
	LastSent *time.Time
	Waiting  int
	Problem  string
	// Removable says that it stands in the settings, and not in the code.
	Removable bool
}

func (d Deps) told(ctx context.Context, of id.ID) ([]toldView, error) {
	all, err := d.Alerts.Receivers(ctx, of)
	var shown []toldView
	for _, r := range all {
		v := toldView{Kind: string(r.Kind), To: r.Label, LastSent: r.SentAt, Waiting: r.Waiting, Problem: brief(r.Problem), Removable: r.Kind != alert.Handler}
		switch r.Kind {
		case alert.Webhook:
			v.What = "a webhook at"
		case alert.Mail:
			v.What = "by mail,"
		case alert.Handler:
			v.What, v.To = "onFailure in the code", ""
		}
		shown = append(shown, v)
	}
	return shown, err
}

// postAlerts changes who is told of failures. The secret of a new webhook is shown
// at once, for it is shown this once.
func (d Deps) postAlerts(w http.ResponseWriter, r *http.Request, c route.Call[workflow.Workflow]) error {
	f, err := ui.ReadForm(r, c.Body)
	if err != nil {
		return err
	}
	request := alert.Request{By: c.Principal.ID}
	var none *string
	for kind, field := range map[alert.Kind]struct {
		name string
		into ***string
	}{alert.Webhook: {"webhookurl", &request.WebhookURL}, alert.Mail: {"email", &request.Mail}} {
		if value, given := f[field.name]; given {
			address := &value
			*field.into = &address
		}
		if f.Get("remove") == string(kind) {
			*field.into = &none
		}
	}
	secret, err := d.Alerts.Change(r.Context(), c.Object, request)
	switch {
	case err != nil:
		return d.refuseSettings(w, r, c, err)
	case secret != "":
		return d.showSettings(w, r, c, http.StatusOK, settingsView{Done: "The webhook is told from now on.", Secret: secret})
	}
	ui.Redirect(w, r, workflowPath(c.Object.ID)+"/settings?done=saved")
	return nil
}
