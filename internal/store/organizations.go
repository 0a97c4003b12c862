package store

import (
	"context"
	"time"

	"github.com/usefloww/flowwd/internal/audit"
	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/tenant"
)

func organizationNotFound() error { return fault.New(fault.NotFound, "Organization not found") }

func organizationTarget(of id.ID) audit.Target {
	return audit.Target{Type: "organization", ID: of.String()}
}

// readOrganization reads the organization that a condition on o names. With a
// lock, others wait that want to change it or who is in it.
func readOrganization(v *view, tail string, values ...any) (tenant.Organization, error) {
	var o tenant.Organization
	found, err := v.one(`SELECT `+organizationColumns+` FROM organizations o `+tail, values, organizationTargets(&o)...)
	if err == nil && !found {
		err = organizationNotFound()
	}
	return o, err
}

// lockOrganization reads an organization that is not deleted and keeps it from
// changing, and who owns it, until the transaction ends.
func lockOrganization(t *tx, of id.ID) (tenant.Organization, error) {
	return readOrganization(&t.view, `WHERE o.id = ? AND o.deleted_at IS NULL`+t.conn.dialect.lock("o"), of)
}

// FoundOrganization implements tenant.Store.
func (s *Store) FoundOrganization(ctx context.Context, n tenant.Namespace, by tenant.Founder) error {
	return s.write(ctx, "found an organization", func(t *tx) error {
		var one, owned int
		// The lock makes the bound exact.
		found, err := t.one(`SELECT 1 FROM users u WHERE u.id = ?`+t.conn.dialect.lock("u"), args{by.UserID}, &one)
		switch {
		case err != nil:
			return err
		case !found:
			return fault.New(fault.Denied, "Only people can found organizations: a service account belongs to one")
		}
		if _, err := t.one(`SELECT COUNT(*) FROM organization_members WHERE user_id = ? AND role = 'owner'`, args{by.UserID}, &owned); err != nil {
			return err
		}
		if owned >= by.Most {
			return fault.New(fault.Conflict, "You own %d organizations, deleted ones that can be restored included; more are not allowed", owned)
		}
		if err := s.makeOrganization(ctx, t, n.Organization, n); err != nil {
			return err
		}
		return s.join(ctx, t, n.OrganizationID, by.UserID, tenant.RoleOwner, n.CreatedAt)
	})
}

// ChangeOrganization implements tenant.Store.
func (s *Store) ChangeOrganization(ctx context.Context, changed id.ID, c tenant.OrganizationChange, at time.Time) (tenant.Organization, error) {
	var o tenant.Organization
	err := s.write(ctx, "change an organization", func(t *tx) (err error) {
		if o, err = lockOrganization(t, changed); err != nil {
			return err
		}
		before := o
		if c.Name != nil {
			o.Name = *c.Name
		}
		if c.DisplayName != nil {
			o.DisplayName = *c.DisplayName
		}
		if o == before {
			return nil
		}
		o.UpdatedAt = millisecond(at)
		_, err = t.exec(`UPDATE organizations SET name = ?, display_name = ?, updated_at = ? WHERE id = ?`, o.Name, o.DisplayName, at, changed)
		if t.unique(err) {
			return organizationNameTaken(err, o.Name)
		}
		s.record(ctx, t, audit.Entry{
			OrganizationID: changed, Action: audit.ChangeOrganization, Target: organizationTarget(changed),
			Before: organizationSnapshot(before), After: organizationSnapshot(o),
		})
		return err
	})
	return o, err
}

func organizationNameTaken(cause error, name string) error {
	return fault.Because(cause, fault.Conflict, "An organization with the name %s already exists", name)
}

func organizationSnapshot(o tenant.Organization) []byte {
	return audit.Snapshot(map[string]any{"name": o.Name, "displayName": o.DisplayName})
}

// OrganizationRemoval implements tenant.Store.
func (s *Store) OrganizationRemoval(ctx context.Context, of id.ID) (tenant.Removal, error) {
	var r tenant.Removal
	err := s.read(ctx, "count what belongs to an organization", func(v *view) error {
		if _, err := readOrganization(v, `WHERE o.id = ? AND o.deleted_at IS NULL`, of); err != nil {
			return err
		}
		var waiting int
		for _, count := range []struct {
			query string
			into  *int
		}{
			{`SELECT COUNT(*) FROM namespaces WHERE organization_id = ?`, &r.Namespaces},
			{`SELECT COUNT(*) FROM workflows WHERE organization_id = ? AND deleted_at IS NULL`, &r.Workflows},
			{`SELECT COUNT(*) FROM organization_members WHERE organization_id = ?`, &r.Members},
			{`SELECT COUNT(*) FROM invitations i WHERE i.accepted_at IS NULL AND i.revoked_at IS NULL AND i.organization_id = ?`, &r.Invitations},
			{`SELECT COUNT(*) FROM service_accounts WHERE organization_id = ?`, &r.ServiceAccounts},
			{`SELECT COUNT(*) FROM api_keys WHERE organization_id = ? AND revoked_at IS NULL`, &r.APIKeys},
			{`SELECT waiting FROM queue_counters WHERE organization_id = ?`, &waiting},
		} {
			if _, err := v.one(count.query, args{of}, count.into); err != nil {
				return err
			}
		}
		ended, err := endedOf(v, []id.ID{of}, `true`)
		if err != nil {
			return err
		}
		running, err := runningIn(v, []id.ID{of})
		r.Executions = ended + waiting + running
		return err
	})
	return r, err
}

// DeleteOrganization implements tenant.Store.
func (s *Store) DeleteOrganization(ctx context.Context, deleted id.ID, at time.Time) error {
	return s.writeWorkflows(ctx, "delete an organization", func(t *tx) error {
		o, err := lockOrganization(t, deleted)
		if err != nil {
			return err
		}
		if _, err := t.exec(`UPDATE organizations SET deleted_at = ?, updated_at = ? WHERE id = ?`, at, at, deleted); err != nil {
			return err
		}
		t.notices.anything = true
		s.record(ctx, t, audit.Entry{
			OrganizationID: deleted, Action: audit.DeleteOrganization, Target: organizationTarget(deleted), Before: organizationSnapshot(o),
		})
		return cancelWaitingOf(t, deleted, tenantDeleted, at)
	})
}

// DisableOrganization implements tenant.Store.
func (s *Store) DisableOrganization(ctx context.Context, changed id.ID, disabled bool, at time.Time) (tenant.Organization, error) {
	var o tenant.Organization
	err := s.writeWorkflows(ctx, "disable an organization", func(t *tx) (err error) {
		if o, err = lockOrganization(t, changed); err != nil || disabled == (o.DisabledAt != nil) {
			return err
		}
		action, when := audit.EnableOrganization, (*time.Time)(nil)
		if disabled {
			at := millisecond(at)
			action, when = audit.DisableOrganization, &at
		}
		if _, err := t.exec(`UPDATE organizations SET disabled_at = ?, updated_at = ? WHERE id = ?`, when, at, changed); err != nil {
			return err
		}
		o.DisabledAt, o.UpdatedAt = when, millisecond(at)
		t.notices.anything = true
		s.record(ctx, t, audit.Entry{OrganizationID: changed, Action: action, Target: organizationTarget(changed)})
		if !disabled {
			return nil
		}
		return cancelWaitingOf(t, changed, tenantDisabled, at)
	})
	return o, err
}

// DeletedOrganizations implements tenant.Store.
func (s *Store) DeletedOrganizations(ctx context.Context, user id.ID, since time.Time, limit int) ([]tenant.Organization, error) {
	var found []tenant.Organization
	err := s.read(ctx, "list deleted organizations", func(v *view) error {
		return v.each(`
			SELECT `+organizationColumns+` FROM organization_members m JOIN organizations o ON o.id = m.organization_id
			WHERE m.user_id = ? AND m.role = 'owner' AND o.deleted_at > ? ORDER BY o.deleted_at DESC, o.id LIMIT ?`,
			args{user, since, limit}, func(scan scanner) error {
				var o tenant.Organization
				err := scan(organizationTargets(&o)...)
				found = append(found, o)
				return err
			})
	})
	return found, err
}

// RestoreOrganization implements tenant.Store. A purge that has begun has taken
// the owners, so that none finds half an organization.
func (s *Store) RestoreOrganization(ctx context.Context, restored, owner id.ID, since, at time.Time) (tenant.Organization, error) {
	var o tenant.Organization
	err := s.writeWorkflows(ctx, "restore an organization", func(t *tx) (err error) {
		o, err = readOrganization(&t.view, `JOIN organization_members m ON m.organization_id = o.id
			WHERE o.id = ? AND o.deleted_at > ? AND m.user_id = ? AND m.role = 'owner'`+t.conn.dialect.lock("o"), restored, since, owner)
		if err != nil {
			return err
		}
		var one int
		taken, err := t.one(`SELECT 1 FROM organizations WHERE name = ? AND deleted_at IS NULL`, args{o.Name}, &one)
		if err != nil {
			return err
		}
		if taken {
			o.Name = tenant.NameFor(o.DisplayName, o.ID)
		}
		o.DeletedAt, o.UpdatedAt = nil, millisecond(at)
		_, err = t.exec(`UPDATE organizations SET name = ?, deleted_at = NULL, updated_at = ? WHERE id = ?`, o.Name, at, restored)
		if t.unique(err) {
			return organizationNameTaken(err, o.Name)
		}
		t.notices.anything = true
		s.record(ctx, t, audit.Entry{
			OrganizationID: restored, Action: audit.RestoreOrganization, Target: organizationTarget(restored), After: organizationSnapshot(o),
		})
		return err
	})
	return o, err
}
