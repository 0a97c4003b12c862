package apptest_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/usefloww/flowwd/internal/apptest"
)

// retrying is a workflow whose handler fails in its first attempts.
func retrying(options string) string {
	return strings.Replace(apptest.Handler(`
	console.log("attempt " + ctx.attempt);
	if (ctx.attempt <= event.body.failures) throw new Error("failure " + ctx.attempt);
	return ctx.attempt;`), `path: "in",`, `path: "in", `+options+`,`, 1)
}

func TestRetries(t *testing.T) {
	t.Parallel()
	s := apptest.Start(t, apptest.Options{})
	d := s.Deploy(t, "retries", retrying(`retry: { attempts: 3, delay: 0.05, jitter: false }`))

	e := d.Run(t, `{"failures":2}`)
	if e.Status != "completed" || string(e.Result) != "3" || e.Attempt != 3 || e.ErrorMessage != "" {
		t.Errorf("the run is %s in attempt %d with %s: %s", e.Status, e.Attempt, e.Result, e.ErrorMessage)
	}
	if got := strings.Join(e.Messages(), ", "); got != "attempt 1, attempt 2, attempt 3" {
		t.Errorf("the log says %s", got)
	}
	shown := s.JSON(t, http.StatusOK, "GET", "/api/executions/"+e.ID, nil)
	var outcomes []string
	for _, a := range shown["attempts"].([]any) {
		attempt := a.(map[string]any)
		text, _ := attempt["errorMessage"].(string)
		outcomes = append(outcomes, attempt["outcome"].(string)+" "+text)
	}
	if got := strings.Join(outcomes, "; "); got != "failed Error: failure 1; failed Error: failure 2; completed " || shown["retries"] != 2.0 {
		t.Errorf("the attempts are %q after %v retries", got, shown["retries"])
	}

	if e := d.Run(t, `{"failures":9}`); e.Status != "failed" || e.Attempt != 3 || e.ErrorMessage != "Error: failure 3" {
		t.Errorf("a run that always fails is %s in attempt %d: %s", e.Status, e.Attempt, e.ErrorMessage)
	}
}

func TestRetryIsShownAndCancelled(t *testing.T) {
	t.Parallel()
	s := apptest.Start(t, apptest.Options{})
	d := s.Deploy(t, "slow retries", retrying(`retry: { attempts: 2, delay: 3600, jitter: false }`))
	x := d.Send(t, `{"failures":1}`)
	var shown map[string]any
	apptest.Until(t, 30*time.Second, "a failed attempt", func() bool {
		shown = s.JSON(t, http.StatusOK, "GET", "/api/executions/"+x, nil)
		return shown["retries"] == 1.0
	})
	at, err := time.Parse(time.RFC3339, shown["availableAt"].(string))
	if waiting := shown["waiting"]; err != nil || shown["status"] != "received" || waiting != "retry at "+shown["availableAt"].(string) || time.Until(at) < 50*time.Minute {
		text, _ := json.Marshal(shown)
		t.Errorf("it is shown as %s", text)
	}
	if e := cancel(t, s.Client, x); e["status"] != "cancelled" {
		t.Errorf("it is %v after its cancel", e["status"])
	}
}

// A retry that waits outlives its server, and happens once.
func TestRetrySurvivesARestart(t *testing.T) {
	t.Parallel()
	s := apptest.Start(t, apptest.Options{})
	d := s.Deploy(t, "restart", retrying(`retry: { attempts: 2, delay: 2, jitter: false }`))
	var runs []string
	for range 5 {
		runs = append(runs, d.Send(t, `{"failures":1}`))
	}
	for _, x := range runs {
		apptest.Until(t, 30*time.Second, "a failed attempt", func() bool { return s.Execution(t, x).Attempt == 1 && s.Execution(t, x).Status == "received" })
	}
	s.Stop(t)
	again := apptest.Start(t, apptest.Options{DataDir: s.DataDir})
	for _, x := range runs {
		if e := again.Ended(t, x); e.Status != "completed" || e.Attempt != 2 {
			t.Errorf("the run is %s in attempt %d: %s", e.Status, e.Attempt, e.ErrorMessage)
		}
	}
}

func TestBadRetryIsRefused(t *testing.T) {
	t.Parallel()
	s := apptest.Start(t, apptest.Options{})
	w := s.CreateWorkflow(t, "bad")
	for options, want := range map[string]string{
		`retry: { attempts: 0 }`:             "onWebhook: retry.attempts must be a whole number of at least 1",
		`retry: 1000`:                        "onWebhook: retry.attempts is 1000; it must be 1 to 100",
		`retry: { attempts: 2, delay: 1e6 }`: "onWebhook: retry.delay is 48h0m0s; it must be 0 to 86400 seconds",
	} {
		r := s.Do(t, "POST", "/api/workflow-deployments", apptest.DeployBody(w, map[string]string{"main.ts": retrying(options)}))
		if r.Status != http.StatusBadRequest || !strings.Contains(string(r.Body), want) {
			t.Errorf("%s: %s, want 400 with %q", options, r, want)
		}
	}
}
