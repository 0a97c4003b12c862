package storetest

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/identity"
)

const lastAdmin = "This is the last administrator; make somebody else one before"

func testAdministration(t *testing.T, backend Backend) {
	yes, no := true, false
	change := func(w *World, user id.ID, c identity.UserChange) error {
		c.Provider, c.At = "test", w.Now()
		_, err := w.ChangeUser(w.ctx(), user, c)
		return err
	}
	arrive := func(w *World, subject string) identity.User {
		p, err := w.Welcome(w.ctx(), w.arrival(subject))
		w.must(err)
		return p.User
	}

	t.Run("users are listed and found", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		var all []id.ID
		for _, subject := range []string{"ada", "BOB", "b%b", "carol"} {
			all = append(all, arrive(w, subject).ID)
		}
		slices.Reverse(all)
		for _, c := range []struct {
			search        string
			limit, offset int
			want          []id.ID
			total         int
		}{
			{"", 10, 0, all, 4}, {"", 3, 2, all[2:], 4}, {"", 10, 4, nil, 4}, {"", 0, 0, nil, 4},
			{"bob", 10, 0, all[2:3], 1}, {"BOB@EXAMPLE", 10, 0, all[2:3], 1}, {"b%b", 10, 0, all[1:2], 1}, {"_", 10, 0, nil, 0}, {`\`, 10, 0, nil, 0},
			{"Ada", 10, 0, all, 4}, // everybody's first name
			{all[0].String(), 10, 0, all[:1], 1}, {w.ID().String(), 10, 0, nil, 0},
		} {
			page, err := w.UsersPage(w.ctx(), identity.UserFilter{Search: c.search, Limit: c.limit, Offset: c.offset})
			w.must(err)
			var got []id.ID
			for _, u := range page.Users {
				got = append(got, u.ID)
			}
			equal(t, fmt.Sprintf("users for %q, %d after %d", c.search, c.limit, c.offset), got, c.want)
			equal(t, "total", page.Total, c.total)
		}
	})

	t.Run("whoever is disabled is out everywhere", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		u := arrive(w, "ada")
		w.Session(u.ID, "a")
		w.Session(u.ID, "b")
		w.must(change(w, u.ID, identity.UserChange{Disabled: &yes}))
		w.must(change(w, u.ID, identity.UserChange{Disabled: &yes})) // changes nothing
		disabled := "This account is disabled; an administrator can enable it again"
		_, err := w.PrincipalByUser(w.ctx(), u.ID, w.Now())
		w.refused(err, fault.Denied, disabled)
		_, err = w.PrincipalByIdentity(w.ctx(), "test", "ada", w.Now())
		w.refused(err, fault.Denied, disabled)
		_, err = w.Welcome(w.ctx(), w.arrival("ada"))
		w.refused(err, fault.Denied, disabled)
		_, _, _, err = w.PrincipalBySession(w.ctx(), hashOf("a"), w.use())
		w.refused(err, fault.NotFound, "Session not found")
		// Enabling brings no session back.
		w.must(change(w, u.ID, identity.UserChange{Disabled: &no}))
		_, err = w.PrincipalByUser(w.ctx(), u.ID, w.Now())
		w.must(err)
		_, _, _, err = w.PrincipalBySession(w.ctx(), hashOf("a"), w.use())
		w.refused(err, fault.NotFound, "Session not found")
		w.Session(u.ID, "c")
		n, err := w.SignOutUser(w.ctx(), u.ID)
		w.must(err)
		equal(t, "signed out", n, 1)
		equal(t, "entries", w.recorded(id.ID{}, "user")[2:], []string{
			" user.disable user  -> ", " user.enable user  -> ", " user.sign_out user  -> ",
		})
		for _, err := range []error{change(w, w.ID(), identity.UserChange{Disabled: &yes}), func() error { _, err := w.SignOutUser(w.ctx(), w.ID()); return err }()} {
			w.refused(err, fault.NotFound, "User not found")
		}
	})

	t.Run("one administrator is left", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		ada, bob := arrive(w, "ada"), arrive(w, "bob")
		unmake, disable := identity.UserChange{Admin: &no}, identity.UserChange{Disabled: &yes}
		w.must(change(w, ada.ID, identity.UserChange{Admin: &yes}))
		w.refused(change(w, ada.ID, unmake), fault.Conflict, lastAdmin)
		w.refused(change(w, ada.ID, disable), fault.Conflict, lastAdmin)
		w.must(change(w, bob.ID, unmake)) // is none
		// With another one it goes, and the other is the last then.
		w.must(change(w, bob.ID, identity.UserChange{Admin: &yes}))
		w.must(change(w, ada.ID, disable))
		w.refused(change(w, bob.ID, unmake), fault.Conflict, lastAdmin)
		// Somebody whom the settings name counts, once there and not disabled.
		for _, c := range []struct {
			approved []string
			ok       bool
		}{{[]string{"carol"}, false}, {[]string{"ada"}, false}, {[]string{"bob", bob.ID.String()}, false}, {[]string{ada.ID.String()}, false}} {
			w.refused(change(w, bob.ID, identity.UserChange{Admin: &no, Approved: c.approved}), fault.Conflict, lastAdmin)
		}
		carol := arrive(w, "carol")
		named := []string{"nobody", "carol"}
		w.must(change(w, bob.ID, identity.UserChange{Admin: &no, Approved: named}))
		w.refused(change(w, carol.ID, identity.UserChange{Disabled: &yes, Approved: named}), fault.Conflict, lastAdmin)
		w.must(change(w, carol.ID, identity.UserChange{Disabled: &yes, Approved: []string{carol.ID.String(), bob.ID.String()}}))
	})

	t.Run("administrators who unmake each other leave one", func(t *testing.T) {
		t.Parallel()
		for range 5 {
			w := NewWorld(t, backend(t))
			const many = 6
			var admins []id.ID
			for i := range many {
				admins = append(admins, arrive(w, fmt.Sprintf("admin %d", i)).ID)
				w.must(change(w, admins[i], identity.UserChange{Admin: &yes}))
			}
			var kept atomic.Int64
			var wg sync.WaitGroup
			for i, admin := range admins {
				wg.Go(func() {
					c := identity.UserChange{Admin: &no}
					if i%2 == 0 {
						c = identity.UserChange{Disabled: &yes}
					}
					if err := change(w, admin, c); fault.Is(err, fault.Conflict) {
						kept.Add(1)
					} else if err != nil {
						t.Error(err)
					}
				})
			}
			wg.Wait()
			equal(t, "administrators left", kept.Load(), 1)
		}
	})
}
