package store

import (
	"context"
	"time"

	"github.com/usefloww/flowwd/internal/audit"
	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/identity"
	"github.com/usefloww/flowwd/internal/tenant"
)

const userColumns = `u.id, u.provider, u.subject, u.login, u.email, u.first_name, u.last_name, u.is_admin,
	u.created_at, u.updated_at, u.seen_at, u.disabled_at`

func userTargets(u *identity.User) []any {
	return []any{&u.ID, &u.Provider, &u.Subject, &u.Login, &u.Email, &u.FirstName, &u.LastName, &u.Admin,
		&u.CreatedAt, &u.UpdatedAt, &u.SeenAt, &u.DisabledAt}
}

func userNotFound() error { return fault.New(fault.NotFound, "User not found") }

// readUser reads the user that a condition on u names.
func readUser(v *view, where string, values ...any) (u identity.User, found bool, err error) {
	found, err = v.one(`SELECT `+userColumns+` FROM users u WHERE `+where, values, userTargets(&u)...)
	return u, found, err
}

// User implements identity.UserStore.
func (s *Store) User(ctx context.Context, user id.ID) (identity.User, error) {
	var u identity.User
	err := s.read(ctx, "read a user", func(v *view) (err error) {
		found := false
		if u, found, err = readUser(v, `u.id = ?`, user); err == nil && !found {
			err = userNotFound()
		}
		return err
	})
	return u, err
}

// CountUsers implements identity.UserStore.
func (s *Store) CountUsers(ctx context.Context) (n int, err error) {
	err = s.read(ctx, "count the users", func(v *view) error {
		_, err := v.one(`SELECT COUNT(*) FROM users`, nil, &n)
		return err
	})
	return n, err
}

// PrincipalByIdentity implements identity.UserStore.
func (s *Store) PrincipalByIdentity(ctx context.Context, provider, subject string, now time.Time) (identity.Principal, error) {
	return s.userPrincipal(ctx, now, `u.provider = ? AND u.subject = ?`, provider, subject)
}

// PrincipalByUser implements identity.UserStore.
func (s *Store) PrincipalByUser(ctx context.Context, user id.ID, now time.Time) (identity.Principal, error) {
	return s.userPrincipal(ctx, now, `u.id = ?`, user)
}

func (s *Store) userPrincipal(ctx context.Context, now time.Time, where string, values ...any) (identity.Principal, error) {
	var p identity.Principal
	err := s.glance(ctx, "look up a user", func(v *view) (err error) {
		p, err = readPrincipal(v, where, values...)
		return err
	})
	if err != nil {
		return identity.Principal{}, err
	}
	if seen := p.User.SeenAt; seen == nil || !seen.After(now.Add(-useInterval)) {
		s.noteUse(ctx, "note the use of a login",
			`UPDATE users SET seen_at = ? WHERE id = ? AND (seen_at IS NULL OR seen_at <= ?)`, now, p.ID, now.Add(-useInterval))
	}
	return p, nil
}

// readPrincipal reads a user that is not disabled, with all that decides what
// it may do.
func readPrincipal(v *view, where string, values ...any) (identity.Principal, error) {
	p, found, err := readPrincipalOf(v, `users u`, ``, where, values)
	switch {
	case err != nil:
		return identity.Principal{}, err
	case !found:
		return identity.Principal{}, userNotFound()
	}
	return p, refuseDisabled(p.User)
}

func refuseDisabled(u identity.User) error {
	if u.DisabledAt == nil {
		return nil
	}
	return fault.New(fault.Denied, "This account is disabled; an administrator can enable it again")
}

// readPrincipalOf reads the user u of some tables with all that decides what it
// may do, and more of their columns: in one statement, for every request makes
// it.
func readPrincipalOf(v *view, tables, columns, where string, values args, more ...any) (p identity.Principal, found bool, err error) {
	p.Kind = identity.Human
	err = v.each(`
		SELECT `+userColumns+`, o.id, o.disabled_at, m.role, g.resource_type, g.resource_id, g.role`+columns+`
		FROM `+tables+`
		LEFT JOIN organization_members m ON m.user_id = u.id
		LEFT JOIN organizations o ON o.id = m.organization_id AND o.deleted_at IS NULL
		LEFT JOIN grants g ON g.principal_id = u.id AND g.principal_type = 'user' AND g.organization_id = o.id
		WHERE `+where+` ORDER BY m.organization_id, g.resource_id`, values, func(scan scanner) error {
		found = true
		var m tenant.Membership
		var g grantColumn
		var role string
		var disabled *time.Time
		into := append(userTargets(&p.User), &m.OrganizationID, &disabled, &role, &g.kind, &g.id, &g.role)
		if err := scan(append(into, more...)...); err != nil || m.OrganizationID.IsZero() {
			return err
		}
		if disabled != nil {
			if n := len(p.Disabled); n == 0 || p.Disabled[n-1] != m.OrganizationID {
				p.Disabled = append(p.Disabled, m.OrganizationID)
			}
			return nil
		}
		m.Role = tenant.RoleNamed(role)
		if n := len(p.Memberships); n == 0 || p.Memberships[n-1] != m {
			p.Memberships = append(p.Memberships, m)
		}
		g.add(&p)
		return nil
	})
	p.ID, p.CreatedAt, p.Admin = p.User.ID, p.User.CreatedAt, p.User.Admin
	return p, found, err
}

// Welcome implements identity.UserStore.
func (s *Store) Welcome(ctx context.Context, a identity.Arrival) (identity.Principal, error) {
	var p identity.Principal
	err := s.write(ctx, "make a user", func(t *tx) error {
		made, err := insertUser(t, a.User, "")
		if err == nil && made {
			err = s.settle(ctx, t, a)
		}
		if err != nil {
			return err
		}
		p, err = readPrincipal(&t.view, `u.provider = ? AND u.subject = ?`, a.User.Provider, a.User.Subject)
		return err
	})
	return p, err
}

// insertUser makes a user and reports whether there was none with this identity.
// The password is a hash; empty for none.
func insertUser(t *tx, u identity.User, password string) (bool, error) {
	n, err := t.exec(`
		INSERT INTO users (id, provider, subject, login, email, first_name, last_name, password_hash, is_admin, created_at, updated_at, seen_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (provider, subject) DO NOTHING`,
		u.ID, u.Provider, u.Subject, optionalText(u.Login), u.Email, u.FirstName, u.LastName, optionalText(password), u.Admin,
		u.CreatedAt, u.UpdatedAt, u.SeenAt)
	if t.unique(err) {
		return false, fault.Because(err, fault.Conflict, "There is an account with this name already")
	}
	return n > 0, err
}

// settle gives a new user its organization.
func (s *Store) settle(ctx context.Context, t *tx, a identity.Arrival) error {
	s.record(ctx, t, audit.Entry{
		Action: audit.CreateUser, Target: audit.Target{Type: "user", ID: a.User.ID.String()},
		After: audit.Snapshot(map[string]any{"provider": a.User.Provider, "subject": a.User.Subject, "email": a.User.Email, "admin": a.User.Admin}),
	})
	var home id.ID
	// The lock makes others wait that could become the first as well.
	found, err := t.one(`SELECT o.id FROM organizations o WHERE o.is_default = true AND o.is_default AND o.deleted_at IS NULL`+t.conn.dialect.lock("o"), nil, &home)
	if err != nil {
		return err
	}
	var one int
	first := false
	if found {
		// Others that were here before have their own organizations, also when the
		// default one was deleted and made anew.
		taken, err := t.one(`
			SELECT 1 FROM organization_members WHERE organization_id = ?
			UNION ALL SELECT 1 FROM users WHERE id <> ? LIMIT 1`, args{home, a.User.ID}, &one)
		if err != nil {
			return err
		}
		first = !taken
	}
	switch {
	case first:
		return s.join(ctx, t, home, a.User.ID, tenant.RoleOwner, a.User.CreatedAt)
	case a.JoinDefault && found:
		return s.join(ctx, t, home, a.User.ID, a.JoinRole, a.User.CreatedAt)
	}
	if err := s.makeOrganization(ctx, t, a.Organization, a.Namespace); err != nil {
		return err
	}
	return s.join(ctx, t, a.Organization.ID, a.User.ID, tenant.RoleOwner, a.User.CreatedAt)
}

// makeOrganization stores an organization with its namespace.
func (s *Store) makeOrganization(ctx context.Context, t *tx, o tenant.Organization, n tenant.Namespace) error {
	s.record(ctx, t, audit.Entry{
		OrganizationID: o.ID, Action: audit.CreateOrganization, Target: audit.Target{Type: "organization", ID: o.ID.String()},
		After: audit.Snapshot(map[string]any{"name": o.Name, "displayName": o.DisplayName}),
	})
	return insertOrganization(t, o, n)
}

// join makes a user a member.
func (s *Store) join(ctx context.Context, t *tx, organization, user id.ID, role tenant.Role, at time.Time) error {
	_, err := t.exec(`INSERT INTO organization_members (organization_id, user_id, role, created_at) VALUES (?, ?, ?, ?)`,
		organization, user, role.String(), at)
	if t.unique(err) {
		return fault.Because(err, fault.Conflict, "User is already a member of this organization")
	}
	s.record(ctx, t, audit.Entry{
		OrganizationID: organization, Action: audit.AddMember, Target: audit.Target{Type: "user", ID: user.String()},
		After: audit.Snapshot(map[string]any{"role": role.String()}),
	})
	return err
}

// UpdateProfile implements identity.UserStore.
func (s *Store) UpdateProfile(ctx context.Context, user id.ID, p identity.Profile, at time.Time) error {
	return s.write(ctx, "update a profile", func(t *tx) error {
		_, err := t.exec(`
			UPDATE users SET email = COALESCE(?, email), first_name = COALESCE(?, first_name), last_name = COALESCE(?, last_name), updated_at = ?
			WHERE id = ?`, optionalText(p.Email), optionalText(p.FirstName), optionalText(p.LastName), at, user)
		return err
	})
}
