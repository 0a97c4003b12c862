package store

import (
	"context"
	"fmt"
	"time"

	"github.com/usefloww/flowwd/internal/audit"
	"github.com/usefloww/flowwd/internal/execution"
	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
)

// RetryExecution implements execution.Store.
func (s *Store) RetryExecution(ctx context.Context, lease execution.Lease, f execution.Failure) (execution.State, error) {
	if f.State != execution.Failed && f.State != execution.TimedOut {
		return "", fmt.Errorf("retry execution %s: %q is no way for an attempt to fail", lease.ExecutionID, f.State)
	}
	chunk, err := encodeChunk(f.Logs)
	if err != nil {
		return "", fmt.Errorf("retry execution %s: %w", lease.ExecutionID, err)
	}
	var state execution.State
	err = s.write(ctx, "retry an execution", func(t *tx) (err error) {
		state, err = retry(t, lease, f, chunk)
		return err
	})
	return state, err
}

func retry(t *tx, lease execution.Lease, f execution.Failure, chunk *encodedChunk) (execution.State, error) {
	row, err := readStarted(t, lease)
	if err != nil {
		return "", err
	}
	if err := chunk.insert(t, lease); err != nil {
		return "", err
	}
	if err := endAttempt(t, lease, row.started, f.EndedAt, string(f.State), f.Error); err != nil {
		return "", err
	}
	t.notices.executions[lease.ExecutionID] = true
	if reason := row.unwanted(); reason != "" {
		return execution.Cancelled, row.end(t, lease, execution.Cancelled, reason, "", f.EndedAt, 0)
	}
	_, err = t.exec(`
		UPDATE executions SET state = 'received', claimed_by = NULL, retries = retries + 1, error = ?, stack = ?,
			postponed = true, available_at = ? WHERE id = ?`, f.Error, f.Stack, f.NextAt, lease.ExecutionID)
	if err != nil {
		return "", err
	}
	t.counters.add(row.organization, 1, -1)
	return execution.Received, nil
}

// WakePostponed implements execution.Store.
func (s *Store) WakePostponed(ctx context.Context, now time.Time, limit int) (woken int, next time.Time, err error) {
	err = s.write(ctx, "wake postponed executions", func(t *tx) error {
		var due []id.ID
		err := t.each(`
			SELECT e.id FROM executions e WHERE e.state = 'received' AND e.postponed = true AND e.available_at <= ?
			ORDER BY e.available_at LIMIT ?`+t.conn.dialect.skipLocked("e"), args{now, limit}, func(scan scanner) error {
			var x id.ID
			err := scan(&x)
			due = append(due, x)
			return err
		})
		if err != nil {
			return err
		}
		for _, x := range due {
			if err := t.later(`UPDATE executions SET postponed = false, available_at = NULL WHERE id = ?`, x); err != nil {
				return err
			}
		}
		woken = len(due)
		t.notices.queue = t.notices.queue || woken > 0
		next = time.Time{}
		_, err = t.one(`
			SELECT available_at FROM executions WHERE state = 'received' AND postponed = true AND available_at > ?
			ORDER BY available_at LIMIT 1`, args{now}, &next)
		return err
	})
	return woken, next, err
}

// ReleaseExecution implements execution.Store.
func (s *Store) ReleaseExecution(ctx context.Context, released id.ID) error {
	return s.write(ctx, "release an execution", func(t *tx) error {
		var organization id.ID
		postponed, err := t.one(`
			SELECT e.organization_id FROM executions e WHERE e.id = ? AND `+unclaimed+` AND e.postponed = true`+t.conn.dialect.lock("e"),
			args{released}, &organization)
		switch {
		case err != nil:
			return err
		case !postponed:
			return fault.New(fault.Conflict, "The execution waits for no time: it runs, waits for its turn or has ended")
		}
		if _, err := t.exec(`UPDATE executions SET postponed = false, available_at = NULL WHERE id = ?`, released); err != nil {
			return err
		}
		t.notices.queue, t.notices.executions[released] = true, true
		s.record(ctx, t, audit.Entry{OrganizationID: organization, Action: audit.ReleaseExecution, Target: audit.Target{Type: "execution", ID: released.String()}})
		return nil
	})
}

// Attempts implements execution.Store. Where the last attempt has no row, it ended
// as its execution did.
func (s *Store) Attempts(ctx context.Context, of id.ID, limit int) ([]execution.Attempt, error) {
	var found []execution.Attempt
	err := s.read(ctx, "list attempts", func(v *view) error {
		found = nil
		return v.each(`
			SELECT a.n, a.started_at, a.ended_at, a.outcome, a.error FROM attempts a WHERE a.execution_id = ?
			UNION ALL
			SELECT e.attempt, e.started_at, e.completed_at, e.state, e.error FROM executions e
			WHERE e.id = ? AND e.completed_at IS NOT NULL AND e.attempt > 0
				AND NOT EXISTS (SELECT 1 FROM attempts l WHERE l.execution_id = e.id AND l.n = e.attempt)
			ORDER BY 1 LIMIT ?`, args{of, of, limit}, func(scan scanner) error {
			var a execution.Attempt
			err := scan(&a.Number, &a.StartedAt, &a.EndedAt, &a.Outcome, &a.Error)
			found = append(found, a)
			return err
		})
	})
	return found, err
}
