package execution

import (
	"context"
	"errors"
	"fmt"
)

// lostClaims is how many claims whose answer was lost one look gives back.
const lostClaims = 100

// hold notes a run that this process knows of, and what ends it.
func (l *life) hold(lease Lease, end context.CancelCauseFunc) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.held == nil {
		l.held = make(map[Lease]context.CancelCauseFunc)
	}
	l.held[lease] = end
	if _, ok := l.early[lease.ExecutionID]; ok {
		delete(l.early, lease.ExecutionID)
		end(errCancelled)
	}
}

func (l *life) release(lease Lease) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.held, lease)
}

// lost returns those of the claims in the database that the process does not
// know of, and did not at the look before either: the answer to one that was
// just made may be on its way.
func (l *life) lost(claims []Held) []Lease {
	l.mu.Lock()
	defer l.mu.Unlock()
	var lost []Lease
	missing := make(map[Lease]bool)
	for _, c := range claims {
		if l.held[c.Lease] != nil {
			continue
		}
		missing[c.Lease] = true
		if l.missing[c.Lease] {
			lost = append(lost, c.Lease)
		}
	}
	l.missing = missing
	return lost
}

// lookAfterClaims compares what a life has claimed with what it knows. It ends
// runs that somebody has asked to end, in case the notice was lost, and puts
// executions back into the queue whose claim was stored while its answer got
// lost with the connection to the database: nobody would run them while the life
// goes on.
func (s *Service) lookAfterClaims(ctx context.Context, l *life) error {
	claims, err := s.Store.Claims(ctx, l.incarnation, cap(s.slots)+cap(s.endings)+lostClaims)
	if err != nil {
		return fmt.Errorf("read the claims of this server: %w", err)
	}
	for _, c := range claims {
		if c.Cancelled {
			l.cancel(c.ExecutionID, s.Now())
		}
	}
	for _, lease := range l.lost(claims) {
		_, err := s.Store.InterruptExecution(ctx, lease, Interruption{Reason: "the database's answer to its claim was lost", EndedAt: s.Now(), Unknown: true})
		if err != nil && !errors.Is(err, ErrLeaseLost) {
			return fmt.Errorf("give a claim back: %w", err)
		}
		s.Log.Warn("gave back an execution whose claim was not answered", "execution", lease.ExecutionID, "attempt", lease.Attempt)
		s.backlog.Store(true)
		s.wakeClaims()
	}
	return nil
}
