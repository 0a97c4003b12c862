package storetest

import (
	"testing"
	"time"

	"github.com/usefloww/flowwd/internal/alert"
	"github.com/usefloww/flowwd/internal/execution"
	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/workflow"
)

// receiver has somebody told of a workflow's failures.
func (w *World) receiver(f workflow.Workflow, kind alert.Kind) {
	w.t.Helper()
	w.must(w.ChangeReceivers(w.ctx(), alert.Change{OrganizationID: f.OrganizationID, WorkflowID: f.ID, Set: []alert.Receiver{{
		OrganizationID: f.OrganizationID, WorkflowID: f.ID, Kind: kind, Label: "hooks.example.com", Sealed: []byte("sealed"), UpdatedAt: w.Now(),
	}}}))
}

// notices takes what is to be told now.
func (w *World) notices() []alert.Notice {
	w.t.Helper()
	taken, err := w.TakeNotices(w.ctx(), []id.ID{w.ID(), w.ID(), w.ID()}, w.Now(), w.Now().Add(time.Minute))
	w.must(err)
	return taken
}

// notice takes the only thing that is to be told now.
func (w *World) notice() alert.Notice {
	w.t.Helper()
	taken := w.notices()
	if len(taken) != 1 {
		w.t.Fatalf("there are %d notices, want one: %+v", len(taken), taken)
	}
	return taken[0]
}

// took settles a notice that was taken by its receiver.
func (w *World) took(n alert.Notice) {
	w.t.Helper()
	w.must(w.SettleNotice(w.ctx(), n, alert.Settlement{At: w.Now(), Quiet: w.Now().Add(time.Minute)}))
}

func (w *World) readAlerts(f workflow.Workflow, note func(any, error)) {
	note(w.Receivers(w.ctx(), f.ID))
	for _, n := range w.notices() {
		note(nil, w.SettleNotice(w.ctx(), n, alert.Settlement{At: w.Now(), Problem: "test", Again: new(w.Now()), Quiet: w.Now()}))
	}
	w.Pass(time.Hour)
	for _, n := range w.notices() {
		w.took(n)
	}
	note(nil, w.ChangeReceivers(w.ctx(), alert.Change{OrganizationID: f.OrganizationID, WorkflowID: f.ID, Remove: []alert.Kind{alert.Mail}}))
}

// failureTriggers makes a workflow with a trigger and the handler of failures.
func (w *World) failureTriggers() (workflow.Workflow, []workflow.Trigger) {
	w.t.Helper()
	f := w.Workflow(w.Namespace())
	a := w.Activation(f, workflow.Options{}, workflow.Options{})
	a.Add[1].Type, a.Add[1].Webhook, a.Add[1].Input = workflow.OnFailure, nil, []byte("{}")
	a.Deployment.Triggers[1] = a.Add[1].Declaration
	w.must(w.ActivateDeployment(w.ctx(), a))
	return f, a.Add
}

func testAlerts(t *testing.T, backend Backend) {
	t.Run("failures are told once, and those that follow together", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		f, triggers := w.Deployed(w.Namespace())
		w.end(triggers[0], execution.Failed) // nobody is told yet
		w.receiver(f, alert.Webhook)
		equal(t, "notices before a failure", len(w.notices()), 0)
		for _, state := range []execution.State{execution.Completed, execution.Cancelled} {
			w.end(triggers[0], state)
		}
		equal(t, "notices of what did not fail", len(w.notices()), 0)

		w.Pass(time.Second)
		since := w.Now()
		w.end(triggers[0], execution.Failed)
		last := w.end(triggers[0], execution.TimedOut)
		n := w.notice()
		if n.Failures != 2 || !n.Since.Equal(since) || n.ExecutionID != last || n.Try != 1 || n.Kind != alert.Webhook || string(n.Sealed) != "sealed" || n.WorkflowID != f.ID {
			t.Errorf("the notice is %+v", n)
		}
		equal(t, "while it is sent", len(w.notices()), 0)
		meanwhile := w.end(triggers[0], execution.Failed)
		receivers, err := w.Receivers(w.ctx(), f.ID)
		w.must(err)
		equal(t, "not told yet", receivers[0].Waiting, 3)
		w.took(n)
		equal(t, "right after it", len(w.notices()), 0)
		w.Pass(time.Minute)
		next := w.notice()
		if next.Failures != 1 || next.ExecutionID != meanwhile || next.ID == n.ID || next.Try != 1 {
			t.Errorf("the next notice is %+v", next)
		}
		w.took(next)
		w.Pass(time.Hour)
		equal(t, "when all is told", len(w.notices()), 0)
		receivers, err = w.Receivers(w.ctx(), f.ID)
		w.must(err)
		if r := receivers[0]; r.Waiting != 0 || r.SentAt == nil || r.Problem != "" {
			t.Errorf("the receiver is %+v", r)
		}
	})

	t.Run("a notice that was not taken comes again as it was", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		f, triggers := w.Deployed(w.Namespace())
		w.receiver(f, alert.Mail)
		first := w.end(triggers[0], execution.Failed)
		lost := w.notice() // by a server that is killed
		w.end(triggers[0], execution.Failed)
		w.Pass(time.Minute)
		n := w.notice()
		if n.ID != lost.ID || n.Try != 2 || n.Failures != 1 || n.ExecutionID != first {
			t.Errorf("the notice comes again as %+v, was %+v", n, lost)
		}
		w.took(lost) // too late
		again := w.Now().Add(10 * time.Minute)
		w.must(w.SettleNotice(w.ctx(), n, alert.Settlement{At: w.Now(), Problem: "it answered 500", Again: &again, Quiet: w.Now()}))
		w.Pass(9 * time.Minute)
		equal(t, "before its time", len(w.notices()), 0)
		w.Pass(time.Minute)
		n = w.notice()
		equal(t, "try", n.Try, 3)
		equal(t, "problem", n.Problem, "it answered 500")
		w.must(w.SettleNotice(w.ctx(), n, alert.Settlement{At: w.Now(), Problem: "given up", Quiet: w.Now().Add(time.Minute)}))
		w.Pass(time.Minute)
		n = w.notice()
		if n.Failures != 1 || n.Try != 1 || n.Problem != "given up" {
			t.Errorf("after one was given up, the next is %+v", n)
		}
	})

	t.Run("the handler is not told of its own failures", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		f, triggers := w.failureTriggers()
		w.receiver(f, alert.Webhook)
		failed := w.end(triggers[0], execution.Failed)
		own := w.end(triggers[1], execution.Failed)
		for _, n := range w.notices() {
			switch want := (map[alert.Kind]id.ID{alert.Webhook: own, alert.Handler: failed})[n.Kind]; {
			case n.ExecutionID != want, n.Failures != map[alert.Kind]int{alert.Webhook: 2, alert.Handler: 1}[n.Kind]:
				t.Errorf("the %s is told %+v, want execution %s", n.Kind, n, want)
			}
			w.took(n)
		}
		w.Pass(time.Hour)
		w.end(triggers[1], execution.TimedOut)
		equal(t, "kind", w.notice().Kind, alert.Webhook)
	})

	t.Run("runs that are interrupted too often are failures", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		f, triggers := w.Deployed(w.Namespace(), workflow.Options{FailOnInterrupt: true})
		w.receiver(f, alert.Webhook)
		c := w.Run(triggers[0])
		w.rejoin()
		_, err := w.TakeBackClaims(w.ctx(), "test", w.Now())
		w.must(err)
		equal(t, "execution", w.notice().ExecutionID, c.ExecutionID)
	})

	t.Run("who is removed, and whose workflow is deleted, is told nothing", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		f, triggers := w.Deployed(w.Namespace())
		w.receiver(f, alert.Webhook)
		w.end(triggers[0], execution.Failed)
		w.must(w.ChangeReceivers(w.ctx(), alert.Change{OrganizationID: f.OrganizationID, WorkflowID: f.ID, Remove: []alert.Kind{alert.Webhook}}))
		equal(t, "notices after the removal", len(w.notices()), 0)
		w.receiver(f, alert.Webhook)
		w.end(triggers[0], execution.Failed)
		w.must(w.DeleteWorkflow(w.ctx(), f.ID, w.Now()))
		equal(t, "notices after the deletion", len(w.notices()), 0)
		err := w.ChangeReceivers(w.ctx(), alert.Change{OrganizationID: f.OrganizationID, WorkflowID: f.ID})
		w.refused(err, fault.NotFound, "Workflow not found")
	})
}
