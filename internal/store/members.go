package store

import (
	"context"
	"strings"
	"time"

	"github.com/usefloww/flowwd/internal/audit"
	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/tenant"
)

// maxMemberships bounds the organizations that somebody is a member of, for
// they are read with each request.
const maxMemberships = 500

const memberColumns = `m.organization_id, m.role, m.created_at,
	u.id, u.provider, u.subject, u.email, u.first_name, u.last_name, u.created_at`

func scanMember(scan scanner) (tenant.Member, error) {
	var m tenant.Member
	var role string
	p := &m.Person
	err := scan(&m.OrganizationID, &role, &m.CreatedAt, &p.ID, &p.Provider, &p.Subject, &p.Email, &p.FirstName, &p.LastName, &p.CreatedAt)
	m.Role = tenant.RoleNamed(role)
	return m, err
}

// Members implements tenant.Store.
func (s *Store) Members(ctx context.Context, organization id.ID, limit, offset int) ([]tenant.Member, error) {
	var found []tenant.Member
	err := s.read(ctx, "list members", func(v *view) error {
		return v.each(`
			SELECT `+memberColumns+` FROM organization_members m JOIN users u ON u.id = m.user_id
			WHERE m.organization_id = ? ORDER BY m.created_at DESC, m.user_id DESC LIMIT ? OFFSET ?`,
			args{organization, limit, offset}, func(scan scanner) error {
				m, err := scanMember(scan)
				found = append(found, m)
				return err
			})
	})
	return found, err
}

// FindMembers implements tenant.Store.
func (s *Store) FindMembers(ctx context.Context, organizations []id.ID, contains string, limit int) ([]tenant.Member, error) {
	pattern := "%" + escapeLike(strings.ToLower(contains)) + "%"
	list, values := in(organizations)
	var found []tenant.Member
	err := s.read(ctx, "find members", func(v *view) error {
		found = nil
		return v.each(`
			SELECT `+memberColumns+` FROM organization_members m JOIN users u ON u.id = m.user_id
			WHERE m.organization_id IN `+list+` AND (LOWER(u.email) LIKE ? ESCAPE '\' OR LOWER(u.first_name || ' ' || u.last_name) LIKE ? ESCAPE '\')
			ORDER BY u.email, m.user_id, m.organization_id LIMIT ?`,
			append(values, pattern, pattern, limit), func(scan scanner) error {
				m, err := scanMember(scan)
				found = append(found, m)
				return err
			})
	})
	return found, err
}

func readMember(v *view, organization, user id.ID) (tenant.Member, error) {
	var m tenant.Member
	found := false
	err := v.each(`SELECT `+memberColumns+` FROM organization_members m JOIN users u ON u.id = m.user_id
		WHERE m.organization_id = ? AND m.user_id = ?`, args{organization, user}, func(scan scanner) (err error) {
		found = true
		m, err = scanMember(scan)
		return err
	})
	if err == nil && !found {
		err = fault.New(fault.NotFound, "Member not found")
	}
	return m, err
}

// roleOf returns what a user or a service account is in an organization now.
func roleOf(v *view, organization, who id.ID) (tenant.Role, error) {
	var role string
	_, err := v.one(`
		SELECT m.role FROM organization_members m JOIN users u ON u.id = m.user_id
			WHERE m.organization_id = ? AND m.user_id = ? AND u.disabled_at IS NULL
		UNION ALL SELECT a.role FROM service_accounts a WHERE a.organization_id = ? AND a.id = ?`,
		args{organization, who, organization, who}, &role)
	return tenant.RoleNamed(role), err
}

// ownedByOthers reports whether somebody else owns an organization and can log
// in.
func ownedByOthers(v *view, organization, user id.ID) (bool, error) {
	var one int
	return v.one(`SELECT 1 FROM organization_members m JOIN users u ON u.id = m.user_id
		WHERE m.organization_id = ? AND m.role = 'owner' AND m.user_id <> ? AND u.disabled_at IS NULL LIMIT 1`,
		args{organization, user}, &one)
}

// SetMember gives a user a role in an organization, whoever asks: it is for
// whoever runs the installation.
func (s *Store) SetMember(ctx context.Context, organization, user id.ID, role tenant.Role, at time.Time) error {
	return s.write(ctx, "set a member", func(t *tx) error {
		if _, err := lockOrganization(t, organization); err != nil {
			return err
		}
		m, err := readMember(&t.view, organization, user)
		c := tenant.MemberChange{OrganizationID: organization, UserID: user, Role: role, At: at}
		if fault.Is(err, fault.NotFound) {
			return s.admit(ctx, t, c)
		}
		if err != nil {
			return err
		}
		return s.setRole(ctx, t, c, m.Role)
	})
}

// AdmitMember implements tenant.Store.
func (s *Store) AdmitMember(ctx context.Context, c tenant.MemberChange) (tenant.Member, error) {
	var m tenant.Member
	err := s.write(ctx, "admit a member", func(t *tx) error {
		if _, err := lockOrganization(t, c.OrganizationID); err != nil {
			return err
		}
		caller, err := roleOf(&t.view, c.OrganizationID, c.CallerID)
		if err != nil {
			return err
		}
		if err := c.Check(caller, tenant.RoleNone, false); err != nil {
			return err
		}
		var one int
		known, err := t.one(`SELECT 1 FROM users WHERE id = ?`, args{c.UserID}, &one)
		switch {
		case err != nil:
			return err
		case !known:
			return userNotFound()
		}
		if err := s.admit(ctx, t, c); err != nil {
			return err
		}
		m, err = readMember(&t.view, c.OrganizationID, c.UserID)
		return err
	})
	return m, err
}

// admit makes a user a member, unless the user is one already or is one of too
// many organizations.
func (s *Store) admit(ctx context.Context, t *tx, c tenant.MemberChange) error {
	var one, n int
	member, err := t.one(`SELECT 1 FROM organization_members WHERE organization_id = ? AND user_id = ?`, args{c.OrganizationID, c.UserID}, &one)
	if err != nil {
		return err
	}
	if member {
		return fault.New(fault.Invalid, "User is already a member of this organization")
	}
	if _, err := t.one(`SELECT COUNT(*) FROM organization_members WHERE user_id = ?`, args{c.UserID}, &n); err != nil {
		return err
	}
	if n >= maxMemberships {
		return fault.New(fault.Conflict, "The user is a member of %d organizations; more are not allowed", n)
	}
	return s.join(ctx, t, c.OrganizationID, c.UserID, c.Role, c.At)
}

// ChangeMember implements tenant.Store.
func (s *Store) ChangeMember(ctx context.Context, c tenant.MemberChange) (tenant.Member, error) {
	var m tenant.Member
	err := s.write(ctx, "change a member", func(t *tx) (err error) {
		if _, err := lockOrganization(t, c.OrganizationID); err != nil {
			return err
		}
		if m, err = readMember(&t.view, c.OrganizationID, c.UserID); err != nil {
			return err
		}
		if err := checkChange(t, c, m.Role); err != nil {
			return err
		}
		before := m.Role
		m.Role = c.Role
		return s.setRole(ctx, t, c, before)
	})
	return m, err
}

// checkChange asks the rules about a change of a membership.
func checkChange(t *tx, c tenant.MemberChange, before tenant.Role) error {
	caller, err := roleOf(&t.view, c.OrganizationID, c.CallerID)
	if err != nil {
		return err
	}
	last := false
	if before == tenant.RoleOwner {
		others, err := ownedByOthers(&t.view, c.OrganizationID, c.UserID)
		if err != nil {
			return err
		}
		last = !others
	}
	return c.Check(caller, before, last)
}

// setRole stores a change of a membership that is allowed.
func (s *Store) setRole(ctx context.Context, t *tx, c tenant.MemberChange, before tenant.Role) error {
	if c.Role == before {
		return nil
	}
	t.notices.principals[c.UserID] = true
	e := audit.Entry{
		OrganizationID: c.OrganizationID, Action: audit.ChangeMember, Target: audit.Target{Type: "user", ID: c.UserID.String()},
		Before: roleSnapshot(before),
	}
	if c.Role == tenant.RoleNone {
		e.Action = audit.RemoveMember
		s.record(ctx, t, e)
		return dropMember(t, c.OrganizationID, c.UserID)
	}
	e.After = roleSnapshot(c.Role)
	s.record(ctx, t, e)
	_, err := t.exec(`UPDATE organization_members SET role = ? WHERE organization_id = ? AND user_id = ?`, c.Role.String(), c.OrganizationID, c.UserID)
	return err
}

// dropMember removes a membership with what the member had by it.
func dropMember(t *tx, organization, user id.ID) error {
	for _, statement := range []string{`DELETE FROM organization_members WHERE organization_id = ? AND user_id = ?`, grantsOfMember} {
		if _, err := t.exec(statement, organization, user); err != nil {
			return err
		}
	}
	return nil
}

func roleSnapshot(r tenant.Role) []byte { return audit.Snapshot(map[string]any{"role": r.String()}) }
