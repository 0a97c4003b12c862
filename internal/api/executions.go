package api

import (
	"context"
	"net/http"

	"github.com/usefloww/flowwd/internal/access"
	"github.com/usefloww/flowwd/internal/execution"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/identity"
	"github.com/usefloww/flowwd/internal/route"
	"github.com/usefloww/flowwd/internal/workflow"
)

const executionsPath = "/api/executions"

type listWorkflowExecutions struct {
	Status string `query:"status" doc:"Only those in this state, in any case"`
	Limit  int    `query:"limit" minimum:"1" maximum:"100" default:"50"`
	Offset int    `query:"offset" minimum:"0" maximum:"1000000"`
}

type listExecutions struct {
	WorkflowID string `query:"workflowId" doc:"Only those of this workflow"`
	Status     string `query:"status" doc:"Only those in this state, in any case"`
	Limit      int    `query:"limit" minimum:"1" maximum:"100" default:"50"`
	Offset     int    `query:"offset" minimum:"0" maximum:"1000000"`
}

func registerExecutions(r *route.Router, d Deps) {
	o := executionOperations{d}
	const tag = "Executions"
	route.Operation(r, route.Spec{ // E2
		Method: http.MethodGet, Path: executionsPath + "/workflows/{id}", Policy: access.Requires(access.ReadExecution),
		OperationID: "list-workflow-executions", Summary: "List a workflow's executions, newest first", Tag: tag,
		Description: "Executions without a deployment are listed only when status asks for them.",
	}, d.workflow(), func(ctx context.Context, c route.Call[workflow.Workflow], in *listWorkflowExecutions) (*executionList, error) {
		return o.list(ctx, []id.ID{c.Object.OrganizationID}, c.Object.ID, in.Status, in.Limit, in.Offset)
	})
	route.Operation(r, route.Spec{ // E3
		Method: http.MethodGet, Path: executionsPath + "/{id}", Policy: access.Requires(access.ReadExecution),
		OperationID: "get-execution", Summary: "Show an execution with the beginning of its log", Tag: tag,
	}, d.execution(), o.get)
	route.Operation(r, route.Spec{
		Method: http.MethodPost, Path: executionsPath + "/{id}/cancel", Policy: access.Requires(access.RunWorkflow),
		OperationID: "cancel-execution", Summary: "End an execution that waits or runs", Tag: tag,
		Description: "A waiting execution ends at once. The process of a running one is ended by its server; the answer waits for that for up to 5 seconds " +
			"and shows the execution as it is then. Cancelling again changes nothing; one that has ended otherwise is a conflict.",
	}, d.execution(), o.cancel)
	route.Operation(r, route.Spec{ // E5
		Method: http.MethodGet, Path: executionsPath, Policy: access.Requires(access.ReadExecution),
		OperationID: "list-executions", Summary: "List executions, newest first", Tag: tag,
		Description: "Executions without a deployment are listed only when status asks for them.",
	}, route.NoObject(), o.listAll)
}

type executionOperations struct{ Deps }

func (o executionOperations) list(ctx context.Context, organizations []id.ID, workflow id.ID, status string, limit, offset int) (*executionList, error) {
	state, err := parseState(status)
	if err != nil {
		return nil, err
	}
	page, err := o.Executions.List(ctx, execution.ListFilter{
		Organizations: organizations, WorkflowID: workflow, State: state, Limit: limit, Offset: offset,
	})
	if err != nil {
		return nil, err
	}
	list := executionList{
		WorkflowID: idOrNull(workflow), Limit: limit, Offset: offset, Count: len(page.Executions), Total: page.Total,
		Executions: make([]executionBody, len(page.Executions)),
	}
	for i, e := range page.Executions {
		list.Executions[i] = showExecution(e)
	}
	list.Results = list.Executions
	return &list, nil
}

func (o executionOperations) listAll(ctx context.Context, c route.Call[route.None], in *listExecutions) (*executionList, error) {
	if in.WorkflowID == "" {
		return o.list(ctx, access.OrganizationsFor(c.Principal, access.ReadExecution), id.ID{}, in.Status, in.Limit, in.Offset)
	}
	w, err := o.findWorkflow(ctx, c.Principal, in.WorkflowID, access.ReadExecution)
	if err != nil {
		return nil, err
	}
	return o.list(ctx, []id.ID{w.OrganizationID}, w.ID, in.Status, in.Limit, in.Offset)
}

func (o executionOperations) get(ctx context.Context, c route.Call[execution.Execution], _ *struct{}) (*executionBody, error) {
	entries, more, err := o.readLog(ctx, c.Object.ID, execution.Cursor{}, maxDetailLines)
	if err != nil {
		return nil, err
	}
	attempts, err := o.Executions.Attempts(ctx, c.Object.ID)
	if err != nil {
		return nil, err
	}
	body, lines, ended := showOneExecution(c.Object), showLogs(entries), showAttempts(attempts)
	body.Attempts = &ended
	body.LogEntries, body.LogsTruncated = &lines, &more
	if more {
		body.LogsNext = textOrNull(entries[len(entries)-1].Cursor.String())
	}
	return &body, nil
}

func (o executionOperations) cancel(ctx context.Context, c route.Call[execution.Execution], _ *struct{}) (*executionBody, error) {
	e, err := o.Executions.Cancel(ctx, c.Object, nameOf(c.Principal))
	if err != nil {
		return nil, err
	}
	body := showOneExecution(e)
	return &body, nil
}

// nameOf says to people who a principal is.
func nameOf(p identity.Principal) string {
	if p.Kind == identity.Human {
		return p.User.Label()
	}
	return "the service account " + p.Name
}
