package store

import (
	"bytes"
	"cmp"
	"maps"
	"slices"

	"github.com/usefloww/flowwd/internal/id"
)

// counter is the state of one organization's queue. What runs is not in it: that
// is counted where it matters, for a row that every run changes twice has the
// batches of all servers wait for each other.
type counter struct {
	organization id.ID
	waiting      int
	// turn grows with each claim; the organization with the smallest is next.
	turn int64
}

// counters holds the counters that a batch touches, which are read at most once and
// written once for all its units.
type counters struct {
	rows map[id.ID]*counterRow
	// allWaiting says that every organization with waiting runs is in rows.
	allWaiting bool
	lastTurn   int64
	// before are the changes that the running unit has gone on from, oldest first.
	before []counterChange
}

// counterRow is a counter and what the batch adds to it. Others may change it
// meanwhile, so that only this is written.
type counterRow struct {
	stored counter
	// read says that stored holds what is stored, missing that this is nothing.
	read, missing bool
	added         counter // its turn is the last that the batch gave it, or 0
	// running is how many ran when the batch counted them, less what it had started
	// by then; started is what it has started since its begin, less what it ended.
	running int
	counted bool
	started int
}

// counterChange is what was added to a row.
type counterChange struct {
	row     *counterRow
	added   counter
	started int
}

func newCounters() *counters {
	return &counters{rows: make(map[id.ID]*counterRow), lastTurn: -1}
}

// counterColumns are those of a row, and the last turn of all.
const counterColumns = "q.organization_id, q.waiting, q.last_turn, (SELECT MAX(last_turn) FROM queue_counters)"

// now is the counter as the units so far left it.
func (r *counterRow) now() counter {
	now := r.stored
	now.waiting += r.added.waiting
	now.turn = max(now.turn, r.added.turn)
	return now
}

// row returns an organization's row, read or not.
func (c *counters) row(organization id.ID) *counterRow {
	row, ok := c.rows[organization]
	if !ok {
		row = &counterRow{stored: counter{organization: organization}}
		c.rows[organization] = row
	}
	return row
}

// of returns an organization's counter as the units so far left it.
func (c *counters) of(t *tx, organization id.ID) (counter, error) {
	row := c.row(organization)
	if !row.read {
		found, err := t.one(`SELECT waiting, last_turn FROM queue_counters WHERE organization_id = ?`,
			args{organization}, &row.stored.waiting, &row.stored.turn)
		if err != nil {
			return counter{}, err
		}
		row.read, row.missing = true, !found
	}
	return row.now(), nil
}

// running is how many runs of an organization go on. What the running unit has
// started by then must have been added and written, or neither.
func (c *counters) running(t *tx, organization id.ID) (int, error) {
	row := c.row(organization)
	if !row.counted {
		n, err := runningIn(&t.view, []id.ID{organization})
		if err != nil {
			return 0, err
		}
		row.running, row.counted = n-row.started, true
	}
	return row.running + row.started, nil
}

// runningIn counts the running executions of organizations. Their index, which is
// as long as there are slots, has no owner but the trigger, and the edge and CROSS
// JOIN keep SQLite to it.
func runningIn(v *view, organizations []id.ID) (n int, err error) {
	owners, values := in(organizations, edge(id.ID{}))
	_, err = v.one(`
		SELECT COUNT(*) FROM executions e CROSS JOIN triggers t
		WHERE e.state = 'started' AND e.trigger_id > ? AND t.id = e.trigger_id AND t.organization_id IN `+owners, values, &n)
	return n, err
}

// learn reads counters, of which those that the batch knows stay as they are.
func (c *counters) learn(t *tx, which string, values args) error {
	return t.each(`SELECT `+counterColumns+` FROM queue_counters q `+which, values, func(scan scanner) error {
		var stored counter
		var last int64
		if err := scan(&stored.organization, &stored.waiting, &stored.turn, &last); err != nil {
			return err
		}
		c.lastTurn = max(c.lastTurn, last)
		if row := c.row(stored.organization); !row.read {
			row.stored, row.read = stored, true
		}
		return nil
	})
}

// add changes how many of an organization wait, and how many run.
func (c *counters) add(organization id.ID, waiting, started int) {
	row := c.row(organization)
	c.before = append(c.before, counterChange{row, row.added, row.started})
	row.added.waiting += waiting
	row.started += started
}

// took notes that an organization had its turn.
func (c *counters) took(t *tx, organization id.ID) error {
	if c.lastTurn < 0 {
		if _, err := t.one(`SELECT COALESCE(MAX(last_turn), 0) FROM queue_counters`, nil, &c.lastTurn); err != nil {
			return err
		}
	}
	row := c.row(organization)
	c.before = append(c.before, counterChange{row, row.added, row.started})
	// A turn that is undone leaves a gap, which does no harm.
	c.lastTurn++
	row.added.turn = c.lastTurn
	return nil
}

// queued returns the organizations that have waiting runs, the one whose turn
// is longest ago first.
func (c *counters) queued(t *tx) ([]counter, error) {
	if !c.allWaiting {
		if err := c.learn(t, `WHERE q.waiting > 0`, nil); err != nil {
			return nil, err
		}
		c.allWaiting = true
	}
	var queued []counter
	for organization, row := range c.rows {
		if row.now().waiting <= 0 {
			continue
		}
		now, err := c.of(t, organization)
		if err != nil {
			return nil, err
		}
		queued = append(queued, now)
	}
	slices.SortFunc(queued, func(a, b counter) int {
		return cmp.Or(cmp.Compare(a.turn, b.turn), bytes.Compare(a.organization[:], b.organization[:]))
	})
	return queued, nil
}

// only forgets all organizations but these, as if nothing waited in others. Nothing
// must have been changed yet.
func (c *counters) only(organizations []id.ID) {
	maps.DeleteFunc(c.rows, func(organization id.ID, _ *counterRow) bool { return !slices.Contains(organizations, organization) })
}

// lock reads the counters of these organizations anew, keeps others from
// changing them, and forgets all others.
func (c *counters) lock(t *tx, organizations []id.ID) error {
	clear(c.rows)
	c.allWaiting = true
	list, values := in(organizations)
	if err := t.save(); err != nil {
		return err
	}
	return c.learn(t, `WHERE q.organization_id IN `+list+` ORDER BY q.organization_id`+t.conn.dialect.lock("q"), values)
}

// keep makes the running unit's changes final, undo takes them back.
func (c *counters) keep() { c.before = c.before[:0] }

func (c *counters) undo() {
	for _, old := range slices.Backward(c.before) {
		old.row.added, old.row.started = old.added, old.started
	}
	c.before = c.before[:0]
}

// flush writes the counters that changed, in the order of their ids: whoever
// locks several does it in this order.
func (c *counters) flush(t *tx) error {
	organizations := slices.SortedFunc(maps.Keys(c.rows), func(a, b id.ID) int { return bytes.Compare(a[:], b[:]) })
	for _, organization := range organizations {
		if err := c.rows[organization].store(t, organization); err != nil {
			return err
		}
	}
	return nil
}

// store adds what the batch has changed.
func (r *counterRow) store(t *tx, organization id.ID) error {
	added := r.added
	if added == (counter{}) {
		return nil
	}
	if added.waiting <= 0 || r.read && !r.missing {
		return t.later(`
			UPDATE queue_counters SET waiting = waiting + ?,
				last_turn = CASE WHEN last_turn < ? THEN ? ELSE last_turn END
			WHERE organization_id = ?`, added.waiting, added.turn, added.turn, organization)
	}
	// It may be the organization's first that waits.
	return t.later(`
		INSERT INTO queue_counters (organization_id, waiting, last_turn) VALUES (?, ?, ?)
		ON CONFLICT (organization_id) DO UPDATE SET waiting = queue_counters.waiting + excluded.waiting`,
		organization, added.waiting, added.turn)
}
