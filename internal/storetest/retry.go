package storetest

import (
	"testing"
	"time"

	"github.com/usefloww/flowwd/internal/execution"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/workflow"
)

// fail ends an attempt that another one follows after some time.
func (w *World) fail(c execution.Claim, wait time.Duration) {
	w.t.Helper()
	state, err := w.RetryExecution(w.ctx(), c.Lease, w.failure(wait))
	w.must(err)
	equal(w.t, "state after a failed attempt", state, execution.Received)
}

func (w *World) failure(wait time.Duration) execution.Failure {
	return execution.Failure{
		State: execution.Failed, Error: "boom", Stack: "at main.ts:1:2", EndedAt: w.Now(), NextAt: w.Now().Add(wait),
		Logs: &execution.LogChunk{First: 1, Lines: Lines(2, w.Now())},
	}
}

// wake lets the postponed whose time has come go on, and returns how many.
func (w *World) wake() int {
	w.t.Helper()
	n, _, err := w.WakePostponed(w.ctx(), w.Now(), 100)
	w.must(err)
	return n
}

func testRetry(t *testing.T, backend Backend) {
	t.Run("a failed attempt is followed by another when its time has come", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		f, triggers := w.Deployed(w.Namespace(), workflow.Options{Concurrency: 1})
		first := w.Run(triggers[0])
		began := w.Now()
		w.Pass(time.Second)
		w.fail(first, time.Minute)
		for what, err := range w.writes(first) {
			w.lost(what, err)
		}
		e := w.Get(first.ExecutionID, f.OrganizationID)
		equal(t, "reason", e.Waiting, "retry at 2026-11-23T12:01:01.000Z")
		equal(t, "error", e.Error, "boom")
		equal(t, "retries", e.Retries, 1)
		equal(t, "interruptions", e.Interruptions, 0)
		equal(t, "lines", len(w.lines(first.ExecutionID)), 2)

		second := w.Run(triggers[0]) // it does not wait behind the postponed one
		equal(t, "claims before its time", len(w.Claim(5)), 0)
		equal(t, "woken before its time", w.wake(), 0)
		w.must(w.FinishExecution(w.ctx(), &second, w.Outcome()))
		w.Pass(time.Minute)
		equal(t, "woken", w.wake(), 1)
		equal(t, "reason", w.Get(first.ExecutionID, f.OrganizationID).Waiting, "slot")
		claims := w.Claim(5)
		equal(t, "claims", claimed(claims), []id.ID{first.ExecutionID})
		equal(t, "attempt", claims[0].Attempt, 2)
		equal(t, "failed before", claims[0].Retries, 1)
		equal(t, "deployment", claims[0].DeploymentID, first.DeploymentID)
		w.must(w.FinishExecution(w.ctx(), &claims[0], w.Outcome()))
		e = w.Get(first.ExecutionID, f.OrganizationID)
		equal(t, "error of one that completed", e.Error, "")
		attempts, err := w.Attempts(w.ctx(), first.ExecutionID, 10)
		w.must(err)
		equal(t, "attempts", attempts, []execution.Attempt{
			{Number: 1, StartedAt: began, EndedAt: began.Add(time.Second), Outcome: "failed", Error: "boom"},
			{Number: 2, StartedAt: w.Now(), EndedAt: w.Now(), Outcome: "completed"},
		})
	})

	t.Run("only the owner retries, once", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		_, triggers := w.Deployed(w.Namespace())
		claim := w.Run(triggers[0])
		stale := claim.Lease
		stale.Incarnation = w.ID()
		_, err := w.RetryExecution(w.ctx(), stale, w.failure(0))
		w.lost("another incarnation", err)
		w.fail(claim, 0)
		_, err = w.RetryExecution(w.ctx(), claim.Lease, w.failure(0))
		w.lost("a second time", err)
		equal(t, "woken", w.wake(), 1)
		equal(t, "claims", len(w.Claim(5)), 1)
	})

	t.Run("a deleted workflow's runs are not retried", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		f, triggers := w.Deployed(w.Namespace())
		claim, waiting := w.Run(triggers[0]), w.Run(triggers[0])
		w.fail(waiting, time.Hour)
		w.must(w.DeleteWorkflow(w.ctx(), f.ID, w.Now()))
		state, err := w.RetryExecution(w.ctx(), claim.Lease, w.failure(time.Second))
		w.must(err)
		equal(t, "state", state, execution.Cancelled)
		depth, err := w.QueueDepth(w.ctx())
		w.must(err)
		equal(t, "queue", depth, execution.Depth{})
	})

	t.Run("an attempt fails in a state that fails", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		_, triggers := w.Deployed(w.Namespace())
		claim := w.Run(triggers[0])
		for _, state := range []execution.State{execution.Completed, execution.Cancelled, execution.Received, "odd"} {
			f := w.failure(0)
			f.State = state
			if _, err := w.RetryExecution(w.ctx(), claim.Lease, f); err == nil {
				t.Errorf("an attempt that ended as %q is retried", state)
			}
		}
	})
}

func testPostpone(t *testing.T, backend Backend) {
	t.Run("an execution waits for its time", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		f, triggers := w.Deployed(w.Namespace())
		at := w.Now().Add(time.Hour)
		a := w.claimable(triggers[0])
		a.AvailableAt = &at
		if got := w.accept(a); got.State != execution.Received || got.Claim != nil {
			t.Fatalf("a postponed execution is %s with claim %v", got.State, got.Claim)
		}
		e := w.Get(a.ExecutionID, f.OrganizationID)
		equal(t, "reason", e.Waiting, "scheduled for 2026-11-23T13:00:00.000Z")
		equal(t, "its time", e.AvailableAt.Equal(at), true)
		if now := w.accept(w.claimable(triggers[0])); now.Claim == nil {
			t.Error("an execution waited behind a postponed one")
		}
		depth, err := w.QueueDepth(w.ctx())
		w.must(err)
		equal(t, "queue", depth, execution.Depth{Waiting: 1, Running: 1})
		n, next, err := w.WakePostponed(w.ctx(), w.Now(), 10)
		w.must(err)
		if n != 0 || !next.Equal(at) {
			t.Errorf("woke %d, the next at %v; want none and %v", n, next, at)
		}
		w.Pass(time.Hour)
		n, next, err = w.WakePostponed(w.ctx(), w.Now(), 10)
		w.must(err)
		if n != 1 || !next.IsZero() {
			t.Errorf("woke %d, the next at %v; want one and none", n, next)
		}
		equal(t, "claims", claimed(w.Claim(5)), []id.ID{a.ExecutionID})
	})

	t.Run("a time that has passed postpones nothing", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		_, triggers := w.Deployed(w.Namespace())
		a := w.claimable(triggers[0])
		now := w.Now()
		a.AvailableAt = &now
		if got := w.accept(a); got.Claim == nil {
			t.Errorf("it waits: %+v", got)
		}
	})

	t.Run("a limited number is woken, oldest first", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		_, triggers := w.Deployed(w.Namespace())
		var all []id.ID
		for i := range 5 {
			at := w.Now().Add(time.Duration(10-i) * time.Second)
			a := w.Acceptance(triggers[0])
			a.AvailableAt = &at
			w.accept(a)
			all = append(all, a.ExecutionID)
		}
		w.Pass(time.Minute)
		n, _, err := w.WakePostponed(w.ctx(), w.Now(), 2)
		w.must(err)
		equal(t, "woken", n, 2)
		equal(t, "claims", claimed(w.Claim(5)), all[3:])
	})
}
