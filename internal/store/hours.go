package store

import (
	"bytes"
	"cmp"
	"context"
	"time"

	"github.com/usefloww/flowwd/internal/execution"
	"github.com/usefloww/flowwd/internal/id"
)

// hourKey names a row of hourly_totals.
type hourKey struct {
	organization, workflow id.ID
	hour                   int64
	state                  execution.State
	step                   execution.Step
}

// compare is the order in which rows are locked.
func (key hourKey) compare(other hourKey) int {
	return cmp.Or(
		bytes.Compare(key.workflow[:], other.workflow[:]), cmp.Compare(key.hour, other.hour), cmp.Compare(key.state, other.state), cmp.Compare(key.step, other.step))
}

// hourOf is the number of the hour of a time, from 1970-01-01.
func hourOf(at time.Time) int64 { return at.Unix() / (60 * 60) }

func (key hourKey) count(t *tx, n int64) error {
	return t.later(`
		INSERT INTO hourly_totals (workflow_id, hour, state, step, organization_id, count)
		SELECT id, ?, ?, ?, ?, ? FROM workflows WHERE id = ?
		ON CONFLICT (workflow_id, hour, state, step) DO UPDATE SET count = hourly_totals.count + excluded.count`,
		key.hour, string(key.state), int64(key.step), key.organization, n, key.workflow)
}

// LatestExecutions implements execution.Store.
func (s *Store) LatestExecutions(ctx context.Context, workflows []id.ID) ([]execution.Latest, error) {
	list, values := in(workflows)
	var found []execution.Latest
	err := s.read(ctx, "read the latest executions", func(v *view) error {
		found = nil
		return v.each(`
			SELECT e.id, e.workflow_id, e.state, e.received_at FROM workflows w
				JOIN executions e ON e.id = (SELECT x.id FROM executions x WHERE x.workflow_id = w.id ORDER BY x.id DESC LIMIT 1)
			WHERE w.id IN `+list, values, func(scan scanner) error {
			var x execution.Latest
			err := scan(&x.ID, &x.WorkflowID, (*string)(&x.State), &x.ReceivedAt)
			found = append(found, x)
			return err
		})
	})
	return found, err
}

// HourCounts implements execution.Store.
func (s *Store) HourCounts(ctx context.Context, workflows []id.ID, since time.Time) ([]execution.HourCount, error) {
	list, values := in(workflows)
	return s.hours(ctx, `
		SELECT workflow_id, hour, state, 0, SUM(count) FROM hourly_totals
		WHERE workflow_id IN `+list+` AND hour >= ? GROUP BY workflow_id, hour, state`, append(values, hourOf(since)))
}

// HourSteps implements execution.Store.
func (s *Store) HourSteps(ctx context.Context, workflow id.ID, since time.Time) ([]execution.HourCount, error) {
	return s.hours(ctx, `SELECT workflow_id, hour, state, step, count FROM hourly_totals WHERE workflow_id = ? AND hour >= ?`, args{workflow, hourOf(since)})
}

func (s *Store) hours(ctx context.Context, query string, values args) ([]execution.HourCount, error) {
	var found []execution.HourCount
	err := s.read(ctx, "count executions by hour", func(v *view) error {
		found = nil
		return v.each(query, values, func(scan scanner) error {
			var c execution.HourCount
			var hour int64
			var step int
			err := scan(&c.WorkflowID, &hour, (*string)(&c.State), &step, &c.Count)
			c.Hour, c.Step = time.Unix(hour*60*60, 0).UTC(), execution.Step(step)
			found = append(found, c)
			return err
		})
	})
	return found, err
}
