package store

import (
	"bytes"
	"maps"
	"slices"

	"github.com/usefloww/flowwd/internal/id"
)

// counter is the state of one organization's queue.
type counter struct {
	organization     id.ID
	waiting, running int
	// turn grows with each claim; the organization with the smallest is next.
	turn int64
}

// counters holds the counters that a batch touches. They are read once and
// written once for each batch, for nearly every unit changes them.
type counters struct {
	rows map[id.ID]*counter
	// stored are the rows as they were read; others may have changed them
	// since, so that only differences are written.
	stored map[id.ID]counter
	// allWaiting says that every organization with waiting runs is in rows.
	allWaiting bool
	lastTurn   int64
	changed    map[id.ID]bool
	// before are the values that the running unit changed, oldest first.
	before []counter
}

func newCounters() *counters {
	return &counters{rows: make(map[id.ID]*counter), stored: make(map[id.ID]counter), lastTurn: -1, changed: make(map[id.ID]bool)}
}

const counterColumns = "organization_id, waiting, running, last_turn"

// of returns an organization's counter as the units so far left it.
func (c *counters) of(t *tx, organization id.ID) (counter, error) {
	row, err := c.row(t, organization)
	if err != nil {
		return counter{}, err
	}
	return *row, nil
}

func (c *counters) row(t *tx, organization id.ID) (*counter, error) {
	if row, ok := c.rows[organization]; ok {
		return row, nil
	}
	row := &counter{organization: organization}
	_, err := t.one(`SELECT `+counterColumns+` FROM queue_counters WHERE organization_id = ?`,
		args{organization}, &row.organization, &row.waiting, &row.running, &row.turn)
	if err != nil {
		return nil, err
	}
	c.know(row)
	return row, nil
}

func (c *counters) know(row *counter) {
	c.rows[row.organization] = row
	c.stored[row.organization] = *row
}

// add changes an organization's counts.
func (c *counters) add(t *tx, organization id.ID, waiting, running int) error {
	row, err := c.row(t, organization)
	if err != nil {
		return err
	}
	c.before = append(c.before, *row)
	row.waiting += waiting
	row.running += running
	c.changed[organization] = true
	return nil
}

// took notes that an organization had its turn.
func (c *counters) took(t *tx, organization id.ID) error {
	row, err := c.row(t, organization)
	if err != nil {
		return err
	}
	if c.lastTurn < 0 {
		if _, err := t.one(`SELECT COALESCE(MAX(last_turn), 0) FROM queue_counters`, nil, &c.lastTurn); err != nil {
			return err
		}
	}
	c.before = append(c.before, *row)
	// A turn that is undone leaves a gap, which does no harm.
	c.lastTurn++
	row.turn = c.lastTurn
	c.changed[organization] = true
	return nil
}

// queued returns the organizations that have waiting runs, the one whose turn
// is longest ago first.
func (c *counters) queued(t *tx) ([]counter, error) {
	if !c.allWaiting {
		err := t.each(`SELECT `+counterColumns+` FROM queue_counters WHERE waiting > 0`, nil, func(scan scanner) error {
			var row counter
			if err := scan(&row.organization, &row.waiting, &row.running, &row.turn); err != nil {
				return err
			}
			if _, known := c.rows[row.organization]; !known {
				c.know(&row)
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
		c.allWaiting = true
	}
	var queued []counter
	for _, row := range c.rows {
		if row.waiting > 0 {
			queued = append(queued, *row)
		}
	}
	slices.SortFunc(queued, func(a, b counter) int {
		if a.turn != b.turn {
			return int(min(max(a.turn-b.turn, -1), 1))
		}
		return bytes.Compare(a.organization[:], b.organization[:])
	})
	return queued, nil
}

// lock reads the counters of these organizations anew, keeps others from
// changing them, and forgets all others.
func (c *counters) lock(t *tx, organizations []id.ID) error {
	clear(c.rows)
	clear(c.stored)
	c.allWaiting = true
	list, values := in(organizations)
	if err := t.save(); err != nil {
		return err
	}
	return t.each(`SELECT `+counterColumns+` FROM queue_counters q WHERE organization_id IN `+list+`
		ORDER BY organization_id`+t.conn.dialect.lock("q"), values, func(scan scanner) error {
		var row counter
		if err := scan(&row.organization, &row.waiting, &row.running, &row.turn); err != nil {
			return err
		}
		c.know(&row)
		return nil
	})
}

// keep makes the running unit's changes final, undo takes them back.
func (c *counters) keep() { c.before = c.before[:0] }

func (c *counters) undo() {
	for _, old := range slices.Backward(c.before) {
		*c.rows[old.organization] = old
	}
	c.before = c.before[:0]
}

// flush writes the counters that changed, in the order of their ids: whoever
// locks several does it in this order.
func (c *counters) flush(t *tx) error {
	changed := slices.SortedFunc(maps.Keys(c.changed), func(a, b id.ID) int { return bytes.Compare(a[:], b[:]) })
	for _, organization := range changed {
		if err := c.rows[organization].store(t, c.stored[organization]); err != nil {
			return err
		}
	}
	return nil
}

// store adds what changed since the row was read.
func (c *counter) store(t *tx, before counter) error {
	waiting, running := c.waiting-before.waiting, c.running-before.running
	if waiting == 0 && running == 0 && c.turn == before.turn {
		return nil
	}
	n, err := t.exec(`
		UPDATE queue_counters SET waiting = waiting + ?, running = running + ?,
			last_turn = CASE WHEN last_turn < ? THEN ? ELSE last_turn END
		WHERE organization_id = ?`, waiting, running, c.turn, c.turn, c.organization)
	if err != nil || n > 0 {
		return err
	}
	// The first of an organization: all differences are counts.
	_, err = t.exec(`
		INSERT INTO queue_counters (organization_id, waiting, running, last_turn) VALUES (?, ?, ?, ?)
		ON CONFLICT (organization_id) DO UPDATE SET
			waiting = queue_counters.waiting + excluded.waiting, running = queue_counters.running + excluded.running`,
		c.organization, waiting, running, c.turn)
	return err
}
