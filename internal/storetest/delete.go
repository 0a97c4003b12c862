package storetest

import (
	"testing"
	"time"

	"github.com/usefloww/flowwd/internal/execution"
	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
)

func testDelete(t *testing.T, backend Backend) {
	t.Run("a deleted workflow is gone", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		n := w.Namespace()
		f, triggers := w.Deployed(n)
		hook := triggers[0].Webhook
		x := w.end(triggers[0], execution.Completed)
		d, _ := w.statuses(f.ID)
		w.must(w.DeleteWorkflow(w.ctx(), f.ID, w.Now()))
		w.refused(w.DeleteWorkflow(w.ctx(), f.ID, w.Now()), fault.NotFound, "Workflow not found")
		_, err := w.workflow(n.OrganizationID, f.ID)
		w.refused(err, fault.NotFound, "Workflow not found")
		_, err = w.deployment(n.OrganizationID, d[0])
		w.refused(err, fault.NotFound, "Deployment not found")
		_, err = w.Source(w.ctx(), d[0])
		w.refused(err, fault.NotFound, "Deployment not found")
		_, err = w.Execution(w.ctx(), []id.ID{n.OrganizationID}, x)
		w.refused(err, fault.NotFound, "Execution not found")
		equal(t, "triggers", len(w.triggers(f.ID)), 0)
		of, err := w.WebhookWorkflow(w.ctx(), hook.Path)
		w.must(err)
		equal(t, "the workflow at the webhook's address", of, id.ID{})
		ids, total := w.page(execution.ListFilter{Organizations: []id.ID{n.OrganizationID}, Limit: 10})
		equal(t, "executions", len(ids)+total, 0)
		w.refused(w.ActivateDeployment(w.ctx(), w.Activation(f)), fault.NotFound, "Workflow not found")
		w.refused(w.DeactivateDeployment(w.ctx(), d[0], w.Now()), fault.NotFound, "Deployment not found")
	})

	t.Run("its waiting runs end and its running ones may finish", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		n := w.Namespace()
		f, triggers := w.Deployed(n)
		_, others := w.Deployed(n)
		finishing := w.Run(triggers[0])
		interrupted := w.Run(triggers[0])
		for range 1100 { // more than the deleting unit ends
			w.Accept(triggers[0])
		}
		w.must(w.DeleteWorkflow(w.ctx(), f.ID, w.Now()))
		depth, err := w.QueueDepth(w.ctx())
		w.must(err)
		equal(t, "waiting", depth.Waiting, 100)
		last := w.Accept(others[0])
		equal(t, "claims", claimed(w.Claim(5)), []id.ID{last})
		state, err := w.InterruptExecution(w.ctx(), interrupted.Lease, execution.Interruption{Reason: "test", EndedAt: w.Now()})
		w.must(err)
		equal(t, "state of an interrupted run", state, execution.Cancelled)
		w.must(w.FinishExecution(w.ctx(), &finishing, w.Outcome()))
		depth, err = w.QueueDepth(w.ctx())
		w.must(err)
		equal(t, "queue", depth, execution.Depth{Running: 1})
	})

	t.Run("retention removes the rest", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		n := w.Namespace()
		f, triggers := w.Deployed(n)
		kept, others := w.Deployed(n)
		running := w.Run(triggers[0])
		for range 1100 {
			w.Accept(triggers[0])
		}
		w.accept(w.delivered(triggers[0], "k", "x"))
		w.must(w.DeleteWorkflow(w.ctx(), f.ID, w.Now()))
		w.purge(time.Hour) // the cutoff is older than all that is here
		depth, err := w.QueueDepth(w.ctx())
		w.must(err)
		equal(t, "queue while one runs", depth, execution.Depth{Running: 1})
		w.must(w.FinishExecution(w.ctx(), &running, w.Outcome()))
		w.purge(time.Hour)
		_, err = w.Program(w.ctx(), running.ProgramHash)
		w.refused(err, fault.NotFound, "Program not found")
		_, err = w.workflow(n.OrganizationID, kept.ID)
		w.must(err)
		w.end(others[0], execution.Completed)
		_, err = w.InterruptExecution(w.ctx(), running.Lease, execution.Interruption{})
		w.lost("a run that is gone", err)
		if problems := w.Check(w.ctx()); len(problems) > 0 {
			t.Errorf("the database has problems: %v", problems)
		}
	})
}

// purge removes what ended longer ago than age, until nothing is left to
// remove, and returns how many rows it removed.
func (w *World) purge(age time.Duration) int {
	w.t.Helper()
	total := 0
	for range 1000 {
		n, err := w.PurgeExpired(w.ctx(), w.Now().Add(-age), w.Now(), 70)
		w.must(err)
		if n > 70 {
			w.t.Errorf("%d rows were removed, at most 70 were allowed", n)
		}
		if n == 0 {
			return total
		}
		total += n
	}
	w.t.Fatal("purging does not end")
	return total
}
