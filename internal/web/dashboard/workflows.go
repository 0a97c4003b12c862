package dashboard

import (
	"net/http"
	"strconv"
	"time"

	"github.com/usefloww/flowwd/internal/access"
	"github.com/usefloww/flowwd/internal/objects"
	"github.com/usefloww/flowwd/internal/route"
	"github.com/usefloww/flowwd/internal/web/ui"
	"github.com/usefloww/flowwd/internal/workflow"
)

const workflowsPath = ui.Workflows

// shownWorkflows is how many workflows a page lists.
const shownWorkflows = 50

// registerWorkflows registers the list of workflows and what is shown of one.
func registerWorkflows(r *route.Router, d Deps) {
	route.Raw(r, route.Spec{
		Method: http.MethodGet, Path: workflowsPath, Policy: access.Requires(access.ReadWorkflow), Page: true,
	}, route.NoObject(), d.getWorkflows)
	route.Raw(r, route.Spec{
		Method: http.MethodGet, Path: workflowsPath + "/{id}", Policy: access.Requires(access.ReadExecution), Page: true,
	}, objects.Workflow(d.Workflows.Workflow), d.getWorkflow)
}

// workflowRow is a workflow in the list.
type workflowRow struct {
	ID, Name string
	Active   bool
	// Deployed is when its active code was deployed; nil for none.
	Deployed *time.Time
}

type workflowsView struct {
	Workflows []workflowRow
	Search    string
	Total     int
	// Earlier and Later lead to the pages before and after; empty for none.
	Earlier, Later string
}

func (d Deps) getWorkflows(w http.ResponseWriter, r *http.Request, c route.Call[route.None]) error {
	query := r.URL.Query()
	search := query.Get("search")
	offset, err := strconv.Atoi(query.Get("offset"))
	if err != nil || offset < 0 {
		offset = 0
	}
	page, err := d.Workflows.List(r.Context(), workflow.ListFilter{
		Organizations: access.OrganizationsFor(c.Principal, access.ReadWorkflow), Search: search, Limit: shownWorkflows, Offset: offset,
	})
	if err != nil {
		return err
	}
	if page.Total == 0 && search == "" {
		first, err := d.firstView(r.Context(), c.Principal)
		if err != nil {
			return err
		}
		return ui.Show(w, r, http.StatusOK, d.frame("Workflows", c.Principal), firstPage(first))
	}
	v := workflowsView{Search: search, Total: page.Total}
	for _, one := range page.Workflows {
		row := workflowRow{ID: one.ID.String(), Name: one.Name, Active: one.Active}
		if one.ActiveDeployment != nil {
			row.Deployed = &one.ActiveDeployment.DeployedAt
		}
		v.Workflows = append(v.Workflows, row)
	}
	to := func(offset int) string {
		query.Set("offset", strconv.Itoa(offset))
		return workflowsPath + "?" + query.Encode()
	}
	if offset > 0 {
		v.Earlier = to(max(0, offset-shownWorkflows))
	}
	if offset+len(page.Workflows) < page.Total && len(page.Workflows) > 0 {
		v.Later = to(offset + len(page.Workflows))
	}
	return ui.Show(w, r, http.StatusOK, d.frame("Workflows", c.Principal), workflowsPage(v))
}
