package trigger

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/usefloww/flowwd/internal/execution"
	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/provider"
	"github.com/usefloww/flowwd/internal/workflow"
)

const (
	// scheduleInterval is how often the database is asked for schedules that
	// another server has changed.
	scheduleInterval = 2 * time.Second
	scheduleTimeout  = 10 * time.Second
	// scheduleBatch is how many turns are taken before it is asked again.
	scheduleBatch = 200
	// scheduleRest is the shortest time between two looks, also when turns can't
	// be taken.
	scheduleRest = 20 * time.Millisecond
)

// never is the next time of a schedule that has none.
func never() time.Time { return time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC) }

// nextOf is when a schedule stands after a time.
func nextOf(s provider.Schedule, after time.Time) *time.Time {
	next := s.Next(after)
	if next.IsZero() {
		next = never()
	}
	return &next
}

// Scheduler makes executions when the times of schedules come. All fields are
// required.
type Scheduler struct {
	Store      Store
	Catalogue  provider.Catalogue
	Executions Accepter
	Now        func() time.Time
	Log        *slog.Logger

	stop context.CancelFunc
	done chan struct{}
}

// Start begins to look for turns.
func (s *Scheduler) Start(ctx context.Context) error {
	ctx, s.stop = context.WithCancel(context.WithoutCancel(ctx))
	s.done = make(chan struct{})
	go s.loop(ctx)
	return nil
}

// Stop ends the looking; a turn that is being taken is finished.
func (s *Scheduler) Stop(context.Context) error {
	if s.stop != nil {
		s.stop()
		<-s.done
	}
	return nil
}

func (s *Scheduler) loop(ctx context.Context) {
	defer close(s.done)
	for {
		wait := s.look(ctx)
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
	}
}

// look takes the turns that are due and returns how long to wait for the next
// look.
func (s *Scheduler) look(ctx context.Context) time.Duration {
	bounded, cancel := context.WithTimeout(ctx, scheduleTimeout)
	due, next, err := s.Store.DueSchedules(bounded, s.Now(), scheduleBatch)
	cancel()
	if err != nil {
		if ctx.Err() == nil {
			s.Log.Error("schedules could not be looked for; trying again", "error", err)
		}
		return scheduleInterval
	}
	failed := 0
	for _, t := range due {
		if ctx.Err() != nil {
			return 0
		}
		if err := s.take(ctx, t); err != nil {
			failed++
			s.Log.Error("the turn of a schedule could not be taken; trying again", "trigger", t.ID, "workflow", t.WorkflowID, "error", err)
		}
	}
	switch {
	case failed > 0:
		return scheduleInterval
	case len(due) == scheduleBatch:
		return scheduleRest
	case next.IsZero():
		return scheduleInterval
	}
	return min(max(next.Sub(s.Now()), scheduleRest), scheduleInterval)
}

// take takes the turn of a schedule. Those that were missed before it are
// counted as one with it.
func (s *Scheduler) take(ctx context.Context, t workflow.Trigger) error {
	need, err := needOf(s.Catalogue, t.Declaration)
	if err != nil {
		return err
	}
	if need.Schedule == nil || t.NextAt == nil {
		return errors.New("the trigger has no schedule")
	}
	now := s.Now()
	planned := need.Schedule.Latest(*t.NextAt, now)
	fields, err := need.Schedule.Event(planned, now)
	if err != nil {
		return err
	}
	// The turn is taken also when the server stops meanwhile.
	bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), scheduleTimeout)
	defer cancel()
	accepted, err := s.Executions.Accept(bounded, execution.Acceptance{
		OrganizationID: t.OrganizationID, WorkflowID: t.WorkflowID, TriggerID: t.ID,
		Origin:    originOf(t.Declaration),
		Event:     execution.Event{Fields: fields},
		PlannedAt: &planned,
		Turn:      &execution.Turn{Due: *t.NextAt, Next: *nextOf(need.Schedule, planned)},
	})
	switch {
	case fault.Is(err, fault.Unavailable) && ctx.Err() != nil:
		return nil // another server, or the next start, takes it
	case err == nil && !accepted.Skipped:
		s.Log.Debug("a schedule fired", "trigger", t.ID, "execution", accepted.ExecutionID, "planned", planned)
	}
	return err
}

// originOf is what an execution keeps of a trigger that is called at no
// address.
func originOf(d workflow.Declaration) execution.Origin {
	return execution.Origin{ProviderType: d.Provider.Type, ProviderAlias: d.Provider.Alias, TriggerType: d.Type}
}

// Upcoming returns the next times of a trigger's schedule, the stored one first;
// none for a trigger without.
func Upcoming(c provider.Catalogue, t workflow.Trigger, count int) []time.Time {
	if t.NextAt == nil {
		return nil
	}
	need, err := needOf(c, t.Declaration)
	if err != nil || need.Schedule == nil {
		return nil
	}
	var times []time.Time
	for at := *t.NextAt; len(times) < count && at.Before(never()); at = *nextOf(need.Schedule, at) {
		times = append(times, at)
	}
	return times
}
