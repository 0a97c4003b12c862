package api

import (
	"context"
	"net/http"

	"github.com/usefloww/flowwd/internal/access"
	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/identity"
	"github.com/usefloww/flowwd/internal/route"
	"github.com/usefloww/flowwd/internal/tenant"
)

const accessPath = "/api/access"

// Access gives roles on single resources and says who may do what.
type Access interface {
	Grant(ctx context.Context, by identity.Principal, to access.PrincipalRef, on access.Link, role tenant.Role) (access.Grant, error)
	Revoke(ctx context.Context, by identity.Principal, from access.PrincipalRef, on access.Link) error
	Principals(ctx context.Context, by identity.Principal, on access.Link) ([]access.Entry, error)
	Resources(ctx context.Context, by identity.Principal, of access.PrincipalRef, kind tenant.ResourceType, expand bool) ([]access.Entry, error)
	Explain(ctx context.Context, by identity.Principal, q access.Question) (access.Explanation, error)
}

func registerAccess(r *route.Router, d Deps) {
	o := accessOperations{d}
	const tag = "Access"
	route.Operation(r, route.Spec{ // A1
		Method: http.MethodPost, Path: accessPath + "/grant", Policy: access.Requires(access.GrantAccess),
		OperationID: "grant-access", Summary: "Give a user or a service account a role on a workflow or a folder, or another role than before", Tag: tag,
		Description: "An owner may do to the workflow, or to all that is in the folder, what an admin of the organization may, a user what a member may. " +
			"The role adds to the one in the organization and never takes from it.",
	}, route.NoObject(), o.grant)
	route.Operation(r, route.Spec{ // A2
		Method: http.MethodDelete, Path: accessPath + "/revoke", Policy: access.Requires(access.GrantAccess),
		OperationID: "revoke-access", Summary: "Take back a role on a workflow or a folder", Tag: tag,
	}, route.NoObject(), o.revoke)
	route.Operation(r, route.Spec{
		Method: http.MethodGet, Path: accessPath + "/principals", Policy: access.Requires(access.ReadAccess),
		OperationID: "list-principals", Summary: "List who was given a role on a resource or on what holds it", Tag: tag,
		Description: "Roles in the organization are not listed: those are its members and service accounts.",
	}, route.NoObject(), o.principals)
	route.Operation(r, route.Spec{
		Method: http.MethodGet, Path: accessPath + "/resources", Policy: access.Requires(access.ReadAccess),
		OperationID: "list-resources", Summary: "List the resources that a user or a service account was given a role on", Tag: tag,
	}, route.NoObject(), o.resources)
	route.Operation(r, route.Spec{
		Method: http.MethodGet, Path: accessPath + "/explain", Policy: access.Self(access.ExplainAccess),
		OperationID: "explain-access", Summary: "Say whether somebody may do something, and why", Tag: tag,
		Description: "Without a principal it is about whoever asks, with the credential of the request. " +
			"About others may ask who can give access to the resource.",
	}, route.NoObject(), o.explain)
}

type accessOperations struct{ Deps }

// principalRef reads the name of a principal.
func principalRef(kind, text string) (access.PrincipalRef, error) {
	named, err := id.Parse(text)
	if err != nil {
		return access.PrincipalRef{}, fault.New(fault.NotFound, "Principal not found")
	}
	return access.PrincipalRef{Type: access.PrincipalType(kind), ID: named}, nil
}

// link reads the name of a resource.
func link(kind, text string) (access.Link, error) {
	named, err := id.Parse(text)
	if err != nil {
		return access.Link{}, fault.New(fault.NotFound, "Resource not found")
	}
	return access.Link{Type: tenant.ResourceType(kind), ID: named}, nil
}

// pair reads the names of a principal and of a resource.
func pair(principalType, principalID, resourceType, resourceID string) (p access.PrincipalRef, on access.Link, err error) {
	if p, err = principalRef(principalType, principalID); err != nil {
		return p, on, err
	}
	on, err = link(resourceType, resourceID)
	return p, on, err
}

func (o accessOperations) grant(ctx context.Context, c route.Call[route.None], in *grantAccess) (*grantBody, error) {
	b := &in.Body
	p, on, err := pair(b.PrincipalType, b.PrincipalID, b.ResourceType, b.ResourceID)
	if err != nil {
		return nil, err
	}
	g, err := o.Access.Grant(ctx, c.Principal, p, on, access.GrantableRole(b.Role))
	if err != nil {
		return nil, err
	}
	body := showGrant(g)
	return &body, nil
}

func (o accessOperations) revoke(ctx context.Context, c route.Call[route.None], in *revokeAccess) (*message, error) {
	p, on, err := pair(in.PrincipalType, in.PrincipalID, in.ResourceType, in.ResourceID)
	if err != nil {
		return nil, err
	}
	if err := o.Access.Revoke(ctx, c.Principal, p, on); err != nil {
		return nil, err
	}
	return &message{Message: "Access revoked successfully", Success: true}, nil
}

func (o accessOperations) principals(ctx context.Context, c route.Call[route.None], in *listPrincipals) (*grantList, error) {
	on, err := link(in.ResourceType, in.ResourceID)
	if err != nil {
		return nil, err
	}
	entries, err := o.Access.Principals(ctx, c.Principal, on)
	if err != nil {
		return nil, err
	}
	return showEntries(entries), nil
}

func (o accessOperations) resources(ctx context.Context, c route.Call[route.None], in *listResources) (*grantList, error) {
	p, err := principalRef(in.PrincipalType, in.PrincipalID)
	if err != nil {
		return nil, err
	}
	entries, err := o.Access.Resources(ctx, c.Principal, p, tenant.ResourceType(in.ResourceType), in.Expand)
	if err != nil {
		return nil, err
	}
	return showEntries(entries), nil
}

func (o accessOperations) explain(ctx context.Context, c route.Call[route.None], in *explainAccess) (*explanationBody, error) {
	q := access.Question{Action: access.Action(in.Action)}
	var err error
	if q.Resource, err = link(in.ResourceType, in.ResourceID); err != nil {
		return nil, err
	}
	switch {
	case in.PrincipalType == "" && in.PrincipalID == "":
	case in.PrincipalType == "" || in.PrincipalID == "":
		return nil, invalid("query.principalType", "principal_type and principal_id go together")
	default:
		if q.Principal, err = principalRef(in.PrincipalType, in.PrincipalID); err != nil {
			return nil, err
		}
	}
	e, err := o.Access.Explain(ctx, c.Principal, q)
	if err != nil {
		return nil, err
	}
	return showExplanation(e), nil
}
