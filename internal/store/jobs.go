package store

import (
	"context"
	"time"

	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/records"
)

// The sorts of jobs, each with the columns of scanJob. A workflow that was deleted
// has its name still.
const (
	jobOwner = ` LEFT JOIN organizations o ON o.id = x.organization_id`
	jobOf    = ` LEFT JOIN workflows w ON w.id = x.workflow_id` + jobOwner

	runningJobs = `SELECT x.id, '', w.name, o.id, o.display_name, x.started_at, NULL, x.attempt, COALESCE(n.name, ''), n.incarnation IS NULL
		FROM executions x` + jobOf + ` LEFT JOIN nodes n ON n.incarnation = x.claimed_by AND n.lease_until > `  // the clock follows
	runningTail = ` WHERE x.state = 'started' ORDER BY x.started_at, x.id LIMIT ?`

	// CROSS JOIN keeps SQLite to this order of the tables, as in QueueDepth.
	waitingJobs = `SELECT x.id, '', w.name, o.id, o.display_name, x.received_at, NULL, x.attempt, x.trigger_type, false
		FROM (SELECT (SELECT e.id FROM executions e
			WHERE e.organization_id = t.organization_id AND e.trigger_id = t.id AND e.state = 'received' AND e.postponed = false
			ORDER BY e.id LIMIT 1) AS oldest
		FROM queue_counters q CROSS JOIN triggers t
		WHERE t.organization_id = q.organization_id AND q.waiting > 0) AS heads
		JOIN executions x ON x.id = heads.oldest` + jobOf + ` ORDER BY x.id LIMIT ?`

	postponedJobs = `SELECT x.id, '', w.name, o.id, o.display_name, x.received_at, x.available_at, x.attempt, SUBSTR(x.error, 1, 200), false
		FROM executions x` + jobOf + ` WHERE x.state = 'received' AND x.postponed = true AND x.available_at > ? ORDER BY x.available_at LIMIT ?`

	batchJobs = `SELECT x.id, '', w.name, o.id, o.display_name, x.created_at, NULL, x.done + x.skipped, x.action || ' of ' || x.total, false
		FROM batches x` + jobOf + ` WHERE x.ended_at IS NULL ORDER BY x.id LIMIT ?`

	runtimeJobs = `SELECT x.id, '', x.image_hash, o.id, o.display_name, x.created_at, x.lease_until, x.tries, '', false
		FROM runtimes x` + jobOwner + ` WHERE x.status = 'in_progress' ORDER BY x.id LIMIT ?`

	noticeJobs = `SELECT x.workflow_id, x.kind, w.name, o.id, o.display_name, COALESCE(x.notice_first_at, x.first_at), x.due_at, x.tries, x.problem, false
		FROM alerts x` + jobOf + ` WHERE x.due_at > ? ORDER BY x.due_at LIMIT ?`
)

// longAgo is before all times that are stored: comparing with it has an index be
// walked.
var longAgo = time.Unix(0, 0)

// Jobs implements records.Store.
func (s *Store) Jobs(ctx context.Context, limit int) (all records.Jobs, err error) {
	err = s.read(ctx, "list what is under way", func(v *view) error {
		all = records.Jobs{}
		clock := v.conn.dialect.clock()
		for _, sort := range []struct {
			entity, query string
			values        args
			into          *[]records.Job
		}{
			{"execution-history", runningJobs + clock + runningTail, args{0, limit}, &all.Running},
			{"execution-history", waitingJobs, args{limit}, &all.Waiting},
			{"execution-history", postponedJobs, args{longAgo, limit}, &all.Postponed},
			{"batch", batchJobs, args{limit}, &all.Batches},
			{"runtime", runtimeJobs, args{limit}, &all.Runtimes},
			{"failure-notice", noticeJobs, args{longAgo, limit}, &all.Notices},
		} {
			err := v.each(sort.query, sort.values, func(scan scanner) error {
				j := records.Job{Entity: sort.entity}
				var key, organization id.ID
				var rest string
				err := scan(&key, &rest, &j.What, &organization, &j.Organization, &j.Since, &j.Next, &j.Tries, &j.Note, &j.Stuck)
				if j.Key = key.String(); rest != "" {
					j.Key += records.KeySeparator + rest
				}
				j.OrganizationID = organization.String()
				*sort.into = append(*sort.into, j)
				return err
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	return all, err
}
