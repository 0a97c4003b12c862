package password

import (
	"context"
	"fmt"
	"time"

	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/identity"
)

const (
	// setUpTTL is how long the printed link works; each start prints another.
	setUpTTL = 24 * time.Hour
	// chooseTTL is how long a link to choose a password works.
	chooseTTL = 7 * 24 * time.Hour
)

// errSetUp is the answer when there is an account already, in the words of the
// wire contract (1.5 of identity-realtime-admin.md).
func errSetUp() error {
	return fault.New(fault.Denied, "Signup is closed. Please contact your administrator for access.")
}

// errLink is the answer to a link that is no good.
func errLink() error {
	return fault.New(fault.Denied, "This link does not work: it was used already, it is too old, or a part of it is missing")
}

// Needed reports whether the first account is still to be made.
func (s *Service) Needed(ctx context.Context) (bool, error) {
	some, err := s.Store.HasAccounts(ctx)
	if err != nil {
		return false, fmt.Errorf("look for accounts: %w", err)
	}
	return !some, nil
}

// SetUpToken makes a link for the first account and returns its token; empty
// when there is one already.
func (s *Service) SetUpToken(ctx context.Context) (string, error) {
	needed, err := s.Needed(ctx)
	if err != nil || !needed {
		return "", err
	}
	return s.link(ctx, id.ID{}, setUpTTL)
}

func (s *Service) link(ctx context.Context, user id.ID, ttl time.Duration) (string, error) {
	token, l := s.newLink(user, ttl)
	if err := s.Store.CreateLink(ctx, l); err != nil {
		return "", err
	}
	return token, nil
}

func (s *Service) newLink(user id.ID, ttl time.Duration) (string, Link) {
	token, hash := identity.NewToken()
	now := s.Now()
	return token, Link{Hash: hash, UserID: user, CreatedAt: now, ExpiresAt: now.Add(ttl)}
}

// CheckSetUp returns nil when a token makes the first account.
func (s *Service) CheckSetUp(ctx context.Context, token string) error {
	needed, err := s.Needed(ctx)
	if err != nil {
		return err
	}
	if !needed {
		return errSetUp()
	}
	err = s.Store.CheckSetUpLink(ctx, identity.HashToken(token), s.Now())
	if fault.Is(err, fault.NotFound) {
		return errLink()
	}
	return err
}

// SetUp makes the first account for whoever holds the token of the printed link.
func (s *Service) SetUp(ctx context.Context, token string, a Account, password string) (identity.Principal, error) {
	// First, so that nobody can have this server hash without it.
	if err := s.CheckSetUp(ctx, token); err != nil {
		return identity.Principal{}, err
	}
	hash := identity.HashToken(token)
	return s.setUp(ctx, a, password, &hash)
}

// EnsureFirst makes the first account unless there is one, for whoever starts
// the server.
func (s *Service) EnsureFirst(ctx context.Context, a Account, password string) (made bool, err error) {
	needed, err := s.Needed(ctx)
	if err != nil || !needed {
		return false, err
	}
	_, err = s.setUp(ctx, a, password, nil)
	if fault.Is(err, fault.Denied) { // another server was faster
		return false, nil
	}
	return err == nil, err
}

func (s *Service) setUp(ctx context.Context, a Account, password string, link *Hash) (identity.Principal, error) {
	arrival, err := s.arrival(a, true)
	if err != nil {
		return identity.Principal{}, err
	}
	hash, err := s.hashNew(ctx, password)
	if err != nil {
		return identity.Principal{}, err
	}
	p, err := s.Store.SetUp(ctx, arrival, hash, link)
	switch {
	case fault.Is(err, fault.Conflict):
		return identity.Principal{}, errSetUp()
	case fault.Is(err, fault.NotFound):
		return identity.Principal{}, errLink()
	}
	return p, err
}

// Create makes an account without a password and returns the token of the link
// by which its owner chooses one.
func (s *Service) Create(ctx context.Context, a Account) (p identity.Principal, token string, err error) {
	arrival, err := s.arrival(a, false)
	if err != nil {
		return identity.Principal{}, "", err
	}
	token, link := s.newLink(arrival.User.ID, chooseTTL)
	p, err = s.Store.CreateAccount(ctx, arrival, link)
	if err != nil {
		return identity.Principal{}, "", err
	}
	return p, token, nil
}

// Link makes another link by which a user chooses a password; those from before
// no longer work.
func (s *Service) Link(ctx context.Context, user id.ID) (token string, err error) {
	u, err := s.Users.User(ctx, user)
	if err != nil {
		return "", err
	}
	if u.Provider != Name {
		return "", fault.New(fault.Invalid, "This account has no password here")
	}
	return s.link(ctx, user, chooseTTL)
}

// Chooser returns whom a token lets choose a password.
func (s *Service) Chooser(ctx context.Context, token string) (identity.User, error) {
	u, err := s.Store.LinkUser(ctx, identity.HashToken(token), s.Now())
	if fault.Is(err, fault.NotFound) {
		return identity.User{}, errLink()
	}
	return u, err
}

// Choose gives the user of a link a password. It ends all that the user is
// logged in with.
func (s *Service) Choose(ctx context.Context, token, password string) (identity.Principal, error) {
	u, err := s.Chooser(ctx, token)
	if err != nil {
		return identity.Principal{}, err
	}
	hash, err := s.hashNew(ctx, password)
	if err != nil {
		return identity.Principal{}, err
	}
	ctx = identity.AsActor(ctx, identity.Principal{Kind: identity.Human, ID: u.ID, User: u})
	p, err := s.Store.ChoosePassword(ctx, identity.HashToken(token), hash, s.Now())
	if fault.Is(err, fault.NotFound) {
		return identity.Principal{}, errLink()
	}
	return p, err
}
