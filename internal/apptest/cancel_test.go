package apptest_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/usefloww/flowwd/internal/apptest"
	"github.com/usefloww/flowwd/internal/config"
)

// cancel asks for the end of an execution and returns how it is shown then.
func cancel(t *testing.T, c *apptest.Client, id string) map[string]any {
	t.Helper()
	return c.JSON(t, http.StatusOK, "POST", "/api/executions/"+id+"/cancel", nil)
}

func TestCancel(t *testing.T) {
	t.Parallel()
	s := apptest.Start(t, apptest.Options{Settings: func(c *config.Settings) { c.Runners = 1 }})
	// It never comes back from the loop, so that only the end of its process
	// ends it.
	d := s.Deploy(t, "busy", apptest.Handler(`console.log("began"); if (event.body.loop) for (;;) {} return "done";`))
	running := d.Send(t, `{"loop":true}`)
	s.Follow(t, running, "").Logs(t, 1)
	waiting := d.Send(t, `{}`)

	if e := s.Execution(t, waiting); e.Status != "received" {
		t.Fatalf("the second execution is %s, want it to wait", e.Status)
	}
	if e := cancel(t, s.Client, waiting); e["status"] != "cancelled" {
		t.Errorf("a waiting execution is %v after its cancel", e["status"])
	}
	if e := cancel(t, s.Client, running); e["status"] != "cancelled" {
		t.Errorf("a running execution is %v after its cancel", e["status"])
	}
	for _, id := range []string{waiting, running} {
		if e := cancel(t, s.Client, id); e["status"] != "cancelled" || e["errorMessage"] != "Cancelled by the service account test" {
			t.Errorf("cancelled again it is %v: %v", e["status"], e["errorMessage"])
		}
	}
	// The slot is free again.
	done := d.Run(t, `{}`)
	if done.Status != "completed" {
		t.Errorf("the next run is %s: %s", done.Status, done.ErrorMessage)
	}
	if r := s.Do(t, "POST", "/api/executions/"+done.ID+"/cancel", nil); r.Status != http.StatusConflict || !strings.Contains(string(r.Body), "ended already (completed)") {
		t.Errorf("the cancel of a completed execution answers %s, want 409", r)
	}
}

// Whatever wins, the end of a run or its cancel, an execution ends once, and
// the slots come back.
func TestCancelRacesWithTheEnd(t *testing.T) {
	t.Parallel()
	s := apptest.Start(t, apptest.Options{Settings: func(c *config.Settings) { c.Runners = 4 }})
	d := s.Deploy(t, "race", apptest.Handler(`await new Promise((r) => setTimeout(r, event.body.ms)); return 1;`))
	ended := map[string]int{}
	for round := range 40 {
		x := d.Send(t, map[string]any{"ms": round % 8})
		r := s.Do(t, "POST", "/api/executions/"+x+"/cancel", nil)
		e := s.Ended(t, x)
		ended[e.Status]++
		if e.Status != "completed" && e.Status != "cancelled" || r.Status == http.StatusConflict && e.Status != "completed" {
			t.Errorf("the cancel answers %s, and the execution is %s: %s", r, e.Status, e.ErrorMessage)
		}
	}
	t.Logf("ended as %v", ended)
	apptest.Until(t, 20*time.Second, "a free slot for another run", func() bool { return d.Run(t, `{"ms":0}`).Status == "completed" })
}
