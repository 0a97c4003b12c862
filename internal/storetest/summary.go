package storetest

import (
	"testing"
	"time"

	"github.com/usefloww/flowwd/internal/execution"
)

// testSummary counts executions at the edges of UTC days.
func testSummary(t *testing.T, backend Backend) {
	w := NewWorld(t, backend(t))
	n, other := w.Namespace(), w.Namespace()
	first := w.Now().Truncate(24 * time.Hour)
	f, triggers := w.Deployed(n)
	gone, goneTriggers := w.Deployed(n)
	_, theirs := w.Deployed(other)
	counts := func(since time.Time) map[string]int {
		t.Helper()
		read := func() map[string]int {
			found, err := w.DailyCounts(w.ctx(), execution.SummaryFilter{OrganizationID: n.OrganizationID, NamespaceID: n.ID, Since: since})
			w.must(err)
			all := map[string]int{}
			for _, c := range found {
				all[c.Day.Format(time.DateOnly)+" "+string(c.State)] += c.Count
			}
			return all
		}
		all := read()
		for folded := 2; folded == 2; { // two rows at a time, and after each of them the same counts
			var err error
			folded, err = w.FoldTotals(w.ctx(), 2)
			w.must(err)
			equal(t, "while totals are folded", read(), all)
		}
		return all
	}
	// One that waits for its time keeps no other from running.
	wait := func() {
		later, at := w.Acceptance(triggers[0]), w.Now().Add(48*time.Hour)
		later.AvailableAt = &at
		w.accept(later)
	}
	equal(t, "before anything", counts(first), map[string]int{})
	w.end(triggers[0], execution.Completed)
	w.end(triggers[0], execution.Failed)
	w.Pass(first.Add(24*time.Hour).Sub(w.Now()) - time.Millisecond)
	w.end(triggers[0], execution.Completed)
	wait()
	w.Pass(time.Millisecond)
	w.end(triggers[0], execution.Completed)
	w.end(goneTriggers[0], execution.Completed)
	counts(first)
	w.end(goneTriggers[0], execution.Completed)
	w.end(theirs[0], execution.Completed)
	wait()
	w.must(w.DeleteWorkflow(w.ctx(), gone.ID, w.Now()))
	want := map[string]int{
		"2026-11-23 completed": 2, "2026-11-23 failed": 1, "2026-11-23 received": 1, "2026-11-24 completed": 1, "2026-11-24 received": 1,
	}
	equal(t, "both days", counts(first), want)
	for n := 1; n > 0; {
		var err error
		n, err = w.PurgeExpired(w.ctx(), first, w.Now(), 1000)
		w.must(err)
	}
	equal(t, "when nothing is left of a deleted workflow", counts(first), want)
	for key := range want {
		if key < "2026-11-24" {
			delete(want, key)
		}
	}
	equal(t, "the second day", counts(first.Add(24*time.Hour)), want)
	w.must(w.DeleteWorkflow(w.ctx(), f.ID, w.Now()))
	equal(t, "without the workflow", counts(first), map[string]int{})
}
