package store

import (
	"context"
	"fmt"
	"time"

	"github.com/usefloww/flowwd/internal/execution"
	"github.com/usefloww/flowwd/internal/id"
)

// interrupted is the outcome of an attempt that may be run again; the others
// are final states.
const interrupted = "interrupted"

// FinishExecution implements execution.Store.
func (s *Store) FinishExecution(ctx context.Context, lease execution.Lease, o execution.Outcome) error {
	if !o.State.Final() || o.State == execution.NoDeployment || !o.State.Known() {
		return fmt.Errorf("finish execution %s: %q is no state that a run ends in", lease.ExecutionID, o.State)
	}
	chunk, err := encodeChunk(o.Logs)
	if err != nil {
		return fmt.Errorf("finish execution %s: %w", lease.ExecutionID, err)
	}
	return s.write(ctx, "finish an execution", func(t *tx) error {
		if o.State == execution.Cancelled {
			// Who asked for it says it better than whoever ended the process.
			_, err := t.one(`SELECT COALESCE(cancel_reason, ?) FROM executions WHERE id = ?`, args{o.Error, lease.ExecutionID}, &o.Error)
			if err != nil {
				return err
			}
		}
		return finish(t, lease, o, chunk)
	})
}

// finish ends an execution for good.
func finish(t *tx, lease execution.Lease, o execution.Outcome, chunk *encodedChunk) error {
	var organization, workflow id.ID
	var received, started time.Time
	var trigger string
	held, err := t.change(`
		UPDATE executions SET state = ?, completed_at = ?, duration_ms = ?, error = ?, stack = ?, result = ?, claimed_by = NULL
		WHERE id = ? AND claimed_by = ? AND attempt = ?
		RETURNING organization_id, workflow_id, received_at, started_at, trigger_type`,
		args{
			string(o.State), o.EndedAt, max(o.Duration, 0), o.Error, o.Stack, o.Result,
			lease.ExecutionID, lease.Incarnation, lease.Attempt,
		},
		&organization, &workflow, &received, &started, &trigger)
	if err != nil {
		return err
	}
	if !held {
		return execution.ErrLeaseLost
	}
	t.notices.executions[lease.ExecutionID] = true
	if err := chunk.insert(t, lease); err != nil {
		return err
	}
	if err := endAttempt(t, lease, started, o.EndedAt, string(o.State), o.Error); err != nil {
		return err
	}
	t.failures.ended(workflow, lease.ExecutionID, o.State, o.EndedAt, trigger)
	t.totals.ended(organization, workflow, o.State, received, max(o.Duration, 0))
	return t.counters.add(t, organization, 0, -1)
}

func endAttempt(t *tx, lease execution.Lease, started, ended time.Time, outcome, reason string) error {
	return t.later(`
		INSERT INTO attempts (execution_id, n, incarnation, started_at, ended_at, outcome, error) VALUES (?, ?, ?, ?, ?, ?, ?)`,
		lease.ExecutionID, lease.Attempt, lease.Incarnation, started, ended, outcome, reason)
}
