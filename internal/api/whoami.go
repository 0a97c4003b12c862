package api

import (
	"context"
	"net/http"
	"strings"

	"github.com/usefloww/flowwd/internal/access"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/identity"
	"github.com/usefloww/flowwd/internal/route"
)

// whoamiBody serves three generations of clients at once: flat members in
// snake_case, user and organizations.
type whoamiBody struct {
	ID            id.ID                `json:"id"`
	WorkOSUserID  *string              `json:"workos_user_id"`
	UserType      string               `json:"user_type"`
	Email         *string              `json:"email"`
	FirstName     *string              `json:"first_name"`
	LastName      *string              `json:"last_name"`
	IsAdmin       bool                 `json:"is_admin"`
	CreatedAt     timestamp            `json:"created_at"`
	User          whoamiUser           `json:"user"`
	Organizations []whoamiOrganization `json:"organizations" nullable:"false"`
}

type whoamiUser struct {
	ID           id.ID     `json:"id"`
	WorkOSUserID *string   `json:"workosUserId"`
	UserType     string    `json:"userType"`
	Email        *string   `json:"email"`
	FirstName    *string   `json:"firstName"`
	LastName     *string   `json:"lastName"`
	IsAdmin      bool      `json:"isAdmin"`
	CreatedAt    timestamp `json:"createdAt"`
}

type whoamiOrganization struct {
	ID             id.ID  `json:"id"`
	Name           string `json:"name"`
	DisplayName    string `json:"displayName"`
	DisplayNameOld string `json:"display_name"`
}

func registerWhoami(r *route.Router, d Deps) {
	route.Operation(r, route.Spec{
		Method: http.MethodGet, Path: "/api/whoami", Policy: access.Self(access.ReadWhoami),
		OperationID: "whoami", Summary: "Show whom the credential belongs to", Tag: "Identity",
	}, route.NoObject(), func(ctx context.Context, c route.Call[route.None], _ *struct{}) (*whoamiBody, error) {
		organizations, err := d.Tenants.Organizations(ctx, c.Principal.Organizations())
		if err != nil {
			return nil, err
		}
		body := whoami(c.Principal)
		for _, o := range organizations {
			body.Organizations = append(body.Organizations, whoamiOrganization{ID: o.ID, Name: o.Name, DisplayName: o.DisplayName, DisplayNameOld: o.DisplayName})
		}
		return &body, nil
	})
}

// whoami shows a principal. The name of a service account stands in the flat
// first_name alone, as clients expect.
func whoami(p identity.Principal) whoamiBody {
	created := timestamp(p.CreatedAt)
	subject, email := textOrNull(p.User.Subject), textOrNull(p.User.Email)
	first, last := textOrNull(p.User.FirstName), textOrNull(p.User.LastName)
	body := whoamiBody{
		ID: p.ID, WorkOSUserID: subject, UserType: string(p.Kind), Email: email, FirstName: first, LastName: last,
		IsAdmin: p.Admin, CreatedAt: created,
		User: whoamiUser{
			ID: p.ID, WorkOSUserID: subject, UserType: strings.ToUpper(string(p.Kind)), Email: email, FirstName: first, LastName: last,
			IsAdmin: p.Admin, CreatedAt: created,
		},
		Organizations: []whoamiOrganization{},
	}
	if p.Kind == identity.ServiceAccount {
		body.FirstName = textOrNull(p.Name)
	}
	return body
}
