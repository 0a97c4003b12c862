package execution

import (
	"context"
	"time"
)

const (
	// retentionInterval is how often ended executions are looked through, where they
	// are kept for a day or longer.
	retentionInterval = 10 * time.Minute
	// purgeBatch bounds what one unit removes, so that runs don't wait for it.
	purgeBatch = 200
	// purgePause lets others write between two batches.
	purgePause   = 20 * time.Millisecond
	purgeTimeout = 30 * time.Second
)

const (
	// foldInterval is how often totals are added up.
	foldInterval = time.Minute
	// foldBatch bounds what one unit adds up.
	foldBatch = 200
)

// foldLoop adds totals up until ctx ends.
func (s *Service) foldLoop(ctx context.Context) {
	tick := time.NewTicker(foldInterval)
	defer tick.Stop()
	for {
		err := s.repeat(ctx, func(unit context.Context) (bool, error) {
			n, err := s.Store.FoldTotals(unit, foldBatch)
			return n == foldBatch, err
		})
		if err != nil && ctx.Err() == nil {
			s.Log.Error("totals could not be added up; trying again later", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// repeat runs units as long as there is more to do, and lets others write between
// them.
func (s *Service) repeat(ctx context.Context, run func(context.Context) (more bool, err error)) error {
	for ctx.Err() == nil {
		unit, cancel := context.WithTimeout(ctx, purgeTimeout)
		more, err := run(unit)
		cancel()
		if err != nil || !more {
			return err
		}
		select {
		case <-ctx.Done():
		case <-time.After(purgePause):
		}
	}
	return nil
}

// retentionLoop removes what is older than its retention until ctx ends.
func (s *Service) retentionLoop(ctx context.Context) {
	tick := time.NewTicker(max(time.Second, min(retentionInterval, s.Retention/10)))
	defer tick.Stop()
	for {
		s.purge(ctx)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func (s *Service) purge(ctx context.Context) {
	err := s.repeat(ctx, func(unit context.Context) (bool, error) {
		now := s.Now()
		n, err := s.Store.PurgeExpired(unit, now.Add(-s.Retention), now, purgeBatch)
		return n > 0, err
	})
	if err != nil && ctx.Err() == nil {
		s.Log.Error("expired executions could not be removed; trying again later", "error", err)
	}
}
