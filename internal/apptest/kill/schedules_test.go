package kill

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/usefloww/flowwd/internal/apptest"
	"github.com/usefloww/flowwd/internal/loadtest"
)

// planned is an execution of a schedule.
type planned struct {
	Status, TriggerType string
	PlannedAt           time.Time
	Attempt             int
}

func ofSchedule(t *testing.T, c *apptest.Client, workflow string) []planned {
	t.Helper()
	r := c.Do(t, "GET", "/api/executions/workflows/"+workflow+"?limit=100", nil)
	var page struct{ Executions []planned }
	if err := json.Unmarshal(r.Body, &page); err != nil || r.Status != http.StatusOK {
		t.Fatalf("executions: %s (%v)", r, err)
	}
	return page.Executions
}

// A server that is killed again and again while a schedule of every second
// fires makes no two executions of one time, and goes on after each start.
func TestKilledServersFireSchedulesOnce(t *testing.T) {
	t.Parallel()
	random, _ := loadtest.Random(t, *seed)
	dir := apptest.DataDir(t)
	key := apptest.CreateKey(t, dir)
	p := start(t, dir, key)
	d := p.Deploy(t, "clock", `import { Builtin } from "floww";
		new Builtin().triggers.onCron({ expression: "* * * * * *", handler: () => "tick" });`)
	for range 6 {
		began := time.Now()
		apptest.Until(t, 60*time.Second, "a run for a time after the start", func() bool {
			runs := ofSchedule(t, p.Client, d.WorkflowID)
			return len(runs) > 0 && runs[0].PlannedAt.After(began)
		})
		<-time.After(time.Duration(random.Int64N(int64(time.Second)))) // killed at any moment of a second
		p.Kill(t)
		p = start(t, dir, key)
	}
	p.JSON(t, http.StatusOK, "PATCH", "/api/workflows/"+d.WorkflowID, map[string]any{"active": false})
	var all []planned
	apptest.Until(t, 60*time.Second, "the end of all runs", func() bool {
		all = ofSchedule(t, p.Client, d.WorkflowID)
		for _, e := range all {
			if e.Status == "received" || e.Status == "started" {
				return false
			}
		}
		return true
	})
	seen := map[time.Time]bool{}
	for _, e := range all {
		if seen[e.PlannedAt] || e.PlannedAt.IsZero() || e.Status != "completed" && e.Status != "no_deployment" {
			t.Errorf("an execution of %v is %s after %d attempts; seen before: %v", e.PlannedAt, e.Status, e.Attempt, seen[e.PlannedAt])
		}
		seen[e.PlannedAt] = true
	}
}
