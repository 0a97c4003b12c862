package store

import (
	"context"
	"time"

	"github.com/usefloww/flowwd/internal/alert"
	"github.com/usefloww/flowwd/internal/audit"
	"github.com/usefloww/flowwd/internal/id"
)

const receiverColumns = `a.organization_id, a.workflow_id, a.kind, a.label, a.sealed, a.created_by_id, a.updated_at, a.sent_at, a.problem,
	a.failures + a.notice_failures`

func receiverTargets(r *alert.Receiver) []any {
	return []any{
		&r.OrganizationID, &r.WorkflowID, (*string)(&r.Kind), &r.Label, &r.Sealed, &r.CreatedByID, &r.UpdatedAt, &r.SentAt, &r.Problem, &r.Waiting,
	}
}

// Receivers implements alert.Store.
func (s *Store) Receivers(ctx context.Context, workflow id.ID) (found []alert.Receiver, err error) {
	err = s.read(ctx, "list who is told of failures", func(v *view) (err error) {
		found, err = receivers(v, workflow)
		return err
	})
	return found, err
}

func receivers(v *view, workflow id.ID) (found []alert.Receiver, err error) {
	err = v.each(`SELECT `+receiverColumns+` FROM alerts a WHERE a.workflow_id = ? ORDER BY a.kind`, args{workflow}, func(scan scanner) error {
		var r alert.Receiver
		err := scan(receiverTargets(&r)...)
		found = append(found, r)
		return err
	})
	return found, err
}

// ChangeReceivers implements alert.Store.
func (s *Store) ChangeReceivers(ctx context.Context, c alert.Change) error {
	return s.write(ctx, "change who is told of failures", func(t *tx) error {
		if _, found, err := oneWorkflow(&t.view, c.WorkflowID, t.conn.dialect.lock("w")); err != nil || !found {
			if err == nil {
				err = workflowNotFound()
			}
			return err
		}
		before, err := receivers(&t.view, c.WorkflowID)
		if err != nil {
			return err
		}
		for _, kind := range c.Remove {
			if _, err := t.exec(`DELETE FROM alerts WHERE workflow_id = ? AND kind = ?`, c.WorkflowID, string(kind)); err != nil {
				return err
			}
		}
		for _, r := range c.Set {
			// What is on its way goes to the new address.
			_, err := t.exec(`
				INSERT INTO alerts (workflow_id, kind, organization_id, label, sealed, created_by_id, updated_at, failures, notice_failures, tries, problem)
				VALUES (?, ?, ?, ?, ?, ?, ?, 0, 0, 0, '')
				ON CONFLICT (workflow_id, kind) DO UPDATE SET label = excluded.label, sealed = excluded.sealed, created_by_id = excluded.created_by_id,
					updated_at = excluded.updated_at, problem = ''`,
				c.WorkflowID, string(r.Kind), c.OrganizationID, r.Label, r.Sealed, r.CreatedByID, r.UpdatedAt)
			if err != nil {
				return err
			}
		}
		after, err := receivers(&t.view, c.WorkflowID)
		s.record(ctx, t, audit.Entry{
			OrganizationID: c.OrganizationID, Action: audit.ChangeAlerts, Target: audit.Target{Type: "workflow", ID: c.WorkflowID.String()},
			Before: auditedReceivers(before), After: auditedReceivers(after),
		})
		return err
	})
}

// auditedReceivers names receivers without what is sealed of them.
func auditedReceivers(all []alert.Receiver) []byte {
	fields := map[string]any{}
	for _, r := range all {
		if r.Kind != alert.Handler {
			fields[string(r.Kind)] = r.Label
		}
	}
	return audit.Snapshot(fields)
}

// TakeNotices implements alert.Store.
func (s *Store) TakeNotices(ctx context.Context, ids []id.ID, now, again time.Time) (taken []alert.Notice, err error) {
	var one int
	due := false
	err = s.read(ctx, "look for what is to be told", func(v *view) (err error) {
		due, err = v.one(`SELECT 1 FROM alerts a WHERE a.due_at <= ? LIMIT 1`, args{now}, &one)
		return err
	})
	if err != nil || !due {
		return nil, err
	}
	err = s.write(ctx, "take what is to be told", func(t *tx) error {
		found, err := dueNotices(t, now, len(ids))
		if err != nil {
			return err
		}
		taken = found
		for i := range taken {
			n := &taken[i]
			if n.ID.IsZero() {
				n.ID = ids[i]
			}
			n.Try++
			_, err := t.exec(`
				UPDATE alerts SET notice_id = ?, notice_failures = ?, notice_first_at = ?, notice_execution_id = ?, tries = ?, due_at = ?,
					failures = failures + notice_failures - ?,
					first_at = CASE WHEN notice_id IS NULL THEN NULL ELSE first_at END,
					execution_id = CASE WHEN notice_id IS NULL THEN NULL ELSE execution_id END
				WHERE workflow_id = ? AND kind = ?`,
				n.ID, n.Failures, n.Since, n.ExecutionID, n.Try, again, n.Failures, n.WorkflowID, string(n.Kind))
			if err != nil {
				return err
			}
		}
		return nil
	})
	return taken, err
}

// dueNotices are those that are on their way, and new ones without an id.
func dueNotices(t *tx, now time.Time, limit int) (found []alert.Notice, err error) {
	err = t.each(`
		SELECT `+receiverColumns+`, a.notice_id, a.tries,
			CASE WHEN a.notice_id IS NULL THEN a.failures ELSE a.notice_failures END,
			CASE WHEN a.notice_id IS NULL THEN a.first_at ELSE a.notice_first_at END,
			CASE WHEN a.notice_id IS NULL THEN a.execution_id ELSE a.notice_execution_id END
		FROM alerts a WHERE a.due_at <= ? ORDER BY a.due_at LIMIT ?`+t.conn.dialect.skipLocked("a"), args{now, limit}, func(scan scanner) error {
		var n alert.Notice
		err := scan(append(receiverTargets(&n.Receiver), &n.ID, &n.Try, &n.Failures, &n.Since, &n.ExecutionID)...)
		found = append(found, n)
		return err
	})
	return found, err
}

// SettleNotice implements alert.Store.
func (s *Store) SettleNotice(ctx context.Context, n alert.Notice, settled alert.Settlement) error {
	return s.write(ctx, "settle a notice", func(t *tx) error {
		gathered := 0
		held, err := t.one(`SELECT a.failures FROM alerts a WHERE a.workflow_id = ? AND a.kind = ? AND a.notice_id = ? AND a.tries = ?`+t.conn.dialect.lock("a"),
			args{n.WorkflowID, string(n.Kind), n.ID, n.Try}, &gathered)
		if err != nil || !held {
			return err
		}
		if settled.Again != nil {
			_, err := t.exec(`UPDATE alerts SET due_at = ?, problem = ? WHERE workflow_id = ? AND kind = ?`,
				*settled.Again, settled.Problem, n.WorkflowID, string(n.Kind))
			return err
		}
		var next, sent *time.Time
		if gathered > 0 {
			next = &settled.Quiet
		}
		if settled.Problem == "" {
			sent = &settled.At
		}
		_, err = t.exec(`
			UPDATE alerts SET notice_id = NULL, notice_failures = 0, notice_first_at = NULL, notice_execution_id = NULL, tries = 0,
				due_at = ?, quiet_at = ?, sent_at = COALESCE(?, sent_at), problem = ?
			WHERE workflow_id = ? AND kind = ?`,
			next, settled.Quiet, sent, settled.Problem, n.WorkflowID, string(n.Kind))
		return err
	})
}
