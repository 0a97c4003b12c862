package execution

import (
	"context"
	"time"

	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
)

// Accept stores an event with its execution, and starts the run at once when a
// slot is free and nothing waits before it. When it returns no error the event
// is on disk. The caller fills in what it knows of the Acceptance; ids, time and
// claim are added here.
func (s *Service) Accept(ctx context.Context, a Acceptance) (Accepted, error) {
	if !s.enter() {
		return Accepted{}, &fault.Error{Kind: fault.Unavailable, Message: "the server is stopping; send the event again", RetryAfter: time.Second}
	}
	defer s.runs.Done()
	a.ExecutionID, a.Event.ID = s.IDs.New(), s.IDs.New()
	a.ReceivedAt = s.Now()
	a.MaxWaiting = MaxWaiting
	l := s.life.Load()
	held := !l.over() && s.takeSlot()
	if held {
		a.Claimant = l.incarnation
	}
	ctx, span := s.traceAcceptance(ctx, a)
	accepted, err := s.Store.AcceptExecution(ctx, a)
	s.endAcceptance(span, accepted, err)
	if err != nil {
		if held {
			s.freeSlot()
		}
		return Accepted{}, err
	}
	if !accepted.Repeated && !accepted.Skipped {
		s.Listener.Accepted(a, accepted)
	}
	if accepted.Skipped {
		if held {
			s.freeSlot()
		}
		return accepted, nil
	}
	if accepted.Claim != nil {
		accepted.Claim.Event = &a.Event
		s.startRun(l, accepted.Claim)
	} else if held {
		s.freeSlot()
	}
	switch {
	case accepted.State != Received || accepted.Repeated:
	case a.AvailableAt != nil && a.AvailableAt.After(a.ReceivedAt):
		s.postponed.until(*a.AvailableAt)
	default:
		s.backlog.Store(true)
		s.wakeClaims()
	}
	if s.Metrics != nil && !accepted.Repeated {
		s.Metrics.Accepted(accepted.State)
	}
	return accepted, nil
}

// Get returns an execution of one of the organizations.
func (s *Service) Get(ctx context.Context, organizations []id.ID, execution id.ID) (Execution, error) {
	return s.Store.Execution(ctx, organizations, execution)
}

// Event returns what caused an execution.
func (s *Service) Event(ctx context.Context, e Execution) (Event, error) {
	return s.Store.Event(ctx, e.EventID)
}

// List returns a page of executions, newest first.
func (s *Service) List(ctx context.Context, filter ListFilter) (Page, error) {
	return s.Store.Executions(ctx, filter)
}

// maxAttempts is how many attempts of an execution are shown.
const maxAttempts = 200

// Attempts returns the attempts of an execution that have ended, in order.
func (s *Service) Attempts(ctx context.Context, execution id.ID) ([]Attempt, error) {
	return s.Store.Attempts(ctx, execution, maxAttempts)
}

// Logs returns stored lines of an execution after a place, in order.
func (s *Service) Logs(ctx context.Context, execution id.ID, after Cursor, limit int) ([]LogEntry, error) {
	return s.Store.Logs(ctx, execution, after, limit)
}

// searchTime bounds a search in logs; what was found by then is answered.
const searchTime = 50 * time.Millisecond

// SearchLogs returns lines of a workflow's executions, newest first. The search
// ends after a short time also when there is more.
func (s *Service) SearchLogs(ctx context.Context, query LogQuery) (LogPage, error) {
	query.Deadline = s.Now().Add(searchTime)
	return s.Store.SearchLogs(ctx, query)
}
