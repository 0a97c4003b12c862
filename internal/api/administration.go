package api

import (
	"context"
	"net/http"

	"github.com/usefloww/flowwd/internal/access"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/identity"
	"github.com/usefloww/flowwd/internal/route"
)

// Administration is what the administrators of the installation do about users.
type Administration interface {
	Users(ctx context.Context, f identity.UserFilter) (identity.UserPage, error)
	User(ctx context.Context, user id.ID) (identity.User, error)
	Change(ctx context.Context, by identity.Principal, user id.ID, c identity.UserChange) (identity.User, error)
	SignOut(ctx context.Context, user id.ID) (int, error)
	IsApproved(u identity.User) bool
}

const adminUsersPath = "/api/admin/users"

func registerAdministration(r *route.Router, d Deps) {
	o := administrationOperations{d}
	const tag = "Administration"
	administer := access.Admin(access.Administer)
	route.Operation(r, route.Spec{
		Method: http.MethodGet, Path: adminUsersPath, Policy: administer,
		OperationID: "list-users", Summary: "List or search the users of the installation, newest first", Tag: tag,
	}, route.NoObject(), o.list)
	route.Operation(r, route.Spec{
		Method: http.MethodGet, Path: adminUsersPath + "/{id}", Policy: administer,
		OperationID: "get-user", Summary: "Show a user", Tag: tag,
	}, route.NoObject(), o.get)
	route.Operation(r, route.Spec{
		Method: http.MethodPatch, Path: adminUsersPath + "/{id}", Policy: administer,
		OperationID: "change-user", Summary: "Disable or enable a user, make or unmake an administrator", Tag: tag,
		Description: "Members that are absent stay as they are. Disabling ends all logins of the user. The last administrator stays one.",
	}, route.NoObject(), o.change)
	route.Operation(r, route.Spec{
		Method: http.MethodPost, Path: adminUsersPath + "/{id}/sign-out", Policy: administer,
		OperationID: "sign-out-user", Summary: "End all logins of a user, in browsers and command lines", Tag: tag,
	}, route.NoObject(), o.signOut)
}

type administrationOperations struct{ Deps }

func (o administrationOperations) list(ctx context.Context, _ route.Call[route.None], in *listUsers) (*userList, error) {
	page, err := o.Administration.Users(ctx, identity.UserFilter{Search: in.Search, Limit: in.PageSize, Offset: (in.Page - 1) * in.PageSize})
	if err != nil {
		return nil, err
	}
	list := userList{Items: make([]userBody, len(page.Users)), Total: page.Total, Page: in.Page, PageSize: in.PageSize}
	for i, u := range page.Users {
		list.Items[i] = o.show(u)
	}
	return &list, nil
}

func (o administrationOperations) get(ctx context.Context, c route.Call[route.None], _ *struct{}) (*userBody, error) {
	user, err := named(c, "User not found")
	if err != nil {
		return nil, err
	}
	u, err := o.Administration.User(ctx, user)
	if err != nil {
		return nil, err
	}
	body := o.show(u)
	return &body, nil
}

func (o administrationOperations) change(ctx context.Context, c route.Call[route.None], in *changeUser) (*userBody, error) {
	user, err := named(c, "User not found")
	if err != nil {
		return nil, err
	}
	u, err := o.Administration.Change(ctx, c.Principal, user, identity.UserChange{Disabled: in.Body.Disabled, Admin: in.Body.IsAdmin})
	if err != nil {
		return nil, err
	}
	body := o.show(u)
	return &body, nil
}

func (o administrationOperations) signOut(ctx context.Context, c route.Call[route.None], _ *struct{}) (*signedOut, error) {
	user, err := named(c, "User not found")
	if err != nil {
		return nil, err
	}
	n, err := o.Administration.SignOut(ctx, user)
	return &signedOut{Ended: n}, err
}
