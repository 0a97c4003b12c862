package store

import (
	"bytes"
	"maps"
	"slices"
	"time"

	"github.com/usefloww/flowwd/internal/execution"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/workflow"
)

// failing is what a batch adds to what is to be told of a workflow's failures.
type failing struct {
	// count leaves out those of the handler of failures, and all does not.
	count, all int
	// first is when the first of them was, and last the execution of the last.
	first           time.Time
	last, lastOther id.ID
}

// failures gathers executions that failed for good, so that the many of one
// workflow that fail together change its rows once.
type failures struct {
	of   map[id.ID]failing
	unit []failedRun
}

type failedRun struct {
	workflow, execution id.ID
	at                  time.Time
	// handler says that it was a run of the handler of failures.
	handler bool
}

func newFailures() *failures { return &failures{of: make(map[id.ID]failing)} }

// ended notes an execution that ended, when it failed.
func (f *failures) ended(of, ended id.ID, state execution.State, at time.Time, trigger string) {
	if state == execution.Failed || state == execution.TimedOut {
		f.unit = append(f.unit, failedRun{of, ended, at, trigger == workflow.OnFailure})
	}
}

// keep makes the running unit's changes final, undo forgets them.
func (f *failures) keep() {
	for _, run := range f.unit {
		sum := f.of[run.workflow]
		if sum.all == 0 || run.at.Before(sum.first) {
			sum.first = run.at
		}
		sum.all, sum.last = sum.all+1, run.execution
		if !run.handler {
			sum.count, sum.lastOther = sum.count+1, run.execution
		}
		f.of[run.workflow] = sum
	}
	f.unit = f.unit[:0]
}

func (f *failures) undo() { f.unit = f.unit[:0] }

// flush adds what was gathered to what is to be told.
func (f *failures) flush(t *tx) error {
	for _, of := range slices.SortedFunc(maps.Keys(f.of), func(a, b id.ID) int { return bytes.Compare(a[:], b[:]) }) {
		sum := f.of[of]
		err := t.later(`
			UPDATE alerts SET failures = failures + ?, first_at = COALESCE(first_at, ?), execution_id = ?, due_at = COALESCE(due_at, quiet_at, ?)
			WHERE workflow_id = ? AND kind <> 'handler'`, sum.all, sum.first, sum.last, sum.first, of)
		if err == nil && sum.count > 0 {
			err = sum.fire(t, of)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// fire does the same for the handler that the workflow's code declares.
func (f failing) fire(t *tx, of id.ID) error {
	return t.later(`
		INSERT INTO alerts (kind, label, updated_at, failures, first_at, execution_id, due_at, notice_failures, tries, problem, workflow_id, organization_id)
		SELECT 'handler', '', ?, ?, ?, ?, ?, 0, 0, '', t.workflow_id, t.organization_id FROM triggers t
		WHERE t.workflow_id = ? AND t.type = ? AND t.deleted_at IS NULL AND t.dev_only = false LIMIT 1
		ON CONFLICT (workflow_id, kind) DO UPDATE SET
			failures = alerts.failures + excluded.failures, first_at = COALESCE(alerts.first_at, excluded.first_at),
			execution_id = excluded.execution_id, due_at = COALESCE(alerts.due_at, alerts.quiet_at, excluded.due_at)`,
		f.first, f.count, f.first, f.lastOther, f.first, of, workflow.OnFailure)
}
