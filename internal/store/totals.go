package store

import (
	"bytes"
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/usefloww/flowwd/internal/execution"
	"github.com/usefloww/flowwd/internal/id"
)

// dayState is what executions are counted by.
type dayState struct {
	day   int64
	state execution.State
}

func (key dayState) compare(other dayState) int {
	return cmp.Or(cmp.Compare(key.day, other.day), cmp.Compare(key.state, other.state))
}

// totalKey names a row of daily_totals.
type totalKey struct {
	organization, workflow id.ID
	dayState
}

// compare is the order in which rows are locked.
func (key totalKey) compare(other totalKey) int {
	return cmp.Or(bytes.Compare(key.workflow[:], other.workflow[:]), key.dayState.compare(other.dayState))
}

type total struct {
	count, purged int64
	duration      time.Duration
	// namespace is where what was purged is counted too.
	namespace id.ID
}

// totals gathers what a batch adds to the daily and hourly totals, so that the
// many runs of one workflow that end together change one row once.
type totals struct {
	sums  map[totalKey]total
	hours map[hourKey]int64
	unit  []totalChange
	// unitHours are what the running unit ended.
	unitHours []hourKey
}

type totalChange struct {
	key totalKey
	add total
}

func newTotals() *totals {
	return &totals{sums: make(map[totalKey]total), hours: make(map[hourKey]int64)}
}

// dayOf is the number of the UTC day of a time, from 1970-01-01.
func dayOf(at time.Time) int64 { return at.UTC().Unix() / (24 * 60 * 60) }

// ended counts an execution that reached its final state.
func (s *totals) ended(organization, workflow id.ID, state execution.State, received time.Time, ran time.Duration) {
	s.unit = append(s.unit, totalChange{
		totalKey{organization, workflow, dayState{dayOf(received), state}}, total{count: 1, duration: ran},
	})
	s.unitHours = append(s.unitHours, hourKey{organization, workflow, hourOf(received), state, execution.StepOf(ran)})
}

// purged counts an ended execution whose row was removed.
func (s *totals) purged(organization, namespace, workflow id.ID, state execution.State, received time.Time) {
	s.unit = append(s.unit, totalChange{
		totalKey{organization, workflow, dayState{dayOf(received), state}}, total{purged: 1, namespace: namespace},
	})
}

// keep makes the running unit's changes final, undo forgets them.
func (s *totals) keep() {
	for _, c := range s.unit {
		sum := s.sums[c.key]
		sum.count += c.add.count
		sum.purged += c.add.purged
		sum.duration += c.add.duration
		if c.add.purged > 0 {
			sum.namespace = c.add.namespace
		}
		s.sums[c.key] = sum
	}
	for _, key := range s.unitHours {
		s.hours[key]++
	}
	s.undo()
}

func (s *totals) undo() { s.unit, s.unitHours = s.unit[:0], s.unitHours[:0] }

// flush adds what was gathered to the stored totals. Those of a workflow that
// the same batch removed are dropped.
func (s *totals) flush(t *tx) error {
	purged := map[namespaceDay]int64{}
	for _, key := range slices.SortedFunc(maps.Keys(s.sums), totalKey.compare) {
		sum := s.sums[key]
		if sum.count > 0 {
			if err := key.count(t, sum); err != nil {
				return err
			}
		}
		if sum.purged > 0 {
			// The row is there; a new one would fail the check that no more are
			// removed than were counted.
			n, err := t.exec(`UPDATE daily_totals SET purged = purged + ? WHERE workflow_id = ? AND day = ? AND state = ?`,
				sum.purged, key.workflow, key.day, string(key.state))
			if err != nil {
				return err
			}
			purged[namespaceDay{sum.namespace, key.organization, key.dayState}] += sum.purged * n
		}
	}
	for _, key := range slices.SortedFunc(maps.Keys(purged), namespaceDay.compare) {
		if err := key.add(t, 0, purged[key]); err != nil {
			return err
		}
	}
	for _, key := range slices.SortedFunc(maps.Keys(s.hours), hourKey.compare) {
		if err := key.count(t, s.hours[key]); err != nil {
			return err
		}
	}
	return nil
}

func (key totalKey) count(t *tx, sum total) error {
	return t.later(`
		INSERT INTO daily_totals (workflow_id, day, state, organization_id, count, duration_ms, purged)
		SELECT id, ?, ?, ?, ?, ?, 0 FROM workflows WHERE id = ?
		ON CONFLICT (workflow_id, day, state) DO UPDATE SET
			count = daily_totals.count + excluded.count, duration_ms = daily_totals.duration_ms + excluded.duration_ms`,
		key.day, string(key.state), key.organization, sum.count, sum.duration, key.workflow)
}
