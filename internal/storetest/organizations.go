package storetest

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/usefloww/flowwd/internal/execution"
	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/identity"
	"github.com/usefloww/flowwd/internal/store"
	"github.com/usefloww/flowwd/internal/tenant"
	"github.com/usefloww/flowwd/internal/workflow"
)

func testOrganizations(t *testing.T, backend Backend) {
	t.Run("one of many owners stays, however they go at once", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		n := w.Namespace()
		owners := make([]identity.User, 6)
		for i := range owners {
			owners[i] = w.User(n.OrganizationID, tenant.RoleOwner)
		}
		var wg sync.WaitGroup
		for i, u := range owners {
			wg.Go(func() {
				c := tenant.MemberChange{OrganizationID: n.OrganizationID, UserID: u.ID, CallerID: u.ID, At: w.Now()}
				switch i % 3 {
				case 0:
					c.Role = tenant.RoleAdmin
				case 1:
					c.Leaves = true
				case 2: // each takes it from the one before
					c.UserID = owners[i-1].ID
				}
				if _, err := w.ChangeMember(w.ctx(), c); err != nil && fault.KindOf(err) == fault.Internal {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		left := 0
		members, err := w.Members(w.ctx(), n.OrganizationID, 10, 0)
		w.must(err)
		for _, m := range members {
			if m.Role == tenant.RoleOwner {
				left++
			}
		}
		if left == 0 {
			t.Errorf("no owner is left among %v", members)
		}
	})

	t.Run("people are found by a part of their e-mail or name", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		n, other := w.Namespace(), w.Namespace()
		mine := w.User(n.OrganizationID, tenant.RoleViewer)
		w.User(other.OrganizationID, tenant.RoleOwner)
		for contains, want := range map[string]int{"": 1, strings.ToUpper(mine.Email): 1, "%": 0, "nobody": 0} {
			found, err := w.FindMembers(w.ctx(), []id.ID{n.OrganizationID}, contains, 10)
			w.must(err)
			if len(found) != want || want == 1 && found[0].Person.ID != mine.ID {
				t.Errorf("%q finds %v", contains, found)
			}
		}
	})

	t.Run("two owners who demote each other by two servers leave one", func(t *testing.T) {
		t.Parallel()
		open := backend(t)
		w := NewWorld(t, open)
		servers := [2]*store.Store{w.Store, w.another(open)}
		for range 20 {
			n := w.Namespace()
			a, b := w.User(n.OrganizationID, tenant.RoleOwner), w.User(n.OrganizationID, tenant.RoleOwner)
			errs := make([]error, 2)
			var wg sync.WaitGroup
			for i, pair := range [][2]id.ID{{a.ID, b.ID}, {b.ID, a.ID}} {
				wg.Go(func() {
					_, errs[i] = servers[i].ChangeMember(w.ctx(), tenant.MemberChange{
						OrganizationID: n.OrganizationID, CallerID: pair[0], UserID: pair[1], Role: tenant.RoleAdmin, At: w.Now(),
					})
				})
			}
			wg.Wait()
			if (errs[0] == nil) == (errs[1] == nil) {
				t.Errorf("got %v and %v, want one to be refused", errs[0], errs[1])
			}
		}
	})

	t.Run("two owners who leave by two servers leave one", func(t *testing.T) {
		t.Parallel()
		open := backend(t)
		w := NewWorld(t, open)
		servers := [2]*store.Store{w.Store, w.another(open)}
		for range 20 {
			n := w.Namespace()
			owners := []identity.User{w.User(n.OrganizationID, tenant.RoleOwner), w.User(n.OrganizationID, tenant.RoleOwner)}
			errs := make([]error, 2)
			var wg sync.WaitGroup
			for i, u := range owners {
				wg.Go(func() {
					_, errs[i] = servers[i].ChangeMember(w.ctx(), tenant.MemberChange{
						OrganizationID: n.OrganizationID, CallerID: u.ID, UserID: u.ID, Leaves: true, At: w.Now(),
					})
				})
			}
			wg.Wait()
			if (errs[0] == nil) == (errs[1] == nil) {
				t.Errorf("got %v and %v, want one to be refused", errs[0], errs[1])
			}
		}
	})

	t.Run("nobody owns more than allowed, however fast", func(t *testing.T) {
		t.Parallel()
		open := backend(t)
		w := NewWorld(t, open)
		servers := [2]*store.Store{w.Store, w.another(open)}
		p, err := w.Welcome(w.ctx(), w.arrival("ada"))
		w.must(err)
		var wg sync.WaitGroup
		for i := range 16 {
			o := tenant.Organization{ID: w.ID(), Name: fmt.Sprintf("org-%d", i), DisplayName: "Org", CreatedAt: w.Now(), UpdatedAt: w.Now()}
			n := tenant.Namespace{ID: w.ID(), OrganizationID: o.ID, CreatedAt: w.Now(), Organization: o}
			wg.Go(func() {
				err := servers[i%2].FoundOrganization(w.ctx(), n, tenant.Founder{UserID: p.ID, Most: 4})
				if err != nil && !fault.Is(err, fault.Conflict) {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		p, err = w.PrincipalByUser(w.ctx(), p.ID, w.Now())
		w.must(err)
		equal(t, "owned", len(p.Memberships), 4)
	})

	t.Run("a name is free again when its organization is deleted", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		p, err := w.Welcome(w.ctx(), w.arrival("ada"))
		w.must(err)
		found := func() (tenant.Namespace, error) {
			o := tenant.Organization{ID: w.ID(), Name: "acme", DisplayName: "Acme", CreatedAt: w.Now(), UpdatedAt: w.Now()}
			n := tenant.Namespace{ID: w.ID(), OrganizationID: o.ID, CreatedAt: w.Now(), Organization: o}
			return n, w.FoundOrganization(w.ctx(), n, tenant.Founder{UserID: p.ID, Most: 50})
		}
		first, err := found()
		w.must(err)
		_, err = found()
		w.refused(err, fault.Conflict, "An organization with the name acme already exists")
		w.must(w.DeleteOrganization(w.ctx(), first.OrganizationID, w.Now()))
		second, err := found()
		w.must(err)
		restored, err := w.RestoreOrganization(w.ctx(), first.OrganizationID, p.ID, w.Now().Add(-time.Hour), w.Now())
		w.must(err)
		if restored.Name == "acme" || restored.DisplayName != "Acme" {
			t.Errorf("restored %v, want it to have another name than %v", restored, second.Organization)
		}
	})
}

// testDeletedOrganizations holds that a deleted organization is gone at once,
// comes back whole, and leaves nothing in the end.
func testDeletedOrganizations(t *testing.T, backend Backend) {
	w := NewWorld(t, backend(t))
	n, other := w.Namespace(), w.Namespace()
	owner, member := w.User(n.OrganizationID, tenant.RoleOwner), w.User(n.OrganizationID, tenant.RoleMember)
	key := w.key(n.OrganizationID, "ci")
	f, triggers := w.Deployed(n)
	_, others := w.Deployed(other)
	waiting, kept := w.Accept(triggers[0]), w.Accept(others[0])
	hook := triggers[0].Webhook
	webhook := func() bool {
		of, err := w.WebhookWorkflow(w.ctx(), hook.Path)
		w.must(err)
		listed := len(w.triggers(f.ID)) == 1
		if found := of == f.ID; found != listed {
			t.Errorf("the webhook is found: %t, and listed: %t", found, listed)
		}
		return listed
	}
	roleOf := func(u identity.User) tenant.Role {
		p, err := w.PrincipalByUser(w.ctx(), u.ID, w.Now())
		w.must(err)
		return p.RoleIn(n.OrganizationID)
	}
	since := w.Now().Add(-time.Hour)

	equal(t, "webhook before", webhook(), true)
	w.must(w.DeleteOrganization(w.ctx(), n.OrganizationID, w.Now()))
	w.refused(w.DeleteOrganization(w.ctx(), n.OrganizationID, w.Now()), fault.NotFound, "Organization not found")
	_, err := w.PrincipalByKeyHash(w.ctx(), key.Hash, w.Now())
	w.refused(err, fault.NotFound, "API key not found")
	_, err = w.AcceptExecution(w.ctx(), w.Acceptance(triggers[0]))
	w.refused(err, fault.NotFound, "Trigger not found")
	equal(t, "roles", []tenant.Role{roleOf(owner), roleOf(member)}, []tenant.Role{tenant.RoleNone, tenant.RoleNone})
	equal(t, "webhook", webhook(), false)
	equal(t, "claims", claimed(w.Claim(5)), []id.ID{kept})
	if e := w.Get(waiting, n.OrganizationID); e.State != execution.Cancelled || e.Error != "The organization was deleted" {
		t.Errorf("the waiting run is %s: %s", e.State, e.Error)
	}
	for _, c := range []tenant.MemberChange{
		{UserID: member.ID, CallerID: owner.ID, Role: tenant.RoleAdmin}, {UserID: member.ID, CallerID: member.ID, Leaves: true},
	} {
		c.OrganizationID, c.At = n.OrganizationID, w.Now()
		_, err := w.ChangeMember(w.ctx(), c)
		w.refused(err, fault.NotFound, "Organization not found")
	}

	for _, u := range []identity.User{member, {ID: w.ID()}} {
		_, err := w.RestoreOrganization(w.ctx(), n.OrganizationID, u.ID, since, w.Now())
		w.refused(err, fault.NotFound, "Organization not found")
	}
	_, err = w.RestoreOrganization(w.ctx(), n.OrganizationID, owner.ID, w.Now(), w.Now())
	w.refused(err, fault.NotFound, "Organization not found")
	listed, err := w.DeletedOrganizations(w.ctx(), owner.ID, since, 10)
	w.must(err)
	equal(t, "deleted ones", len(listed), 1)
	w.purge(0) // there is no grace
	_, err = w.RestoreOrganization(w.ctx(), n.OrganizationID, owner.ID, since, w.Now())
	if err == nil {
		t.Fatal("an organization whose grace time is over was restored")
	}
}

func testRestoredOrganizations(t *testing.T, backend Backend) {
	w := NewWorld(t, backend(t), func(c *store.Config) { c.OrganizationGrace = 24 * time.Hour })
	n := w.Namespace()
	owner := w.User(n.OrganizationID, tenant.RoleOwner)
	key := w.key(n.OrganizationID, "ci")
	f, triggers := w.Deployed(n)
	w.must(w.DeleteOrganization(w.ctx(), n.OrganizationID, w.Now()))
	w.Pass(23 * time.Hour)
	w.purge(0)
	o, err := w.RestoreOrganization(w.ctx(), n.OrganizationID, owner.ID, w.Now().Add(-24*time.Hour), w.Now())
	w.must(err)
	equal(t, "name", o.Name, n.Organization.Name)
	p, err := w.PrincipalByKeyHash(w.ctx(), key.Hash, w.Now())
	w.must(err)
	equal(t, "key's role", p.RoleIn(n.OrganizationID), tenant.RoleAdmin)
	page, err := w.Workflows(w.ctx(), workflow.ListFilter{Organizations: []id.ID{n.OrganizationID}, Limit: 10})
	w.must(err)
	equal(t, "workflows", page.Total, 1)
	equal(t, "triggers", len(w.triggers(f.ID)), 1)
	w.Run(triggers[0])
	r, err := w.OrganizationRemoval(w.ctx(), n.OrganizationID)
	w.must(err)
	equal(t, "removal", r, tenant.Removal{Namespaces: 1, Workflows: 1, Members: 1, ServiceAccounts: 1, APIKeys: 1, Executions: 1})

	w.must(w.DeleteOrganization(w.ctx(), n.OrganizationID, w.Now()))
	w.Pass(24 * time.Hour)
	w.rejoin() // the run that was under way is lost
	_, err = w.TakeBackClaims(w.ctx(), "test", w.Now())
	w.must(err)
	w.purge(0)
	left, err := w.Organizations(w.ctx(), []id.ID{n.OrganizationID})
	w.must(err)
	equal(t, "organizations", len(left), 0)
	if _, err := w.Store.User(w.ctx(), owner.ID); err != nil {
		t.Errorf("the owner went with the organization: %v", err)
	}
}
