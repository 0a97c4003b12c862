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

const deviceColumns = `id, user_id, name, address, created_at, seen_at, expires_at`

func deviceTargets(d *identity.Device) []any {
	return []any{&d.ID, &d.UserID, &d.Name, &d.Address, &d.CreatedAt, &d.SeenAt, &d.ExpiresAt}
}

func deviceNotFound() error {
	return fault.New(fault.NotFound, "There is no command line logged in with this id")
}

// PrincipalByDevice implements identity.DeviceStore.
func (s *Store) PrincipalByDevice(ctx context.Context, device id.ID, now time.Time) (identity.Principal, error) {
	var p identity.Principal
	var seen time.Time
	err := s.glance(ctx, "look up a command line's login", func(v *view) (err error) {
		found := false
		p, found, err = readPrincipalOf(v, `token_families f JOIN users u ON u.id = f.user_id`, `, f.seen_at`,
			`f.id = ? AND f.expires_at > ?`, args{device, now}, &seen)
		switch {
		case err != nil:
			return err
		case !found:
			return deviceNotFound()
		}
		return refuseDisabled(p.User)
	})
	if err != nil {
		return identity.Principal{}, err
	}
	p.FamilyID = device
	if !seen.After(now.Add(-useInterval)) {
		s.noteUse(ctx, "note the use of a command line's login",
			`UPDATE token_families SET seen_at = ? WHERE id = ? AND seen_at <= ?`, now, device, now.Add(-useInterval))
	}
	return p, nil
}

// Devices implements identity.DeviceStore.
func (s *Store) Devices(ctx context.Context, user id.ID, now time.Time) ([]identity.Device, error) {
	var found []identity.Device
	err := s.read(ctx, "list a user's command lines", func(v *view) error {
		return v.each(`
			SELECT `+deviceColumns+` FROM token_families WHERE user_id = ? AND expires_at > ?
			ORDER BY seen_at DESC, id DESC LIMIT ?`, args{user, now, identity.MaxDevices}, func(scan scanner) error {
			var d identity.Device
			err := scan(deviceTargets(&d)...)
			found = append(found, d)
			return err
		})
	})
	return found, err
}

// EndDevice implements identity.DeviceStore.
func (s *Store) EndDevice(ctx context.Context, user, device id.ID) error {
	return s.write(ctx, "end a command line's login", func(t *tx) error {
		d, found, err := lockDevice(t, device)
		if err == nil && (!found || d.UserID != user) {
			err = deviceNotFound()
		}
		if err != nil {
			return err
		}
		return s.endDevice(ctx, t, d, audit.RevokeDevice)
	})
}

// EndDeviceOf implements identity.DeviceStore.
func (s *Store) EndDeviceOf(ctx context.Context, token [sha256.Size]byte) error {
	return s.write(ctx, "end the login of a refresh token", func(t *tx) error {
		r, err := lockRefreshToken(t, token)
		if err != nil || !r.found {
			return err
		}
		return s.endDevice(ctx, t, r.device, audit.RevokeDevice)
	})
}

// EndDevices implements identity.DeviceStore.
func (s *Store) EndDevices(ctx context.Context, user id.ID) (ended int, err error) {
	err = s.write(ctx, "end a user's command lines' logins", func(t *tx) error {
		ended, err = s.endDevices(ctx, t, user, 0)
		return err
	})
	return ended, err
}

// endDevices ends a user's logins but for those that were used last, and
// returns how many.
func (s *Store) endDevices(ctx context.Context, t *tx, user id.ID, keep int) (int, error) {
	var all []identity.Device
	err := t.each(`SELECT `+deviceColumns+` FROM token_families f WHERE user_id = ? ORDER BY seen_at DESC, id DESC`+t.conn.dialect.lock("f"),
		args{user}, func(scan scanner) error {
			var d identity.Device
			err := scan(deviceTargets(&d)...)
			all = append(all, d)
			return err
		})
	if err != nil || len(all) <= keep {
		return 0, err
	}
	for _, d := range all[keep:] {
		if err := s.endDevice(ctx, t, d, audit.RevokeDevice); err != nil {
			return 0, err
		}
	}
	return len(all) - keep, nil
}

func lockDevice(t *tx, device id.ID) (d identity.Device, found bool, err error) {
	found, err = t.one(`SELECT `+deviceColumns+` FROM token_families f WHERE f.id = ?`+t.conn.dialect.lock("f"), args{device}, deviceTargets(&d)...)
	return d, found, err
}

// endDevice removes a locked login with its tokens: no access token of it is
// taken any more, on any server.
func (s *Store) endDevice(ctx context.Context, t *tx, d identity.Device, why audit.Action) error {
	if _, err := t.exec(`DELETE FROM refresh_tokens WHERE family_id = ?`, d.ID); err != nil {
		return err
	}
	if _, err := t.exec(`DELETE FROM token_families WHERE id = ?`, d.ID); err != nil {
		return err
	}
	t.notices.principals[d.UserID] = true
	s.record(ctx, t, audit.Entry{
		Action: why, Target: audit.Target{Type: "device", ID: d.ID.String()},
		Before: audit.Snapshot(map[string]any{"user": d.UserID.String(), "name": d.Name, "address": d.Address}),
	})
	return nil
}

// refreshToken is a token with its login, both locked by the login's row.
type refreshToken struct {
	found      bool
	device     identity.Device
	replacedAt *time.Time
}

// lockRefreshToken locks the login first and reads the token then: whoever
// waited for the lock must see what the other one did.
func lockRefreshToken(t *tx, hash [sha256.Size]byte) (r refreshToken, err error) {
	var device id.ID
	r.found, err = t.one(`SELECT family_id FROM refresh_tokens WHERE hash = ?`, args{workflow.Hash(hash)}, &device)
	if err != nil || !r.found {
		return r, err
	}
	if r.device, r.found, err = lockDevice(t, device); err != nil || !r.found {
		return r, err
	}
	r.found, err = t.one(`SELECT replaced_at FROM refresh_tokens WHERE hash = ?`, args{workflow.Hash(hash)}, &r.replacedAt)
	return r, err
}
