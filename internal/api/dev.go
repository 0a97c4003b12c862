package api

import (
	"context"
	"net/http"

	"github.com/usefloww/flowwd/internal/access"
	"github.com/usefloww/flowwd/internal/dev"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/route"
	"github.com/usefloww/flowwd/internal/workflow"
)

// Dev keeps the sessions of those who run events on their own machines.
type Dev interface {
	Sync(ctx context.Context, w workflow.Workflow, developer id.ID, declared []workflow.Declaration, mirror bool) (dev.Session, error)
	Session(ctx context.Context, organizations []id.ID, session id.ID) (dev.Session, error)
	Sessions(ctx context.Context, workflow id.ID) ([]dev.Session, error)
	Connected(x dev.Session) bool
	End(ctx context.Context, x dev.Session) error
}

const devPath = "/api/dev"

func registerDev(r *route.Router, d Deps) {
	o := devOperations{d}
	const tag = "Development"
	route.Operation(r, route.Spec{ // T1
		Method: http.MethodPost, Path: devPath + "/sync-triggers", Policy: access.Requires(access.DeployWorkflow),
		OperationID: "sync-dev-triggers", Summary: "Have a workflow's events run on the caller's machine", Tag: tag,
		Description: "Begins a development session, or changes the one that the caller has with the workflow. While the caller is subscribed to the workflow's channel, " +
			"events of the declared triggers are told there and the deployed code does not run them. Triggers that no deployment has are made for the session. " +
			"It ends a minute after the caller is gone.",
	}, route.NoObject(), o.sync)
	route.Operation(r, route.Spec{
		Method: http.MethodGet, Path: devPath + "/sessions", Policy: access.Requires(access.ReadWorkflow),
		OperationID: "list-dev-sessions", Summary: "List who develops a workflow", Tag: tag,
	}, route.NoObject(), o.list)
	route.Operation(r, route.Spec{
		Method: http.MethodDelete, Path: devPath + "/sessions/{id}", Policy: access.Requires(access.DeployWorkflow),
		OperationID: "end-dev-session", Summary: "End a development session, one's own or another's", Tag: tag,
		Description: "The deployed code runs all events from now on, and triggers that were made for the session are gone.",
	}, d.devSession(), o.end)
}

type devOperations struct{ Deps }

func (d Deps) devSession() route.Object[dev.Session] {
	return route.Object[dev.Session]{
		What: "Development session", Param: "id", Load: d.Dev.Session,
		Resource: func(x dev.Session) access.Resource {
			return access.InWorkflow(x.OrganizationID, x.WorkflowID, x.Folders, "Development session")
		},
	}
}

func (o devOperations) sync(ctx context.Context, c route.Call[route.None], in *syncDev) (*syncedDev, error) {
	b := &in.Body
	w, err := o.findWorkflow(ctx, c.Principal, b.WorkflowID, access.DeployWorkflow)
	if err != nil {
		return nil, err
	}
	declared, err := declarations(b.Triggers)
	if err != nil {
		return nil, err
	}
	session, err := o.Dev.Sync(ctx, w, c.Principal.ID, declared, b.Mirror)
	if err != nil {
		return nil, err
	}
	return &syncedDev{
		Webhooks: showWebhooks(o.PublicURL(), session.Triggers), Session: showDevSession(session, o.Dev.Connected(session)),
	}, nil
}

func (o devOperations) list(ctx context.Context, c route.Call[route.None], in *listDev) (*devList, error) {
	w, err := o.findWorkflow(ctx, c.Principal, in.WorkflowID, access.ReadWorkflow)
	if err != nil {
		return nil, err
	}
	found, err := o.Dev.Sessions(ctx, w.ID)
	if err != nil {
		return nil, err
	}
	list := devList{Results: make([]devSessionBody, len(found))}
	for i, x := range found {
		list.Results[i] = showDevSession(x, o.Dev.Connected(x))
	}
	return &list, nil
}

func (o devOperations) end(ctx context.Context, c route.Call[dev.Session], _ *struct{}) (*deleted, error) {
	if err := o.Dev.End(ctx, c.Object); err != nil {
		return nil, err
	}
	return &deleted{ID: c.Object.ID, Message: "Development session ended", Success: true}, nil
}
