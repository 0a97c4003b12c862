package store

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"

	"github.com/usefloww/flowwd/internal/id"
)

// tx is what a unit works with. Its writes are under a savepoint of the unit's
// own, which is set before the first of them, so that a unit that only looks
// costs nothing. A unit may be run twice (when the batch it was in failed) and
// must set all its results anew.
type tx struct {
	view
	counters *counters
	totals   *totals
	// runnables are the triggers that units of this batch accepted events for.
	// They hold while the transaction keeps all other writers out and no unit
	// of its own changes workflows; nil in a dialect that lets others in.
	runnables map[id.ID]*runnable
	saved     bool
}

// exec runs a statement that changes rows and returns how many it changed.
func (t *tx) exec(query string, values ...any) (int64, error) {
	if err := t.save(); err != nil {
		return 0, err
	}
	stmt, release, err := t.conn.prepare(query)
	if err != nil {
		return 0, err
	}
	defer release()
	bound, err := t.conn.bind(values)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", brief(query), err)
	}
	result, err := stmt.ExecContext(t.ctx, bound...)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", brief(query), err)
	}
	n, err := result.RowsAffected()
	if err != nil {
		return 0, fmt.Errorf("%s: %w", brief(query), err)
	}
	return n, nil
}

// change runs a statement that changes at most one row and returns columns of
// it, and reports whether there was one.
func (t *tx) change(query string, values args, into ...any) (bool, error) {
	if err := t.save(); err != nil {
		return false, err
	}
	found := false
	// Read to the end: a statement that is left before it is done may be undone.
	err := t.each(query, values, func(scan scanner) error {
		found = true
		return scan(into...)
	})
	return found, err
}

// unique reports whether err is a unique index refusing a row.
func (t *tx) unique(err error) bool { return t.conn.dialect.class(err) == classUnique }

// foreign reports whether err is a missing row that another points to.
func (t *tx) foreign(err error) bool { return t.conn.dialect.class(err) == classForeign }

// Statements of transactions and savepoints, equal in all dialects.
const (
	sqlSave     = "SAVEPOINT unit"
	sqlKeep     = "RELEASE SAVEPOINT unit"
	sqlUndo     = "ROLLBACK TO SAVEPOINT unit"
	sqlCommit   = "COMMIT"
	sqlRollback = "ROLLBACK"
)

func (t *tx) save() error {
	if t.saved {
		return nil
	}
	if err := t.control(sqlSave); err != nil {
		return err
	}
	t.saved = true
	return nil
}

// control runs a statement about the transaction itself.
func (t *tx) control(statement string) error {
	stmt, release, err := t.conn.prepare(statement)
	if err != nil {
		return err
	}
	defer release()
	if _, err := stmt.ExecContext(t.ctx); err != nil {
		return fmt.Errorf("%s: %w", statement, err)
	}
	return nil
}

// errBroken says that the transaction is gone together with the units that ran
// in it before.
var errBroken = errors.New("the transaction was rolled back by the database")

// do runs one unit inside the open transaction. The first result is the unit's
// own answer; the second is not nil when the transaction can't go on.
func (t *tx) do(run func(*tx) error) (answer, broken error) {
	t.saved = false
	answer = protect(t, run)
	if answer == nil {
		if t.saved {
			if err := t.control(sqlKeep); err != nil {
				return nil, err
			}
		}
		t.counters.keep()
		t.totals.keep()
		return nil, nil
	}
	t.counters.undo()
	t.totals.undo()
	if t.saved {
		if err := t.control(sqlUndo); err != nil {
			// A full disk, for one, makes SQLite roll back the whole.
			return answer, errors.Join(errBroken, err)
		}
		if err := t.control(sqlKeep); err != nil {
			return answer, err
		}
	}
	return answer, nil
}

// protect turns a panic of a unit into its error: one request that steps on a
// mistake in the code must not end the server for all others.
func protect(t *tx, run func(*tx) error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic in a unit of the store: %v\n%s", p, debug.Stack())
		}
	}()
	return run(t)
}

// flush writes what the units of a batch counted together.
func (t *tx) flush() error {
	t.saved = true // the batch's own writes need no savepoint
	if err := t.counters.flush(t); err != nil {
		return err
	}
	return t.totals.flush(t)
}

// begin opens a transaction for a batch.
func begin(c *conn, statement string) (*tx, error) {
	// The writer's statements are not bound to one caller's context: a batch
	// serves many, and each statement of it is short.
	t := &tx{view: view{ctx: context.Background(), conn: c}, counters: newCounters(), totals: newTotals(), runnables: make(map[id.ID]*runnable)}
	return t, t.begin(statement)
}

// begin opens a transaction. One that was left open, because its end failed, is
// ended first.
func (t *tx) begin(statement string) error {
	err := t.control(statement)
	if err == nil || t.control(sqlRollback) != nil {
		return err
	}
	return t.control(statement)
}
