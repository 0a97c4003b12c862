package storetest

import (
	"sync"
	"testing"

	"github.com/usefloww/flowwd/internal/access"
	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/tenant"
	"github.com/usefloww/flowwd/internal/workflow"
)

// grant is a new grant on a workflow, not stored yet.
func (w *World) grant(p access.PrincipalRef, on workflow.Workflow, word string) access.Grant {
	return access.Grant{
		ID: w.ID(), OrganizationID: on.OrganizationID, Principal: p, Resource: workflowLink(on.ID),
		Role: access.GrantableRole(word), CreatedByID: w.ID(), CreatedAt: w.Now(),
	}
}

func workflowLink(of id.ID) access.Link {
	return access.Link{Type: tenant.WorkflowResource, ID: of}
}

// granted gives a principal a role on a workflow.
func (w *World) granted(p access.PrincipalRef, on workflow.Workflow, word string) access.Grant {
	w.t.Helper()
	g, err := w.SaveGrant(w.ctx(), w.grant(p, on, word))
	w.must(err)
	return g
}

// rolesOf returns the roles on single resources that a principal is read with.
func (w *World) rolesOf(organization id.ID, p access.PrincipalRef) []tenant.ResourceRole {
	w.t.Helper()
	m, err := w.Member(w.ctx(), organization, p)
	w.must(err)
	return m.Grants
}

// member makes a member of an organization.
func (w *World) member(organization id.ID) access.PrincipalRef {
	w.t.Helper()
	return access.PrincipalRef{Type: access.UserPrincipal, ID: w.User(organization, tenant.RoleViewer).ID}
}

func testGrants(t *testing.T, backend Backend) {
	t.Run("a grant is read with its principal", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		n := w.Namespace()
		one, two := w.Workflow(n), w.Workflow(n)
		a := w.serviceAccount(n.OrganizationID, tenant.RoleViewer)
		k := w.keyOf(a, "k")
		w.must(w.AddKey(w.ctx(), k, 10))
		account, user := access.PrincipalRef{Type: access.AccountPrincipal, ID: a.ID}, w.member(n.OrganizationID)
		for _, p := range []access.PrincipalRef{account, user} {
			w.granted(p, one, "user")
			w.granted(p, two, "owner")
		}
		want := []tenant.ResourceRole{
			{Type: tenant.WorkflowResource, ID: one.ID, Role: tenant.RoleMember}, {Type: tenant.WorkflowResource, ID: two.ID, Role: tenant.RoleAdmin},
		}
		byKey, err := w.PrincipalByKeyHash(w.ctx(), k.Hash, w.Now())
		w.must(err)
		byUser, err := w.PrincipalByUser(w.ctx(), user.ID, w.Now())
		w.must(err)
		equal(t, "roles of the account", byKey.Grants, want)
		equal(t, "roles of the user", byUser.Grants, want)
		equal(t, "organizations of the user", len(byUser.Memberships), 2)
		equal(t, "roles of the account as a member", w.rolesOf(n.OrganizationID, account), want)
		equal(t, "roles of the user as a member", w.rolesOf(n.OrganizationID, user), want)
	})

	t.Run("principals have names", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		n, other := w.Namespace(), w.Namespace()
		user, a := w.User(n.OrganizationID, tenant.RoleViewer), w.serviceAccount(n.OrganizationID, tenant.RoleViewer)
		theirs := w.serviceAccount(other.OrganizationID, tenant.RoleViewer)
		names, err := w.Names(w.ctx(), n.OrganizationID, []id.ID{user.ID, a.ID, theirs.ID, w.ID()})
		w.must(err)
		equal(t, "names", names, map[id.ID]string{user.ID: user.Label(), a.ID: a.Name})
		names, err = w.Names(w.ctx(), n.OrganizationID, nil)
		w.must(err)
		equal(t, "names of nobody", names, map[id.ID]string{})
	})

	t.Run("a principal has one role on a resource", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		n := w.Namespace()
		f, user := w.Workflow(n), w.member(n.OrganizationID)
		first := w.granted(user, f, "user")
		second := w.granted(user, f, "owner")
		want := first
		want.Role = tenant.RoleAdmin
		equal(t, "replaced", second, want)
		equal(t, "again", w.granted(user, f, "owner"), want)
		var wg sync.WaitGroup
		other := w.member(n.OrganizationID)
		for i := range 6 {
			wg.Go(func() {
				if _, err := w.SaveGrant(w.ctx(), w.grant(other, f, []string{"user", "owner"}[i%2])); err != nil && !fault.Is(err, fault.Conflict) {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		equal(t, "roles", len(w.rolesOf(n.OrganizationID, other)), 1)
	})

	t.Run("principal and resource are of the organization", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		n, other := w.Namespace(), w.Namespace()
		f, user := w.Workflow(n), w.member(n.OrganizationID)
		gone := w.Workflow(n)
		w.must(w.DeleteWorkflow(w.ctx(), gone.ID, w.Now()))
		for name, g := range map[string]access.Grant{
			"another's workflow": w.grant(user, w.Workflow(other), "user"), "a deleted workflow": w.grant(user, gone, "user"),
		} {
			g.OrganizationID = n.OrganizationID
			t.Log(name)
			_, err := w.SaveGrant(w.ctx(), g)
			w.refused(err, fault.NotFound, "Workflow not found")
		}
		for name, p := range map[string]access.PrincipalRef{
			"a stranger": w.member(other.OrganizationID), "nobody": {Type: access.UserPrincipal, ID: w.ID()},
			"another's account":           {Type: access.AccountPrincipal, ID: w.serviceAccount(other.OrganizationID, tenant.RoleAdmin).ID},
			"an account's id as a user's": {Type: access.UserPrincipal, ID: w.serviceAccount(n.OrganizationID, tenant.RoleAdmin).ID},
			"a user's id as an account's": {Type: access.AccountPrincipal, ID: user.ID},
		} {
			t.Log(name)
			_, err := w.SaveGrant(w.ctx(), w.grant(p, f, "user"))
			w.refused(err, fault.NotFound, "Principal not found")
			_, err = w.Member(w.ctx(), n.OrganizationID, p)
			w.refused(err, fault.NotFound, "Principal not found")
			_, err = w.GrantsOf(w.ctx(), []id.ID{n.OrganizationID}, p, 10)
			w.refused(err, fault.NotFound, "Principal not found")
		}
	})

	t.Run("grants are listed by resource and by principal", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		n, other := w.Namespace(), w.Namespace()
		one, two, theirs := w.Workflow(n), w.Workflow(n), w.Workflow(other)
		user := w.member(n.OrganizationID)
		w.must(w.SetMember(w.ctx(), other.OrganizationID, user.ID, tenant.RoleViewer, w.Now()))
		account := access.PrincipalRef{Type: access.AccountPrincipal, ID: w.serviceAccount(n.OrganizationID, tenant.RoleMember).ID}
		a, b, c, d := w.granted(user, one, "user"), w.granted(account, one, "owner"), w.granted(user, two, "user"), w.granted(user, theirs, "user")
		u, err := w.Store.User(w.ctx(), user.ID)
		w.must(err)
		a.PrincipalName, b.PrincipalName, c.PrincipalName, d.PrincipalName = u.Email, "ci", u.Email, u.Email
		on := func(chain ...access.Link) []access.Grant {
			t.Helper()
			got, err := w.GrantsOn(w.ctx(), n.OrganizationID, chain, 10)
			w.must(err)
			return got
		}
		equal(t, "on one", on(workflowLink(one.ID)), []access.Grant{a, b})
		equal(t, "on a chain", on(workflowLink(one.ID), workflowLink(two.ID)), []access.Grant{a, b, c})
		equal(t, "on another's", len(on(workflowLink(theirs.ID))), 0)
		of := func(organizations ...id.ID) []access.Grant {
			t.Helper()
			got, err := w.GrantsOf(w.ctx(), organizations, user, 10)
			w.must(err)
			return got
		}
		equal(t, "in one organization", of(n.OrganizationID), []access.Grant{a, c})
		equal(t, "in both", of(n.OrganizationID, other.OrganizationID), []access.Grant{a, c, d})
	})

	t.Run("a grant is taken back once", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		n := w.Namespace()
		f, user := w.Workflow(n), w.member(n.OrganizationID)
		w.granted(user, f, "user")
		w.refused(w.DeleteGrant(w.ctx(), w.Namespace().OrganizationID, user, workflowLink(f.ID)), fault.NotFound, "Access grant not found")
		w.must(w.DeleteGrant(w.ctx(), n.OrganizationID, user, workflowLink(f.ID)))
		equal(t, "roles", len(w.rolesOf(n.OrganizationID, user)), 0)
		w.refused(w.DeleteGrant(w.ctx(), n.OrganizationID, user, workflowLink(f.ID)), fault.NotFound, "Access grant not found")
	})

	t.Run("grants go with what they are about", func(t *testing.T) {
		t.Parallel()
		testGrantsGo(t, NewWorld(t, backend(t)))
	})
}

func testGrantsGo(t *testing.T, w *World) {
	n := w.Namespace()
	f, kept := w.Workflow(n), w.Workflow(n)
	user, leaving := w.member(n.OrganizationID), w.member(n.OrganizationID)
	account := access.PrincipalRef{Type: access.AccountPrincipal, ID: w.serviceAccount(n.OrganizationID, tenant.RoleViewer).ID}
	for _, p := range []access.PrincipalRef{user, leaving, account} {
		w.granted(p, f, "user")
		w.granted(p, kept, "user")
	}
	left := func() int {
		t.Helper()
		got, err := w.GrantsOn(w.ctx(), n.OrganizationID, []access.Link{workflowLink(f.ID), workflowLink(kept.ID)}, 100)
		w.must(err)
		return len(got)
	}
	w.must(w.SetMember(w.ctx(), n.OrganizationID, leaving.ID, tenant.RoleNone, w.Now()))
	equal(t, "after the end of a membership", left(), 4)
	w.must(w.SetMember(w.ctx(), n.OrganizationID, leaving.ID, tenant.RoleViewer, w.Now()))
	equal(t, "roles of whoever comes back", len(w.rolesOf(n.OrganizationID, leaving)), 0)
	w.must(w.DeleteWorkflow(w.ctx(), f.ID, w.Now()))
	equal(t, "after the end of a workflow", left(), 2)
	w.must(w.DeleteServiceAccount(w.ctx(), account.ID))
	equal(t, "after the end of an account", left(), 1)

	// What is granted while its subject goes is gone as well.
	for range 10 {
		f := w.Workflow(n)
		var wg sync.WaitGroup
		wg.Go(func() {
			if _, err := w.SaveGrant(w.ctx(), w.grant(user, f, "user")); err != nil && !fault.Is(err, fault.NotFound) {
				t.Error(err)
			}
		})
		wg.Go(func() {
			if err := w.DeleteWorkflow(w.ctx(), f.ID, w.Now()); err != nil {
				t.Error(err)
			}
		})
		wg.Wait()
		equal(t, "roles", len(w.rolesOf(n.OrganizationID, user)), 1)
	}
}
