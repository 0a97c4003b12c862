package storetest

import (
	"sync"
	"testing"
	"time"

	"github.com/usefloww/flowwd/internal/execution"
	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/workflow"
)

// cancel cancels an execution and wants a state after it.
func (w *World) cancel(x id.ID, want execution.State) {
	w.t.Helper()
	state, err := w.CancelExecution(w.ctx(), x, execution.Cancellation{Reason: "Cancelled by Ann", At: w.Now()})
	w.must(err)
	equal(w.t, "state after a cancel", state, want)
}

func testCancel(t *testing.T, backend Backend) {
	t.Run("a waiting execution ends at once", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		f, triggers := w.Deployed(w.Namespace())
		failed := w.Run(triggers[0])
		w.fail(failed, time.Hour)
		x, later := w.Accept(triggers[0]), w.Acceptance(triggers[0])
		at := w.Now().Add(time.Hour)
		later.AvailableAt = &at
		w.accept(later)
		for _, waiting := range []id.ID{failed.ExecutionID, x, later.ExecutionID} {
			w.cancel(waiting, execution.Cancelled)
			e := w.Get(waiting, f.OrganizationID)
			if e.State != execution.Cancelled || e.Error != "Cancelled by Ann" || e.CompletedAt == nil || e.AvailableAt != nil {
				t.Errorf("the execution is %+v, want it cancelled", e)
			}
		}
		w.cancel(later.ExecutionID, execution.Cancelled)
		w.Pass(2 * time.Hour)
		equal(t, "woken", w.wake(), 0)
		equal(t, "claims", len(w.Claim(5)), 0)
	})

	t.Run("a running execution is ended by its server", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		f, triggers := w.Deployed(w.Namespace())
		claim := w.Run(triggers[0])
		w.cancel(claim.ExecutionID, execution.Started)
		w.cancel(claim.ExecutionID, execution.Started)
		held, err := w.Claims(w.ctx(), w.inc, 10)
		w.must(err)
		equal(t, "claims", held, []execution.Held{{Lease: claim.Lease, Cancelled: true}})
		o := w.Outcome()
		o.State, o.Error = execution.Cancelled, "its process was ended"
		w.must(w.FinishExecution(w.ctx(), &claim, o))
		e := w.Get(claim.ExecutionID, f.OrganizationID)
		if e.State != execution.Cancelled || e.Error != "Cancelled by Ann" {
			t.Errorf("it is %s: %s; want it cancelled by Ann", e.State, e.Error)
		}
	})

	t.Run("one that completes first stays completed", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		f, triggers := w.Deployed(w.Namespace())
		claim := w.Run(triggers[0])
		w.cancel(claim.ExecutionID, execution.Started)
		w.must(w.FinishExecution(w.ctx(), &claim, w.Outcome()))
		w.cancel(claim.ExecutionID, execution.Completed)
		equal(t, "state", w.Get(claim.ExecutionID, f.OrganizationID).State, execution.Completed)
	})

	t.Run("a cancelled run does not come back", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		f, triggers := w.Deployed(w.Namespace())
		interrupted, failed, lost := w.Run(triggers[0]), w.Run(triggers[0]), w.Run(triggers[0])
		for _, c := range []execution.Claim{interrupted, failed, lost} {
			w.cancel(c.ExecutionID, execution.Started)
		}
		state, err := w.InterruptExecution(w.ctx(), interrupted.Lease, execution.Interruption{Reason: "test", EndedAt: w.Now()})
		w.must(err)
		equal(t, "interrupted", state, execution.Cancelled)
		state, err = w.RetryExecution(w.ctx(), failed.Lease, w.failure(time.Second))
		w.must(err)
		equal(t, "failed", state, execution.Cancelled)
		w.rejoin()
		_, err = w.TakeBackClaims(w.ctx(), "test", w.Now())
		w.must(err)
		for _, c := range []execution.Claim{interrupted, failed, lost} {
			e := w.Get(c.ExecutionID, f.OrganizationID)
			if e.State != execution.Cancelled || e.Error != "Cancelled by Ann" {
				t.Errorf("it is %s: %s; want it cancelled by Ann", e.State, e.Error)
			}
		}
	})

	t.Run("an unknown execution is not found", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		_, err := w.CancelExecution(w.ctx(), w.ID(), execution.Cancellation{Reason: "x", At: w.Now()})
		w.refused(err, fault.NotFound, "Execution not found")
	})

	t.Run("claims and cancels at the same time", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		f, triggers := w.Deployed(w.Namespace(), workflow.Options{})
		var all []id.ID
		for range 40 {
			all = append(all, w.Accept(triggers[0]))
		}
		var wg sync.WaitGroup
		var claims []execution.Claim
		wg.Go(func() {
			for range 10 {
				got, err := w.ClaimExecutions(w.ctx(), w.inc, 4, w.Now())
				if err != nil {
					t.Error(err)
				}
				claims = append(claims, got...)
			}
		})
		for _, x := range all {
			wg.Go(func() {
				if _, err := w.CancelExecution(w.ctx(), x, execution.Cancellation{Reason: "Cancelled by Ann", At: w.Now()}); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		for _, c := range claims {
			state, err := w.InterruptExecution(w.ctx(), c.Lease, execution.Interruption{Reason: "test", EndedAt: w.Now()})
			w.must(err)
			equal(t, "state of a claimed one", state, execution.Cancelled)
		}
		for _, x := range all {
			equal(t, "state", w.Get(x, f.OrganizationID).State, execution.Cancelled)
		}
		if problems := w.Check(w.ctx()); len(problems) > 0 {
			t.Errorf("the database has problems: %v", problems)
		}
	})
}
