package storetest

import (
	"bytes"
	"slices"
	"testing"
	"time"

	"github.com/usefloww/flowwd/internal/execution"
	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/store"
	"github.com/usefloww/flowwd/internal/workflow"
)

// accept accepts an event and returns what became of it.
func (w *World) accept(a execution.Acceptance) execution.Accepted {
	w.t.Helper()
	got, err := w.AcceptExecution(w.ctx(), a)
	w.must(err)
	return got
}

// claimable is an event that this process would run at once.
func (w *World) claimable(t workflow.Trigger) execution.Acceptance {
	a := w.Acceptance(t)
	a.Claimant = w.inc
	return a
}

func testAccept(t *testing.T, backend Backend) {
	t.Run("an execution waits", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		f, triggers := w.Deployed(w.Namespace())
		a := w.Acceptance(triggers[0])
		a.ReceivedAt = w.Now().Add(1234567)
		got := w.accept(a)
		equal(t, "answer", got, execution.Accepted{ExecutionID: a.ExecutionID, State: execution.Received})
		equal(t, "stored", w.Get(a.ExecutionID, f.OrganizationID), execution.Execution{
			ID: a.ExecutionID, OrganizationID: f.OrganizationID, WorkflowID: f.ID, TriggerID: triggers[0].ID, EventID: a.Event.ID,
			State: execution.Received, Waiting: "slot", ReceivedAt: w.Now().Add(time.Millisecond), Origin: a.Origin,
		})
	})

	t.Run("an execution is born claimed", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		f, triggers := w.Deployed(w.Namespace(), workflow.Options{Timeout: time.Second})
		a := w.claimable(triggers[0])
		got := w.accept(a)
		d, _ := w.statuses(f.ID)
		want := &execution.Claim{
			Lease:          execution.Lease{ExecutionID: a.ExecutionID, Incarnation: w.inc, Attempt: 1},
			OrganizationID: f.OrganizationID, WorkflowID: f.ID, TriggerID: triggers[0].ID, DeploymentID: d[0], Trigger: triggers[0].Declaration,
			ReceivedAt: w.Now(), StartedAt: w.Now(),
		}
		want.ProgramHash = got.Claim.ProgramHash
		equal(t, "answer", got, execution.Accepted{ExecutionID: a.ExecutionID, State: execution.Started, Claim: want})
		_, err := w.Program(w.ctx(), got.Claim.ProgramHash)
		w.must(err)
		stored := w.Get(a.ExecutionID, f.OrganizationID)
		if stored.State != execution.Started || stored.Attempt != 1 || stored.DeploymentID != d[0] || !stored.StartedAt.Equal(w.Now()) {
			t.Errorf("stored %+v, want the first attempt started with deployment %s", stored, d[0])
		}
		w.must(w.FinishExecution(w.ctx(), got.Claim, w.Outcome()))
	})

	t.Run("nothing overtakes what waits", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		_, mine := w.Deployed(w.Namespace())
		_, others := w.Deployed(w.Namespace())
		waiting := w.Accept(others[0])
		if got := w.accept(w.claimable(mine[0])); got.Claim != nil {
			t.Error("an execution was born claimed while one of another organization waited")
		}
		claims := claimed(w.Claim(2))
		if len(claims) != 2 || !slices.Contains(claims, waiting) {
			t.Errorf("claimed %v, want both, and %s is one of them", claims, waiting)
		}
		if got := w.accept(w.claimable(mine[0])); got.Claim == nil {
			t.Error("an execution was not born claimed though nothing waited")
		}
	})

	t.Run("what may not start now is overtaken", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		n := w.Namespace()
		_, limited := w.Deployed(n, workflow.Options{Concurrency: 1})
		_, free := w.Deployed(n)
		first := w.begin(limited[0])
		second := w.accept(w.claimable(limited[0]))
		if second.Claim != nil {
			t.Error("a trigger with the limit 1 started two executions")
		}
		equal(t, "reason", w.Get(second.ExecutionID, n.OrganizationID).Waiting, "trigger limit")
		if got := w.accept(w.claimable(free[0])); got.Claim == nil {
			t.Error("an execution waited behind one that may not start")
		}
		equal(t, "claims", len(w.Claim(5)), 0)
		w.must(w.FinishExecution(w.ctx(), &first, w.Outcome()))
		claims := w.Claim(5)
		if len(claims) != 1 || claims[0].ExecutionID != second.ExecutionID {
			t.Errorf("claimed %v, want %s", claims, second.ExecutionID)
		}
	})

	t.Run("an organization has a limit", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t), func(c *store.Config) { c.OrganizationLimit = 2 })
		n := w.Namespace()
		_, triggers := w.Deployed(n)
		_, others := w.Deployed(w.Namespace())
		w.begin(triggers[0])
		w.begin(triggers[0])
		third := w.accept(w.claimable(triggers[0]))
		if third.Claim != nil {
			t.Error("an organization with the limit 2 started three executions")
		}
		equal(t, "reason", w.Get(third.ExecutionID, n.OrganizationID).Waiting, "organization limit")
		w.begin(others[0]) // it does not wait behind an organization at its limit
		equal(t, "claims", len(w.Claim(5)), 0)
	})

	t.Run("what can't run ends at once", func(t *testing.T) {
		t.Parallel()
		testUnrunnable(t, NewWorld(t, backend(t)))
	})

	t.Run("too many waiting are refused", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		n := w.Namespace()
		_, triggers := w.Deployed(n)
		w.Accept(triggers[0])
		w.Accept(triggers[0])
		a := w.claimable(triggers[0])
		a.MaxWaiting = 2
		_, err := w.AcceptExecution(w.ctx(), a)
		w.refused(err, fault.Limited, "too many executions of this organization wait (2); try again later")
		_, err = w.Execution(w.ctx(), []id.ID{n.OrganizationID}, a.ExecutionID)
		w.refused(err, fault.NotFound, "Execution not found")
		_, others := w.Deployed(w.Namespace())
		b := w.Acceptance(others[0])
		b.MaxWaiting = 2
		w.accept(b)
		w.Claim(1)
		w.accept(a)
	})

	t.Run("a trigger must be there", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		f, triggers := w.Deployed(w.Namespace())
		foreign := w.Acceptance(triggers[0])
		foreign.OrganizationID = w.Namespace().OrganizationID
		_, err := w.AcceptExecution(w.ctx(), foreign)
		w.refused(err, fault.NotFound, "Trigger not found")
		unknown := w.Acceptance(triggers[0])
		unknown.TriggerID = w.ID()
		_, err = w.AcceptExecution(w.ctx(), unknown)
		w.refused(err, fault.NotFound, "Trigger not found")
		w.must(w.DeleteWorkflow(w.ctx(), f.ID, w.Now()))
		_, err = w.AcceptExecution(w.ctx(), w.Acceptance(triggers[0]))
		w.refused(err, fault.NotFound, "Trigger not found")
	})

	t.Run("bodies of all sizes come back", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		_, triggers := w.Deployed(w.Namespace())
		large := bytes.Repeat([]byte{0, 0xff, 'x'}, 200_000)
		for _, event := range []execution.Event{
			{HasBody: false, Fields: nil},
			{HasBody: true, Body: []byte{}, ContentType: "text/plain"},
			{HasBody: true, Body: []byte("\x00\xff"), ContentType: "application/octet-stream", Fields: []byte(`{"a":"ü\u0000"}`)},
			{HasBody: true, Body: large[:64<<10]},
			{HasBody: true, Body: large[:64<<10+1]},
			{HasBody: true, Body: large},
			{HasBody: true, Body: large},
		} {
			a := w.Acceptance(triggers[0])
			event.ID = a.Event.ID
			a.Event = event
			w.accept(a)
			claims := w.Claim(1)
			if len(claims) != 1 || claims[0].ExecutionID != a.ExecutionID {
				t.Fatalf("claimed %v, want %s", claims, a.ExecutionID)
			}
			equal(t, "event", claims[0].Event, &event)
		}
	})
}

// testUnrunnable accepts events for a workflow without a deployment and for an
// inactive one.
func testUnrunnable(t *testing.T, w *World) {
	f, triggers := w.Deployed(w.Namespace())
	d, _ := w.statuses(f.ID)
	ended := func(what, reason string) {
		t.Helper()
		got := w.accept(w.claimable(triggers[0]))
		e := w.Get(got.ExecutionID, f.OrganizationID)
		if got.State != execution.NoDeployment || got.Claim != nil || e.State != execution.NoDeployment ||
			e.Error != reason || e.CompletedAt == nil || !e.CompletedAt.Equal(w.Now()) {
			t.Errorf("%s: the execution is %+v, want no_deployment: %s", what, e, reason)
		}
	}
	off, on := false, true
	_, err := w.ChangeWorkflow(w.ctx(), f.ID, workflow.Change{Active: &off}, w.Now())
	w.must(err)
	ended("inactive", "This workflow is inactive")
	_, err = w.ChangeWorkflow(w.ctx(), f.ID, workflow.Change{Active: &on}, w.Now())
	w.must(err)
	w.must(w.DeactivateDeployment(w.ctx(), d[0], w.Now()))
	ended("without a deployment", "No active deployment found for this workflow")
	depth, err := w.QueueDepth(w.ctx())
	w.must(err)
	equal(t, "queue", depth, execution.Depth{})
	page, err := w.Executions(w.ctx(), execution.ListFilter{
		Organizations: []id.ID{f.OrganizationID}, WorkflowID: f.ID, State: execution.NoDeployment, Limit: 10,
	})
	w.must(err)
	equal(t, "executions without a deployment", page.Total, 2)
}
