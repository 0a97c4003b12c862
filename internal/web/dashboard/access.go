package dashboard

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/usefloww/flowwd/internal/access"
	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/objects"
	"github.com/usefloww/flowwd/internal/route"
	"github.com/usefloww/flowwd/internal/tenant"
	"github.com/usefloww/flowwd/internal/web/ui"
	"github.com/usefloww/flowwd/internal/workflow"
)

// accessView is who may do what to a workflow, and why.
type accessView struct {
	pageHead
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

// accessGrant is a role on the workflow, or on a folder that it is in.
type accessGrant struct {
	Who, Name, Role, May string
	Account              bool
	// Folder leads to the folder that the role was granted on; nil when that was the
	// workflow.
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

// mayText says what a role lets do to a workflow.
func mayText(role tenant.Role) string {
	switch {
	case role >= tenant.RoleAdmin:
		return "sees, runs, deploys and changes it, and gives others access"
	case role >= tenant.RoleMember:
		return "sees, runs, deploys and changes it"
	}
	return "sees it and its runs"
}

func (d Deps) getAccess(w http.ResponseWriter, r *http.Request, c route.Call[workflow.Workflow]) error {
	done := map[string]string{"granted": "Access is given.", "revoked": "The role is taken back."}[r.URL.Query().Get("done")]
	return d.showAccess(w, r, c, nil, done)
}

// showAccess shows who may do what, and what was wrong with a form.
func (d Deps) showAccess(w http.ResponseWriter, r *http.Request, c route.Call[workflow.Workflow], wrong error, done string) error {
	ctx, q := r.Context(), r.URL.Query()
	v := accessView{
		pageHead: headOf(c.Object, "/access"), Done: done, Who: q.Get("who"), Action: q.Get("action"), Actions: askedActions,
		May:   access.Decide(c.Principal, access.GrantAccess, objects.OfWorkflow(c.Object)).Allowed,
		Roles: []ui.Option{{Value: access.UserWord, Name: "user: runs and changes it"}, {Value: access.OwnerWord, Name: "owner: gives access, too"}},
	}
	if err := d.fillPeople(ctx, &v, c); err != nil {
		return err
	}
	if err := d.fillGranted(ctx, &v, c); err != nil {
		return err
	}
	if wrong == nil && v.Who+v.Action != "" {
		v.Answer, wrong = d.answer(ctx, v.Who, v.Action, c)
	}
	status := http.StatusOK
	if wrong != nil {
		var err error
		if status, v.Problem, err = ui.Problem(w, wrong); err != nil {
			return err
		}
	}
	return ui.Show(w, r, status, d.workflowFrame("Access to ", c), accessPage(v))
}

// fillPeople reads who is in the organization.
func (d Deps) fillPeople(ctx context.Context, v *accessView, c route.Call[workflow.Workflow]) error {
	organization := c.Object.OrganizationID
	whole := access.Resource{OrganizationID: organization}
	if access.Decide(c.Principal, access.ReadMember, whole).Allowed {
		all, err := d.Own.Organizations.Members(ctx, organization, shownPeople+1, 0)
		if err != nil {
			return err
		}
		all, v.More = firstOf(all, v.More)
		for _, m := range all {
			v.Members = append(v.Members, accessMember{memberName(m), m.Role.String(), mayText(m.Role)})
			v.People = append(v.People, ui.Option{Value: whoText(access.PrincipalRef{Type: access.UserPrincipal, ID: m.Person.ID}), Name: memberName(m)})
		}
	}
	if access.Decide(c.Principal, access.WriteServiceAccount, whole).Allowed {
		page, err := d.Own.Accounts.Accounts(ctx, organization, shownPeople+1, 0)
		if err != nil {
			return err
		}
		page.Accounts, v.More = firstOf(page.Accounts, v.More)
		for _, a := range page.Accounts {
			v.Members = append(v.Members, accessMember{"the service account " + a.Name, a.Role.String(), mayText(a.Role)})
			v.People = append(v.People, ui.Option{Value: whoText(access.PrincipalRef{Type: access.AccountPrincipal, ID: a.ID}), Name: "the service account " + a.Name})
		}
	}
	if !v.May {
		v.People = []ui.Option{{Value: whoText(access.RefOf(c.Principal)), Name: "you"}}
	}
	return nil
}

// fillGranted reads who was given a role on the workflow, or on a folder around it.
func (d Deps) fillGranted(ctx context.Context, v *accessView, c route.Call[workflow.Workflow]) error {
	entries, err := d.Access.Principals(ctx, c.Principal, linkOf(c.Object))
	if err != nil {
		return err
	}
	for _, e := range entries {
		g := accessGrant{Who: whoText(e.Principal), Name: e.PrincipalName, Role: access.GrantWord(e.Role), May: mayText(e.Role), Account: e.Principal.Type == access.AccountPrincipal}
		if e.InheritedFrom != nil {
			// One that is gone meanwhile has no name.
			f, err := d.Folders.Folder(ctx, []id.ID{c.Object.OrganizationID}, e.InheritedFrom.ID)
			if err != nil && !fault.Is(err, fault.NotFound) {
				return err
			}
			g.Folder = &ui.Link{Path: folderAddress(e.InheritedFrom.ID), Name: f.Name}
		}
		v.Granted = append(v.Granted, g)
	}
	return nil
}

func linkOf(w workflow.Workflow) access.Link {
	return access.Link{Type: tenant.WorkflowResource, ID: w.ID}
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

// answer says whether somebody may do something to a workflow, and why.
func (d Deps) answer(ctx context.Context, who, action string, c route.Call[workflow.Workflow]) (*access.Explanation, error) {
	q := access.Question{Action: access.Action(action), Resource: linkOf(c.Object)}
	if !slices.ContainsFunc(askedActions, func(o ui.Option) bool { return o.Value == action }) {
		return nil, fault.New(fault.Invalid, "%.40q is nothing that can be asked about", action)
	}
	var err error
	if q.Principal, err = readWho(who); err != nil {
		return nil, err
	}
	e, err := d.Access.Explain(ctx, c.Principal, q)
	if err != nil {
		return nil, err
	}
	return &e, nil
}

// postAccess changes who may do what, as a form says.
func (d Deps) postAccess(do func(context.Context, route.Call[workflow.Workflow], access.PrincipalRef, ui.Form) (string, error)) func(http.ResponseWriter, *http.Request, route.Call[workflow.Workflow]) error {
	return func(w http.ResponseWriter, r *http.Request, c route.Call[workflow.Workflow]) error {
		f, err := ui.ReadForm(r, c.Body)
		if err != nil {
			return err
		}
		done := ""
		who, err := readWho(f.Get("who"))
		if err == nil {
			done, err = do(r.Context(), c, who, f)
		}
		if err != nil {
			return d.showAccess(w, r, c, err, "")
		}
		ui.Redirect(w, r, workflowPath(c.Object.ID)+"/access?done="+done)
		return nil
	}
}

func (d Deps) grant(ctx context.Context, c route.Call[workflow.Workflow], who access.PrincipalRef, f ui.Form) (string, error) {
	_, err := d.Access.Grant(ctx, c.Principal, who, linkOf(c.Object), access.GrantableRole(f.Get("role")))
	return "granted", err
}

func (d Deps) revoke(ctx context.Context, c route.Call[workflow.Workflow], who access.PrincipalRef, _ ui.Form) (string, error) {
	return "revoked", d.Access.Revoke(ctx, c.Principal, who, linkOf(c.Object))
}
