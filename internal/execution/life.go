package execution

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/usefloww/flowwd/internal/id"
)

// life is the time from joining the nodes to leaving them or to losing the
// lease, which ends its context and all its runs.
type life struct {
	incarnation id.ID
	ctx         context.Context
	end         context.CancelCauseFunc

	mu sync.Mutex
	// held are the runs that this process knows of with what ends them, missing
	// the claims that the last look found in the database alone.
	held    map[Lease]context.CancelCauseFunc
	missing map[Lease]bool
	// early are executions that were cancelled before the answer to their claim
	// was here, with the time of that.
	early map[id.ID]time.Time
}

func (l *life) over() bool { return l.ctx.Err() != nil }

// join begins a new life, and takes back what lives that are over had claimed.
func (s *Service) join(ctx context.Context) error {
	l := &life{incarnation: s.IDs.New()}
	n := Node{Incarnation: l.incarnation, Name: s.Name, StartedAt: s.Now()}
	if err := s.Store.Join(ctx, n, LeaseTime); err != nil {
		return fmt.Errorf("join the nodes: %w", err)
	}
	l.ctx, l.end = context.WithCancelCause(s.runContext)
	s.life.Store(l)
	return s.takeBack(ctx, "its server stopped during the run")
}

func (s *Service) takeBack(ctx context.Context, reason string) error {
	n, err := s.Store.TakeBackClaims(ctx, reason, s.Now())
	if err != nil {
		return fmt.Errorf("take back the claims of servers that are gone: %w", err)
	}
	if n > 0 {
		s.Log.Info("took back interrupted executions", "count", n)
		s.backlog.Store(true)
		s.wakeClaims()
	}
	return nil
}

// leave ends the life in order.
func (s *Service) leave(ctx context.Context) {
	l := s.life.Load()
	l.end(errStopping)
	if err := s.Store.Leave(ctx, l.incarnation); err != nil {
		s.Log.Warn("this server could not sign off; others wait for its lease to run out", "error", err)
	}
}

// leaseLoop renews the lease until ctx ends. Runs are ended when it could not be
// renewed for so long that others are about to take them over.
func (s *Service) leaseLoop(ctx context.Context) {
	tick := time.NewTicker(HeartbeatInterval)
	defer tick.Stop()
	fence := time.AfterFunc(FenceTime, s.fence)
	defer fence.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		began := s.Now()
		if s.renew(ctx) {
			fence.Reset(FenceTime - s.Now().Sub(began))
		}
	}
}

// fence ends the runs of a life that is about to lose its lease.
func (s *Service) fence() {
	l := s.life.Load()
	if !l.over() {
		s.Log.Error("the database was not reached for too long; runs are ended before other servers take them over", "time", FenceTime)
		l.end(ErrLeaseLost)
	}
}

// renew renews the lease, or begins a new life when that is over. It reports
// whether the node has a lease now.
func (s *Service) renew(ctx context.Context) bool {
	bounded, cancel := context.WithTimeout(ctx, HeartbeatInterval)
	defer cancel()
	l := s.life.Load()
	if !l.over() {
		err := s.Store.Heartbeat(bounded, l.incarnation, LeaseTime)
		if errors.Is(err, ErrLeaseLost) {
			s.Log.Error("this server was taken for gone; its runs are ended and go on elsewhere")
			l.end(ErrLeaseLost)
		} else if err != nil {
			if ctx.Err() == nil {
				s.Log.Warn("the lease could not be renewed; trying again", "error", err)
			}
			return false
		}
	}
	var err error
	if l.over() {
		// Its runs are over, so nobody has to wait for its lease to run out.
		if err = s.Store.Leave(bounded, l.incarnation); err == nil {
			err = s.join(bounded)
		}
	} else {
		err = errors.Join(s.takeBack(bounded, "its server is gone"), s.lookAfterClaims(bounded, l))
	}
	if err != nil {
		s.Log.Warn("the claims of servers that are gone could not be looked after; trying again", "error", err)
	}
	return !s.life.Load().over()
}

// Hear takes note of what other processes stored.
func (s *Service) Hear(n Notice) {
	if n.Anything {
		s.watchers.signalAll()
	}
	for _, x := range n.Executions {
		s.signal(x)
	}
	for _, x := range n.Cancelled {
		s.life.Load().cancel(x, s.Now())
	}
	if n.Queue || n.Anything {
		s.backlog.Store(true)
		s.wakeClaims()
	}
}
