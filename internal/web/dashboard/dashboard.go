package dashboard

import (
	"context"
	"errors"
	"time"

	"github.com/usefloww/flowwd/internal/access"
	"github.com/usefloww/flowwd/internal/alert"
	"github.com/usefloww/flowwd/internal/deploy"
	"github.com/usefloww/flowwd/internal/execution"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/identity"
	"github.com/usefloww/flowwd/internal/route"
	"github.com/usefloww/flowwd/internal/tenant"
	"github.com/usefloww/flowwd/internal/trigger"
	"github.com/usefloww/flowwd/internal/web/ui"
	"github.com/usefloww/flowwd/internal/workflow"
)

// Deps is what the pages work with. All fields but Centrifugo are required.
type Deps struct {
	// Frame is what is around a page.
	Frame func(title string, p identity.Principal) ui.Frame
	// Tenants and Folders are where workflows are made.
	Tenants Tenants
	Folders Folders
	// Workflows, their Deployments and Executions are what pages show and follow.
	Workflows   Workflows
	Deployments Deployments
	Executions  Executions
	// Triggers are what starts their runs.
	Triggers Triggers
	// Alerts tell of runs that failed.
	Alerts Alerts
	// Access is who may do what to single workflows and folders.
	Access Access
	// Own is what the pages about organizations work with.
	Own Own
	Now func() time.Time
	// PublicURL returns the address of this server, without a slash at its end.
	PublicURL func() string
	// Centrifugo returns where pages connect when they don't at this server; nil
	// when they do.
	Centrifugo func() string
}

// Tenants finds namespaces.
type Tenants interface {
	Namespaces(ctx context.Context, organizations []id.ID) ([]tenant.Namespace, error)
	Namespace(ctx context.Context, organizations []id.ID, namespace id.ID) (tenant.Namespace, error)
}

// Folders finds, makes and changes folders.
type Folders interface {
	Create(ctx context.Context, f workflow.Folder) (workflow.Folder, error)
	Folder(ctx context.Context, organizations []id.ID, folder id.ID) (workflow.Folder, error)
	List(ctx context.Context, filter workflow.FolderFilter) (workflow.FolderPage, error)
	Path(ctx context.Context, f workflow.Folder) ([]workflow.Folder, error)
	Update(ctx context.Context, f workflow.Folder, change workflow.FolderChange) (workflow.Folder, error)
	Delete(ctx context.Context, f workflow.Folder, r workflow.FolderRemoval) (workflow.Emptied, error)
}

// Triggers shows what starts runs.
type Triggers interface {
	List(ctx context.Context, workflow id.ID) ([]trigger.Shown, error)
	// Next returns when schedules of workflows fire next.
	Next(ctx context.Context, workflows []id.ID) (map[id.ID]time.Time, error)
	// Invoke runs a trigger that is fired by hand.
	Invoke(ctx context.Context, in trigger.Invocation) (execution.Accepted, error)
	// Replay runs the event of an execution again.
	Replay(ctx context.Context, r trigger.Replay) (execution.Accepted, error)
}

// Workflows finds and changes workflows.
type Workflows interface {
	Create(ctx context.Context, w workflow.Workflow) (workflow.Workflow, error)
	Update(ctx context.Context, workflow id.ID, change workflow.Change) (workflow.Workflow, error)
	Delete(ctx context.Context, workflow id.ID) error
	Workflow(ctx context.Context, organizations []id.ID, workflow id.ID) (workflow.Workflow, error)
	List(ctx context.Context, filter workflow.ListFilter) (workflow.Page, error)
}

// Access gives roles on single resources and says who may do what, and what those
// are called who did something.
type Access interface {
	Grant(ctx context.Context, by identity.Principal, to access.PrincipalRef, on access.Link, role tenant.Role) (access.Grant, error)
	Revoke(ctx context.Context, by identity.Principal, from access.PrincipalRef, on access.Link) error
	Principals(ctx context.Context, by identity.Principal, on access.Link) ([]access.Entry, error)
	Explain(ctx context.Context, by identity.Principal, q access.Question) (access.Explanation, error)
	Resources(ctx context.Context, by identity.Principal, of access.PrincipalRef, kind tenant.ResourceType, expand bool) ([]access.Entry, error)
	Names(ctx context.Context, organization id.ID, principals []id.ID) (map[id.ID]string, error)
}

// Deployments makes and shows deployments.
type Deployments interface {
	Deploy(ctx context.Context, r deploy.Request) (workflow.Deployment, []workflow.Trigger, error)
	Get(ctx context.Context, organizations []id.ID, deployment id.ID) (workflow.Deployment, error)
	List(ctx context.Context, workflow id.ID, limit, offset int) ([]workflow.Deployment, int, error)
	// Preview says what making a deployment the active one does.
	Preview(ctx context.Context, d workflow.Deployment) (deploy.Preview, error)
	SetStatus(ctx context.Context, d workflow.Deployment, status workflow.Status) (workflow.Deployment, error)
	SetNote(ctx context.Context, d workflow.Deployment, note *string) (workflow.Deployment, error)
	Triggers(ctx context.Context, workflow id.ID) ([]workflow.Trigger, error)
	Source(ctx context.Context, deployment id.ID) (workflow.Source, error)
}

// Executions shows what ran.
type Executions interface {
	Get(ctx context.Context, organizations []id.ID, execution id.ID) (execution.Execution, error)
	List(ctx context.Context, filter execution.ListFilter) (execution.Page, error)
	// Summary counts those of a namespace by day.
	Summary(ctx context.Context, organization, namespace id.ID, days int) ([]execution.Day, error)
	// Figures sum up the executions of a workflow.
	Figures(ctx context.Context, workflow id.ID, p execution.Period) (execution.Figures, error)
	// Glances returns what a list shows of the executions of workflows.
	Glances(ctx context.Context, workflows []id.ID) (map[id.ID]execution.Glance, error)
	Logs(ctx context.Context, execution id.ID, after execution.Cursor, limit int) ([]execution.LogEntry, error)
	Find(ctx context.Context, f execution.FindFilter) (execution.Found, error)
	FindLines(ctx context.Context, execution id.ID, f execution.LineFilter) (execution.Lines, error)
	Attempts(ctx context.Context, execution id.ID) ([]execution.Attempt, error)
	Event(ctx context.Context, e execution.Execution) (execution.Event, error)
	Cancel(ctx context.Context, e execution.Execution, by string) (execution.Execution, error)
	CountBatch(ctx context.Context, f execution.BatchFilter) (int, error)
	CreateBatch(ctx context.Context, b execution.Batch) (execution.Batch, error)
	Batch(ctx context.Context, organizations []id.ID, batch id.ID) (execution.Batch, error)
	Batches(ctx context.Context, workflow id.ID, limit int) ([]execution.Batch, error)
	StopBatch(ctx context.Context, b execution.Batch, by string) (execution.Batch, error)
}

// Alerts knows who is told of failures.
type Alerts interface {
	Receivers(ctx context.Context, workflow id.ID) ([]alert.Receiver, error)
	// Change returns the secret of a webhook's signatures when there is a new one.
	Change(ctx context.Context, w workflow.Workflow, r alert.Request) (secret string, err error)
}

// Register registers all pages. The error says what is wrong with them or
// missing in d; a server must not start then.
func Register(r *route.Router, d Deps) error {
	if d.Frame == nil || d.Tenants == nil || d.Folders == nil || d.Triggers == nil || d.Workflows == nil || d.Deployments == nil || d.Executions == nil || d.Access == nil || d.Alerts == nil || d.PublicURL == nil || d.Now == nil || !d.Own.complete() {
		return errors.New("dashboard: a required field of Deps is missing")
	}
	registerHome(r, d)
	registerWorkflows(r, d)
	registerWorkflow(r, d)
	registerFolders(r, d)
	registerDeployments(r, d)
	registerRuns(r, d)
	registerBatches(r, d)
	registerOrganization(r, d)
	registerSecrets(r, d)
	registerProviders(r, d)
	registerSearch(r, d)
	registerKV(r, d)
	return r.Err()
}

// frame is the one of a page about workflows.
func (d Deps) frame(title string, p identity.Principal) ui.Frame {
	f := d.Frame(title, p)
	f.Here = ui.Workflows
	return f
}
