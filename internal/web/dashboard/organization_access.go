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
	"github.com/usefloww/flowwd/internal/route"
	"github.com/usefloww/flowwd/internal/tenant"
	"github.com/usefloww/flowwd/internal/web/ui"
)

const (
	whyPath = organizationPath + "/access"
	// shownGranted is how many roles of somebody a page lists.
	shownGranted = 50
)

// organizationTabs are the pages about an organization.
func organizationTabs(organization string) []ui.Link {
	q := "?" + url.Values{"organization": {organization}}.Encode()
	return []ui.Link{{Path: organizationPath + q, Name: "People and keys"}, {Path: whyPath + q, Name: "Access"}, {Path: usagePath + q, Name: "Usage"}}
}

// tab is the address of one of the pages.
func tab(path, organization string) string {
	return path + "?" + url.Values{"organization": {organization}}.Encode()
}

// whyView is the page that says what somebody may do.
type whyView struct {
	Organization, Name string
	Choices            []ui.Option
	// People and Actions are what can be asked about; no people where the reader may
	// ask about himself alone.
	People, Actions []ui.Option
	// Who, Action, Type and Resource are what is asked.
	Who, Action, Type, Resource string
	Problem                     string
	Answer                      *whyAnswer
	Grants                      []grantedView
	MoreGrants                  bool
}

// whyAnswer says whether somebody may do something, and why.
type whyAnswer struct {
	Allowed         bool
	Who, Action, On string
	Reasons         []string
}

func (a whyAnswer) verdict() string {
	if a.Allowed {
		return a.Who + " may:"
	}
	return a.Who + " may not:"
}

// grantedView is a role on a resource.
type grantedView struct{ Path, Name, Type, Role string }

// resourceTypes are what can be asked about.
func resourceTypes() []ui.Option {
	return []ui.Option{
		{Value: string(access.OrganizationResource), Name: "The organization as a whole"},
		{Value: string(tenant.WorkflowResource), Name: "A workflow"}, {Value: string(tenant.FolderResource), Name: "A folder"},
	}
}

func (d Deps) getWhy(w http.ResponseWriter, r *http.Request, c route.Call[route.None]) error {
	o, err := d.chosen(r, c.Principal, access.ReadAccess)
	if err != nil {
		return err
	}
	q := r.URL.Query()
	v := whyView{
		Organization: o.ID.String(), Name: o.DisplayName, Who: q.Get("who"), Action: q.Get("action"), Type: q.Get("type"), Resource: strings.TrimSpace(q.Get("resource")),
	}
	if v.Choices, err = d.choices(r.Context(), c.Principal, access.ReadAccess); err != nil {
		return err
	}
	for _, a := range access.Actions() {
		v.Actions = append(v.Actions, ui.Option{Value: string(a), Name: string(a)})
	}
	if v.People, err = d.people(r.Context(), c.Principal, o.ID); err != nil {
		return err
	}
	status := http.StatusOK
	if err = d.answerWhy(r.Context(), c.Principal, o, &v); err != nil {
		if status, v.Problem, err = ui.Problem(w, err); err != nil {
			return err
		}
	}
	f := d.Frame("Access", c.Principal)
	f.Here = organizationPath
	return ui.Show(w, r, status, f, whyPage(v))
}

// people are those that p may ask about: members and service accounts, the first of
// each.
func (d Deps) people(ctx context.Context, p identity.Principal, organization id.ID) ([]ui.Option, error) {
	allows := func(action access.Action) bool {
		return access.Decide(p, action, access.Resource{OrganizationID: organization}).Allowed
	}
	if !allows(access.GrantAccess) {
		return nil, nil
	}
	members, err := d.Own.Organizations.Members(ctx, organization, tenant.MaxMembers, 0)
	if err != nil {
		return nil, err
	}
	var options []ui.Option
	for _, m := range members {
		options = append(options, ui.Option{Value: string(access.UserPrincipal) + ":" + m.Person.ID.String(), Name: memberName(m) + " (" + m.Role.String() + ")"})
	}
	if !allows(access.WriteServiceAccount) {
		return options, nil
	}
	page, err := d.Own.Accounts.Accounts(ctx, organization, shownPeople, 0)
	for _, a := range page.Accounts {
		options = append(options, ui.Option{Value: string(access.AccountPrincipal) + ":" + a.ID.String(), Name: a.Name + " (service account, " + a.Role.String() + ")"})
	}
	return options, err
}

// answerWhy answers what is asked, and lists the roles of whom it is asked about;
// of the reader when nobody is named.
func (d Deps) answerWhy(ctx context.Context, by identity.Principal, o tenant.Organization, v *whyView) error {
	who := access.RefOf(by)
	if v.Who != "" {
		kind, text, _ := strings.Cut(v.Who, ":")
		named, err := id.Parse(text)
		if err != nil {
			return fault.New(fault.NotFound, "There is nobody like this in the organization")
		}
		who = access.PrincipalRef{Type: access.PrincipalType(kind), ID: named}
	} else {
		v.Who = string(who.Type) + ":" + who.ID.String()
	}
	if err := d.listGranted(ctx, by, who, o.ID, v); err != nil {
		return err
	}
	if v.Action == "" {
		v.Action, v.Type = string(access.ReadWorkflow), string(access.OrganizationResource)
		return nil
	}
	q := access.Question{Principal: who, Action: access.Action(v.Action), Resource: access.Link{Type: access.OrganizationResource, ID: o.ID}}
	if v.Type != "" && v.Type != string(access.OrganizationResource) {
		named, err := id.Parse(v.Resource)
		if err != nil {
			return fault.New(fault.Invalid, "Write the id of the %s that you ask about; it is in the address of its page", resourceWord(v.Type))
		}
		q.Resource = access.Link{Type: tenant.ResourceType(v.Type), ID: named}
	}
	e, err := d.Access.Explain(ctx, by, q)
	if err != nil {
		return err
	}
	v.Answer = &whyAnswer{Allowed: e.Allowed, Who: "You", Action: v.Action, On: o.DisplayName, Reasons: e.Reasons}
	if who != access.RefOf(by) {
		v.Answer.Who = nameOfOption(v.People, v.Who)
	}
	if q.Resource.Type != access.OrganizationResource {
		v.Answer.On, _, err = d.resource(ctx, o.ID, q.Resource)
	}
	return err
}

func resourceWord(kind string) string {
	if kind == string(tenant.FolderResource) {
		return "folder"
	}
	return "workflow"
}

// nameOfOption is the name of an option; its value where there is none.
func nameOfOption(all []ui.Option, value string) string {
	for _, o := range all {
		if o.Value == value {
			return o.Name
		}
	}
	return value
}

// listGranted lists the roles that somebody was given on single resources of an
// organization.
func (d Deps) listGranted(ctx context.Context, by identity.Principal, who access.PrincipalRef, organization id.ID, v *whyView) error {
	entries, err := d.Access.Resources(ctx, by, who, "", false)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.OrganizationID != organization {
			continue
		}
		if v.MoreGrants = len(v.Grants) == shownGranted; v.MoreGrants {
			return nil
		}
		name, path, err := d.resource(ctx, organization, e.Resource)
		if fault.Is(err, fault.NotFound) {
			continue // it was deleted meanwhile
		}
		if err != nil {
			return err
		}
		v.Grants = append(v.Grants, grantedView{path, name, string(e.Resource.Type), access.GrantWord(e.Role)})
	}
	return nil
}

// resource returns the name of what roles are granted on, and where it is shown.
func (d Deps) resource(ctx context.Context, organization id.ID, l access.Link) (name, path string, err error) {
	if l.Type == tenant.FolderResource {
		f, err := d.Folders.Folder(ctx, []id.ID{organization}, l.ID)
		return f.Name, folderAddress(f.ID), err
	}
	x, err := d.Workflows.Workflow(ctx, []id.ID{organization}, l.ID)
	return x.Name, workflowPath(x.ID), err
}
