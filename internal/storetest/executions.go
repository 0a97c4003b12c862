package storetest

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/usefloww/flowwd/internal/execution"
	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/workflow"
)

// page lists executions.
func (w *World) page(f execution.ListFilter) ([]id.ID, int) {
	w.t.Helper()
	page, err := w.Executions(w.ctx(), f)
	w.must(err)
	var ids []id.ID
	for _, e := range page.Executions {
		ids = append(ids, e.ID)
	}
	return ids, page.Total
}

// end accepts an execution and ends it in a state.
func (w *World) end(t workflow.Trigger, state execution.State) id.ID {
	w.t.Helper()
	got := w.accept(w.claimable(t))
	if got.Claim == nil {
		w.t.Fatalf("execution %s is %s, want it born claimed", got.ExecutionID, got.State)
	}
	o := w.Outcome()
	o.State = state
	w.must(w.FinishExecution(w.ctx(), got.Claim, o))
	return got.ExecutionID
}

func testExecutions(t *testing.T, backend Backend) {
	t.Run("an execution is seen by its organization alone", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		f, triggers := w.Deployed(w.Namespace())
		other := w.Namespace()
		x := w.Accept(triggers[0])
		for _, organizations := range [][]id.ID{{other.OrganizationID}, nil} {
			_, err := w.Execution(w.ctx(), organizations, x)
			w.refused(err, fault.NotFound, "Execution not found")
			ids, total := w.page(execution.ListFilter{Organizations: organizations, WorkflowID: f.ID, Limit: 10})
			equal(t, "foreign list", len(ids)+total, 0)
		}
		_, err := w.Execution(w.ctx(), []id.ID{f.OrganizationID}, w.ID())
		w.refused(err, fault.NotFound, "Execution not found")
		_, err = w.Executions(w.ctx(), execution.ListFilter{State: "odd' OR 1=1"})
		w.refused(err, fault.Invalid, `"odd' OR 1=1" is no state of an execution`)
	})

	t.Run("lists", func(t *testing.T) {
		t.Parallel()
		testExecutionLists(t, NewWorld(t, backend(t)))
	})

	t.Run("find", func(t *testing.T) {
		t.Parallel()
		testFind(t, NewWorld(t, backend(t)))
	})

	t.Run("find lines", func(t *testing.T) {
		t.Parallel()
		testFindLines(t, NewWorld(t, backend(t)))
	})

	t.Run("totals span days", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		f, triggers := w.Deployed(w.Namespace())
		var all []id.ID
		for range 5 {
			all = append(all, w.end(triggers[0], execution.Completed))
			w.Pass(20 * time.Hour)
		}
		slices.Reverse(all)
		ids, total := w.page(execution.ListFilter{Organizations: []id.ID{f.OrganizationID}, WorkflowID: f.ID, Limit: 3, Offset: 1})
		equal(t, "page", ids, all[1:4])
		equal(t, "total", total, 5)
	})
}

// testExecutionLists fills two organizations with executions in all states and
// compares every list with the one that is worked out here.
func testExecutionLists(t *testing.T, w *World) {
	type row struct {
		id, organization, workflow id.ID
		state                      execution.State
	}
	var rows []row
	var workflows []workflow.Workflow
	var organizations []id.ID
	for range 2 {
		n := w.Namespace()
		organizations = append(organizations, n.OrganizationID)
		for range 2 {
			f, triggers := w.Deployed(n)
			workflows = append(workflows, f)
			note := func(x id.ID, state execution.State) { rows = append(rows, row{x, n.OrganizationID, f.ID, state}) }
			for i, state := range []execution.State{execution.Completed, execution.Failed, execution.TimedOut, execution.Cancelled, execution.Completed} {
				if i < 2+len(workflows) {
					note(w.end(triggers[0], state), state)
				}
			}
			note(w.accept(w.claimable(triggers[0])).ExecutionID, execution.Started)
			w.must(w.DeactivateDeployment(w.ctx(), first(w.statuses(f.ID)), w.Now()))
			note(w.accept(w.Acceptance(triggers[0])).ExecutionID, execution.NoDeployment)
		}
	}
	for _, f := range workflows { // at the end, for nothing is born claimed once one waits
		a := w.Activation(f, workflow.Options{Concurrency: 3})
		a.Version, a.Add[0].Input = 3, []byte(`"more"`)
		w.must(w.ActivateDeployment(w.ctx(), a))
		for range 2 {
			rows = append(rows, row{w.Accept(a.Add[0]), f.OrganizationID, f.ID, execution.Received})
		}
	}
	slices.Reverse(rows)
	for _, owners := range [][]id.ID{organizations, organizations[:1], organizations[1:]} {
		for _, of := range []id.ID{{}, workflows[0].ID, workflows[3].ID} {
			for _, state := range append(slices.Clone(execution.States), "") {
				var want []id.ID
				for _, r := range rows {
					if slices.Contains(owners, r.organization) && (of.IsZero() || r.workflow == of) &&
						(r.state == state || (state == "" && r.state != execution.NoDeployment)) {
						want = append(want, r.id)
					}
				}
				for _, paging := range [][2]int{{100, 0}, {3, 0}, {3, 2}, {2, len(want)}, {0, 0}} {
					f := execution.ListFilter{Organizations: owners, WorkflowID: of, State: state, Limit: paging[0], Offset: paging[1]}
					ids, total := w.page(f)
					from := min(paging[1], len(want))
					equal(t, fmt.Sprintf("list of %+v", f), ids, nonEmpty(want[from:min(from+paging[0], len(want))]))
					equal(t, fmt.Sprintf("total of %+v", f), total, len(want))
				}
				f := execution.FindFilter{Organizations: owners, WorkflowID: of, State: state}
				equal(t, fmt.Sprintf("found by %+v", f), w.walked(f), nonEmpty(want))
			}
		}
	}
}

func first(ids []id.ID, _ []workflow.Status) id.ID { return ids[0] }

// nonEmpty makes an empty list nil, as a list that nothing was appended to.
func nonEmpty(ids []id.ID) []id.ID {
	if len(ids) == 0 {
		return nil
	}
	return ids
}
