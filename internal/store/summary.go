package store

import (
	"context"
	"time"

	"github.com/usefloww/flowwd/internal/execution"
	"github.com/usefloww/flowwd/internal/id"
)

// DailyCounts implements execution.Store: those that ended from the totals of the
// namespace and what was not folded into them yet, the others from what waits and
// runs. None of it reads something of every workflow.
func (s *Store) DailyCounts(ctx context.Context, f execution.SummaryFilter) ([]execution.DayCount, error) {
	sums := map[dayState]int{}
	err := s.read(ctx, "count executions by day", func(v *view) error {
		clear(sums)
		for _, q := range dailyCounts(v.conn.dialect, f) {
			err := v.each(q.query, q.values, func(scan scanner) error {
				var key dayState
				var n int
				err := scan(&key.day, (*string)(&key.state), &n)
				sums[key] += n
				return err
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	var found []execution.DayCount
	for key, n := range sums {
		if n != 0 {
			found = append(found, execution.DayCount{Day: time.Unix(key.day*24*60*60, 0).UTC(), State: key.state, Count: n})
		}
	}
	return found, nil
}

type countQuery struct {
	query  string
	values args
}

// dailyCounts are the queries whose counts are added up. Of what waits and runs
// there is not much; CROSS JOIN keeps SQLite to that order of the tables, and the
// edge of the triggers to the indexes of these.
func dailyCounts(d dialect, f execution.SummaryFilter) []countQuery {
	const live = ` AND w.organization_id = ? AND w.namespace_id = ? AND w.deleted_at IS NULL`
	since, open := dayOf(f.Since), `SELECT `+d.day("e.received_at")+`, e.state, COUNT(*) FROM executions e CROSS JOIN workflows w
		WHERE e.trigger_id > ? AND w.id = e.workflow_id`+live+` AND e.received_at >= ?`
	waitsOrRuns := args{edge(id.ID{}), f.OrganizationID, f.NamespaceID, f.Since}
	return []countQuery{
		{`SELECT day, state, count FROM namespace_totals WHERE namespace_id = ? AND organization_id = ? AND day >= ?`, args{f.NamespaceID, f.OrganizationID, since}},
		{`SELECT x.day, x.state, SUM(x.count - x.folded) FROM daily_totals x CROSS JOIN workflows w
			WHERE x.organization_id = ? AND ` + isUnfolded + ` AND x.day >= ? AND w.id = x.workflow_id` + live + ` GROUP BY x.day, x.state`,
			args{f.OrganizationID, since, f.OrganizationID, f.NamespaceID}},
		// What was folded of workflows that were deleted since goes with them.
		{`SELECT x.day, x.state, -SUM(x.folded) FROM workflows w JOIN daily_totals x ON x.workflow_id = w.id
			WHERE w.deleted_at IS NOT NULL AND w.organization_id = ? AND w.namespace_id = ? AND x.day >= ? GROUP BY x.day, x.state`,
			args{f.OrganizationID, f.NamespaceID, since}},
		{open + ` AND e.organization_id = ? AND e.state = 'received' GROUP BY 1, 2`, append(waitsOrRuns[:len(waitsOrRuns):len(waitsOrRuns)], f.OrganizationID)},
		{open + ` AND e.state = 'started' GROUP BY 1, 2`, waitsOrRuns},
	}
}
