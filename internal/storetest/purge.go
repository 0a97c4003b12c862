package storetest

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/usefloww/flowwd/internal/deploy"
	"github.com/usefloww/flowwd/internal/execution"
	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/store"
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
			w.must(w.FinishExecution(w.ctx(), claim.Lease, o))
		}
		w.Pass(30 * day)
		w.must(w.FinishExecution(w.ctx(), ending.Lease, w.Outcome()))
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
		w.must(w.FinishExecution(w.ctx(), running.Lease, w.Outcome()))
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

	t.Run("bodies on disk go with their last event", func(t *testing.T) {
		t.Parallel()
		folder := filepath.Join(t.TempDir(), "bodies")
		testPurgeBodies(t, NewWorld(t, backend(t), func(c *store.Config) { c.Blobs = folder }), folder)
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
	w.must(w.FinishExecution(w.ctx(), claim.Lease, w.Outcome()))
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

// testPurgeBodies lets two events share a body on disk.
func testPurgeBodies(t *testing.T, w *World, folder string) {
	_, triggers := w.Deployed(w.Namespace())
	shared := bytes.Repeat([]byte("x"), 100_000)
	accept := func(body []byte) execution.Lease {
		a := w.claimable(triggers[0])
		a.Event.Body = body
		return w.accept(a).Claim.Lease
	}
	first := accept(shared)
	w.must(w.FinishExecution(w.ctx(), first, w.Outcome()))
	w.Pass(40 * day)
	second := accept(shared)
	other := accept(append([]byte("y"), shared...))
	equal(t, "files", files(t, folder), 2)
	orphan := w.claimable(triggers[0])
	orphan.Event.Body, orphan.TriggerID = append([]byte("z"), shared...), w.ID()
	_, err := w.AcceptExecution(w.ctx(), orphan)
	w.refused(err, fault.NotFound, "Trigger not found")
	equal(t, "files with an orphan", files(t, folder), 3)
	w.purge(30 * day)
	equal(t, "files after the first event went", files(t, folder), 2)
	w.must(w.FinishExecution(w.ctx(), second, w.Outcome()))
	w.must(w.FinishExecution(w.ctx(), other, w.Outcome()))
	w.Pass(40 * day)
	w.purge(30 * day)
	equal(t, "files in the end", files(t, folder), 0)
}

// files counts the files below a folder.
func files(t *testing.T, folder string) int {
	t.Helper()
	n := 0
	err := fs.WalkDir(os.DirFS(folder), ".", func(_ string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			n++
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}
