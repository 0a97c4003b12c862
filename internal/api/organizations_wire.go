package api

import (
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/tenant"
)

// organizationBody serves several generations of clients: 10.1 of
// identity-realtime-admin.md of the wire contract.
type organizationBody struct {
	ID              id.ID      `json:"id"`
	Name            string     `json:"name" doc:"Unique; a word for addresses and the command line"`
	DisplayName     string     `json:"displayName"`
	DisplayNameOld  string     `json:"display_name"`
	WorkOSID        *string    `json:"workosOrganizationId"`
	WorkOSIDOld     *string    `json:"workos_organization_id"`
	Role            string     `json:"role,omitempty" doc:"What you are in it"`
	CreatedAt       timestamp  `json:"createdAt"`
	CreatedAtOld    timestamp  `json:"created_at"`
	UpdatedAt       timestamp  `json:"updatedAt"`
	UpdatedAtOld    timestamp  `json:"updated_at"`
	DeletedAt       *timestamp `json:"deletedAt,omitempty"`
	RestorableUntil *timestamp `json:"restorableUntil,omitempty"`
}

type organizationList struct {
	Results []organizationBody `json:"results" nullable:"false"`
	Total   int                `json:"total"`
}

// madeOrganization is flat for one generation of clients and nested for another.
type madeOrganization struct {
	organizationBody
	Organization organizationBody `json:"organization"`
	Namespace    namespaceBody    `json:"namespace"`
}

type organizationDeleted struct {
	deleted
	RestorableUntil timestamp `json:"restorableUntil"`
}

type removalBody struct {
	Namespaces      int       `json:"namespaces"`
	Workflows       int       `json:"workflows"`
	Executions      int       `json:"executions" doc:"Those that are kept, with the ones that wait or run"`
	Members         int       `json:"members"`
	Invitations     int       `json:"invitations" doc:"Those neither accepted nor revoked"`
	ServiceAccounts int       `json:"serviceAccounts"`
	APIKeys         int       `json:"apiKeys" doc:"Those that are not revoked"`
	RestorableUntil timestamp `json:"restorableUntil" doc:"Until when an owner could bring all of it back, were it deleted now"`
}

type listOrganizations struct {
	Deleted bool `query:"deleted" doc:"Only deleted ones that you own and can restore"`
}

type createOrganization struct {
	Body struct {
		DisplayName string `json:"displayName" minLength:"1"`
		Name        string `json:"name,omitempty" doc:"Made of the display name when absent"`
	}
}

type changeOrganization struct {
	Body struct {
		DisplayName optional[string] `json:"displayName,omitempty"`
		Name        optional[string] `json:"name,omitempty"`
	}
}

func (in *changeOrganization) change() (tenant.OrganizationChange, error) {
	b := &in.Body
	switch {
	case b.DisplayName.Set && b.DisplayName.Value == nil:
		return tenant.OrganizationChange{}, invalid("body.displayName", "must not be null")
	case b.Name.Set && b.Name.Value == nil:
		return tenant.OrganizationChange{}, invalid("body.name", "must not be null")
	}
	return tenant.OrganizationChange{Name: b.Name.Value, DisplayName: b.DisplayName.Value}, nil
}

// done answers what leaves nothing to show.
type done struct {
	Message string `json:"message"`
	Success bool   `json:"success"`
}

func showOrganization(o tenant.Organization, role tenant.Role) organizationBody {
	body := organizationBody{
		ID: o.ID, Name: o.Name, DisplayName: o.DisplayName, DisplayNameOld: o.DisplayName,
		WorkOSID: textOrNull(o.WorkOSID), WorkOSIDOld: textOrNull(o.WorkOSID),
		CreatedAt: timestamp(o.CreatedAt), CreatedAtOld: timestamp(o.CreatedAt),
		UpdatedAt: timestamp(o.UpdatedAt), UpdatedAtOld: timestamp(o.UpdatedAt),
		DeletedAt: timestampOrNull(o.DeletedAt),
	}
	if role != tenant.RoleNone {
		body.Role = role.String()
	}
	return body
}
