package execution_test

import (
	"testing"

	"github.com/usefloww/flowwd/internal/execution"
	"github.com/usefloww/flowwd/internal/id"
)

// A claim that the database stored and whose answer got lost runs in the end,
// and a run that goes on while the server looks for such claims is left alone.
func TestClaimWithoutAnAnswerRuns(t *testing.T) {
	t.Parallel()
	for method, ask := range map[string]func(*testing.T, *house){
		"accept": func(t *testing.T, h *house) {
			h.faults.plan(func(f *faulty) { f.lose["accept with a claim"] = 1 })
			// One that arrives while the queue is looked at is not claimed at once.
			for range 50 {
				a, err := h.try("return 2")
				if err != nil {
					return
				}
				h.ended(t, a.ExecutionID)
			}
		},
		"claim": func(t *testing.T, h *house) {
			// With all slots taken the next one waits to be claimed.
			h.send(t, "sleep 300ms")
			h.faults.plan(func(f *faulty) { f.lose["claim"] = 1 })
			h.send(t, "return 2")
		},
	} {
		t.Run(method, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t, 2)
			stopNow(t, h.Service)
			h.faults.plan(func(f *faulty) { f.shared = true })
			h.start(t)
			long := h.send(t, "sleep 5s", "return 1")
			h.when(t, long, "started", func(e execution.Execution) bool { return e.State == execution.Started })
			ask(t, h)
			again := 0
			for _, stored := range h.all(t) {
				e := h.ended(t, stored.ID)
				if e.State != execution.Completed || e.Attempt > 2 || e.ID == long && e.Attempt != 1 {
					t.Errorf("%s in attempt %d: %s", e.State, e.Attempt, e.Error)
				}
				again += e.Attempt - 1
			}
			if h.faults.left() || again != 1 {
				t.Errorf("%d claims were given back, want 1", again)
			}
		})
	}
}

// all returns the latest executions.
func (h *house) all(t *testing.T) []execution.Execution {
	t.Helper()
	page, err := h.List(t.Context(), execution.ListFilter{Organizations: []id.ID{h.trigger.OrganizationID}, Limit: 100})
	if err != nil {
		t.Fatal(err)
	}
	return page.Executions
}
