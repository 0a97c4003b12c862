package workos

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/identity/issuer"
)

// Directory keeps organizations at WorkOS: who is invited and who is a member
// there. Ids are WorkOS's own.
type Directory struct{ api *client }

// Directory returns the directory of the way's environment.
func (w *Way) Directory() *Directory { return &Directory{api: w.api} }

const (
	pageSize = 100
	// maxPages bounds a listing to 10,000 entries.
	maxPages = 100
)

// Invitation is one that WorkOS sent by mail.
type Invitation struct {
	ID             string    `json:"id"`
	Email          string    `json:"email"`
	State          string    `json:"state"`
	OrganizationID string    `json:"organization_id"`
	InviterUserID  string    `json:"inviter_user_id"`
	AcceptURL      string    `json:"accept_invitation_url"`
	CreatedAt      time.Time `json:"created_at"`
	ExpiresAt      time.Time `json:"expires_at"`
}

// NewInvitation is what an invitation is sent with.
type NewInvitation struct {
	Email          string `json:"email"`
	OrganizationID string `json:"organization_id"`
	// InviterUserID and Role are left to WorkOS when they are empty.
	InviterUserID string `json:"inviter_user_id,omitempty"`
	Role          string `json:"role_slug,omitempty"`
	// ExpiresInDays is from 1 to 30; 0 for WorkOS's own time.
	ExpiresInDays int `json:"expires_in_days,omitempty"`
}

// Invite sends an invitation.
func (d *Directory) Invite(ctx context.Context, n NewInvitation) (Invitation, error) {
	var made Invitation
	err := d.api.call(ctx, http.MethodPost, "/user_management/invitations", nil, n, &made)
	return made, asFault(err, "invitation")
}

// Invitations returns all invitations to an organization, newest first.
func (d *Directory) Invitations(ctx context.Context, organization string) ([]Invitation, error) {
	return list[Invitation](ctx, d.api, "/user_management/invitations", url.Values{"organization_id": {organization}})
}

// RevokeInvitation ends an invitation that nobody took yet.
func (d *Directory) RevokeInvitation(ctx context.Context, id string) error {
	return asFault(d.api.call(ctx, http.MethodPost, "/user_management/invitations/"+url.PathEscape(id)+"/revoke", nil, struct{}{}, nil), "invitation")
}

// Membership is a user in an organization.
type Membership struct {
	ID             string `json:"id"`
	OrganizationID string `json:"organization_id"`
	UserID         string `json:"user_id"`
	// Status is active, inactive or pending.
	Status string `json:"status"`
	Role   struct {
		Slug string `json:"slug"`
	} `json:"role"`
}

// Members returns the memberships of an organization.
func (d *Directory) Members(ctx context.Context, organization string) ([]Membership, error) {
	return list[Membership](ctx, d.api, "/user_management/organization_memberships", url.Values{"organization_id": {organization}})
}

// MembershipsOf returns the memberships of a user.
func (d *Directory) MembershipsOf(ctx context.Context, user string) ([]Membership, error) {
	return list[Membership](ctx, d.api, "/user_management/organization_memberships", url.Values{"user_id": {user}})
}

// AddMember makes a user a member. An empty role is WorkOS's default.
func (d *Directory) AddMember(ctx context.Context, organization, user, role string) (Membership, error) {
	body := map[string]string{"organization_id": organization, "user_id": user}
	if role != "" {
		body["role_slug"] = role
	}
	var made Membership
	err := d.api.call(ctx, http.MethodPost, "/user_management/organization_memberships", nil, body, &made)
	return made, asFault(err, "membership")
}

// SetRole changes the role of a membership.
func (d *Directory) SetRole(ctx context.Context, membership, role string) error {
	return asFault(d.api.call(ctx, http.MethodPut, membershipPath(membership), nil, map[string]string{"role_slug": role}, nil), "membership")
}

// RemoveMember ends a membership.
func (d *Directory) RemoveMember(ctx context.Context, membership string) error {
	return asFault(d.api.call(ctx, http.MethodDelete, membershipPath(membership), nil, nil, nil), "membership")
}

func membershipPath(id string) string {
	return "/user_management/organization_memberships/" + url.PathEscape(id)
}

// CreateOrganization makes an organization and returns its id. The external id
// is this server's own.
func (d *Directory) CreateOrganization(ctx context.Context, name, external string) (string, error) {
	var made struct {
		ID string `json:"id"`
	}
	err := d.api.call(ctx, http.MethodPost, "/organizations", nil, map[string]string{"name": name, "external_id": external}, &made)
	return made.ID, asFault(err, "organization")
}

// PortalLink returns a link that is good for a few minutes, to the pages where
// an administrator sets up what the intent names: sso, dsync, audit_logs,
// log_streams, domain_verification.
func (d *Directory) PortalLink(ctx context.Context, organization, intent, returnURL string) (string, error) {
	body := map[string]string{"organization": organization, "intent": intent}
	if returnURL != "" {
		body["return_url"] = returnURL
	}
	var made struct {
		Link string `json:"link"`
	}
	err := d.api.call(ctx, http.MethodPost, "/portal/generate_link", nil, body, &made)
	return made.Link, asFault(err, "organization")
}

// list reads all pages of a listing.
func list[T any](ctx context.Context, api *client, path string, query url.Values) ([]T, error) {
	var all []T
	query.Set("limit", strconv.Itoa(pageSize))
	for range maxPages {
		var page struct {
			Data     []T `json:"data"`
			Metadata struct {
				After string `json:"after"`
			} `json:"list_metadata"`
		}
		if err := api.call(ctx, http.MethodGet, path, query, nil, &page); err != nil {
			return nil, asFault(err, "organization")
		}
		all = append(all, page.Data...)
		if page.Metadata.After == "" {
			break
		}
		query.Set("after", page.Metadata.After)
	}
	return all, nil
}

// asFault says what a refusal of WorkOS is to the one who asked for it.
func asFault(err error, what string) error {
	var said *refusal
	if err == nil || fault.Is(err, fault.Unavailable) || !errors.As(err, &said) {
		return err
	}
	switch said.Status {
	case http.StatusNotFound:
		return fault.Because(err, fault.NotFound, "WorkOS does not know this %s", what)
	case http.StatusConflict:
		return fault.Because(err, fault.Conflict, "WorkOS has this %s already", what)
	case http.StatusBadRequest, http.StatusUnprocessableEntity:
		return fault.Because(err, fault.Invalid, "WorkOS refuses this %s: %s", what, issuer.Word(said.Code))
	default:
		// Such as a wrong API key.
		return issuer.Unavailable(err)
	}
}
