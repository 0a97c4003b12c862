package storetest

import (
	"testing"
	"time"

	"github.com/usefloww/flowwd/internal/deploy"
	"github.com/usefloww/flowwd/internal/execution"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/workflow"
)

// claimed are the executions of claims.
func claimed(claims []execution.Claim) []id.ID {
	var ids []id.ID
	for _, c := range claims {
		ids = append(ids, c.ExecutionID)
	}
	return ids
}

func testClaim(t *testing.T, backend Backend) {
	t.Run("a claim holds what a run needs", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		f, triggers := w.Deployed(w.Namespace(), workflow.Options{Timeout: time.Second, Concurrency: 4})
		a := w.Acceptance(triggers[0])
		w.accept(a)
		w.Pass(time.Second)
		claims := w.Claim(10)
		d, _ := w.statuses(f.ID)
		deployed, err := w.deployment(f.OrganizationID, d[0])
		w.must(err)
		equal(t, "claims", claims, []execution.Claim{{
			Lease:          execution.Lease{ExecutionID: a.ExecutionID, Incarnation: w.inc, Attempt: 1},
			OrganizationID: f.OrganizationID, WorkflowID: f.ID, TriggerID: triggers[0].ID, DeploymentID: d[0], ProgramHash: deployed.ProgramHash,
			Trigger: triggers[0].Declaration, Event: &a.Event, ReceivedAt: a.ReceivedAt, StartedAt: w.Now(),
		}})
		equal(t, "claimed again", len(w.Claim(10)), 0)
		e := w.Get(a.ExecutionID, f.OrganizationID)
		if e.State != execution.Started || !e.StartedAt.Equal(w.Now()) || e.Waiting != "" {
			t.Errorf("the execution is %+v, want it started now", e)
		}
	})

	t.Run("a node's claims are listed", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		_, triggers := w.Deployed(w.Namespace())
		first, second := w.Run(triggers[0]), w.Run(triggers[0])
		w.Accept(triggers[0])
		list := func(of id.ID, limit int) int {
			found, err := w.Claims(w.ctx(), of, limit)
			w.must(err)
			for _, l := range found {
				if l.Lease != first.Lease && l.Lease != second.Lease || l.Cancelled {
					t.Errorf("claim %+v is neither %+v nor %+v", l, first.Lease, second.Lease)
				}
			}
			return len(found)
		}
		equal(t, "claims", list(w.inc, 10), 2)
		equal(t, "claims within a limit", list(w.inc, 1), 1)
		equal(t, "claims of another node", list(w.ids.New(), 10), 0)
		w.must(w.FinishExecution(w.ctx(), &first, execution.Outcome{State: execution.Completed, EndedAt: w.Now()}))
		equal(t, "claims after an end", list(w.inc, 10), 1)
	})

	t.Run("organizations take turns", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		_, a := w.Deployed(w.Namespace())
		_, b := w.Deployed(w.Namespace())
		var as, bs []id.ID
		for range 6 {
			as = append(as, w.Accept(a[0]))
		}
		for range 2 {
			bs = append(bs, w.Accept(b[0]))
		}
		equal(t, "claims", claimed(w.Claim(3)), []id.ID{as[0], bs[0], as[1]})
		equal(t, "more", claimed(w.Claim(3)), []id.ID{bs[1], as[2], as[3]})
		w.Accept(b[0])
		equal(t, "the turn of the other", claimed(w.Claim(1))[0] != as[4], true)
		equal(t, "the rest", claimed(w.Claim(9)), as[4:])
	})

	t.Run("a trigger keeps its limit", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		f, triggers := w.Deployed(w.Namespace(), workflow.Options{Concurrency: 2}, workflow.Options{})
		var limited, free []id.ID
		for range 3 {
			limited = append(limited, w.Accept(triggers[0]))
		}
		free = append(free, w.Accept(triggers[1]))
		claims := w.Claim(10)
		equal(t, "claims", claimed(claims), []id.ID{limited[0], limited[1], free[0]})
		equal(t, "reason", w.Get(limited[2], f.OrganizationID).Waiting, "trigger limit")
		equal(t, "at the limit", len(w.Claim(10)), 0)

		raised := triggers[0]
		raised.Options.Concurrency = 3
		w.must(w.redeploy(&f, deploy.Activation{Keep: []workflow.Trigger{raised, triggers[1]}}))
		equal(t, "limit raised", claimed(w.Claim(10)), limited[2:])
	})

	t.Run("the version is that of the first claim", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		f, triggers := w.Deployed(w.Namespace())
		old, _ := w.statuses(f.ID)
		first := w.Run(triggers[0])
		second := w.Accept(triggers[0])
		a := w.Activation(f)
		w.must(w.ActivateDeployment(w.ctx(), a))
		_, err := w.InterruptExecution(w.ctx(), first.Lease, execution.Interruption{Reason: "test", EndedAt: w.Now()})
		w.must(err)
		claims := w.Claim(2)
		equal(t, "claims", claimed(claims), []id.ID{first.ExecutionID, second})
		equal(t, "deployment of the second attempt", claims[0].DeploymentID, old[0])
		equal(t, "its program", claims[0].ProgramHash, first.ProgramHash)
		equal(t, "its number", claims[0].Attempt, 2)
		equal(t, "deployment of a new run", claims[1].DeploymentID, a.Deployment.ID)
		equal(t, "program of a new run", claims[1].ProgramHash, a.Program.Hash)
	})

	t.Run("a removed trigger's executions still run", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		f, triggers := w.Deployed(w.Namespace())
		waiting := w.Accept(triggers[0])
		w.must(w.redeploy(&f, deploy.Activation{Remove: []id.ID{triggers[0].ID}}))
		claims := w.Claim(1)
		equal(t, "claims", claimed(claims), []id.ID{waiting})
		equal(t, "declaration", claims[0].Trigger, triggers[0].Declaration)
	})

	t.Run("what can't run any more ends on the way", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		n := w.Namespace()
		f, stopped := w.Deployed(n)
		_, going := w.Deployed(n)
		again := w.Run(stopped[0]) // has run before, so it goes on with its deployment
		var ended []id.ID
		for range 450 { // more than one unit ends
			ended = append(ended, w.Accept(stopped[0]))
		}
		last := w.Accept(going[0])
		_, err := w.InterruptExecution(w.ctx(), again.Lease, execution.Interruption{Reason: "test", EndedAt: w.Now()})
		w.must(err)
		off := false
		_, err = w.ChangeWorkflow(w.ctx(), f.ID, workflow.Change{Active: &off}, w.Now())
		w.must(err)
		equal(t, "claims", claimed(w.Claim(10)), []id.ID{again.ExecutionID, last})
		for _, x := range ended {
			e := w.Get(x, n.OrganizationID)
			if e.State != execution.NoDeployment || e.Error != "This workflow is inactive" || e.CompletedAt == nil {
				t.Fatalf("execution %+v did not end as no_deployment", e)
			}
		}
		depth, err := w.QueueDepth(w.ctx())
		w.must(err)
		equal(t, "queue", depth, execution.Depth{Running: 2})
	})

	t.Run("the queue is measured", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		_, a := w.Deployed(w.Namespace())
		_, b := w.Deployed(w.Namespace(), workflow.Options{}, workflow.Options{})
		for _, trigger := range []workflow.Trigger{a[0], b[1], b[0]} {
			w.Accept(trigger)
			w.Pass(time.Second)
		}
		w.Claim(1)
		depth, err := w.QueueDepth(w.ctx())
		w.must(err)
		equal(t, "depth", depth, execution.Depth{Waiting: 2, Running: 1, OldestWaiting: start().Add(time.Second)})
	})

	t.Run("a limit of nothing claims nothing", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		_, triggers := w.Deployed(w.Namespace())
		w.Accept(triggers[0])
		equal(t, "claims", len(w.Claim(0)), 0)
	})
}
