package store

import (
	"bytes"
	"cmp"
	"context"
	"maps"
	"slices"

	"github.com/usefloww/flowwd/internal/id"
)

// namespaceDay names a row of namespace_totals.
type namespaceDay struct {
	namespace, organization id.ID
	dayState
}

// compare is the order in which rows are locked.
func (key namespaceDay) compare(other namespaceDay) int {
	return cmp.Or(bytes.Compare(key.namespace[:], other.namespace[:]), key.dayState.compare(other.dayState))
}

// add adds to what was counted, and to what was removed of it.
func (key namespaceDay) add(t *tx, count, purged int64) error {
	_, err := t.exec(`
		INSERT INTO namespace_totals (namespace_id, day, state, organization_id, count, purged) VALUES (?, ?, ?, ?, ?, ?)
		ON CONFLICT (namespace_id, day, state) DO UPDATE SET
			count = namespace_totals.count + excluded.count, purged = namespace_totals.purged + excluded.purged`,
		key.namespace, key.day, string(key.state), key.organization, count, purged)
	return err
}

// unfolded is what a row of daily_totals and its namespace's differ by. What was
// purged is in both at once: it is removed in the background as well, for few
// namespaces at a time.
type unfolded struct {
	workflow id.ID
	namespaceDay
	count, purged int64
}

// isUnfolded is the condition of the index of what is to be folded, word for word.
const isUnfolded = `x.count - x.folded <> 0`

// FoldTotals implements execution.Store. Those of deleted workflows are left: they
// count no more, and go with these.
func (s *Store) FoldTotals(ctx context.Context, limit int) (int, error) {
	folded := 0
	err := s.write(ctx, "fold totals", func(t *tx) error {
		var rows []unfolded
		sums := map[namespaceDay]int64{}
		// CROSS JOIN keeps SQLite to this order of the tables, and the edge to the index
		// of what is to be folded.
		err := t.each(`
			SELECT x.workflow_id, x.day, x.state, w.namespace_id, w.organization_id, x.count - x.folded
			FROM daily_totals x CROSS JOIN workflows w
			WHERE x.organization_id > ? AND `+isUnfolded+` AND w.id = x.workflow_id AND w.deleted_at IS NULL LIMIT ?`+t.conn.dialect.skipLocked("x"),
			args{edge(id.ID{}), limit}, func(scan scanner) error {
				var u unfolded
				err := scan(&u.workflow, &u.day, (*string)(&u.state), &u.namespace, &u.organization, &u.count)
				rows = append(rows, u)
				sums[u.namespaceDay] += u.count
				return err
			})
		if err != nil {
			return err
		}
		for _, u := range rows {
			_, err := t.exec(`UPDATE daily_totals SET folded = folded + ? WHERE workflow_id = ? AND day = ? AND state = ?`,
				u.count, u.workflow, u.day, string(u.state))
			if err != nil {
				return err
			}
		}
		for _, key := range slices.SortedFunc(maps.Keys(sums), namespaceDay.compare) {
			if err := key.add(t, sums[key], 0); err != nil {
				return err
			}
		}
		folded = len(rows)
		return nil
	})
	return folded, err
}

// unfold removes totals of a deleted workflow, there and in its namespace, and
// returns how many.
func unfold(t *tx, workflow id.ID, limit int) (int, error) {
	var rows []unfolded
	err := t.each(`
		SELECT x.day, x.state, w.namespace_id, w.organization_id, x.folded, x.purged FROM workflows w JOIN daily_totals x ON x.workflow_id = w.id
		WHERE w.id = ? ORDER BY x.day, x.state LIMIT ?`, args{workflow, limit}, func(scan scanner) error {
		var u unfolded
		err := scan(&u.day, (*string)(&u.state), &u.namespace, &u.organization, &u.count, &u.purged)
		rows = append(rows, u)
		return err
	})
	if err != nil {
		return 0, err
	}
	for _, u := range rows {
		if u.count > 0 || u.purged > 0 {
			if err := u.add(t, -u.count, -u.purged); err != nil {
				return 0, err
			}
		}
		if _, err := t.exec(`DELETE FROM daily_totals WHERE workflow_id = ? AND day = ? AND state = ?`, workflow, u.day, string(u.state)); err != nil {
			return 0, err
		}
	}
	return len(rows), nil
}
