package storetest

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/identity"
	"github.com/usefloww/flowwd/internal/tenant"
)

// arrival is a new user whom the provider "test" knows by a name, with an
// organization of its own.
func (w *World) arrival(subject string) identity.Arrival {
	now := w.Now()
	u := identity.User{
		ID: w.ID(), Provider: "test", Subject: subject, CreatedAt: now, UpdatedAt: now, SeenAt: &now,
		Profile: identity.Profile{Email: subject + "@example.com", FirstName: "Ada"},
	}
	o := tenant.Organization{ID: w.ID(), DisplayName: "of " + subject, CreatedAt: now, UpdatedAt: now}
	o.Name = tenant.NameFor(o.DisplayName, o.ID)
	n := tenant.Namespace{ID: w.ID(), OrganizationID: o.ID, CreatedAt: now, Organization: o}
	return identity.Arrival{User: u, Organization: o, Namespace: n, JoinRole: tenant.RoleMember}
}

// User makes a user with an organization of its own, and a member of another
// one.
func (w *World) User(organization id.ID, role tenant.Role) identity.User {
	w.t.Helper()
	a := w.arrival("user-" + w.ID().String())
	p, err := w.Welcome(w.ctx(), a)
	w.must(err)
	w.must(w.SetMember(w.ctx(), organization, p.ID, role, w.Now()))
	return p.User
}

func testUsers(t *testing.T, backend Backend) {
	t.Run("ten first requests make one user", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		got := make([]identity.Principal, 10)
		var wg sync.WaitGroup
		for i := range got {
			wg.Go(func() {
				p, err := w.Welcome(w.ctx(), w.arrival("ada"))
				if err != nil {
					t.Error(err)
				}
				got[i] = p
			})
		}
		wg.Wait()
		for _, p := range got {
			equal(t, "principal", p, got[0])
		}
		if m := got[0].Memberships; len(m) != 1 || m[0].Role != tenant.RoleOwner {
			t.Errorf("memberships %v, want one as owner", m)
		}
		n, err := w.Namespaces(w.ctx(), got[0].Organizations(), 10)
		w.must(err)
		equal(t, "namespaces", len(n), 1)
		users, err := w.CountUsers(w.ctx())
		w.must(err)
		equal(t, "users", users, 1)
	})

	t.Run("the first account owns the default organization", func(t *testing.T) {
		t.Parallel()
		for _, single := range []bool{false, true} {
			w := NewWorld(t, backend(t))
			o := tenant.Organization{ID: w.ID(), Name: "home", DisplayName: "Home", CreatedAt: w.Now(), UpdatedAt: w.Now()}
			home, err := w.EnsureDefaultOrganization(w.ctx(), o, tenant.Namespace{ID: w.ID(), CreatedAt: w.Now()})
			w.must(err)
			roles := map[tenant.Role]int{}
			var wg sync.WaitGroup
			var mu sync.Mutex
			for i := range 5 {
				wg.Go(func() {
					a := w.arrival(fmt.Sprintf("user %d", i))
					a.JoinDefault = single
					p, err := w.Welcome(w.ctx(), a)
					if err != nil {
						t.Error(err)
					}
					if len(p.Memberships) != 1 {
						t.Errorf("memberships %v, want one", p.Memberships)
					}
					mu.Lock()
					defer mu.Unlock()
					roles[p.RoleIn(home.OrganizationID)]++
				})
			}
			wg.Wait()
			want := map[tenant.Role]int{tenant.RoleOwner: 1, tenant.RoleNone: 4}
			if single {
				want = map[tenant.Role]int{tenant.RoleOwner: 1, tenant.RoleMember: 4}
			}
			equal(t, fmt.Sprintf("roles in the default organization, single %t", single), roles, want)
		}
	})

	t.Run("a user is found by identity and never by e-mail", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		made, err := w.Welcome(w.ctx(), w.arrival("ada"))
		w.must(err)
		got, err := w.PrincipalByIdentity(w.ctx(), "test", "ada", w.Now())
		w.must(err)
		equal(t, "principal", got, made)
		got, err = w.PrincipalByUser(w.ctx(), made.ID, w.Now())
		w.must(err)
		equal(t, "principal by id", got, made)
		for _, c := range [][2]string{{"test", "ada@example.com"}, {"other", "ada"}, {"test", "Ada"}} {
			_, err := w.PrincipalByIdentity(w.ctx(), c[0], c[1], w.Now())
			w.refused(err, fault.NotFound, "User not found")
		}
	})

	t.Run("a profile is updated where something is said", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		p, err := w.Welcome(w.ctx(), w.arrival("ada"))
		w.must(err)
		w.Pass(time.Second)
		w.must(w.UpdateProfile(w.ctx(), p.ID, identity.Profile{LastName: "Lovelace"}, w.Now()))
		u, err := w.Store.User(w.ctx(), p.ID)
		w.must(err)
		equal(t, "profile", u.Profile, identity.Profile{Email: "ada@example.com", FirstName: "Ada", LastName: "Lovelace"})
	})
}

func testKeyChecks(t *testing.T, backend Backend) {
	w := NewWorld(t, backend(t))
	known, err := w.KnowsEncryptionKey(w.ctx(), nil)
	w.must(err)
	equal(t, "any key is right for a new database", known, true)
	for _, c := range []struct {
		keys []byte
		want bool
	}{
		{[]byte{1}, true}, {[]byte{1}, true}, {[]byte{2}, false}, {[]byte{2, 1}, true}, {[]byte{2}, true}, {[]byte{1}, false}, {[]byte{3, 4}, false},
	} {
		var digests [][32]byte
		for _, k := range c.keys {
			digests = append(digests, [32]byte{k})
		}
		known, err := w.KnowsEncryptionKey(w.ctx(), digests)
		w.must(err)
		equal(t, fmt.Sprintf("keys %v are known before", c.keys), known, c.want)
		got, err := w.CheckEncryptionKey(w.ctx(), digests)
		w.must(err)
		if got != c.want {
			t.Errorf("keys %v are known: %t, want %t", c.keys, got, c.want)
		}
	}
}
