package dashboard

import (
	"net/http"
	"time"

	"github.com/usefloww/flowwd/internal/access"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/objects"
	"github.com/usefloww/flowwd/internal/route"
	"github.com/usefloww/flowwd/internal/web/ui"
	"github.com/usefloww/flowwd/internal/workflow"
)

// deployTimeout bounds compiling and activating.
const deployTimeout = time.Minute

func workflowPath(of id.ID) string { return workflowsPath + "/" + of.String() }

// tabsOf are the pages of a workflow, by the path of the first.
func tabsOf(path string) []ui.Link {
	return []ui.Link{
		{Path: path, Name: "Runs"}, {Path: path + "/triggers", Name: "Triggers"}, {Path: path + "/code", Name: "Code"}, {Path: path + "/deployments", Name: "Deployments"},
		{Path: path + "/metrics", Name: "Metrics"}, {Path: path + "/access", Name: "Access"}, {Path: path + "/settings", Name: "Settings"},
	}
}

// registerWorkflow registers what is shown and changed of one workflow.
func registerWorkflow(r *route.Router, d Deps) {
	type handler = func(http.ResponseWriter, *http.Request, route.Call[workflow.Workflow]) error
	bounded := func(limit int64, method, path string, action access.Action, handle handler) {
		route.Raw(r, route.Spec{
			Method: method, Path: workflowsPath + "/{id}/" + path, Policy: access.Requires(action), Page: true,
			Body: method == http.MethodPost, BodyLimit: limit,
		}, objects.Workflow(d.Workflows.Workflow), handle)
	}
	page := func(method, path string, action access.Action, handle handler) {
		bounded(ui.MaxForm, method, path, action, handle)
	}
	page(http.MethodGet, "run", access.RunWorkflow, d.getManual)
	bounded(editedLimit, http.MethodPost, "run", access.RunWorkflow, d.postManual)
	page(http.MethodGet, "triggers", access.ReadWorkflow, d.getTriggers)
	page(http.MethodGet, "batches", access.ReadExecution, d.getBatches)
	page(http.MethodPost, "batches", access.RunWorkflow, d.postBatch)
	page(http.MethodGet, "code", access.ReadWorkflow, d.getCode)
	page(http.MethodGet, "deployments", access.ReadWorkflow, d.getDeployments)
	page(http.MethodGet, "access", access.ReadAccess, getAccess(d, d.accessToWorkflow))
	page(http.MethodPost, "access", access.GrantAccess, postAccess(d, d.accessToWorkflow, d.grant))
	page(http.MethodPost, "access/revoke", access.GrantAccess, postAccess(d, d.accessToWorkflow, d.revoke))
	page(http.MethodGet, "metrics", access.ReadExecution, d.getFigures)
	page(http.MethodGet, "settings", access.ReadWorkflow, d.getSettings)
	page(http.MethodPost, "settings", access.WriteWorkflow, d.postSettings)
	page(http.MethodPost, "failure-notifications", access.WriteWorkflow, d.postAlerts)
	page(http.MethodGet, "delete", access.WriteWorkflow, d.getRemoval)
	page(http.MethodPost, "delete", access.WriteWorkflow, d.postRemoval)
}

// pageHead is what is above each page of a workflow: Path is that of its first
// page, Here of the one that is shown.
type pageHead struct {
	Name, Path, Here string
	Active, Deployed bool
}

func headOf(w workflow.Workflow, page string) pageHead {
	path := workflowPath(w.ID)
	return pageHead{Name: w.Name, Path: path, Here: path + page, Active: w.Active, Deployed: w.ActiveDeployment != nil}
}

func (d Deps) workflowFrame(what string, c route.Call[workflow.Workflow]) ui.Frame {
	f := d.frame(what+c.Object.Name, c.Principal)
	f.Above = []ui.Link{{Path: ui.Workflows, Name: "Workflows"}}
	return f
}

// firstCall is how the first webhook of a workflow is called; nil when it has
// none.
func (d Deps) firstCall(triggers []workflow.Trigger) *callView {
	for _, t := range triggers {
		if t.Webhook != nil {
			v := d.callView(*t.Webhook)
			return &v
		}
	}
	return nil
}
