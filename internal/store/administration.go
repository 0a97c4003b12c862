package store

import (
	"context"
	"strings"

	"github.com/usefloww/flowwd/internal/audit"
	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/identity"
)

// UsersPage implements identity.AdministrationStore.
func (s *Store) UsersPage(ctx context.Context, f identity.UserFilter) (identity.UserPage, error) {
	// By id, which is by time; the condition has the primary key be walked.
	where, values := ` WHERE u.id > ?`, args{edge(id.ID{})}
	if wanted, err := id.Parse(f.Search); err == nil {
		where, values = ` WHERE u.id = ?`, args{wanted}
	} else if f.Search != "" {
		pattern := "%" + escapeLike(strings.ToLower(f.Search)) + "%"
		where += ` AND (LOWER(u.email) LIKE ? ESCAPE '\' OR u.login LIKE ? ESCAPE '\' OR LOWER(u.subject) LIKE ? ESCAPE '\'
			OR LOWER(u.first_name || ' ' || u.last_name) LIKE ? ESCAPE '\')`
		values = append(values, pattern, pattern, pattern, pattern)
	}
	var page identity.UserPage
	err := s.read(ctx, "list users", func(v *view) error {
		page = identity.UserPage{}
		if _, err := v.one(`SELECT COUNT(*) FROM users u`+where, values, &page.Total); err != nil {
			return err
		}
		return v.each(`SELECT `+userColumns+` FROM users u`+where+` ORDER BY u.id DESC LIMIT ? OFFSET ?`,
			append(values, f.Limit, f.Offset), func(scan scanner) error {
				var u identity.User
				err := scan(userTargets(&u)...)
				page.Users = append(page.Users, u)
				return err
			})
	})
	return page, err
}

// ChangeUser implements identity.AdministrationStore.
func (s *Store) ChangeUser(ctx context.Context, user id.ID, c identity.UserChange) (identity.User, error) {
	var u identity.User
	err := s.write(ctx, "change a user", func(t *tx) error {
		// All administrators are locked, in one order, so that two who take each
		// other's approval away leave one.
		admins, err := lockAdmins(t)
		if err != nil {
			return err
		}
		before, err := lockUser(t, user)
		if err != nil {
			return err
		}
		if loses := c.Admin != nil && !*c.Admin || c.Disabled != nil && *c.Disabled; loses && administers(before, c) {
			if err := othersAdminister(t, before, admins, c); err != nil {
				return err
			}
		}
		if err := s.applyUserChange(ctx, t, before, c); err != nil {
			return err
		}
		t.notices.principals[user] = true
		u, _, err = readUser(&t.view, `u.id = ?`, user)
		return err
	})
	return u, err
}

// lockAdmins returns the administrators that the store knows and that are not
// disabled.
func lockAdmins(t *tx) ([]id.ID, error) {
	return t.ids(`SELECT u.id FROM users u WHERE u.is_admin AND u.disabled_at IS NULL ORDER BY u.id`+t.conn.dialect.lock("u"), nil)
}

func lockUser(t *tx, user id.ID) (identity.User, error) {
	u, found, err := readUser(&t.view, `u.id = ?`+t.conn.dialect.lock("u"), user)
	if err == nil && !found {
		err = userNotFound()
	}
	return u, err
}

// administers reports whether somebody is an administrator now.
func administers(u identity.User, c identity.UserChange) bool {
	return u.DisabledAt == nil && (u.Admin || c.Approves(u))
}

// othersAdminister returns a fault when nobody but u is an administrator.
func othersAdminister(t *tx, u identity.User, admins []id.ID, c identity.UserChange) error {
	for _, admin := range admins {
		if admin != u.ID {
			return nil
		}
	}
	for _, name := range c.Approved {
		where, value := `u.provider = ? AND u.subject = ?`, []any{c.Provider, name}
		if parsed, err := id.Parse(name); err == nil {
			where, value = `u.id = ?`, []any{parsed}
		}
		other, found, err := readUser(&t.view, where, value...)
		if err != nil {
			return err
		}
		if found && other.DisabledAt == nil && other.ID != u.ID {
			return nil
		}
	}
	return fault.New(fault.Conflict, "This is the last administrator; make somebody else one before")
}

// applyUserChange stores and records what differs.
func (s *Store) applyUserChange(ctx context.Context, t *tx, before identity.User, c identity.UserChange) error {
	if c.Admin != nil && *c.Admin != before.Admin {
		action := audit.UnmakeAdmin
		if *c.Admin {
			action = audit.MakeAdmin
		}
		s.record(ctx, t, audit.Entry{Action: action, Target: userTarget(before.ID)})
		if _, err := t.exec(`UPDATE users SET is_admin = ?, updated_at = ? WHERE id = ?`, *c.Admin, c.At, before.ID); err != nil {
			return err
		}
	}
	if c.Disabled == nil || *c.Disabled == (before.DisabledAt != nil) {
		return nil
	}
	if !*c.Disabled {
		s.record(ctx, t, audit.Entry{Action: audit.EnableUser, Target: userTarget(before.ID)})
		_, err := t.exec(`UPDATE users SET disabled_at = NULL, updated_at = ? WHERE id = ?`, c.At, before.ID)
		return err
	}
	s.record(ctx, t, audit.Entry{Action: audit.DisableUser, Target: userTarget(before.ID)})
	if _, err := t.exec(`UPDATE users SET disabled_at = ?, updated_at = ? WHERE id = ?`, c.At, c.At, before.ID); err != nil {
		return err
	}
	_, err := s.endLogins(ctx, t, before.ID)
	return err
}

// SignOutUser implements identity.AdministrationStore.
func (s *Store) SignOutUser(ctx context.Context, user id.ID) (ended int, err error) {
	err = s.write(ctx, "sign a user out", func(t *tx) (err error) {
		if _, err := lockUser(t, user); err != nil {
			return err
		}
		t.notices.principals[user] = true
		s.record(ctx, t, audit.Entry{Action: audit.SignOutUser, Target: userTarget(user)})
		ended, err = s.endLogins(ctx, t, user)
		return err
	})
	return ended, err
}

// endLogins ends all sessions of a user and the logins of command lines.
func (s *Store) endLogins(ctx context.Context, t *tx, user id.ID) (int, error) {
	sessions, err := s.endSessions(ctx, t, user, id.ID{})
	if err != nil {
		return 0, err
	}
	devices, err := s.endDevices(ctx, t, user, 0)
	return sessions + devices, err
}
