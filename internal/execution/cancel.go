package execution

import (
	"context"
	"errors"
	"time"

	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
)

const (
	// cancelWait is how long Cancel waits for the end of a run.
	cancelWait = 5 * time.Second
	// earlyKept is how long it is remembered that a run was cancelled which
	// this process does not know yet; the answer to its claim is on its way.
	earlyKept = time.Minute
)

// errCancelled is the cause by which a run learns that somebody cancelled it.
var errCancelled = errors.New("the run was cancelled")

// Cancel ends an execution: at once when it waits, and by ending its process
// when it runs, on whichever server that is. What completes at the same moment
// stays completed. Cancelling again changes nothing; fault.Conflict when it has
// ended otherwise. By says to people who asked for it.
func (s *Service) Cancel(ctx context.Context, e Execution, by string) (Execution, error) {
	// Watching begins before the wish is stored, so that no change is missed.
	changed, stop := s.Watch(e.ID)
	defer stop()
	wish := Cancellation{Reason: "Cancelled by " + by, At: s.Now()}
	state, err := s.Store.CancelExecution(ctx, e.ID, wish)
	switch {
	case err != nil:
		return Execution{}, err
	case state == Started:
		s.life.Load().cancel(e.ID, s.Now())
	case state != Cancelled:
		return Execution{}, fault.New(fault.Conflict, "The execution has ended already (%s), so that it can't be cancelled", state)
	default:
		s.signal(e.ID)
		s.Listener.Ended(e.claim(), End{State: Cancelled, Error: wish.Reason, At: wish.At})
	}
	timeout := time.NewTimer(cancelWait)
	defer timeout.Stop()
	for {
		e, err := s.Get(ctx, []id.ID{e.OrganizationID}, e.ID)
		if err != nil || e.State.Final() {
			return e, err
		}
		select {
		case <-changed:
		case <-timeout.C:
			return e, nil
		case <-ctx.Done():
			return e, nil
		}
	}
}

// cancel ends the run of an execution, or keeps in mind that it shall end when
// it is heard of. Executions of other servers are soon forgotten.
func (l *life) cancel(execution id.ID, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for lease, end := range l.held {
		if lease.ExecutionID == execution {
			end(errCancelled)
			return
		}
	}
	if l.early == nil {
		l.early = make(map[id.ID]time.Time)
	}
	for x, since := range l.early {
		if now.Sub(since) > earlyKept {
			delete(l.early, x)
		}
	}
	l.early[execution] = now
}

// claim is what a Listener needs to know of an execution that never had one.
func (e Execution) claim() *Claim {
	return &Claim{
		Lease:          Lease{ExecutionID: e.ID, Attempt: e.Attempt},
		OrganizationID: e.OrganizationID, WorkflowID: e.WorkflowID, TriggerID: e.TriggerID, DeploymentID: e.DeploymentID, ReceivedAt: e.ReceivedAt,
	}
}
