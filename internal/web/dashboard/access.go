package dashboard

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/a-h/templ"

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

// accessTo is a workflow or a folder that people have access to.
type accessTo struct {
	access.Resource
	access.Link
	// page is the address of the page about it.
	page string
	// show is what is around that page and above its parts.
	show func(accessView) (ui.Frame, templ.Component, error)
}

// folder reports whether what people do is done to what is inside.
func (to accessTo) folder() bool { return to.Type == tenant.FolderResource }

func (to accessTo) actions() []ui.Option {
	if to.folder() {
		return askedInFolders
	}
	return askedActions
}

// accessView is who may do what to a workflow or a folder, and why.
type accessView struct {
	// Here is the address of the page.
	Here   string
	Folder bool
	// Members are those of the organization, who see all of its workflows, and More
	// says that there are others.
	Members []accessMember
	More    bool
	Granted []accessGrant
	// May says that the reader gives others access.
	May bool
	// People are those whom access can be given to, and who can be asked about.
	People []ui.Option
	Roles  []ui.Option
	// Who is asked about, and what is to be done.
	Who, Action string
	Actions     []ui.Option
	Answer      *access.Explanation
	Problem     string
	Done        string
}

// accessMember is somebody with a role in the organization.
type accessMember struct{ Name, Role, May string }

// accessGrant is a role on the workflow or folder, or on a folder that it is in.
type accessGrant struct {
	Who, Name, Role, May string
	Account              bool
	// Folder leads to the folder that the role was granted on; nil when that was what
	// the page is about.
	Folder *ui.Link
}

// askedActions are what can be asked about, as people say it.
var askedActions = []ui.Option{
	{Value: string(access.ReadWorkflow), Name: "see it"},
	{Value: string(access.ReadExecution), Name: "see its runs"},
	{Value: string(access.RunWorkflow), Name: "run it"},
	{Value: string(access.DeployWorkflow), Name: "deploy to it"},
	{Value: string(access.WriteWorkflow), Name: "change it"},
	{Value: string(access.GrantAccess), Name: "give others access"},
}

// askedInFolders are those that can be asked about a folder.
var askedInFolders = []ui.Option{
	{Value: string(access.ReadFolder), Name: "see it"},
	{Value: string(access.ReadWorkflow), Name: "see workflows in it"},
	{Value: string(access.ReadExecution), Name: "see their runs"},
	{Value: string(access.RunWorkflow), Name: "run what is in it"},
	{Value: string(access.DeployWorkflow), Name: "deploy to workflows in it"},
	{Value: string(access.WriteWorkflow), Name: "make and change workflows in it"},
	{Value: string(access.WriteFolder), Name: "rename, move and delete it"},
	{Value: string(access.GrantAccess), Name: "give others access"},
}

// may says what a role lets do.
func (to accessTo) may(role tenant.Role) string {
	all, its := "it", "its runs"
	if to.folder() {
		all, its = "what is in it", "the runs of what is in it"
	}
	switch {
	case role >= tenant.RoleAdmin:
		return "sees, runs, deploys and changes " + all + ", and gives others access"
	case role >= tenant.RoleMember:
		return "sees, runs, deploys and changes " + all
	}
	return "sees it and " + its
}

// accessToWorkflow is what the page of a workflow is about.
func (d Deps) accessToWorkflow(_ context.Context, c route.Call[workflow.Workflow]) accessTo {
	return accessTo{
		Resource: objects.OfWorkflow(c.Object), Link: access.Link{Type: tenant.WorkflowResource, ID: c.Object.ID}, page: workflowPath(c.Object.ID) + "/access",
		show: func(v accessView) (ui.Frame, templ.Component, error) {
			return d.workflowFrame("Access to ", c), accessPage(v, head(headOf(c.Object, "/access"))), nil
		},
	}
}

// accessToFolder is what the page of a folder is about.
func (d Deps) accessToFolder(ctx context.Context, c route.Call[workflow.Folder]) accessTo {
	return accessTo{
		Resource: objects.OfFolder(c.Object), Link: access.Link{Type: tenant.FolderResource, ID: c.Object.ID}, page: foldersPath + "/" + c.Object.ID.String() + "/access",
		show: func(v accessView) (ui.Frame, templ.Component, error) {
			f, err := d.folderFrame(ctx, "Access to ", c)
			return f, accessPage(v, folderAccessHead(c.Object.Name)), err
		},
	}
}

// getAccess shows who may do what to what a path names.
func getAccess[T any](d Deps, of func(context.Context, route.Call[T]) accessTo) func(http.ResponseWriter, *http.Request, route.Call[T]) error {
	return func(w http.ResponseWriter, r *http.Request, c route.Call[T]) error {
		done := map[string]string{"granted": "Access is given.", "revoked": "The role is taken back."}[r.URL.Query().Get("done")]
		return d.showAccess(w, r, c.Principal, of(r.Context(), c), nil, done)
	}
}

// showAccess shows who may do what, and what was wrong with a form.
func (d Deps) showAccess(w http.ResponseWriter, r *http.Request, p identity.Principal, to accessTo, wrong error, done string) error {
	ctx, q := r.Context(), r.URL.Query()
	v := accessView{
		Here: to.page, Folder: to.folder(), Done: done, Who: q.Get("who"), Action: q.Get("action"), Actions: to.actions(),
		May:   access.Decide(p, access.GrantAccess, to.Resource).Allowed,
		Roles: []ui.Option{{Value: access.UserWord, Name: "user: runs and changes it"}, {Value: access.OwnerWord, Name: "owner: gives access, too"}},
	}
	if err := d.fillPeople(ctx, &v, p, to); err != nil {
		return err
	}
	if err := d.fillGranted(ctx, &v, p, to); err != nil {
		return err
	}
	if wrong == nil && v.Who+v.Action != "" {
		v.Answer, wrong = d.answer(ctx, v.Who, v.Action, p, to)
	}
	status := http.StatusOK
	if wrong != nil {
		var err error
		if status, v.Problem, err = ui.Problem(w, wrong); err != nil {
			return err
		}
	}
	frame, page, err := to.show(v)
	if err != nil {
		return err
	}
	return ui.Show(w, r, status, frame, page)
}

// fillPeople reads who is in the organization.
func (d Deps) fillPeople(ctx context.Context, v *accessView, p identity.Principal, to accessTo) error {
	organization := to.OrganizationID
	whole := access.Resource{OrganizationID: organization}
	if access.Decide(p, access.ReadMember, whole).Allowed {
		all, err := d.Own.Organizations.Members(ctx, organization, shownPeople+1, 0)
		if err != nil {
			return err
		}
		all, v.More = firstOf(all, v.More)
		for _, m := range all {
			v.Members = append(v.Members, accessMember{memberName(m), m.Role.String(), to.may(m.Role)})
			v.People = append(v.People, ui.Option{Value: whoText(access.PrincipalRef{Type: access.UserPrincipal, ID: m.Person.ID}), Name: memberName(m)})
		}
	}
	if access.Decide(p, access.WriteServiceAccount, whole).Allowed {
		page, err := d.Own.Accounts.Accounts(ctx, organization, shownPeople+1, 0)
		if err != nil {
			return err
		}
		page.Accounts, v.More = firstOf(page.Accounts, v.More)
		for _, a := range page.Accounts {
			v.Members = append(v.Members, accessMember{"the service account " + a.Name, a.Role.String(), to.may(a.Role)})
			v.People = append(v.People, ui.Option{Value: whoText(access.PrincipalRef{Type: access.AccountPrincipal, ID: a.ID}), Name: "the service account " + a.Name})
		}
	}
	if !v.May {
		v.People = []ui.Option{{Value: whoText(access.RefOf(p)), Name: "you"}}
	}
	return nil
}

// fillGranted reads who was given a role on it, or on a folder around it.
func (d Deps) fillGranted(ctx context.Context, v *accessView, p identity.Principal, to accessTo) error {
	entries, err := d.Access.Principals(ctx, p, to.Link)
	if err != nil {
		return err
	}
	for _, e := range entries {
		g := accessGrant{Who: whoText(e.Principal), Name: e.PrincipalName, Role: access.GrantWord(e.Role), May: to.may(e.Role), Account: e.Principal.Type == access.AccountPrincipal}
		if e.InheritedFrom != nil {
			// One that is gone meanwhile has no name.
			f, err := d.Folders.Folder(ctx, []id.ID{to.OrganizationID}, e.InheritedFrom.ID)
			if err != nil && !fault.Is(err, fault.NotFound) {
				return err
			}
			g.Folder = &ui.Link{Path: folderAddress(e.InheritedFrom.ID), Name: f.Name}
		}
		v.Granted = append(v.Granted, g)
	}
	return nil
}

// whoText names a principal in a form.
func whoText(p access.PrincipalRef) string { return string(p.Type) + ":" + p.ID.String() }

// readWho reads what whoText wrote.
func readWho(text string) (access.PrincipalRef, error) {
	kind, named, _ := strings.Cut(text, ":")
	who, err := id.Parse(named)
	if err != nil {
		return access.PrincipalRef{}, fault.New(fault.Invalid, "Say who: nobody was chosen")
	}
	return access.PrincipalRef{Type: access.PrincipalType(kind), ID: who}, nil
}

// answer says whether somebody may do something, and why.
func (d Deps) answer(ctx context.Context, who, action string, p identity.Principal, to accessTo) (*access.Explanation, error) {
	q := access.Question{Action: access.Action(action), Resource: to.Link}
	if !slices.ContainsFunc(to.actions(), func(o ui.Option) bool { return o.Value == action }) {
		return nil, fault.New(fault.Invalid, "%.40q is nothing that can be asked about", action)
	}
	var err error
	if q.Principal, err = readWho(who); err != nil {
		return nil, err
	}
	e, err := d.Access.Explain(ctx, p, q)
	if err != nil {
		return nil, err
	}
	return &e, nil
}

// changeAccess gives somebody a role or takes it, as a form says.
type changeAccess func(ctx context.Context, p identity.Principal, to accessTo, who access.PrincipalRef, f ui.Form) (done string, err error)

// postAccess changes who may do what to what a path names.
func postAccess[T any](d Deps, of func(context.Context, route.Call[T]) accessTo, do changeAccess) func(http.ResponseWriter, *http.Request, route.Call[T]) error {
	return func(w http.ResponseWriter, r *http.Request, c route.Call[T]) error {
		f, err := ui.ReadForm(r, c.Body)
		if err != nil {
			return err
		}
		done, to := "", of(r.Context(), c)
		who, err := readWho(f.Get("who"))
		if err == nil {
			done, err = do(r.Context(), c.Principal, to, who, f)
		}
		if err != nil {
			return d.showAccess(w, r, c.Principal, to, err, "")
		}
		ui.Redirect(w, r, to.page+"?done="+done)
		return nil
	}
}

func (d Deps) grant(ctx context.Context, p identity.Principal, to accessTo, who access.PrincipalRef, f ui.Form) (string, error) {
	_, err := d.Access.Grant(ctx, p, who, to.Link, access.GrantableRole(f.Get("role")))
	return "granted", err
}

func (d Deps) revoke(ctx context.Context, p identity.Principal, to accessTo, who access.PrincipalRef, _ ui.Form) (string, error) {
	return "revoked", d.Access.Revoke(ctx, p, who, to.Link)
}
