package dashboard

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/usefloww/flowwd/internal/access"
	"github.com/usefloww/flowwd/internal/execution"
	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/identity"
	"github.com/usefloww/flowwd/internal/objects"
	"github.com/usefloww/flowwd/internal/route"
	"github.com/usefloww/flowwd/internal/web/ui"
	"github.com/usefloww/flowwd/internal/workflow"
)

const (
	workflowsPath = ui.Workflows
	foldersPath   = "/folders"
)

const (
	// shownWorkflows is how many workflows a page lists, and shownFolders how many
	// folders.
	shownWorkflows = 50
	shownFolders   = 100
	// maxOffset bounds what is paged through; a search finds the rest.
	maxOffset = 1_000_000
)

// registerWorkflows registers the list of workflows and what is shown of one.
func registerWorkflows(r *route.Router, d Deps) {
	route.Raw(r, route.Spec{
		Method: http.MethodGet, Path: workflowsPath, Policy: access.Requires(access.ReadWorkflow), Page: true,
	}, route.NoObject(), d.getWorkflows)
	route.Raw(r, route.Spec{
		Method: http.MethodGet, Path: workflowsPath + "/{id}", Policy: access.Requires(access.ReadExecution), Page: true,
	}, objects.Workflow(d.Workflows.Workflow), d.getWorkflow)
	for path, post := range map[string]struct {
		action access.Action
		handle func(context.Context, identity.Principal, ui.Form) (string, error)
	}{workflowsPath: {access.WriteWorkflow, d.createWorkflow}, foldersPath: {access.WriteFolder, d.createFolder}} {
		route.Raw(r, route.Spec{
			Method: http.MethodPost, Path: path, Policy: access.Requires(post.action), Page: true, Body: true, BodyLimit: ui.MaxForm,
		}, route.NoObject(), func(w http.ResponseWriter, r *http.Request, c route.Call[route.None]) error {
			f, err := ui.ReadForm(r, c.Body)
			if err != nil {
				return err
			}
			to, err := post.handle(r.Context(), c.Principal, f)
			if err != nil {
				return d.showWorkflows(w, r, c.Principal, asked{folder: f.Get("folder")}, err)
			}
			ui.Redirect(w, r, to)
			return nil
		})
	}
}

// workflowRow is a workflow in the list.
type workflowRow struct {
	ID, Name         string
	Active, Deployed bool
	Latest           *execution.Latest
	Bars             []ui.Bar
	// Day says in words what the bars show.
	Day  string
	Next *time.Time
}

type workflowsView struct {
	Search string
	// Folder is the one that is open; empty for the root.
	Folder  string
	Path    []ui.Link
	Folders []ui.Link
	// FoldersShown says which of the folders are shown; empty for all.
	FoldersShown string
	FolderPager  ui.Pager
	// MayChange says that the reader may change the folder that is open.
	MayChange bool
	Workflows []workflowRow
	Total     int
	Pager     ui.Pager
	// Namespaces are those that the reader can make workflows in.
	Namespaces []ui.Option
	Problem    string
}

// asked is what a list is asked for.
type asked struct {
	search, folder  string
	offset, folders int
}

func (d Deps) getWorkflows(w http.ResponseWriter, r *http.Request, c route.Call[route.None]) error {
	query := r.URL.Query()
	a := asked{search: query.Get("search"), folder: query.Get("folder")}
	var err error
	if a.offset, err = offsetOf(query); err == nil {
		a.folders, err = offsetNamed(query, "folders")
	}
	if err != nil {
		return err
	}
	return d.showWorkflows(w, r, c.Principal, a, nil)
}

// offsetOf is how many rows of a list are before the page.
func offsetOf(query url.Values) (int, error) { return offsetNamed(query, "offset") }

// offsetNamed is the same for one of several lists of a page.
func offsetNamed(query url.Values, name string) (int, error) {
	text := query.Get(name)
	if text == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 || n > maxOffset {
		return 0, fault.New(fault.Invalid, "the %s in the address must be a number from 0 to %d", name, maxOffset)
	}
	return n, nil
}

// showWorkflows answers with a page of the list, and with what was wrong with a
// form on it.
func (d Deps) showWorkflows(w http.ResponseWriter, r *http.Request, p identity.Principal, a asked, wrong error) error {
	status, problem := http.StatusOK, ""
	if wrong != nil {
		var err error
		if status, problem, err = ui.Problem(w, wrong); err != nil {
			return err
		}
	}
	filter := workflow.ListFilter{
		Organizations: access.OrganizationsFor(p, access.ReadWorkflow), Search: a.search, Root: a.search == "", Limit: shownWorkflows, Offset: a.offset,
	}
	folders := workflow.FolderFilter{Organizations: filter.Organizations, Limit: shownFolders, Offset: a.folders}
	v := workflowsView{Search: a.search, Problem: problem}
	if a.folder != "" {
		open, err := d.openFolder(r.Context(), p, a.folder)
		if err != nil {
			return err
		}
		v.Folder, filter.Root = open.ID.String(), false
		filter.Organizations, filter.FolderID = []id.ID{open.OrganizationID}, open.ID
		folders.Organizations, folders.ParentID = filter.Organizations, open.ID
		if v.Path, err = d.folderPath(r.Context(), open); err != nil {
			return err
		}
		v.MayChange = access.Decide(p, access.WriteFolder, objects.OfFolder(open)).Allowed
	}
	if a.search == "" {
		page, err := d.Folders.List(r.Context(), folders)
		if err != nil {
			return err
		}
		v.Folders = folderLinks(page.Folders)
		v.FolderPager = pagerNamed(r.URL, "folders", a.folders, shownFolders, len(v.Folders), page.Total)
		if len(v.Folders) < page.Total {
			v.FoldersShown = fmt.Sprintf("%d of %d folders are shown.", len(v.Folders), page.Total)
		}
	}
	if err := d.fillWorkflows(r.Context(), &v, filter); err != nil {
		return err
	}
	v.Pager = pagerOf(r.URL, a.offset, shownWorkflows, len(v.Workflows), v.Total)
	if v.Total == 0 && v.Search == "" && v.Folder == "" && v.FoldersShown == "" && len(v.Folders) == 0 {
		first, err := d.firstView(r.Context(), p)
		if err != nil {
			return err
		}
		first.Problem = problem
		return ui.Show(w, r, status, d.frame("Workflows", p), firstPage(first))
	}
	var err error
	if v.Namespaces, err = d.namespaces(r.Context(), p); err != nil {
		return err
	}
	return ui.Show(w, r, status, d.frame("Workflows", p), workflowsPage(v))
}

// fillWorkflows reads a page of workflows with what is to be seen of them at a
// glance, by one query of each kind for all.
func (d Deps) fillWorkflows(ctx context.Context, v *workflowsView, filter workflow.ListFilter) error {
	page, err := d.Workflows.List(ctx, filter)
	if err != nil {
		return err
	}
	shown := make([]id.ID, len(page.Workflows))
	for i, one := range page.Workflows {
		shown[i] = one.ID
	}
	glances, err := d.Executions.Glances(ctx, shown)
	if err != nil {
		return err
	}
	next, err := d.Triggers.Next(ctx, shown)
	if err != nil {
		return err
	}
	v.Total = page.Total
	for _, one := range page.Workflows {
		g := glances[one.ID]
		row := workflowRow{ID: one.ID.String(), Name: one.Name, Active: one.Active, Deployed: one.ActiveDeployment != nil, Latest: g.Latest}
		row.Bars, row.Day = barsOf(g.Hours)
		if at, fires := next[one.ID]; fires && one.Active {
			row.Next = &at
		}
		v.Workflows = append(v.Workflows, row)
	}
	return nil
}

// barsOf draws the hours of a day, and says what they show.
func barsOf(hours []execution.Hour) ([]ui.Bar, string) {
	bars, runs, failed := make([]ui.Bar, len(hours)), 0, 0
	for i, h := range hours {
		bars[i] = ui.Bar{All: h.Ended, Bad: h.Failed}
		runs += h.Ended
		failed += h.Failed
	}
	if runs == 0 {
		return bars, "no runs in 24 hours"
	}
	return bars, fmt.Sprintf("%d runs in 24 hours, %d failed", runs, failed)
}

// pagerOf leads to the pages beside one of a list.
func pagerOf(at *url.URL, offset, limit, shown, total int) ui.Pager {
	return pagerNamed(at, "offset", offset, limit, shown, total)
}

// pagerNamed is the same for one of several lists of a page.
func pagerNamed(at *url.URL, name string, offset, limit, shown, total int) (p ui.Pager) {
	query := at.Query()
	to := func(offset int) string {
		query.Set(name, strconv.Itoa(offset))
		return at.Path + "?" + query.Encode()
	}
	if offset > 0 {
		p.Before = to(max(0, offset-limit))
	}
	if offset+shown < total && shown > 0 {
		p.After = to(offset + shown)
	}
	return p
}

func (d Deps) createWorkflow(ctx context.Context, p identity.Principal, f ui.Form) (string, error) {
	organization, namespace, around, err := d.placeFor(ctx, p, access.WriteWorkflow, f)
	if err != nil {
		return "", err
	}
	made, err := d.Workflows.Create(ctx, workflow.Workflow{
		OrganizationID: organization, NamespaceID: namespace, Folders: around, Name: f["name"], CreatedByID: p.ID,
	})
	return workflowPath(made.ID), err
}
