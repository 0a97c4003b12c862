package storetest

import (
	"sync"
	"testing"
	"time"

	"github.com/usefloww/flowwd/internal/execution"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/workflow"
)

// batch stores a batch about all executions of a workflow in a state.
func (w *World) batch(f workflow.Workflow, action execution.BatchAction, states ...execution.State) execution.Batch {
	w.t.Helper()
	w.Pass(time.Millisecond)
	b := execution.Batch{
		ID: w.ID(), OrganizationID: f.OrganizationID, Action: action, CreatedByID: w.ID(), CreatedBy: "Ann", CreatedAt: w.Now(),
		Filter: execution.BatchFilter{WorkflowID: f.ID, States: states, Until: w.Now()},
	}
	n, err := w.CountBatch(w.ctx(), b.Filter, 100)
	w.must(err)
	b.Total = n
	w.must(w.CreateBatch(w.ctx(), b))
	return b
}

// step goes on with a batch by so many executions.
func (w *World) step(batch id.ID, f workflow.Workflow, most int) execution.BatchStep {
	w.t.Helper()
	b, err := w.Store.Batch(w.ctx(), []id.ID{f.OrganizationID}, batch)
	w.must(err)
	ids := make([]id.ID, 2*most)
	for i := range ids {
		ids[i] = w.ID()
	}
	step, err := w.StepBatch(w.ctx(), b, ids, w.Now())
	w.must(err)
	return step
}

func (w *World) readBatches(f workflow.Workflow, note func(any, error)) {
	b := w.batch(f, execution.ReplayEach, execution.Failed, execution.TimedOut)
	note(w.Store.Batch(w.ctx(), []id.ID{f.OrganizationID}, b.ID))
	note(w.Batches(w.ctx(), f.ID, 10))
	note(w.OpenBatches(w.ctx(), 10))
	w.step(b.ID, f, 2)
	c := w.batch(f, execution.CancelEach, execution.Received)
	w.step(c.ID, f, 2)
	note(w.StopBatch(w.ctx(), c.ID, "test", w.Now()))
}

func testBatches(t *testing.T, backend Backend) {
	t.Run("a replay makes each execution once", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		f, triggers := w.Deployed(w.Namespace())
		var failed []id.ID
		for range 5 {
			failed = append(failed, w.end(triggers[0], execution.Failed))
		}
		w.end(triggers[0], execution.Cancelled)
		b := w.batch(f, execution.ReplayEach, execution.Failed)
		equal(t, "counted", b.Total, 5)
		w.end(triggers[0], execution.Failed) // after it was made, and so not meant

		stale, err := w.Store.Batch(w.ctx(), []id.ID{f.OrganizationID}, b.ID)
		w.must(err)
		first := w.step(b.ID, f, 2)
		ids := []id.ID{w.ID(), w.ID(), w.ID(), w.ID()}
		again, err := w.StepBatch(w.ctx(), stale, ids, w.Now()) // as another process that read it before
		w.must(err)
		equal(t, "replays of a step that was done", len(again.Replays), 0)
		replays := first.Replays
		for over := false; !over; {
			step := w.step(b.ID, f, 2)
			replays, over = append(replays, step.Replays...), step.Over
		}
		equal(t, "replays", len(replays), 5)
		for i, r := range replays {
			e := w.Get(r.ExecutionID, f.OrganizationID)
			if e.ReplayOf != failed[i] || e.State != execution.Received || e.TriggeredByID != b.CreatedByID {
				t.Errorf("replay %d is %+v, want one of %s", i, e, failed[i])
			}
		}
		b, err = w.Store.Batch(w.ctx(), []id.ID{f.OrganizationID}, b.ID)
		w.must(err)
		if b.Done != 5 || b.Skipped != 0 || b.EndedAt == nil || b.Problem != "" {
			t.Errorf("the batch is %+v", b)
		}
		claims := w.Claim(10)
		equal(t, "claims", len(claims), 5)
		equal(t, "event", string(claims[0].Event.Fields), string(w.Acceptance(triggers[0]).Event.Fields))
	})

	t.Run("two processes at once do each execution once", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		f, triggers := w.Deployed(w.Namespace())
		for range 12 {
			w.end(triggers[0], execution.TimedOut)
		}
		b := w.batch(f, execution.ReplayEach, execution.TimedOut)
		var all sync.WaitGroup
		var mu sync.Mutex
		of := map[id.ID]int{}
		for range 3 {
			all.Go(func() {
				for {
					now, err := w.Store.Batch(w.ctx(), []id.ID{f.OrganizationID}, b.ID)
					if err != nil || now.EndedAt != nil {
						return
					}
					step, err := w.StepBatch(w.ctx(), now, []id.ID{w.ID(), w.ID(), w.ID(), w.ID(), w.ID(), w.ID()}, w.Now())
					if err != nil {
						t.Error(err)
						return
					}
					mu.Lock()
					for _, r := range step.Replays {
						of[r.ReplayOf]++
					}
					mu.Unlock()
				}
			})
		}
		all.Wait()
		equal(t, "replayed", len(of), 12)
		for x, n := range of {
			if n != 1 {
				t.Errorf("execution %s was replayed %d times", x, n)
			}
		}
	})

	t.Run("a cancel ends what waits and notes what runs", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		f, triggers := w.Deployed(w.Namespace())
		done := w.end(triggers[0], execution.Completed)
		running, waiting := w.Run(triggers[0]), w.Accept(triggers[0])
		b := w.batch(f, execution.CancelEach, execution.Received, execution.Started)
		equal(t, "counted", b.Total, 2)
		step := w.step(b.ID, f, 10)
		if !step.Over || len(step.Cancelled) != 1 || step.Cancelled[0].Claim.ExecutionID != waiting || len(step.Running) != 1 || step.Running[0] != running.ExecutionID {
			t.Errorf("the step is %+v", step)
		}
		if e := w.Get(waiting, f.OrganizationID); e.State != execution.Cancelled || e.Error != "Cancelled by Ann" {
			t.Errorf("the waiting execution is %s: %s", e.State, e.Error)
		}
		equal(t, "wish", w.Get(running.ExecutionID, f.OrganizationID).CancelReason, "Cancelled by Ann")
		equal(t, "what was done", w.Get(done, f.OrganizationID).State, execution.Completed)
	})

	t.Run("what can't be replayed is skipped, and a batch can be stopped", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		f, triggers := w.Deployed(w.Namespace(), workflow.Options{}, workflow.Options{})
		for range 2 {
			w.end(triggers[0], execution.Failed)
			w.end(triggers[1], execution.Failed)
		}
		gone := w.Activation(f)
		gone.Version, gone.Remove = 2, []id.ID{triggers[1].ID}
		w.must(w.ActivateDeployment(w.ctx(), gone))
		b := w.batch(f, execution.ReplayEach, execution.Failed)
		w.step(b.ID, f, 3)
		stopped, err := w.StopBatch(w.ctx(), b.ID, "Stopped by Ann", w.Now())
		w.must(err)
		if stopped.Done != 2 || stopped.Skipped != 1 || stopped.Problem != "Stopped by Ann" || stopped.EndedAt == nil {
			t.Errorf("the stopped batch is %+v", stopped)
		}
		if step := w.step(b.ID, f, 3); !step.Over || len(step.Replays) > 0 {
			t.Errorf("a step of a stopped batch: %+v", step)
		}
		again, err := w.StopBatch(w.ctx(), b.ID, "Stopped by Bob", w.Now())
		w.must(err)
		equal(t, "reason", again.Problem, "Stopped by Ann")
	})
}
