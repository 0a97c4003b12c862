package api

import (
	"context"
	"net/http"

	"github.com/usefloww/flowwd/internal/access"
	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/identity"
	"github.com/usefloww/flowwd/internal/identity/password"
	"github.com/usefloww/flowwd/internal/route"
)

// Passwords makes accounts that log in with a password.
type Passwords interface {
	Create(ctx context.Context, a password.Account) (p identity.Principal, token string, err error)
	Link(ctx context.Context, user id.ID) (token string, err error)
}

type newUser struct {
	Body struct {
		Email     string `json:"email,omitempty" maxLength:"255" doc:"What the person logs in with; username does as well"`
		Username  string `json:"username,omitempty" maxLength:"255"`
		FirstName string `json:"firstName,omitempty" maxLength:"255"`
		LastName  string `json:"lastName,omitempty" maxLength:"255"`
	}
}

type userLink struct {
	ID    id.ID  `json:"id"`
	Login string `json:"login,omitempty" doc:"What the person logs in with"`
	Link  string `json:"link" doc:"Where the person chooses a password: once, within a week. It is shown this once"`
}

func registerUsers(r *route.Router, d Deps) {
	link := func(token string) string { return d.PublicURL() + "/auth/password?token=" + token }
	route.Operation(r, route.Spec{
		Method: http.MethodPost, Path: "/api/users", Policy: access.Admin(access.Administer), Status: http.StatusCreated,
		OperationID: "create-user", Summary: "Make an account and a link to choose its password", Tag: "Identity",
		Description: "For AUTH_TYPE password; with other ways to log in, people are made when they first come.",
	}, route.NoObject(), func(ctx context.Context, _ route.Call[route.None], in *newUser) (*userLink, error) {
		if d.Passwords == nil {
			return nil, errNoPasswords()
		}
		account := password.Account{Login: in.Body.Username, FirstName: in.Body.FirstName, LastName: in.Body.LastName}
		if account.Login == "" {
			account.Login = in.Body.Email
		}
		p, token, err := d.Passwords.Create(ctx, account)
		if err != nil {
			return nil, err
		}
		return &userLink{ID: p.ID, Login: p.User.Login, Link: link(token)}, nil
	})
	route.Operation(r, route.Spec{
		Method: http.MethodPost, Path: "/api/users/{id}/password-link", Policy: access.Admin(access.Administer), Status: http.StatusCreated,
		OperationID: "create-password-link", Summary: "Make a link with which somebody chooses another password", Tag: "Identity",
		Description: "Links that were made before no longer work. The password stays until the link is used.",
	}, route.NoObject(), func(ctx context.Context, c route.Call[route.None], _ *struct{}) (*userLink, error) {
		if d.Passwords == nil {
			return nil, errNoPasswords()
		}
		user, err := id.Parse(c.Param("id"))
		if err != nil {
			return nil, fault.New(fault.NotFound, "User not found")
		}
		token, err := d.Passwords.Link(ctx, user)
		if err != nil {
			return nil, err
		}
		return &userLink{ID: user, Link: link(token)}, nil
	})
}

func errNoPasswords() error {
	return fault.New(fault.Invalid, "Password authentication is not enabled")
}
