package store

import (
	"context"
	"errors"
	"math"
	"slices"

	"github.com/usefloww/flowwd/internal/execution"
	"github.com/usefloww/flowwd/internal/id"
)

// FindLines implements execution.Store. It reads the parts of a log from where the
// search begins, and stops when it has enough or its time is over.
func (s *Store) FindLines(ctx context.Context, of id.ID, f execution.LineFilter) (execution.Lines, error) {
	var found execution.Lines
	err := s.read(ctx, "find log lines", func(v *view) error {
		search := lineSearch{store: s, view: v, of: of, filter: f, last: f.After}
		if !f.Forward() {
			search.last = f.Before
			if search.last == (execution.Cursor{}) {
				search.last = execution.Cursor{Attempt: math.MaxInt32, Line: math.MaxInt32}
			}
		}
		err := search.run()
		if errors.Is(err, errStop) {
			err = nil
		}
		if !f.Forward() {
			slices.Reverse(search.found)
		}
		found = execution.Lines{Entries: search.found, More: search.more, Reached: search.reached}
		return err
	})
	return found, err
}

type lineSearch struct {
	store  *Store
	view   *view
	of     id.ID
	filter execution.LineFilter
	// last is the last line that was looked at.
	last    execution.Cursor
	found   []execution.LogEntry
	bytes   int
	more    bool
	reached execution.Cursor
}

func (l *lineSearch) run() error {
	if l.filter.Forward() {
		return l.forward()
	}
	// Parts may overlap, and the one that holds the line before begins before it.
	return l.view.each(`
		SELECT attempt, first_line, lines, data FROM log_chunks
		WHERE execution_id = ? AND (attempt < ? OR (attempt = ? AND first_line < ?))
		ORDER BY attempt DESC, first_line DESC`, args{l.of, l.last.Attempt, l.last.Attempt, l.last.Line}, l.part)
}

func (l *lineSearch) forward() error {
	start := 0
	if _, err := l.view.one(`
		SELECT first_line FROM log_chunks WHERE execution_id = ? AND attempt = ? AND first_line <= ?
		ORDER BY first_line DESC LIMIT 1`, args{l.of, l.last.Attempt, l.last.Line + 1}, &start); err != nil {
		return err
	}
	return l.view.each(`
		SELECT attempt, first_line, lines, data FROM log_chunks
		WHERE execution_id = ? AND (attempt > ? OR (attempt = ? AND first_line >= ?))
		ORDER BY attempt, first_line`, args{l.of, l.last.Attempt, l.last.Attempt, start}, l.part)
}

// part looks at one part, in the direction of the search.
func (l *lineSearch) part(scan scanner) error {
	chunk, err := readChunk(scan, l.of)
	if err != nil {
		return err
	}
	if !l.filter.Forward() {
		slices.Reverse(chunk)
	}
	for _, e := range chunk {
		if l.filter.Forward() && !later(e.Cursor, l.last) || !l.filter.Forward() && !later(l.last, e.Cursor) {
			continue
		}
		if err := l.line(e); err != nil {
			return err
		}
		l.last = e.Cursor
	}
	if !l.filter.Deadline.IsZero() && l.store.cfg.Now().After(l.filter.Deadline) {
		l.more, l.reached = true, l.last
		return errStop
	}
	return nil
}

// line takes one line when it is meant.
func (l *lineSearch) line(e execution.LogEntry) error {
	if !l.filter.Takes(e.LogLine) {
		return nil
	}
	l.bytes += len(e.Message)
	if len(l.found) == l.filter.Limit || len(l.found) > 0 && l.filter.Bytes > 0 && l.bytes > l.filter.Bytes {
		l.more = true
		return errStop
	}
	l.found = append(l.found, e)
	return nil
}
