package execution

import (
	"context"
	"time"
)

const (
	// claimInterval is how often the queue is looked at without being woken:
	// for executions whose time has come, and those that others stored.
	claimInterval = 2 * time.Second
	claimTimeout  = 10 * time.Second
	// firstClaim is what a look takes at most after one that found less than it
	// wanted, and each that finds all of it doubles that, up to claimBatch: a burst
	// must not hold the writer for long, nor a look at a short queue all the slots,
	// for what comes meanwhile would have to queue up, too.
	firstClaim = 4
	claimBatch = 32
)

// claimLoop fills free slots from the queue until ctx ends.
func (s *Service) claimLoop(ctx context.Context) {
	tick := time.NewTicker(claimInterval)
	defer tick.Stop()
	most := firstClaim
	for {
		for s.claimOnce(ctx, &most) {
		}
		select {
		case <-ctx.Done():
			return
		case <-s.wake:
		case <-tick.C:
			s.backlog.Store(true)
		}
	}
}

// claimOnce takes what fits into so many of the free slots, and reports whether
// there may be more. It changes how many the next look may take.
func (s *Service) claimOnce(ctx context.Context, most *int) bool {
	l := s.life.Load()
	if ctx.Err() != nil || l.over() || !s.backlog.Load() {
		return false
	}
	held := 0
	for held < *most && s.takeSlot() {
		held++
	}
	if held == 0 {
		return false
	}
	claims, err := s.claim(ctx, l, held)
	for i := range claims {
		s.startRun(l, &claims[i])
	}
	for range held - len(claims) {
		<-s.slots
	}
	if err != nil && ctx.Err() == nil {
		s.Log.Error("the queue could not be read; trying again", "error", err)
		if s.Metrics != nil {
			s.Metrics.ClaimFailed()
		}
	}
	if err != nil || len(claims) < held {
		*most = firstClaim
		return false
	}
	*most = min(2**most, claimBatch)
	return true
}

// claim takes up to n executions. The backlog flag is lowered before the queue
// is seen to be empty, so that an execution stored meanwhile raises it again.
func (s *Service) claim(ctx context.Context, l *life, n int) ([]Claim, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), claimTimeout)
	defer cancel()
	claims, err := s.Store.ClaimExecutions(ctx, l.incarnation, n, s.Now())
	if err != nil || len(claims) == n {
		return claims, err
	}
	s.backlog.Store(false)
	depth, err := s.Store.QueueDepth(ctx)
	// The postponed are no candidates; they say when they are.
	if err != nil || !depth.OldestWaiting.IsZero() {
		s.backlog.Store(true)
	}
	return claims, err
}
