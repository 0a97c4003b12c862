package apptest_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/usefloww/flowwd/internal/apptest"
)

// deployCode deploys code without a webhook and returns its workflow.
func deployCode(t *testing.T, s *apptest.Server, name, code string) *apptest.Deployed {
	t.Helper()
	return s.Deploy(t, name, "import { Builtin } from \"floww\";\nconst builtin = new Builtin();\n"+code)
}

// executionsOf returns the executions of a workflow, newest first.
func executionsOf(t *testing.T, s *apptest.Server, workflow string) []map[string]any {
	t.Helper()
	var all []map[string]any
	for _, e := range s.JSON(t, http.StatusOK, "GET", "/api/executions/workflows/"+workflow, nil)["executions"].([]any) {
		all = append(all, e.(map[string]any))
	}
	return all
}

func TestScheduleRuns(t *testing.T) {
	t.Parallel()
	s := apptest.Start(t, apptest.Options{})
	d := deployCode(t, s, "clock", `builtin.triggers.onCron({ expression: "* * * * * *", timezone: "Europe/Berlin", handler: (ctx, event) => ({
		dates: event.scheduledTime instanceof Date && event.actualTime instanceof Date, late: event.actualTime.getTime() - event.scheduledTime.getTime(),
		expression: event.expression, keys: Object.keys(event) }) });`)
	apptest.Until(t, 30*time.Second, "two runs of the schedule", func() bool {
		ended := 0
		for _, e := range executionsOf(t, s, d.WorkflowID) {
			if e["status"] == "completed" {
				ended++
			}
		}
		return ended >= 2
	})
	planned := map[any]bool{}
	for _, e := range executionsOf(t, s, d.WorkflowID) {
		if planned[e["plannedAt"]] || e["triggerType"] != "onCron" || e["plannedAt"] == nil {
			t.Errorf("execution %v", e)
		}
		planned[e["plannedAt"]] = true
	}
	one := s.Ended(t, executionsOf(t, s, d.WorkflowID)[1]["id"].(string))
	var got struct {
		Dates      bool
		Late       int
		Expression string
		Keys       []string
	}
	if err := json.Unmarshal(one.Result, &got); err != nil || !got.Dates || got.Late < 0 || got.Expression != "* * * * * *" || strings.Join(got.Keys, " ") != "scheduledTime actualTime expression" {
		t.Errorf("the handler was given %s (%v)", one.Result, err)
	}
	shown := s.JSON(t, http.StatusOK, "GET", "/api/triggers?workflowId="+d.WorkflowID, nil)["results"].([]any)[0].(map[string]any)
	if len(shown["nextRuns"].([]any)) != 5 || shown["timezone"] != "Europe/Berlin" || string(mustJSON(t, shown["input"])) != `{"expression":"* * * * * *"}` {
		t.Errorf("the trigger is shown as %v", shown)
	}

	s.JSON(t, http.StatusOK, "PATCH", "/api/workflows/"+d.WorkflowID, map[string]any{"active": false})
	before := len(executionsOf(t, s, d.WorkflowID))
	due := func() any {
		return s.JSON(t, http.StatusOK, "GET", "/api/triggers?workflowId="+d.WorkflowID, nil)["results"].([]any)[0].(map[string]any)["nextRunAt"]
	}
	was := due()
	apptest.Until(t, 30*time.Second, "the schedule to pass", func() bool { return due() != was })
	if after := executionsOf(t, s, d.WorkflowID); len(after) > before+1 { // one may have been on its way
		t.Errorf("an inactive workflow fired: %d executions after %d", len(after), before)
	}
}

func mustJSON(t *testing.T, v any) []byte {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestBadSchedulesAreRefused(t *testing.T) {
	t.Parallel()
	s := apptest.Start(t, apptest.Options{})
	w := s.CreateWorkflow(t, "bad")
	for argument, want := range map[string]string{
		`{ expression: "0 9 * * MOO", handler() {} }`:                       `column 9: \"MOO\" is no day of the week`,
		`{ expression: "0 0 31 2 *", handler() {} }`:                        "no month that it names has such a day",
		`{ expression: "@daily", timezone: "Berlin", handler() {} }`:        `\"Berlin\" is no time zone`,
		`{ expression: "@daily", respond: "handler", handler() {} } as any`: "onCron does not know respond",
	} {
		code := "import { Builtin } from \"floww\";\nnew Builtin().triggers.onCron(" + argument + ");"
		r := s.Do(t, "POST", "/api/workflow-deployments", apptest.DeployBody(w, map[string]string{"main.ts": code}))
		if r.Status != http.StatusBadRequest || !strings.Contains(string(r.Body), want) {
			t.Errorf("%s: %s, want 400 with %s", argument, r, want)
		}
	}
}

func TestManualRuns(t *testing.T) {
	t.Parallel()
	s := apptest.Start(t, apptest.Options{})
	d := deployCode(t, s, "form", `builtin.triggers.onManual({ name: "Greet", description: "Says hello",
		inputSchema: { type: "object", required: ["name"], properties: { name: { type: "string" } } },
		handler: (ctx, event) => ({ hello: event.input_data.name, manual: event.manually_triggered, by: event.triggered_by }) });
	builtin.triggers.onWebhook({ path: "in", handler: () => 1 });`)
	listed := s.JSON(t, http.StatusOK, "GET", "/api/triggers/workflows/"+d.WorkflowID+"/manual", nil)["triggers"].([]any)
	if len(listed) != 1 {
		t.Fatalf("there are %d manual triggers, want one: %v", len(listed), listed)
	}
	manual := listed[0].(map[string]any)
	if manual["name"] != "Greet" || manual["description"] != "Says hello" || manual["inputSchema"].(map[string]any)["type"] != "object" || manual["executionCount"] != 0.0 {
		t.Errorf("the trigger is listed as %v", manual)
	}
	address := "/api/triggers/" + manual["id"].(string)

	made := s.JSON(t, http.StatusOK, "POST", address+"/invoke", map[string]any{"inputData": map[string]any{"name": "Ann"}})
	e := s.Ended(t, made["executionId"].(string))
	me := s.JSON(t, http.StatusOK, "GET", "/api/whoami", nil)["id"].(string)
	if want := `{"hello":"Ann","manual":true,"by":"` + me + `"}`; made["status"] != "invoked" || string(e.Result) != want {
		t.Errorf("the run is %s with %s, want %s", e.Status, e.Result, want)
	}
	if shown := s.JSON(t, http.StatusOK, "GET", "/api/executions/"+e.ID, nil); shown["triggeredByUserId"] != me {
		t.Errorf("it was triggered by %v, want %s", shown["triggeredByUserId"], me)
	}
	made = s.JSON(t, http.StatusCreated, "POST", address+"/execute", map[string]any{"data": map[string]any{"name": "Bob"}})
	if e := s.Ended(t, made["executionId"].(string)); !strings.HasPrefix(string(e.Result), `{"hello":"Bob"`) {
		t.Errorf("the run is %s with %s", e.Status, e.Result)
	}
	if r := s.Do(t, "POST", address+"/invoke", `{"inputData":{"name":5}}`); r.Status != http.StatusBadRequest || !strings.Contains(string(r.Body), "Input validation failed: name: got number, want string") {
		t.Errorf("a wrong input: %s", r)
	}
	for _, x := range s.JSON(t, http.StatusOK, "GET", "/api/triggers?workflowId="+d.WorkflowID, nil)["results"].([]any) {
		if other := x.(map[string]any); other["triggerType"] == "onWebhook" {
			r := s.Do(t, "POST", "/api/triggers/"+other["id"].(string)+"/invoke", nil)
			if r.Status != http.StatusBadRequest || !strings.Contains(string(r.Body), "Only manual triggers can be invoked via this endpoint") {
				t.Errorf("a webhook is invoked: %s", r)
			}
		}
	}
	if n := len(executionsOf(t, s, d.WorkflowID)); n != 2 {
		t.Errorf("%d executions were made, want 2", n)
	}
}

func TestRunsOfLater(t *testing.T) {
	t.Parallel()
	s := apptest.Start(t, apptest.Options{})
	d := deployCode(t, s, "later", `builtin.triggers.onManual({ name: "x", handler: () => "done" });`)
	manual := s.JSON(t, http.StatusOK, "GET", "/api/triggers/workflows/"+d.WorkflowID+"/manual", nil)["triggers"].([]any)[0].(map[string]any)
	invoke := func(at time.Time, status int) map[string]any {
		return s.JSON(t, status, "POST", "/api/triggers/"+manual["id"].(string)+"/invoke", map[string]any{"runAt": at.UTC().Format(time.RFC3339Nano)})
	}
	soon := invoke(time.Now().Add(1500*time.Millisecond), http.StatusOK)["executionId"].(string)
	at := time.Now().Add(48 * time.Hour)
	far := invoke(at, http.StatusOK)["executionId"].(string)
	shown := s.JSON(t, http.StatusOK, "GET", "/api/executions/"+far, nil)
	if want := "scheduled for " + at.UTC().Format("2006-01-02T15:04:05.000Z"); shown["status"] != "received" || shown["waiting"] != want {
		t.Errorf("it is %v: %v, want it to wait, %s", shown["status"], shown["waiting"], want)
	}
	if e := cancel(t, s.Client, far); e["status"] != "cancelled" {
		t.Errorf("it is %v after its cancel", e["status"])
	}
	if e := s.Ended(t, soon); e.Status != "completed" {
		t.Errorf("the run is %s: %s", e.Status, e.ErrorMessage)
	}
	invoke(time.Now().Add(-time.Minute), http.StatusBadRequest)
	invoke(time.Now().Add(400*24*time.Hour), http.StatusBadRequest)
}
