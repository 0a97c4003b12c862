package storetest

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/usefloww/flowwd/internal/deploy"
	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/workflow"
)

func (w *World) deployment(organization, wanted id.ID) (workflow.Deployment, error) {
	return w.Store.Deployment(w.ctx(), []id.ID{organization}, wanted)
}

// statuses lists the deployments of a workflow, newest first, with their
// statuses.
func (w *World) statuses(of id.ID) (ids []id.ID, statuses []workflow.Status) {
	w.t.Helper()
	deployments, total, err := w.Deployments(w.ctx(), of, 10, 0)
	w.must(err)
	if total != len(deployments) {
		w.t.Errorf("%d deployments in all, %d on a page for 10", total, len(deployments))
	}
	for _, d := range deployments {
		ids, statuses = append(ids, d.ID), append(statuses, d.Status)
	}
	return ids, statuses
}

func testDeployments(t *testing.T, backend Backend) {
	t.Run("a deployment is kept as it was made", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		f := w.Workflow(w.Namespace())
		a := w.Activation(f, workflow.Options{Timeout: 1500 * time.Millisecond, Memory: 48 << 20, Concurrency: 3, FailOnInterrupt: true}, workflow.Options{})
		a.Source.Files["dir/ü.ts"] = "\x00 <b> \u2028"
		a.Program.SourceMap, a.Program.Bytecode = []byte{0, 1}, []byte{2, 0}
		w.must(w.ActivateDeployment(w.ctx(), a))

		d, err := w.deployment(f.OrganizationID, a.Deployment.ID)
		w.must(err)
		equal(t, "deployment", d, a.Deployment)
		source, err := w.Source(w.ctx(), d.ID)
		w.must(err)
		equal(t, "source", source, *a.Source)
		program, err := w.Program(w.ctx(), a.Program.Hash)
		w.must(err)
		equal(t, "program", program, a.Program)
		got, err := w.workflow(f.OrganizationID, f.ID)
		w.must(err)
		f.Version, f.UpdatedAt = 2, w.Now()
		f.ActiveDeployment = &workflow.ActiveDeployment{ID: d.ID, DeployedAt: d.DeployedAt, Providers: d.Providers}
		equal(t, "workflow", got, f)
	})

	t.Run("a foreign or unknown one is not found", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		f, _ := w.Deployed(w.Namespace())
		ids, _ := w.statuses(f.ID)
		_, err := w.deployment(w.Namespace().OrganizationID, ids[0])
		w.refused(err, fault.NotFound, "Deployment not found")
		_, err = w.deployment(f.OrganizationID, w.ID())
		w.refused(err, fault.NotFound, "Deployment not found")
		_, err = w.Source(w.ctx(), w.ID())
		w.refused(err, fault.NotFound, "Deployment not found")
		_, err = w.Program(w.ctx(), workflow.Hash{1})
		w.refused(err, fault.NotFound, "Program not found")
		w.refused(w.DeactivateDeployment(w.ctx(), w.ID(), w.Now()), fault.NotFound, "Deployment not found")
		w.refused(w.DeleteDeployment(w.ctx(), w.ID(), w.Now()), fault.NotFound, "Deployment not found")
		w.refused(w.SetDeploymentNote(w.ctx(), w.ID(), nil), fault.NotFound, "Deployment not found")
	})

	t.Run("one is active at a time", func(t *testing.T) {
		t.Parallel()
		testActivation(t, NewWorld(t, backend(t)))
	})

	t.Run("of two at the same time one is refused", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		f := w.Workflow(w.Namespace())
		var won, lost atomic.Int32
		var wg sync.WaitGroup
		for range 8 {
			a := w.Activation(f, workflow.Options{})
			wg.Go(func() {
				switch err := w.ActivateDeployment(w.ctx(), a); {
				case err == nil:
					won.Add(1)
				case fault.Is(err, fault.Conflict):
					lost.Add(1)
				default:
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if won.Load() != 1 || lost.Load() != 7 {
			t.Errorf("%d were made and %d refused, want 1 and 7", won.Load(), lost.Load())
		}
	})

	t.Run("a refused one leaves nothing", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		n := w.Namespace()
		taken, triggers := w.Deployed(n)
		f, mine := w.Deployed(n)
		before, _ := w.statuses(f.ID)
		a := w.Activation(f, workflow.Options{}, workflow.Options{})
		a.Remove = []id.ID{mine[0].ID}
		a.Add[1].Webhook.Path = triggers[0].Webhook.Path
		err := w.ActivateDeployment(w.ctx(), a)
		w.refused(err, fault.Conflict, "The webhook address POST "+triggers[0].Webhook.Path+" is taken by another trigger")

		ids, statuses := w.statuses(f.ID)
		equal(t, "deployments", ids, before)
		equal(t, "statuses", statuses, []workflow.Status{workflow.StatusActive})
		left, err := w.Triggers(w.ctx(), f.ID)
		w.must(err)
		equal(t, "triggers", left, mine)
		_, err = w.Program(w.ctx(), a.Program.Hash)
		w.refused(err, fault.NotFound, "Program not found")
		got, err := w.workflow(f.OrganizationID, f.ID)
		w.must(err)
		equal(t, "version", got.Version, f.Version)
		w.refused(w.ActivateDeployment(w.ctx(), w.Activation(workflow.Workflow{ID: w.ID(), OrganizationID: taken.OrganizationID, Version: 1})),
			fault.NotFound, "Workflow not found")
	})

	t.Run("bytecode is replaced when the engine's version differs", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		n := w.Namespace()
		a := w.Activation(w.Workflow(n))
		a.Program.Bytecode = []byte("one")
		w.must(w.ActivateDeployment(w.ctx(), a))
		for _, c := range []struct{ version, bytecode, want string }{{"1", "ignored", "one"}, {"2", "two", "two"}} {
			again := w.Activation(w.Workflow(n))
			program := *a.Program
			program.EngineVersion, program.Bytecode, program.SDKVersion = c.version, []byte(c.bytecode), "other"
			again.Program, again.Deployment.ProgramHash = &program, program.Hash
			w.must(w.ActivateDeployment(w.ctx(), again))
			got, err := w.Program(w.ctx(), program.Hash)
			w.must(err)
			equal(t, "bytecode", string(got.Bytecode), c.want)
			equal(t, "SDK version", got.SDKVersion, "1")
		}
	})
}

// testActivation follows the deployments of one workflow.
func testActivation(t *testing.T, w *World) {
	f := w.Workflow(w.Namespace())
	first := w.Activation(f)
	w.must(w.ActivateDeployment(w.ctx(), first))
	w.Pass(time.Second)
	f.Version = 2
	second := w.Activation(f)
	w.must(w.ActivateDeployment(w.ctx(), second))
	both := []id.ID{second.Deployment.ID, first.Deployment.ID}
	want := func(what string, ids []id.ID, statuses ...workflow.Status) {
		t.Helper()
		gotIDs, got := w.statuses(f.ID)
		equal(t, "deployments after "+what, gotIDs, ids)
		equal(t, "statuses after "+what, got, statuses)
	}
	want("the second", both, workflow.StatusActive, workflow.StatusInactive)

	again := deploy.Activation{Deployment: first.Deployment, Version: 3, At: w.Now()}
	w.must(w.ActivateDeployment(w.ctx(), again))
	want("going back", both, workflow.StatusInactive, workflow.StatusActive)
	w.refused(w.DeleteDeployment(w.ctx(), both[1], w.Now()), fault.Conflict,
		"This deployment is active; set it inactive before deleting it")

	w.must(w.DeactivateDeployment(w.ctx(), both[0], w.Now())) // it is inactive: nothing to do
	want("deactivating an inactive one", both, workflow.StatusInactive, workflow.StatusActive)
	w.must(w.DeactivateDeployment(w.ctx(), both[1], w.Now()))
	want("deactivating", both, workflow.StatusInactive, workflow.StatusInactive)
	got, err := w.workflow(f.OrganizationID, f.ID)
	w.must(err)
	if got.ActiveDeployment != nil || got.Version != 5 {
		t.Errorf("after deactivating the workflow has version %d and deployment %v, want 5 and none", got.Version, got.ActiveDeployment)
	}

	note := "rolled back"
	w.must(w.SetDeploymentNote(w.ctx(), both[1], &note))
	d, err := w.deployment(f.OrganizationID, both[1])
	w.must(err)
	equal(t, "note", d.Note, &note)

	w.must(w.DeleteDeployment(w.ctx(), both[1], w.Now()))
	want("deleting", both[:1], workflow.StatusInactive)
	_, err = w.deployment(f.OrganizationID, both[1])
	w.refused(err, fault.NotFound, "Deployment not found")
	again.Version = 5
	w.refused(w.ActivateDeployment(w.ctx(), again), fault.NotFound, "Deployment not found")
	page, total, err := w.Deployments(w.ctx(), f.ID, 1, 1)
	w.must(err)
	equal(t, "deployments behind the last", len(page), 0)
	equal(t, "deployments in all", total, 1)
}
