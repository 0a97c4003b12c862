package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/usefloww/flowwd/internal/execution"
)

// QueueDepth implements execution.Store.
func (s *Store) QueueDepth(ctx context.Context) (execution.Depth, error) {
	var d execution.Depth
	err := s.read(ctx, "measure the queue", func(v *view) error {
		if _, err := v.one(`SELECT COALESCE(SUM(waiting), 0), COALESCE(SUM(running), 0) FROM queue_counters`, nil,
			&d.Waiting, &d.Running); err != nil {
			return err
		}
		// CROSS JOIN keeps SQLite to this order of the tables.
		_, err := v.one(`
			SELECT received_at FROM executions WHERE id = (
				SELECT oldest FROM (
					SELECT (SELECT e.id FROM executions e
						WHERE e.organization_id = t.organization_id AND e.trigger_id = t.id AND e.state = 'received' AND e.postponed = false
						ORDER BY e.id LIMIT 1) AS oldest
					FROM queue_counters q CROSS JOIN triggers t
					WHERE t.organization_id = q.organization_id AND q.waiting > 0) AS heads
				WHERE oldest IS NOT NULL ORDER BY oldest LIMIT 1)`, nil, &d.OldestWaiting)
		return err
	})
	return d, err
}

// checkCounters compares the counters of the queue with the queue.
func checkCounters(v *view) []error {
	wrong := 0
	err := v.each(`
		SELECT 1 FROM queue_counters q
		WHERE q.waiting <> (SELECT COUNT(*) FROM executions e WHERE e.organization_id = q.organization_id AND e.state = 'received')
			OR q.running <> (SELECT COUNT(*) FROM executions e WHERE e.organization_id = q.organization_id AND e.state = 'started')`,
		nil, func(scanner) error { wrong++; return nil })
	if err != nil {
		return []error{fmt.Errorf("the queue's counters can't be checked: %w", err)}
	}
	if wrong > 0 {
		return []error{errors.New("the queue's counters are wrong: restart flowwd, and report this")}
	}
	return nil
}
