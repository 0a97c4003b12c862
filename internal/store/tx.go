package store

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"

	"github.com/usefloww/flowwd/internal/execution"
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
	failures *failures
	values   *kvBatch
	// runnables are the triggers that units of this batch accepted events for,
	// until a unit of the batch changes workflows. Another process may change
	// them meanwhile; that is as if the batch had come a moment earlier.
	runnables map[id.ID]*runnable
	// waits says that something was seen to wait for a free slot.
	waits   bool
	notices *notices
	audits  *audits
	// ended are what units of this batch ended of which nobody else will tell,
	// and told how many of them are of units that succeeded.
	ended []execution.Ended
	told  int
	// careful sets a savepoint before a unit's first write. Without it a unit
	// that fails after it has written fails the batch, which is then tried again
	// with care: few do, and a savepoint costs as much as a statement or, with a
	// server, two more words with it.
	careful bool
	// touched says that the running unit has written.
	touched bool
}

// exec runs a statement that changes rows and returns how many it changed.
func (t *tx) exec(query string, values ...any) (int64, error) {
	if err := t.save(); err != nil {
		return 0, err
	}
	all, err := t.next(query, values)
	if err != nil {
		return 0, err
	}
	n, err := t.run(all)
	if err != nil {
		t.failed = true
	}
	return n, err
}

// now is exec for who does not ask how many rows were changed.
func (t *tx) now(query string, values ...any) error {
	_, err := t.exec(query, values...)
	return err
}

// later runs a statement that changes rows before the next statement of the
// transaction, together with that one. It is for statements that fail only when
// something is wrong: which unit's it was is not known then, and the batch is
// run again with care, which has none of them wait. Their order may change, and
// those of one text that change at most a row each may run as one.
func (t *tx) later(query string, values ...any) error {
	if t.careful {
		return t.now(query, values...)
	}
	if err := t.save(); err != nil {
		return err
	}
	all, err := t.next(query, values)
	if err != nil {
		return err
	}
	all[len(all)-1].alike = true
	t.pending = all
	return nil
}

// expect is later for a statement that changes a row unless the unit is refused,
// and reports whether it did. With care that is so; otherwise it says yes, and
// the batch is run again with care when it was no.
func (t *tx) expect(query string, values ...any) (bool, error) {
	if t.careful {
		n, err := t.exec(query, values...)
		return n > 0, err
	}
	if err := t.later(query, values...); err != nil {
		return false, err
	}
	t.pending[len(t.pending)-1].must = 1
	return true, nil
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

// tell has it told that the unit ended something, once it is committed.
func (t *tx) tell(e execution.Ended) { t.ended = append(t.ended, e) }

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

// save is called before a unit writes.
func (t *tx) save() error {
	if t.touched {
		return nil
	}
	if t.careful {
		if err := t.control(sqlSave); err != nil {
			return err
		}
	}
	t.touched = true
	return nil
}

// control runs a statement about the transaction itself.
func (t *tx) control(text string) error {
	all, err := t.next(text, nil)
	if err == nil {
		_, err = t.run(all)
	}
	return err
}

// rollback ends the transaction without what was done in it.
func (t *tx) rollback() error {
	t.pending = nil
	return t.control(sqlRollback)
}

// errBroken says that the transaction can't go on, and that the units that ran
// in it before go with it.
var errBroken = errors.New("the transaction is broken")

// do runs one unit inside the open transaction. The first result is the unit's
// own answer; the second is not nil when the transaction can't go on.
func (t *tx) do(run func(*tx) error) (answer, broken error) {
	t.touched, t.failed = false, false
	answer = protect(t, run)
	t.values.ended()
	if answer == nil {
		if t.touched && t.careful {
			if err := t.control(sqlKeep); err != nil {
				return nil, err
			}
		}
		t.counters.keep()
		t.totals.keep()
		t.failures.keep()
		t.audits.keep()
		t.told = len(t.ended)
		return nil, nil
	}
	t.counters.undo()
	t.totals.undo()
	t.failures.undo()
	t.audits.undo()
	t.ended = t.ended[:t.told]
	if !t.careful && t.touched || !t.touched && t.failed {
		return answer, errBroken
	}
	if t.touched {
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
	t.touched = true // the batch's own writes need no savepoint
	if err := t.settle(); err != nil {
		return err
	}
	if err := t.counters.flush(t); err != nil {
		return err
	}
	if err := t.totals.flush(t); err != nil {
		return err
	}
	if err := t.failures.flush(t); err != nil {
		return err
	}
	if err := t.values.flush(t); err != nil {
		return err
	}
	if err := t.audits.flush(t); err != nil {
		return err
	}
	if err := endSessionsOf(t); err != nil {
		return err
	}
	return t.conn.dialect.announce(t, t.notices)
}

// settle runs what is pending if that can show that a unit is refused: it must be
// known before the commit, which goes to the server with what precedes it.
func (t *tx) settle() error {
	if !slices.ContainsFunc(t.pending, func(s statement) bool { return s.must > 0 }) {
		return nil
	}
	all := t.pending
	t.pending = nil
	_, err := t.run(all)
	return err
}

// begin opens a transaction for a batch. What it returns is released after the
// transaction has ended.
func begin(c *conn, careful bool) (*tx, context.CancelFunc, error) {
	// The writer's statements are not bound to one caller's context: a batch
	// serves many, and each statement of it is short.
	ctx, cancel := context.Background(), func() {}
	if bound := c.dialect.timeout(); bound > 0 {
		ctx, cancel = context.WithTimeout(ctx, bound)
	}
	t := &tx{
		view: view{ctx: ctx, conn: c}, careful: careful,
		counters: newCounters(), totals: newTotals(), failures: newFailures(), values: newKVBatch(), audits: &audits{}, notices: newNotices(), runnables: make(map[id.ID]*runnable),
	}
	if c.dialect.shared() && !careful {
		// It goes with the first statement. A connection that is gone is noticed
		// there, and replaced when the batch runs again, with care.
		t.pending = []statement{{text: c.dialect.begin(writing)}}
		return t, cancel, nil
	}
	return t, cancel, t.begin(writing)
}

// begin opens a transaction. One that was left open, because its end failed, is
// ended first, and a connection that is gone is replaced.
func (t *tx) begin(mode mode) error {
	statement := t.conn.dialect.begin(mode)
	err := t.control(statement)
	switch {
	case err == nil:
		return nil
	case t.conn.dialect.class(err) == classLost:
		if renewed := t.conn.renew(t.ctx); renewed != nil {
			return errors.Join(err, renewed)
		}
	case t.rollback() != nil:
		return err
	}
	return t.control(statement)
}
