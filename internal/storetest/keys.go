package storetest

import (
	"crypto/sha256"
	"testing"
	"time"

	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/identity"
	"github.com/usefloww/flowwd/internal/tenant"
)

// serviceAccount makes a service account without keys.
func (w *World) serviceAccount(organization id.ID, role tenant.Role) identity.Account {
	w.t.Helper()
	a := identity.Account{ID: w.ID(), OrganizationID: organization, Name: "ci", Role: role, CreatedByID: w.ID(), CreatedAt: w.Now()}
	w.must(w.CreateServiceAccount(w.ctx(), a, 0))
	return a
}

// keyOf is a new key of an account, not stored yet.
func (w *World) keyOf(a identity.Account, name string) identity.APIKey {
	k := identity.APIKey{
		ID: w.ID(), ServiceAccountID: a.ID, OrganizationID: a.OrganizationID, Name: name, Prefix: "floww_sa_abc", CreatedAt: w.Now(),
	}
	k.Hash = sha256.Sum256([]byte(k.ID.String()))
	return k
}

// key makes an API key of an organization, with an account of its own.
func (w *World) key(organization id.ID, name string) identity.APIKey {
	w.t.Helper()
	a := identity.Account{ID: w.ID(), OrganizationID: organization, Name: name, Role: tenant.RoleAdmin, CreatedAt: w.Now()}
	k := w.keyOf(a, name)
	a.Keys = []identity.APIKey{k}
	w.must(w.CreateServiceAccount(w.ctx(), a, 0))
	k.Role = a.Role
	return k
}

func (w *World) lastUse(k identity.APIKey) *time.Time {
	w.t.Helper()
	keys, err := w.APIKeys(w.ctx(), 10)
	w.must(err)
	for _, stored := range keys {
		if stored.ID == k.ID {
			return stored.LastUsedAt
		}
	}
	w.t.Fatalf("key %s is not listed", k.ID)
	return nil
}

func testKeys(t *testing.T, backend Backend) {
	t.Run("a key names its principal until it is revoked", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		n := w.Namespace()
		k := w.key(n.OrganizationID, "ci")
		p, err := w.PrincipalByKeyHash(w.ctx(), k.Hash, w.Now())
		w.must(err)
		equal(t, "principal", p, identity.Principal{
			Kind: identity.ServiceAccount, ID: k.ServiceAccountID, Name: "ci", CreatedAt: k.CreatedAt,
			Memberships: []tenant.Membership{{OrganizationID: n.OrganizationID, Role: tenant.RoleAdmin}},
		})
		_, err = w.RevokeAPIKeys(w.ctx(), identity.KeyMatch{ID: k.ID}, w.Now())
		w.must(err)
		_, err = w.PrincipalByKeyHash(w.ctx(), k.Hash, w.Now())
		w.refused(err, fault.NotFound, "API key not found")
		_, err = w.PrincipalByKeyHash(w.ctx(), sha256.Sum256([]byte("other")), w.Now())
		w.refused(err, fault.NotFound, "API key not found")
	})

	t.Run("a key needs an organization and is unique", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		k := w.key(w.Namespace().OrganizationID, "ci")
		again := k
		again.ID = w.ID()
		a := identity.Account{ID: w.ID(), OrganizationID: k.OrganizationID, Name: "other", Role: tenant.RoleMember, CreatedAt: w.Now(), Keys: []identity.APIKey{again}}
		a.Keys[0].ServiceAccountID = a.ID
		w.refused(w.CreateServiceAccount(w.ctx(), a, 0), fault.Conflict, "this API key exists already")
		a.OrganizationID, a.Keys = w.ID(), nil
		w.refused(w.CreateServiceAccount(w.ctx(), a, 0), fault.NotFound, "Organization not found")
		keys, err := w.APIKeys(w.ctx(), 10)
		w.must(err)
		equal(t, "keys", keys, []identity.APIKey{k})
	})

	t.Run("use is noted once a minute", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		k := w.key(w.Namespace().OrganizationID, "ci")
		for _, step := range []struct {
			pass time.Duration
			want time.Duration // since the start
		}{{0, 0}, {30 * time.Second, 0}, {30 * time.Second, time.Minute}, {59 * time.Second, time.Minute}} {
			w.Pass(step.pass)
			_, err := w.PrincipalByKeyHash(w.ctx(), k.Hash, w.Now())
			w.must(err)
			if used := w.lastUse(k); used == nil || !used.Equal(start().Add(step.want)) {
				t.Errorf("last used at %v, want %v after the start", used, step.want)
			}
		}
	})

	t.Run("keys are listed newest first", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		n := w.Namespace()
		first := w.key(n.OrganizationID, "first")
		w.Pass(time.Millisecond)
		second := w.key(n.OrganizationID, "second")
		got, err := w.APIKeys(w.ctx(), 10)
		w.must(err)
		equal(t, "keys", got, []identity.APIKey{second, first})
		got, err = w.APIKeys(w.ctx(), 1)
		w.must(err)
		equal(t, "one key", got, []identity.APIKey{second})
	})

	t.Run("keys are revoked by id, name or hash", func(t *testing.T) {
		t.Parallel()
		for name, match := range map[string]func(identity.APIKey) identity.KeyMatch{
			"id":   func(k identity.APIKey) identity.KeyMatch { return identity.KeyMatch{ID: k.ID} },
			"name": func(k identity.APIKey) identity.KeyMatch { return identity.KeyMatch{Name: k.Name} },
			"hash": func(k identity.APIKey) identity.KeyMatch { return identity.KeyMatch{Hash: k.Hash} },
		} {
			w := NewWorld(t, backend(t))
			n := w.Namespace()
			k, other := w.key(n.OrganizationID, "ci"), w.key(n.OrganizationID, "other")
			w.Pass(time.Second)
			revoked, err := w.RevokeAPIKeys(w.ctx(), match(k), w.Now())
			w.must(err)
			now := w.Now()
			k.RevokedAt, k.Role = &now, tenant.RoleNone
			equal(t, "revoked by "+name, revoked, []identity.APIKey{k})
			revoked, err = w.RevokeAPIKeys(w.ctx(), match(k), w.Now())
			w.must(err)
			equal(t, "revoked again", len(revoked), 0)
			_, err = w.PrincipalByKeyHash(w.ctx(), other.Hash, w.Now())
			w.must(err)
		}
	})

	t.Run("a match of nothing revokes nothing", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		k := w.key(w.Namespace().OrganizationID, "ci")
		revoked, err := w.RevokeAPIKeys(w.ctx(), identity.KeyMatch{}, w.Now())
		w.must(err)
		equal(t, "revoked", len(revoked), 0)
		_, err = w.PrincipalByKeyHash(w.ctx(), k.Hash, w.Now())
		w.must(err)
	})
}
