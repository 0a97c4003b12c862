package api

import (
	"context"
	"net/http"

	"github.com/usefloww/flowwd/internal/access"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/route"
	"github.com/usefloww/flowwd/internal/tenant"
)

const (
	adminOrganizationsPath = "/api/admin/organizations"
	organizationNotFound   = "Organization not found"
)

// registerAdministeredOrganizations registers what the administrators of the
// installation do about organizations that need not be theirs.
func registerAdministeredOrganizations(r *route.Router, d Deps) {
	o := administeredOrganizations{d}
	const tag = "Administration"
	administer := access.Admin(access.Administer)
	route.Operation(r, route.Spec{
		Method: http.MethodGet, Path: adminOrganizationsPath + "/{id}", Policy: administer,
		OperationID: "get-any-organization", Summary: "Show an organization of the installation", Tag: tag,
	}, route.NoObject(), o.get)
	route.Operation(r, route.Spec{
		Method: http.MethodPatch, Path: adminOrganizationsPath + "/{id}", Policy: administer,
		OperationID: "change-any-organization", Summary: "Disable or enable an organization", Tag: tag,
		Description: "Of a disabled one people and keys are refused with 403, as are events; schedules fire nothing, and what waits is cancelled. What runs goes on to its end.",
	}, route.NoObject(), o.change)
}

type administeredOrganizations struct{ Deps }

func (o administeredOrganizations) get(ctx context.Context, c route.Call[route.None], _ *struct{}) (*administeredOrganization, error) {
	organization, err := named(c, organizationNotFound)
	if err != nil {
		return nil, err
	}
	found, err := o.Organizations.Organization(ctx, []id.ID{organization}, organization)
	if err != nil {
		return nil, err
	}
	return showAdministered(found), nil
}

func (o administeredOrganizations) change(ctx context.Context, c route.Call[route.None], in *changeAdministered) (*administeredOrganization, error) {
	organization, err := named(c, organizationNotFound)
	if err != nil {
		return nil, err
	}
	var changed tenant.Organization
	if in.Body.Disabled == nil {
		changed, err = o.Organizations.Organization(ctx, []id.ID{organization}, organization)
	} else {
		changed, err = o.Organizations.SetDisabled(ctx, organization, *in.Body.Disabled)
	}
	if err != nil {
		return nil, err
	}
	return showAdministered(changed), nil
}
