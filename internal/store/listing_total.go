package store

import (
	"slices"

	"github.com/usefloww/flowwd/internal/execution"
	"github.com/usefloww/flowwd/internal/id"
)

// total counts the executions on all pages: those that ended from the totals, the
// others from the counters of the queue or the lists of what waits and runs.
func (l *listing) total() error {
	if !l.filter.WorkflowID.IsZero() {
		return l.totalOfWorkflow()
	}
	if l.filter.State == "" || l.filter.State.Final() {
		var err error
		if l.page.Total, err = endedOf(l.view, l.filter.Organizations, l.counted()); err != nil {
			return err
		}
		if _, err := l.countGone(`SUM(x.count - x.purged) FROM workflows w JOIN daily_totals x ON x.workflow_id = w.id`); err != nil {
			return err
		}
	}
	for _, state := range l.openStates() {
		queued, err := l.queued(state)
		if err != nil {
			return err
		}
		gone, err := l.countGone(`COUNT(*)` + ofTriggers(state))
		if err != nil {
			return err
		}
		l.page.Total += queued - gone
	}
	return nil
}

// counted is the condition on the state of a row x of totals.
func (l *listing) counted() string {
	if l.filter.State == "" {
		return `x.state <> 'no_deployment'`
	}
	return `x.state = '` + string(l.filter.State) + `'`
}

// openStates are those wanted in which an execution waits or runs.
func (l *listing) openStates() []execution.State {
	switch {
	case l.filter.State == "":
		return []execution.State{execution.Received, execution.Started}
	case l.isOpen():
		return []execution.State{l.filter.State}
	}
	return nil
}

// totalOfWorkflow leaves 0 for a workflow that is deleted or somebody else's.
func (l *listing) totalOfWorkflow() error {
	owners, values := in(l.filter.Organizations, l.filter.WorkflowID)
	var live id.ID
	found, err := l.view.one(`SELECT id FROM workflows WHERE id = ? AND deleted_at IS NULL AND organization_id IN `+owners, values, &live)
	if err != nil || !found {
		return err
	}
	if l.filter.State == "" || l.filter.State.Final() {
		_, err := l.view.one(`SELECT COALESCE(SUM(x.count - x.purged), 0) FROM daily_totals x WHERE x.workflow_id = ? AND `+l.counted(),
			args{l.filter.WorkflowID}, &l.page.Total)
		if err != nil {
			return err
		}
	}
	for _, state := range l.openStates() {
		from, values := l.openOf(state)
		n := 0
		if _, err := l.view.one(`SELECT COUNT(*)`+from, values, &n); err != nil {
			return err
		}
		l.page.Total += n
	}
	return nil
}

// endedOf counts the executions of organizations that have ended, are stored and
// are of workflows that were not deleted, where a condition holds on the state of
// x: what was folded into the totals of namespaces and what was not yet, less what
// is of deleted workflows in both. Neither is much.
func endedOf(v *view, organizations []id.ID, counted string) (int, error) {
	owners, values := in(organizations)
	total := 0
	for _, query := range []string{
		`SELECT COALESCE(SUM(x.count - x.purged), 0) FROM namespace_totals x WHERE x.count <> x.purged AND x.organization_id IN ` + owners,
		`SELECT COALESCE(SUM(x.count - x.folded), 0) FROM daily_totals x WHERE ` + isUnfolded + ` AND x.organization_id IN ` + owners,
		`SELECT COALESCE(SUM(x.purged - x.count), 0) FROM workflows w CROSS JOIN daily_totals x
			WHERE x.workflow_id = w.id AND w.deleted_at IS NOT NULL AND w.organization_id IN ` + owners,
	} {
		n := 0
		if _, err := v.one(query+` AND `+counted, values, &n); err != nil {
			return 0, err
		}
		total += n
	}
	return total, nil
}

// countGone counts executions of deleted workflows w for each organization.
func (l *listing) countGone(query string) (all int, err error) {
	owners, values := in(l.filter.Organizations)
	err = l.view.each(`SELECT w.organization_id, `+query+` WHERE w.deleted_at IS NOT NULL AND w.organization_id IN `+owners+` GROUP BY w.organization_id`,
		values, func(scan scanner) error {
			var of id.ID
			n := 0
			err := scan(&of, &n)
			l.gone[of] += n
			all += n
			return err
		})
	return all, err
}

// queued is how many executions wait, as the queue counts them, or run, those of
// deleted workflows too.
func (l *listing) queued(state execution.State) (n int, err error) {
	if state == execution.Started {
		return runningIn(l.view, l.filter.Organizations)
	}
	owners, values := in(l.filter.Organizations)
	_, err = l.view.one(`SELECT COALESCE(SUM(waiting), 0) FROM queue_counters WHERE organization_id IN `+owners, values, &n)
	return n, err
}

// openOf are the executions e that wait or run, and are of the workflow or else of
// workflows that were not deleted.
func (l *listing) openOf(state execution.State) (string, args) {
	if !l.filter.WorkflowID.IsZero() {
		return ofTriggers(state) + ` WHERE w.id = ?`, args{l.filter.WorkflowID}
	}
	// The edge keeps SQLite to the indexes of what waits and runs.
	if state == execution.Started {
		// Its index has no owner, and by the owner SQLite would read all that the
		// organization ever ran.
		owners, values := in(l.filter.Organizations, edge(id.ID{}))
		return ` FROM executions e CROSS JOIN workflows w WHERE e.state = 'started' AND e.trigger_id > ?
			AND w.id = e.workflow_id AND w.deleted_at IS NULL AND w.organization_id IN ` + owners, values
	}
	owners, values := in(l.filter.Organizations)
	return ` FROM executions e WHERE e.state = 'received' AND e.organization_id IN ` + owners + ` AND e.trigger_id > ?
		AND e.trigger_id NOT IN (SELECT t.id FROM workflows w CROSS JOIN triggers t
			WHERE t.workflow_id = w.id AND w.deleted_at IS NOT NULL AND w.organization_id IN ` + owners + `)`,
		slices.Concat(values, args{edge(id.ID{})}, values)
}

// ofTriggers are the executions e that wait or run, by their triggers t and the
// workflows w of these.
func ofTriggers(open execution.State) string {
	return ` FROM workflows w JOIN triggers t ON t.workflow_id = w.id JOIN executions e ON ` + ofTrigger(open)
}

// ofTrigger is the condition on the execution e that makes it one of the trigger t
// that waits or runs. What runs is indexed by trigger alone: with the organization
// in the condition SQLite reads all that the organization ever ran.
func ofTrigger(open execution.State) string {
	if open == execution.Started {
		return `e.trigger_id = t.id AND e.state = 'started'`
	}
	return `e.organization_id = t.organization_id AND e.trigger_id = t.id AND e.state = 'received'`
}
