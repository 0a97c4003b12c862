package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/usefloww/flowwd/internal/execution"
	"github.com/usefloww/flowwd/internal/id"
)

// AppendLog implements execution.Store. Appending a part again that begins at
// the same line changes nothing, or adds the lines that are new at its end.
func (s *Store) AppendLog(ctx context.Context, lease execution.Lease, chunk execution.LogChunk) error {
	encoded, err := encodeChunk(&chunk)
	if err != nil {
		return fmt.Errorf("append to the log of execution %s: %w", lease.ExecutionID, err)
	}
	if encoded == nil {
		return nil
	}
	return s.write(ctx, "append to a log", func(t *tx) error {
		t.notices.executions[lease.ExecutionID] = true
		stored, err := t.expect(`
			INSERT INTO log_chunks (execution_id, attempt, first_line, lines, data)
			SELECT e.id, e.attempt, ?, ?, ? FROM executions e
			WHERE e.id = ? AND e.claimed_by = ? AND e.attempt = ?`+t.conn.dialect.hold("e")+chunkAgain,
			encoded.first, encoded.lines, encoded.data, lease.ExecutionID, lease.Incarnation, lease.Attempt)
		if err != nil || stored {
			return err
		}
		return held(t, lease)
	})
}

// held returns ErrLeaseLost when the lease is not the owner's.
func held(t *tx, lease execution.Lease) error {
	var one int
	found, err := t.one(`SELECT 1 FROM executions WHERE id = ? AND claimed_by = ? AND attempt = ?`,
		args{lease.ExecutionID, lease.Incarnation, lease.Attempt}, &one)
	if err == nil && !found {
		err = execution.ErrLeaseLost
	}
	return err
}

// chunkAgain is what becomes of a part that is stored already.
const chunkAgain = `
	ON CONFLICT (execution_id, attempt, first_line) DO UPDATE SET lines = excluded.lines, data = excluded.data
		WHERE excluded.lines > log_chunks.lines`

// insert stores the chunk; nothing when it is nil.
func (c *encodedChunk) insert(t *tx, lease execution.Lease) error {
	if c == nil {
		return nil
	}
	return t.later(`
		INSERT INTO log_chunks (execution_id, attempt, first_line, lines, data) VALUES (?, ?, ?, ?, ?)`+chunkAgain,
		lease.ExecutionID, lease.Attempt, c.first, c.lines, c.data)
}

// Logs implements execution.Store.
func (s *Store) Logs(ctx context.Context, of id.ID, after execution.Cursor, limit int) ([]execution.LogEntry, error) {
	var entries []execution.LogEntry
	err := s.read(ctx, "read a log", func(v *view) error {
		// The part that holds the line after the cursor may begin before it.
		start := 0
		if _, err := v.one(`
			SELECT first_line FROM log_chunks WHERE execution_id = ? AND attempt = ? AND first_line <= ?
			ORDER BY first_line DESC LIMIT 1`, args{of, after.Attempt, after.Line + 1}, &start); err != nil {
			return err
		}
		last := after
		err := v.each(`
			SELECT attempt, first_line, lines, data FROM log_chunks
			WHERE execution_id = ? AND (attempt > ? OR (attempt = ? AND first_line >= ?))
			ORDER BY attempt, first_line`, args{of, after.Attempt, after.Attempt, start}, func(scan scanner) error {
			chunk, err := readChunk(scan, of)
			if err != nil {
				return err
			}
			for _, e := range chunk {
				if !later(e.Cursor, last) {
					continue
				}
				if len(entries) >= limit {
					return errStop
				}
				last = e.Cursor
				entries = append(entries, e)
			}
			return nil
		})
		if errors.Is(err, errStop) {
			return nil
		}
		return err
	})
	return entries, err
}

// later reports whether line a is behind line b.
func later(a, b execution.Cursor) bool {
	return a.Attempt > b.Attempt || (a.Attempt == b.Attempt && a.Line > b.Line)
}

// readChunk reads the columns attempt, first_line, lines and data.
func readChunk(scan scanner, of id.ID) ([]execution.LogEntry, error) {
	var attempt, first, lines int
	var data []byte
	if err := scan(&attempt, &first, &lines, &data); err != nil {
		return nil, err
	}
	decoded, err := decodeChunk(data, lines)
	if err != nil {
		return nil, fmt.Errorf("log of execution %s, attempt %d, line %d: %w", of, attempt, first, err)
	}
	entries := make([]execution.LogEntry, len(decoded))
	for i, l := range decoded {
		entries[i] = execution.LogEntry{ExecutionID: of, Cursor: execution.Cursor{Attempt: attempt, Line: first + i}, LogLine: l}
	}
	return entries, nil
}
