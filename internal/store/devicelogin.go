package store

import (
	"context"
	"crypto/sha256"
	"time"

	"github.com/usefloww/flowwd/internal/audit"
	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/identity"
	"github.com/usefloww/flowwd/internal/workflow"
)

// The states of a device code; one that was used has no row.
const (
	devicePending  = "pending"
	deviceApproved = "approved"
	deviceDenied   = "denied"
)

// CreateDeviceCode implements identity.DeviceStore.
func (s *Store) CreateDeviceCode(ctx context.Context, c identity.DeviceCode, perAddress, total int) error {
	return s.write(ctx, "create a device code", func(t *tx) error {
		for _, bound := range []struct {
			limit int
			where string
			args  args
		}{
			{perAddress, `address = ? AND expires_at > ?`, args{c.Address, c.CreatedAt}},
			{total, `expires_at > ?`, args{c.CreatedAt}},
		} {
			var n int
			_, err := t.one(`SELECT COUNT(*) FROM (SELECT 1 FROM device_codes WHERE `+bound.where+` LIMIT ?) AS waiting`, append(bound.args, bound.limit), &n)
			if err != nil {
				return err
			}
			if n >= bound.limit {
				f := fault.New(fault.Limited, "Too many command lines wait to be logged in; try again in some minutes")
				f.RetryAfter = time.Minute
				return f
			}
		}
		_, err := t.exec(`
			INSERT INTO device_codes (hash, user_code, status, name, address, interval_ms, created_at, expires_at)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
			workflow.Hash(c.Hash), c.UserCode, devicePending, c.Name, c.Address, c.Interval.Milliseconds(), c.CreatedAt, c.ExpiresAt)
		if t.unique(err) {
			return fault.Because(err, fault.Conflict, "this user code is taken")
		}
		return err
	})
}

const deviceCodeColumns = `c.hash, c.user_code, c.name, c.address, c.interval_ms, c.created_at, c.expires_at`

func deviceCodeTargets(c *identity.DeviceCode) []any {
	return []any{(*workflow.Hash)(&c.Hash), &c.UserCode, &c.Name, &c.Address, &c.Interval, &c.CreatedAt, &c.ExpiresAt}
}

// readDeviceCode reads the code that waits for an answer.
func readDeviceCode(v *view, userCode string, now time.Time, lock string) (c identity.DeviceCode, err error) {
	found, err := v.one(`SELECT `+deviceCodeColumns+` FROM device_codes c WHERE c.user_code = ? AND c.status = 'pending' AND c.expires_at > ?`+lock,
		args{userCode, now}, deviceCodeTargets(&c)...)
	if err == nil && !found {
		err = fault.New(fault.NotFound, "No command line waits with this code: it was mistyped, has expired or was used already")
	}
	return c, err
}

// WaitingDevice implements identity.DeviceStore.
func (s *Store) WaitingDevice(ctx context.Context, userCode string, now time.Time) (c identity.DeviceCode, err error) {
	err = s.read(ctx, "look up a user code", func(v *view) (err error) {
		c, err = readDeviceCode(v, userCode, now, "")
		return err
	})
	return c, err
}

// AnswerDevice implements identity.DeviceStore.
func (s *Store) AnswerDevice(ctx context.Context, userCode string, user id.ID, now time.Time) (c identity.DeviceCode, err error) {
	err = s.write(ctx, "answer a command line", func(t *tx) (err error) {
		if c, err = readDeviceCode(&t.view, userCode, now, t.conn.dialect.lock("c")); err != nil {
			return err
		}
		status, action := deviceApproved, audit.ApproveDevice
		if user.IsZero() {
			status, action = deviceDenied, audit.DenyDevice
		}
		if _, err := t.exec(`UPDATE device_codes SET status = ?, user_id = ? WHERE hash = ?`, status, user, workflow.Hash(c.Hash)); err != nil {
			return err
		}
		s.record(ctx, t, audit.Entry{
			Action: action, Target: audit.Target{Type: "device_code", ID: c.UserCode},
			After: audit.Snapshot(map[string]any{"name": c.Name, "address": c.Address}),
		})
		return nil
	})
	return c, err
}

// deviceState is a code as a poll finds it.
type deviceState struct {
	identity.DeviceCode
	status   string
	user     id.ID
	polledAt *time.Time
}

// PollDevice implements identity.DeviceStore.
func (s *Store) PollDevice(ctx context.Context, hash [sha256.Size]byte, l identity.NewLogin) (g identity.Grant, err error) {
	err = s.write(ctx, "poll for a command line's login", func(t *tx) error {
		g = identity.Grant{}
		var c deviceState
		found, err := t.one(`
			SELECT `+deviceCodeColumns+`, c.status, c.user_id, c.polled_at FROM device_codes c
			WHERE c.hash = ? AND c.expires_at > ?`+t.conn.dialect.lock("c"), args{workflow.Hash(hash), l.Now},
			append(deviceCodeTargets(&c.DeviceCode), &c.status, &c.user, &c.polledAt)...)
		if err != nil || !found {
			return err
		}
		if c.status == devicePending {
			g.Outcome, err = wait(t, c, l.Now)
			return err
		}
		if _, err := t.exec(`DELETE FROM device_codes WHERE hash = ?`, workflow.Hash(hash)); err != nil {
			return err
		}
		g.Outcome = identity.Refused
		if c.status == deviceApproved {
			g, err = s.logInDevice(ctx, t, c, l)
		}
		return err
	})
	return g, err
}

// wait notes a poll that finds no answer yet.
func wait(t *tx, c deviceState, now time.Time) (identity.Outcome, error) {
	outcome, interval := identity.Waiting, c.Interval
	if c.polledAt != nil && now.Before(c.polledAt.Add(c.Interval-identity.PollTolerance)) {
		outcome, interval = identity.Hasty, c.Interval+identity.IntervalStep
	}
	_, err := t.exec(`UPDATE device_codes SET polled_at = ?, interval_ms = ? WHERE hash = ?`, now, interval.Milliseconds(), workflow.Hash(c.Hash))
	return outcome, err
}

// logInDevice makes the login that a user has approved.
func (s *Store) logInDevice(ctx context.Context, t *tx, c deviceState, l identity.NewLogin) (identity.Grant, error) {
	u, found, err := readUser(&t.view, `u.id = ?`, c.user)
	if err != nil || !found || u.DisabledAt != nil {
		return identity.Grant{Outcome: identity.Refused}, err
	}
	if _, err := s.endDevices(ctx, t, u.ID, l.Max-1); err != nil {
		return identity.Grant{}, err
	}
	_, err = t.exec(`INSERT INTO token_families (`+deviceColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?)`,
		l.Device, u.ID, c.Name, c.Address, l.Now, l.Now, l.ExpiresAt)
	if err == nil {
		err = insertRefreshToken(t, l.Device, l)
	}
	actor := audit.ActorOf(ctx)
	actor.Kind, actor.ID, actor.Name = audit.KindUser, u.ID, u.Label()
	s.record(audit.WithActor(ctx, actor), t, audit.Entry{
		Action: audit.LogIn, Target: audit.Target{Type: "device", ID: l.Device.String()},
		After: audit.Snapshot(map[string]any{"name": c.Name, "address": c.Address}),
	})
	return identity.Grant{Outcome: identity.Granted, User: u, Device: l.Device}, err
}

func insertRefreshToken(t *tx, device id.ID, l identity.NewLogin) error {
	_, err := t.exec(`INSERT INTO refresh_tokens (hash, family_id, created_at) VALUES (?, ?, ?)`, workflow.Hash(l.Token), device, l.Now)
	return err
}

// RefreshDevice implements identity.DeviceStore.
func (s *Store) RefreshDevice(ctx context.Context, token [sha256.Size]byte, l identity.NewLogin, grace time.Duration) (g identity.Grant, err error) {
	err = s.write(ctx, "refresh a command line's login", func(t *tx) error {
		g = identity.Grant{}
		r, err := lockRefreshToken(t, token)
		if err != nil || !r.found || !r.device.ExpiresAt.After(l.Now) {
			return err
		}
		if r.replacedAt != nil && l.Now.Sub(*r.replacedAt) > grace {
			g.Outcome = identity.Reused
			return s.endDevice(ctx, t, r.device, audit.ReuseRefreshToken)
		}
		u, found, err := readUser(&t.view, `u.id = ?`, r.device.UserID)
		if err != nil || !found || u.DisabledAt != nil {
			return err
		}
		if g.Outcome, err = replace(t, r, l); err == nil && g.Outcome == identity.Granted {
			g.User, g.Device = u, r.device.ID
		}
		return err
	})
	return g, err
}

// replace gives out the next token of a login. All tokens that were good are
// replaced with the one that was shown, so that one line goes on; but when that
// one was replaced before, nobody knows which of its successors has arrived, and
// they stay good.
func replace(t *tx, r refreshToken, l identity.NewLogin) (identity.Outcome, error) {
	if r.replacedAt == nil {
		if _, err := t.exec(`UPDATE refresh_tokens SET replaced_at = ? WHERE family_id = ? AND replaced_at IS NULL`, l.Now, r.device.ID); err != nil {
			return 0, err
		}
	} else {
		var good int
		if _, err := t.one(`SELECT COUNT(*) FROM refresh_tokens WHERE family_id = ? AND replaced_at IS NULL`, args{r.device.ID}, &good); err != nil {
			return 0, err
		}
		if good >= identity.MaxSiblings {
			return identity.Crowded, nil
		}
	}
	if err := insertRefreshToken(t, r.device.ID, l); err != nil {
		return 0, err
	}
	_, err := t.exec(`UPDATE token_families SET seen_at = ?, expires_at = ? WHERE id = ?`, l.Now, l.ExpiresAt, r.device.ID)
	return identity.Granted, err
}
