package dashboard

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/usefloww/flowwd/internal/access"
	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/identity"
	"github.com/usefloww/flowwd/internal/objects"
	"github.com/usefloww/flowwd/internal/route"
	"github.com/usefloww/flowwd/internal/web/ui"
	"github.com/usefloww/flowwd/internal/workflow"
)

// shownFound is how many things of a kind a search shows.
const shownFound = 10

func registerSearch(r *route.Router, d Deps) {
	route.Raw(r, route.Spec{
		Method: http.MethodGet, Path: ui.Search, Policy: access.Self(access.ReadWhoami), Page: true,
	}, route.NoObject(), d.getSearch)
}

// searchView is what was found, by kind.
type searchView struct {
	Sought string
	Kinds  []foundKind
}

// foundKind is what was found of one kind. More leads to all of it, where there is
// a page for that; Cut says that there is more of it.
type foundKind struct {
	ID, Title string
	Found     []foundThing
	More      string
	Cut       bool
}

// foundThing is something that was found, and where it is shown.
type foundThing struct{ Path, Name, Tag, Where string }

// finding gathers what somebody may see. Names are those of organizations, where
// the reader is in several.
type finding struct {
	reader identity.Principal
	text   string
	names  map[id.ID]string
}

func (d Deps) getSearch(w http.ResponseWriter, r *http.Request, c route.Call[route.None]) error {
	text := strings.TrimSpace(r.URL.Query().Get("q"))
	if len(text) > maxSearch {
		return fault.New(fault.Invalid, "The text to look for is longer than %d bytes", maxSearch)
	}
	v := searchView{Sought: text}
	if text != "" {
		var err error
		if v.Kinds, err = d.find(r.Context(), c.Principal, text); err != nil {
			return err
		}
	}
	f := d.Frame("Search", c.Principal)
	f.Sought = text
	return ui.Show(w, r, http.StatusOK, f, searchPage(v))
}

// find looks for a text in what p may see: each kind where p may read all of it, so
// that what is not to be seen is not counted either.
func (d Deps) find(ctx context.Context, p identity.Principal, text string) (found []foundKind, err error) {
	f := finding{reader: p, text: text, names: map[id.ID]string{}}
	if mine := access.OrganizationsFor(p, access.ReadOrganization); len(mine) > 1 {
		all, err := d.Own.Organizations.Organizations(ctx, mine)
		if err != nil {
			return nil, err
		}
		for _, o := range all {
			f.names[o.ID] = o.DisplayName
		}
	}
	for _, look := range []func(context.Context, finding) (foundKind, error){d.findByID, d.findWorkflows, d.findFolders, d.findSecrets, d.findMembers} {
		kind, err := look(ctx, f)
		if err != nil {
			return nil, err
		}
		if len(kind.Found) > 0 {
			found = append(found, kind)
		}
	}
	return found, nil
}

// findByID finds a run, a workflow or a folder by its whole id.
func (d Deps) findByID(ctx context.Context, f finding) (kind foundKind, err error) {
	kind = foundKind{ID: "by-id", Title: "With this id"}
	wanted, wrong := id.Parse(f.text)
	if wrong != nil {
		return kind, nil
	}
	organizations := f.reader.Organizations()
	if e, err := d.Executions.Get(ctx, organizations, wanted); err == nil {
		if access.Allow(f.reader, access.ReadExecution, access.InWorkflow(e.OrganizationID, e.WorkflowID, e.Folders, "Execution")) == nil {
			kind.Found = append(kind.Found, foundThing{runsPath + "/" + wanted.String(), "A run", string(e.State), f.names[e.OrganizationID]})
		}
	} else if !fault.Is(err, fault.NotFound) {
		return kind, err
	}
	if x, err := d.Workflows.Workflow(ctx, organizations, wanted); err == nil {
		if access.Allow(f.reader, access.ReadWorkflow, objects.OfWorkflow(x)) == nil {
			kind.Found = append(kind.Found, foundThing{workflowPath(x.ID), x.Name, "workflow", f.names[x.OrganizationID]})
		}
	} else if !fault.Is(err, fault.NotFound) {
		return kind, err
	}
	if x, err := d.Folders.Folder(ctx, organizations, wanted); err == nil {
		if access.Allow(f.reader, access.ReadFolder, access.InFolder(x.OrganizationID, x.Inside(), "Folder")) == nil {
			kind.Found = append(kind.Found, foundThing{folderAddress(x.ID), x.Name, "folder", f.names[x.OrganizationID]})
		}
	} else if !fault.Is(err, fault.NotFound) {
		return kind, err
	}
	return kind, nil
}

func (d Deps) findWorkflows(ctx context.Context, f finding) (kind foundKind, err error) {
	kind = foundKind{ID: "workflows", Title: "Workflows", More: workflowsPath + "?" + url.Values{"search": {f.text}}.Encode()}
	page, err := d.Workflows.List(ctx, workflow.ListFilter{Organizations: access.OrganizationsFor(f.reader, access.ReadWorkflow), Search: f.text, Limit: shownFound})
	for _, x := range page.Workflows {
		tag := ""
		if !x.Active {
			tag = "inactive"
		}
		kind.Found = append(kind.Found, foundThing{workflowPath(x.ID), x.Name, tag, f.names[x.OrganizationID]})
	}
	kind.Cut = page.Total > len(kind.Found)
	return kind, err
}

func (d Deps) findFolders(ctx context.Context, f finding) (kind foundKind, err error) {
	kind = foundKind{ID: "folders", Title: "Folders"}
	page, err := d.Folders.List(ctx, workflow.FolderFilter{Organizations: access.OrganizationsFor(f.reader, access.ReadFolder), Search: f.text, Limit: shownFound})
	for _, x := range page.Folders {
		kind.Found = append(kind.Found, foundThing{folderAddress(x.ID), x.Name, "", f.names[x.OrganizationID]})
	}
	kind.Cut = page.Total > len(kind.Found)
	return kind, err
}

func (d Deps) findSecrets(ctx context.Context, f finding) (kind foundKind, err error) {
	kind = foundKind{ID: "secrets", Title: "Secrets"}
	all, err := d.Own.Secrets.Find(ctx, access.OrganizationsFor(f.reader, access.ReadSecret), f.text, shownFound+1)
	for _, x := range all[:min(len(all), shownFound)] {
		kind.Found = append(kind.Found, foundThing{ofOrganization(secretsPath, x.OrganizationID) + "#secret-" + x.ID.String(), x.Name, x.Provider, f.names[x.OrganizationID]})
	}
	kind.Cut = len(all) > shownFound
	return kind, err
}

func (d Deps) findMembers(ctx context.Context, f finding) (kind foundKind, err error) {
	kind = foundKind{ID: "members", Title: "People"}
	all, err := d.Own.Organizations.FindMembers(ctx, access.OrganizationsFor(f.reader, access.ReadMember), f.text, shownFound+1)
	for _, m := range all[:min(len(all), shownFound)] {
		kind.Found = append(kind.Found, foundThing{ofOrganization(organizationPath, m.OrganizationID), memberName(m), m.Role.String(), f.names[m.OrganizationID]})
	}
	kind.Cut = len(all) > shownFound
	return kind, err
}

// ofOrganization is the address of a page that is about one of the reader's
// organizations.
func ofOrganization(path string, organization id.ID) string {
	return path + "?" + url.Values{"organization": {organization.String()}}.Encode()
}
