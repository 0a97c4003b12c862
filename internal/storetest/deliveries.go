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

// delivered is an event with a delivery key.
func (w *World) delivered(t workflow.Trigger, key, body string) execution.Acceptance {
	a := w.Acceptance(t)
	a.DeliveryKey, a.Event.Body = key, []byte(body)
	return a
}

func testDeliveries(t *testing.T, backend Backend) {
	t.Run("a delivery is accepted once", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		n := w.Namespace()
		_, triggers := w.Deployed(n, workflow.Options{}, workflow.Options{})
		first := w.accept(w.delivered(triggers[0], "k", "body"))
		again := w.delivered(triggers[0], "k", "body")
		again.MaxWaiting = 1 // as many wait: a repetition stores nothing, so it is answered all the same
		got := w.accept(again)
		equal(t, "repeated", got, execution.Accepted{ExecutionID: first.ExecutionID, State: execution.Received, Repeated: true})
		_, err := w.Execution(w.ctx(), []id.ID{n.OrganizationID}, again.ExecutionID)
		w.refused(err, fault.NotFound, "Execution not found")
		_, err = w.AcceptExecution(w.ctx(), w.delivered(triggers[0], "k", "other body"))
		w.refused(err, fault.Conflict,
			"A delivery with this key but another body was accepted before, as execution "+first.ExecutionID.String())
		for _, other := range []execution.Acceptance{
			w.delivered(triggers[1], "k", "other body"), w.delivered(triggers[0], "k2", "body"), w.delivered(triggers[0], "", "body"),
			w.delivered(triggers[0], "", "body"),
		} {
			if got := w.accept(other); got.Repeated {
				t.Errorf("delivery %q for trigger %s counts as repeated", other.DeliveryKey, other.TriggerID)
			}
		}
		claims := w.Claim(1)
		w.must(w.FinishExecution(w.ctx(), &claims[0], w.Outcome()))
		equal(t, "state of the first", w.accept(again).State, execution.Completed)
	})

	t.Run("a delivery is forgotten after its time", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		_, triggers := w.Deployed(w.Namespace())
		first := w.accept(w.delivered(triggers[0], "k", "one"))
		w.Pass(execution.DeliveryTTL)
		if got := w.accept(w.delivered(triggers[0], "k", "one")); got.ExecutionID != first.ExecutionID {
			t.Error("a delivery was forgotten before its time was over")
		}
		w.Pass(time.Millisecond)
		second := w.accept(w.delivered(triggers[0], "k", "two"))
		if second.Repeated {
			t.Error("a delivery was remembered for too long")
		}
		if got := w.accept(w.delivered(triggers[0], "k", "two")); got.ExecutionID != second.ExecutionID {
			t.Errorf("repeated as %s, want %s", got.ExecutionID, second.ExecutionID)
		}
	})

	t.Run("of many at the same time one is accepted", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		_, triggers := w.Deployed(w.Namespace())
		got := make([]execution.Accepted, 16)
		var wg sync.WaitGroup
		for i := range got {
			wg.Go(func() {
				var err error
				if got[i], err = w.AcceptExecution(w.ctx(), w.delivered(triggers[0], "k", "body")); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		first := 0
		for _, a := range got {
			if !a.Repeated {
				first++
			}
			equal(t, "execution", a.ExecutionID, got[0].ExecutionID)
		}
		equal(t, "accepted", first, 1)
		depth, err := w.QueueDepth(w.ctx())
		w.must(err)
		equal(t, "waiting", depth.Waiting, 1)
	})
}
