package store

import (
	"context"

	"github.com/usefloww/flowwd/internal/audit"
	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/kv"
)

// KVPermissions implements kv.Store.
func (s *Store) KVPermissions(ctx context.Context, c kv.Caller, t kv.Table) ([]kv.Permission, error) {
	var found []kv.Permission
	err := s.readKV(ctx, "list the permissions of a table", c, t, func(v *view, table kvTable) error {
		return v.each(`
			SELECT p.workflow_id, p.can_read, p.can_write, p.created_at FROM kv_permissions p
			WHERE p.table_id = ? ORDER BY p.created_at, p.workflow_id LIMIT ?`, args{table.id, kv.MaxPermissions}, func(scan scanner) error {
			var p kv.Permission
			err := scan(&p.WorkflowID, &p.CanRead, &p.CanWrite, &p.CreatedAt)
			found = append(found, p)
			return err
		})
	})
	return found, err
}

// GrantKV implements kv.Store.
func (s *Store) GrantKV(ctx context.Context, c kv.Caller, of kv.Table, p kv.Permission) (kv.Permission, error) {
	stored := p
	err := s.writeKV(ctx, "grant a permission on a table", c, func(t *tx, c kv.Caller) error {
		stored = p
		table, err := writableKV(&t.view, c, of, "")
		if err != nil {
			return err
		}
		// What a workflow is deleted with takes its permissions along.
		var one int
		found, err := t.one(`SELECT 1 FROM workflows w WHERE w.id = ? AND w.namespace_id = ? AND w.deleted_at IS NULL`+t.conn.dialect.hold("w"),
			args{p.WorkflowID, c.NamespaceID}, &one)
		if err == nil && !found {
			err = fault.New(fault.NotFound, "Workflow %s not found in this namespace", p.WorkflowID)
		}
		if err != nil {
			return err
		}
		n := 0
		if _, err := t.one(`SELECT COUNT(*) FROM kv_permissions WHERE table_id = ?`, args{table.id}, &n); err != nil {
			return err
		}
		if n >= kv.MaxPermissions {
			return fault.New(fault.Conflict, "%d workflows have a permission on the table, which is the limit", n)
		}
		if _, err := t.change(`
			INSERT INTO kv_permissions (table_id, workflow_id, can_read, can_write, created_at) VALUES (?, ?, ?, ?, ?)
			ON CONFLICT (table_id, workflow_id) DO UPDATE SET can_read = excluded.can_read, can_write = excluded.can_write
			RETURNING created_at`, args{table.id, p.WorkflowID, p.CanRead, p.CanWrite, p.CreatedAt}, &stored.CreatedAt); err != nil {
			return err
		}
		s.recordKV(ctx, t, audit.GrantKV, c, of, table, map[string]any{"workflow": p.WorkflowID, "read": p.CanRead, "write": p.CanWrite})
		return nil
	})
	return stored, err
}

// RevokeKV implements kv.Store.
func (s *Store) RevokeKV(ctx context.Context, c kv.Caller, of kv.Table, workflow id.ID) error {
	return s.writeKV(ctx, "revoke a permission on a table", c, func(t *tx, c kv.Caller) error {
		table, err := writableKV(&t.view, c, of, "")
		if err != nil {
			return err
		}
		n, err := t.exec(`DELETE FROM kv_permissions WHERE table_id = ? AND workflow_id = ?`, table.id, workflow)
		if err == nil && n == 0 {
			err = fault.New(fault.NotFound, "No permission found for workflow %s", workflow)
		}
		if err != nil {
			return err
		}
		s.recordKV(ctx, t, audit.RevokeKV, c, of, table, map[string]any{"workflow": workflow})
		return nil
	})
}

func (s *Store) recordKV(ctx context.Context, t *tx, action audit.Action, c kv.Caller, of kv.Table, table kvTable, fields map[string]any) {
	fields["store"], fields["table"] = of.Store, of.Name
	s.record(ctx, t, audit.Entry{
		OrganizationID: c.OrganizationID, Action: action, Target: audit.Target{Type: "kv_table", ID: table.id.String()}, After: audit.Snapshot(fields),
	})
}
