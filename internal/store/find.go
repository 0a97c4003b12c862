package store

import (
	"bytes"
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/usefloww/flowwd/internal/execution"
	"github.com/usefloww/flowwd/internal/id"
)

// findPage is how many executions a search takes up at a time.
const findPage = 200

// FindExecutions implements execution.Store. The ids come from an index that is in
// their order, and what the index does not know is compared here, so that a filter
// that few executions pass costs no more than the time that the search has.
func (s *Store) FindExecutions(ctx context.Context, f execution.FindFilter) (execution.Found, error) {
	var found execution.Found
	err := s.read(ctx, "find executions", func(v *view) error {
		search := finding{store: s, view: v, filter: f, contains: strings.ToLower(f.Contains)}
		err := search.run()
		if search.forward() {
			slices.Reverse(search.found)
		}
		found.More, found.Reached = search.more, search.reached
		if err == nil {
			found.Executions, err = s.withReasons(v, search.found)
		}
		return err
	})
	return found, err
}

// finding is one search for executions.
type finding struct {
	store    *Store
	view     *view
	filter   execution.FindFilter
	contains string
	found    []listedExecution
	more     bool
	reached  id.ID
}

func (l *finding) forward() bool { return !l.filter.After.IsZero() }

// bounds are the ids between which those on the page are.
func (l *finding) bounds() (after, before id.ID) {
	after, before = l.filter.After, l.filter.Before
	if before.IsZero() {
		before = id.ID(slices.Repeat([]byte{0xff}, len(before)))
	}
	if l.filter.Since != nil {
		// The first id of a moment is never given, so that nothing is left out.
		if first := firstID(*l.filter.Since); bytes.Compare(first[:], after[:]) > 0 {
			after = first
		}
	}
	if l.filter.Until != nil {
		if first := firstID(*l.filter.Until); bytes.Compare(first[:], before[:]) < 0 {
			before = first
		}
	}
	return after, before
}

func (l *finding) run() error {
	after, before := l.bounds()
	size := l.filter.Limit + 1
	for {
		ids, err := l.next(after, before, size)
		if err != nil {
			return err
		}
		rows, err := l.rows(ids)
		if err != nil {
			return err
		}
		for _, e := range rows {
			if !l.takes(e) {
				continue
			}
			if len(l.found) == l.filter.Limit {
				l.more = true
				return nil
			}
			l.found = append(l.found, e)
		}
		if len(ids) < size {
			return nil
		}
		last := ids[len(ids)-1]
		if l.forward() {
			after = last
		} else {
			before = last
		}
		if !l.filter.Deadline.IsZero() && l.store.cfg.Now().After(l.filter.Deadline) {
			l.more, l.reached = true, last
			return nil
		}
		size = findPage
	}
}

// next returns the ids that come next, in the direction of the search.
func (l *finding) next(after, before id.ID, size int) ([]id.ID, error) {
	order := ` ORDER BY e.id DESC LIMIT ?`
	if l.forward() {
		order = ` ORDER BY e.id LIMIT ?`
	}
	between := args{edge(after), edge(before), size}
	switch state := l.filter.State; {
	case state == execution.Started:
		// What runs is few, and its index by trigger too: in the order of the ids the
		// whole history would be read.
		all, err := l.view.ids(`SELECT e.id FROM executions e WHERE e.state = 'started' AND e.trigger_id > ? AND e.id > ? AND e.id < ?
			ORDER BY e.trigger_id, e.claimed_by LIMIT `+mostWaiting, append(args{edge(id.ID{})}, between[:2]...))
		return l.first(all, size), err
	case state == execution.Received:
		// The index of what waits is by trigger, so that its order is not the one that
		// is wanted; but what waits is bounded.
		return l.each(`SELECT e.id FROM executions e WHERE e.organization_id = ? AND e.state = 'received' AND e.id > ? AND e.id < ?
			ORDER BY e.trigger_id, e.postponed, e.id LIMIT `+mostWaiting, size, between[:2])
	case !l.filter.WorkflowID.IsZero():
		return l.view.ids(`SELECT e.id FROM executions e WHERE e.workflow_id = ?`+l.rare()+` AND e.id > ? AND e.id < ?`+order,
			append(args{l.filter.WorkflowID}, between...))
	default:
		return l.each(`SELECT e.id FROM executions e WHERE e.organization_id = ?`+l.rare()+` AND e.id > ? AND e.id < ?`+order, size, between)
	}
}

// mostWaiting is execution.MaxWaiting and the few that servers accept at once.
const mostWaiting = `110000`

// rare is the condition on a rare state, which stands in the statement together
// with the condition of the indexes of these.
func (l *finding) rare() string {
	if l.filter.State == "" || l.filter.State == execution.Completed {
		return ""
	}
	return ` AND e.state = '` + string(l.filter.State) + `' AND ` + isRare("e")
}

// each asks for every organization and merges the answers.
func (l *finding) each(query string, size int, between args) ([]id.ID, error) {
	var all []id.ID
	for _, organization := range l.filter.Organizations {
		more, err := l.view.ids(query, append(args{organization}, between...))
		if err != nil {
			return nil, err
		}
		all = append(all, more...)
	}
	return l.first(all, size), nil
}

// first are the ids that come first in the direction of the search.
func (l *finding) first(all []id.ID, size int) []id.ID {
	slices.SortFunc(all, l.compare)
	return all[:min(len(all), size)]
}

// compare orders ids in the direction of the search.
func (l *finding) compare(a, b id.ID) int {
	if l.forward() {
		return bytes.Compare(a[:], b[:])
	}
	return bytes.Compare(b[:], a[:])
}

// rows reads executions of workflows that are not deleted.
func (l *finding) rows(ids []id.ID) ([]listedExecution, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	list, values := in(ids)
	var rows []listedExecution
	err := l.view.each(`SELECT `+listedColumns+` FROM executions e JOIN workflows w ON w.id = e.workflow_id
		WHERE e.id IN `+list+` AND w.deleted_at IS NULL`, values, func(scan scanner) error {
		e, err := scanListed(scan)
		rows = append(rows, e)
		return err
	})
	slices.SortFunc(rows, func(a, b listedExecution) int { return l.compare(a.ID, b.ID) })
	return rows, err
}

// takes reports whether an execution is meant.
func (l *finding) takes(e listedExecution) bool {
	f := l.filter
	switch {
	case !slices.Contains(f.Organizations, e.OrganizationID):
		return false
	case !f.WorkflowID.IsZero() && e.WorkflowID != f.WorkflowID:
		return false
	case f.TriggerType != "" && e.Origin.TriggerType != f.TriggerType:
		return false
	case cmp.Or(f.State, e.State) != e.State || f.State == "" && e.State == execution.NoDeployment:
		return false
	}
	return l.contains == "" || strings.Contains(strings.ToLower(e.Error), l.contains) || strings.Contains(strings.ToLower(e.Origin.Path), l.contains)
}
