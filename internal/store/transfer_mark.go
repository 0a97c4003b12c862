package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/usefloww/flowwd/internal/fault"
)

// markTable is a table with one row, in a database that is the subject of a
// transfer; in all others it is empty or missing. It is none of the schema's tables: it must
// be readable whatever the schema's version.
const markTable = "transfer_mark"

// The states of a database in a transfer.
const (
	// markFilling: it is being filled, or that was interrupted.
	markFilling = "filling"
	// markRehearsal: it is a complete copy of a database that went on.
	markRehearsal = "rehearsal"
	// markFilled: it is a complete copy that nobody has used.
	markFilled = "filled"
	// markMoved: it was copied to another place, where the work goes on.
	markMoved = "moved"
)

// mark is what is under way with a database; the zero mark is nothing.
type mark struct {
	state string
	// about says when, and from or to where, in words.
	about string
}

func readMark(v *view, c catalog) (m mark, err error) {
	exists, err := c.exists(v, markTable)
	if err == nil && exists {
		_, err = v.one("SELECT state, about FROM "+markTable, nil, &m.state, &m.about)
	}
	return m, err
}

// write puts the mark in the place of the one before. The table stays when it
// is empty: to drop it would wait for everybody who has it in view.
func (m mark) write(t *tx) error {
	if _, err := t.exec("CREATE TABLE IF NOT EXISTS " + markTable + " (state TEXT NOT NULL, about TEXT NOT NULL)"); err != nil {
		return err
	}
	if _, err := t.exec("DELETE FROM " + markTable); err != nil || m.state == "" {
		return err
	}
	_, err := t.exec("INSERT INTO "+markTable+" (state, about) VALUES (?, ?)", m.state, m.about)
	return err
}

// refusal says why the database can't be used, and what to do; nil when it can.
func (m mark) refusal() error {
	switch m.state {
	case "", markFilled:
		return nil
	case markFilling:
		return fault.New(fault.Unavailable,
			"the database is not complete: filling it (%s) was interrupted or goes on; wait for its end, or run the same restore or migrate again", m.about)
	case markRehearsal:
		return fault.New(fault.Unavailable,
			"the database is a copy for a rehearsal (%s), and what came later is not in it: stop the server of the original and run migrate again without --rehearsal", m.about)
	case markMoved:
		return fault.New(fault.Unavailable,
			"the database was moved (%s): serve it there, or run 'flowwd migrate --take-back' on this one to go on here without what has happened there", m.about)
	}
	return fault.New(fault.Unavailable, "the database is marked %q by a newer flowwd (%s): use that one", m.state, m.about)
}

// guard refuses a database that must not be used as it is, and notes the first
// use of one that was filled.
func (s *Store) guard(ctx context.Context) error {
	var m mark
	catalog := catalogOf(s.database)
	err := s.read(ctx, "look for a transfer", func(v *view) (err error) {
		m, err = readMark(v, catalog)
		return err
	})
	if err != nil || m.state == "" {
		return err
	}
	if err := m.refusal(); err != nil {
		return err
	}
	return s.write(ctx, "note the first use", func(t *tx) error { return mark{}.write(t) })
}

// Fence marks a database as moved: from then on no server starts on it. About
// says when and to where. It reports false when the database was fenced before.
func Fence(ctx context.Context, cfg Config, about string) (marked bool, err error) {
	err = change(ctx, cfg, "mark the database as moved", func(m mark) (mark, error) {
		marked = m.state != markMoved
		if marked {
			return mark{markMoved, about}, m.refusal()
		}
		return mark{markMoved, about}, nil
	})
	return marked, err
}

// Unfence takes Fence back.
func Unfence(ctx context.Context, cfg Config) error {
	return change(ctx, cfg, "take the database back", func(m mark) (mark, error) {
		if m.state != markMoved {
			return m, errors.New("it is not marked as moved, so there is nothing to take back")
		}
		return mark{}, nil
	})
}

// change replaces the mark of an existing database.
func change(ctx context.Context, cfg Config, what string, next func(mark) (mark, error)) (err error) {
	s, err := openSession(ctx, cfg, writing)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	err = s.transaction(ctx, func(t *tx) error {
		m, err := readMark(&t.view, s.catalog)
		if err != nil {
			return err
		}
		if m, err = next(m); err != nil {
			return err
		}
		return m.write(t)
	})
	if err != nil {
		return fmt.Errorf("%s (%s): %w", what, s.database, err)
	}
	return nil
}
