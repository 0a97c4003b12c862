package apptest_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/usefloww/flowwd/internal/apptest"
	"github.com/usefloww/flowwd/internal/config"
)

// batchEnded waits for the end of a batch and returns it.
func batchEnded(t *testing.T, s *apptest.Server, id any) map[string]any {
	t.Helper()
	var b map[string]any
	apptest.Until(t, 30*time.Second, "the end of the batch", func() bool {
		b = s.JSON(t, http.StatusOK, "GET", "/api/executions/batches/"+id.(string), nil)
		return b["status"] != "running"
	})
	return b
}

func TestBatches(t *testing.T) {
	t.Parallel()
	s := apptest.Start(t, apptest.Options{Settings: func(c *config.Settings) { c.StopTimeout = 2 * time.Second }})
	d := s.Deploy(t, "batches", apptest.Handler(`if (event.body.bad) throw new Error("bad"); return event.body.n;`))
	for n := range 3 {
		d.Run(t, map[string]any{"bad": true, "n": n})
	}
	d.Run(t, map[string]any{"n": 9})
	address := "/api/executions/workflows/" + d.WorkflowID + "/batches"

	counted := s.JSON(t, http.StatusAccepted, "POST", address, map[string]any{"action": "replay", "dryRun": true})
	if counted["total"] != 3.0 || counted["status"] != "counted" || counted["id"] != nil {
		t.Errorf("the count is %v", counted)
	}
	if list := s.JSON(t, http.StatusOK, "GET", address, nil)["results"].([]any); len(list) != 0 {
		t.Errorf("counting made %v", list)
	}
	d.Redeploy(t, apptest.Handler(`return ["mended", event.body.n];`))
	made := s.JSON(t, http.StatusAccepted, "POST", address, map[string]any{"action": "replay"})
	if b := batchEnded(t, s, made["id"]); b["status"] != "completed" || b["done"] != 3.0 || b["total"] != 3.0 || b["skipped"] != 0.0 {
		t.Errorf("the batch is %v", b)
	}
	results := map[string]bool{}
	for _, e := range executionsOf(t, s, d.WorkflowID) {
		if e["replayOf"] != nil {
			results[string(s.Ended(t, e["id"].(string)).Result)] = true
		}
	}
	for _, want := range []string{`["mended",0]`, `["mended",1]`, `["mended",2]`} {
		if !results[want] || len(results) != 3 {
			t.Errorf("the replays gave %v, want %s", results, want)
		}
	}
	entries := s.JSON(t, http.StatusOK, "GET", "/api/organizations/"+s.Organization(t)+"/audit?action=batch.begin", nil)
	if text := string(mustJSON(t, entries)); !strings.Contains(text, made["id"].(string)) {
		t.Errorf("the audit log has no word of the batch: %s", text)
	}
	for want, body := range map[string]any{
		"can't be cancelled": map[string]any{"action": "cancel", "statuses": []string{"failed"}},
		"can't be replayed":  map[string]any{"action": "replay", "statuses": []string{"started"}, "dryRun": true},
		"is no status":       map[string]any{"action": "replay", "statuses": []string{"odd"}},
	} {
		if r := s.Do(t, "POST", address, body); r.Status != http.StatusBadRequest || !strings.Contains(string(r.Body), want) {
			t.Errorf("%v is answered %s, want 400 with %s", body, r, want)
		}
	}
}

// A batch that cancels ends what waits and what runs.
func TestBatchCancels(t *testing.T) {
	t.Parallel()
	s := apptest.Start(t, apptest.Options{Settings: func(c *config.Settings) { c.Runners = 1 }})
	d := s.Deploy(t, "cancelled together", apptest.Handler(`console.log("began"); for (;;) {}`))
	all := []string{d.Send(t, `{}`)}
	s.Follow(t, all[0], "").Logs(t, 1)
	for range 4 {
		all = append(all, d.Send(t, `{}`))
	}
	made := s.JSON(t, http.StatusAccepted, "POST", "/api/executions/workflows/"+d.WorkflowID+"/batches", map[string]any{"action": "cancel"})
	for _, x := range all {
		if e := s.Ended(t, x); e.Status != "cancelled" || e.ErrorMessage != "Cancelled by the service account test" {
			t.Errorf("the execution is %s: %s", e.Status, e.ErrorMessage)
		}
	}
	if b := batchEnded(t, s, made["id"]); b["done"] != 5.0 {
		t.Errorf("the batch is %v", b)
	}
}
