package dashboard

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/usefloww/flowwd/internal/access"
	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/identity"
	"github.com/usefloww/flowwd/internal/objects"
	"github.com/usefloww/flowwd/internal/route"
	"github.com/usefloww/flowwd/internal/tenant"
	"github.com/usefloww/flowwd/internal/web/ui"
	"github.com/usefloww/flowwd/internal/workflow"
)

// registerFolders registers what is changed about single folders.
func registerFolders(r *route.Router, d Deps) {
	page := func(method, path string, action access.Action, handle func(http.ResponseWriter, *http.Request, route.Call[workflow.Folder]) error) {
		route.Raw(r, route.Spec{
			Method: method, Path: foldersPath + "/{id}" + path, Policy: access.Requires(action), Page: true,
			Body: method == http.MethodPost, BodyLimit: ui.MaxForm,
		}, objects.Folder(d.Folders.Folder), handle)
	}
	page(http.MethodGet, "", access.WriteFolder, d.getFolder)
	page(http.MethodPost, "", access.WriteFolder, d.postFolder)
	page(http.MethodGet, "/access", access.ReadAccess, getAccess(d, d.accessToFolder))
	page(http.MethodPost, "/access", access.GrantAccess, postAccess(d, d.accessToFolder, d.grant))
	page(http.MethodPost, "/access/revoke", access.GrantAccess, postAccess(d, d.accessToFolder, d.revoke))
	page(http.MethodGet, "/delete", access.WriteFolder, d.getFolderRemoval)
	page(http.MethodPost, "/delete", access.WriteFolder, d.postFolderRemoval)
}

// folderView is the page on which a folder is changed.
type folderView struct {
	ID, Name      string
	Place         string
	Places        []ui.Option
	Problem, Done string
}

func (d Deps) getFolder(w http.ResponseWriter, r *http.Request, c route.Call[workflow.Folder]) error {
	return d.showFolder(w, r, c, http.StatusOK, "")
}

func (d Deps) showFolder(w http.ResponseWriter, r *http.Request, c route.Call[workflow.Folder], status int, problem string) error {
	f := c.Object
	v := folderView{ID: f.ID.String(), Name: f.Name, Problem: problem}
	if r.URL.Query().Has("done") {
		v.Done = "Saved."
	}
	var err error
	if v.Place, v.Places, err = d.places(r.Context(), f.OrganizationID, f.NamespaceID, f.Folders, f.ID); err != nil {
		return err
	}
	frame, err := d.folderFrame(r.Context(), "Folder ", c)
	if err != nil {
		return err
	}
	return ui.Show(w, r, status, frame, folderPage(v))
}

func (d Deps) folderFrame(ctx context.Context, what string, c route.Call[workflow.Folder]) (ui.Frame, error) {
	above, err := d.folderPath(ctx, c.Object)
	f := d.frame(what+c.Object.Name, c.Principal)
	f.Above = append([]ui.Link{{Path: ui.Workflows, Name: "Workflows"}}, above...)
	return f, err
}

// places are the folders of a namespace by their paths, and the one that something
// is in now. What is in the folder without is left out.
func (d Deps) places(ctx context.Context, organization, namespace id.ID, around []id.ID, without id.ID) (now string, all []ui.Option, err error) {
	page, err := d.Folders.List(ctx, workflow.FolderFilter{
		Organizations: []id.ID{organization}, NamespaceID: namespace, Deep: true, Limit: workflow.MaxFolders,
	})
	if err != nil {
		return "", nil, err
	}
	names := make(map[id.ID]string, len(page.Folders))
	for _, f := range page.Folders {
		names[f.ID] = f.Name
	}
	for _, f := range page.Folders {
		if f.ID == without || slices.Contains(f.Folders, without) {
			continue
		}
		path := f.Name
		for _, x := range f.Folders {
			path = names[x] + " / " + path
		}
		all = append(all, ui.Option{Value: f.ID.String(), Name: path})
	}
	slices.SortFunc(all, func(a, b ui.Option) int { return strings.Compare(a.Name, b.Name) })
	if len(around) > 0 {
		now = around[0].String()
	}
	return now, append([]ui.Option{{Name: "(in no folder)"}}, all...), nil
}

// moveTo is a move to the folder that a form names, or to the root when it names
// none, where p may do action; nil for where it is already. Around are the folders
// around what is moved.
func (d Deps) moveTo(ctx context.Context, p identity.Principal, action access.Action, moved access.Resource, namespace id.ID, around []id.ID, text string) (*workflow.Move, error) {
	var target []id.ID
	if text != "" {
		f, err := d.openFolder(ctx, p, text)
		switch {
		case err != nil:
			return nil, err
		case f.NamespaceID != namespace:
			return nil, fault.New(fault.Invalid, "The folder must be in the same namespace")
		}
		target = f.Inside()
	}
	if slices.Equal(target, around) {
		return nil, nil
	}
	if err := access.Allow(p, action, access.InFolder(moved.OrganizationID, target, "Folder")); err != nil {
		return nil, err
	}
	return &workflow.Move{From: around, To: target, MayGrant: access.Decide(p, access.GrantAccess, moved).Allowed}, nil
}

// postFolder renames or moves a folder.
func (d Deps) postFolder(w http.ResponseWriter, r *http.Request, c route.Call[workflow.Folder]) error {
	f, err := ui.ReadForm(r, c.Body)
	if err != nil {
		return err
	}
	change := workflow.FolderChange{}
	if name, given := f["name"]; given {
		change.Name = &name
	}
	if place, given := f["place"]; given {
		change.Move, err = d.moveTo(r.Context(), c.Principal, access.WriteFolder, objects.OfFolder(c.Object), c.Object.NamespaceID, c.Object.Folders, place)
	}
	if err == nil && change != (workflow.FolderChange{}) {
		_, err = d.Folders.Update(r.Context(), c.Object, change)
	}
	if err == nil {
		ui.Redirect(w, r, foldersPath+"/"+c.Object.ID.String()+"?done=saved")
		return nil
	}
	status, text, err := ui.Problem(w, err)
	if err != nil {
		return err
	}
	return d.showFolder(w, r, c, status, text)
}

// folderRemovalView is what becomes of what is in a folder.
type folderRemovalView struct {
	ID, Name           string
	Folders, Workflows int
	// Roles counts those who have a role on the folder itself.
	Roles   int
	Up      string
	Problem string
}

func (d Deps) getFolderRemoval(w http.ResponseWriter, r *http.Request, c route.Call[workflow.Folder]) error {
	return d.showFolderRemoval(w, r, c, http.StatusOK, "")
}

// showFolderRemoval asks whether a folder shall be deleted.
func (d Deps) showFolderRemoval(w http.ResponseWriter, r *http.Request, c route.Call[workflow.Folder], status int, problem string) error {
	ctx, f := r.Context(), c.Object
	v := folderRemovalView{ID: f.ID.String(), Name: f.Name, Problem: problem, Up: "the list of all workflows"}
	within := []id.ID{f.OrganizationID}
	folders, err := d.Folders.List(ctx, workflow.FolderFilter{Organizations: within, ParentID: f.ID, Limit: 1})
	if err != nil {
		return err
	}
	workflows, err := d.Workflows.List(ctx, workflow.ListFilter{Organizations: within, FolderID: f.ID, Limit: 1})
	if err != nil {
		return err
	}
	v.Folders, v.Workflows = folders.Total, workflows.Total
	granted, err := d.Access.Principals(ctx, c.Principal, access.Link{Type: tenant.FolderResource, ID: f.ID})
	if err != nil {
		return err
	}
	for _, e := range granted {
		if e.InheritedFrom == nil {
			v.Roles++
		}
	}
	frame, err := d.folderFrame(ctx, "Delete ", c)
	if err != nil {
		return err
	}
	if n := len(frame.Above); n > 2 {
		v.Up = "the folder " + frame.Above[n-2].Name
	}
	return ui.Show(w, r, status, frame, folderRemovalPage(v))
}

func (d Deps) postFolderRemoval(w http.ResponseWriter, r *http.Request, c route.Call[workflow.Folder]) error {
	f, p := c.Object, c.Principal
	beside := access.InFolder(f.OrganizationID, f.Folders, "Folder")
	_, err := d.Folders.Delete(r.Context(), f, workflow.FolderRemoval{
		Around:   f.Folders,
		MayFill:  access.Decide(p, access.WriteFolder, beside).Allowed && access.Decide(p, access.WriteWorkflow, beside).Allowed,
		MayGrant: access.Decide(p, access.GrantAccess, objects.OfFolder(f)).Allowed,
	})
	if err == nil {
		to := workflowsPath
		if len(f.Folders) > 0 {
			to = folderAddress(f.Folders[0])
		}
		ui.Redirect(w, r, to)
		return nil
	}
	status, text, err := ui.Problem(w, err)
	if err != nil {
		return err
	}
	return d.showFolderRemoval(w, r, c, status, text)
}
