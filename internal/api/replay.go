package api

import (
	"context"
	"encoding/json"
	"net/http"
	"unicode/utf8"

	"github.com/usefloww/flowwd/internal/access"
	"github.com/usefloww/flowwd/internal/execution"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/route"
	"github.com/usefloww/flowwd/internal/trigger"
)

// maxShownBody is how much of a body is shown.
const maxShownBody = 1 << 20

type replayExecution struct {
	Prefer string `header:"Prefer" doc:"wait=10 has the answer wait up to 10 seconds, at most 30, for the end of the run"`
	Body   *struct {
		InputData json.RawMessage `json:"inputData,omitempty" doc:"Takes the place of a manual run's input; checked against the schema that the trigger has now"`
		Data      json.RawMessage `json:"data,omitempty" doc:"The members of another event that are to be different, such as body, headers or query; rawBody has the bytes of the body in base64"`
	}
}

type replayAnswer struct {
	ExecutionID id.ID           `json:"executionId"`
	Status      execution.State `json:"status"`
	ReplayOf    id.ID           `json:"replayOf"`
	Execution   *executionBody  `json:"execution,omitempty" doc:"As it was at the end of the wait that Prefer asked for"`
}

type eventBody struct {
	Fields      json.RawMessage `json:"fields" doc:"The members of the event other than its body"`
	HasBody     bool            `json:"hasBody"`
	ContentType string          `json:"contentType"`
	Size        int             `json:"size" doc:"Of the body, in bytes"`
	Text        *string         `json:"text,omitempty" doc:"The body where it is text of at most 1 MiB"`
	Base64      []byte          `json:"base64,omitempty" doc:"The body where it is no text"`
}

func registerReplay(r *route.Router, d Deps) {
	const tag = "Executions"
	route.Operation(r, route.Spec{
		Method: http.MethodGet, Path: executionsPath + "/{id}/event", Policy: access.Requires(access.ReadExecution),
		OperationID: "get-execution-event", Summary: "Show what caused an execution", Tag: tag,
	}, d.execution(), func(ctx context.Context, c route.Call[execution.Execution], _ *struct{}) (*eventBody, error) {
		event, err := d.Executions.Event(ctx, c.Object)
		if err != nil {
			return nil, err
		}
		return showEvent(event), nil
	})
	route.Operation(r, route.Spec{
		Method: http.MethodPost, Path: executionsPath + "/{id}/replay", Policy: access.Requires(access.RunWorkflow),
		BodyLimit: d.WebhookBody, Timeout: respondTimeout, Status: http.StatusCreated,
		OperationID: "replay-execution", Summary: "Run an execution's event again", Tag: tag,
		Description: "Makes another execution with the same event, or an edited one, and runs it by the code that is active now. The first execution stays as it is. " +
			"A trigger that is not declared any more is a conflict. " + preferDescription,
	}, d.execution(), func(ctx context.Context, c route.Call[execution.Execution], in *replayExecution) (*replayAnswer, error) {
		replay := trigger.Replay{Execution: c.Object, By: c.Principal.ID}
		if in.Body != nil {
			replay.Input, replay.Data = in.Body.InputData, in.Body.Data
		}
		accepted, err := d.Triggers.Replay(ctx, replay)
		if err != nil {
			return nil, err
		}
		answer := &replayAnswer{ExecutionID: accepted.ExecutionID, Status: accepted.State, ReplayOf: c.Object.ID}
		answer.Execution, err = d.await(ctx, c.Object.OrganizationID, accepted.ExecutionID, in.Prefer)
		return answer, err
	})
}

func showEvent(e execution.Event) *eventBody {
	body := &eventBody{Fields: e.Fields, HasBody: e.HasBody, ContentType: e.ContentType, Size: len(e.Body)}
	switch {
	case !e.HasBody || len(e.Body) > maxShownBody:
	case utf8.Valid(e.Body):
		text := string(e.Body)
		body.Text = &text
	default:
		body.Base64 = e.Body
	}
	return body
}
