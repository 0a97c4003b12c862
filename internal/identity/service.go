package identity

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/tenant"
	"github.com/usefloww/flowwd/internal/token"
)

// Service makes credentials and checks them.
type Service struct {
	Keys  KeyStore
	Users UserStore
	// Way is how people log in; nil for API keys alone.
	Way Way
	// Sessions are those of browsers; nil for none.
	Sessions *Sessions
	// Devices are command lines that log in here; nil for none.
	Devices *Devices
	// Runs are the tokens of runs; nil for none.
	Runs *RunTokens
	// DeviceLogin says where they log in; the Way knows it too.
	DeviceLogin DeviceLogin
	// Fresh returns a new organization with its namespace for a display name, not
	// yet stored.
	Fresh func(displayName string) tenant.Namespace
	// AdminIDs are the subjects or ids of approved administrators, besides those
	// that the store says are.
	AdminIDs []string
	// SingleOrganization has all users join the default organization.
	SingleOrganization bool
	IDs                *id.Source
	Now                func() time.Time
}

// Authenticate returns the principal behind a credential: an API key, a token
// or a session. A bearer credential that is not valid is not rescued by a
// cookie.
func (s *Service) Authenticate(ctx context.Context, c Credential) (Principal, error) {
	p, err := s.authenticate(ctx, c)
	if err == nil && p.Kind == Human {
		p.Admin = p.Admin || approved(s.AdminIDs, p.User)
	}
	return p, err
}

func (s *Service) authenticate(ctx context.Context, c Credential) (Principal, error) {
	open, isOpen := s.Way.(Open)
	switch {
	case strings.HasPrefix(c.Bearer, KeyPrefix):
		return s.authenticateKey(ctx, c.Bearer)
	case s.Devices != nil && token.Issuer(c.Bearer) == TokenIssuer:
		return s.Devices.authenticate(ctx, c.Bearer)
	case s.Runs != nil && token.Issuer(c.Bearer) == RunIssuer:
		return s.Runs.authenticate(c.Bearer)
	case c.Bearer != "" && s.Way != nil:
		who, err := s.Way.Verify(ctx, c.Bearer)
		if err != nil {
			return Principal{}, err
		}
		return s.arrive(ctx, who)
	case c.Bearer != "":
		return Principal{}, fault.New(fault.Unauthenticated, "Invalid credential: an API key begins with %s", KeyPrefix)
	case isOpen:
		return s.anyone(ctx, open, c)
	case c.Cookie != "" && s.Sessions != nil:
		return s.Sessions.authenticate(ctx, c.Cookie)
	}
	return Principal{}, fault.New(fault.Unauthenticated, "No credentials provided")
}

// LogIn begins a session of whoever a provider says has logged in.
func (s *Service) LogIn(ctx context.Context, login Login, v Visitor) (cookie string, err error) {
	p, err := s.arrive(ctx, login.Identity)
	if err != nil {
		return "", err
	}
	return s.Sessions.Begin(ctx, p, login, v)
}

// arrive returns the user of an identity, made at first sight.
func (s *Service) arrive(ctx context.Context, who Identity) (Principal, error) {
	p, err := s.Users.PrincipalByIdentity(ctx, who.Provider, who.Subject, s.Now())
	stranger := fault.Is(err, fault.NotFound)
	if stranger || err == nil && p.User.Email == "" {
		who = s.introduce(ctx, who)
	}
	who.Profile = who.Profile.tidy()
	if stranger {
		a := s.arrival(who)
		p, err = s.Users.Welcome(AsActor(ctx, Principal{Kind: Human, ID: a.User.ID, User: a.User}), a)
	}
	if err != nil {
		return Principal{}, fmt.Errorf("find the user of a login: %w", err)
	}
	if !who.At.IsZero() && who.At.Before(p.User.UpdatedAt) {
		who.Profile = who.Profile.adding(p.User.Profile)
	}
	return p, s.updateProfile(ctx, &p, who.Profile)
}

// updateProfile stores what is new about a person.
func (s *Service) updateProfile(ctx context.Context, p *Principal, now Profile) error {
	known := p.User.Profile
	differs := func(now, known string) bool { return now != "" && now != known }
	if !differs(now.Email, known.Email) && !differs(now.FirstName, known.FirstName) && !differs(now.LastName, known.LastName) {
		return nil
	}
	if err := s.Users.UpdateProfile(ctx, p.ID, now, s.Now()); err != nil {
		return fmt.Errorf("update a profile: %w", err)
	}
	for _, f := range []struct {
		now   string
		known *string
	}{{now.Email, &p.User.Email}, {now.FirstName, &p.User.FirstName}, {now.LastName, &p.User.LastName}} {
		if f.now != "" {
			*f.known = f.now
		}
	}
	return nil
}

// arrival is all that is made for a new user.
func (s *Service) arrival(who Identity) Arrival {
	now := s.Now()
	u := User{
		ID: s.IDs.New(), Provider: who.Provider, Subject: who.Subject, Profile: who.Profile,
		CreatedAt: now, UpdatedAt: now, SeenAt: &now,
	}
	n := s.Fresh(OrganizationName(u))
	a := Arrival{User: u, Organization: n.Organization, Namespace: n, JoinDefault: s.SingleOrganization, JoinRole: tenant.RoleMember}
	if _, open := s.Way.(Open); open {
		a.JoinDefault, a.JoinRole = true, tenant.RoleOwner
	}
	return a
}

// OrganizationName is what a person's own organization is called: 1.3 of
// identity-realtime-admin.md.
func OrganizationName(u User) string {
	local, _, _ := strings.Cut(u.Email, "@")
	for _, text := range []string{strings.TrimSpace(u.FirstName + " " + u.LastName), u.Username, local} {
		if runes := []rune(text); len(runes) > 0 {
			return string(runes[:min(len(runes), tenant.MaxDisplayName)])
		}
	}
	return "User " + u.ID.String()[:8]
}
