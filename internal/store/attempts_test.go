package store_test

import (
	"path/filepath"
	"testing"

	"github.com/usefloww/flowwd/internal/execution"
	"github.com/usefloww/flowwd/internal/storetest"
)

// TestLastAttemptsAreShownOnce reads the attempts of a run whose last one has a
// row, as all had in databases of before, and of one whose last has none.
func TestLastAttemptsAreShownOnce(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "flowwd.db")
	w := storetest.NewWorld(t, storetest.SQLite(t, path))
	_, triggers := w.Deployed(w.Namespace())
	claim := w.Run(triggers[0])
	o := w.Outcome()
	o.State, o.Error = execution.Failed, "boom"
	if err := w.FinishExecution(t.Context(), &claim, o); err != nil {
		t.Fatal(err)
	}
	want := execution.Attempt{Number: 1, StartedAt: claim.StartedAt, EndedAt: o.EndedAt, Outcome: "failed", Error: "boom"}
	for _, row := range []string{"", `INSERT INTO attempts (execution_id, n, incarnation, started_at, ended_at, outcome, error)
		SELECT id, attempt, id, started_at, completed_at, state, error FROM executions`} {
		if _, err := raw(t, path).Exec(row); err != nil {
			t.Fatal(err)
		}
		got, err := w.Attempts(t.Context(), claim.ExecutionID, 10)
		if err != nil || len(got) != 1 || got[0] != want {
			t.Errorf("attempts are %+v (%v), want %+v", got, err, want)
		}
	}
}
