package storetest

import (
	"encoding/json"
	"sync"
	"testing"
	"time"

	"github.com/usefloww/flowwd/internal/deploy"
	"github.com/usefloww/flowwd/internal/execution"
	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/tenant"
	"github.com/usefloww/flowwd/internal/workflow"
)

// Scheduled makes a workflow that runs, with one trigger whose schedule stands
// at a time.
func (w *World) Scheduled(n tenant.Namespace, at time.Time) (workflow.Workflow, workflow.Trigger) {
	w.t.Helper()
	f := w.Workflow(n)
	a := w.Activation(f, workflow.Options{})
	a.Add[0].Type, a.Add[0].Webhook, a.Add[0].NextAt = "onCron", nil, &at
	a.Add[0].Input = json.RawMessage(`{"expression":"* * * * * *"}`)
	w.must(w.ActivateDeployment(w.ctx(), a))
	f.Version++
	return f, a.Add[0]
}

// turn is the turn of a schedule that stands at due and goes on a second later.
func (w *World) turn(t workflow.Trigger, due time.Time) execution.Acceptance {
	a := w.Acceptance(t)
	a.PlannedAt, a.Turn = &due, &execution.Turn{Due: due, Next: due.Add(time.Second)}
	return a
}

func (w *World) due() (due []id.ID, next time.Time) {
	w.t.Helper()
	found, next, err := w.DueSchedules(w.ctx(), w.Now(), 10)
	w.must(err)
	for _, t := range found {
		due = append(due, t.ID)
	}
	return due, next
}

func testSchedules(t *testing.T, backend Backend) {
	t.Run("schedules are due when their time has come", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		n := w.Namespace()
		later := w.Now().Add(time.Minute)
		_, first := w.Scheduled(n, w.Now())
		_, second := w.Scheduled(n, later)
		due, next := w.due()
		equal(t, "due", due, []id.ID{first.ID})
		equal(t, "next", next.Equal(later), true)
		got, err := w.Trigger(w.ctx(), []id.ID{n.OrganizationID}, second.ID)
		w.must(err)
		equal(t, "trigger", got, second)
		_, err = w.Trigger(w.ctx(), []id.ID{w.ID()}, second.ID)
		w.refused(err, fault.NotFound, "Trigger not found")
	})

	t.Run("a turn is taken once", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		n := w.Namespace()
		at := w.Now()
		f, trigger := w.Scheduled(n, at)
		var made []id.ID
		var mu sync.Mutex
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				got, err := w.AcceptExecution(w.ctx(), w.turn(trigger, at))
				if err != nil {
					t.Error(err)
				}
				if !got.Skipped {
					mu.Lock()
					made = append(made, got.ExecutionID)
					mu.Unlock()
				}
			})
		}
		wg.Wait()
		if len(made) != 1 {
			t.Fatalf("%d executions were made of one turn", len(made))
		}
		e := w.Get(made[0], f.OrganizationID)
		equal(t, "planned", e.PlannedAt.Equal(at), true)
		_, next := w.due()
		equal(t, "next", next.Equal(at.Add(time.Second)), true)
		runs, err := w.TriggerRuns(w.ctx(), f.ID, 10)
		w.must(err)
		equal(t, "runs", runs, map[id.ID]int{trigger.ID: 1})
	})

	t.Run("a turn makes nothing while one waits", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		at := w.Now()
		_, trigger := w.Scheduled(w.Namespace(), at)
		first := w.accept(w.turn(trigger, at))
		second := w.accept(w.turn(trigger, at.Add(time.Second)))
		equal(t, "second", second, execution.Accepted{Skipped: true})
		claim := w.Claim(1)[0]
		equal(t, "claimed", claim.ExecutionID, first.ExecutionID)
		third := w.accept(w.turn(trigger, at.Add(2*time.Second)))
		equal(t, "third is skipped", third.Skipped, false)
	})

	t.Run("a workflow that can't run loses its turns", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		at := w.Now()
		f, trigger := w.Scheduled(w.Namespace(), at)
		off := false
		_, err := w.ChangeWorkflow(w.ctx(), f.ID, workflow.Change{Active: &off}, w.Now())
		w.must(err)
		equal(t, "turn", w.accept(w.turn(trigger, at)), execution.Accepted{Skipped: true})
		due, _ := w.due()
		equal(t, "due", due, nil)
		page, err := w.Executions(w.ctx(), execution.ListFilter{Organizations: []id.ID{f.OrganizationID}, State: execution.NoDeployment, Limit: 10})
		w.must(err)
		equal(t, "executions", page.Total, 0)
	})

	t.Run("a deployment moves and removes schedules", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		f, trigger := w.Scheduled(w.Namespace(), w.Now())
		kept := trigger
		kept.NextAt = nil
		w.must(w.redeploy(&f, deploy.Activation{Keep: []workflow.Trigger{kept}}))
		equal(t, "kept", w.triggers(f.ID), []workflow.Trigger{trigger})
		moved := w.Now().Add(time.Hour)
		kept.NextAt = &moved
		w.must(w.redeploy(&f, deploy.Activation{Keep: []workflow.Trigger{kept}}))
		equal(t, "moved", w.triggers(f.ID), []workflow.Trigger{kept})
		w.must(w.redeploy(&f, deploy.Activation{Remove: []id.ID{trigger.ID}}))
		w.Pass(2 * time.Hour)
		due, next := w.due()
		if len(due) != 0 || !next.IsZero() {
			t.Errorf("%v are due, the next at %v, after the trigger was removed", due, next)
		}
	})

	t.Run("a deleted workflow has no schedule", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		at := w.Now()
		f, trigger := w.Scheduled(w.Namespace(), at)
		w.must(w.DeleteWorkflow(w.ctx(), f.ID, w.Now()))
		due, _ := w.due()
		equal(t, "due", due, nil)
		equal(t, "turn that was read before", w.accept(w.turn(trigger, at)), execution.Accepted{Skipped: true})
	})
}
