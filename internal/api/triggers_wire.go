package api

import (
	"encoding/json"
	"time"

	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/trigger"
)

type triggerBody struct {
	ID            id.ID           `json:"id"`
	WorkflowID    id.ID           `json:"workflowId"`
	ProviderType  string          `json:"providerType"`
	ProviderAlias string          `json:"providerAlias"`
	TriggerType   string          `json:"triggerType"`
	Input         json.RawMessage `json:"input"`
	CreatedAt     timestamp       `json:"createdAt"`
	WebhookURL    *string         `json:"webhookUrl"`
	NextRunAt     *timestamp      `json:"nextRunAt" nullable:"true" doc:"When its schedule fires next; it makes a run while its workflow is active"`
	NextRuns      []timestamp     `json:"nextRuns" nullable:"false" doc:"The next times of its schedule"`
	DevOnly       bool            `json:"devOnly" doc:"No deployment declares it: it was made for a development session and goes with that"`
	Timezone      *string         `json:"timezone" doc:"The place whose clock its schedule goes by; null for UTC"`
}

type triggerList struct {
	Results []triggerBody `json:"results" nullable:"false"`
}

type manualBody struct {
	ID             id.ID           `json:"id"`
	Name           string          `json:"name"`
	Description    *string         `json:"description"`
	InputSchema    json.RawMessage `json:"inputSchema" doc:"A JSON Schema of inputData; null when any object will do"`
	ExecutionCount int             `json:"executionCount" doc:"How many of the workflow's latest 1,000 executions are its own"`
}

type manualList struct {
	Triggers []manualBody `json:"triggers" nullable:"false"`
}

type listTriggers struct {
	WorkflowID string `query:"workflowId" required:"true" doc:"The workflow whose triggers are listed"`
}

type invokeTrigger struct {
	Prefer string `header:"Prefer" doc:"wait=10 has the answer wait up to 10 seconds, at most 30, for the end of the run"`
	Body   *struct {
		InputData json.RawMessage `json:"inputData,omitempty" doc:"What the handler gets as event.input_data; {} when absent"`
		RunAt     *time.Time      `json:"runAt,omitempty" doc:"When it shall run, up to a year ahead; at once when absent"`
	}
}

type executeTrigger struct {
	Prefer string `header:"Prefer" doc:"wait=10 has the answer wait up to 10 seconds, at most 30, for the end of the run"`
	Body   *struct {
		Data json.RawMessage `json:"data,omitempty" doc:"What the handler gets as event.input_data; {} when absent"`
	}
}

type invocationAnswer struct {
	ExecutionID id.ID  `json:"executionId"`
	Status      string `json:"status"`
	// Execution is shown to callers who preferred to wait.
	Execution *executionBody `json:"execution,omitempty" doc:"As it was at the end of the wait that Prefer asked for"`
}

func showTrigger(publicURL string, t trigger.Shown) triggerBody {
	body := triggerBody{
		ID: t.ID, WorkflowID: t.WorkflowID, ProviderType: t.Provider.Type, ProviderAlias: t.Provider.Alias, TriggerType: t.Type,
		Input: t.Input, CreatedAt: timestamp(t.CreatedAt), NextRuns: []timestamp{}, DevOnly: t.DevOnly, Timezone: textOrNull(t.Options.Timezone),
	}
	if t.Webhook != nil {
		url := publicURL + t.Webhook.Path
		body.WebhookURL = &url
	}
	for _, at := range t.Upcoming {
		body.NextRuns = append(body.NextRuns, timestamp(at))
	}
	if len(body.NextRuns) > 0 {
		body.NextRunAt = &body.NextRuns[0]
	}
	return body
}

func showManual(t trigger.Shown) manualBody {
	return manualBody{
		ID: t.ID, Name: t.Form.Name(), Description: textOrNull(t.Form.Description()), InputSchema: t.Form.Schema(), ExecutionCount: t.Runs,
	}
}
