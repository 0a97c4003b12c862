package api

import (
	"context"
	"net/http"

	"github.com/usefloww/flowwd/internal/access"
	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/route"
	"github.com/usefloww/flowwd/internal/tenant"
)

const (
	membersPath = organizationPath + "/members"
	memberPath  = membersPath + "/{userId}"
)

func registerMembers(r *route.Router, d Deps) {
	o := memberOperations{d}
	const tag = "Members"
	route.Operation(r, route.Spec{ // O6
		Method: http.MethodGet, Path: membersPath, Policy: access.Requires(access.ReadMember),
		OperationID: "list-members", Summary: "List the people of an organization, who came last first", Tag: tag,
	}, d.organization(), o.list)
	route.Operation(r, route.Spec{ // O7
		Method: http.MethodPost, Path: membersPath, Policy: access.Requires(access.WriteMember),
		OperationID: "add-member", Summary: "Add somebody whose user id you were given, with a role that is at most your own; invite others", Tag: tag,
	}, d.organization(), o.add)
	route.Operation(r, route.Spec{ // O8
		Method: http.MethodPatch, Path: memberPath, Policy: access.Requires(access.WriteMember),
		OperationID: "change-member", Summary: "Give a member another role, at most your own", Tag: tag,
	}, d.member(), o.change)
	route.Operation(r, route.Spec{ // O9
		Method: http.MethodDelete, Path: memberPath, Policy: access.Requires(access.WriteMember),
		OperationID: "remove-member", Summary: "Remove a member", Tag: tag,
	}, d.member(), o.remove)
}

type memberOperations struct{ Deps }

func (o memberOperations) list(ctx context.Context, c route.Call[tenant.Organization], in *listMembers) (*memberList, error) {
	all, err := o.Organizations.Members(ctx, c.Object.ID, in.Limit, in.Offset)
	list := make(memberList, len(all))
	for i, m := range all {
		list[i] = showMember(m)
	}
	return &list, err
}

func (o memberOperations) add(ctx context.Context, c route.Call[tenant.Organization], in *addMember) (*memberBody, error) {
	role := tenant.RoleMember
	if in.Body.Role != "" {
		var err error
		if role, err = readRole(in.Body.Role); err != nil {
			return nil, err
		}
	}
	user, err := id.Parse(in.Body.UserID)
	if err != nil {
		return nil, fault.New(fault.NotFound, "User not found")
	}
	m, err := o.Organizations.AddMember(ctx, callerIn(c.Principal, c.Object.ID), c.Object.ID, user, role)
	if err != nil {
		return nil, err
	}
	body := showMember(m)
	return &body, nil
}

func (o memberOperations) change(ctx context.Context, c route.Call[tenant.Organization], in *changeMember) (*memberBody, error) {
	role, err := readRole(in.Body.Role)
	if err != nil {
		return nil, err
	}
	m, err := o.Organizations.ChangeMember(ctx, callerIn(c.Principal, c.Object.ID), c.Object.ID, c.Child, role)
	if err != nil {
		return nil, err
	}
	body := showMember(m)
	return &body, nil
}

func (o memberOperations) remove(ctx context.Context, c route.Call[tenant.Organization], _ *struct{}) (*done, error) {
	if err := o.Organizations.RemoveMember(ctx, callerIn(c.Principal, c.Object.ID), c.Object.ID, c.Child); err != nil {
		return nil, err
	}
	return &done{Message: "Member removed successfully", Success: true}, nil
}

// readRole reads a role in either case.
func readRole(text string) (tenant.Role, error) {
	role := tenant.RoleNamed(text)
	if role == tenant.RoleNone {
		return role, invalid("body.role", "must be viewer, member, admin or owner")
	}
	return role, nil
}
