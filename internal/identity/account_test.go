package identity_test

import (
	"context"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/identity"
	"github.com/usefloww/flowwd/internal/tenant"
)

// memory keeps the keys that a service makes. What a store does with them is
// tried on real databases.
type memory struct {
	identity.KeyStore
	accounts []identity.Account
	keys     []identity.APIKey
	changed  *identity.AccountChange
}

func (m *memory) CreateServiceAccount(_ context.Context, a identity.Account, _ int) error {
	m.accounts, m.keys = append(m.accounts, a), append(m.keys, a.Keys...)
	return nil
}

func (m *memory) ChangeServiceAccount(_ context.Context, _ id.ID, c identity.AccountChange) (identity.Account, error) {
	m.changed = &c
	return identity.Account{}, nil
}

func (m *memory) AddKey(_ context.Context, key identity.APIKey, _ int) error {
	m.keys = append(m.keys, key)
	return nil
}

func keyService() (*identity.Service, *memory) {
	m := &memory{}
	now := func() time.Time { return time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC) }
	return &identity.Service{Keys: m, IDs: id.NewSource(now), Now: now}, m
}

var home = id.ID{15: 1}

func as(role tenant.Role) identity.Principal {
	return identity.Principal{Kind: identity.Human, ID: id.ID{15: 2}, Memberships: []tenant.Membership{{OrganizationID: home, Role: role}}}
}

// Acceptance criterion 37 of the wire contract.
func TestKeysAreDifferentAndOfTheirForm(t *testing.T) {
	t.Parallel()
	s, m := keyService()
	seen := map[string]bool{}
	for range 50 {
		text, key, err := s.CreateKey(t.Context(), home, tenant.RoleAdmin, identity.KeyRequest{Name: " ci "})
		if err != nil {
			t.Fatal(err)
		}
		if !regexp.MustCompile(`^floww_sa_[A-Za-z0-9]{32}$`).MatchString(text) || !strings.HasPrefix(text, key.Prefix) || len(key.Prefix) != 12 || key.Name != "ci" {
			t.Errorf("made %q: %+v", text, key)
		}
		seen[text], seen[string(key.Hash[:])] = true, true
	}
	if len(seen) != 100 || len(m.keys) != 50 {
		t.Errorf("%d different texts and hashes, want 100", len(seen))
	}
}

func TestNobodyMakesAnAccountAboveHimself(t *testing.T) {
	t.Parallel()
	roles := []tenant.Role{tenant.RoleNone, tenant.RoleViewer, tenant.RoleMember, tenant.RoleAdmin, tenant.RoleOwner}
	for _, own := range roles {
		for _, role := range roles {
			s, m := keyService()
			a := identity.Account{ID: id.ID{15: 3}, OrganizationID: home, Role: role}
			possible := role != tenant.RoleNone && role != tenant.RoleOwner
			want := possible && role <= own
			_, err := s.CreateAccount(t.Context(), as(own), home, "ci", role)
			if (err == nil) != want || (len(m.accounts) == 1) != want {
				t.Errorf("%s makes %s: %v", own, role, err)
			}
			small := tenant.RoleViewer
			if _, err = s.ChangeAccount(t.Context(), as(own), a, identity.AccountChange{Role: &small}); (err == nil) != (want && own >= small) {
				t.Errorf("%s takes %s away: %v", own, role, err)
			}
			if _, _, err = s.AddKey(t.Context(), as(own), a, identity.KeyRequest{Name: "k"}); (err == nil) != want {
				t.Errorf("%s makes a key of %s: %v", own, role, err)
			}
			if _, _, _, err = s.Rotate(t.Context(), as(tenant.RoleNone), a, id.ID{15: 4}, 0, nil); err == nil {
				t.Errorf("a stranger rotates a key of %s", role)
			}
		}
	}
}

func TestWhatAKeyCanNotBe(t *testing.T) {
	t.Parallel()
	s, m := keyService()
	a := identity.Account{ID: id.ID{15: 3}, OrganizationID: home, Role: tenant.RoleMember}
	at := func(d time.Duration) *time.Time { x := s.Now().Add(d); return &x }
	for name, r := range map[string]identity.KeyRequest{
		"no name": {}, "blanks": {Name: "  "}, "a long name": {Name: strings.Repeat("ü", 256)}, "a name that steers terminals": {Name: "a\x1b[2J"},
		"over already": {Name: "k", ExpiresAt: at(0)}, "far away": {Name: "k", ExpiresAt: at(11 * 366 * 24 * time.Hour)},
	} {
		if _, _, err := s.AddKey(t.Context(), as(tenant.RoleAdmin), a, r); !fault.Is(err, fault.Invalid) || len(m.keys) > 0 {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if _, _, err := s.AddKey(t.Context(), as(tenant.RoleAdmin), a, identity.KeyRequest{Name: strings.Repeat("ü", 255), ExpiresAt: at(time.Second)}); err != nil {
		t.Error(err)
	}
	for _, overlap := range []time.Duration{-1, identity.MaxOverlap + 1} {
		if _, _, _, err := s.Rotate(t.Context(), as(tenant.RoleAdmin), a, id.ID{15: 4}, overlap, nil); !fault.Is(err, fault.Invalid) {
			t.Errorf("an overlap of %v: got %v", overlap, err)
		}
	}
}
