package store

import (
	"context"
	"encoding/json"
	"time"

	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/kv"
)

// writeKV runs a unit of a caller whose attempt, when it is a run's, is not over
// before the unit is.
func (s *Store) writeKV(ctx context.Context, what string, c kv.Caller, run func(*tx, kv.Caller) error) error {
	return s.write(ctx, what, func(t *tx) error {
		c, err := kvCaller(&t.view, c, t.conn.dialect.hold("e"))
		if err != nil {
			return err
		}
		return run(t, c)
	})
}

// writeValue runs a unit that writes values into one table, which is a new one
// when there is none, and changes nothing else.
func (s *Store) writeValue(ctx context.Context, what string, c kv.Caller, of kv.Table, run func(*tx, kvTable) error) error {
	made, at := s.ids.New(), s.cfg.Now()
	return s.write(ctx, what, func(t *tx) error {
		table, err := t.values.table(t, kvUse{c, of}, func() (kvTable, error) {
			return lockKVTable(t, c, func(c kv.Caller) (kvTable, error) { return kvTableFor(t, c, of, made, at) })
		})
		if err != nil {
			return err
		}
		return run(t, table)
	})
}

// lockKVTable finds a table for a unit that writes values. Whoever does has it
// locked, so that its keys are counted and two writers make no key twice, and
// locks the attempt that it is for after it, so that no two wait for each other.
func lockKVTable(t *tx, c kv.Caller, find func(kv.Caller) (kvTable, error)) (kvTable, error) {
	whole, err := kvCaller(&t.view, c, "")
	if err != nil {
		return kvTable{}, err
	}
	table, err := find(whole)
	if err != nil || !t.conn.dialect.shared() {
		return table, err
	}
	_, err = kvCaller(&t.view, c, t.conn.dialect.hold("e"))
	return table, err
}

// PutKV implements kv.Store.
func (s *Store) PutKV(ctx context.Context, c kv.Caller, p kv.Put) (item kv.Item, err error) {
	err = s.writeValue(ctx, "store a value", c, p.Table, func(t *tx, table kvTable) error {
		item, err = putKV(t, table, p)
		return err
	})
	return item, err
}

func putKV(t *tx, table kvTable, p kv.Put) (kv.Item, error) {
	item, found, err := replaceKV(t, table, p)
	if err != nil || found {
		return item, err
	}
	if p.IfVersion != nil {
		current, found, err := currentKV(t, table, p.Key)
		switch {
		case err != nil:
			return item, err
		case found:
			return item, otherVersion(p.Key, current.Version)
		case *p.IfVersion > 0:
			return item, otherVersion(p.Key, 0)
		}
	}
	return insertKV(t, table, p)
}

func otherVersion(key string, is int64) error {
	if is == 0 {
		return fault.New(fault.Conflict, "The key '%s' has no value, so not the version that was expected; read it again", key)
	}
	return fault.New(fault.Conflict, "The key '%s' has version %d, which is not the one that was expected; read it again", key, is)
}

// replaceKV replaces the value of a key that is there, in the expected version.
func replaceKV(t *tx, table kvTable, p kv.Put) (kv.Item, bool, error) {
	item := kv.Item{Key: p.Key, Value: p.Value, UpdatedAt: p.At}
	query, values := `UPDATE kv_items SET value = ?, version = version + 1, updated_at = ? WHERE table_id = ? AND key = ?`,
		args{p.Value, p.At, table.id, p.Key}
	if p.IfVersion != nil {
		query += ` AND version = ?`
		values = append(values, *p.IfVersion)
	}
	found, err := t.change(query+` RETURNING version, created_at`, values, &item.Version, &item.CreatedAt)
	return item, found, err
}

// insertKV stores the value of a key that was not there.
func insertKV(t *tx, table kvTable, p kv.Put) (kv.Item, error) {
	if items := t.values.items(table); items >= kv.MaxKeys {
		return kv.Item{}, fault.New(fault.Conflict, "The table has %d keys, which is the limit; delete some", items)
	}
	if err := t.values.add(t, table); err != nil {
		return kv.Item{}, err
	}
	item := kv.Item{Key: p.Key, Value: p.Value, Version: table.last + 1, CreatedAt: p.At, UpdatedAt: p.At}
	return item, t.later(`INSERT INTO kv_items (table_id, key, value, version, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?)`,
		table.id, item.Key, item.Value, item.Version, item.CreatedAt, item.UpdatedAt)
}

// currentKV reads a key for the unit to change.
func currentKV(t *tx, table kvTable, key string) (item kv.Item, found bool, err error) {
	err = t.each(`SELECT `+kvColumns+` FROM kv_items i WHERE i.table_id = ? AND i.key = ?`, args{table.id, key}, func(scan scanner) (err error) {
		found = true
		item, err = scanKV(scan)
		return err
	})
	return item, found, err
}

// kvTableFor returns the table to write to, a new one when there is none.
func kvTableFor(t *tx, c kv.Caller, wanted kv.Table, made id.ID, at time.Time) (kvTable, error) {
	table, err := writableKV(&t.view, c, wanted, t.conn.dialect.lock("t"))
	if !fault.Is(err, fault.NotFound) {
		return table, err
	}
	n := 0
	if _, err := t.one(`SELECT COUNT(*) FROM kv_tables WHERE namespace_id = ?`, args{c.NamespaceID}, &n); err != nil {
		return table, err
	}
	if n >= kv.MaxTables {
		return table, fault.New(fault.Conflict, "The namespace has %d tables, which is the limit", n)
	}
	inserted, err := t.exec(`
		INSERT INTO kv_tables (id, organization_id, namespace_id, store, name, items, last_version, created_at)
		VALUES (?, ?, ?, ?, ?, 0, 0, ?) ON CONFLICT (namespace_id, store, name) DO NOTHING`,
		made, c.OrganizationID, c.NamespaceID, wanted.Store, wanted.Name, at)
	if err != nil {
		return table, err
	}
	if inserted == 0 {
		return writableKV(&t.view, c, wanted, t.conn.dialect.lock("t")) // another writer's
	}
	table = kvTable{id: made, read: true, write: true}
	if c.WorkflowID.IsZero() {
		return table, nil
	}
	_, err = t.exec(`INSERT INTO kv_permissions (table_id, workflow_id, can_read, can_write, created_at) VALUES (?, ?, ?, ?, ?)`,
		made, c.WorkflowID, true, true, at)
	return table, err
}

// AddKV implements kv.Store.
func (s *Store) AddKV(ctx context.Context, c kv.Caller, a kv.Addition) (item kv.Item, err error) {
	err = s.writeValue(ctx, "add to a number", c, a.Table, func(t *tx, table kvTable) error {
		current, found, err := currentKV(t, table, a.Key)
		if err != nil {
			return err
		}
		if !found {
			current.Value = json.RawMessage("0")
		}
		sum, err := a.Sum(current.Value)
		if err != nil {
			return err
		}
		item, err = putKV(t, table, kv.Put{Table: a.Table, Key: a.Key, Value: sum, At: a.At})
		return err
	})
	return item, err
}

// DeleteKV implements kv.Store.
func (s *Store) DeleteKV(ctx context.Context, c kv.Caller, of kv.Table, key string, ifVersion *int64) error {
	return s.write(ctx, "delete a key", func(t *tx) error {
		table, err := lockKVTable(t, c, func(c kv.Caller) (kvTable, error) {
			return writableKV(&t.view, c, of, t.conn.dialect.lock("t"))
		})
		if err != nil {
			return err
		}
		current, found, err := currentKV(t, table, key)
		switch {
		case err != nil:
			return err
		case !found:
			return kvKeyNotFound(of, key)
		case ifVersion != nil && *ifVersion != current.Version:
			return otherVersion(key, current.Version)
		}
		if _, err := t.exec(`DELETE FROM kv_items WHERE table_id = ? AND key = ?`, table.id, key); err != nil {
			return err
		}
		_, err = t.exec(`UPDATE kv_tables SET items = items - 1, last_version = CASE WHEN last_version < ? THEN ? ELSE last_version END WHERE id = ?`,
			current.Version, current.Version, table.id)
		return err
	})
}
