package identity

import (
	"context"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/tenant"
)

const (
	// MaxAccounts is how many service accounts an organization may have.
	MaxAccounts = 1000
	// MaxAccountPage bounds a page of service accounts, each with all its keys.
	MaxAccountPage = 200
	maxAccountName = 255
)

// Account is a service account: a member of one organization that no person
// logs in as. It acts by its API keys.
type Account struct {
	ID             id.ID
	OrganizationID id.ID
	Name           string
	Role           tenant.Role
	// CreatedByID is zero for accounts that the command line made.
	CreatedByID id.ID
	CreatedAt   time.Time
	// Keys are those that are kept, also when they no longer work, newest first.
	Keys []APIKey
}

// AccountPage is a part of the accounts of an organization.
type AccountPage struct {
	Accounts []Account
	// Total is how many there are on all pages.
	Total int
}

// AccountChange is a partial update; nil leaves what is there.
type AccountChange struct {
	Name *string
	Role *tenant.Role
}

// AccountStore keeps service accounts. Each method is one atomic unit.
type AccountStore interface {
	// CreateServiceAccount stores an account with its keys. fault.NotFound when the
	// organization is gone or a key's scope names no workflow of it,
	// fault.Conflict when the organization has limit accounts already; limit 0
	// is none.
	CreateServiceAccount(ctx context.Context, a Account, limit int) error
	// ServiceAccount returns an account of one of the organizations; fault.NotFound
	// otherwise.
	ServiceAccount(ctx context.Context, organizations []id.ID, account id.ID) (Account, error)
	// ServiceAccounts returns a page of an organization's accounts, oldest first.
	ServiceAccounts(ctx context.Context, organization id.ID, limit, offset int) (AccountPage, error)
	// ChangeServiceAccount applies a partial update and returns the result;
	// fault.NotFound when the account is gone.
	ChangeServiceAccount(ctx context.Context, account id.ID, c AccountChange) (Account, error)
	// DeleteServiceAccount removes an account with its keys and what was granted to it;
	// fault.NotFound when it is gone already.
	DeleteServiceAccount(ctx context.Context, account id.ID) error
}

// CreateAccount makes a service account without keys in an organization that by
// is a member of. The role must not be above the one that by has there.
func (s *Service) CreateAccount(ctx context.Context, by Principal, organization id.ID, name string, role tenant.Role) (Account, error) {
	a := Account{
		ID: s.IDs.New(), OrganizationID: organization, Name: strings.TrimSpace(name), Role: role,
		CreatedByID: by.ID, CreatedAt: s.Now(),
	}
	if err := checkName("a service account", a.Name); err != nil {
		return Account{}, err
	}
	if err := checkAccountRole(by, organization, role); err != nil {
		return Account{}, err
	}
	if err := s.Keys.CreateServiceAccount(ctx, a, MaxAccounts); err != nil {
		return Account{}, fmt.Errorf("create a service account: %w", err)
	}
	return a, nil
}

// Account returns a service account of one of the organizations.
func (s *Service) Account(ctx context.Context, organizations []id.ID, account id.ID) (Account, error) {
	return s.Keys.ServiceAccount(ctx, organizations, account)
}

// Accounts returns a page of the service accounts of an organization.
func (s *Service) Accounts(ctx context.Context, organization id.ID, limit, offset int) (AccountPage, error) {
	return s.Keys.ServiceAccounts(ctx, organization, min(limit, MaxAccountPage), offset)
}

// ChangeAccount changes what is set in c. Neither the role that the account has
// nor the one that it gets may be above the one of by.
func (s *Service) ChangeAccount(ctx context.Context, by Principal, a Account, c AccountChange) (Account, error) {
	if c.Name != nil {
		name := strings.TrimSpace(*c.Name)
		if err := checkName("a service account", name); err != nil {
			return Account{}, err
		}
		c.Name = &name
	}
	if c.Role != nil {
		for _, role := range []tenant.Role{a.Role, *c.Role} {
			if err := checkAccountRole(by, a.OrganizationID, role); err != nil {
				return Account{}, err
			}
		}
	}
	changed, err := s.Keys.ChangeServiceAccount(ctx, a.ID, c)
	if err != nil {
		return Account{}, fmt.Errorf("change a service account: %w", err)
	}
	return changed, nil
}

// DeleteAccount removes a service account. Its keys stop working at once.
func (s *Service) DeleteAccount(ctx context.Context, account id.ID) error {
	return s.Keys.DeleteServiceAccount(ctx, account)
}

// checkAccountRole refuses roles that no service account can have, and those
// above the one of whoever gives them.
func checkAccountRole(by Principal, organization id.ID, role tenant.Role) error {
	if err := accountRole(role); err != nil {
		return err
	}
	if own := by.RoleIn(organization); role > own {
		return fault.New(fault.Denied, "you can't give or take the role %s, which is above yours (%s)", role, own)
	}
	return nil
}

// accountRole refuses the role that is for people: whoever owns an organization
// must be somebody that answers for it.
func accountRole(role tenant.Role) error {
	if role == tenant.RoleNone || role > tenant.RoleAdmin {
		return fault.New(fault.Invalid, "the role of a service account must be viewer, member or admin")
	}
	return nil
}

func checkName(what, name string) error {
	if n := utf8.RuneCountInString(name); n == 0 || n > maxAccountName {
		return fault.New(fault.Invalid, "the name of %s must have 1 to %d characters", what, maxAccountName)
	}
	if strings.ContainsFunc(name, unicode.IsControl) {
		return fault.New(fault.Invalid, "the name of %s must not contain control characters", what)
	}
	return nil
}
