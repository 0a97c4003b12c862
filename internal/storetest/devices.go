package storetest

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/usefloww/flowwd/internal/audit"
	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/identity"
	"github.com/usefloww/flowwd/internal/tenant"
)

// person makes a user with an organization of its own.
func (w *World) person() identity.User {
	w.t.Helper()
	p, err := w.Welcome(w.ctx(), w.arrival("person-"+w.ID().String()))
	w.must(err)
	return p.User
}

// deviceCode makes a code that waits.
func (w *World) deviceCode() identity.DeviceCode {
	w.t.Helper()
	c := w.newDeviceCode()
	w.must(w.CreateDeviceCode(w.ctx(), c, 1000, 1000))
	return c
}

func (w *World) newDeviceCode() identity.DeviceCode {
	x := w.ID()
	text := x.String()
	return identity.DeviceCode{
		Hash: sha256.Sum256(x[:]), UserCode: text[19:23] + "-" + text[len(text)-8:], Name: "shell", Address: "192.0.2.7",
		Interval: identity.PollInterval, CreatedAt: w.Now(), ExpiresAt: w.Now().Add(identity.DeviceCodeTTL),
	}
}

// newLogin is a login whose token has a name.
func (w *World) newLogin(token string) identity.NewLogin {
	return identity.NewLogin{Device: w.ID(), Token: hash(token), Now: w.Now(), ExpiresAt: w.Now().Add(identity.LoginTTL), Max: 3}
}

func hash(text string) [sha256.Size]byte { return sha256.Sum256([]byte(text)) }

// device logs a user's command line in; its refresh token has the name.
func (w *World) device(user id.ID, token string) id.ID {
	w.t.Helper()
	c := w.deviceCode()
	_, err := w.AnswerDevice(w.ctx(), c.UserCode, user, w.Now())
	w.must(err)
	g := w.poll(c, token)
	if g.Outcome != identity.Granted {
		w.t.Fatalf("the outcome is %d", g.Outcome)
	}
	return g.Device
}

func (w *World) poll(c identity.DeviceCode, token string) identity.Grant {
	w.t.Helper()
	g, err := w.PollDevice(w.ctx(), c.Hash, w.newLogin(token))
	w.must(err)
	return g
}

func (w *World) refresh(token, next string) identity.Outcome {
	w.t.Helper()
	g, err := w.RefreshDevice(w.ctx(), hash(token), w.newLogin(next), identity.RefreshGrace)
	w.must(err)
	return g.Outcome
}

// readDevices calls what reads the logins of command lines.
func (w *World) readDevices(note func(any, error)) {
	w.t.Helper()
	c := w.deviceCode()
	note(w.WaitingDevice(w.ctx(), c.UserCode, w.Now()))
	device := w.device(w.person().ID, "read")
	p, err := w.PrincipalByDevice(w.ctx(), device, w.Now())
	note(p, err)
	note(w.Devices(w.ctx(), p.ID, w.Now()))
	note(w.refresh("read", "refreshed"), nil)
	note(w.refresh("read", "again"), nil)
	note(nil, w.EndDeviceOf(w.ctx(), hash("again")))
	note(w.EndDevices(w.ctx(), p.ID))
}

const noDevice = "There is no command line logged in with this id"

func testDeviceCodes(t *testing.T, backend Backend) {
	const gone = "No command line waits with this code: it was mistyped, has expired or was used already"

	t.Run("a code waits, is approved and consumed", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		u := w.person()
		c := w.deviceCode()
		got, err := w.WaitingDevice(w.ctx(), c.UserCode, w.Now())
		w.must(err)
		equal(t, "code", got, c)
		equal(t, "first poll", w.poll(c, "a"), identity.Grant{Outcome: identity.Waiting})
		got, err = w.AnswerDevice(w.ctx(), c.UserCode, u.ID, w.Now())
		w.must(err)
		equal(t, "approved code", got, c)
		for _, user := range []id.ID{u.ID, {}} {
			_, err = w.AnswerDevice(w.ctx(), c.UserCode, user, w.Now())
			w.refused(err, fault.NotFound, gone)
		}
		g := w.poll(c, "a")
		equal(t, "grant", g, identity.Grant{Outcome: identity.Granted, User: u, Device: g.Device})
		equal(t, "again", w.poll(c, "b"), identity.Grant{})
		devices, err := w.Devices(w.ctx(), u.ID, w.Now())
		w.must(err)
		equal(t, "devices", devices, []identity.Device{{
			ID: g.Device, UserID: u.ID, Name: "shell", Address: "192.0.2.7", CreatedAt: w.Now(), SeenAt: w.Now(), ExpiresAt: w.Now().Add(identity.LoginTTL),
		}})
	})

	t.Run("a code is denied", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		c := w.deviceCode()
		_, err := w.AnswerDevice(w.ctx(), c.UserCode, id.ID{}, w.Now())
		w.must(err)
		equal(t, "denied", w.poll(c, "a").Outcome, identity.Refused)
		equal(t, "again", w.poll(c, "a").Outcome, identity.Unknown)
	})

	t.Run("hasty polls make the interval grow", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		c := w.deviceCode()
		for i, step := range []struct {
			pass time.Duration
			want identity.Outcome
		}{
			{0, identity.Waiting},
			{time.Second, identity.Hasty},      // 10 s from here on
			{5 * time.Second, identity.Hasty},  // 15 s
			{10 * time.Second, identity.Hasty}, // 20 s
			{20*time.Second - identity.PollTolerance, identity.Waiting},
			{20 * time.Second, identity.Waiting},
		} {
			w.Pass(step.pass)
			equal(t, fmt.Sprintf("poll %d", i), w.poll(c, "a").Outcome, step.want)
		}
		// Somebody hasty gets in all the same.
		_, err := w.AnswerDevice(w.ctx(), c.UserCode, w.person().ID, w.Now())
		w.must(err)
		equal(t, "poll after the approval", w.poll(c, "a").Outcome, identity.Granted)
	})

	t.Run("a code expires, before and after its approval", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		waits, approved := w.deviceCode(), w.deviceCode()
		u := w.person()
		_, err := w.AnswerDevice(w.ctx(), approved.UserCode, u.ID, w.Now())
		w.must(err)
		w.Pass(identity.DeviceCodeTTL)
		_, err = w.WaitingDevice(w.ctx(), waits.UserCode, w.Now())
		w.refused(err, fault.NotFound, gone)
		_, err = w.AnswerDevice(w.ctx(), waits.UserCode, u.ID, w.Now())
		w.refused(err, fault.NotFound, gone)
		equal(t, "waiting code", w.poll(waits, "a").Outcome, identity.Unknown)
		equal(t, "approved code", w.poll(approved, "a").Outcome, identity.Unknown)
	})

	t.Run("many polls at once make one login", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		u := w.person()
		c := w.deviceCode()
		_, err := w.AnswerDevice(w.ctx(), c.UserCode, u.ID, w.Now())
		w.must(err)
		outcomes := make([]identity.Outcome, 10)
		var wg sync.WaitGroup
		for i := range outcomes {
			wg.Go(func() { outcomes[i] = w.poll(c, fmt.Sprint(i)).Outcome })
		}
		wg.Wait()
		counts := map[identity.Outcome]int{}
		for _, o := range outcomes {
			counts[o]++
		}
		equal(t, "outcomes", counts, map[identity.Outcome]int{identity.Granted: 1, identity.Unknown: 9})
		devices, err := w.Devices(w.ctx(), u.ID, w.Now())
		w.must(err)
		equal(t, "logins", len(devices), 1)
	})

	t.Run("codes are bounded and unique", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		const full = "Too many command lines wait to be logged in; try again in some minutes"
		first := w.deviceCode()
		w.deviceCode()
		w.refused(w.CreateDeviceCode(w.ctx(), w.newDeviceCode(), 2, 10), fault.Limited, full)
		other := w.newDeviceCode()
		other.Address = "192.0.2.8"
		w.refused(w.CreateDeviceCode(w.ctx(), other, 2, 2), fault.Limited, full)
		w.must(w.CreateDeviceCode(w.ctx(), other, 2, 3))
		same := w.newDeviceCode()
		same.UserCode = first.UserCode
		w.refused(w.CreateDeviceCode(w.ctx(), same, 10, 10), fault.Conflict, "this user code is taken")
		w.Pass(identity.DeviceCodeTTL)
		w.must(w.CreateDeviceCode(w.ctx(), w.newDeviceCode(), 1, 1))
	})
}

func testDevices(t *testing.T, backend Backend) {
	t.Run("a login names its user until it ends", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		u := w.person()
		for _, c := range []struct {
			name string
			end  func(device id.ID)
		}{
			{"by its user", func(device id.ID) { w.must(w.EndDevice(w.ctx(), u.ID, device)) }},
			{"by its token", func(id.ID) { w.must(w.EndDeviceOf(w.ctx(), hash("by its token"))) }},
			{"with all others", func(id.ID) {
				n, err := w.EndDevices(w.ctx(), u.ID)
				w.must(err)
				equal(t, "ended logins", n, 1)
			}},
			{"by time", func(id.ID) { w.Pass(identity.LoginTTL) }},
		} {
			name := c.name
			device := w.device(u.ID, name)
			p, err := w.PrincipalByDevice(w.ctx(), device, w.Now())
			w.must(err)
			if p.ID != u.ID || p.FamilyID != device || p.Kind != identity.Human || len(p.Memberships) != 1 {
				t.Errorf("principal %+v", p)
			}
			c.end(device)
			_, err = w.PrincipalByDevice(w.ctx(), device, w.Now())
			w.refused(err, fault.NotFound, noDevice)
			equal(t, "refresh after the end "+name, w.refresh(name, "x"+name), identity.Unknown)
			devices, err := w.Devices(w.ctx(), u.ID, w.Now())
			w.must(err)
			equal(t, "logins after the end "+name, len(devices), 0)
		}
		w.must(w.EndDeviceOf(w.ctx(), hash("never a token")))
	})

	t.Run("nobody ends another's login", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		mine, theirs := w.person(), w.person()
		device := w.device(theirs.ID, "a")
		w.refused(w.EndDevice(w.ctx(), mine.ID, device), fault.NotFound, noDevice)
		w.refused(w.EndDevice(w.ctx(), mine.ID, w.ID()), fault.NotFound, noDevice)
		n, err := w.EndDevices(w.ctx(), mine.ID)
		w.must(err)
		equal(t, "ended", n, 0)
		_, err = w.PrincipalByDevice(w.ctx(), device, w.Now())
		w.must(err)
	})

	t.Run("a user has so many logins, and those used last stay", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		u := w.person()
		var devices []id.ID
		for i := range 3 {
			devices = append(devices, w.device(u.ID, fmt.Sprint(i)))
			w.Pass(time.Minute)
		}
		_, err := w.PrincipalByDevice(w.ctx(), devices[0], w.Now())
		w.must(err)
		w.Pass(time.Minute)
		devices = append(devices, w.device(u.ID, "4"))
		got, err := w.Devices(w.ctx(), u.ID, w.Now())
		w.must(err)
		var ids []id.ID
		for _, d := range got {
			ids = append(ids, d.ID)
		}
		equal(t, "logins, the one used last first", ids, []id.ID{devices[3], devices[0], devices[2]})
	})

	t.Run("refresh tokens follow one another", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		device := w.device(w.person().ID, "a")
		equal(t, "a", w.refresh("a", "b"), identity.Granted)
		w.Pass(identity.RefreshGrace)
		equal(t, "a again, its answer was lost", w.refresh("a", "c"), identity.Granted)
		equal(t, "b is good too", w.refresh("b", "d"), identity.Granted)
		equal(t, "c was replaced with b just now", w.refresh("c", "e"), identity.Granted)
		w.Pass(identity.RefreshGrace + time.Millisecond)
		equal(t, "d", w.refresh("d", "f"), identity.Granted)
		_, err := w.PrincipalByDevice(w.ctx(), device, w.Now())
		w.must(err)
		equal(t, "c is used by somebody else", w.refresh("c", "g"), identity.Reused)
		_, err = w.PrincipalByDevice(w.ctx(), device, w.Now())
		w.refused(err, fault.NotFound, noDevice)
		equal(t, "f", w.refresh("f", "h"), identity.Unknown)
	})

	t.Run("a login slides", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		w.device(w.person().ID, "0")
		for i := range 4 {
			w.Pass(identity.LoginTTL - time.Minute)
			equal(t, "refresh", w.refresh(fmt.Sprint(i), fmt.Sprint(i+1)), identity.Granted)
		}
		w.Pass(identity.LoginTTL)
		equal(t, "refresh after the end", w.refresh("4", "5"), identity.Unknown)
	})

	t.Run("the grace time gives out so many tokens", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		w.device(w.person().ID, "a")
		for i := range identity.MaxSiblings {
			equal(t, "refresh", w.refresh("a", fmt.Sprint(i)), identity.Granted)
		}
		equal(t, "one too many", w.refresh("a", "x"), identity.Crowded)
		equal(t, "the last of them", w.refresh("9", "y"), identity.Granted)
	})

	t.Run("use is noted once a minute", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		u := w.person()
		device := w.device(u.ID, "a")
		for _, step := range []struct{ pass, want time.Duration }{{59 * time.Second, 0}, {time.Second, time.Minute}, {59 * time.Second, time.Minute}} {
			w.Pass(step.pass)
			_, err := w.PrincipalByDevice(w.ctx(), device, w.Now())
			w.must(err)
			got, err := w.Devices(w.ctx(), u.ID, w.Now())
			w.must(err)
			equal(t, "seen", got[0].SeenAt, start().Add(step.want))
		}
	})

	t.Run("what is over is removed", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		w.deviceCode()
		w.device(w.User(w.Namespace().OrganizationID, tenant.RoleMember).ID, "a")
		w.refresh("a", "b")
		for _, step := range []struct {
			pass    time.Duration
			removed int
		}{
			{0, 0}, {identity.DeviceCodeTTL + time.Second, 1}, {identity.ReplacedKept, 1}, {identity.LoginTTL, 2}, {identity.LoginTTL, 0},
		} {
			w.Pass(step.pass)
			n, err := w.PurgeExpired(w.ctx(), w.Now().Add(-time.Hour), w.Now(), 100)
			w.must(err)
			equal(t, fmt.Sprintf("removed after %v more", step.pass), n, step.removed)
		}
	})

	t.Run("what happens to logins is in the audit log", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		u := w.person()
		denied := w.deviceCode()
		_, err := w.AnswerDevice(w.ctx(), denied.UserCode, id.ID{}, w.Now())
		w.must(err)
		first := w.device(u.ID, "a")
		w.must(w.EndDevice(w.ctx(), u.ID, first))
		second := w.device(u.ID, "b")
		w.refresh("b", "c")
		w.Pass(identity.RefreshGrace + time.Millisecond)
		w.refresh("b", "d")
		page, err := w.AuditPage(w.ctx(), audit.Filter{Limit: 20})
		w.must(err)
		var got []string
		for _, l := range slices.Backward(page.Links) {
			if l.Action == audit.LogIn && l.Actor.Name != u.Label() {
				t.Errorf("%s was logged in by %q", l.Target.ID, l.Actor.Name)
			}
			if strings.HasPrefix(l.Target.Type, "device") {
				got = append(got, string(l.Action)+" "+l.Target.ID)
			}
			if text := string(l.Before) + string(l.After); strings.Contains(text, denied.UserCode) && l.Action != audit.DenyDevice {
				t.Errorf("%s tells a code: %s", l.Action, text)
			}
		}
		equal(t, "entries", slices.DeleteFunc(got, func(e string) bool { return strings.HasPrefix(e, "device.approve") }), []string{
			"device.deny " + denied.UserCode, "session.login " + first.String(), "device.revoke " + first.String(),
			"session.login " + second.String(), "device.reuse " + second.String(),
		})
	})
}
