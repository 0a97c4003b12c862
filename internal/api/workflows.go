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
	"github.com/usefloww/flowwd/internal/tenant"
	"github.com/usefloww/flowwd/internal/workflow"
)

const workflowsPath = "/api/workflows"

func registerWorkflows(r *route.Router, d Deps) {
	o := workflowOperations{d}
	const tag = "Workflows"
	route.Operation(r, route.Spec{ // W1
		Method: http.MethodGet, Path: workflowsPath, Policy: access.Requires(access.ReadWorkflow),
		OperationID: "list-workflows", Summary: "List workflows, the one changed last first", Tag: tag,
	}, route.NoObject(), o.list)
	route.Operation(r, route.Spec{ // W2
		Method: http.MethodPost, Path: workflowsPath, Policy: access.Requires(access.WriteWorkflow),
		OperationID: "create-workflow", Summary: "Create a workflow", Tag: tag, Status: http.StatusCreated,
	}, route.NoObject(), o.create)
	route.Operation(r, route.Spec{ // W3
		Method: http.MethodGet, Path: workflowsPath + "/{id}", Policy: access.Requires(access.ReadWorkflow),
		OperationID: "get-workflow", Summary: "Show a workflow", Tag: tag,
	}, d.workflow(), o.get)
	route.Operation(r, route.Spec{ // W4
		Method: http.MethodPatch, Path: workflowsPath + "/{id}", Policy: access.Requires(access.WriteWorkflow),
		OperationID: "change-workflow", Summary: "Change a workflow; members that are absent stay as they are", Tag: tag,
	}, d.workflow(), o.change)
	route.Operation(r, route.Spec{ // W5
		Method: http.MethodDelete, Path: workflowsPath + "/{id}", Policy: access.Requires(access.WriteWorkflow),
		OperationID: "delete-workflow", Summary: "Delete a workflow with its deployments, triggers and executions", Tag: tag,
	}, d.workflow(), o.delete)
}

type workflowOperations struct{ Deps }

func (o workflowOperations) list(ctx context.Context, c route.Call[route.None], in *listWorkflows) (*workflowList, error) {
	filter := workflow.ListFilter{Search: in.Search, Limit: in.Limit, Offset: in.Offset}
	var err error
	if filter.NamespaceID, err = namedIn("query.namespaceId", in.NamespaceID); err != nil {
		return nil, err
	}
	folder := in.ParentFolderID
	if folder == "" {
		folder = in.FolderID
	}
	if folder == "" && in.RootOnly {
		folder = rootWord
	}
	if filter.Organizations, filter.FolderID, filter.Root, err = o.within(ctx, c.Principal, access.ReadWorkflow, "query.parentFolderId", folder); err != nil {
		return nil, err
	}
	page, err := o.Workflows.List(ctx, filter)
	if err != nil {
		return nil, err
	}
	list := workflowList{Results: make([]workflowBody, len(page.Workflows)), Total: page.Total}
	for i, w := range page.Workflows {
		list.Results[i] = showWorkflow(w)
	}
	return &list, nil
}

func (o workflowOperations) create(ctx context.Context, c route.Call[route.None], in *createWorkflow) (*workflowBody, error) {
	n, err := o.bodyNamespace(ctx, c.Principal, in.Body.NamespaceID)
	if err != nil {
		return nil, err
	}
	around, err := o.place(ctx, c.Principal, access.WriteWorkflow, n.OrganizationID, n.ID, in.Body.ParentFolderID)
	if err != nil {
		return nil, err
	}
	w, err := o.Workflows.Create(ctx, workflow.Workflow{
		OrganizationID: n.OrganizationID, NamespaceID: n.ID, Folders: around,
		Name: in.Body.Name, Description: in.Body.Description.Value, CreatedByID: c.Principal.ID,
	})
	if err != nil {
		return nil, err
	}
	return showOneWorkflow(w), nil
}

func (o workflowOperations) get(_ context.Context, c route.Call[workflow.Workflow], _ *struct{}) (*workflowBody, error) {
	return showOneWorkflow(c.Object), nil
}

func (o workflowOperations) change(ctx context.Context, c route.Call[workflow.Workflow], in *changeWorkflow) (*workflowBody, error) {
	change, err := in.change(c.Object)
	if err != nil {
		return nil, err
	}
	change.Move, err = o.move(ctx, c.Principal, access.WriteWorkflow, c.Object.NamespaceID, c.Object.Folders, objects.OfWorkflow(c.Object), in.Body.ParentFolderID)
	if err != nil {
		return nil, err
	}
	if change == (workflow.Change{}) {
		return showOneWorkflow(c.Object), nil
	}
	w, err := o.Workflows.Update(ctx, c.Object.ID, change)
	if err != nil {
		return nil, err
	}
	return showOneWorkflow(w), nil
}

// change returns what the request asks to change about w.
func (in *changeWorkflow) change(w workflow.Workflow) (workflow.Change, error) {
	b := &in.Body
	switch {
	case b.Name.Set && b.Name.Value == nil:
		return workflow.Change{}, invalid("body.name", "must not be null")
	case b.Active.Set && b.Active.Value == nil:
		return workflow.Change{}, invalid("body.active", "must be true or false")
	case b.NamespaceID.Value != nil && !sameID(*b.NamespaceID.Value, w.NamespaceID):
		return workflow.Change{}, invalid("body.namespaceId", "a workflow can't move to another namespace")
	}
	change := workflow.Change{Name: b.Name.Value, Active: b.Active.Value}
	if b.Description.Set {
		change.Description = &b.Description.Value
	}
	return change, nil
}

func (o workflowOperations) delete(ctx context.Context, c route.Call[workflow.Workflow], _ *struct{}) (*deleted, error) {
	if err := o.Workflows.Delete(ctx, c.Object.ID); err != nil {
		return nil, err
	}
	return &deleted{ID: c.Object.ID, Message: "workflow deleted successfully", Success: true}, nil
}

// sameID reports whether a text names an id.
func sameID(text string, x id.ID) bool { return strings.EqualFold(text, x.String()) }

// bodyNamespace returns the namespace that a body names.
func (d Deps) bodyNamespace(ctx context.Context, p identity.Principal, text string) (tenant.Namespace, error) {
	named, err := id.Parse(text)
	if err != nil {
		return tenant.Namespace{}, errNoNamespace()
	}
	n, err := d.Tenants.Namespace(ctx, p.Organizations(), named)
	if fault.Is(err, fault.NotFound) {
		return n, errNoNamespace()
	}
	return n, err
}

// errNoNamespace is a wrong request and no missing page: the address is right.
func errNoNamespace() error {
	f := fault.New(fault.Invalid, "Namespace not found")
	f.Fields = []fault.Field{{Location: "body.namespaceId", Message: "is no namespace of yours"}}
	return f
}
