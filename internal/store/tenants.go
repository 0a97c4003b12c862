package store

import (
	"context"

	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/tenant"
)

const (
	organizationColumns = `o.id, o.name, o.display_name, o.workos_id, o.is_default, o.created_at, o.updated_at, o.deleted_at, o.disabled_at`
	namespaceColumns    = `n.id, n.organization_id, n.created_at, ` + organizationColumns
)

func organizationTargets(o *tenant.Organization) []any {
	return []any{&o.ID, &o.Name, &o.DisplayName, &o.WorkOSID, &o.Default, &o.CreatedAt, &o.UpdatedAt, &o.DeletedAt, &o.DisabledAt}
}

func scanNamespace(scan scanner) (tenant.Namespace, error) {
	var n tenant.Namespace
	err := scan(append([]any{&n.ID, &n.OrganizationID, &n.CreatedAt}, organizationTargets(&n.Organization)...)...)
	return n, err
}

// optionalText stores the empty text as NULL.
func optionalText(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

// EnsureDefaultOrganization implements tenant.Store.
func (s *Store) EnsureDefaultOrganization(ctx context.Context, o tenant.Organization, n tenant.Namespace) (tenant.Namespace, error) {
	var got []tenant.Namespace
	err := s.write(ctx, "ensure the default organization", func(t *tx) error {
		got = nil
		if err := t.conn.dialect.alone(t, "organizations"); err != nil {
			return err
		}
		err := t.each(`
			SELECT `+namespaceColumns+` FROM namespaces n JOIN organizations o ON o.id = n.organization_id
			WHERE o.is_default = true AND o.is_default ORDER BY n.created_at, n.id LIMIT 1`, nil, func(scan scanner) error {
			found, err := scanNamespace(scan)
			got = append(got, found)
			return err
		})
		if err != nil || len(got) > 0 {
			return err
		}
		o.Default = true
		n.OrganizationID, n.Organization = o.ID, o
		got = []tenant.Namespace{n}
		return insertOrganization(t, o, n)
	})
	if err != nil {
		return tenant.Namespace{}, err
	}
	return got[0], nil
}

// CreateOrganization implements tenant.Store.
func (s *Store) CreateOrganization(ctx context.Context, o tenant.Organization, n tenant.Namespace) error {
	return s.write(ctx, "create an organization", func(t *tx) error { return s.makeOrganization(ctx, t, o, n) })
}

func insertOrganization(t *tx, o tenant.Organization, n tenant.Namespace) error {
	_, err := t.exec(`
		INSERT INTO organizations (id, name, display_name, workos_id, is_default, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?)`,
		o.ID, o.Name, o.DisplayName, optionalText(o.WorkOSID), o.Default, o.CreatedAt, o.UpdatedAt)
	if t.unique(err) {
		return organizationNameTaken(err, o.Name)
	}
	if err != nil {
		return err
	}
	_, err = t.exec(`INSERT INTO namespaces (id, organization_id, created_at) VALUES (?, ?, ?)`,
		n.ID, o.ID, n.CreatedAt)
	return err
}

// Organizations implements tenant.Store.
func (s *Store) Organizations(ctx context.Context, ids []id.ID) ([]tenant.Organization, error) {
	var found []tenant.Organization
	list, values := in(ids)
	err := s.read(ctx, "list organizations", func(v *view) error {
		return v.each(`SELECT `+organizationColumns+` FROM organizations o WHERE o.id IN `+list+` ORDER BY o.created_at, o.id`,
			values, func(scan scanner) error {
				var o tenant.Organization
				err := scan(organizationTargets(&o)...)
				found = append(found, o)
				return err
			})
	})
	return found, err
}

// Namespaces implements tenant.Store.
func (s *Store) Namespaces(ctx context.Context, organizations []id.ID, limit int) ([]tenant.Namespace, error) {
	var found []tenant.Namespace
	list, values := in(organizations)
	err := s.read(ctx, "list namespaces", func(v *view) error {
		return v.each(`
			SELECT `+namespaceColumns+` FROM namespaces n JOIN organizations o ON o.id = n.organization_id
			WHERE n.organization_id IN `+list+` ORDER BY n.created_at, n.id LIMIT ?`,
			append(values, limit), func(scan scanner) error {
				n, err := scanNamespace(scan)
				found = append(found, n)
				return err
			})
	})
	return found, err
}

// Namespace implements tenant.Store.
func (s *Store) Namespace(ctx context.Context, organizations []id.ID, namespace id.ID) (tenant.Namespace, error) {
	var found []tenant.Namespace
	list, values := in(organizations, namespace)
	err := s.read(ctx, "read a namespace", func(v *view) error {
		return v.each(`
			SELECT `+namespaceColumns+` FROM namespaces n JOIN organizations o ON o.id = n.organization_id
			WHERE n.id = ? AND n.organization_id IN `+list, values, func(scan scanner) error {
			n, err := scanNamespace(scan)
			found = append(found, n)
			return err
		})
	})
	if err == nil && len(found) == 0 {
		err = fault.New(fault.NotFound, "Namespace not found")
	}
	if err != nil {
		return tenant.Namespace{}, err
	}
	return found[0], nil
}
