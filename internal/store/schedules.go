package store

import (
	"context"
	"time"

	"github.com/usefloww/flowwd/internal/execution"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/workflow"
)

// takeTurn moves a schedule on, unless another process did so before, and
// reports whether an execution is to be made.
func takeTurn(t *tx, a execution.Acceptance) (bool, error) {
	if moved, err := moveOn(t, a); err != nil || !moved {
		return false, err
	}
	var one int
	waits, err := t.one(`
		SELECT 1 FROM executions
		WHERE organization_id = ? AND trigger_id = ? AND state = 'received' AND postponed = false AND attempt = 0 LIMIT 1`,
		args{a.OrganizationID, a.TriggerID}, &one)
	if err != nil || waits {
		return false, err
	}
	made, err := t.one(`SELECT 1 FROM executions WHERE trigger_id = ? AND planned_at = ?`, args{a.TriggerID, a.PlannedAt}, &one)
	return !made, err
}

// moveOn lets a schedule stand at its next time, unless that was done before.
func moveOn(t *tx, a execution.Acceptance) (bool, error) {
	n, err := t.exec(`UPDATE schedules SET next_at = ? WHERE trigger_id = ? AND next_at = ?`, a.Turn.Next, a.TriggerID, a.Turn.Due)
	return n > 0, err
}

// DueSchedules implements trigger.Store.
func (s *Store) DueSchedules(ctx context.Context, now time.Time, limit int) (due []workflow.Trigger, next time.Time, err error) {
	err = s.read(ctx, "look for schedules", func(v *view) error {
		due, next = nil, time.Time{}
		err := v.each(`SELECT `+triggerColumns+`
			FROM schedules s JOIN triggers t ON t.id = s.trigger_id LEFT JOIN webhooks h ON h.trigger_id = t.id
			WHERE s.next_at <= ? ORDER BY s.next_at LIMIT ?`, args{now, limit}, func(scan scanner) error {
			t, err := scanTrigger(scan)
			due = append(due, t)
			return err
		})
		if err != nil {
			return err
		}
		_, err = v.one(`SELECT next_at FROM schedules WHERE next_at > ? ORDER BY next_at LIMIT 1`, args{now}, &next)
		return err
	})
	return due, next, err
}

// NextSchedules implements trigger.Store.
func (s *Store) NextSchedules(ctx context.Context, workflows []id.ID) (map[id.ID]time.Time, error) {
	list, values := in(workflows)
	found := map[id.ID]time.Time{}
	err := s.read(ctx, "look for the next schedules", func(v *view) error {
		clear(found)
		return v.each(`SELECT workflow_id, next_at FROM schedules WHERE workflow_id IN `+list, values, func(scan scanner) error {
			var of id.ID
			var at time.Time
			err := scan(&of, &at)
			if before, known := found[of]; !known || at.Before(before) {
				found[of] = at
			}
			return err
		})
	})
	return found, err
}

// setSchedule says when a trigger fires next.
func setSchedule(t *tx, of workflow.Trigger) error {
	if of.NextAt == nil {
		return nil
	}
	_, err := t.exec(`
		INSERT INTO schedules (trigger_id, organization_id, workflow_id, next_at) VALUES (?, ?, ?, ?)
		ON CONFLICT (trigger_id) DO UPDATE SET next_at = excluded.next_at`,
		of.ID, of.OrganizationID, of.WorkflowID, *of.NextAt)
	return err
}
