package execution

import (
	"context"
	"sync"
	"time"

	"github.com/usefloww/flowwd/internal/id"
)

const (
	// postponedInterval is how often those are looked for whose time has come
	// and that other servers have postponed.
	postponedInterval = 2 * time.Second
	postponedTimeout  = 10 * time.Second
	// postponedBatch bounds what one unit wakes.
	postponedBatch = 500
)

// postponed knows when the next postponed execution's time comes.
type postponed struct {
	mu   sync.Mutex
	next time.Time // zero for none that is known
	// sooner is signalled when the next time comes earlier than it was.
	sooner chan struct{}
}

// until notes that an execution was postponed.
func (p *postponed) until(at time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.next.IsZero() && !at.Before(p.next) {
		return
	}
	p.next = at
	select {
	case p.sooner <- struct{}{}:
	default:
	}
}

// wait returns how long it is until the next time.
func (p *postponed) wait(now time.Time) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.next.IsZero() {
		return postponedInterval
	}
	return min(max(p.next.Sub(now), time.Millisecond), postponedInterval)
}

// postponedLoop wakes executions when their time comes, until ctx ends.
func (s *Service) postponedLoop(ctx context.Context) {
	for {
		s.wakePostponed(ctx)
		timer := time.NewTimer(s.postponed.wait(s.Now()))
	waiting:
		for {
			select {
			case <-ctx.Done():
				timer.Stop()
				return
			case <-s.postponed.sooner:
				timer.Reset(s.postponed.wait(s.Now()))
			case <-timer.C:
				break waiting
			}
		}
	}
}

func (s *Service) wakePostponed(ctx context.Context) {
	for ctx.Err() == nil {
		// Forgotten before it is looked up, so that what is postponed meanwhile
		// counts.
		s.postponed.mu.Lock()
		s.postponed.next = time.Time{}
		s.postponed.mu.Unlock()
		bounded, cancel := context.WithTimeout(ctx, postponedTimeout)
		woken, next, err := s.Store.WakePostponed(bounded, s.Now(), postponedBatch)
		cancel()
		if err != nil {
			if ctx.Err() == nil {
				s.Log.Error("postponed executions could not be looked for; trying again", "error", err)
			}
			return
		}
		if !next.IsZero() {
			s.postponed.until(next)
		}
		if woken > 0 {
			s.backlog.Store(true)
			s.wakeClaims()
		}
		if woken < postponedBatch {
			return
		}
	}
}

// Release lets an execution that waits for a time, be it that of its next attempt,
// take its turn now.
func (s *Service) Release(ctx context.Context, e Execution) (Execution, error) {
	if err := s.Store.ReleaseExecution(ctx, e.ID); err != nil {
		return Execution{}, err
	}
	s.signal(e.ID)
	s.backlog.Store(true)
	s.wakeClaims()
	return s.Get(ctx, []id.ID{e.OrganizationID}, e.ID)
}
