package store

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/usefloww/flowwd/internal/engine"
	"github.com/usefloww/flowwd/internal/execution"
	"github.com/usefloww/flowwd/internal/id"
)

// searchPage is how many executions a search takes up at a time.
const searchPage = 200

// SearchLogs implements execution.Store. It reads from the newest line backwards
// and stops when it has enough or its time is over; lines are compared here and
// not by the database, which knows nothing of their encoding.
func (s *Store) SearchLogs(ctx context.Context, q execution.LogQuery) (execution.LogPage, error) {
	search := logSearch{store: s, query: q, contains: strings.ToLower(q.Contains), skip: q.Offset}
	page := execution.LogPage{}
	err := s.read(ctx, "search in logs", func(v *view) error {
		err := search.run(v)
		if errors.Is(err, errStop) {
			err = nil
		}
		return err
	})
	if err != nil {
		return page, err
	}
	page.Entries, page.Complete = search.found, !search.late
	return page, nil
}

type logSearch struct {
	store    *Store
	query    execution.LogQuery
	contains string
	skip     int
	found    []execution.LogEntry
	late     bool
}

// run returns errStop when it ended before the last line.
func (l *logSearch) run(v *view) error {
	before := edge(slices.Repeat([]byte{0xff}, 16)) // behind every id
	for {
		page, err := v.ids(`SELECT id FROM executions WHERE workflow_id = ? AND id < ? ORDER BY id DESC LIMIT ?`,
			args{l.query.WorkflowID, before, searchPage})
		if err != nil {
			return err
		}
		for _, x := range page {
			if err := l.execution(v, x); err != nil {
				return err
			}
		}
		if len(page) < searchPage {
			return nil
		}
		before = edge(page[len(page)-1])
	}
}

// execution searches the log of one execution.
func (l *logSearch) execution(v *view, of id.ID) error {
	if err := l.checkTime(); err != nil {
		return err
	}
	next := execution.Cursor{}
	return v.each(`
		SELECT attempt, first_line, lines, data FROM log_chunks WHERE execution_id = ?
		ORDER BY attempt DESC, first_line DESC`, args{of}, func(scan scanner) error {
		chunk, err := readChunk(scan, of)
		if err != nil {
			return err
		}
		for _, e := range slices.Backward(chunk) {
			if next != (execution.Cursor{}) && !later(next, e.Cursor) {
				continue
			}
			next = e.Cursor
			if err := l.line(e); err != nil {
				return err
			}
		}
		return l.checkTime()
	})
}

// line takes one line when it matches.
func (l *logSearch) line(e execution.LogEntry) error {
	if l.query.Level != engine.Level("") && e.Level != l.query.Level {
		return nil
	}
	if l.contains != "" && !strings.Contains(strings.ToLower(e.Message), l.contains) {
		return nil
	}
	if len(l.found) >= l.query.Limit {
		return errStop
	}
	if l.skip > 0 {
		l.skip--
		return nil
	}
	l.found = append(l.found, e)
	return nil
}

func (l *logSearch) checkTime() error {
	if !l.query.Deadline.IsZero() && l.store.cfg.Now().After(l.query.Deadline) {
		l.late = true
		return errStop
	}
	return nil
}
