package store

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/usefloww/flowwd/internal/execution"
	"github.com/usefloww/flowwd/internal/id"
)

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
	row, err := readStarted(t, lease)
	if err != nil {
		return "", err
	}
	if err := chunk.insert(t, lease); err != nil {
		return "", err
	}
	if err := endAttempt(t, lease, row.started, in.EndedAt, interrupted, in.Reason); err != nil {
		return "", err
	}
	t.notices.executions[lease.ExecutionID] = true
	state, failure := row.verdict(in.Reason)
	if in.Unknown {
		t.tell(row.ended(lease, state, cmp.Or(failure, in.Reason), in.EndedAt))
	}
	if state != execution.Received {
		return state, row.end(t, lease, state, failure, "", in.EndedAt, 1)
	}
	_, err = t.exec(`
		UPDATE executions SET state = 'received', claimed_by = NULL, interruptions = interruptions + 1 WHERE id = ?`, lease.ExecutionID)
	if err != nil {
		return "", err
	}
	t.notices.queue = true
	t.counters.add(row.organization, 1, -1)
	return state, nil
}

// startedRow is a running execution whose attempt is about to end without a
// final state of its own.
type startedRow struct {
	organization, workflow id.ID
	trigger, deployment    id.ID
	received, started      time.Time
	interruptions          int
	fail                   bool
	deletedAt              *time.Time
	cancelReason           string
	triggerType            string
}

// readStarted reads and locks a running execution; ErrLeaseLost when the lease
// is not the owner's.
func readStarted(t *tx, lease execution.Lease) (*startedRow, error) {
	var row startedRow
	held, err := t.one(`
		SELECT e.organization_id, e.workflow_id, e.trigger_id, e.deployment_id, e.received_at, e.started_at, e.interruptions, e.cancel_reason, t.fail_on_interrupt, t.type,
			COALESCE(w.deleted_at, o.deleted_at)
		FROM executions e JOIN triggers t ON t.id = e.trigger_id JOIN workflows w ON w.id = e.workflow_id
		JOIN organizations o ON o.id = e.organization_id
		WHERE e.id = ? AND e.claimed_by = ? AND e.attempt = ?`+t.conn.dialect.lock("e"),
		args{lease.ExecutionID, lease.Incarnation, lease.Attempt},
		&row.organization, &row.workflow, &row.trigger, &row.deployment, &row.received, &row.started, &row.interruptions, &row.cancelReason, &row.fail, &row.triggerType, &row.deletedAt)
	if err == nil && !held {
		err = execution.ErrLeaseLost
	}
	return &row, err
}

// ended is what to tell of an attempt that the store ended.
func (r *startedRow) ended(lease execution.Lease, state execution.State, reason string, at time.Time) execution.Ended {
	return execution.Ended{
		Claim: execution.Claim{
			Lease: lease, OrganizationID: r.organization, WorkflowID: r.workflow, TriggerID: r.trigger, DeploymentID: r.deployment,
			ReceivedAt: r.received, StartedAt: r.started,
		},
		End: execution.End{State: state, Error: reason, At: at, Duration: max(at.Sub(r.started), 0)},
	}
}

// unwanted says why the execution must not run again whatever its options are;
// empty when it may.
func (r *startedRow) unwanted() string {
	switch {
	case r.deletedAt != nil:
		return workflowDeleted
	default:
		return r.cancelReason
	}
}

// verdict says what becomes of an interrupted execution.
func (r *startedRow) verdict(reason string) (execution.State, string) {
	switch {
	case r.unwanted() != "":
		return execution.Cancelled, r.unwanted()
	case r.fail:
		return execution.Failed, fmt.Sprintf("Interrupted: %s. Its trigger asks that an interrupted run does not run again", reason)
	case r.interruptions >= execution.MaxInterruptions:
		return execution.Failed, fmt.Sprintf("Interrupted %d times, the last time because %s", r.interruptions+1, reason)
	}
	return execution.Received, ""
}

// end ends an execution in a final state, after so many more interruptions.
func (r *startedRow) end(t *tx, lease execution.Lease, state execution.State, failure, stack string, at time.Time, more int) error {
	ran := max(at.Sub(r.started), 0)
	_, err := t.exec(`
		UPDATE executions SET state = ?, claimed_by = NULL, interruptions = interruptions + ?,
			completed_at = ?, duration_ms = ?, error = ?, stack = ? WHERE id = ?`,
		string(state), more, at, ran, failure, stack, lease.ExecutionID)
	if err != nil {
		return err
	}
	t.failures.ended(r.workflow, lease.ExecutionID, state, at, r.triggerType)
	t.totals.ended(r.organization, r.workflow, state, r.received, ran)
	t.counters.add(r.organization, 0, -1)
	return nil
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
				if _, err := interrupt(t, lease, execution.Interruption{Reason: reason, EndedAt: now, Unknown: true}, nil); err != nil {
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
func (s *Store) Claims(ctx context.Context, incarnation id.ID, limit int) ([]execution.Held, error) {
	var held []execution.Held
	err := s.read(ctx, "list the claims of a node", func(v *view) error {
		return v.each(`SELECT id, attempt, cancel_reason IS NOT NULL FROM executions WHERE state = 'started' AND claimed_by = ? LIMIT ?`,
			args{incarnation, limit}, func(scan scanner) error {
				h := execution.Held{Lease: execution.Lease{Incarnation: incarnation}}
				err := scan(&h.ExecutionID, &h.Attempt, &h.Cancelled)
				held = append(held, h)
				return err
			})
	})
	return held, err
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
