package execution

import (
	"context"
	"errors"
	"fmt"
)

// lostClaims is how many claims whose answer was lost one look gives back.
const lostClaims = 100

// hold notes a run that this process knows of.
func (l *life) hold(lease Lease) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.held == nil {
		l.held = make(map[Lease]bool)
	}
	l.held[lease] = true
}

func (l *life) release(lease Lease) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.held, lease)
}

// lost returns those of the claims in the database that the process does not
// know of, and did not at the look before either: the answer to one that was
// just made may be on its way.
func (l *life) lost(claims []Lease) []Lease {
	l.mu.Lock()
	defer l.mu.Unlock()
	var lost []Lease
	missing := make(map[Lease]bool)
	for _, c := range claims {
		if l.held[c] {
			continue
		}
		missing[c] = true
		if l.missing[c] {
			lost = append(lost, c)
		}
	}
	l.missing = missing
	return lost
}

// giveBack puts executions back into the queue that a life has claimed without
// knowing: the claim was stored, and its answer got lost with the connection to
// the database. Nobody would run them while the life goes on.
func (s *Service) giveBack(ctx context.Context, l *life) error {
	claims, err := s.Store.Claims(ctx, l.incarnation, cap(s.slots)+lostClaims)
	if err != nil {
		return fmt.Errorf("read the claims of this server: %w", err)
	}
	for _, lease := range l.lost(claims) {
		_, err := s.Store.InterruptExecution(ctx, lease, Interruption{Reason: "the database's answer to its claim was lost", EndedAt: s.Now()})
		if err != nil && !errors.Is(err, ErrLeaseLost) {
			return fmt.Errorf("give a claim back: %w", err)
		}
		s.Log.Warn("gave back an execution whose claim was not answered", "execution", lease.ExecutionID, "attempt", lease.Attempt)
		s.backlog.Store(true)
		s.wakeClaims()
	}
	return nil
}
