package execution

import (
	"context"
	"math"
	"time"

	"github.com/usefloww/flowwd/internal/id"
)

// HoursKept is how far back executions are counted by the hour.
const HoursKept = 31 * 24 * time.Hour

// Step is about how long a run took: each fourth step is twice as long.
type Step int

// maxStep is longer than any run.
const maxStep Step = 200

// StepOf returns the step of a time; 0 for less than a millisecond.
func StepOf(d time.Duration) Step {
	ms := d.Milliseconds()
	if ms < 1 {
		return 0
	}
	return min(1+Step(math.Floor(4*math.Log2(float64(ms)))), maxStep)
}

// Duration is in the middle of the step: a tenth off at most.
func (s Step) Duration() time.Duration {
	if s <= 0 {
		return 0
	}
	ms := math.Pow(2, (float64(s)-0.5)/4)
	if ms < 8 {
		ms = math.Floor(ms) // a step is one whole millisecond there
	}
	return time.Duration(ms * float64(time.Millisecond)).Round(10 * time.Microsecond)
}

// HourCount is how many executions of a workflow that were received in an hour
// ended in a state.
type HourCount struct {
	WorkflowID id.ID
	// Hour is its beginning.
	Hour  time.Time
	State State
	// Step says how long they ran; 0 where that was not asked for.
	Step  Step
	Count int
}

// Latest is the newest execution of a workflow.
type Latest struct {
	ID, WorkflowID id.ID
	State          State
	ReceivedAt     time.Time
}

// Hour is what was received in an hour and has ended.
type Hour struct{ Ended, Failed int }

// Glance is what a list shows of the executions of a workflow.
type Glance struct {
	// Latest is nil for none.
	Latest *Latest
	// Hours are the last ones, that of now included, in their order.
	Hours []Hour
}

// GlanceHours is how many hours a Glance goes back.
const GlanceHours = 24

// Glances returns what a list shows of workflows, by their ids.
func (s *Service) Glances(ctx context.Context, workflows []id.ID) (map[id.ID]Glance, error) {
	latest, err := s.Store.LatestExecutions(ctx, workflows)
	if err != nil {
		return nil, err
	}
	first := s.Now().UTC().Truncate(time.Hour).Add(-(GlanceHours - 1) * time.Hour)
	counts, err := s.Store.HourCounts(ctx, workflows, first)
	if err != nil {
		return nil, err
	}
	all := make(map[id.ID]Glance, len(workflows))
	for _, x := range workflows {
		all[x] = Glance{Hours: make([]Hour, GlanceHours)}
	}
	for _, x := range latest {
		g := all[x.WorkflowID]
		g.Latest = &x
		all[x.WorkflowID] = g
	}
	for _, c := range counts {
		// What clocks of other servers call the next hour is left out.
		if at := int(c.Hour.Sub(first) / time.Hour); at < GlanceHours && c.State != NoDeployment {
			h := &all[c.WorkflowID].Hours[at]
			h.Ended += c.Count
			if c.State.bad() {
				h.Failed += c.Count
			}
		}
	}
	return all, nil
}

// bad reports whether an execution ended otherwise than its author meant.
func (s State) bad() bool { return s == Failed || s == TimedOut }
