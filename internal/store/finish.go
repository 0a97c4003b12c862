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
	return s.write(ctx, "finish an execution", func(t *tx) error { return finish(t, lease, o, chunk) })
}

// finish ends an execution for good.
func finish(t *tx, lease execution.Lease, o execution.Outcome, chunk *encodedChunk) error {
	var organization, workflow id.ID
	var received, started time.Time
	held, err := t.change(`
		UPDATE executions SET state = ?, completed_at = ?, duration_ms = ?, error = ?, stack = ?, result = ?, claimed_by = NULL
		WHERE id = ? AND state = 'started' AND claimed_by = ? AND attempt = ?
		RETURNING organization_id, workflow_id, received_at, started_at`,
		args{
			string(o.State), o.EndedAt, max(o.Duration, 0), o.Error, o.Stack, o.Result,
			lease.ExecutionID, lease.Incarnation, lease.Attempt,
		},
		&organization, &workflow, &received, &started)
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
	t.totals.ended(organization, workflow, o.State, received, max(o.Duration, 0))
	return t.counters.add(t, organization, 0, -1)
}

func endAttempt(t *tx, lease execution.Lease, started, ended time.Time, outcome, reason string) error {
	return t.later(`
		INSERT INTO attempts (execution_id, n, incarnation, started_at, ended_at, outcome, error) VALUES (?, ?, ?, ?, ?, ?, ?)`,
		lease.ExecutionID, lease.Attempt, lease.Incarnation, started, ended, outcome, reason)
}

// InterruptExecution implements execution.Store.
func (s *Store) InterruptExecution(ctx context.Context, lease execution.Lease, in execution.Interruption) (execution.State, error) {
	chunk, err := encodeChunk(in.Logs)
	if err != nil {
		return "", fmt.Errorf("interrupt execution %s: %w", lease.ExecutionID, err)
	}
	var state execution.State
	err = s.write(ctx, "interrupt an execution", func(t *tx) (err error) {
		state, err = interrupt(t, lease, in, chunk)
		return err
	})
	return state, err
}

// interrupt ends an attempt and puts its execution back into the queue, or ends
// it when it may not run again.
func interrupt(t *tx, lease execution.Lease, in execution.Interruption, chunk *encodedChunk) (execution.State, error) {
	var row interruptedRow
	held, err := t.one(`
		SELECT e.organization_id, e.workflow_id, e.received_at, e.started_at, e.interruptions, t.fail_on_interrupt,
			COALESCE(w.deleted_at, o.deleted_at)
		FROM executions e JOIN triggers t ON t.id = e.trigger_id JOIN workflows w ON w.id = e.workflow_id
		JOIN organizations o ON o.id = e.organization_id
		WHERE e.id = ? AND e.state = 'started' AND e.claimed_by = ? AND e.attempt = ?`+t.conn.dialect.lock("e"),
		args{lease.ExecutionID, lease.Incarnation, lease.Attempt},
		&row.organization, &row.workflow, &row.received, &row.started, &row.interruptions, &row.fail, &row.deletedAt)
	if err != nil {
		return "", err
	}
	if !held {
		return "", execution.ErrLeaseLost
	}
	if err := chunk.insert(t, lease); err != nil {
		return "", err
	}
	if err := endAttempt(t, lease, row.started, in.EndedAt, interrupted, in.Reason); err != nil {
		return "", err
	}
	t.notices.executions[lease.ExecutionID] = true
	state, failure := row.verdict(in.Reason)
	if err := row.store(t, lease.ExecutionID, state, failure, in.EndedAt); err != nil {
		return "", err
	}
	return state, nil
}

type interruptedRow struct {
	organization, workflow id.ID
	received, started      time.Time
	interruptions          int
	fail                   bool
	deletedAt              *time.Time
}

// verdict says what becomes of an interrupted execution.
func (r *interruptedRow) verdict(reason string) (execution.State, string) {
	switch {
	case r.deletedAt != nil:
		return execution.Cancelled, workflowDeleted
	case r.fail:
		return execution.Failed, fmt.Sprintf("Interrupted: %s. Its trigger asks that an interrupted run does not run again", reason)
	case r.interruptions >= execution.MaxInterruptions:
		return execution.Failed, fmt.Sprintf("Interrupted %d times, the last time because %s", r.interruptions+1, reason)
	}
	return execution.Received, ""
}

func (r *interruptedRow) store(t *tx, execid id.ID, state execution.State, failure string, at time.Time) error {
	if state == execution.Received {
		_, err := t.exec(`
			UPDATE executions SET state = 'received', claimed_by = NULL, interruptions = interruptions + 1 WHERE id = ?`, execid)
		if err != nil {
			return err
		}
		t.notices.queue = true
		return t.counters.add(t, r.organization, 1, -1)
	}
	ran := max(at.Sub(r.started), 0)
	_, err := t.exec(`
		UPDATE executions SET state = ?, claimed_by = NULL, interruptions = interruptions + 1,
			completed_at = ?, duration_ms = ?, error = ? WHERE id = ?`,
		string(state), at, ran, failure, execid)
	if err != nil {
		return err
	}
	t.totals.ended(r.organization, r.workflow, state, r.received, ran)
	return t.counters.add(t, r.organization, 0, -1)
}

// takeBackBatch is how many claims one unit takes back.
const takeBackBatch = 100

// TakeBackClaims implements execution.Store. It works in batches, each of them
// one unit: taking back some and not the rest is a state that a second call
// goes on from.
func (s *Store) TakeBackClaims(ctx context.Context, reason string, now time.Time) (int, error) {
	total := 0
	for {
		taken := 0
		err := s.write(ctx, "take back claims", func(t *tx) error {
			leases, err := lostLeases(t)
			if err != nil {
				return err
			}
			taken = len(leases)
			for _, lease := range leases {
				if _, err := interrupt(t, lease, execution.Interruption{Reason: reason, EndedAt: now}, nil); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return total, err
		}
		total += taken
		if taken < takeBackBatch {
			return total, nil
		}
	}
}

// Claims implements execution.Store.
func (s *Store) Claims(ctx context.Context, incarnation id.ID, limit int) ([]execution.Lease, error) {
	var leases []execution.Lease
	err := s.read(ctx, "list the claims of a node", func(v *view) error {
		return v.each(`SELECT id, attempt FROM executions WHERE state = 'started' AND claimed_by = ? LIMIT ?`,
			args{incarnation, limit}, func(scan scanner) error {
				l := execution.Lease{Incarnation: incarnation}
				err := scan(&l.ExecutionID, &l.Attempt)
				leases = append(leases, l)
				return err
			})
	})
	return leases, err
}

// lostLeases returns some claims of incarnations that are no more.
func lostLeases(t *tx) ([]execution.Lease, error) {
	var leases []execution.Lease
	err := t.each(`
		SELECT e.id, e.claimed_by, e.attempt FROM executions e
		WHERE e.state = 'started' AND NOT EXISTS (
			SELECT 1 FROM nodes n WHERE n.incarnation = e.claimed_by AND n.lease_until > `+t.conn.dialect.clock()+`)
		LIMIT ?`+t.conn.dialect.skipLocked("e"),
		args{0, takeBackBatch}, func(scan scanner) error {
			var l execution.Lease
			err := scan(&l.ExecutionID, &l.Incarnation, &l.Attempt)
			leases = append(leases, l)
			return err
		})
	return leases, err
}
