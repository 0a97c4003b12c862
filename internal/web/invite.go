package web

import (
	"context"
	"net/http"

	"github.com/usefloww/flowwd/internal/access"
	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/identity"
	"github.com/usefloww/flowwd/internal/route"
	"github.com/usefloww/flowwd/internal/tenant"
	"github.com/usefloww/flowwd/internal/web/ui"
)

const invitePath = "/invite"

// Invitations are what links offer.
type Invitations interface {
	Look(ctx context.Context, token string) (tenant.Offer, error)
	Accept(ctx context.Context, user id.ID, token string) (tenant.Organization, tenant.Role, error)
}

// registerInvite registers the page that an invitation's link opens.
func registerInvite(r *route.Router, d Deps) {
	route.Raw(r, route.Spec{
		Method: http.MethodGet, Path: invitePath, Policy: access.Self(access.JoinOrganization), Page: true,
	}, route.NoObject(), d.getInvite)
	route.Raw(r, route.Spec{
		Method: http.MethodPost, Path: invitePath, Policy: access.Self(access.JoinOrganization), Page: true, Body: true, BodyLimit: ui.MaxForm,
	}, route.NoObject(), d.postInvite)
}

// inviteView is what the page shows. The address is where the link was sent,
// which need not be the reader's: they see both.
type inviteView struct {
	Organization, By, Role, Email string
	Reader, Token                 string
}

func (d Deps) getInvite(w http.ResponseWriter, r *http.Request, c route.Call[route.None]) error {
	token := r.URL.Query().Get("token")
	offer, err := d.Invitations.Look(r.Context(), token)
	if err != nil {
		return d.noInvite(w, r, c.Principal, err)
	}
	o := offer.Organization
	if role := c.Principal.RoleIn(o.ID); role != tenant.RoleNone {
		return ui.Show(w, r, http.StatusOK, d.Frame("Invitation", c.Principal), ui.Message(ui.Notice{
			Title: "You are here already", Text: "You are a member of " + o.DisplayName + ", as " + role.String() + ". The invitation is still open for somebody else.",
			Link: accountPath, LinkText: "Go to your account",
		}))
	}
	return ui.Show(w, r, http.StatusOK, d.Frame("Invitation", c.Principal), invitePage(inviteView{
		Organization: o.DisplayName, By: offer.By, Role: offer.Invitation.Role.String(), Email: offer.Invitation.Email,
		Reader: c.Principal.User.Label(), Token: token,
	}))
}

func (d Deps) postInvite(w http.ResponseWriter, r *http.Request, c route.Call[route.None]) error {
	f, err := ui.ReadForm(r, c.Body)
	if err != nil {
		return err
	}
	if c.Principal.Kind != identity.Human {
		return fault.New(fault.Denied, "Only people can join: a service account belongs to its organization")
	}
	if _, _, err := d.Invitations.Accept(r.Context(), c.Principal.ID, f.Get("token")); err != nil {
		return d.noInvite(w, r, c.Principal, err)
	}
	return d.did(w, r, "joined", 1)
}

// noInvite says on a page why a link does not work.
func (d Deps) noInvite(w http.ResponseWriter, r *http.Request, p identity.Principal, err error) error {
	status, text, err := ui.Problem(w, err)
	if err != nil {
		return err
	}
	return ui.Show(w, r, status, d.Frame("Invitation", p), ui.Message(ui.Notice{
		Title: "This link does not work", Text: ui.Sentence(text), Link: accountPath, LinkText: "Go to your account",
	}))
}
