package dashboard

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/usefloww/flowwd/internal/access"
	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/identity"
	"github.com/usefloww/flowwd/internal/objects"
	"github.com/usefloww/flowwd/internal/route"
	"github.com/usefloww/flowwd/internal/tenant"
	"github.com/usefloww/flowwd/internal/web/ui"
)

const organizationPath = ui.Organization

// shownPeople is how many members, invitations and accounts a page lists.
const shownPeople = 100

// Own is what the pages about organizations work with. All fields are required.
type Own struct {
	Organizations Organizations
	Invitations   Invitations
	Accounts      Accounts
	Secrets       Secrets
	KeyValues     KeyValues
	// ImageUsage returns how many bytes an organization keeps in the registry, of
	// ImagesLimit; known is false when they can't be counted now.
	ImageUsage  func(ctx context.Context, organization id.ID) (bytes int64, known bool)
	ImagesLimit int64
}

func (o Own) complete() bool {
	return o.Organizations != nil && o.Invitations != nil && o.Accounts != nil && o.Secrets != nil && o.KeyValues != nil && o.ImageUsage != nil
}

// Organizations shows organizations, and changes who is in them.
type Organizations interface {
	Organization(ctx context.Context, among []id.ID, organization id.ID) (tenant.Organization, error)
	Organizations(ctx context.Context, ids []id.ID) ([]tenant.Organization, error)
	Members(ctx context.Context, organization id.ID, limit, offset int) ([]tenant.Member, error)
	FindMembers(ctx context.Context, organizations []id.ID, contains string, limit int) ([]tenant.Member, error)
	ChangeMember(ctx context.Context, c tenant.Caller, organization, user id.ID, role tenant.Role) (tenant.Member, error)
	RemoveMember(ctx context.Context, c tenant.Caller, organization, user id.ID) error
}

// Invitations invites people.
type Invitations interface {
	Invite(ctx context.Context, r tenant.Request) (tenant.Invited, error)
	List(ctx context.Context, o tenant.Organization, limit, offset int) ([]tenant.Invitation, error)
	Revoke(ctx context.Context, organization, invitation id.ID) error
}

// Accounts keeps service accounts and their keys.
type Accounts interface {
	Account(ctx context.Context, organizations []id.ID, account id.ID) (identity.Account, error)
	Accounts(ctx context.Context, organization id.ID, limit, offset int) (identity.AccountPage, error)
	CreateAccount(ctx context.Context, by identity.Principal, organization id.ID, name string, role tenant.Role) (identity.Account, error)
	AddKey(ctx context.Context, by identity.Principal, a identity.Account, r identity.KeyRequest) (string, identity.APIKey, error)
	DeleteAccount(ctx context.Context, account id.ID) error
	RevokeKey(ctx context.Context, account, key id.ID) (identity.APIKey, error)
	Rotate(ctx context.Context, by identity.Principal, a identity.Account, key id.ID, overlap time.Duration, ends *time.Time) (text string, old, next identity.APIKey, err error)
}

func registerOrganization(r *route.Router, d Deps) {
	route.Raw(r, route.Spec{
		Method: http.MethodGet, Path: organizationPath, Policy: access.Requires(access.ReadOrganization), Page: true,
	}, route.NoObject(), d.getOrganization)
	posted := func(path string, action access.Action, object route.Object[tenant.Organization], do func(*http.Request, route.Call[tenant.Organization], ui.Form) (organizationView, error)) {
		route.Raw(r, route.Spec{
			Method: http.MethodPost, Path: organizationPath + "/{id}" + path, Policy: access.Requires(action), Page: true, Body: true, BodyLimit: ui.MaxForm,
		}, object, func(w http.ResponseWriter, r *http.Request, c route.Call[tenant.Organization]) error {
			return d.postOrganization(w, r, c.Principal, c.Object, c.Body, func(f ui.Form) (organizationView, error) { return do(r, c, f) })
		})
	}
	of := func(child string) route.Object[tenant.Organization] {
		return objects.Organization(d.Own.Organizations.Organization, child)
	}
	posted("/invitations", access.WriteInvitation, of(""), d.invite)
	posted("/invitations/{invitationId}/revoke", access.WriteInvitation, of("invitationId"), d.revokeInvitation)
	posted("/members/{userId}/role", access.WriteMember, of("userId"), d.changeMember)
	posted("/members/{userId}/remove", access.WriteMember, of("userId"), d.removeMember)
	posted("/accounts", access.WriteServiceAccount, of(""), d.createAccount)
	accounts := func(path, child string, do func(*http.Request, route.Call[identity.Account], ui.Form) (organizationView, error)) {
		route.Raw(r, route.Spec{
			Method: http.MethodPost, Path: organizationPath + "/accounts/{id}" + path, Policy: access.Requires(access.WriteServiceAccount), Page: true, Body: true, BodyLimit: ui.MaxForm,
		}, objects.Account(d.Own.Accounts.Account, child), func(w http.ResponseWriter, r *http.Request, c route.Call[identity.Account]) error {
			o, err := d.Own.Organizations.Organization(r.Context(), c.Principal.Organizations(), c.Object.OrganizationID)
			if err != nil {
				return err
			}
			return d.postOrganization(w, r, c.Principal, o, c.Body, func(f ui.Form) (organizationView, error) { return do(r, c, f) })
		})
	}
	accounts("/delete", "", d.deleteAccount)
	accounts("/keys", "", d.createKey)
	accounts("/keys/{keyId}/revoke", "keyId", d.revokeKey)
	accounts("/keys/{keyId}/rotate", "keyId", d.rotateKey)
	for path, get := range map[string]struct {
		action access.Action
		handle func(http.ResponseWriter, *http.Request, route.Call[route.None]) error
	}{whyPath: {access.ReadAccess, d.getWhy}, usagePath: {access.ReadOrganization, d.getUsage}} {
		route.Raw(r, route.Spec{Method: http.MethodGet, Path: path, Policy: access.Requires(get.action), Page: true}, route.NoObject(), get.handle)
	}
}

// organizationView is the page about an organization.
type organizationView struct {
	ID, Name, Short, Role string
	// Choices are those that the reader is in.
	Choices []ui.Option
	// Writes says that the reader manages people and keys.
	Writes      bool
	Roles       []ui.Option
	Members     []tenant.Member
	Invitations []tenant.Invitation
	Accounts    []identity.Account
	// More says that there are members, invitations or accounts beyond those.
	More   bool
	Reader id.ID
	Now    time.Time
	// Link is that of an invitation, and Key the text of a key: both are shown
	// this once.
	Link, Key     string
	Problem, Done string
}

// organizationDone says what was done, by the word in the address.
var organizationDone = map[string]string{
	"invitation-revoked": "The invitation is revoked; its link no longer works.",
	"role":               "The member has another role now.",
	"removed":            "The member is removed.",
	"account":            "The service account is made; give it a key.",
	"account-deleted":    "The service account is deleted; its keys are refused from now on.",
	"key-revoked":        "The key is revoked; what uses it is refused from now on.",
}

func (d Deps) getOrganization(w http.ResponseWriter, r *http.Request, c route.Call[route.None]) error {
	o, err := d.chosen(r, c.Principal, access.ReadOrganization)
	if err != nil {
		return err
	}
	return d.showOrganization(w, r, http.StatusOK, c.Principal, o, organizationView{Done: organizationDone[r.URL.Query().Get("done")]})
}

// chosen is the organization that a page is about: the one of the query, or the
// first that the reader is in.
func (d Deps) chosen(r *http.Request, p identity.Principal, action access.Action) (tenant.Organization, error) {
	mine := access.OrganizationsFor(p, action)
	if len(mine) == 0 {
		return tenant.Organization{}, fault.New(fault.NotFound, "You are in no organization")
	}
	wanted := mine[0]
	if text := r.URL.Query().Get("organization"); text != "" {
		var err error
		if wanted, err = id.Parse(text); err != nil {
			return tenant.Organization{}, fault.New(fault.NotFound, "Organization not found")
		}
	}
	return d.Own.Organizations.Organization(r.Context(), mine, wanted)
}

// choices are the organizations that a reader can choose from.
func (d Deps) choices(ctx context.Context, p identity.Principal, action access.Action) ([]ui.Option, error) {
	all, err := d.Own.Organizations.Organizations(ctx, access.OrganizationsFor(p, action))
	options := make([]ui.Option, len(all))
	for i, o := range all {
		options[i] = ui.Option{Value: o.ID.String(), Name: o.DisplayName}
	}
	return options, err
}

func (d Deps) showOrganization(w http.ResponseWriter, r *http.Request, status int, p identity.Principal, o tenant.Organization, v organizationView) error {
	ctx, role := r.Context(), p.RoleIn(o.ID)
	v.ID, v.Name, v.Short, v.Role, v.Reader, v.Now = o.ID.String(), o.DisplayName, o.Name, role.String(), p.ID, d.Now()
	allows := func(action access.Action) bool {
		return access.Decide(p, action, access.Resource{OrganizationID: o.ID}).Allowed
	}
	v.Writes = allows(access.WriteMember) && allows(access.WriteInvitation) && allows(access.WriteServiceAccount)
	for one := tenant.RoleViewer; one <= role; one++ {
		v.Roles = append(v.Roles, ui.Option{Value: one.String(), Name: one.String()})
	}
	var err error
	if v.Choices, err = d.choices(ctx, p, access.ReadOrganization); err != nil {
		return err
	}
	if allows(access.ReadMember) {
		if v.Members, err = d.Own.Organizations.Members(ctx, o.ID, shownPeople+1, 0); err != nil {
			return err
		}
		v.Members, v.More = firstOf(v.Members, v.More)
	}
	if v.Writes {
		if v.Invitations, err = d.Own.Invitations.List(ctx, o, shownPeople+1, 0); err != nil {
			return err
		}
		page, err := d.Own.Accounts.Accounts(ctx, o.ID, shownPeople+1, 0)
		if err != nil {
			return err
		}
		v.Invitations, v.More = firstOf(v.Invitations, v.More)
		v.Accounts, v.More = firstOf(page.Accounts, v.More)
	}
	f := d.Frame("Organization", p)
	f.Here = organizationPath
	return ui.Show(w, r, status, f, organizationPage(v))
}

// firstOf are those of a list that a page shows, and whether there are more of this
// or another.
func firstOf[T any](all []T, more bool) ([]T, bool) {
	return all[:min(len(all), shownPeople)], more || len(all) > shownPeople
}

// postOrganization does what a form asks for. What is shown this once is shown at
// once; everything else on the page that the browser is led to.
func (d Deps) postOrganization(w http.ResponseWriter, r *http.Request, p identity.Principal, o tenant.Organization, body []byte, do func(ui.Form) (organizationView, error)) error {
	f, err := ui.ReadForm(r, body)
	if err != nil {
		return err
	}
	v, err := do(f)
	if err == nil && v.Done != "" {
		ui.Redirect(w, r, organizationPath+"?"+url.Values{"organization": {o.ID.String()}, "done": {v.Done}}.Encode())
		return nil
	}
	status := http.StatusOK
	if err != nil {
		v = organizationView{} // nothing was done
		if status, v.Problem, err = ui.Problem(w, err); err != nil {
			return err
		}
	}
	return d.showOrganization(w, r, status, p, o, v)
}

func callerOf(p identity.Principal, organization id.ID) tenant.Caller {
	return tenant.Caller{ID: p.ID, Role: p.RoleIn(organization)}
}

// roleIn reads the role of a form.
func roleIn(f ui.Form) (tenant.Role, error) {
	role := tenant.RoleNamed(f.Get("role"))
	if role == tenant.RoleNone {
		return role, fault.New(fault.Invalid, "The role must be viewer, member, admin or owner")
	}
	return role, nil
}

func (d Deps) invite(r *http.Request, c route.Call[tenant.Organization], f ui.Form) (v organizationView, err error) {
	role, err := roleIn(f)
	if err != nil {
		return v, err
	}
	made, err := d.Own.Invitations.Invite(r.Context(), tenant.Request{
		Caller: callerOf(c.Principal, c.Object.ID), CallerName: c.Principal.Actor().Name, Organization: c.Object, Email: f.Get("email"), Role: role,
	})
	v.Link = made.Link
	return v, err
}

func (d Deps) revokeInvitation(r *http.Request, c route.Call[tenant.Organization], _ ui.Form) (organizationView, error) {
	return organizationView{Done: "invitation-revoked"}, d.Own.Invitations.Revoke(r.Context(), c.Object.ID, c.Child)
}

func (d Deps) changeMember(r *http.Request, c route.Call[tenant.Organization], f ui.Form) (organizationView, error) {
	role, err := roleIn(f)
	if err == nil {
		_, err = d.Own.Organizations.ChangeMember(r.Context(), callerOf(c.Principal, c.Object.ID), c.Object.ID, c.Child, role)
	}
	return organizationView{Done: "role"}, err
}

func (d Deps) removeMember(r *http.Request, c route.Call[tenant.Organization], _ ui.Form) (organizationView, error) {
	return organizationView{Done: "removed"}, d.Own.Organizations.RemoveMember(r.Context(), callerOf(c.Principal, c.Object.ID), c.Object.ID, c.Child)
}

func (d Deps) createAccount(r *http.Request, c route.Call[tenant.Organization], f ui.Form) (organizationView, error) {
	role, err := roleIn(f)
	if err == nil {
		_, err = d.Own.Accounts.CreateAccount(r.Context(), c.Principal, c.Object.ID, f.Get("name"), role)
	}
	return organizationView{Done: "account"}, err
}

func (d Deps) createKey(r *http.Request, c route.Call[identity.Account], f ui.Form) (v organizationView, err error) {
	ends, err := d.endIn(f)
	if err == nil {
		v.Key, _, err = d.Own.Accounts.AddKey(r.Context(), c.Principal, c.Object, identity.KeyRequest{Name: f.Get("name"), ExpiresAt: ends})
	}
	return v, err
}

// maxKeyDays is the longest that a form can have a key work.
const maxKeyDays = 3650

// endIn reads for how many days a key is to work; none for good.
func (d Deps) endIn(f ui.Form) (*time.Time, error) {
	text := f.Get("days")
	if text == "" {
		return nil, nil
	}
	days, err := strconv.Atoi(text)
	if err != nil || days < 1 || days > maxKeyDays {
		return nil, fault.New(fault.Invalid, "A key works for 1 to %d days, or for good", maxKeyDays)
	}
	ends := d.Now().Add(time.Duration(days) * 24 * time.Hour)
	return &ends, nil
}

// keyEnds are how long a form can have a key work.
func keyEnds() []ui.Option {
	return []ui.Option{{Name: "until it is revoked"}, {Value: "30", Name: "30 days"}, {Value: "90", Name: "90 days"}, {Value: "365", Name: "a year"}}
}

// rotateKey makes a key that follows another one, which works for some hours more.
func (d Deps) rotateKey(r *http.Request, c route.Call[identity.Account], f ui.Form) (v organizationView, err error) {
	hours, err := strconv.Atoi(cmp.Or(f.Get("hours"), "24"))
	if err != nil || hours < 0 || time.Duration(hours) > identity.MaxOverlap/time.Hour {
		return v, fault.New(fault.Invalid, "The old key works for 0 to %d hours more", int(identity.MaxOverlap/time.Hour))
	}
	v.Key, _, _, err = d.Own.Accounts.Rotate(r.Context(), c.Principal, c.Object, c.Child, time.Duration(hours)*time.Hour, nil)
	return v, err
}

func (d Deps) deleteAccount(r *http.Request, c route.Call[identity.Account], _ ui.Form) (organizationView, error) {
	return organizationView{Done: "account-deleted"}, d.Own.Accounts.DeleteAccount(r.Context(), c.Object.ID)
}

func (d Deps) revokeKey(r *http.Request, c route.Call[identity.Account], _ ui.Form) (organizationView, error) {
	_, err := d.Own.Accounts.RevokeKey(r.Context(), c.Object.ID, c.Child)
	return organizationView{Done: "key-revoked"}, err
}

// memberName is how people know a member.
func memberName(m tenant.Member) string {
	return cmp.Or(strings.TrimSpace(m.Person.FirstName+" "+m.Person.LastName), m.Person.Email, m.Person.ID.String())
}
