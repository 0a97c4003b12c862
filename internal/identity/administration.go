package identity

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
)

const (
	// MaxUsersPage bounds a page of users.
	MaxUsersPage = 100
	// DefaultUsersPage is what a page has when nothing is said.
	DefaultUsersPage = 25
)

// UserFilter selects a page of users, newest first.
type UserFilter struct {
	// Search is a part of an e-mail, a login, a name or a subject, in any case, or
	// a whole id; empty for all.
	Search        string
	Limit, Offset int
}

// UserPage is one page of users and the number there are on all pages.
type UserPage struct {
	Users []User
	Total int
}

// UserChange is what an administrator changes about a user; nil fields stay as
// they are.
type UserChange struct {
	Disabled, Admin *bool
	// Approved are the administrators that the settings name, as subjects of
	// Provider or ids. They count as administrators when it comes to the last one.
	Approved []string
	Provider string
	At       time.Time
}

// Approves reports whether the settings name u as an administrator.
func (c UserChange) Approves(u User) bool { return approved(c.Approved, u) }

// AdministrationStore keeps what administrators change. Each method is one
// atomic unit.
type AdministrationStore interface {
	// UsersPage returns a page of users.
	UsersPage(ctx context.Context, f UserFilter) (UserPage, error)
	// User returns a user; fault.NotFound when there is none.
	User(ctx context.Context, user id.ID) (User, error)
	// ChangeUser applies a change and returns the result; fault.Conflict when no
	// administrator would be left. Disabling ends all logins of the user.
	ChangeUser(ctx context.Context, user id.ID, c UserChange) (User, error)
	// SignOutUser ends all logins of a user, in browsers and command lines, and
	// returns how many there were.
	SignOutUser(ctx context.Context, user id.ID) (int, error)
}

// Administration is what the administrators of the installation do about users.
type Administration struct {
	Store AdministrationStore
	// Approved and Provider are as in UserChange.
	Approved []string
	Provider string
	Now      func() time.Time
}

// Users returns a page of users.
func (a *Administration) Users(ctx context.Context, f UserFilter) (UserPage, error) {
	f.Search = strings.TrimSpace(f.Search)
	return a.Store.UsersPage(ctx, f)
}

// User returns a user; fault.NotFound when there is none.
func (a *Administration) User(ctx context.Context, user id.ID) (User, error) {
	return a.Store.User(ctx, user)
}

// IsApproved reports whether the settings name u as an administrator.
func (a *Administration) IsApproved(u User) bool { return approved(a.Approved, u) }

// approved reports whether a list of subjects and ids names a user.
func approved(list []string, u User) bool {
	return slices.Contains(list, u.Subject) || slices.Contains(list, u.ID.String())
}

// Change disables, enables, approves or disapproves a user. Nobody disables
// themselves, for that is never what was meant; and whoever the settings name
// stays an administrator as long as they do. The last owner of an organization
// may be disabled: whoever does harm must be stopped at once, and an
// administrator can enable them again.
func (a *Administration) Change(ctx context.Context, by Principal, user id.ID, c UserChange) (User, error) {
	u, err := a.Store.User(ctx, user)
	if err != nil {
		return User{}, err
	}
	switch {
	case c.Disabled != nil && *c.Disabled && by.ID == user:
		return User{}, fault.New(fault.Conflict, "You can't disable your own account; another administrator can")
	case c.Admin != nil && !*c.Admin && a.IsApproved(u):
		return User{}, fault.New(fault.Conflict, "ADMIN_USER_IDS names this person as an administrator; take them out of that setting")
	case c.Admin != nil && *c.Admin && (u.DisabledAt != nil || c.Disabled != nil && *c.Disabled):
		return User{}, fault.New(fault.Conflict, "This account is disabled; enable it before you make it an administrator")
	}
	c.Approved, c.Provider, c.At = a.Approved, a.Provider, a.Now()
	return a.Store.ChangeUser(ctx, user, c)
}

// SignOut ends all logins of a user and returns how many there were.
func (a *Administration) SignOut(ctx context.Context, user id.ID) (int, error) {
	return a.Store.SignOutUser(ctx, user)
}
