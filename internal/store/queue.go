package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/usefloww/flowwd/internal/execution"
	"github.com/usefloww/flowwd/internal/id"
)

// QueueDepth implements execution.Store.
func (s *Store) QueueDepth(ctx context.Context) (execution.Depth, error) {
	var d execution.Depth
	err := s.read(ctx, "measure the queue", func(v *view) error {
		// The edge keeps SQLite to the index of what runs.
		if _, err := v.one(`
			SELECT COALESCE(SUM(waiting), 0), (SELECT COUNT(*) FROM executions WHERE state = 'started' AND trigger_id > ?) FROM queue_counters`,
			args{edge(id.ID{})}, &d.Waiting, &d.Running); err != nil {
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
		UNION ALL
		SELECT 1 FROM executions e
		WHERE e.organization_id > ? AND e.state = 'received' AND NOT EXISTS (SELECT 1 FROM queue_counters q WHERE q.organization_id = e.organization_id)`,
		args{edge(id.ID{})}, func(scanner) error { wrong++; return nil })
	if err != nil {
		return []error{fmt.Errorf("the queue's counters can't be checked: %w", err)}
	}
	if wrong > 0 {
		return []error{errors.New("the queue's counters are wrong: restart flowwd, and report this")}
	}
	return nil
}
