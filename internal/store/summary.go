package store

import (
	"context"
	"time"

	"github.com/usefloww/flowwd/internal/execution"
	"github.com/usefloww/flowwd/internal/id"
)

// DailyCounts implements execution.Store: those that ended from the daily totals,
// the others from what waits and runs.
func (s *Store) DailyCounts(ctx context.Context, f execution.SummaryFilter) ([]execution.DayCount, error) {
	const visible = ` w.organization_id = ? AND w.namespace_id = ? AND w.deleted_at IS NULL`
	values := args{f.OrganizationID, f.NamespaceID}
	var found []execution.DayCount
	err := s.read(ctx, "count executions by day", func(v *view) error {
		found = nil
		add := func(scan scanner) error {
			var day int64
			var c execution.DayCount
			err := scan(&day, (*string)(&c.State), &c.Count)
			c.Day = time.Unix(day*24*60*60, 0).UTC()
			found = append(found, c)
			return err
		}
		err := v.each(`
			SELECT x.day, x.state, SUM(x.count) FROM workflows w JOIN daily_totals x ON x.workflow_id = w.id
			WHERE`+visible+` AND x.day >= ? GROUP BY x.day, x.state`, append(values, dayOf(f.Since)), add)
		if err != nil {
			return err
		}
		for _, open := range []string{
			`e.organization_id = ? AND e.state = 'received'`,
			// Not by organization: SQLite would read all that it ever ran.
			`? = w.organization_id AND e.state = 'started'`,
		} {
			// From what waits and runs, which is bounded; CROSS JOIN keeps SQLite to this
			// order of the tables, and the trigger to the index of these.
			err := v.each(`
				SELECT `+v.conn.dialect.day("e.received_at")+`, e.state, COUNT(*) FROM executions e CROSS JOIN workflows w
				WHERE `+open+` AND e.trigger_id > ? AND w.id = e.workflow_id AND`+visible+` AND e.received_at >= ? GROUP BY 1, 2`,
				append(append(args{f.OrganizationID, edge(id.ID{})}, values...), f.Since), add)
			if err != nil {
				return err
			}
		}
		return nil
	})
	return found, err
}
