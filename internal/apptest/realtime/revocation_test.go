package realtime

import (
	"strings"
	"testing"

	"github.com/usefloww/flowwd/internal/apptest"
	"github.com/usefloww/flowwd/internal/config"
	"github.com/usefloww/flowwd/internal/realtimetest"
)

// Whoever is taken out of an organization hears no more of it, from that moment.
func TestRealtimeEndsWithMembership(t *testing.T) {
	inEach(t, apptest.Options{Way: apptest.Anyone{}}, func(t *testing.T, s *place) {
		owner := s.Person(t, "owner")
		guest := s.Person(t, "guest")
		home := owner.Organization
		s.Join(t, home, guest, "viewer")
		d := owner.Deploy(t, "ours", apptest.Handler(`return 1`))
		c := realtimetest.Connect(t, s.Websocket, guest.Key)
		heard, err := c.Subscribe("workflow:" + d.WorkflowID)
		if err != nil {
			t.Fatal(err)
		}
		d.Run(t, `{}`)
		heard.Until("workflow.execution.completed")
		if r := owner.Do(t, "DELETE", "/api/organizations/"+home+"/members/"+guest.ID, nil); r.Status != 200 {
			t.Fatalf("remove a member: %s", r)
		}
		if err := heard.Ended(); !strings.Contains(err.Error(), "Access denied") {
			t.Errorf("the subscription ended with %v", err)
		}
		d.Run(t, `{}`)
		heard.Silent()
	})
}

// A key that is revoked or lives no longer ends its connections for good, from
// that moment.
func TestRealtimeEndsWithKey(t *testing.T) {
	inEach(t, apptest.Options{}, func(t *testing.T, s *place) {
		d := s.Deploy(t, "mine", apptest.Handler(`return 1`))
		account := s.Account(t, "member")
		one := "/api/service_accounts/" + account
		staying := s.AccountKey(t, s.Account(t, "member"), nil)
		untouched := realtimetest.Connect(t, s.Websocket, staying.Key)
		still, err := untouched.Subscribe("workflow:" + d.WorkflowID)
		if err != nil {
			t.Fatal(err)
		}
		revoked, deleted := s.AccountKey(t, account, nil), s.AccountKey(t, account, nil)
		for _, c := range []struct {
			what         string
			key          apptest.AccountKey
			method, path string
		}{
			{"a revoked key", revoked, "POST", one + "/api_keys/" + revoked.ID + "/revoke"},
			{"a key of a deleted account", deleted, "DELETE", one},
		} {
			client := realtimetest.Connect(t, s.Websocket, c.key.Key)
			heard, err := client.Subscribe("workflow:" + d.WorkflowID)
			if err != nil {
				t.Fatalf("%s: %v", c.what, err)
			}
			d.Run(t, `{}`)
			heard.Until("workflow.execution.completed")
			if r := s.Do(t, c.method, c.path, nil); r.Status != 200 {
				t.Fatalf("the end of %s: %s", c.what, r)
			}
			if code := client.Refused(); code != 4501 {
				t.Errorf("%s: disconnected with %d, want 4501", c.what, code)
			}
			d.Run(t, `{}`)
			for range 2 {
				still.Until("workflow.execution.completed")
			}
			heard.Silent()
		}
	})
}

// Whoever logs out is no longer connected.
func TestRealtimeEndsWithSession(t *testing.T) {
	withAdmin := func(c *config.Settings) { c.AdminEmail, c.AdminPassword = apptest.AdminLogin, apptest.AdminPassword }
	inEach(t, apptest.Options{Settings: withAdmin}, func(t *testing.T, s *place) {
		b := apptest.NewBrowser(t, s.URL)
		b.LogIn(t, apptest.AdminLogin, apptest.AdminPassword)
		c := realtimetest.ConnectWith(t, s.Websocket, "Cookie", "session="+b.Cookie(t, "session"))
		if _, err := c.Subscribe("workflow:events"); err != nil {
			t.Fatal(err)
		}
		b.Post(t, "/auth/logout", nil)
		if code := c.Refused(); code != 4501 {
			t.Errorf("disconnected with %d, want 4501", code)
		}
	})
}
