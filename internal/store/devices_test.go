package store_test

import (
	"crypto/sha256"
	"path/filepath"
	"testing"

	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/identity"
	"github.com/usefloww/flowwd/internal/storetest"
	"github.com/usefloww/flowwd/internal/tenant"
)

// Nobody comes in by a command line whose account is disabled: not by the login
// that there is, nor by one that was approved before.
func TestDisabledUsersHaveNoCommandLines(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "flowwd.db")
	w := storetest.NewWorld(t, storetest.SQLite(t, path))
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	user := w.User(w.Namespace().OrganizationID, tenant.RoleMember)
	login := func(token string) identity.NewLogin {
		return identity.NewLogin{
			Device: w.ID(), Token: sha256.Sum256([]byte(token)), Now: w.Now(), ExpiresAt: w.Now().Add(identity.LoginTTL), Max: 5,
		}
	}
	approved := func(text string) [sha256.Size]byte {
		c := identity.DeviceCode{
			Hash: sha256.Sum256([]byte(text)), UserCode: text, Interval: identity.PollInterval,
			CreatedAt: w.Now(), ExpiresAt: w.Now().Add(identity.DeviceCodeTTL),
		}
		must(w.CreateDeviceCode(t.Context(), c, 10, 10))
		_, err := w.AnswerDevice(t.Context(), text, user.ID, w.Now())
		must(err)
		return c.Hash
	}
	in, err := w.PollDevice(t.Context(), approved("AAAA-AAAA"), login("a"))
	must(err)
	waits := approved("BBBB-BBBB")
	_, err = raw(t, path).Exec(`UPDATE users SET disabled_at = 1`)
	must(err)

	if _, err := w.PrincipalByDevice(t.Context(), in.Device, w.Now()); !fault.Is(err, fault.Denied) {
		t.Errorf("the login that there is: %v", err)
	}
	if g, err := w.RefreshDevice(t.Context(), sha256.Sum256([]byte("a")), login("b"), identity.RefreshGrace); err != nil || g.Outcome != identity.Unknown {
		t.Errorf("refresh: %v (%v)", g, err)
	}
	if g, err := w.PollDevice(t.Context(), waits, login("c")); err != nil || g.Outcome != identity.Refused {
		t.Errorf("the login that was approved: %v (%v)", g, err)
	}

	// Who is enabled again goes on where it stopped.
	_, err = raw(t, path).Exec(`UPDATE users SET disabled_at = NULL`)
	must(err)
	if g, err := w.RefreshDevice(t.Context(), sha256.Sum256([]byte("a")), login("b"), identity.RefreshGrace); err != nil || g.Outcome != identity.Granted {
		t.Errorf("refresh afterwards: %v (%v)", g, err)
	}
}
