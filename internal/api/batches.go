package api

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/usefloww/flowwd/internal/access"
	"github.com/usefloww/flowwd/internal/execution"
	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/route"
	"github.com/usefloww/flowwd/internal/workflow"
)

// listedBatches is how many of a workflow's batches are listed.
const listedBatches = 50

type createBatch struct {
	Body struct {
		Action    string     `json:"action" enum:"replay,cancel"`
		DryRun    bool       `json:"dryRun,omitempty" doc:"Only counts"`
		Statuses  []string   `json:"statuses,omitempty" maxItems:"7" doc:"Those of the executions that are meant; failed and timeout for a replay, received and started for a cancel, when absent"`
		TriggerID string     `json:"triggerId,omitempty" doc:"Only those of this trigger"`
		Since     *time.Time `json:"since,omitempty" doc:"Only those received then or later"`
		Until     *time.Time `json:"until,omitempty" doc:"Only those received before; now when absent"`
	}
}

type batchBody struct {
	ID          *id.ID            `json:"id" nullable:"true" doc:"null for one that was only counted"`
	WorkflowID  id.ID             `json:"workflowId"`
	Action      string            `json:"action"`
	Statuses    []execution.State `json:"statuses" nullable:"false"`
	TriggerID   *id.ID            `json:"triggerId" nullable:"true"`
	Since       *timestamp        `json:"since" nullable:"true"`
	Until       *timestamp        `json:"until" nullable:"true"`
	Total       int               `json:"total" doc:"How many executions are meant; 10,001 stands for more than can be"`
	Done        int               `json:"done"`
	Skipped     int               `json:"skipped" doc:"Those that had ended, or whose trigger or deployment is gone"`
	Status      string            `json:"status" enum:"counted,running,completed,stopped"`
	Problem     *string           `json:"problem" doc:"Why it ended before it had come to all"`
	CreatedBy   string            `json:"createdBy"`
	CreatedByID *id.ID            `json:"createdById" nullable:"true"`
	CreatedAt   *timestamp        `json:"createdAt" nullable:"true"`
	EndedAt     *timestamp        `json:"endedAt" nullable:"true"`
}

type batchList struct {
	Results []batchBody `json:"results" nullable:"false"`
}

func registerBatches(r *route.Router, d Deps) {
	const tag = "Executions"
	of := executionsPath + "/workflows/{id}/batches"
	route.Operation(r, route.Spec{
		Method: http.MethodPost, Path: of, Policy: access.Requires(access.RunWorkflow), Status: http.StatusAccepted,
		OperationID: "create-batch", Summary: "Replay or cancel many executions of a workflow", Tag: tag,
		Description: "With dryRun the answer only says how many executions are meant. Without it they are replayed or cancelled in the background, one after the other, at most " +
			"10,000; that goes on after a restart, and ends when it is stopped. Replays run by the code that is active when they are made.",
	}, d.workflow(), func(ctx context.Context, c route.Call[workflow.Workflow], in *createBatch) (*batchBody, error) {
		b, err := parseBatch(c, in)
		if err != nil {
			return nil, err
		}
		if !in.Body.DryRun {
			b, err = d.Executions.CreateBatch(ctx, b)
			return showBatchOr(b, err)
		}
		if err := b.Filter.Check(b.Action); err != nil {
			return nil, err
		}
		if b.Filter.Until.IsZero() {
			b.Filter.Until = d.Now()
		}
		b.Total, err = d.Executions.CountBatch(ctx, b.Filter)
		return showBatchOr(b, err)
	})
	route.Operation(r, route.Spec{
		Method: http.MethodGet, Path: of, Policy: access.Requires(access.ReadExecution),
		OperationID: "list-batches", Summary: "List what was done to many executions of a workflow, newest first", Tag: tag,
	}, d.workflow(), func(ctx context.Context, c route.Call[workflow.Workflow], _ *struct{}) (*batchList, error) {
		all, err := d.Executions.Batches(ctx, c.Object.ID, listedBatches)
		list := batchList{Results: make([]batchBody, len(all))}
		for i, b := range all {
			list.Results[i] = showBatch(b)
		}
		return &list, err
	})
	route.Operation(r, route.Spec{
		Method: http.MethodGet, Path: executionsPath + "/batches/{id}", Policy: access.Requires(access.ReadExecution),
		OperationID: "get-batch", Summary: "Show how far a batch has come", Tag: tag,
	}, d.batch(), func(_ context.Context, c route.Call[execution.Batch], _ *struct{}) (*batchBody, error) {
		return showBatchOr(c.Object, nil)
	})
	route.Operation(r, route.Spec{
		Method: http.MethodPost, Path: executionsPath + "/batches/{id}/stop", Policy: access.Requires(access.RunWorkflow),
		OperationID: "stop-batch", Summary: "Stop a batch; what it did stays done", Tag: tag,
	}, d.batch(), func(ctx context.Context, c route.Call[execution.Batch], _ *struct{}) (*batchBody, error) {
		return showBatchOr(d.Executions.StopBatch(ctx, c.Object, nameOf(c.Principal)))
	})
}

func parseBatch(c route.Call[workflow.Workflow], in *createBatch) (execution.Batch, error) {
	b := execution.Batch{
		OrganizationID: c.Object.OrganizationID, Action: execution.BatchAction(in.Body.Action),
		CreatedByID: c.Principal.ID, CreatedBy: nameOf(c.Principal),
		Filter: execution.BatchFilter{WorkflowID: c.Object.ID, Since: in.Body.Since},
	}
	if in.Body.Until != nil {
		b.Filter.Until = *in.Body.Until
	}
	if in.Body.TriggerID != "" {
		trigger, err := id.Parse(in.Body.TriggerID)
		if err != nil {
			return b, fault.New(fault.NotFound, "Trigger not found")
		}
		b.Filter.TriggerID = trigger
	}
	for _, text := range in.Body.Statuses {
		b.Filter.States = append(b.Filter.States, execution.State(strings.ToLower(text)))
	}
	switch {
	case len(b.Filter.States) > 0:
	case b.Action == execution.ReplayEach:
		b.Filter.States = []execution.State{execution.Failed, execution.TimedOut}
	default:
		b.Filter.States = []execution.State{execution.Received, execution.Started}
	}
	return b, nil
}

func showBatchOr(b execution.Batch, err error) (*batchBody, error) {
	body := showBatch(b)
	return &body, err
}

func showBatch(b execution.Batch) batchBody {
	body := batchBody{
		ID: idOrNull(b.ID), WorkflowID: b.Filter.WorkflowID, Action: string(b.Action), Statuses: b.Filter.States, TriggerID: idOrNull(b.Filter.TriggerID),
		Since: timestampOrNull(b.Filter.Since), Until: timestampOrNull(&b.Filter.Until), Total: b.Total, Done: b.Done, Skipped: b.Skipped,
		Status: "running", Problem: textOrNull(b.Problem), CreatedBy: b.CreatedBy, CreatedByID: idOrNull(b.CreatedByID), EndedAt: timestampOrNull(b.EndedAt),
	}
	switch {
	case b.ID.IsZero():
		body.Status = "counted"
		return body
	case b.EndedAt != nil && b.Problem != "":
		body.Status = "stopped"
	case b.EndedAt != nil:
		body.Status = "completed"
	}
	body.CreatedAt = timestampOrNull(&b.CreatedAt)
	return body
}
