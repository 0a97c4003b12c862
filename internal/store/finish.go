package store

import (
	"context"
	"fmt"
	"time"

	"github.com/usefloww/flowwd/internal/execution"
)

// interrupted is the outcome of an attempt that may be run again; the others
// are final states.
const interrupted = "interrupted"

// FinishExecution implements execution.Store.
func (s *Store) FinishExecution(ctx context.Context, c *execution.Claim, o execution.Outcome) error {
	if !o.State.Final() || o.State == execution.NoDeployment || !o.State.Known() {
		return fmt.Errorf("finish execution %s: %q is no state that a run ends in", c.ExecutionID, o.State)
	}
	chunk, err := encodeChunk(o.Logs)
	if err != nil {
		return fmt.Errorf("finish execution %s: %w", c.ExecutionID, err)
	}
	return s.write(ctx, "finish an execution", func(t *tx) error {
		o := o
		if o.State == execution.Cancelled {
			// Who asked for it says it better than whoever ended the process.
			_, err := t.one(`SELECT COALESCE(cancel_reason, ?) FROM executions WHERE id = ?`, args{o.Error, c.ExecutionID}, &o.Error)
			if err != nil {
				return err
			}
		}
		return finish(t, c, o, chunk)
	})
}

// finish ends an execution for good. Its last attempt ends with it, and has no
// row of its own.
func finish(t *tx, c *execution.Claim, o execution.Outcome, chunk *encodedChunk) error {
	held, err := t.expect(`
		UPDATE executions SET state = ?, completed_at = ?, duration_ms = ?, error = ?, stack = ?, result = ?, claimed_by = NULL
		WHERE id = ? AND claimed_by = ? AND attempt = ?`,
		string(o.State), o.EndedAt, max(o.Duration, 0), o.Error, o.Stack, o.Result,
		c.ExecutionID, c.Incarnation, c.Attempt)
	if err != nil {
		return err
	}
	if !held {
		return execution.ErrLeaseLost
	}
	t.notices.executions[c.ExecutionID] = true
	if err := chunk.insert(t, c.Lease); err != nil {
		return err
	}
	t.failures.ended(c.WorkflowID, c.ExecutionID, o.State, o.EndedAt, c.Trigger.Type)
	t.totals.ended(c.OrganizationID, c.WorkflowID, o.State, c.ReceivedAt, max(o.Duration, 0))
	t.counters.add(c.OrganizationID, 0, -1)
	return nil
}

// endAttempt notes the end of an attempt that the end of its execution does not
// tell: another follows, or the two have different reasons.
func endAttempt(t *tx, lease execution.Lease, started, ended time.Time, outcome, reason string) error {
	return t.later(`
		INSERT INTO attempts (execution_id, n, incarnation, started_at, ended_at, outcome, error) VALUES (?, ?, ?, ?, ?, ?, ?)`,
		lease.ExecutionID, lease.Attempt, lease.Incarnation, started, ended, outcome, reason)
}
