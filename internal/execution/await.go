package execution

import (
	"context"
	"sync"
	"time"

	"github.com/usefloww/flowwd/internal/id"
)

// Bounds of waiting for ends: each waiter keeps a connection open.
const (
	// MaxAwait is the longest that somebody can wait for an end.
	MaxAwait = 30 * time.Second
	// maxAwaiting is how many can wait at once, and maxAwaitingOf how many of
	// them for executions of one organization.
	maxAwaiting   = 1000
	maxAwaitingOf = 250
	awaitInterval = 5 * time.Second
)

// Await waits until an execution has ended and returns it, or as it is when the
// time is over, the server stops, or too many wait already. The run goes on
// whatever becomes of ctx.
func (s *Service) Await(ctx context.Context, organization, execution id.ID, most time.Duration) (Execution, error) {
	// Watching begins before the first look, so that no change falls between.
	changed, stop := s.Watch(execution)
	defer stop()
	of := []id.ID{organization}
	if !s.awaiting.enter(organization) {
		return s.Get(ctx, of, execution)
	}
	defer s.awaiting.leave(organization)
	timeout := time.NewTimer(min(most, MaxAwait))
	defer timeout.Stop()
	// Looking again costs little and bounds the harm of a lost signal.
	again := time.NewTicker(awaitInterval)
	defer again.Stop()
	for {
		e, err := s.Get(ctx, of, execution)
		if err != nil || e.State.Final() {
			return e, err
		}
		select {
		case <-changed:
		case <-again.C:
		case <-timeout.C:
			return e, nil
		case <-s.awaiting.over:
			return e, nil
		case <-ctx.Done():
			return e, ctx.Err()
		}
	}
}

// EndAwaits lets nobody wait for an end any more, because the server stops.
func (s *Service) EndAwaits() { s.awaiting.end() }

// awaiting counts who waits for the ends of executions.
type awaiting struct {
	mu    sync.Mutex
	total int
	by    map[id.ID]int
	over  chan struct{}
	once  sync.Once
}

func newAwaiting() *awaiting { return &awaiting{by: map[id.ID]int{}, over: make(chan struct{})} }

func (a *awaiting) enter(organization id.ID) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.total >= maxAwaiting || a.by[organization] >= maxAwaitingOf {
		return false
	}
	a.total++
	a.by[organization]++
	return true
}

func (a *awaiting) leave(organization id.ID) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.total--
	if a.by[organization]--; a.by[organization] == 0 {
		delete(a.by, organization)
	}
}

func (a *awaiting) end() { a.once.Do(func() { close(a.over) }) }
