package api

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/usefloww/flowwd/internal/engine"
	"github.com/usefloww/flowwd/internal/execution"
	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
)

const waitingExecution = `"id":"#6","workflowId":"#3","triggerId":"#7","deploymentId":null,"triggeredByUserId":null,"status":"received","waiting":"slot",
	"receivedAt":"2026-03-04T04:06:07.008Z","startedAt":null,"completedAt":null,"durationMs":null,"errorMessage":null,"errorStack":null,
	"attempt":0,"interruptions":0,"retries":0,"availableAt":null,"plannedAt":null,"cancelReason":null,"replayOf":null,"triggerType":"onWebhook","providerType":"builtin","providerAlias":"default","webhookPath":"/webhook/a","webhookMethod":"POST"`

func finished(e *execution.Execution) {
	at, took := clock.Add(time.Second), 1234567*time.Microsecond
	e.State, e.Waiting, e.StartedAt, e.CompletedAt, e.Duration = execution.Failed, "", &clock, &at, &took
	e.DeploymentID, e.Error, e.Stack, e.Attempt, e.Interruptions = n(5), "broke", "at main.ts:1:1", 2, 1
	e.Result = json.RawMessage(`{"a_b":1}`)
}

const finishedExecution = `"id":"#6","workflowId":"#3","triggerId":"#7","deploymentId":"#5","triggeredByUserId":null,"status":"failed","waiting":null,
	"receivedAt":"2026-03-04T04:06:07.008Z","startedAt":"2026-03-04T04:06:07.008Z","completedAt":"2026-03-04T04:06:08.008Z","durationMs":1234,
	"errorMessage":"broke","errorStack":"at main.ts:1:1",
	"attempt":2,"interruptions":1,"retries":0,"availableAt":null,"plannedAt":null,"cancelReason":null,"replayOf":null,"triggerType":"onWebhook","providerType":"builtin","providerAlias":"default","webhookPath":"/webhook/a","webhookMethod":"POST"`

func line(attempt, number int, message string) execution.LogEntry {
	return execution.LogEntry{
		ExecutionID: n(6), Cursor: execution.Cursor{Attempt: attempt, Line: number},
		LogLine: engine.LogLine{Time: clock, Level: engine.LevelWarn, Message: message},
	}
}

func lineJSON(attempt, number int, message string) string {
	return fmt.Sprintf(`{"id":"#6:%d-%d","executionId":"#6","timestamp":"2026-03-04T04:06:07.008Z","level":"warn","message":%q,"attempt":%d,"line":%d}`,
		attempt, number, message, attempt, number)
}

// withLines puts lines 1 to count of the first attempt into the world.
func withLines(count int, message string) func(*world) {
	return func(w *world) {
		for i := range count {
			w.executions.lines = append(w.executions.lines, line(1, i+1, message))
		}
	}
}

func TestListExecutions(t *testing.T) {
	t.Parallel()
	all := []id.ID{n(orgNumber)}
	for target, want := range map[string]execution.ListFilter{
		"/api/executions/workflows/#3":                                   {Organizations: all, WorkflowID: n(3), Limit: 50},
		"/api/executions/workflows/#3?limit=2&offset=4&status=COMPLETED": {Organizations: all, WorkflowID: n(3), State: execution.Completed, Limit: 2, Offset: 4},
		"/api/executions":                          {Organizations: all, Limit: 50},
		"/api/executions?status=No_Deployment":     {Organizations: all, State: execution.NoDeployment, Limit: 50},
		"/api/executions?workflow_id=#3&limit=100": {Organizations: all, WorkflowID: n(3), Limit: 100},
	} {
		w := newWorld(t)
		workflow := `"#3"`
		if want.WorkflowID.IsZero() {
			workflow = `null`
		}
		wantJSON(t, w.ask(t, "GET", ids(target), ""), 200, fmt.Sprintf(`{"workflowId":%s,"limit":%d,"offset":%d,"count":1,"total":12,"executions":[{%s}],"results":[{%s}]}`,
			workflow, want.Limit, want.Offset, waitingExecution, waitingExecution))
		if diff := cmp.Diff(want, w.executions.filter); diff != "" {
			t.Errorf("%s: %s", target, diff)
		}
	}
	for target, wrong := range map[string]string{
		"/api/executions?status=done":                "Invalid status. Must be one of: received, started, completed, failed, timeout, cancelled, no_deployment",
		"/api/executions/workflows/#3?status=done":   "Invalid status",
		"/api/executions/workflows/#3?limit=101":     "query.limit",
		"/api/executions?offset=-1":                  "query.offset",
		"/api/executions?offset=9999999999999999999": "query.offset",
	} {
		wantError(t, newWorld(t).ask(t, "GET", ids(target), ""), 400, wrong)
	}
}

func TestGetExecution(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	wantJSON(t, w.ask(t, "GET", ids("/api/executions/#6"), ""), 200, `{`+waitingExecution+`,"attempts":[],"logEntries":[],"logsTruncated":false}`)

	w = newWorld(t, withLines(2, "hi"), func(w *world) {
		finished(&w.executions.one)
		w.executions.attempts = []execution.Attempt{{Number: 1, StartedAt: clock, EndedAt: clock, Outcome: "interrupted", Error: "stopped"}}
		w.executions.lines = append(w.executions.lines, line(2, 1, "again"))
	})
	wantJSON(t, w.ask(t, "GET", ids("/api/executions/#6"), ""), 200, `{`+finishedExecution+`,"result":{"a_b":1},
		"attempts":[{"attempt":1,"startedAt":"2026-03-04T04:06:07.008Z","endedAt":"2026-03-04T04:06:07.008Z","outcome":"interrupted","errorMessage":"stopped"}],
		"logEntries":[`+lineJSON(1, 1, "hi")+`,`+lineJSON(1, 2, "hi")+`,`+lineJSON(2, 1, "again")+`],"logsTruncated":false}`)
	wantError(t, w.ask(t, "GET", ids("/api/executions/#7"), ""), 404, "Execution not found")
}

func TestGetExecutionIsBounded(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		lines, length int
		want          int
		next          string
	}{
		"all that fit":   {1000, 1, 1000, ""},
		"one too many":   {1001, 1, 1000, `"1-1000"`},
		"many too many":  {5000, 1, 1000, `"1-1000"`},
		"long lines":     {1000, 64 << 10, 64, `"1-64"`},
		"one huge line":  {2, maxLogBytes + 1, 1, `"1-1"`},
		"just one, huge": {1, maxLogBytes + 1, 1, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, withLines(c.lines, strings.Repeat("x", c.length)))
			r := w.ask(t, "GET", ids("/api/executions/#6"), "")
			var got struct {
				LogEntries    []json.RawMessage
				LogsTruncated bool
				LogsNext      json.RawMessage
			}
			if err := json.Unmarshal([]byte(r.text), &got); err != nil {
				t.Fatal(err)
			}
			if len(got.LogEntries) != c.want || got.LogsTruncated != (c.next != "") || string(got.LogsNext) != c.next {
				t.Errorf("%d lines, truncated %t, next %s; want %d and %s", len(got.LogEntries), got.LogsTruncated, got.LogsNext, c.want, c.next)
			}
			for _, limit := range w.executions.calls {
				if limit > logPage {
					t.Errorf("%d lines were read at once", limit)
				}
			}
		})
	}
}

func TestExecutionLogs(t *testing.T) {
	t.Parallel()
	final := func(w *world) { finished(&w.executions.one) }
	list := func(from, to int) string {
		var all []string
		for i := from; i <= to; i++ {
			all = append(all, lineJSON(1, i, "hi"))
		}
		return strings.Join(all, ",")
	}
	for name, c := range map[string]struct {
		query  string
		change []func(*world)
		want   string
	}{
		"all, ended":           {"", []func(*world){final, withLines(3, "hi")}, `{"results":[` + list(1, 3) + `],"next":null}`},
		"all, going on":        {"", []func(*world){withLines(3, "hi")}, `{"results":[` + list(1, 3) + `],"next":"1-3"}`},
		"a page":               {"?limit=2", []func(*world){final, withLines(3, "hi")}, `{"results":[` + list(1, 2) + `],"next":"1-2"}`},
		"the next page":        {"?limit=2&after=1-2", []func(*world){final, withLines(3, "hi")}, `{"results":[` + list(3, 3) + `],"next":null}`},
		"a page that fits":     {"?limit=3", []func(*world){final, withLines(3, "hi")}, `{"results":[` + list(1, 3) + `],"next":null}`},
		"nothing yet":          {"", nil, `{"results":[],"next":"0-0"}`},
		"nothing new":          {"?after=1-3", []func(*world){withLines(3, "hi")}, `{"results":[],"next":"1-3"}`},
		"nothing ever":         {"", []func(*world){final}, `{"results":[],"next":null}`},
		"behind all attempts":  {"?after=9-9", []func(*world){final, withLines(3, "hi")}, `{"results":[],"next":null}`},
		"more pages of a read": {"?limit=250&after=1-99", []func(*world){final, withLines(300, "hi")}, `{"results":[` + list(100, 300) + `],"next":null}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			wantJSON(t, newWorld(t, c.change...).ask(t, "GET", ids("/api/executions/#6/logs"+c.query), ""), 200, c.want)
		})
	}
	for query, wrong := range map[string]string{
		"?after=x": "query.after: must be a place in the log", "?after=1": "query.after", "?after=-1-2": "query.after", "?limit=1001": "query.limit", "?limit=0": "query.limit",
	} {
		wantError(t, newWorld(t).ask(t, "GET", ids("/api/executions/#6/logs"+query), ""), 400, wrong)
	}
}

func TestSearchLogs(t *testing.T) {
	t.Parallel()
	for query, want := range map[string]execution.LogQuery{
		"":                                       {WorkflowID: n(3), Limit: 100},
		"?q=a%25b&level=WARN&limit=500&offset=7": {WorkflowID: n(3), Contains: "a%b", Level: engine.LevelWarn, Limit: 500, Offset: 7},
	} {
		w := newWorld(t, func(w *world) {
			w.executions.page = execution.LogPage{Entries: []execution.LogEntry{line(1, 2, "b"), line(1, 1, "a")}}
		})
		wantJSON(t, w.ask(t, "GET", ids("/api/executions/workflows/#3/logs"+query), ""), 200, fmt.Sprintf(
			`{"workflowId":"#3","logs":[%[1]s],"results":[%[1]s],"limit":%[2]d,"offset":%[3]d,"complete":false}`, lineJSON(1, 2, "b")+","+lineJSON(1, 1, "a"), want.Limit, want.Offset))
		if diff := cmp.Diff(want, w.executions.query); diff != "" {
			t.Errorf("%s: %s", query, diff)
		}
	}
	w := newWorld(t, func(w *world) { w.executions.page.Complete = true })
	wantJSON(t, w.ask(t, "GET", ids("/api/executions/workflows/#3/logs"), ""), 200, `{"workflowId":"#3","logs":[],"results":[],"limit":100,"offset":0,"complete":true}`)
	for query, wrong := range map[string]string{
		"?level=loud": "Invalid level. Must be one of: debug, info, warn, error, log", "?limit=501": "query.limit", "?q=" + strings.Repeat("x", 1001): "query.q",
	} {
		wantError(t, w.ask(t, "GET", ids("/api/executions/workflows/#3/logs"+query), ""), 400, wrong)
	}
}

func TestCancelExecution(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := w.ask(t, "POST", ids("/api/executions/#6/cancel"), "")
	if r.status != 200 || !strings.Contains(r.text, `"cancelReason":"the service account ci"`) {
		t.Errorf("got %d %s", r.status, r.text)
	}
	wantError(t, w.ask(t, "POST", ids("/api/executions/#6/cancel"), "", "Authorization: Bearer viewer"), 403, "workflow.run")
	wantError(t, w.ask(t, "POST", ids("/api/executions/#6/cancel"), "", "Authorization: Bearer stranger"), 404, "Execution not found")
	w.executions.err = fault.New(fault.NotFound, "x")
	wantError(t, w.ask(t, "POST", ids("/api/executions/#6/cancel"), ""), 404, "Execution not found")
}
