package store

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/usefloww/flowwd/internal/fault"
)

// Stats are counts since the store was opened, for metrics.
type Stats struct {
	// Queued is how many units wait for the writer now.
	Queued int
	// Commits is how many transactions were committed, and Units how many
	// units they held together.
	Commits, Units int64
	// LargestBatch is the greatest number of units in one commit.
	LargestBatch int64
	// Replays is how many batches failed as a whole and were run again one by
	// one; Failures how many transactions failed for good.
	Replays, Failures int64
	// Refused is how many units and bodies were not stored because the database was
	// locked, full, gone or too slow, or the disk beside it.
	Refused int64
	// Wait is the time that units waited for their turn, all together.
	Wait time.Duration
}

// measures is what the writer counts.
type measures struct {
	commits, units, largest, replays, failures, refused, wait atomic.Int64
}

func (m *measures) committed(units int) {
	m.commits.Add(1)
	m.units.Add(int64(units))
	// Only the writer's goroutine counts, so load and store don't race.
	m.largest.Store(max(m.largest.Load(), int64(units)))
}

func (m *measures) replayed() { m.replays.Add(1) }

func (m *measures) failed() { m.failures.Add(1) }

func (m *measures) waited(d time.Duration) { m.wait.Add(int64(d)) }

// refusal counts an answer that asks to come again.
func (m *measures) refusal(err error) {
	if fault.Is(err, fault.Unavailable) {
		m.refused.Add(1)
	}
}

// About returns the version of the database and its size in bytes.
func (s *Store) About(ctx context.Context) (version string, size int64, err error) {
	err = s.glance(ctx, "measure the database", func(v *view) error {
		_, err := v.one(v.conn.dialect.about(), nil, &version, &size)
		return err
	})
	return version, size, err
}

// Stats returns the writer's counts.
func (s *Store) Stats() Stats {
	if s.writer == nil {
		return Stats{}
	}
	m := &s.writer.measures
	return Stats{
		Queued:       len(s.writer.queue),
		Commits:      m.commits.Load(),
		Units:        m.units.Load(),
		LargestBatch: m.largest.Load(),
		Replays:      m.replays.Load(),
		Failures:     m.failures.Load(),
		Refused:      m.refused.Load(),
		Wait:         time.Duration(m.wait.Load()),
	}
}
