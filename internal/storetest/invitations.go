package storetest

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/identity"
	"github.com/usefloww/flowwd/internal/store"
	"github.com/usefloww/flowwd/internal/tenant"
)

// invitation is a new invitation by a member, for a week.
func (w *World) invitation(organization, by id.ID, role tenant.Role) tenant.Invitation {
	x := w.ID()
	return tenant.Invitation{
		ID: x, OrganizationID: organization, Email: x.String() + "@example.com", Role: role, Hash: hashOf(x.String()),
		InvitedByID: by, CreatedAt: w.Now(), ExpiresAt: w.Now().Add(7 * 24 * time.Hour),
	}
}

// invite stores a new invitation.
func (w *World) invite(organization, by id.ID, role tenant.Role) tenant.Invitation {
	w.t.Helper()
	i := w.invitation(organization, by, role)
	w.must(w.Invite(w.ctx(), i, tenant.MaxInvitations))
	return i
}

// guest is a user with an organization of its own alone.
func (w *World) guest() identity.Principal {
	w.t.Helper()
	p, err := w.Welcome(w.ctx(), w.arrival("guest-"+w.ID().String()))
	w.must(err)
	return p
}

func (w *World) noInvitation(err error) {
	w.t.Helper()
	w.refused(err, fault.NotFound, tenant.ErrNoInvitation().Error())
}

func testInvitations(t *testing.T, backend Backend) {
	t.Run("a link works once, however many use it at once", func(t *testing.T) {
		t.Parallel()
		open := backend(t)
		w := NewWorld(t, open)
		servers := [2]*store.Store{w.Store, w.another(open)}
		n := w.Namespace()
		owner := w.User(n.OrganizationID, tenant.RoleOwner)
		i := w.invite(n.OrganizationID, owner.ID, tenant.RoleAdmin)
		offer, err := w.InvitationByHash(w.ctx(), i.Hash, w.Now())
		w.must(err)
		equal(t, "offer", offer, tenant.Offer{Invitation: i, Organization: n.Organization, By: owner.Label()})
		guests := make([]identity.Principal, 6)
		for g := range guests {
			guests[g] = w.guest()
		}
		errs := make([]error, len(guests))
		var wg sync.WaitGroup
		for g, p := range guests {
			wg.Go(func() { _, _, errs[g] = servers[g%2].AcceptInvitation(w.ctx(), i.Hash, p.ID, w.Now()) })
		}
		wg.Wait()
		joined := 0
		for _, err := range errs {
			if err == nil {
				joined++
				continue
			}
			w.noInvitation(err)
		}
		members, err := w.Members(w.ctx(), n.OrganizationID, 10, 0)
		w.must(err)
		equal(t, "joined and members", []int{joined, len(members)}, []int{1, 2})
		_, err = w.InvitationByHash(w.ctx(), i.Hash, w.Now())
		w.noInvitation(err)
		listed, err := w.Store.Invitations(w.ctx(), n.OrganizationID, 10, 0)
		w.must(err)
		equal(t, "state", listed[0].State(w.Now()), "accepted")
	})

	t.Run("a link that may not be used is like none", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		n, other := w.Namespace(), w.Namespace()
		owner, admin := w.User(n.OrganizationID, tenant.RoleOwner), w.User(n.OrganizationID, tenant.RoleAdmin)
		guest := w.guest()
		revoked, expired, renewed := w.invite(n.OrganizationID, owner.ID, tenant.RoleMember), w.invite(n.OrganizationID, owner.ID, tenant.RoleMember), w.invite(n.OrganizationID, owner.ID, tenant.RoleMember)
		byAdmin := w.invite(n.OrganizationID, admin.ID, tenant.RoleAdmin)
		_, err := w.RevokeInvitation(w.ctx(), other.OrganizationID, revoked.ID, w.Now())
		w.refused(err, fault.NotFound, "Invitation not found")
		_, err = w.RevokeInvitation(w.ctx(), n.OrganizationID, revoked.ID, w.Now())
		w.must(err)
		_, err = w.RevokeInvitation(w.ctx(), n.OrganizationID, revoked.ID, w.Now())
		w.refused(err, fault.Invalid, "The invitation is revoked already")
		// Who may no longer invite takes no link along.
		_, err = w.ChangeMember(w.ctx(), tenant.MemberChange{OrganizationID: n.OrganizationID, UserID: admin.ID, CallerID: owner.ID, Role: tenant.RoleMember, At: w.Now()})
		w.must(err)
		fresh := hashOf("fresh")
		_, err = w.RenewInvitation(w.ctx(), tenant.Renewal{
			OrganizationID: n.OrganizationID, InvitationID: renewed.ID, CallerID: owner.ID, Hash: fresh, At: w.Now(), ExpiresAt: w.Now().Add(30 * 24 * time.Hour),
		})
		w.must(err)
		w.Pass(7 * 24 * time.Hour)
		for _, i := range []tenant.Invitation{revoked, expired, renewed, byAdmin} {
			_, _, err := w.AcceptInvitation(w.ctx(), i.Hash, guest.ID, w.Now())
			w.noInvitation(err)
		}
		_, role, err := w.AcceptInvitation(w.ctx(), fresh, guest.ID, w.Now())
		w.must(err)
		equal(t, "role", role, tenant.RoleMember)
		again := w.invite(n.OrganizationID, owner.ID, tenant.RoleOwner)
		_, _, err = w.AcceptInvitation(w.ctx(), again.Hash, guest.ID, w.Now())
		w.refused(err, fault.Invalid, "User is already a member of this organization")
		w.must(w.DeleteOrganization(w.ctx(), n.OrganizationID, w.Now()))
		_, _, err = w.AcceptInvitation(w.ctx(), again.Hash, w.guest().ID, w.Now())
		w.noInvitation(err)
		_, err = w.InvitationByHash(w.ctx(), again.Hash, w.Now())
		w.noInvitation(err)
	})

	t.Run("nobody gives more than they have", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		n := w.Namespace()
		for role := tenant.RoleViewer; role <= tenant.RoleOwner; role++ {
			by := w.User(n.OrganizationID, role)
			for given := tenant.RoleViewer; given <= tenant.RoleOwner; given++ {
				err := w.Invite(w.ctx(), w.invitation(n.OrganizationID, by.ID, given), tenant.MaxInvitations)
				if want := role >= tenant.RoleAdmin && given <= role; (err == nil) != want || err != nil && !fault.Is(err, fault.Denied) {
					t.Errorf("a %s invites a %s: %v", role, given, err)
				}
			}
		}
	})

	t.Run("they are bounded, and one address has one", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		n := w.Namespace()
		owner := w.User(n.OrganizationID, tenant.RoleOwner)
		first := w.invite(n.OrganizationID, owner.ID, tenant.RoleMember)
		second := w.invitation(n.OrganizationID, owner.ID, tenant.RoleMember)
		second.Email = first.Email
		w.refused(w.Invite(w.ctx(), second, 2), fault.Conflict, fmt.Sprintf("An invitation to %s already exists; send it again, or revoke it", first.Email))
		w.must(w.Invite(w.ctx(), w.invitation(n.OrganizationID, owner.ID, tenant.RoleMember), 2))
		err := w.Invite(w.ctx(), w.invitation(n.OrganizationID, owner.ID, tenant.RoleMember), 2)
		w.refused(err, fault.Conflict, "2 invitations of this organization can still be accepted; more are not allowed")
		w.Pass(40 * 24 * time.Hour)
		w.purge(30 * 24 * time.Hour)
		left, err := w.Store.Invitations(w.ctx(), n.OrganizationID, 10, 0)
		w.must(err)
		equal(t, "invitations after their retention", len(left), 0)
	})

	t.Run("a directory brings people, and says what became of invitations", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		n, other := w.Namespace(), w.Namespace()
		owner := w.User(n.OrganizationID, tenant.RoleOwner)
		w.must(w.NameOrganization(w.ctx(), n.OrganizationID, "org_1", w.Now()))
		w.must(w.NameOrganization(w.ctx(), n.OrganizationID, "org_1", w.Now()))
		w.refused(w.NameOrganization(w.ctx(), other.OrganizationID, "org_1", w.Now()), fault.Conflict, "Another organization already exists for org_1 at the provider")
		people := []tenant.Import{
			{UserID: w.ID(), Provider: "test", DirectoryMember: tenant.DirectoryMember{Subject: owner.Subject, Role: tenant.RoleViewer}},
			{UserID: w.ID(), Provider: "test", DirectoryMember: tenant.DirectoryMember{Subject: "new", Email: "new@example.com", Role: tenant.RoleAdmin}},
		}
		for _, want := range []int{1, 0} {
			came, err := w.ImportMembers(w.ctx(), n.OrganizationID, people, w.Now())
			w.must(err)
			equal(t, "came", came, want)
		}
		p, err := w.PrincipalByIdentity(w.ctx(), "test", "new", w.Now())
		w.must(err)
		equal(t, "memberships", p.Memberships, []tenant.Membership{{OrganizationID: n.OrganizationID, Role: tenant.RoleAdmin}})
		p, err = w.PrincipalByUser(w.ctx(), owner.ID, w.Now())
		w.must(err)
		equal(t, "the owner's role", p.RoleIn(n.OrganizationID), tenant.RoleOwner)

		states := map[string]tenant.DirectoryState{"a": tenant.DirectoryAccepted, "r": tenant.DirectoryRevoked, "p": tenant.DirectoryPending}
		for external := range states {
			i := w.invitation(n.OrganizationID, owner.ID, tenant.RoleMember)
			i.ExternalID = external
			w.must(w.Invite(w.ctx(), i, 10))
		}
		w.must(w.SettleInvitations(w.ctx(), n.OrganizationID, states, w.Now()))
		listed, err := w.Store.Invitations(w.ctx(), n.OrganizationID, 10, 0)
		w.must(err)
		got := map[string]string{}
		for _, i := range listed {
			got[i.ExternalID] = i.State(w.Now())
		}
		equal(t, "states", got, map[string]string{"a": "accepted", "r": "revoked", "p": "pending"})
	})
}
