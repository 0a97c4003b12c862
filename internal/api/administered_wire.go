package api

import (
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/tenant"
)

type administeredOrganization struct {
	ID          id.ID      `json:"id"`
	Name        string     `json:"name"`
	DisplayName string     `json:"displayName"`
	Disabled    bool       `json:"disabled"`
	DisabledAt  *timestamp `json:"disabledAt" nullable:"true"`
	CreatedAt   timestamp  `json:"createdAt"`
	UpdatedAt   timestamp  `json:"updatedAt"`
}

type changeAdministered struct {
	Body struct {
		Disabled *bool `json:"disabled,omitempty"`
	}
}

func showAdministered(o tenant.Organization) *administeredOrganization {
	return &administeredOrganization{
		ID: o.ID, Name: o.Name, DisplayName: o.DisplayName, Disabled: o.DisabledAt != nil, DisabledAt: timestampOrNull(o.DisabledAt),
		CreatedAt: timestamp(o.CreatedAt), UpdatedAt: timestamp(o.UpdatedAt),
	}
}
