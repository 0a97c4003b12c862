package storetest

import (
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/usefloww/flowwd/internal/execution"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/workflow"
)

// told gathers what the store says that it ended.
type told struct {
	mu  sync.Mutex
	all []execution.Ended
}

func (w *World) told() *told {
	x := &told{}
	w.OnEnded(func(ended []execution.Ended) {
		x.mu.Lock()
		defer x.mu.Unlock()
		x.all = append(x.all, ended...)
	})
	return x
}

// take returns what was told since it was called last.
func (x *told) take() []execution.Ended {
	x.mu.Lock()
	defer x.mu.Unlock()
	all := x.all
	x.all = nil
	return all
}

// waited is the end of a waiting execution of a trigger.
func waited(of workflow.Trigger, x id.ID, received time.Time, end execution.End) execution.Ended {
	return execution.Ended{End: end, Claim: execution.Claim{
		Lease: execution.Lease{ExecutionID: x}, OrganizationID: of.OrganizationID, WorkflowID: of.WorkflowID, TriggerID: of.ID, ReceivedAt: received,
	}}
}

func testEnded(t *testing.T, backend Backend) {
	t.Run("what a server leaves behind is told when it is taken back", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		_, triggers := w.Deployed(w.Namespace(), workflow.Options{}, workflow.Options{FailOnInterrupt: true})
		again, last := w.Run(triggers[0]), w.Run(triggers[1])
		told := w.told()
		w.Pass(time.Second)
		w.rejoin()
		_, err := w.TakeBackClaims(w.ctx(), "the server was killed", w.Now())
		w.must(err)
		// The order is the database's.
		got := map[id.ID]execution.Ended{}
		for _, e := range told.take() {
			got[e.Claim.ExecutionID] = e
		}
		want := map[id.ID]execution.Ended{}
		for _, c := range []execution.Claim{again, last} {
			c.Event, c.Trigger, c.ProgramHash = nil, workflow.Declaration{}, workflow.Hash{}
			e := execution.Ended{Claim: c, End: execution.End{State: execution.Received, Error: "the server was killed", At: w.Now(), Duration: time.Second}}
			if c.ExecutionID == last.ExecutionID {
				e.End.State = execution.Failed
				e.End.Error = "Interrupted: the server was killed. Its trigger asks that an interrupted run does not run again"
			}
			want[c.ExecutionID] = e
		}
		equal(t, "told", got, want)
	})

	t.Run("what a deletion and a claim end is told", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		n := w.Namespace()
		f, triggers := w.Deployed(n)
		other, others := w.Deployed(n)
		told := w.told()
		received := w.Now()
		x, y := w.Accept(triggers[0]), w.Accept(others[0])
		w.Pass(time.Second)
		w.must(w.DeleteWorkflow(w.ctx(), f.ID, w.Now()))
		equal(t, "told of the deletion", told.take(), []execution.Ended{
			waited(triggers[0], x, received, execution.End{State: execution.Cancelled, Error: "The workflow was deleted", At: w.Now()}),
		})
		off := false
		_, err := w.ChangeWorkflow(w.ctx(), other.ID, workflow.Change{Active: &off}, w.Now())
		w.must(err)
		w.Claim(10)
		equal(t, "told of the claim", told.take(), []execution.Ended{
			waited(others[0], y, received, execution.End{State: execution.NoDeployment, Error: "This workflow is inactive", At: w.Now()}),
		})
	})

	t.Run("what others tell of is not told", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		_, triggers := w.Deployed(w.Namespace())
		told := w.told()
		c := w.Run(triggers[0])
		_, err := w.InterruptExecution(w.ctx(), c.Lease, execution.Interruption{Reason: "test", EndedAt: w.Now()})
		w.must(err)
		c = w.Claim(1)[0]
		w.must(w.FinishExecution(w.ctx(), &c, w.Outcome()))
		_, err = w.CancelExecution(w.ctx(), w.Accept(triggers[0]), execution.Cancellation{Reason: "test", At: w.Now()})
		w.must(err)
		if d := cmp.Diff([]execution.Ended(nil), told.take()); d != "" {
			t.Errorf("told (-want +got):\n%s", d)
		}
	})
}
