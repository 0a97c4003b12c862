package storetest

import (
	"testing"
	"time"

	"github.com/usefloww/flowwd/internal/deploy"
	"github.com/usefloww/flowwd/internal/execution"
	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/workflow"
)

const day = 24 * time.Hour

func testPurge(t *testing.T, backend Backend) {
	t.Run("only what ended long ago goes", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		f, triggers := w.Deployed(w.Namespace())
		running, ending := w.Run(triggers[0]), w.Run(triggers[0])
		for range 150 {
			claim := w.Run(triggers[0])
			o := w.Outcome()
			o.Logs = &execution.LogChunk{First: 1, Lines: Lines(3, w.Now())}
			w.must(w.FinishExecution(w.ctx(), &claim, o))
		}
		w.Pass(30 * day)
		w.must(w.FinishExecution(w.ctx(), &ending, w.Outcome()))
		fresh := w.end(triggers[0], execution.Completed)
		waiting := w.Accept(triggers[0])
		list := execution.ListFilter{Organizations: []id.ID{f.OrganizationID}, WorkflowID: f.ID, Limit: 1000}
		_, total := w.page(list)
		equal(t, "total before", total, 154)

		equal(t, "purged", w.purge(29*day), 150)
		ids, total := w.page(list)
		equal(t, "left", ids, []id.ID{waiting, fresh, ending.ExecutionID, running.ExecutionID})
		equal(t, "total", total, 4)
		equal(t, "purged again", w.purge(29*day), 0)
		w.must(w.FinishExecution(w.ctx(), &running, w.Outcome()))
	})

	t.Run("deliveries go after their time", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		_, triggers := w.Deployed(w.Namespace())
		w.accept(w.delivered(triggers[0], "old", "x"))
		w.Pass(time.Hour)
		first := w.accept(w.delivered(triggers[0], "young", "x"))
		w.Pass(execution.DeliveryTTL - time.Minute)
		equal(t, "purged", w.purge(30*day), 1)
		equal(t, "remembered", w.accept(w.delivered(triggers[0], "young", "x")).ExecutionID, first.ExecutionID)
	})

	t.Run("deployments, programs and triggers go when nothing needs them", func(t *testing.T) {
		t.Parallel()
		testPurgeDeployments(t, NewWorld(t, backend(t)))
	})
}

// testPurgeDeployments deletes a deployment that an interrupted run still
// needs.
func testPurgeDeployments(t *testing.T, w *World) {
	f, triggers := w.Deployed(w.Namespace())
	claim := w.Run(triggers[0])
	f.ActiveDeployment = nil
	next := w.Activation(f)
	next.Remove = []id.ID{triggers[0].ID}
	w.must(w.ActivateDeployment(w.ctx(), next))
	w.must(w.DeleteDeployment(w.ctx(), claim.DeploymentID, w.Now()))
	w.Pass(60 * day)
	equal(t, "purged while it runs", w.purge(30*day), 0)
	_, err := w.InterruptExecution(w.ctx(), claim.Lease, execution.Interruption{Reason: "test", EndedAt: w.Now()})
	w.must(err)
	equal(t, "purged while it waits", w.purge(30*day), 0)
	claim = w.Claim(1)[0]
	_, err = w.Program(w.ctx(), claim.ProgramHash)
	w.must(err)
	w.must(w.FinishExecution(w.ctx(), &claim, w.Outcome()))
	if n := w.purge(30 * day); n == 0 {
		t.Error("nothing was purged after the last run ended")
	}
	_, err = w.Program(w.ctx(), claim.ProgramHash)
	w.refused(err, fault.NotFound, "Program not found")
	_, err = w.Program(w.ctx(), next.Program.Hash)
	w.must(err)
	_, err = w.Source(w.ctx(), next.Deployment.ID)
	w.must(err)
	equal(t, "purged again", w.purge(30*day), 0)
	if problems := w.Check(w.ctx()); len(problems) > 0 {
		t.Errorf("the database has problems: %v", problems)
	}
	f.Version = 3
	again := deploy.Activation{Deployment: workflow.Deployment{ID: claim.DeploymentID, OrganizationID: f.OrganizationID, WorkflowID: f.ID}, Version: 3, At: w.Now()}
	w.refused(w.ActivateDeployment(w.ctx(), again), fault.NotFound, "Deployment not found")
}
