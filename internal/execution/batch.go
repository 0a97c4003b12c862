package execution

import (
	"context"
	"slices"
	"time"

	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
)

// BatchAction is what is done to each execution of a batch.
type BatchAction string

// The actions of batches. The values are the wire's.
const (
	ReplayEach BatchAction = "replay"
	CancelEach BatchAction = "cancel"
)

// MaxBatch is how many executions one batch can be about.
const MaxBatch = 10_000

// BatchFilter says which executions of a workflow a batch is about.
type BatchFilter struct {
	WorkflowID id.ID
	States     []State
	// TriggerID restricts to one trigger when not zero.
	TriggerID id.ID
	// Since restricts to those received then or later when not nil; Until, to
	// those received before.
	Since *time.Time
	Until time.Time
}

// Batch is something that is done to many executions, one after the other in
// the background, in the order of their arrival.
type Batch struct {
	ID             id.ID
	OrganizationID id.ID
	// Folders are those around its workflow, the nearest first, where it is read by
	// its id; nil in lists.
	Folders     []id.ID
	Action      BatchAction
	Filter      BatchFilter
	CreatedByID id.ID
	// CreatedBy names who asked for it to people.
	CreatedBy string
	CreatedAt time.Time
	// Total is how many executions there were when it was made. Done were acted
	// on; Skipped could not be, because they had ended, or their trigger is gone.
	Total, Done, Skipped int
	// Reached is the last execution that it came to; zero before the first.
	Reached id.ID
	EndedAt *time.Time
	// Problem says why it ended before it had come to all.
	Problem string
}

// BatchStep is what one step of a batch did.
type BatchStep struct {
	// Replays are the executions that it made.
	Replays []Acceptance
	// Cancelled are executions that it ended, Running those that their servers
	// shall end.
	Cancelled []Ended
	Running   []id.ID
	// Over says that the batch has come to its end, or that another process is
	// at it.
	Over bool
}

// Check refuses what makes no sense.
func (f BatchFilter) Check(a BatchAction) error {
	if len(f.States) == 0 {
		return fault.New(fault.Invalid, "statuses must name at least one status")
	}
	for _, s := range f.States {
		waits := s == Received || s == Started
		switch {
		case !s.Known():
			return fault.New(fault.Invalid, "%.40q is no status of an execution", string(s))
		case a == CancelEach && !waits:
			return fault.New(fault.Invalid, "executions that have ended (%s) can't be cancelled; only received and started ones can", s)
		case a == ReplayEach && waits:
			return fault.New(fault.Invalid, "executions that have not ended (%s) can't be replayed", s)
		}
	}
	return nil
}

// Bounds of batches: other work goes on between their steps.
const (
	batchInterval = 2 * time.Second
	batchStep     = 50
	batchRest     = 20 * time.Millisecond
	batchTimeout  = 30 * time.Second
	// openBatches is how many batches are worked on in turn.
	openBatches = 20
)

// CountBatch returns how many executions a filter is about, at most MaxBatch+1.
func (s *Service) CountBatch(ctx context.Context, f BatchFilter) (int, error) {
	return s.Store.CountBatch(ctx, f, MaxBatch+1)
}

// CreateBatch stores a batch and begins to work on it. It is about what was
// received until now.
func (s *Service) CreateBatch(ctx context.Context, b Batch) (Batch, error) {
	now := s.Now()
	b.ID, b.CreatedAt = s.IDs.New(), now
	if b.Filter.Until.IsZero() || b.Filter.Until.After(now) {
		b.Filter.Until = now
	}
	if err := b.Filter.Check(b.Action); err != nil {
		return Batch{}, err
	}
	n, err := s.CountBatch(ctx, b.Filter)
	if err != nil {
		return Batch{}, err
	}
	if n > MaxBatch {
		return Batch{}, fault.New(fault.Invalid, "more than %d executions are meant; narrow the filter, by since and until for example", MaxBatch)
	}
	b.Total = n
	if err := s.Store.CreateBatch(ctx, b); err != nil {
		return Batch{}, err
	}
	select {
	case s.batches <- struct{}{}:
	default:
	}
	return b, nil
}

// Batch returns a batch of one of the organizations.
func (s *Service) Batch(ctx context.Context, organizations []id.ID, batch id.ID) (Batch, error) {
	return s.Store.Batch(ctx, organizations, batch)
}

// Batches returns the latest batches of a workflow, the newest first.
func (s *Service) Batches(ctx context.Context, workflow id.ID, limit int) ([]Batch, error) {
	return s.Store.Batches(ctx, workflow, limit)
}

// StopBatch ends a batch before it has come to all. What it did stays done.
func (s *Service) StopBatch(ctx context.Context, b Batch, by string) (Batch, error) {
	return s.Store.StopBatch(ctx, b.ID, "Stopped by "+by, s.Now())
}

// batchLoop works on the batches that are open until ctx ends. A batch that was
// begun before a restart is gone on with.
func (s *Service) batchLoop(ctx context.Context) {
	tick := time.NewTicker(batchInterval)
	defer tick.Stop()
	for {
		for s.stepBatches(ctx) {
		}
		select {
		case <-ctx.Done():
			return
		case <-s.batches:
		case <-tick.C:
		}
	}
}

// stepBatches does one step of each open batch and reports whether there is
// more to do now.
func (s *Service) stepBatches(ctx context.Context) bool {
	bounded, cancel := context.WithTimeout(ctx, batchTimeout)
	defer cancel()
	open, err := s.Store.OpenBatches(bounded, openBatches)
	if err != nil {
		if ctx.Err() == nil {
			s.Log.Error("the batches could not be read; trying again", "error", err)
		}
		return false
	}
	more := false
	for _, b := range open {
		step, err := s.Store.StepBatch(bounded, b, s.newBatchIDs(), s.Now())
		switch {
		case ctx.Err() != nil:
			return false
		case fault.Is(err, fault.Limited):
			// It goes on when fewer executions wait.
		case err != nil:
			s.Log.Error("a batch could not go on; trying again", "batch", b.ID, "error", err)
		default:
			s.stepped(step)
			more = more || !step.Over
		}
		if !s.rest(ctx) {
			return false
		}
	}
	return more
}

// newBatchIDs returns the ids of the executions and events of one step.
func (s *Service) newBatchIDs() []id.ID {
	ids := make([]id.ID, 2*batchStep)
	for i := range ids {
		ids[i] = s.IDs.New()
	}
	return ids
}

func (s *Service) rest(ctx context.Context) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(batchRest):
		return true
	}
}

// stepped tells of what a step did.
func (s *Service) stepped(step BatchStep) {
	for _, a := range step.Replays {
		s.Listener.Accepted(a, Accepted{ExecutionID: a.ExecutionID, State: Received})
		if s.Metrics != nil {
			s.Metrics.Accepted(Received)
		}
	}
	if len(step.Replays) > 0 {
		s.backlog.Store(true)
		s.wakeClaims()
	}
	for _, e := range slices.Clone(step.Cancelled) {
		s.signal(e.Claim.ExecutionID)
		s.Listener.Ended(&e.Claim, e.End)
	}
	for _, x := range step.Running {
		s.life.Load().cancel(x, s.Now())
	}
}
