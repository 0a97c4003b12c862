package storetest

import (
	"sync"
	"testing"
	"time"

	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/identity"
	"github.com/usefloww/flowwd/internal/identity/password"
	"github.com/usefloww/flowwd/internal/tenant"
)

// account is a new user who logs in with a password.
func (w *World) account(login string) identity.Arrival {
	a := w.arrival(login)
	a.User.Provider, a.User.Login, a.User.SeenAt = password.Name, login, nil
	return a
}

// link makes a link that works for an hour.
func (w *World) link(token string, user id.ID) password.Link {
	return password.Link{Hash: hashOf(token), UserID: user, CreatedAt: w.Now(), ExpiresAt: w.Now().Add(time.Hour)}
}

func testPasswords(t *testing.T, backend Backend) {
	t.Run("the first account has one winner", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		o := tenant.Organization{ID: w.ID(), Name: "home", DisplayName: "Home", CreatedAt: w.Now(), UpdatedAt: w.Now()}
		home, err := w.EnsureDefaultOrganization(w.ctx(), o, tenant.Namespace{ID: w.ID(), CreatedAt: w.Now()})
		w.must(err)
		hash := hashOf("t")
		_, err = w.SetUp(w.ctx(), w.account("ada"), "h", &hash)
		w.refused(err, fault.NotFound, "Link not found")
		w.must(w.CreateLink(w.ctx(), w.link("t", id.ID{})))
		w.must(w.CreateLink(w.ctx(), w.link("other", id.ID{})))
		var mu sync.Mutex
		var winners []identity.Principal
		var wg sync.WaitGroup
		for i := range 8 {
			wg.Go(func() {
				link := &hash
				if i%2 == 0 {
					link = nil
				}
				p, err := w.SetUp(w.ctx(), w.account("user"+w.ID().String()), "h", link)
				if err != nil {
					w.refused(err, fault.Conflict, "Setup already completed")
					return
				}
				mu.Lock()
				defer mu.Unlock()
				winners = append(winners, p)
			})
		}
		wg.Wait()
		if len(winners) != 1 || winners[0].RoleIn(home.OrganizationID) != tenant.RoleOwner {
			t.Errorf("winners %v, want one who owns the default organization", winners)
		}
		for _, token := range []string{"t", "other"} {
			w.refused(w.CheckSetUpLink(w.ctx(), hashOf(token), w.Now()), fault.NotFound, "Link not found")
		}
		some, err := w.HasAccounts(w.ctx())
		w.must(err)
		equal(t, "accounts", some, true)
	})

	t.Run("a login is found, and is nobody else's", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		a := w.account("ada")
		p, err := w.CreateAccount(w.ctx(), a, w.link("t", a.User.ID))
		w.must(err)
		u, hash, err := w.UserByLogin(w.ctx(), "ada")
		w.must(err)
		equal(t, "user", u, p.User)
		equal(t, "hash", hash, "")
		_, _, err = w.UserByLogin(w.ctx(), "bob")
		w.refused(err, fault.NotFound, "User not found")
		a = w.account("ada")
		a.User.Subject = "another"
		_, err = w.CreateAccount(w.ctx(), a, w.link("t2", a.User.ID))
		w.refused(err, fault.Conflict, "There is an account with this name already")
		w.must(w.CreateLink(w.ctx(), w.link("t3", p.ID)))
		_, err = w.LinkUser(w.ctx(), hashOf("t"), w.Now())
		w.refused(err, fault.NotFound, "Link not found")
		got, err := w.LinkUser(w.ctx(), hashOf("t3"), w.Now())
		w.must(err)
		equal(t, "user of the link", got.ID, p.ID)
		w.refused(w.CheckSetUpLink(w.ctx(), hashOf("t3"), w.Now()), fault.NotFound, "Link not found")
	})

	t.Run("a link chooses a password once and in time, and ends sessions", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		a := w.account("ada")
		p, err := w.CreateAccount(w.ctx(), a, w.link("late", a.User.ID))
		w.must(err)
		w.Session(p.ID, "c")
		w.Pass(time.Hour)
		_, err = w.ChoosePassword(w.ctx(), hashOf("late"), "h", w.Now())
		w.refused(err, fault.NotFound, "Link not found")
		w.open("c")
		w.must(w.CreateLink(w.ctx(), w.link("t", p.ID)))
		got, err := w.ChoosePassword(w.ctx(), hashOf("t"), "h", w.Now())
		w.must(err)
		equal(t, "principal", got.ID, p.ID)
		w.ended("c")
		_, err = w.ChoosePassword(w.ctx(), hashOf("t"), "h2", w.Now())
		w.refused(err, fault.NotFound, "Link not found")
		hash, err := w.PasswordOf(w.ctx(), p.ID)
		w.must(err)
		equal(t, "hash", hash, "h")
	})

	t.Run("a change spares one session and loses no other change", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		a := w.account("ada")
		p, err := w.SetUp(w.ctx(), a, "h", nil)
		w.must(err)
		here := w.Session(p.ID, "here")
		w.Session(p.ID, "there")
		device := w.device(p.ID, "r")
		w.refused(w.ChangePassword(w.ctx(), p.ID, "other", "h2", here.ID, w.Now()), fault.Conflict, "The password was changed meanwhile")
		w.must(w.ChangePassword(w.ctx(), p.ID, "h", "h2", here.ID, w.Now()))
		w.open("here")
		w.ended("there")
		_, err = w.PrincipalByDevice(w.ctx(), device, w.Now())
		if !fault.Is(err, fault.NotFound) {
			t.Errorf("a command line is still logged in: %v", err)
		}
		hash, err := w.PasswordOf(w.ctx(), p.ID)
		w.must(err)
		equal(t, "hash", hash, "h2")
	})
}
