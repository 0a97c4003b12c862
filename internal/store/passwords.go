package store

import (
	"context"
	"time"

	"github.com/usefloww/flowwd/internal/audit"
	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/identity"
	"github.com/usefloww/flowwd/internal/identity/password"
	"github.com/usefloww/flowwd/internal/workflow"
)

// UserByLogin implements password.Store.
func (s *Store) UserByLogin(ctx context.Context, login string) (u identity.User, hash string, err error) {
	err = s.read(ctx, "look up a login", func(v *view) error {
		found, err := v.one(`SELECT `+userColumns+`, u.password_hash FROM users u WHERE u.login = ?`,
			args{login}, append(userTargets(&u), &hash)...)
		if err == nil && !found {
			err = userNotFound()
		}
		return err
	})
	return u, hash, err
}

// PasswordOf implements password.Store.
func (s *Store) PasswordOf(ctx context.Context, user id.ID) (hash string, err error) {
	err = s.read(ctx, "read a password", func(v *view) error {
		found, err := v.one(`SELECT password_hash FROM users WHERE id = ?`, args{user}, &hash)
		if err == nil && !found {
			err = userNotFound()
		}
		return err
	})
	return hash, err
}

// HasAccounts implements password.Store.
func (s *Store) HasAccounts(ctx context.Context) (some bool, err error) {
	err = s.read(ctx, "look for accounts", func(v *view) (err error) {
		some, err = hasAccounts(v)
		return err
	})
	return some, err
}

func hasAccounts(v *view) (bool, error) {
	var one int
	return v.one(`SELECT 1 FROM users WHERE provider = ? LIMIT 1`, args{password.Name}, &one)
}

// The purposes of links.
const (
	linkSetUp    = "setup"
	linkPassword = "password"
)

func userTarget(user id.ID) audit.Target { return audit.Target{Type: "user", ID: user.String()} }

// CreateLink implements password.Store.
func (s *Store) CreateLink(ctx context.Context, l password.Link) error {
	return s.write(ctx, "create a link", func(t *tx) error {
		if l.UserID.IsZero() {
			return insertLink(t, l)
		}
		s.record(ctx, t, audit.Entry{Action: audit.LinkPassword, Target: userTarget(l.UserID)})
		return insertLink(t, l)
	})
}

func insertLink(t *tx, l password.Link) error {
	purpose := linkSetUp
	if !l.UserID.IsZero() {
		purpose = linkPassword
		if err := removeLinks(t, l.UserID); err != nil {
			return err
		}
	}
	_, err := t.exec(`INSERT INTO one_time_links (hash, purpose, user_id, created_at, expires_at) VALUES (?, ?, ?, ?, ?)`,
		workflow.Hash(l.Hash), purpose, l.UserID, l.CreatedAt, l.ExpiresAt)
	if t.foreign(err) {
		return userNotFound()
	}
	return err
}

func removeLinks(t *tx, user id.ID) error {
	_, err := t.exec(`DELETE FROM one_time_links WHERE user_id = ?`, user)
	return err
}

func linkNotFound() error { return fault.New(fault.NotFound, "Link not found") }

// readLink returns the user of a link that is not over.
func readLink(v *view, link password.Hash, purpose string, now time.Time) (user id.ID, err error) {
	found, err := v.one(`SELECT user_id FROM one_time_links WHERE hash = ? AND purpose = ? AND expires_at > ?`,
		args{workflow.Hash(link), purpose, now}, &user)
	if err == nil && !found {
		err = linkNotFound()
	}
	return user, err
}

// LinkUser implements password.Store.
func (s *Store) LinkUser(ctx context.Context, link password.Hash, now time.Time) (u identity.User, err error) {
	err = s.read(ctx, "look up a link", func(v *view) error {
		user, err := readLink(v, link, linkPassword, now)
		if err != nil {
			return err
		}
		u, _, err = readUser(v, `u.id = ?`, user)
		return err
	})
	return u, err
}

// CheckSetUpLink implements password.Store.
func (s *Store) CheckSetUpLink(ctx context.Context, link password.Hash, now time.Time) error {
	return s.read(ctx, "look up a link", func(v *view) error {
		_, err := readLink(v, link, linkSetUp, now)
		return err
	})
}

// SetUp implements password.Store.
func (s *Store) SetUp(ctx context.Context, a identity.Arrival, hash string, link *password.Hash) (p identity.Principal, err error) {
	err = s.write(ctx, "make the first account", func(t *tx) error {
		// The lock makes others wait that want to be the first as well.
		var home id.ID
		if _, err := t.one(`SELECT o.id FROM organizations o WHERE o.is_default = true AND o.is_default`+t.conn.dialect.lock("o"), nil, &home); err != nil {
			return err
		}
		some, err := hasAccounts(&t.view)
		if err != nil {
			return err
		}
		if some {
			return fault.New(fault.Conflict, "Setup already completed")
		}
		if link != nil {
			if _, err := readLink(&t.view, *link, linkSetUp, a.User.CreatedAt); err != nil {
				return err
			}
		}
		if _, err := t.exec(`DELETE FROM one_time_links WHERE user_id IS NULL`); err != nil {
			return err
		}
		p, err = s.makeAccount(ctx, t, a, hash)
		return err
	})
	return p, err
}

// makeAccount makes a user with all that comes with it.
func (s *Store) makeAccount(ctx context.Context, t *tx, a identity.Arrival, hash string) (identity.Principal, error) {
	made, err := insertUser(t, a.User, hash)
	if err == nil && made {
		err = s.settle(ctx, t, a)
	}
	if err != nil {
		return identity.Principal{}, err
	}
	return readPrincipal(&t.view, `u.id = ?`, a.User.ID)
}

// CreateAccount implements password.Store.
func (s *Store) CreateAccount(ctx context.Context, a identity.Arrival, l password.Link) (p identity.Principal, err error) {
	err = s.write(ctx, "make an account", func(t *tx) (err error) {
		if p, err = s.makeAccount(ctx, t, a, ""); err != nil {
			return err
		}
		s.record(ctx, t, audit.Entry{Action: audit.LinkPassword, Target: userTarget(l.UserID)})
		return insertLink(t, l)
	})
	return p, err
}

// ChoosePassword implements password.Store.
func (s *Store) ChoosePassword(ctx context.Context, link password.Hash, hash string, now time.Time) (p identity.Principal, err error) {
	err = s.write(ctx, "choose a password", func(t *tx) error {
		var user id.ID
		used, err := t.change(`DELETE FROM one_time_links WHERE hash = ? AND purpose = ? AND expires_at > ? RETURNING user_id`,
			args{workflow.Hash(link), linkPassword, now}, &user)
		if err != nil {
			return err
		}
		if !used {
			return linkNotFound()
		}
		if err := s.setPassword(ctx, t, user, hash, id.ID{}, now); err != nil {
			return err
		}
		p, err = readPrincipal(&t.view, `u.id = ?`, user)
		return err
	})
	return p, err
}

// ChangePassword implements password.Store.
func (s *Store) ChangePassword(ctx context.Context, user id.ID, old, hash string, but id.ID, now time.Time) error {
	return s.write(ctx, "change a password", func(t *tx) error {
		var is string
		if _, err := t.one(`SELECT u.password_hash FROM users u WHERE u.id = ?`+t.conn.dialect.lock("u"), args{user}, &is); err != nil {
			return err
		}
		if is != old {
			return fault.New(fault.Conflict, "The password was changed meanwhile")
		}
		return s.setPassword(ctx, t, user, hash, but, now)
	})
}

// setPassword stores a password and ends what was begun with the one before.
func (s *Store) setPassword(ctx context.Context, t *tx, user id.ID, hash string, but id.ID, now time.Time) error {
	if _, err := t.exec(`UPDATE users SET password_hash = ?, updated_at = ? WHERE id = ?`, hash, now, user); err != nil {
		return err
	}
	if err := removeLinks(t, user); err != nil {
		return err
	}
	s.record(ctx, t, audit.Entry{Action: audit.ChangePassword, Target: userTarget(user)})
	if _, err := s.endSessions(ctx, t, user, but); err != nil {
		return err
	}
	_, err := s.endDevices(ctx, t, user, 0)
	return err
}
