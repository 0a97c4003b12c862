package password

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/usefloww/flowwd/internal/audit"
	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/identity"
	"github.com/usefloww/flowwd/internal/tenant"
)

// Config is what a Service needs. All fields but SingleOrganization are
// required.
type Config struct {
	Store Store
	Users identity.UserStore
	// Recorder notes logins that were refused.
	Recorder *audit.Recorder
	// Fresh returns a new organization with its namespace for a display name, not
	// yet stored.
	Fresh func(displayName string) tenant.Namespace
	// SingleOrganization has all users join the default organization.
	SingleOrganization bool
	IDs                *id.Source
	Now                func() time.Time
}

// Service checks passwords and keeps them.
type Service struct {
	Config
	// Hasher makes the hashes.
	Hasher *Hasher
	tries  throttle
}

// New returns a Service.
func New(c Config) *Service {
	return &Service{Config: c, Hasher: NewHasher(), tries: throttle{now: c.Now}}
}

// errRefused is the one answer to a wrong password, a login that nobody has, and
// an account without a password.
func errRefused() error { return fault.New(fault.Unauthenticated, "Invalid username or password") }

// Check returns the principal with this login and password.
func (s *Service) Check(ctx context.Context, login, password, address string) (identity.Principal, error) {
	login, address = Fold(login), identity.Network(address)
	if login == "" || password == "" {
		return identity.Principal{}, fault.New(fault.Invalid, "Email and password are required")
	}
	// Nobody has such ones; they would only cost memory and work.
	if checkLogin(login) != nil || len(password) > 4*MaxLength {
		return identity.Principal{}, errRefused()
	}
	if err := s.tries.take(login, address); err != nil {
		s.refused(ctx, id.ID{}, "throttled")
		return identity.Principal{}, err
	}
	u, hash, err := s.Store.UserByLogin(ctx, login)
	if err != nil && !fault.Is(err, fault.NotFound) {
		return identity.Principal{}, err
	}
	match, err := s.Hasher.matches(ctx, password, hash)
	if err != nil {
		return identity.Principal{}, err
	}
	if !match {
		s.refused(ctx, u.ID, "password")
		return identity.Principal{}, errRefused()
	}
	s.tries.succeeded(login, address)
	p, err := s.Users.PrincipalByUser(ctx, u.ID, s.Now())
	if fault.Is(err, fault.Denied) {
		s.refused(ctx, u.ID, "disabled")
	}
	return p, err
}

// refused notes a login that was refused. What was typed is not noted: it may be
// a password in the wrong field.
func (s *Service) refused(ctx context.Context, user id.ID, why string) {
	e := audit.Entry{Action: audit.LogIn, Outcome: audit.Refused, After: audit.Snapshot(map[string]any{"reason": why})}
	if !user.IsZero() {
		e.Target = audit.Target{Type: "user", ID: user.String()}
	}
	s.Recorder.Record(ctx, e)
}

// Change gives a principal another password. It ends all that the user is
// logged in with but the session that asks.
func (s *Service) Change(ctx context.Context, p identity.Principal, old, password, address string) error {
	if p.Kind != identity.Human || p.User.Provider != Name {
		return fault.New(fault.Invalid, "This account has no password here")
	}
	if err := checkPassword(password); err != nil {
		return err
	}
	account := p.User.Login
	if err := s.tries.take(account, identity.Network(address)); err != nil {
		return err
	}
	hash, err := s.Store.PasswordOf(ctx, p.ID)
	if err != nil {
		return err
	}
	match, err := s.Hasher.matches(ctx, old, hash)
	if err != nil {
		return err
	}
	if !match {
		return fault.New(fault.Denied, "The current password is not right")
	}
	s.tries.succeeded(account, identity.Network(address))
	fresh, err := s.Hasher.hash(ctx, password)
	if err != nil {
		return err
	}
	return s.Store.ChangePassword(ctx, p.ID, hash, fresh, p.SessionID, s.Now())
}

// Account is a person to be.
type Account struct {
	// Login is an e-mail or a user name.
	Login               string
	FirstName, LastName string
}

// arrival is all that is made for an account.
func (s *Service) arrival(a Account, admin bool) (identity.Arrival, error) {
	login := Fold(a.Login)
	if err := checkLogin(login); err != nil {
		return identity.Arrival{}, err
	}
	if err := checkNames(a.FirstName, a.LastName); err != nil {
		return identity.Arrival{}, err
	}
	now := s.Now()
	u := identity.User{
		ID: s.IDs.New(), Provider: Name, Login: login, Admin: admin, CreatedAt: now, UpdatedAt: now,
		Profile: identity.Profile{FirstName: strings.TrimSpace(a.FirstName), LastName: strings.TrimSpace(a.LastName)},
	}
	u.Subject = u.ID.String()
	if strings.Contains(login, "@") {
		u.Email = login
	} else {
		u.Username = login
	}
	n := s.Fresh(identity.OrganizationName(u))
	return identity.Arrival{User: u, Organization: n.Organization, Namespace: n, JoinDefault: s.SingleOrganization, JoinRole: tenant.RoleMember}, nil
}

// hashNew returns the hash of a password that somebody chose.
func (s *Service) hashNew(ctx context.Context, password string) (string, error) {
	if err := checkPassword(password); err != nil {
		return "", err
	}
	hash, err := s.Hasher.hash(ctx, password)
	if err != nil {
		return "", fmt.Errorf("hash a password: %w", err)
	}
	return hash, nil
}
