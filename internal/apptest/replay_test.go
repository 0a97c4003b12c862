package apptest_test

import (
	"encoding/base64"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/usefloww/flowwd/internal/apptest"
)

// replayed replays an execution and returns the end of the new one.
func replayed(t *testing.T, s *apptest.Server, id string, edit any) apptest.Execution {
	t.Helper()
	made := s.JSON(t, http.StatusCreated, "POST", "/api/executions/"+id+"/replay", edit)
	if made["replayOf"] != id || made["executionId"] == id {
		t.Errorf("the replay of %s is answered %v", id, made)
	}
	return s.Ended(t, made["executionId"].(string))
}

func TestReplay(t *testing.T) {
	t.Parallel()
	s := apptest.Start(t, apptest.Options{})
	const code = `return [VERSION, event.method, event.query.q, event.headers["x-test"], event.body, event.rawBody.length];`
	d := s.Deploy(t, "replayed", apptest.Handler(strings.ReplaceAll(code, "VERSION", "1")))
	body := `{"n":[1,2.50]}`
	first := d.Run(t, body, "Content-Type", "application/json", "X-Test", "yes", "Idempotency-Key", "k")
	d.Redeploy(t, apptest.Handler(strings.ReplaceAll(code, "VERSION", "2")))
	for name, tc := range map[string]struct {
		edit any
		want string
	}{
		"as it was":     {nil, `[2,"POST",null,"yes",{"n":[1,2.5]},14]`},
		"empty":         {map[string]any{}, `[2,"POST",null,"yes",{"n":[1,2.5]},14]`},
		"another body":  {map[string]any{"data": map[string]any{"body": map[string]any{"snake_case": 1}}}, `[2,"POST",null,"yes",{"snake_case":1},16]`},
		"other members": {map[string]any{"data": map[string]any{"query": map[string]any{"q": "1"}, "headers": map[string]any{}}}, `[2,"POST","1",null,{"n":[1,2.5]},14]`},
		"bytes":         {map[string]any{"data": map[string]any{"rawBody": base64.StdEncoding.EncodeToString([]byte(" 7"))}}, `[2,"POST",null,"yes",7,2]`},
	} {
		if e := replayed(t, s, first.ID, tc.edit); e.Status != "completed" || string(e.Result) != tc.want {
			t.Errorf("%s: the replay is %s with %s, want %s (%s)", name, e.Status, e.Result, tc.want, e.ErrorMessage)
		}
	}
	again := replayed(t, s, first.ID, nil)
	if e := replayed(t, s, again.ID, nil); string(e.Result) != `[2,"POST",null,"yes",{"n":[1,2.5]},14]` {
		t.Errorf("the replay of a replay gives %s", e.Result)
	}
	if shown := s.JSON(t, http.StatusOK, "GET", "/api/executions/"+again.ID, nil); shown["replayOf"] != first.ID || shown["triggeredByUserId"] == nil {
		t.Errorf("the replay is shown with replayOf %v by %v", shown["replayOf"], shown["triggeredByUserId"])
	}
	event := s.JSON(t, http.StatusOK, "GET", "/api/executions/"+first.ID+"/event", nil)
	if event["text"] != body || event["contentType"] != "application/json" || event["fields"].(map[string]any)["method"] != "POST" {
		t.Errorf("the event is shown as %v", event)
	}
	for want, edit := range map[string]any{
		"must be an object":    map[string]any{"data": []int{1}},
		"in base64":            map[string]any{"data": map[string]any{"rawBody": "%"}},
		"not both":             map[string]any{"data": map[string]any{"rawBody": "", "body": 1}},
		"inputData is for the": map[string]any{"inputData": map[string]any{}},
	} {
		if r := s.Do(t, "POST", "/api/executions/"+first.ID+"/replay", edit); r.Status != http.StatusBadRequest || !strings.Contains(string(r.Body), want) {
			t.Errorf("%v is answered %s, want 400 with %s", edit, r, want)
		}
	}
	d.Redeploy(t, `import { Builtin } from "floww"; new Builtin().triggers.onWebhook({ path: "other", handler() {} });`)
	if r := s.Do(t, "POST", "/api/executions/"+first.ID+"/replay", nil); r.Status != http.StatusConflict || !strings.Contains(string(r.Body), "not declared any more") {
		t.Errorf("the replay of a trigger that is gone is answered %s, want 409", r)
	}
}

func TestReplayOfManualRuns(t *testing.T) {
	t.Parallel()
	s := apptest.Start(t, apptest.Options{})
	d := deployCode(t, s, "manual replay", `builtin.triggers.onManual({ name: "Go", inputSchema: { type: "object", required: ["n"] }, handler: (ctx, event) => event.input_data });
	builtin.triggers.onCron({ expression: "* * * * * *", handler: (ctx, event) => [event.scheduledTime instanceof Date, event.scheduledTime] });`)
	id := s.JSON(t, http.StatusOK, "GET", "/api/triggers/workflows/"+d.WorkflowID+"/manual", nil)["triggers"].([]any)[0].(map[string]any)["id"].(string)
	made := s.JSON(t, http.StatusOK, "POST", "/api/triggers/"+id+"/invoke", map[string]any{"inputData": map[string]any{"n": 1}})
	first := s.Ended(t, made["executionId"].(string))
	if e := replayed(t, s, first.ID, nil); string(e.Result) != `{"n":1}` {
		t.Errorf("the replay gives %s", e.Result)
	}
	if e := replayed(t, s, first.ID, map[string]any{"inputData": map[string]any{"n": 2, "a_b": 3}}); string(e.Result) != `{"a_b":3,"n":2}` {
		t.Errorf("the edited replay gives %s", e.Result)
	}
	for want, edit := range map[string]any{
		"missing property 'n'": map[string]any{"inputData": map[string]any{}},
		"give inputData":       map[string]any{"data": map[string]any{"input_data": map[string]any{"n": 1}}},
	} {
		if r := s.Do(t, "POST", "/api/executions/"+first.ID+"/replay", edit); r.Status != http.StatusBadRequest || !strings.Contains(string(r.Body), want) {
			t.Errorf("%v is answered %s, want 400 with %s", edit, r, want)
		}
	}
	var planned apptest.Execution
	apptest.Until(t, 30*time.Second, "a run of the schedule", func() bool {
		for _, e := range executionsOf(t, s, d.WorkflowID) {
			if e["plannedAt"] != nil && e["status"] == "completed" {
				planned = s.Execution(t, e["id"].(string))
				return true
			}
		}
		return false
	})
	if e := replayed(t, s, planned.ID, nil); string(e.Result) != string(planned.Result) {
		t.Errorf("the replay of a planned run gives %s, want %s", e.Result, planned.Result)
	}
}
