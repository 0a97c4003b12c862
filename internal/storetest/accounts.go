package storetest

import (
	"crypto/sha256"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/identity"
	"github.com/usefloww/flowwd/internal/tenant"
)

// stored reads an account as a member of its organization.
func (w *World) stored(a identity.Account) identity.Account {
	w.t.Helper()
	got, err := w.ServiceAccount(w.ctx(), []id.ID{a.OrganizationID}, a.ID)
	w.must(err)
	return got
}

// opens wants a key to work, or not to.
func (w *World) opens(k identity.APIKey, want bool) {
	w.t.Helper()
	_, err := w.PrincipalByKeyHash(w.ctx(), k.Hash, w.Now())
	if (err == nil) != want {
		w.t.Errorf("the key %s works: %v, want %t", k.Name, err, want)
	}
}

func testAccounts(t *testing.T, backend Backend) {
	t.Run("an account is kept as it was made and seen by its organization alone", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		n, other := w.Namespace(), w.Namespace()
		a := w.serviceAccount(n.OrganizationID, tenant.RoleViewer)
		f := w.Workflow(n)
		ends := w.Now().Add(time.Hour)
		plain, scoped := w.keyOf(a, "plain"), w.keyOf(a, "scoped")
		scoped.ExpiresAt, scoped.CreatedByID = &ends, w.ID()
		scoped.Scope = &identity.Scope{Actions: []string{"read", "deploy"}, Type: tenant.WorkflowResource, ID: f.ID}
		for _, k := range []identity.APIKey{plain, scoped} {
			w.must(w.AddKey(w.ctx(), k, 10))
		}
		a.Keys = []identity.APIKey{scoped, plain}
		equal(t, "account", w.stored(a), a)
		p, err := w.PrincipalByKeyHash(w.ctx(), scoped.Hash, w.Now())
		w.must(err)
		equal(t, "principal", p, identity.Principal{
			Kind: identity.ServiceAccount, ID: a.ID, Name: a.Name, CreatedAt: a.CreatedAt, Scope: scoped.Scope,
			Memberships: []tenant.Membership{{OrganizationID: n.OrganizationID, Role: tenant.RoleViewer}},
		})
		for _, organizations := range [][]id.ID{{other.OrganizationID}, nil} {
			_, err := w.ServiceAccount(w.ctx(), organizations, a.ID)
			w.refused(err, fault.NotFound, "Service account not found")
		}
		page, err := w.ServiceAccounts(w.ctx(), other.OrganizationID, 10, 0)
		w.must(err)
		equal(t, "accounts of another organization", page, identity.AccountPage{})
	})

	t.Run("a scope names a workflow of the organization", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		n := w.Namespace()
		a := w.serviceAccount(n.OrganizationID, tenant.RoleMember)
		gone := w.Workflow(n)
		w.must(w.DeleteWorkflow(w.ctx(), gone.ID, w.Now()))
		for _, x := range []id.ID{w.Workflow(w.Namespace()).ID, w.ID(), gone.ID} {
			k := w.keyOf(a, "k")
			k.Scope = &identity.Scope{Type: tenant.WorkflowResource, ID: x}
			w.refused(w.AddKey(w.ctx(), k, 10), fault.NotFound, "Workflow not found")
			b := identity.Account{ID: w.ID(), OrganizationID: a.OrganizationID, Name: "b", Role: tenant.RoleMember, CreatedAt: w.Now(), Keys: []identity.APIKey{k}}
			w.refused(w.CreateServiceAccount(w.ctx(), b, 0), fault.NotFound, "Workflow not found")
		}
		equal(t, "keys", len(w.stored(a).Keys), 0)
	})

	t.Run("accounts are listed in pages and bounded", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		n := w.Namespace()
		var all []identity.Account
		for range 3 {
			a := w.serviceAccount(n.OrganizationID, tenant.RoleMember)
			k := w.keyOf(a, "k")
			w.must(w.AddKey(w.ctx(), k, 10))
			a.Keys = []identity.APIKey{k}
			all = append(all, a)
		}
		for _, c := range []struct{ limit, offset, from, to int }{{10, 0, 0, 3}, {2, 0, 0, 2}, {2, 2, 2, 3}, {2, 4, 3, 3}} {
			page, err := w.ServiceAccounts(w.ctx(), n.OrganizationID, c.limit, c.offset)
			w.must(err)
			equal(t, "total", page.Total, 3)
			equal(t, "page", page.Accounts, append([]identity.Account(nil), all[c.from:c.to]...))
		}
		extra := identity.Account{ID: w.ID(), OrganizationID: n.OrganizationID, Name: "x", Role: tenant.RoleMember, CreatedAt: w.Now()}
		w.refused(w.CreateServiceAccount(w.ctx(), extra, 3), fault.Conflict, "the organization has 3 service accounts, which is the limit; delete one first")
		w.must(w.CreateServiceAccount(w.ctx(), extra, 4))
	})

	t.Run("a change touches what it names", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		a := w.serviceAccount(w.Namespace().OrganizationID, tenant.RoleMember)
		k := w.keyOf(a, "k")
		w.must(w.AddKey(w.ctx(), k, 10))
		a.Keys = []identity.APIKey{k}
		name, role := "renamed", tenant.RoleAdmin
		for _, step := range []struct {
			change identity.AccountChange
			want   func()
		}{
			{identity.AccountChange{}, func() {}},
			{identity.AccountChange{Name: &name}, func() { a.Name = name }},
			{identity.AccountChange{Role: &role}, func() { a.Role = role }},
		} {
			got, err := w.ChangeServiceAccount(w.ctx(), a.ID, step.change)
			w.must(err)
			step.want()
			equal(t, "answer", got, a)
			equal(t, "stored", w.stored(a), a)
		}
		p, err := w.PrincipalByKeyHash(w.ctx(), k.Hash, w.Now())
		w.must(err)
		equal(t, "role", p.RoleIn(a.OrganizationID), tenant.RoleAdmin)
		_, err = w.ChangeServiceAccount(w.ctx(), w.ID(), identity.AccountChange{Name: &name})
		w.refused(err, fault.NotFound, "Service account not found")
	})

	t.Run("a deleted account is gone with its keys", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		n := w.Namespace()
		a, other := w.serviceAccount(n.OrganizationID, tenant.RoleMember), w.serviceAccount(n.OrganizationID, tenant.RoleMember)
		k, kept := w.keyOf(a, "k"), w.keyOf(other, "kept")
		w.must(w.AddKey(w.ctx(), k, 10))
		w.must(w.AddKey(w.ctx(), kept, 10))
		w.must(w.DeleteServiceAccount(w.ctx(), a.ID))
		w.opens(k, false)
		w.opens(kept, true)
		w.refused(w.DeleteServiceAccount(w.ctx(), a.ID), fault.NotFound, "Service account not found")
		w.refused(w.AddKey(w.ctx(), w.keyOf(a, "late"), 10), fault.NotFound, "Service account not found")
	})

	t.Run("the keys of a deleted account race with its deletion", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		a := w.serviceAccount(w.Namespace().OrganizationID, tenant.RoleMember)
		var wg sync.WaitGroup
		keys := make([]identity.APIKey, 10)
		for i := range keys {
			keys[i] = w.keyOf(a, "k")
			wg.Go(func() {
				if err := w.AddKey(w.ctx(), keys[i], 50); err != nil && !fault.Is(err, fault.NotFound) {
					t.Error(err)
				}
			})
		}
		wg.Go(func() {
			if err := w.DeleteServiceAccount(w.ctx(), a.ID); err != nil {
				t.Error(err)
			}
		})
		wg.Wait()
		for _, k := range keys {
			w.opens(k, false)
		}
	})

	t.Run("a key ends at its time", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		a := w.serviceAccount(w.Namespace().OrganizationID, tenant.RoleMember)
		k := w.keyOf(a, "k")
		ends := w.Now().Add(time.Hour)
		k.ExpiresAt = &ends
		w.must(w.AddKey(w.ctx(), k, 10))
		w.opens(k, true)
		w.Pass(time.Hour - time.Millisecond)
		w.opens(k, true)
		w.Pass(time.Millisecond)
		_, err := w.PrincipalByKeyHash(w.ctx(), k.Hash, w.Now())
		w.refused(err, fault.Unauthenticated, "This API key has expired")
	})

	t.Run("a key is revoked once", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		n := w.Namespace()
		a, other := w.serviceAccount(n.OrganizationID, tenant.RoleMember), w.serviceAccount(n.OrganizationID, tenant.RoleMember)
		k := w.keyOf(a, "k")
		w.must(w.AddKey(w.ctx(), k, 10))
		_, err := w.RevokeKey(w.ctx(), other.ID, k.ID, w.Now())
		w.refused(err, fault.NotFound, "API key not found")
		w.opens(k, true)
		got, err := w.RevokeKey(w.ctx(), a.ID, k.ID, w.Now())
		w.must(err)
		if got.RevokedAt == nil || !got.RevokedAt.Equal(w.Now()) {
			t.Errorf("revoked at %v", got.RevokedAt)
		}
		w.opens(k, false)
		_, err = w.RevokeKey(w.ctx(), a.ID, k.ID, w.Now())
		w.refused(err, fault.Invalid, "API key is already revoked")
		equal(t, "stored", w.stored(a).Keys, []identity.APIKey{got})
	})

	t.Run("rotation", func(t *testing.T) {
		t.Parallel()
		testRotation(t, NewWorld(t, backend(t)))
	})

	t.Run("the key that ended first makes room", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		a := w.serviceAccount(w.Namespace().OrganizationID, tenant.RoleMember)
		var keys []identity.APIKey
		for range 3 {
			k := w.keyOf(a, "k")
			w.must(w.AddKey(w.ctx(), k, 3))
			keys = append(keys, k)
		}
		extra := w.keyOf(a, "extra")
		w.refused(w.AddKey(w.ctx(), extra, 3), fault.Conflict, "the service account has 3 API keys that work, which is the limit; revoke one first")
		for _, k := range []identity.APIKey{keys[2], keys[0]} {
			w.Pass(time.Second)
			_, err := w.RevokeKey(w.ctx(), a.ID, k.ID, w.Now())
			w.must(err)
		}
		extra.CreatedAt = w.Now()
		w.must(w.AddKey(w.ctx(), extra, 3))
		var left []id.ID
		for _, k := range w.stored(a).Keys {
			left = append(left, k.ID)
		}
		equal(t, "left", left, []id.ID{extra.ID, keys[1].ID, keys[0].ID})
	})
}

func testRotation(t *testing.T, w *World) {
	n := w.Namespace()
	a := w.serviceAccount(n.OrganizationID, tenant.RoleMember)
	ends := w.Now().Add(30 * 24 * time.Hour)
	k := w.keyOf(a, "nightly")
	k.ExpiresAt, k.Scope = &ends, &identity.Scope{Actions: []string{"invoke"}, Type: tenant.WorkflowResource, ID: w.Workflow(n).ID}
	w.must(w.AddKey(w.ctx(), k, 10))
	rotate := func(of identity.APIKey, overlap time.Duration) (old, next identity.APIKey, err error) {
		return w.RotateKey(w.ctx(), identity.Rotation{AccountID: a.ID, KeyID: of.ID, Next: w.keyOf(a, "-"), Until: w.Now().Add(overlap)})
	}
	old, next, err := rotate(k, time.Hour)
	w.must(err)
	equal(t, "name, scope and end", []any{next.Name, next.Scope, next.ExpiresAt}, []any{"nightly", k.Scope, k.ExpiresAt})
	equal(t, "stored", w.stored(a).Keys, []identity.APIKey{next, old})
	w.opens(old, true)
	w.opens(next, true)
	_, _, err = rotate(k, time.Hour)
	w.refused(err, fault.Invalid, "API key is already replaced; rotate the key that follows it")
	w.Pass(time.Hour)
	w.opens(old, false)
	w.opens(next, true)

	// An overlap does not make a key last longer.
	_, last, err := rotate(next, 60*24*time.Hour)
	w.must(err)
	w.Pass(30*24*time.Hour - time.Hour)
	w.opens(next, false)
	w.opens(last, false)
	_, _, err = rotate(last, 0)
	w.refused(err, fault.Invalid, "API key has expired; make a new one")

	fresh := w.keyOf(a, "fresh")
	w.must(w.AddKey(w.ctx(), fresh, 10))
	_, _, err = w.RotateKey(w.ctx(), identity.Rotation{AccountID: w.serviceAccount(n.OrganizationID, tenant.RoleMember).ID, KeyID: fresh.ID, Next: w.keyOf(a, "-"), Until: w.Now()})
	w.refused(err, fault.NotFound, "API key not found")
	var wg sync.WaitGroup
	won := make([]bool, 5)
	for i := range won {
		wg.Go(func() {
			_, _, err := rotate(fresh, 0)
			won[i] = err == nil
		})
	}
	wg.Wait()
	if slices.Index(won, true) < 0 || slices.Contains(won[slices.Index(won, true)+1:], true) {
		t.Errorf("rotations at once: %v, want one to win", won)
	}
	w.opens(fresh, false)
	_, err = w.PrincipalByKeyHash(w.ctx(), sha256.Sum256(nil), w.Now())
	w.refused(err, fault.NotFound, "API key not found")
}
