package store

import (
	"bytes"
	"context"

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
		l.view, l.page, l.gone = v, execution.Page{}, map[id.ID]int{}
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
	// gone is how many executions of deleted workflows each organization still has.
	gone map[id.ID]int
}

func (l *listing) run() error {
	if err := l.total(); err != nil || l.page.Total <= l.filter.Offset || l.filter.Limit <= 0 {
		return err
	}
	wanted := l.ended
	if l.isOpen() {
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

// isOpen reports whether what waits or what runs is asked for.
func (l *listing) isOpen() bool {
	return l.filter.State == execution.Received || l.filter.State == execution.Started
}

// open returns the ids on a page of executions that wait or run, newest first.
// There are not many of them in any organization.
func (l *listing) open() ([]id.ID, error) {
	from, values := l.openOf(l.filter.State)
	return l.view.ids(`SELECT e.id`+from+` ORDER BY e.id DESC LIMIT ? OFFSET ?`, append(values, l.filter.Limit, l.filter.Offset))
}

// series is a part of the history whose order an index has: of one workflow or of
// one organization, as column says.
type series struct {
	column string
	of     id.ID
	// live leaves out what is of deleted workflows.
	live bool
}

// ids returns those after an id, newest first. Where none is without a deployment,
// an index alone has all that is passed over.
func (l *listing) ids(s series, after id.ID, limit, offset int) ([]id.ID, error) {
	where, values := `e.`+s.column+` = ? AND e.id > ?`, args{s.of, edge(after)}
	one, hidden := 0, true
	if l.filter.State == "" {
		var err error
		hidden, err = l.view.one(`SELECT 1 FROM executions x WHERE x.`+s.column+` = ? AND `+undeployed+` LIMIT 1`, args{s.of}, &one)
		if err != nil {
			return nil, err
		}
	}
	if hidden {
		where += ` AND ` + l.state(s.column)
	}
	if s.live {
		where += ` AND e.workflow_id NOT IN (SELECT w.id FROM workflows w WHERE w.organization_id = ? AND w.deleted_at IS NOT NULL)`
		values = append(values, s.of)
	}
	return l.view.ids(`SELECT e.id FROM executions e WHERE `+where+` ORDER BY e.id DESC LIMIT ? OFFSET ?`, append(values, limit, offset))
}

// state is the condition on the state of e. The state, one of the known ones,
// stands in the statement as text, and a rare one together with the condition of
// the indexes that list the rare states, so that these are used. What has no
// deployment is looked up in them, by a range that is one id: with an equal id
// SQLite would read the execution itself, as it would for its state.
func (l *listing) state(column string) string {
	switch l.filter.State {
	case "":
		return `NOT EXISTS (SELECT 1 FROM executions x WHERE x.` + column + ` = e.` + column + ` AND ` + undeployed + ` AND x.id >= e.id AND x.id <= e.id)`
	case execution.Completed:
		return `e.state = 'completed'`
	default:
		return `e.state = '` + string(l.filter.State) + `' AND ` + isRare("e")
	}
}

// undeployed is the condition that x is listed only when its state is asked for.
var undeployed = `x.state = 'no_deployment' AND ` + isRare("x")

// isRare is the condition of the indexes that list the rare states, word for word.
func isRare(row string) string {
	return row + `.state <> 'received' AND ` + row + `.state <> 'started' AND ` + row + `.state <> 'completed'`
}

// ended returns the ids on a page that is not of what waits or runs alone, newest
// first.
func (l *listing) ended() ([]id.ID, error) {
	all, err := l.series()
	if err != nil {
		return nil, err
	}
	if len(all) == 1 && len(all[0]) == 1 {
		return l.ids(all[0][0], id.ID{}, l.filter.Limit, l.filter.Offset)
	}
	most := l.filter.Limit + l.filter.Offset
	var newest []id.ID // the newest of all so far, at most most
	for _, ordered := range all {
		for _, s := range ordered {
			var after id.ID
			if len(newest) == most {
				after = newest[most-1]
			}
			more, err := l.ids(s, after, most, 0)
			if err != nil {
				return nil, err
			}
			if len(more) == 0 {
				break
			}
			newest = merge(newest, more)
			newest = newest[:min(len(newest), most)]
		}
	}
	return newest[min(l.filter.Offset, len(newest)):], nil
}

// merge puts ids among others, both newest first. It moves no more than it must: a
// page far down is merged of many lists, each of which adds a few.
func merge(newest, more []id.ID) []id.ID {
	i, j := len(newest)-1, len(more)-1
	newest = append(newest, more...)
	for k := len(newest) - 1; j >= 0; k-- {
		if i >= 0 && bytes.Compare(newest[i][:], more[j][:]) < 0 {
			newest[k] = newest[i]
			i--
		} else {
			newest[k] = more[j]
			j--
		}
	}
	return newest
}

// series returns what the page is of: each organization or, where more of one is of
// deleted workflows than it has others, these in the order of their newest
// executions. Until they are removed those of a deleted one can be most of it.
func (l *listing) series() ([][]series, error) {
	if !l.filter.WorkflowID.IsZero() {
		return [][]series{{{column: "workflow_id", of: l.filter.WorkflowID}}}, nil
	}
	var all [][]series
	for _, of := range l.filter.Organizations {
		gone, live := l.gone[of], 0
		if gone > 0 {
			if _, err := l.view.one(`SELECT COUNT(*) FROM workflows WHERE organization_id = ? AND deleted_at IS NULL`, args{of}, &live); err != nil {
				return nil, err
			}
		}
		ordered := []series{{column: "organization_id", of: of, live: gone > 0}}
		if gone > live {
			var err error
			if ordered, err = l.latest(of); err != nil {
				return nil, err
			}
		}
		all = append(all, ordered)
	}
	return all, nil
}

// latest returns the workflows of an organization whose newest executions can be
// on the page, in the order of these.
func (l *listing) latest(organization id.ID) ([]series, error) {
	workflows, err := l.view.ids(`
		SELECT id FROM (
			SELECT w.id AS id,
				(SELECT e.id FROM executions e WHERE e.workflow_id = w.id AND `+l.state("workflow_id")+` ORDER BY e.id DESC LIMIT 1) AS newest
			FROM workflows w WHERE w.organization_id = ? AND w.deleted_at IS NULL) AS latest
		WHERE newest IS NOT NULL ORDER BY newest DESC LIMIT ?`, args{organization, l.filter.Limit + l.filter.Offset})
	ordered := make([]series, len(workflows))
	for i, w := range workflows {
		ordered[i] = series{column: "workflow_id", of: w}
	}
	return ordered, err
}
