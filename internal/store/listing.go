package store

import (
	"bytes"
	"context"
	"fmt"
	"slices"

	"github.com/usefloww/flowwd/internal/execution"
	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
)

// Executions implements execution.Store.
func (s *Store) Executions(ctx context.Context, f execution.ListFilter) (execution.Page, error) {
	if f.State != "" && !f.State.Known() {
		return execution.Page{}, fault.New(fault.Invalid, "%.40q is no state of an execution", string(f.State))
	}
	l := listing{store: s, filter: f}
	err := s.read(ctx, "list executions", func(v *view) error {
		l.view, l.page = v, execution.Page{}
		return l.run()
	})
	return l.page, err
}

// listing reads one page of executions.
type listing struct {
	store  *Store
	view   *view
	filter execution.ListFilter
	page   execution.Page
}

func (l *listing) run() error {
	if err := l.total(); err != nil || l.page.Total <= l.filter.Offset || l.filter.Limit <= 0 {
		return err
	}
	wanted := l.ended
	if l.filter.State == execution.Received || l.filter.State == execution.Started {
		wanted = l.open
	}
	ids, err := wanted()
	if err != nil || len(ids) == 0 {
		return err
	}
	list, values := in(ids)
	l.page.Executions, err = l.store.executions(l.view, ` FROM executions e WHERE e.id IN `+list+` ORDER BY e.id DESC`, values)
	return err
}

// visible is the condition on the workflow w that makes its executions part of
// the listing.
func (l *listing) visible() (string, args) {
	list, values := in(l.filter.Organizations)
	where := ` w.deleted_at IS NULL AND w.organization_id IN ` + list
	if !l.filter.WorkflowID.IsZero() {
		where += ` AND w.id = ?`
		values = append(values, l.filter.WorkflowID)
	}
	return where, values
}

// state is the condition on the state of a row. The state, one of the known
// ones, stands in the statement as text, and a rare one together with the
// condition of the index that lists the rare states, so that the index is used.
func (l *listing) state(row string) string {
	switch l.filter.State {
	case "":
		return row + `.state <> 'no_deployment'`
	case execution.Received, execution.Started, execution.Completed:
		return row + `.state = '` + string(l.filter.State) + `'`
	default:
		return row + `.state = '` + string(l.filter.State) + `' AND ` + isRare(row)
	}
}

// isRare is the condition of the indexes that list the rare states, word for word.
func isRare(row string) string {
	return row + `.state <> 'received' AND ` + row + `.state <> 'started' AND ` + row + `.state <> 'completed'`
}

// total counts the executions on all pages: those that ended from the daily
// totals, the others from the lists of what waits and runs.
func (l *listing) total() error {
	where, values := l.visible()
	if l.filter.State == "" || l.filter.State.Final() {
		_, err := l.view.one(`
			SELECT COALESCE(SUM(x.count - x.purged), 0) FROM daily_totals x JOIN workflows w ON w.id = x.workflow_id
			WHERE`+where+` AND `+l.state("x"), values, &l.page.Total)
		if err != nil {
			return err
		}
	}
	for _, open := range []execution.State{execution.Received, execution.Started} {
		if l.filter.State != "" && l.filter.State != open {
			continue
		}
		n := 0
		// By trigger, for that is how what waits and runs is indexed.
		_, err := l.view.one(fmt.Sprintf(`
			SELECT COALESCE(SUM((SELECT COUNT(*) FROM executions e WHERE %s)), 0)
			FROM triggers t JOIN workflows w ON w.id = t.workflow_id WHERE`, ofTrigger(open))+where, values, &n)
		if err != nil {
			return err
		}
		l.page.Total += n
	}
	return nil
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

// open returns the ids on a page of executions that wait or run, newest first.
func (l *listing) open() ([]id.ID, error) {
	where, values := l.visible()
	return l.view.ids(`
		SELECT e.id FROM workflows w JOIN triggers t ON t.workflow_id = w.id
			JOIN executions e ON `+ofTrigger(l.filter.State)+`
		WHERE`+where+` ORDER BY e.id DESC LIMIT ? OFFSET ?`,
		append(values, l.filter.Limit, l.filter.Offset))
}

// ended returns the ids on a page, newest first. It looks at the workflows in
// the order of their newest executions and stops at the first that has nothing
// new enough.
func (l *listing) ended() ([]id.ID, error) {
	most := l.filter.Limit + l.filter.Offset
	workflows, err := l.latest(most)
	if err != nil {
		return nil, err
	}
	var newest []id.ID // the newest of all so far, at most most
	for _, w := range workflows {
		var after id.ID
		if len(newest) == most {
			after = newest[most-1]
		}
		more, err := l.view.ids(`SELECT e.id FROM executions e WHERE e.workflow_id = ? AND e.id > ? AND `+l.state("e")+`
			ORDER BY e.id DESC LIMIT ?`, args{w, edge(after), most})
		if err != nil {
			return nil, err
		}
		if len(more) == 0 {
			break
		}
		newest = append(newest, more...)
		slices.SortFunc(newest, func(a, b id.ID) int { return bytes.Compare(b[:], a[:]) })
		newest = newest[:min(len(newest), most)]
	}
	return newest[min(l.filter.Offset, len(newest)):], nil
}

// latest returns the workflows whose newest executions can be on the page, in
// the order of these.
func (l *listing) latest(most int) ([]id.ID, error) {
	where, values := l.visible()
	return l.view.ids(`
		SELECT id FROM (
			SELECT w.id AS id,
				(SELECT e.id FROM executions e WHERE e.workflow_id = w.id AND `+l.state("e")+` ORDER BY e.id DESC LIMIT 1) AS newest
			FROM workflows w WHERE`+where+`) AS latest
		WHERE newest IS NOT NULL ORDER BY newest DESC LIMIT ?`, append(values, most))
}
