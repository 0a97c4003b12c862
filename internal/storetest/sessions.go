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

// hashOf is the hash of a cookie or a link.
func hashOf(text string) [sha256.Size]byte { return identity.HashToken(text) }

// Session begins a session of a user, with a cookie.
func (w *World) Session(user id.ID, cookie string) identity.Session {
	w.t.Helper()
	s := identity.Session{
		ID: w.ID(), UserID: user, Hash: hashOf(cookie), Address: "192.0.2.1", UserAgent: "a browser",
		CreatedAt: w.Now(), SeenAt: w.Now(), ExpiresAt: w.Now().Add(identity.SessionTTL),
	}
	w.must(w.CreateSession(w.ctx(), s, hashOf(""), identity.MaxSessions))
	return s
}

// use is one now.
func (w *World) use() identity.SessionUse {
	return identity.SessionUse{Now: w.Now(), ExpiresAt: w.Now().Add(identity.SessionTTL)}
}

// ends wants the session of a cookie to be over.
func (w *World) ended(cookie string) {
	w.t.Helper()
	_, _, _, err := w.PrincipalBySession(w.ctx(), hashOf(cookie), w.use())
	w.refused(err, fault.NotFound, "Session not found")
}

// open wants the session of a cookie to go on.
func (w *World) open(cookie string) (identity.Session, identity.Principal, bool) {
	w.t.Helper()
	s, p, noted, err := w.PrincipalBySession(w.ctx(), hashOf(cookie), w.use())
	if err != nil {
		w.t.Errorf("the session of %q: %v", cookie, err)
	}
	return s, p, noted
}

func testSessions(t *testing.T, backend Backend) {
	t.Run("a session is its user's, and slides", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		u := w.User(w.Namespace().OrganizationID, tenant.RoleViewer)
		want := w.Session(u.ID, "c")
		got, p, noted := w.open("c")
		equal(t, "session", got, want)
		if p.ID != u.ID || len(p.Memberships) != 2 || noted {
			t.Errorf("principal %v, noted %t", p, noted)
		}
		w.Pass(time.Minute)
		if _, _, noted := w.open("c"); !noted {
			t.Error("a use a minute later is not noted")
		}
		if _, _, noted := w.open("c"); noted {
			t.Error("two uses within a minute are noted")
		}
		for range 3 {
			w.Pass(identity.SessionTTL - time.Hour)
			w.open("c")
		}
		w.Pass(identity.SessionTTL)
		w.ended("c")
		listed, err := w.Sessions(w.ctx(), u.ID, w.Now(), 10)
		w.must(err)
		equal(t, "listed after its end", len(listed), 0)
	})

	t.Run("a login ends what the browser had before, and the oldest beyond the bound", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		organization := w.Namespace().OrganizationID
		ada, bob := w.User(organization, tenant.RoleMember), w.User(organization, tenant.RoleMember)
		w.Session(bob.ID, "planted")
		for i, cookie := range []string{"1", "2", "3"} {
			s := identity.Session{ID: w.ID(), UserID: ada.ID, Hash: hashOf(cookie), CreatedAt: w.Now(), SeenAt: w.Now(), ExpiresAt: w.Now().Add(time.Hour)}
			replaced := ""
			if i == 0 {
				replaced = "planted"
			}
			w.must(w.CreateSession(w.ctx(), s, hashOf(replaced), 2))
		}
		w.ended("planted")
		w.ended("1")
		w.open("2")
		w.open("3")
	})

	t.Run("sessions are ended by their user alone", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		organization := w.Namespace().OrganizationID
		ada, bob := w.User(organization, tenant.RoleMember), w.User(organization, tenant.RoleMember)
		one := w.Session(ada.ID, "1")
		two := w.Session(ada.ID, "2")
		w.Session(ada.ID, "3")
		w.Session(bob.ID, "bob")
		_, err := w.EndSession(w.ctx(), bob.ID, one.ID, false)
		w.refused(err, fault.NotFound, "Session not found")
		device := w.device(ada.ID, "r")
		_, err = w.EndSession(w.ctx(), ada.ID, w.Session(ada.ID, "4").ID, false)
		w.must(err)
		_, err = w.PrincipalByDevice(w.ctx(), device, w.Now())
		w.must(err)
		ended, err := w.EndSession(w.ctx(), ada.ID, one.ID, true)
		w.must(err)
		if _, err := w.PrincipalByDevice(w.ctx(), device, w.Now()); !fault.Is(err, fault.NotFound) {
			t.Errorf("a command line is logged in after a logout: %v", err)
		}
		equal(t, "ended", ended.ID, one.ID)
		w.ended("1")
		n, err := w.EndSessions(w.ctx(), ada.ID, two.ID)
		w.must(err)
		equal(t, "ended", n, 1)
		w.open("2")
		w.open("bob")
		n, err = w.EndSessions(w.ctx(), ada.ID, id.ID{})
		w.must(err)
		equal(t, "ended", n, 1)
		w.ended("2")
	})

	t.Run("one caller renews a session", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		u := w.User(w.Namespace().OrganizationID, tenant.RoleMember)
		until := w.Now().Add(time.Minute)
		s := identity.Session{ID: w.ID(), UserID: u.ID, Hash: hashOf("c"), CreatedAt: w.Now(), SeenAt: w.Now(), ExpiresAt: w.Now().Add(time.Hour), Tokens: []byte("old"), Until: &until, ProviderSession: "p"}
		w.must(w.CreateSession(w.ctx(), s, hashOf(""), 10))
		claim := func(until time.Time, want bool) {
			t.Helper()
			got, err := w.ClaimRenewal(w.ctx(), s.ID, until, w.Now(), w.Now().Add(-time.Second))
			w.must(err)
			equal(t, "claimed", got, want)
		}
		claim(until, true)
		claim(until, false)
		w.Pass(time.Second)
		claim(until, true)
		later := until.Add(time.Minute)
		w.must(w.RenewSession(w.ctx(), s.ID, []byte("new"), &later))
		claim(until, false)
		got, _, _ := w.open("c")
		if len(got.Tokens) != 0 || !got.Until.Equal(later) || got.ProviderSession != "p" {
			t.Errorf("renewed: %+v", got)
		}
		w.Pass(later.Sub(w.Now()))
		got, _, _ = w.open("c")
		equal(t, "tokens when it is time", string(got.Tokens), "new")
		w.must(w.RenewSession(w.ctx(), s.ID, nil, &until))
		got, _, _ = w.open("c")
		equal(t, "tokens that were not renewed", string(got.Tokens), "new")
		claim(until, true)
	})
}
