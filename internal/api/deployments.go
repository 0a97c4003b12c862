package api

import (
	"context"
	"net/http"
	"strings"

	"github.com/usefloww/flowwd/internal/access"
	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/identity"
	"github.com/usefloww/flowwd/internal/objects"
	"github.com/usefloww/flowwd/internal/route"
	"github.com/usefloww/flowwd/internal/workflow"
)

type listDeployments struct {
	WorkflowID string `query:"workflowId" doc:"The workflow whose deployments are listed; without it the active ones of all workflows are, without code"`
	Limit      int    `query:"limit" minimum:"1" maximum:"50" default:"50"`
	Offset     int    `query:"offset" minimum:"0" maximum:"1000000"`
}

type changeDeployment struct {
	Body struct {
		Status   optional[string]         `json:"status,omitempty" doc:"ACTIVE or INACTIVE, in any case"`
		Note     optional[string]         `json:"note,omitempty" doc:"null removes it"`
		UserCode optional[map[string]any] `json:"userCode,omitempty" doc:"Can't be changed: deploy again"`
	}
}

func registerDeployments(r *route.Router, d Deps) {
	o := deploymentOperations{d}
	const tag = "Deployments"
	const one, oneAlias = deploymentsPath + "/{id}", deploymentsAlias + "/{id}"
	route.Operation(r, route.Spec{ // D1
		Method: http.MethodGet, Path: deploymentsPath, Aliases: []string{deploymentsAlias}, Policy: access.Requires(access.ReadWorkflow),
		OperationID: "list-deployments", Summary: "List a workflow's deployments, newest first", Tag: tag,
	}, route.NoObject(), o.list)
	route.Operation(r, route.Spec{ // D3
		Method: http.MethodGet, Path: one, Aliases: []string{oneAlias}, Policy: access.Requires(access.ReadWorkflow),
		OperationID: "get-deployment", Summary: "Show a deployment with its code", Tag: tag,
	}, d.deployment(), o.get)
	route.Operation(r, route.Spec{ // D4
		Method: http.MethodPatch, Path: one, Aliases: []string{oneAlias}, Policy: access.Requires(access.DeployWorkflow), Timeout: deployTimeout,
		OperationID: "change-deployment", Summary: "Activate or deactivate a deployment, or change its note", Tag: tag,
	}, d.deployment(), o.change)
	route.Operation(r, route.Spec{ // D5
		Method: http.MethodDelete, Path: one, Aliases: []string{oneAlias}, Policy: access.Requires(access.DeployWorkflow),
		OperationID: "delete-deployment", Summary: "Delete a deployment that is not active", Tag: tag,
	}, d.deployment(), o.delete)
}

type deploymentOperations struct{ Deps }

func (o deploymentOperations) list(ctx context.Context, c route.Call[route.None], in *listDeployments) (*deploymentList, error) {
	if in.WorkflowID == "" {
		return o.listActive(ctx, c, in)
	}
	w, err := o.findWorkflow(ctx, c.Principal, in.WorkflowID, access.ReadWorkflow)
	if err != nil {
		return nil, err
	}
	all, total, err := o.Deployments.List(ctx, w.ID, in.Limit, in.Offset)
	if err != nil {
		return nil, err
	}
	list := deploymentList{Results: make([]deploymentBody, len(all)), Total: total}
	for i, x := range all {
		list.Results[i] = showDeployment(x, c.Pattern)
		if x.Status != workflow.StatusActive {
			continue
		}
		source, err := o.Deployments.Source(ctx, x.ID)
		if err != nil {
			return nil, err
		}
		list.Results[i].UserCode = showSource(source)
	}
	return &list, nil
}

// listActive lists the active deployments of a page of workflows, the one
// changed last first, without their code. Its total is that of the workflows.
func (o deploymentOperations) listActive(ctx context.Context, c route.Call[route.None], in *listDeployments) (*deploymentList, error) {
	page, err := o.Workflows.List(ctx, workflow.ListFilter{
		Organizations: access.OrganizationsFor(c.Principal, access.ReadWorkflow), Limit: in.Limit, Offset: in.Offset,
	})
	if err != nil {
		return nil, err
	}
	list := deploymentList{Results: []deploymentBody{}, Total: page.Total}
	for _, w := range page.Workflows {
		if w.ActiveDeployment == nil {
			continue
		}
		d, err := o.Deployments.Get(ctx, []id.ID{w.OrganizationID}, w.ActiveDeployment.ID)
		if fault.Is(err, fault.NotFound) {
			continue // deleted meanwhile
		}
		if err != nil {
			return nil, err
		}
		list.Results = append(list.Results, showDeployment(d, c.Pattern))
	}
	return &list, nil
}

func (o deploymentOperations) get(ctx context.Context, c route.Call[workflow.Deployment], _ *struct{}) (*deploymentBody, error) {
	source, err := o.Deployments.Source(ctx, c.Object.ID)
	if err != nil {
		return nil, err
	}
	body := showDeployment(c.Object, c.Pattern)
	body.UserCode = showSource(source)
	if c.Object.Status == workflow.StatusActive {
		triggers, err := o.Deployments.Triggers(ctx, c.Object.WorkflowID)
		if err != nil {
			return nil, err
		}
		body.Webhooks = showWebhooks(o.PublicURL(), triggers)
	}
	return &body, nil
}

func (o deploymentOperations) change(ctx context.Context, c route.Call[workflow.Deployment], in *changeDeployment) (*deploymentBody, error) {
	b := &in.Body
	var status workflow.Status
	switch {
	case b.UserCode.Set:
		return nil, invalid("body.userCode", "the code of a deployment can't be changed; deploy again")
	case b.Status.Value != nil:
		status = workflow.Status(strings.ToLower(*b.Status.Value))
		if status != workflow.StatusActive && status != workflow.StatusInactive {
			return nil, invalid("body.status", "must be ACTIVE or INACTIVE")
		}
	case b.Status.Set:
		return nil, invalid("body.status", "must not be null")
	}
	x, err := c.Object, error(nil)
	if b.Note.Set {
		if x, err = o.Deployments.SetNote(ctx, x, b.Note.Value); err != nil {
			return nil, err
		}
	}
	if status != "" {
		if x, err = o.Deployments.SetStatus(ctx, x, status); err != nil {
			return nil, err
		}
	}
	body := showDeployment(x, c.Pattern)
	return &body, nil
}

func (o deploymentOperations) delete(ctx context.Context, c route.Call[workflow.Deployment], _ *struct{}) (*deleted, error) {
	if err := o.Deployments.Delete(ctx, c.Object); err != nil {
		return nil, err
	}
	return &deleted{ID: c.Object.ID, Message: "workflow_deployment deleted successfully", Success: true}, nil
}

// findWorkflow returns the workflow that a query names.
func (d Deps) findWorkflow(ctx context.Context, p identity.Principal, text string, action access.Action) (workflow.Workflow, error) {
	missing := fault.New(fault.NotFound, "Workflow not found")
	named, err := id.Parse(text)
	if err != nil {
		return workflow.Workflow{}, missing
	}
	w, err := d.Workflows.Workflow(ctx, p.Organizations(), named)
	if fault.Is(err, fault.NotFound) {
		return workflow.Workflow{}, missing
	}
	if err != nil {
		return workflow.Workflow{}, err
	}
	return w, access.Allow(p, action, objects.OfWorkflow(w))
}
