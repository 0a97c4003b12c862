package api

import (
	"context"
	"net/http"
	"time"

	"github.com/usefloww/flowwd/internal/access"
	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/identity"
	"github.com/usefloww/flowwd/internal/route"
	"github.com/usefloww/flowwd/internal/tenant"
)

// Organizations manages organizations and who is in them.
type Organizations interface {
	Organization(ctx context.Context, among []id.ID, organization id.ID) (tenant.Organization, error)
	Found(ctx context.Context, user id.ID, d tenant.Draft) (tenant.Namespace, error)
	Change(ctx context.Context, c tenant.Caller, organization id.ID, change tenant.OrganizationChange) (tenant.Organization, error)
	Removal(ctx context.Context, organization id.ID) (tenant.Removal, error)
	Delete(ctx context.Context, organization id.ID) (until time.Time, err error)
	Deleted(ctx context.Context, user id.ID) ([]tenant.Organization, error)
	Restore(ctx context.Context, user, organization id.ID) (tenant.Organization, error)
	SetDisabled(ctx context.Context, organization id.ID, disabled bool) (tenant.Organization, error)
	RestorableUntil(deletedAt time.Time) time.Time

	Members(ctx context.Context, organization id.ID, limit, offset int) ([]tenant.Member, error)
	AddMember(ctx context.Context, c tenant.Caller, organization, user id.ID, role tenant.Role) (tenant.Member, error)
	ChangeMember(ctx context.Context, c tenant.Caller, organization, user id.ID, role tenant.Role) (tenant.Member, error)
	RemoveMember(ctx context.Context, c tenant.Caller, organization, user id.ID) error
	Leave(ctx context.Context, user, organization id.ID) error
}

const (
	organizationsPath = "/api/organizations"
	organizationPath  = organizationsPath + "/{id}"
)

func registerOrganizations(r *route.Router, d Deps) {
	o := organizationOperations{d}
	const tag = "Organizations"
	route.Operation(r, route.Spec{ // O1
		Method: http.MethodGet, Path: organizationsPath, Policy: access.Self(access.ListOrganizations),
		OperationID: "list-organizations", Summary: "List your organizations, the oldest first", Tag: tag,
	}, route.NoObject(), o.list)
	route.Operation(r, route.Spec{ // O2
		Method: http.MethodPost, Path: organizationsPath, Policy: access.Self(access.CreateOrganization),
		OperationID: "create-organization", Summary: "Create an organization with a namespace; you become its owner", Tag: tag,
	}, route.NoObject(), o.create)
	route.Operation(r, route.Spec{ // O3
		Method: http.MethodGet, Path: organizationPath, Policy: access.Requires(access.ReadOrganization),
		OperationID: "get-organization", Summary: "Show an organization", Tag: tag,
	}, d.organization(), o.get)
	route.Operation(r, route.Spec{ // O4
		Method: http.MethodPatch, Path: organizationPath, Policy: access.Requires(access.WriteOrganization),
		OperationID: "change-organization", Summary: "Rename an organization; members that are absent stay as they are", Tag: tag,
	}, d.organization(), o.change)
	route.Operation(r, route.Spec{ // O5
		Method: http.MethodDelete, Path: organizationPath, Policy: access.Requires(access.DeleteOrganization),
		OperationID: "delete-organization", Summary: "Delete an organization with all that is in it; it can be restored for some days", Tag: tag,
	}, d.organization(), o.delete)
	route.Operation(r, route.Spec{
		Method: http.MethodGet, Path: organizationPath + "/removal", Policy: access.Requires(access.DeleteOrganization),
		OperationID: "show-organization-removal", Summary: "Show what a deletion of an organization would remove", Tag: tag,
	}, d.organization(), o.removal)
	route.Operation(r, route.Spec{
		Method: http.MethodPost, Path: organizationPath + "/restore", Policy: access.Self(access.RestoreOrganization),
		OperationID: "restore-organization", Summary: "Bring a deleted organization back, as one of its owners", Tag: tag,
	}, route.NoObject(), o.restore)
	route.Operation(r, route.Spec{
		Method: http.MethodPost, Path: organizationPath + "/leave", Policy: access.Requires(access.LeaveOrganization),
		OperationID: "leave-organization", Summary: "Leave an organization; its last owner can't", Tag: tag,
	}, d.organization(), o.leave)
}

type organizationOperations struct{ Deps }

// callerIn is a principal as the rules of an organization see it.
func callerIn(p identity.Principal, organization id.ID) tenant.Caller {
	return tenant.Caller{ID: p.ID, Role: p.RoleIn(organization)}
}

// aPerson refuses service accounts, which belong to one organization.
func aPerson(p identity.Principal) error {
	if p.Kind != identity.Human {
		return fault.New(fault.Denied, "Only people can do this: a service account belongs to its organization")
	}
	return nil
}

func (o organizationOperations) list(ctx context.Context, c route.Call[route.None], in *listOrganizations) (*organizationList, error) {
	list := organizationList{Results: []organizationBody{}}
	if in.Deleted {
		deleted, err := o.Organizations.Deleted(ctx, c.Principal.ID)
		for _, x := range deleted {
			body := showOrganization(x, tenant.RoleOwner)
			until := timestamp(o.Organizations.RestorableUntil(*x.DeletedAt))
			body.RestorableUntil = &until
			list.Results = append(list.Results, body)
		}
		list.Total = len(list.Results)
		return &list, err
	}
	all, err := o.Tenants.Organizations(ctx, c.Principal.Organizations())
	for _, x := range all {
		list.Results = append(list.Results, showOrganization(x, c.Principal.RoleIn(x.ID)))
	}
	list.Total = len(list.Results)
	return &list, err
}

func (o organizationOperations) create(ctx context.Context, c route.Call[route.None], in *createOrganization) (*madeOrganization, error) {
	if err := aPerson(c.Principal); err != nil {
		return nil, err
	}
	n, err := o.Organizations.Found(ctx, c.Principal.ID, tenant.Draft{Name: in.Body.Name, DisplayName: in.Body.DisplayName})
	if err != nil {
		return nil, err
	}
	body := showOrganization(n.Organization, tenant.RoleOwner)
	return &madeOrganization{organizationBody: body, Organization: body, Namespace: showNamespace(n)}, nil
}

func (o organizationOperations) get(_ context.Context, c route.Call[tenant.Organization], _ *struct{}) (*organizationBody, error) {
	body := showOrganization(c.Object, c.Principal.RoleIn(c.Object.ID))
	return &body, nil
}

func (o organizationOperations) change(ctx context.Context, c route.Call[tenant.Organization], in *changeOrganization) (*organizationBody, error) {
	change, err := in.change()
	if err != nil {
		return nil, err
	}
	changed, err := o.Organizations.Change(ctx, callerIn(c.Principal, c.Object.ID), c.Object.ID, change)
	if err != nil {
		return nil, err
	}
	body := showOrganization(changed, c.Principal.RoleIn(changed.ID))
	return &body, nil
}

func (o organizationOperations) removal(ctx context.Context, c route.Call[tenant.Organization], _ *struct{}) (*removalBody, error) {
	r, err := o.Organizations.Removal(ctx, c.Object.ID)
	if err != nil {
		return nil, err
	}
	return &removalBody{
		Namespaces: r.Namespaces, Workflows: r.Workflows, Executions: r.Executions, Members: r.Members, Invitations: r.Invitations,
		ServiceAccounts: r.ServiceAccounts, APIKeys: r.APIKeys, RestorableUntil: timestamp(r.RestorableUntil),
	}, nil
}

func (o organizationOperations) delete(ctx context.Context, c route.Call[tenant.Organization], _ *struct{}) (*organizationDeleted, error) {
	until, err := o.Organizations.Delete(ctx, c.Object.ID)
	if err != nil {
		return nil, err
	}
	return &organizationDeleted{
		deleted:         deleted{ID: c.Object.ID, Message: "Organization deleted successfully", Success: true},
		RestorableUntil: timestamp(until),
	}, nil
}

func (o organizationOperations) restore(ctx context.Context, c route.Call[route.None], _ *struct{}) (*organizationBody, error) {
	organization, err := named(c, organizationNotFound)
	if err != nil {
		return nil, err
	}
	restored, err := o.Organizations.Restore(ctx, c.Principal.ID, organization)
	if err != nil {
		return nil, err
	}
	body := showOrganization(restored, tenant.RoleOwner)
	return &body, nil
}

func (o organizationOperations) leave(ctx context.Context, c route.Call[tenant.Organization], _ *struct{}) (*done, error) {
	if err := aPerson(c.Principal); err != nil {
		return nil, err
	}
	if err := o.Organizations.Leave(ctx, c.Principal.ID, c.Object.ID); err != nil {
		return nil, err
	}
	return &done{Message: "You left the organization", Success: true}, nil
}
