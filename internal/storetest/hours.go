package storetest

import (
	"fmt"
	"testing"
	"time"

	"github.com/usefloww/flowwd/internal/execution"
	"github.com/usefloww/flowwd/internal/id"
)

// testHours counts executions at the edges of hours, finds the newest of each
// workflow, and when its schedules fire.
func testHours(t *testing.T, backend Backend) {
	w := NewWorld(t, backend(t))
	n := w.Namespace()
	busy, triggers := w.Deployed(n)
	other, others := w.Deployed(n)
	idle, _ := w.Deployed(n)
	all := []id.ID{busy.ID, other.ID, idle.ID}
	first := w.Now().Truncate(time.Hour)

	ran := func(state execution.State, d time.Duration) {
		t.Helper()
		c := w.begin(triggers[0])
		o := w.Outcome()
		o.State, o.Duration = state, d
		w.must(w.FinishExecution(w.ctx(), &c, o))
	}
	ran(execution.Completed, 0)
	ran(execution.Completed, 100*time.Millisecond)
	ran(execution.Failed, 100*time.Millisecond)
	w.Pass(first.Add(time.Hour).Sub(w.Now()) - time.Millisecond)
	ran(execution.Completed, 101*time.Millisecond)
	w.Pass(time.Millisecond)
	ran(execution.TimedOut, time.Hour)
	w.end(others[0], execution.Completed)
	last := w.Run(triggers[0])

	hour := func(c execution.HourCount) string {
		return fmt.Sprintf("%s %s %d", c.Hour.Format("15:04"), c.State, c.Step)
	}
	counted := func(counts []execution.HourCount, err error) map[string]int {
		t.Helper()
		w.must(err)
		found := map[string]int{}
		for _, c := range counts {
			if c.WorkflowID == busy.ID {
				found[hour(c)] += c.Count
			}
		}
		return found
	}
	equal(t, "counts", counted(w.HourCounts(w.ctx(), all, first)), map[string]int{
		"12:00 completed 0": 3, "12:00 failed 0": 1, "13:00 timeout 0": 1,
	})
	equal(t, "counts of the second hour", counted(w.HourCounts(w.ctx(), all, first.Add(time.Hour))), map[string]int{"13:00 timeout 0": 1})
	equal(t, "counts of nobody", counted(w.HourCounts(w.ctx(), nil, first)), map[string]int{})
	equal(t, "steps", counted(w.HourSteps(w.ctx(), busy.ID, first)), map[string]int{
		"12:00 completed 0": 1, "12:00 completed 27": 2, "12:00 failed 27": 1, "13:00 timeout 88": 1,
	})

	latest, err := w.LatestExecutions(w.ctx(), all)
	w.must(err)
	states := map[id.ID]execution.State{}
	for _, x := range latest {
		states[x.WorkflowID] = x.State
		if x.WorkflowID == busy.ID && (x.ID != last.ExecutionID || !x.ReceivedAt.Equal(w.Now())) {
			t.Errorf("the newest execution is %+v, want %s of %s", x, last.ExecutionID, w.Now())
		}
	}
	equal(t, "states of the newest", states, map[id.ID]execution.State{busy.ID: execution.Started, other.ID: execution.Completed})

	scheduled, _ := w.Scheduled(n, first.Add(5*time.Hour))
	next, err := w.NextSchedules(w.ctx(), append(all, scheduled.ID))
	w.must(err)
	equal(t, "next times", next, map[id.ID]time.Time{scheduled.ID: first.Add(5 * time.Hour)})

	w.must(w.FinishExecution(w.ctx(), &last, w.Outcome()))
	w.Pass(execution.HoursKept)
	_, err = w.PurgeExpired(w.ctx(), first, w.Now(), 1000)
	w.must(err)
	equal(t, "after a month", counted(w.HourSteps(w.ctx(), busy.ID, first)), map[string]int{"13:00 completed 10": 1, "13:00 timeout 88": 1})
}
