package kill

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"testing"
	"time"

	"github.com/usefloww/flowwd/internal/apptest"
	"github.com/usefloww/flowwd/internal/loadtest"
)

// Servers that are killed in the middle of a batch go on with it, and no
// execution is replayed twice or left out.
func TestKilledServersReplayOnce(t *testing.T) {
	t.Parallel()
	const failures = 600
	random, _ := loadtest.Random(t, *seed)
	dir := apptest.DataDir(t)
	key := apptest.CreateKey(t, dir)
	p := start(t, dir, key)
	d := p.Deploy(t, "batch", apptest.Handler(`throw new Error("bad");`))
	failed := make(map[string]int, failures)
	for range failures {
		failed[d.Send(t, `{}`)] = 0
	}
	for x := range failed {
		p.Ended(t, x)
	}
	d.Redeploy(t, apptest.Handler(`return "mended";`))
	batch := p.JSON(t, http.StatusAccepted, "POST", "/api/executions/workflows/"+d.WorkflowID+"/batches", map[string]any{"action": "replay"})
	state := func() map[string]any {
		return p.JSON(t, http.StatusOK, "GET", fmt.Sprintf("/api/executions/batches/%v", batch["id"]), nil)
	}
	kills := 0
	for ; kills < 4 && state()["status"] == "running"; kills++ {
		before := state()["done"].(float64)
		apptest.Until(t, 60*time.Second, "a step after the start", func() bool { s := state(); return s["done"].(float64) > before || s["status"] != "running" })
		p.Kill(t)
		p = killedAgain(t, dir, key, random)
	}
	apptest.Until(t, 60*time.Second, "the end of the batch", func() bool { return state()["status"] == "completed" })
	if b := state(); b["done"] != float64(failures) || b["skipped"] != 0.0 || kills == 0 {
		t.Errorf("after %d kills the batch is %v", kills, b)
	}
	for offset := 0; offset < 2*failures; offset += 100 {
		for _, e := range page(t, p.Client, d.WorkflowID, offset) {
			if e.ReplayOf == "" {
				continue
			}
			failed[e.ReplayOf]++
			if got := p.Ended(t, e.ID); got.Status != "completed" {
				t.Errorf("a replay is %s: %s", got.Status, got.ErrorMessage)
			}
		}
	}
	for x, times := range failed {
		if times != 1 {
			t.Errorf("execution %s was replayed %d times", x, times)
		}
	}
}

// killedAgain starts a server, now and then after one that is killed while it
// starts.
func killedAgain(t *testing.T, dir, key string, random *rand.Rand) process {
	t.Helper()
	if random.IntN(2) == 0 {
		killStart(t, dir, random)
	}
	return start(t, dir, key)
}

type replayed struct{ ID, ReplayOf string }

func page(t *testing.T, c *apptest.Client, workflow string, offset int) []replayed {
	t.Helper()
	r := c.Do(t, "GET", fmt.Sprintf("/api/executions/workflows/%s?limit=100&offset=%d", workflow, offset), nil)
	var page struct{ Executions []replayed }
	if err := json.Unmarshal(r.Body, &page); err != nil || r.Status != http.StatusOK {
		t.Fatalf("executions: %s (%v)", r, err)
	}
	return page.Executions
}
