package api

import (
	"context"
	"net/http"

	"github.com/usefloww/flowwd/internal/access"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/route"
	"github.com/usefloww/flowwd/internal/tenant"
)

// Invitations invites people, and asks the directory that keeps an organization
// beside this server.
type Invitations interface {
	Invite(ctx context.Context, r tenant.Request) (tenant.Invited, error)
	Resend(ctx context.Context, r tenant.Request, invitation id.ID) (tenant.Invited, error)
	List(ctx context.Context, o tenant.Organization, limit, offset int) ([]tenant.Invitation, error)
	Revoke(ctx context.Context, organization, invitation id.ID) error
	Accept(ctx context.Context, user id.ID, token string) (tenant.Organization, tenant.Role, error)

	HasDirectory() bool
	Sync(ctx context.Context, o tenant.Organization) (int, error)
	Portal(ctx context.Context, o tenant.Organization, r tenant.PortalRequest) (string, error)
}

const (
	invitationsPath = organizationPath + "/invitations"
	invitationPath  = invitationsPath + "/{invitationId}"
)

func registerInvitations(r *route.Router, d Deps) {
	o := invitationOperations{d}
	const tag = "Invitations"
	route.Operation(r, route.Spec{ // O11
		Method: http.MethodGet, Path: invitationsPath, Policy: access.Requires(access.WriteInvitation),
		OperationID: "list-invitations", Summary: "List invitations, the newest first", Tag: tag,
	}, d.organization(), o.list)
	route.Operation(r, route.Spec{ // O12
		Method: http.MethodPost, Path: invitationsPath, Policy: access.Requires(access.WriteInvitation),
		OperationID: "invite", Summary: "Invite somebody; the answer shows the link this once", Tag: tag,
	}, d.organization(), o.invite)
	route.Operation(r, route.Spec{
		Method: http.MethodPost, Path: invitationPath + "/resend", Policy: access.Requires(access.WriteInvitation),
		OperationID: "resend-invitation", Summary: "Give an invitation a new link; the old one no longer works", Tag: tag,
	}, d.invitation(), o.resend)
	route.Operation(r, route.Spec{ // O13
		Method: http.MethodDelete, Path: invitationPath, Policy: access.Requires(access.WriteInvitation),
		OperationID: "revoke-invitation", Summary: "Revoke an invitation", Tag: tag,
	}, d.invitation(), o.revoke)
	route.Operation(r, route.Spec{
		Method: http.MethodPost, Path: "/api/invitations/accept", Policy: access.Self(access.JoinOrganization),
		OperationID: "accept-invitation", Summary: "Join an organization by the secret of an invitation's link", Tag: tag,
	}, route.NoObject(), o.accept)
}

type invitationOperations struct{ Deps }

func (o invitationOperations) list(ctx context.Context, c route.Call[tenant.Organization], in *listInvitations) (*invitationList, error) {
	all, err := o.Invitations.List(ctx, c.Object, in.Limit, in.Offset)
	list := make(invitationList, len(all))
	for i, x := range all {
		list[i] = showInvitation(x, o.Now())
	}
	return &list, err
}

// request is what all that is sent has in common.
func request(c route.Call[tenant.Organization], days int) tenant.Request {
	return tenant.Request{
		Caller: callerIn(c.Principal, c.Object.ID), CallerName: c.Principal.Actor().Name, Organization: c.Object, Days: days,
	}
}

func (o invitationOperations) invite(ctx context.Context, c route.Call[tenant.Organization], in *inviteSomebody) (*invitedBody, error) {
	r := request(c, in.Body.ExpiresInDays)
	r.Email, r.Role = in.Body.Email, tenant.RoleMember
	if in.Body.Role != "" {
		var err error
		if r.Role, err = readRole(in.Body.Role); err != nil {
			return nil, err
		}
	}
	made, err := o.Invitations.Invite(ctx, r)
	return o.invited(made, err)
}

func (o invitationOperations) resend(ctx context.Context, c route.Call[tenant.Organization], in *resendInvitation) (*invitedBody, error) {
	made, err := o.Invitations.Resend(ctx, request(c, in.ExpiresInDays), c.Child)
	return o.invited(made, err)
}

func (o invitationOperations) invited(made tenant.Invited, err error) (*invitedBody, error) {
	if err != nil {
		return nil, err
	}
	return &invitedBody{
		invitationBody: showInvitation(made.Invitation, o.Now()),
		URL:            made.Link, URLOld: made.Link, Mail: string(made.Mail),
	}, nil
}

func (o invitationOperations) revoke(ctx context.Context, c route.Call[tenant.Organization], _ *struct{}) (*done, error) {
	if err := o.Invitations.Revoke(ctx, c.Object.ID, c.Child); err != nil {
		return nil, err
	}
	return &done{Message: "Invitation revoked successfully", Success: true}, nil
}

func (o invitationOperations) accept(ctx context.Context, c route.Call[route.None], in *acceptInvitation) (*organizationBody, error) {
	if err := aPerson(c.Principal); err != nil {
		return nil, err
	}
	joined, role, err := o.Invitations.Accept(ctx, c.Principal.ID, in.Body.Token)
	if err != nil {
		return nil, err
	}
	body := showOrganization(joined, role)
	return &body, nil
}
