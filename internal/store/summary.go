package store

import (
	"context"
	"time"

	"github.com/usefloww/flowwd/internal/execution"
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
		day := v.conn.dialect.day("e.received_at")
		for _, open := range []execution.State{execution.Received, execution.Started} {
			// By trigger, for that is how what waits and runs is indexed.
			err := v.each(`
				SELECT `+day+`, e.state, COUNT(*) FROM workflows w JOIN triggers t ON t.workflow_id = w.id
					JOIN executions e ON e.organization_id = t.organization_id AND e.trigger_id = t.id AND e.state = '`+string(open)+`'
				WHERE`+visible+` AND e.received_at >= ? GROUP BY 1, 2`, append(values, f.Since), add)
			if err != nil {
				return err
			}
		}
		return nil
	})
	return found, err
}
