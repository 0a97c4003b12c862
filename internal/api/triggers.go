package api

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/usefloww/flowwd/internal/access"
	"github.com/usefloww/flowwd/internal/route"
	"github.com/usefloww/flowwd/internal/trigger"
	"github.com/usefloww/flowwd/internal/workflow"
)

const triggersPath = "/api/triggers"

func registerTriggers(r *route.Router, d Deps) {
	o := triggerOperations{d}
	const tag = "Triggers"
	route.Operation(r, route.Spec{ // T4
		Method: http.MethodGet, Path: triggersPath, Policy: access.Requires(access.ReadWorkflow),
		OperationID: "list-triggers", Summary: "List a workflow's triggers with the next times of their schedules", Tag: tag,
	}, route.NoObject(), o.list)
	route.Operation(r, route.Spec{ // T2
		Method: http.MethodGet, Path: triggersPath + "/workflows/{id}/manual", Policy: access.Requires(access.ReadWorkflow),
		OperationID: "list-manual-triggers", Summary: "List the triggers that people fire by hand", Tag: tag,
	}, d.workflow(), o.listManual)
	route.Operation(r, route.Spec{ // T3
		Method: http.MethodPost, Path: triggersPath + "/{id}/invoke", Policy: access.Requires(access.RunWorkflow), Timeout: respondTimeout,
		OperationID: "invoke-trigger", Summary: "Fire a manual trigger, now or at a later time", Tag: tag,
		Description: "The input is checked against the trigger's schema before anything is stored. With runAt the execution waits until then; it is listed as " +
			"`received` with the reason `scheduled for …`, and can be cancelled. " + preferDescription,
	}, d.trigger(), func(ctx context.Context, c route.Call[workflow.Trigger], in *invokeTrigger) (*invocationAnswer, error) {
		var input json.RawMessage
		var at *time.Time
		if in.Body != nil {
			input, at = in.Body.InputData, in.Body.RunAt
		}
		return o.invoke(ctx, c, input, at, "invoked", in.Prefer)
	})
	route.Operation(r, route.Spec{ // T6
		Method: http.MethodPost, Path: triggersPath + "/{id}/execute", Policy: access.Requires(access.RunWorkflow), Timeout: respondTimeout,
		Status: http.StatusCreated, OperationID: "execute-trigger", Summary: "Fire a manual trigger now", Tag: tag, Description: preferDescription,
	}, d.trigger(), func(ctx context.Context, c route.Call[workflow.Trigger], in *executeTrigger) (*invocationAnswer, error) {
		var input json.RawMessage
		if in.Body != nil {
			input = in.Body.Data
		}
		return o.invoke(ctx, c, input, nil, "", in.Prefer)
	})
}

type triggerOperations struct{ Deps }

func (o triggerOperations) list(ctx context.Context, c route.Call[route.None], in *listTriggers) (*triggerList, error) {
	w, err := o.findWorkflow(ctx, c.Principal, in.WorkflowID, access.ReadWorkflow)
	if err != nil {
		return nil, err
	}
	all, err := o.Triggers.List(ctx, w.ID)
	if err != nil {
		return nil, err
	}
	list := triggerList{Results: make([]triggerBody, len(all))}
	for i, t := range all {
		list.Results[i] = showTrigger(o.PublicURL(), t)
	}
	return &list, nil
}

func (o triggerOperations) listManual(ctx context.Context, c route.Call[workflow.Workflow], _ *struct{}) (*manualList, error) {
	all, err := o.Triggers.List(ctx, c.Object.ID)
	if err != nil {
		return nil, err
	}
	list := manualList{Triggers: []manualBody{}}
	for _, t := range all {
		if t.Form != nil {
			list.Triggers = append(list.Triggers, showManual(t))
		}
	}
	return &list, nil
}

// invoke answers with the state of the execution when no word is given.
func (o triggerOperations) invoke(ctx context.Context, c route.Call[workflow.Trigger], input json.RawMessage, at *time.Time, word, prefer string) (*invocationAnswer, error) {
	accepted, err := o.Triggers.Invoke(ctx, trigger.Invocation{Trigger: c.Object, By: c.Principal.ID, Input: input, At: at})
	if err != nil {
		return nil, err
	}
	answer := &invocationAnswer{ExecutionID: accepted.ExecutionID, Status: word}
	if word == "" {
		answer.Status = string(accepted.State)
	}
	answer.Execution, err = o.await(ctx, c.Object.OrganizationID, accepted.ExecutionID, prefer)
	return answer, err
}
