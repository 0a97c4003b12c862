package store

import (
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/kv"
)

// kvBatch is what the units of a batch that write values have found out about
// tables, and count together: a run that writes a hundred values asks a hundred
// times, for the same table. It holds from one such unit to the next, for what
// they read is locked, or as if the batch had come a moment earlier; a unit of
// another kind may change it. With care each unit asks and counts for itself.
type kvBatch struct {
	tables map[kvUse]kvTable
	// made are the keys that tables have more than their rows say.
	made map[id.ID]int
	// used says that the running unit is one that writes values.
	used bool
}

// kvUse is a table as somebody names it.
type kvUse struct {
	caller kv.Caller
	table  kv.Table
}

func newKVBatch() *kvBatch {
	return &kvBatch{tables: make(map[kvUse]kvTable), made: make(map[id.ID]int)}
}

// ended is called after each unit.
func (b *kvBatch) ended() {
	if !b.used {
		clear(b.tables)
	}
	b.used = false
}

// table returns the table that a unit writes values to, by asking for it when no
// unit before has.
func (b *kvBatch) table(t *tx, use kvUse, ask func() (kvTable, error)) (kvTable, error) {
	b.used = true
	if found, ok := b.tables[use]; ok && !t.careful {
		return found, nil
	}
	found, err := ask()
	if err == nil {
		b.tables[use] = found
	}
	return found, err
}

// items is how many keys a table has.
func (b *kvBatch) items(table kvTable) int { return table.items + b.made[table.id] }

// add counts a key that a unit makes.
func (b *kvBatch) add(t *tx, table kvTable) error {
	if t.careful {
		return t.now(sqlCountKV, 1, table.id)
	}
	b.made[table.id]++
	return nil
}

const sqlCountKV = `UPDATE kv_tables SET items = items + ? WHERE id = ?`

// flush writes what was counted. The tables are locked already, so that their
// order does not matter.
func (b *kvBatch) flush(t *tx) error {
	for table, made := range b.made {
		if err := t.later(sqlCountKV, made, table); err != nil {
			return err
		}
	}
	return nil
}
