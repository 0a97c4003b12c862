package storetest

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/usefloww/flowwd/internal/execution"
	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/workflow"
)

func testConcurrency(t *testing.T, backend Backend) {
	t.Run("a unit that fails harms no neighbour", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		n := w.Namespace()
		_, err := w.named(n, "taken")
		w.must(err)
		f, triggers := w.Deployed(n)
		var accepted sync.Map
		var refused atomic.Int32
		var wg sync.WaitGroup
		for i := range 8 {
			wg.Go(func() {
				for range 25 {
					a := w.Acceptance(triggers[0])
					if i%2 == 0 {
						if _, err := w.AcceptExecution(w.ctx(), a); err != nil {
							t.Error(err)
						}
						accepted.Store(a.ExecutionID, true)
						continue
					}
					// Fails after it has written: its rows must not stay.
					d := w.Activation(f)
					d.Version = 2
					d.Add = triggers
					if err := w.ActivateDeployment(w.ctx(), d); fault.Is(err, fault.Conflict) {
						refused.Add(1)
					}
				}
			})
		}
		wg.Wait()
		equal(t, "refused", refused.Load(), 100)
		n1 := 0
		accepted.Range(func(x, _ any) bool {
			n1++
			equal(t, "state", w.Get(x.(id.ID), n.OrganizationID).State, execution.Received)
			return true
		})
		depth, err := w.QueueDepth(w.ctx())
		w.must(err)
		equal(t, "waiting", depth.Waiting, n1)
		ids, _ := w.statuses(f.ID)
		equal(t, "deployments", len(ids), 1)
		if problems := w.Check(w.ctx()); len(problems) > 0 {
			t.Errorf("the database has problems: %v", problems)
		}
	})

	t.Run("every execution is claimed once", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		_, triggers := w.Deployed(w.Namespace(), workflow.Options{}, workflow.Options{Concurrency: 3})
		const events = 300
		var runs sync.Map
		var ended, running atomic.Int32
		var wg sync.WaitGroup
		run := func(c execution.Claim) {
			if _, twice := runs.LoadOrStore(c.Lease, true); twice {
				t.Errorf("%+v was claimed twice", c.Lease)
			}
			if c.Trigger.Options.Concurrency > 0 {
				if n := running.Add(1); n > 3 {
					t.Errorf("%d runs of a trigger with the limit 3", n)
				}
				running.Add(-1)
			}
			if err := w.FinishExecution(w.ctx(), &c, w.Outcome()); err != nil {
				t.Error(err)
			}
			ended.Add(1)
		}
		for i := range 4 {
			wg.Go(func() {
				for n := range events / 4 {
					a := w.claimable(triggers[n%2])
					if i%2 == 0 {
						a.Claimant = id.ID{}
					}
					got, err := w.AcceptExecution(w.ctx(), a)
					if err != nil {
						t.Error(err)
						return
					}
					if got.Claim != nil {
						run(*got.Claim)
					}
				}
			})
			wg.Go(func() {
				for ended.Load() < events && !t.Failed() {
					claims, err := w.ClaimExecutions(w.ctx(), w.inc, 4, w.Now())
					if err != nil {
						t.Error(err)
						return
					}
					for _, c := range claims {
						run(c)
					}
				}
			})
		}
		wg.Wait()
		depth, err := w.QueueDepth(w.ctx())
		w.must(err)
		equal(t, "queue", depth, execution.Depth{})
	})

	t.Run("a caller that has gone leaves nothing half done", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		n := w.Namespace()
		_, triggers := w.Deployed(n)
		gone, cancel := context.WithCancel(w.ctx())
		cancel()
		a := w.Acceptance(triggers[0])
		_, err := w.AcceptExecution(gone, a)
		w.refused(err, fault.Unavailable, "the database is busy; try again later")
		_, err = w.Execution(w.ctx(), []id.ID{n.OrganizationID}, a.ExecutionID)
		w.refused(err, fault.NotFound, "Execution not found")
		if _, err := w.QueueDepth(gone); !fault.Is(err, fault.Unavailable) {
			t.Errorf("reading with a context that has ended gives %v, want it to be unavailable", err)
		}

		// Callers that leave at any moment: what they were told is what is stored.
		var wg sync.WaitGroup
		for i := range 64 {
			wg.Go(func() {
				ctx, cancel := context.WithCancel(w.ctx())
				if i%3 > 0 {
					go cancel()
				}
				defer cancel()
				a := w.Acceptance(triggers[0])
				_, err := w.AcceptExecution(ctx, a)
				_, found := w.Execution(w.ctx(), []id.ID{n.OrganizationID}, a.ExecutionID)
				if (err == nil) != (found == nil) {
					t.Error(fmt.Errorf("accepting said %v, reading says %v", err, found))
				}
			})
		}
		wg.Wait()
	})
}
