package api

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/usefloww/flowwd/internal/execution"
	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/trigger"
	"github.com/usefloww/flowwd/internal/workflow"
)

// testForm is what a manual trigger shows.
type testForm struct{}

func (testForm) Name() string            { return "Run it" }
func (testForm) Description() string     { return "now" }
func (testForm) Schema() json.RawMessage { return json.RawMessage(`{"type":"object"}`) }
func (testForm) Event(string, json.RawMessage) (json.RawMessage, error) {
	return nil, nil
}

func withTriggers(w *world) {
	one := func(number byte, kind, input string) trigger.Shown {
		return trigger.Shown{Trigger: workflow.Trigger{
			ID: n(number), OrganizationID: n(orgNumber), WorkflowID: n(workflowNumber), CreatedAt: clock,
			Declaration: workflow.Declaration{Provider: workflow.ProviderRef{Type: "builtin", Alias: "default"}, Type: kind, Input: json.RawMessage(input)},
		}}
	}
	hook, cron, manual := one(7, "onWebhook", `{"method":"POST"}`), one(8, "onCron", `{"z_a":1,"expression":"@daily"}`), one(4, "onManual", `{}`)
	hook.Webhook = &workflow.Webhook{ID: n(9), Method: "POST", Path: "/webhook/a"}
	cron.Upcoming, cron.Options.Timezone = []time.Time{clock, clock.Add(24 * time.Hour)}, "Europe/Berlin"
	manual.Form, manual.Runs = testForm{}, 12
	w.triggers.all = []trigger.Shown{hook, cron, manual}
	w.triggers.answer = execution.Accepted{ExecutionID: n(6), State: execution.Received}
}

func TestListTriggers(t *testing.T) {
	t.Parallel()
	w := newWorld(t, withTriggers)
	const rest = `"workflowId":"#3","providerType":"builtin","providerAlias":"default","devOnly":false,"createdAt":"2026-03-04T04:06:07.008Z"`
	wantJSON(t, w.ask(t, "GET", ids("/api/triggers?workflow_id=#3"), ""), 200, `{"results":[
		{"id":"#7",`+rest+`,"triggerType":"onWebhook","input":{"method":"POST"},"webhookUrl":"https://flows.example/webhook/a","nextRunAt":null,"nextRuns":[],"timezone":null},
		{"id":"#8",`+rest+`,"triggerType":"onCron","input":{"z_a":1,"expression":"@daily"},"webhookUrl":null,"timezone":"Europe/Berlin",
			"nextRunAt":"2026-03-04T04:06:07.008Z","nextRuns":["2026-03-04T04:06:07.008Z","2026-03-05T04:06:07.008Z"]},
		{"id":"#4",`+rest+`,"triggerType":"onManual","input":{},"webhookUrl":null,"nextRunAt":null,"nextRuns":[],"timezone":null}]}`)
	wantJSON(t, w.ask(t, "GET", ids("/api/triggers/workflows/#3/manual"), ""), 200,
		`{"triggers":[{"id":"#4","name":"Run it","description":"now","inputSchema":{"type":"object"},"executionCount":12}]}`)
	wantError(t, w.ask(t, "GET", "/api/triggers", ""), 400, "query.workflowId")
	wantError(t, w.ask(t, "GET", ids("/api/triggers/workflows/#3/manual"), "", "Authorization: Bearer stranger"), 404, "Workflow not found")
}

func TestInvokeTrigger(t *testing.T) {
	t.Parallel()
	w := newWorld(t, withTriggers)
	wantJSON(t, w.ask(t, "POST", ids("/api/triggers/#4/invoke"), `{"input_data":{"a_b":1},"run_at":"2026-05-01T00:00:00Z"}`), 200, `{"executionId":"#6","status":"invoked"}`)
	in := w.triggers.invoked
	if string(in.Input) != `{"a_b":1}` || in.At == nil || !in.At.Equal(time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC)) || in.By != n(memberNumber) || in.Trigger.ID != n(4) {
		t.Errorf("invoked with %+v", in)
	}
	wantJSON(t, w.ask(t, "POST", ids("/api/triggers/#4/invoke"), ``), 200, `{"executionId":"#6","status":"invoked"}`)
	wantJSON(t, w.ask(t, "POST", ids("/api/triggers/#4/execute"), `{"data":{"a_b":2}}`), 201, `{"executionId":"#6","status":"received"}`)
	if in := w.triggers.invoked; string(in.Input) != `{"a_b":2}` || in.At != nil {
		t.Errorf("executed with %+v", in)
	}
	wantError(t, w.ask(t, "POST", ids("/api/triggers/#4/invoke"), `{"run_at":"tomorrow"}`), 400, "body.runAt")
	wantError(t, w.ask(t, "POST", ids("/api/triggers/#6/invoke"), ``), 404, "Trigger not found")
	wantError(t, w.ask(t, "POST", ids("/api/triggers/#4/invoke"), ``, "Authorization: Bearer viewer"), 403, "workflow.run")
	wantError(t, w.ask(t, "POST", ids("/api/triggers/#4/invoke"), ``, "Authorization: Bearer stranger"), 404, "Trigger not found")
	w.triggers.err = fault.New(fault.Invalid, "Input validation failed: x")
	wantError(t, w.ask(t, "POST", ids("/api/triggers/#4/invoke"), ``), 400, "Input validation failed: x")
}
