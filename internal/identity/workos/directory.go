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
	"github.com/usefloww/flowwd/internal/tenant"
)

// directory keeps organizations at WorkOS: who is invited and who is a member
// there.
type directory struct{ api *client }

var _ tenant.Directory = (*Way)(nil)

const (
	pageSize = 100
	// maxPages bounds a listing to 10,000 entries.
	maxPages = 100
)

// Provider implements tenant.Directory.
func (directory) Provider() string { return Name }

// CreateOrganization implements tenant.Directory. WorkOS keeps this server's own
// id with the organization, so that one whose answer was lost is found again.
func (d directory) CreateOrganization(ctx context.Context, o tenant.Organization) (string, error) {
	var found struct {
		ID string `json:"id"`
	}
	err := d.api.call(ctx, http.MethodGet, "/organizations/external_id/"+o.ID.String(), nil, nil, &found)
	if refusedWith(err, http.StatusNotFound) {
		body := map[string]string{"name": o.DisplayName, "external_id": o.ID.String()}
		err = d.api.call(ctx, http.MethodPost, "/organizations", nil, body, &found)
	}
	return found.ID, asFault(err, "organization")
}

// invitation is one at WorkOS.
type invitation struct {
	ID        string `json:"id"`
	State     string `json:"state"`
	AcceptURL string `json:"accept_invitation_url"`
}

// What WorkOS takes as the life of an invitation, in days.
const (
	shortestInvitation = 1
	longestInvitation  = 30
)

// Invite implements tenant.Directory.
func (d directory) Invite(ctx context.Context, external string, i tenant.Invitation) (tenant.DirectoryInvitation, error) {
	const day = 24 * time.Hour
	days := int((i.ExpiresAt.Sub(i.CreatedAt) + day - 1) / day)
	body := map[string]any{
		"email": i.Email, "organization_id": external, "expires_in_days": min(max(days, shortestInvitation), longestInvitation),
	}
	if i.Role == tenant.RoleAdmin {
		// Every environment has this role; what others are called is its own
		// business, and the default one fits them.
		body["role_slug"] = "admin"
	}
	var made invitation
	err := d.api.call(ctx, http.MethodPost, "/user_management/invitations", nil, body, &made)
	return tenant.DirectoryInvitation{ExternalID: made.ID, Link: made.AcceptURL}, asFault(err, "invitation")
}

// Invitations implements tenant.Directory.
func (d directory) Invitations(ctx context.Context, external string) (map[string]tenant.DirectoryState, error) {
	states := map[string]tenant.DirectoryState{}
	err := eachPage(ctx, d.api, "/user_management/invitations", external, func(page []invitation) {
		for _, i := range page {
			switch i.State {
			case "accepted":
				states[i.ID] = tenant.DirectoryAccepted
			case "revoked":
				states[i.ID] = tenant.DirectoryRevoked
			default:
				states[i.ID] = tenant.DirectoryPending
			}
		}
	})
	return states, err
}

// RevokeInvitation implements tenant.Directory.
func (d directory) RevokeInvitation(ctx context.Context, id string) error {
	path := "/user_management/invitations/" + url.PathEscape(id)
	err := d.api.call(ctx, http.MethodPost, path+"/revoke", nil, struct{}{}, nil)
	if err == nil || fault.Is(err, fault.Unavailable) {
		return err
	}
	// WorkOS says no as well where there is nothing left to revoke.
	var now invitation
	if look := d.api.call(ctx, http.MethodGet, path, nil, nil, &now); refusedWith(look, http.StatusNotFound) || now.State == "revoked" || now.State == "expired" {
		return nil
	}
	if now.State == "accepted" {
		return fault.Because(err, fault.Conflict, "The invitation has been accepted already")
	}
	return asFault(err, "invitation")
}

// membership is a user in an organization.
type membership struct {
	UserID string `json:"user_id"`
	Status string `json:"status"`
	Role   struct {
		Slug string `json:"slug"`
	} `json:"role"`
}

// Members implements tenant.Directory. The listing of users says who they are,
// that of memberships what they may; only the first is read page by page.
func (d directory) Members(ctx context.Context, external, after string) ([]tenant.DirectoryMember, string, error) {
	roles := map[string]tenant.Role{}
	err := eachPage(ctx, d.api, "/user_management/organization_memberships", external, func(page []membership) {
		for _, m := range page {
			if m.Status == "active" {
				roles[m.UserID] = roleNamed(m.Role.Slug)
			}
		}
	})
	if err != nil {
		return nil, "", err
	}
	users, next, err := readPage[user](ctx, d.api, "/user_management/users", external, after)
	if err != nil {
		return nil, "", err
	}
	var members []tenant.DirectoryMember
	for _, u := range users {
		if role, active := roles[u.ID]; active {
			members = append(members, tenant.DirectoryMember{Subject: u.ID, Email: u.Email, FirstName: u.FirstName, LastName: u.LastName, Role: role})
		}
	}
	return members, next, nil
}

// roleNamed returns what a role of WorkOS is here. Roles that somebody made there
// say nothing here, and are a member's.
func roleNamed(slug string) tenant.Role {
	if role := tenant.RoleNamed(slug); role != tenant.RoleNone {
		return min(role, tenant.RoleAdmin)
	}
	return tenant.RoleMember
}

// Portal implements tenant.Directory.
func (d directory) Portal(ctx context.Context, external string, r tenant.PortalRequest) (string, error) {
	body := map[string]string{"organization": external, "intent": r.Feature}
	for name, address := range map[string]string{"return_url": r.ReturnURL, "success_url": r.SuccessURL} {
		if address != "" {
			body[name] = address
		}
	}
	var made struct {
		Link string `json:"link"`
	}
	err := d.api.call(ctx, http.MethodPost, "/portal/generate_link", nil, body, &made)
	return made.Link, asFault(err, "organization")
}

// readPage reads a page of a listing of an organization, and returns where the
// next one begins; empty after the last.
func readPage[T any](ctx context.Context, api *client, path, organization, after string) ([]T, string, error) {
	query := url.Values{"organization_id": {organization}, "limit": {strconv.Itoa(pageSize)}}
	if after != "" {
		query.Set("after", after)
	}
	var page struct {
		Data     []T `json:"data"`
		Metadata struct {
			After string `json:"after"`
		} `json:"list_metadata"`
	}
	err := api.call(ctx, http.MethodGet, path, query, nil, &page)
	return page.Data, page.Metadata.After, asFault(err, "organization")
}

// eachPage reads all pages of a listing of an organization.
func eachPage[T any](ctx context.Context, api *client, path, organization string, take func([]T)) error {
	after := ""
	for range maxPages {
		page, next, err := readPage[T](ctx, api, path, organization, after)
		if err != nil {
			return err
		}
		take(page)
		if next == "" || next == after {
			break
		}
		after = next
	}
	return nil
}

func refusedWith(err error, status int) bool {
	var said *refusal
	return errors.As(err, &said) && said.Status == status
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
