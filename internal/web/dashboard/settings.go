package dashboard

import (
	"context"
	"net/http"

	"github.com/usefloww/flowwd/internal/access"
	"github.com/usefloww/flowwd/internal/execution"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/identity"
	"github.com/usefloww/flowwd/internal/objects"
	"github.com/usefloww/flowwd/internal/route"
	"github.com/usefloww/flowwd/internal/web/ui"
	"github.com/usefloww/flowwd/internal/workflow"
)

type settingsView struct {
	pageHead
	Description string
	// Place is the folder that it is in, Places are those that there are.
	Place  string
	Places []ui.Option
	// Told are who is told of failures, and Secret is that of a new webhook, which
	// is shown this once.
	Told   []toldView
	Secret string
	// May says that the reader may change something.
	May           bool
	Problem, Done string
}

func (d Deps) getSettings(w http.ResponseWriter, r *http.Request, c route.Call[workflow.Workflow]) error {
	done := ""
	if r.URL.Query().Has("done") {
		done = "Saved."
	}
	return d.showSettings(w, r, c, http.StatusOK, settingsView{Done: done})
}

// showSettings shows a page that says already what was done or wrong.
func (d Deps) showSettings(w http.ResponseWriter, r *http.Request, c route.Call[workflow.Workflow], status int, v settingsView) error {
	v.pageHead, v.May = headOf(c.Object, "/settings"), mayChange(c.Principal, c.Object)
	if c.Object.Description != nil {
		v.Description = *c.Object.Description
	}
	var err error
	if v.Told, err = d.told(r.Context(), c.Object.ID); err != nil {
		return err
	}
	if v.May {
		if v.Place, v.Places, err = d.places(r.Context(), c.Object.OrganizationID, c.Object.NamespaceID, c.Object.Folders, id.ID{}); err != nil {
			return err
		}
	}
	return ui.Show(w, r, status, d.workflowFrame("Settings of ", c), settingsPage(v))
}

func mayChange(p identity.Principal, w workflow.Workflow) bool {
	return access.Decide(p, access.WriteWorkflow, objects.OfWorkflow(w)).Allowed
}

// postSettings changes what the form names: the texts, or whether it is active.
func (d Deps) postSettings(w http.ResponseWriter, r *http.Request, c route.Call[workflow.Workflow]) error {
	f, err := ui.ReadForm(r, c.Body)
	if err != nil {
		return err
	}
	change := workflow.Change{}
	if name, given := f["name"]; given {
		change.Name = &name
	}
	if text, given := f["description"]; given {
		described := &text
		if text == "" {
			described = nil
		}
		change.Description = &described
	}
	if state, given := f["active"]; given {
		active := state == "yes"
		change.Active = &active
	}
	if place, given := f["place"]; given {
		if change.Move, err = d.moveTo(r.Context(), c.Principal, access.WriteWorkflow, objects.OfWorkflow(c.Object), c.Object.NamespaceID, c.Object.Folders, place); err != nil {
			return d.refuseSettings(w, r, c, err)
		}
	}
	if _, err = d.Workflows.Update(r.Context(), c.Object.ID, change); err == nil {
		ui.Redirect(w, r, workflowPath(c.Object.ID)+"/settings?done=saved")
		return nil
	}
	return d.refuseSettings(w, r, c, err)
}

func (d Deps) refuseSettings(w http.ResponseWriter, r *http.Request, c route.Call[workflow.Workflow], err error) error {
	status, text, err := ui.Problem(w, err)
	if err != nil {
		return err
	}
	return d.showSettings(w, r, c, status, settingsView{Problem: text})
}

// removalView is what goes with a workflow.
type removalView struct {
	pageHead
	Runs, Deployments, Triggers int
}

// getRemoval asks whether a workflow shall be deleted.
func (d Deps) getRemoval(w http.ResponseWriter, r *http.Request, c route.Call[workflow.Workflow]) error {
	v, err := d.removal(r.Context(), c.Object)
	if err != nil {
		return err
	}
	return ui.Show(w, r, http.StatusOK, d.workflowFrame("Delete ", c), removalPage(v))
}

func (d Deps) removal(ctx context.Context, w workflow.Workflow) (v removalView, err error) {
	v.pageHead = headOf(w, "/settings")
	runs, err := d.Executions.List(ctx, execution.ListFilter{Organizations: []id.ID{w.OrganizationID}, WorkflowID: w.ID, Limit: 1})
	if err != nil {
		return v, err
	}
	v.Runs = runs.Total
	if _, v.Deployments, err = d.Deployments.List(ctx, w.ID, 1, 0); err != nil {
		return v, err
	}
	triggers, err := d.Deployments.Triggers(ctx, w.ID)
	v.Triggers = len(triggers)
	return v, err
}

func (d Deps) postRemoval(w http.ResponseWriter, r *http.Request, c route.Call[workflow.Workflow]) error {
	if err := d.Workflows.Delete(r.Context(), c.Object.ID); err != nil {
		return err
	}
	ui.Redirect(w, r, workflowsPath)
	return nil
}
