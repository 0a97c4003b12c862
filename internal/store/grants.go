package store

import (
	"context"
	"strings"
	"time"

	"github.com/usefloww/flowwd/internal/access"
	"github.com/usefloww/flowwd/internal/audit"
	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/identity"
	"github.com/usefloww/flowwd/internal/tenant"
)

const grantColumns = `g.id, g.organization_id, g.principal_type, g.principal_id, g.resource_type, g.resource_id, g.role, g.created_by_id, g.created_at`

// scanGrant reads grantColumns and what follows them.
func scanGrant(scan scanner, more ...any) (access.Grant, error) {
	var g access.Grant
	var role string
	err := scan(append([]any{&g.ID, &g.OrganizationID, (*string)(&g.Principal.Type), &g.Principal.ID,
		(*string)(&g.Resource.Type), &g.Resource.ID, &role, &g.CreatedByID, &g.CreatedAt}, more...)...)
	g.Role = access.GrantableRole(role)
	return g, err
}

// SaveGrant implements access.Store.
func (s *Store) SaveGrant(ctx context.Context, g access.Grant) (access.Grant, error) {
	var stored access.Grant
	err := s.write(ctx, "save a grant", func(t *tx) error {
		if err := holdBoth(t, g); err != nil {
			return err
		}
		before, found, err := grantOf(t, g.OrganizationID, g.Principal, g.Resource)
		if err != nil {
			return err
		}
		if found {
			stored = before
			stored.Role = g.Role
			if stored == before {
				return nil
			}
			if _, err := t.exec(`UPDATE grants SET role = ? WHERE id = ?`, access.GrantWord(g.Role), before.ID); err != nil {
				return err
			}
			s.recordGrant(ctx, t, audit.GrantAccess, &before, &stored)
			return nil
		}
		stored = g
		if err := insertGrant(t, g); err != nil {
			return err
		}
		s.recordGrant(ctx, t, audit.GrantAccess, nil, &stored)
		return nil
	})
	return stored, err
}

// holdBoth keeps the resource and the principal of a grant from going until the
// transaction ends: what goes takes its grants along.
func holdBoth(t *tx, g access.Grant) error {
	if err := holdResource(t, g.OrganizationID, g.Resource); err != nil {
		return err
	}
	var one int
	principal := `SELECT 1 FROM organization_members p WHERE p.user_id = ? AND p.organization_id = ?`
	if g.Principal.Type == access.AccountPrincipal {
		principal = `SELECT 1 FROM service_accounts p WHERE p.id = ? AND p.organization_id = ?`
	}
	found, err := t.one(principal+t.conn.dialect.hold("p"), args{g.Principal.ID, g.OrganizationID}, &one)
	if err == nil && !found {
		err = principalNotFound()
	}
	return err
}

// holdResource keeps a resource of an organization from going until the
// transaction ends; fault.NotFound when it is gone or another's.
func holdResource(t *tx, organization id.ID, on access.Link) error {
	query, missing := `SELECT 1 FROM workflows r WHERE r.id = ? AND r.organization_id = ? AND r.deleted_at IS NULL`, workflowNotFound
	if on.Type == tenant.FolderResource {
		query, missing = `SELECT 1 FROM folders r WHERE r.id = ? AND r.organization_id = ?`, folderNotFound
	}
	var one int
	found, err := t.one(query+t.conn.dialect.hold("r"), args{on.ID, organization}, &one)
	if err == nil && (!found || on.Type != tenant.WorkflowResource && on.Type != tenant.FolderResource) {
		err = missing()
	}
	return err
}

func principalNotFound() error { return fault.New(fault.NotFound, "Principal not found") }

// grantOf reads what a principal has on a resource, for the unit to change.
func grantOf(t *tx, organization id.ID, p access.PrincipalRef, on access.Link) (g access.Grant, found bool, err error) {
	err = t.each(`SELECT `+grantColumns+` FROM grants g
		WHERE g.principal_id = ? AND g.resource_id = ? AND g.principal_type = ? AND g.resource_type = ? AND g.organization_id = ?`+t.conn.dialect.lock("g"),
		args{p.ID, on.ID, string(p.Type), string(on.Type), organization}, func(scan scanner) (err error) {
			found = true
			g, err = scanGrant(scan)
			return err
		})
	return g, found, err
}

func insertGrant(t *tx, g access.Grant) error {
	for _, bound := range []struct {
		column string
		of     id.ID
		most   int
		text   string
	}{
		{"principal_id", g.Principal.ID, access.MaxGrantsOf, "the principal has a role on %d resources, which is the limit"},
		{"resource_id", g.Resource.ID, access.MaxGrantsOn, "%d principals have a role on the resource, which is the limit"},
	} {
		var n int
		if _, err := t.one(`SELECT COUNT(*) FROM grants WHERE `+bound.column+` = ?`, args{bound.of}, &n); err != nil {
			return err
		}
		if n >= bound.most {
			return fault.New(fault.Conflict, bound.text, n)
		}
	}
	_, err := t.exec(`
		INSERT INTO grants (id, organization_id, principal_type, principal_id, resource_type, resource_id, role, created_by_id, created_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		g.ID, g.OrganizationID, string(g.Principal.Type), g.Principal.ID, string(g.Resource.Type), g.Resource.ID, access.GrantWord(g.Role), g.CreatedByID, g.CreatedAt)
	if t.unique(err) {
		return fault.Because(err, fault.Conflict, "somebody else granted the principal a role on the resource at this moment; try again")
	}
	return err
}

// recordGrant notes what became of a grant; nil stands for none.
func (s *Store) recordGrant(ctx context.Context, t *tx, action audit.Action, before, after *access.Grant) {
	if before != nil {
		t.notices.principals[before.Principal.ID] = true
	}
	e := audit.Entry{Action: action}
	for _, side := range []struct {
		grant *access.Grant
		into  *[]byte
	}{{before, (*[]byte)(&e.Before)}, {after, (*[]byte)(&e.After)}} {
		g := side.grant
		if g == nil {
			continue
		}
		e.OrganizationID, e.Target = g.OrganizationID, audit.Target{Type: string(g.Resource.Type), ID: g.Resource.ID.String()}
		*side.into = audit.Snapshot(map[string]any{
			"principalType": string(g.Principal.Type), "principalId": g.Principal.ID.String(), "role": access.GrantWord(g.Role),
		})
	}
	s.record(ctx, t, e)
}

// DeleteGrant implements access.Store.
func (s *Store) DeleteGrant(ctx context.Context, organization id.ID, p access.PrincipalRef, on access.Link) error {
	return s.write(ctx, "delete a grant", func(t *tx) error {
		before, found, err := grantOf(t, organization, p, on)
		if err == nil && !found {
			err = fault.New(fault.NotFound, "Access grant not found")
		}
		if err != nil {
			return err
		}
		if _, err := t.exec(`DELETE FROM grants WHERE id = ?`, before.ID); err != nil {
			return err
		}
		s.recordGrant(ctx, t, audit.RevokeAccess, &before, nil)
		return nil
	})
}

// The statements that take grants along with what they are about. Whatever they
// follow is locked by its change first, so that no grant comes in between.
const (
	grantsOnWorkflow = `DELETE FROM grants WHERE resource_id = ? AND resource_type = 'workflow'`
	grantsOnFolder   = `DELETE FROM grants WHERE resource_id = ? AND resource_type = 'folder'`
	grantsOfAccount  = `DELETE FROM grants WHERE principal_id = ? AND principal_type = 'service_account'`
	grantsOfMember   = `DELETE FROM grants WHERE organization_id = ? AND principal_id = ? AND principal_type = 'user'`
)

// named adds the name of a grant's principal for people.
const named = `
	LEFT JOIN users u ON g.principal_type = 'user' AND u.id = g.principal_id
	LEFT JOIN service_accounts a ON g.principal_type = 'service_account' AND a.id = g.principal_id`

// grants reads grants with the names of their principals, oldest first.
func grants(v *view, where string, values args) ([]access.Grant, error) {
	var found []access.Grant
	err := v.each(`SELECT `+grantColumns+`, a.name, `+userLabelColumns+` FROM grants g`+named+where+` ORDER BY g.id LIMIT ?`, values, func(scan scanner) error {
		var account string
		var u identity.User
		g, err := scanGrant(scan, append([]any{&account}, userLabelTargets(&u)...)...)
		g.PrincipalName = account
		if g.Principal.Type == access.UserPrincipal {
			u.ID = g.Principal.ID
			g.PrincipalName = u.Label()
		}
		found = append(found, g)
		return err
	})
	return found, err
}

// userLabelColumns are what names a user for people.
const userLabelColumns = `u.email, u.login, u.first_name, u.last_name, u.subject`

func userLabelTargets(u *identity.User) []any {
	return []any{&u.Email, &u.Login, &u.FirstName, &u.LastName, &u.Subject}
}

// GrantsOn implements access.Store.
func (s *Store) GrantsOn(ctx context.Context, organization id.ID, chain []access.Link, limit int) ([]access.Grant, error) {
	var found []access.Grant
	values := args{organization}
	var links []string
	for _, link := range chain {
		links = append(links, `(g.resource_id = ? AND g.resource_type = ?)`)
		values = append(values, link.ID, string(link.Type))
	}
	err := s.read(ctx, "list the grants on a resource", func(v *view) (err error) {
		found, err = grants(v, ` WHERE g.organization_id = ? AND (`+strings.Join(links, " OR ")+`)`, append(values, limit))
		return err
	})
	return found, err
}

// GrantsOf implements access.Store.
func (s *Store) GrantsOf(ctx context.Context, organizations []id.ID, p access.PrincipalRef, limit int) ([]access.Grant, error) {
	var found []access.Grant
	err := s.read(ctx, "list the grants of a principal", func(v *view) error {
		member, err := memberOf(v, organizations, p)
		if err != nil || !member {
			return orNotFound(err)
		}
		list, values := in(organizations, p.ID, string(p.Type))
		found, err = grants(v, ` WHERE g.principal_id = ? AND g.principal_type = ? AND g.organization_id IN `+list, append(values, limit))
		return err
	})
	return found, err
}

func orNotFound(err error) error {
	if err == nil {
		err = principalNotFound()
	}
	return err
}

// memberOf reports whether a principal is in one of the organizations.
func memberOf(v *view, organizations []id.ID, p access.PrincipalRef) (bool, error) {
	var one int
	list, values := in(organizations, p.ID)
	switch p.Type {
	case access.UserPrincipal:
		return v.one(`SELECT 1 FROM organization_members m WHERE m.user_id = ? AND m.organization_id IN `+list+` LIMIT 1`, values, &one)
	case access.AccountPrincipal:
		return v.one(`SELECT 1 FROM service_accounts a WHERE a.id = ? AND a.organization_id IN `+list, values, &one)
	}
	return false, nil
}

// Member implements access.Store.
func (s *Store) Member(ctx context.Context, organization id.ID, p access.PrincipalRef) (identity.Principal, error) {
	var found identity.Principal
	err := s.read(ctx, "read a member", func(v *view) error {
		member, err := memberOf(v, []id.ID{organization}, p)
		if err != nil || !member {
			return orNotFound(err)
		}
		if p.Type == access.UserPrincipal {
			found, _, err = readPrincipalOf(v, `users u`, ``, `u.id = ?`, args{p.ID})
			return err
		}
		found, _, err = readAccountPrincipal(v, `service_accounts a`, `a.id = ?`, args{p.ID})
		return err
	})
	return found, err
}

// readAccountPrincipal reads a service account with all that decides what it may
// do. Tables and the condition name the account a; the organization that it
// belongs to must not be deleted. The columns of more are read too.
func readAccountPrincipal(v *view, tables, where string, values args, more ...any) (p identity.Principal, found bool, err error) {
	columns := ""
	if len(more) > 0 {
		columns = `, k.last_used_at, k.expires_at, k.scope_actions, k.scope_type, k.scope_id`
	}
	p.Kind = identity.ServiceAccount
	err = v.each(`
		SELECT a.id, a.name, a.created_at, a.organization_id, o.disabled_at, a.role, g.resource_type, g.resource_id, g.role`+columns+`
		FROM `+tables+` JOIN organizations o ON o.id = a.organization_id
		LEFT JOIN grants g ON g.principal_id = a.id AND g.principal_type = 'service_account'
		WHERE o.deleted_at IS NULL AND `+where+` ORDER BY g.resource_id`, values, func(scan scanner) error {
		var m tenant.Membership
		var g grantColumn
		var role string
		var disabled *time.Time
		if err := scan(append([]any{&p.ID, &p.Name, &p.CreatedAt, &m.OrganizationID, &disabled, &role, &g.kind, &g.id, &g.role}, more...)...); err != nil {
			return err
		}
		found = true
		if disabled != nil {
			p.Disabled = []id.ID{m.OrganizationID}
			return nil
		}
		m.Role = tenant.RoleNamed(role)
		p.Memberships = []tenant.Membership{m}
		g.add(&p)
		return nil
	})
	return p, found, err
}

// grantColumn is a grant beside its principal; all NULL for none.
type grantColumn struct {
	kind, role string
	id         id.ID
}

func (c grantColumn) add(p *identity.Principal) {
	if c.kind != "" {
		p.Grants = append(p.Grants, tenant.ResourceRole{Type: tenant.ResourceType(c.kind), ID: c.id, Role: access.GrantableRole(c.role)})
	}
}
