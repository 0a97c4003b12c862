package store

import (
	"context"

	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/kv"
)

// kvTable is a table as one caller sees it.
type kvTable struct {
	id          id.ID
	read, write bool
	// items is how many keys it has; last is a version that none of those that
	// were deleted had a higher one than.
	items int
	last  int64
}

// kvCaller completes who asks: a run is one of its workflow, in its namespace,
// and its attempt must not be over. One without an attempt runs on the machine of
// a developer, while a session takes the events of its trigger. lock ends the
// statement.
func kvCaller(v *view, c kv.Caller, lock string) (kv.Caller, error) {
	if !c.IsRun() {
		return c, nil
	}
	if c.Run.Attempt == 0 {
		return developedCaller(v, c, lock)
	}
	found, err := v.one(`
		SELECT e.workflow_id, w.organization_id, w.namespace_id FROM executions e JOIN workflows w ON w.id = e.workflow_id
		WHERE e.id = ? AND e.claimed_by = ? AND e.attempt = ?`+lock,
		args{c.Run.ExecutionID, c.Run.Incarnation, c.Run.Attempt}, &c.WorkflowID, &c.OrganizationID, &c.NamespaceID)
	if err == nil && !found {
		err = fault.New(fault.Unauthenticated, "This attempt of the run is over, so it can read and write nothing any more")
	}
	return c, err
}

// developedCaller is kvCaller for a run on a developer's machine.
func developedCaller(v *view, c kv.Caller, lock string) (kv.Caller, error) {
	found, err := v.one(`
		SELECT e.workflow_id, w.organization_id, w.namespace_id FROM executions e JOIN workflows w ON w.id = e.workflow_id
		WHERE e.id = ? AND w.deleted_at IS NULL AND EXISTS (
			SELECT 1 FROM dev_triggers y JOIN dev_sessions d ON d.id = y.session_id
			WHERE y.trigger_id = e.trigger_id AND d.expires_at > d.created_at)`+lock,
		args{c.Run.ExecutionID}, &c.WorkflowID, &c.OrganizationID, &c.NamespaceID)
	if err == nil && !found {
		err = fault.New(fault.Unauthenticated, "The development session of this run is over, so it can read and write nothing any more")
	}
	return c, err
}

// findKVTable looks for a table. People who act as no workflow own all of them.
// lock ends the statement.
func findKVTable(v *view, c kv.Caller, t kv.Table, lock string) (found kvTable, is bool, err error) {
	is, err = v.one(`
		SELECT t.id, COALESCE(p.can_read, ?), COALESCE(p.can_write, ?), t.items, t.last_version FROM kv_tables t
		LEFT JOIN kv_permissions p ON p.table_id = t.id AND p.workflow_id = ?
		WHERE t.namespace_id = ? AND t.store = ? AND t.name = ?`+lock,
		args{false, false, c.WorkflowID, c.NamespaceID, t.Store, t.Name}, &found.id, &found.read, &found.write, &found.items, &found.last)
	if c.WorkflowID.IsZero() {
		found.read, found.write = true, true
	}
	return found, is, err
}

// readableKV returns a table that the caller may read.
func readableKV(v *view, c kv.Caller, t kv.Table) (kvTable, error) {
	return allowedKV(v, c, t, "", "read", func(found kvTable) bool { return found.read })
}

// writableKV returns a table that the caller may write. lock ends the statement.
func writableKV(v *view, c kv.Caller, t kv.Table, lock string) (kvTable, error) {
	return allowedKV(v, c, t, lock, "write", func(found kvTable) bool { return found.write })
}

func allowedKV(v *view, c kv.Caller, t kv.Table, lock, what string, may func(kvTable) bool) (kvTable, error) {
	found, is, err := findKVTable(v, c, t, lock)
	switch {
	case err != nil:
		return found, err
	case !is:
		return found, fault.New(fault.NotFound, "Table '%s' not found", t.Name)
	case !may(found):
		return found, fault.New(fault.Denied, "No %s permission for table '%s'", what, t.Name)
	}
	return found, nil
}

func kvKeyNotFound(t kv.Table, key string) error {
	return fault.New(fault.NotFound, "Key '%s' not found in table '%s'", key, t.Name)
}

// KVTables implements kv.Store.
func (s *Store) KVTables(ctx context.Context, c kv.Caller, store string) ([]string, error) {
	var names []string
	err := s.read(ctx, "list key-value tables", func(v *view) error {
		c, err := kvCaller(v, c, "")
		if err != nil {
			return err
		}
		query, values := `SELECT t.name FROM kv_tables t WHERE t.namespace_id = ? AND t.store = ?`, args{c.NamespaceID, store}
		if !c.WorkflowID.IsZero() {
			query += ` AND EXISTS (SELECT 1 FROM kv_permissions p WHERE p.table_id = t.id AND p.workflow_id = ?)`
			values = append(values, c.WorkflowID)
		}
		return v.each(query+` ORDER BY t.name LIMIT ?`, append(values, kv.MaxTables), func(scan scanner) error {
			var name string
			err := scan(&name)
			names = append(names, name)
			return err
		})
	})
	return names, err
}

// AllKVTables implements kv.Store.
func (s *Store) AllKVTables(ctx context.Context, c kv.Caller) ([]kv.TableInfo, error) {
	var found []kv.TableInfo
	err := s.read(ctx, "list key-value tables", func(v *view) error {
		found = nil
		c, err := kvCaller(v, c, "")
		if err != nil {
			return err
		}
		query, values := `SELECT t.store, t.name, t.items, t.created_at FROM kv_tables t WHERE t.namespace_id = ?`, args{c.NamespaceID}
		if !c.WorkflowID.IsZero() {
			query += ` AND EXISTS (SELECT 1 FROM kv_permissions p WHERE p.table_id = t.id AND p.workflow_id = ?)`
			values = append(values, c.WorkflowID)
		}
		return v.each(query+` ORDER BY t.store, t.name LIMIT ?`, append(values, kv.MaxTables), func(scan scanner) error {
			var t kv.TableInfo
			err := scan(&t.Store, &t.Name, &t.Keys, &t.CreatedAt)
			found = append(found, t)
			return err
		})
	})
	return found, err
}

const kvColumns = `i.key, i.value, i.version, i.created_at, i.updated_at`

func scanKV(scan scanner) (kv.Item, error) {
	var i kv.Item
	err := scan(&i.Key, &i.Value, &i.Version, &i.CreatedAt, &i.UpdatedAt)
	return i, err
}

// readKV runs a function on a table that the caller may read.
func (s *Store) readKV(ctx context.Context, what string, c kv.Caller, t kv.Table, run func(*view, kvTable) error) error {
	return s.read(ctx, what, func(v *view) error {
		c, err := kvCaller(v, c, "")
		if err != nil {
			return err
		}
		table, err := readableKV(v, c, t)
		if err != nil {
			return err
		}
		return run(v, table)
	})
}

// KVItem implements kv.Store.
func (s *Store) KVItem(ctx context.Context, c kv.Caller, t kv.Table, key string) (kv.Item, error) {
	var item kv.Item
	err := s.readKV(ctx, "read a key", c, t, func(v *view, table kvTable) error {
		found := false
		err := v.each(`SELECT `+kvColumns+` FROM kv_items i WHERE i.table_id = ? AND i.key = ?`, args{table.id, key}, func(scan scanner) (err error) {
			found = true
			item, err = scanKV(scan)
			return err
		})
		if err == nil && !found {
			err = kvKeyNotFound(t, key)
		}
		return err
	})
	return item, err
}

// KVItems implements kv.Store.
func (s *Store) KVItems(ctx context.Context, c kv.Caller, l kv.Listing) (kv.Page, error) {
	var page kv.Page
	err := s.readKV(ctx, "list keys", c, l.Table, func(v *view, table kvTable) (err error) {
		page, err = kvPage(v, table, l)
		return err
	})
	return page, err
}

// kvPage reads as many keys as fit. Of the values in between nothing is read
// where only keys are asked for: the index has those.
func kvPage(v *view, table kvTable, l kv.Listing) (page kv.Page, err error) {
	columns := `i.key`
	if l.Values {
		columns = kvColumns
	}
	where, values := ` WHERE i.table_id = ? AND i.key > ?`, args{table.id, l.After}
	if l.Prefix != "" {
		// Keys are ASCII, so none that begins with the prefix is above this.
		where += ` AND i.key >= ? AND i.key < ?`
		values = append(values, l.Prefix, l.Prefix+"\x7f")
	}
	bytes := 0
	err = v.each(`SELECT `+columns+` FROM kv_items i`+where+` ORDER BY i.key LIMIT ?`, append(values, l.Limit+1), func(scan scanner) error {
		var item kv.Item
		var err error
		if l.Values {
			item, err = scanKV(scan)
		} else {
			err = scan(&item.Key)
		}
		bytes += len(item.Value)
		if len(page.Items) == l.Limit || len(page.Items) > 0 && bytes > l.MaxBytes {
			page.More = true
			return errStop
		}
		page.Items = append(page.Items, item)
		return err
	})
	if err == errStop {
		err = nil
	}
	return page, err
}
