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
	for ctx.Err() == nil {
		now := s.Now()
		unit, cancel := context.WithTimeout(ctx, purgeTimeout)
		n, err := s.Store.PurgeExpired(unit, now.Add(-s.Retention), now, purgeBatch)
		cancel()
		if err != nil && ctx.Err() == nil {
			s.Log.Error("expired executions could not be removed; trying again later", "error", err)
		}
		if err != nil || n == 0 {
			return
		}
		select {
		case <-ctx.Done():
		case <-time.After(purgePause):
		}
	}
}
