package deploy

import (
	"context"
	"time"

	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/workflow"
)

// Store keeps deployments. Each method is one atomic unit.
type Store interface {
	// ActivateDeployment makes a deployment the active one: it stores the
	// deployment with its source and program where they are new, sets the one
	// that was active inactive, and applies the trigger changes.
	// fault.Conflict when the workflow's version is no longer the expected one
	// or a webhook's address is taken; fault.NotFound when the workflow is gone.
	ActivateDeployment(ctx context.Context, a Activation) error
	// DeactivateDeployment sets a deployment inactive. Its triggers stay, so
	// that events are kept as no_deployment.
	DeactivateDeployment(ctx context.Context, deployment id.ID, at time.Time) error
	// DeleteDeployment hides a deployment. fault.Conflict when it is active.
	DeleteDeployment(ctx context.Context, deployment id.ID, at time.Time) error
	// SetDeploymentNote stores a note.
	SetDeploymentNote(ctx context.Context, deployment id.ID, note *string) error

	// Deployment returns a deployment that one of the organizations owns;
	// fault.NotFound otherwise.
	Deployment(ctx context.Context, organizations []id.ID, deployment id.ID) (workflow.Deployment, error)
	// Deployments returns a page of a workflow's deployments, newest first,
	// and the number of all.
	Deployments(ctx context.Context, workflow id.ID, limit, offset int) ([]workflow.Deployment, int, error)
	// Source returns a deployment's source.
	Source(ctx context.Context, deployment id.ID) (workflow.Source, error)
	// Program returns a stored program; fault.NotFound when there is none.
	Program(ctx context.Context, hash workflow.Hash) (*workflow.Program, error)
}

// Activation is what ActivateDeployment does at once.
type Activation struct {
	// Deployment is stored with status active. When a deployment with this id
	// is stored already, only its status changes.
	Deployment workflow.Deployment
	// Source and Program are nil when the deployment is stored already.
	Source  *workflow.Source
	Program *workflow.Program
	// Version is the workflow's version that the plan was made for.
	Version int64
	// Keep are triggers that stay, with their new options; Add are new ones;
	// Remove are ids of triggers that are declared no more.
	Keep   []workflow.Trigger
	Add    []workflow.Trigger
	Remove []id.ID
	At     time.Time
}
