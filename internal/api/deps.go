package api

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/usefloww/flowwd/internal/deploy"
	"github.com/usefloww/flowwd/internal/execution"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/identity"
	"github.com/usefloww/flowwd/internal/objects"
	"github.com/usefloww/flowwd/internal/route"
	"github.com/usefloww/flowwd/internal/runtimes"
	"github.com/usefloww/flowwd/internal/tenant"
	"github.com/usefloww/flowwd/internal/trigger"
	"github.com/usefloww/flowwd/internal/workflow"
)

// Deps is what the operations work with. Passwords, Checks and bounds aside, all
// fields are required.
type Deps struct {
	Tenants     Tenants
	Workflows   Workflows
	Folders     Folders
	Deployments Deployments
	Executions  Executions
	Triggers    Triggers
	Dev         Dev
	Receiver    Receiver
	KV          KV
	Secrets     Secrets
	Alerts      Alerts
	Realtime    Realtime
	Images      Images
	Runtimes    Runtimes
	Accounts    Accounts
	Access      Access
	Sessions    Sessions
	// Passwords makes accounts; nil when people log in in another way.
	Passwords Passwords
	Devices   Devices
	Login     Login

	Organizations Organizations
	Invitations   Invitations

	Audit          Audit
	Recorder       AuditRecorder
	Administration Administration

	// Checks are the parts that /readyz asks, in this order. The one named
	// "database" is asked by /health and /api/health too.
	Checks []Check
	// Metrics answers /metrics.
	Metrics http.Handler
	// PublicURL returns the address of this server as callers see it, without
	// a slash at its end; webhook URLs begin with it.
	PublicURL func() string
	// WebsocketURL returns where clients connect for realtime events.
	WebsocketURL func() string
	// Version is the program's.
	Version string
	// SingleOrganization says that everybody is in one organization.
	SingleOrganization bool
	// RunsImages says that code can run in images.
	RunsImages bool
	Logger     *slog.Logger
	Now        func() time.Time
	// WebhookBody and DeploymentBody are the greatest bodies in bytes; 0 for
	// 25 MiB and 32 MiB.
	WebhookBody, DeploymentBody int64
}

const (
	defaultWebhookBody    = 25 << 20
	defaultDeploymentBody = 32 << 20
)

// Tenants answers questions about organizations and namespaces.
type Tenants interface {
	Namespaces(ctx context.Context, organizations []id.ID) ([]tenant.Namespace, error)
	Namespace(ctx context.Context, organizations []id.ID, namespace id.ID) (tenant.Namespace, error)
	Organizations(ctx context.Context, ids []id.ID) ([]tenant.Organization, error)
}

// Workflows creates, changes and deletes workflows.
type Workflows interface {
	Create(ctx context.Context, w workflow.Workflow) (workflow.Workflow, error)
	Workflow(ctx context.Context, organizations []id.ID, workflow id.ID) (workflow.Workflow, error)
	List(ctx context.Context, filter workflow.ListFilter) (workflow.Page, error)
	Update(ctx context.Context, workflow id.ID, change workflow.Change) (workflow.Workflow, error)
	Delete(ctx context.Context, workflow id.ID) error
}

// Deployments makes and manages deployments.
type Deployments interface {
	Deploy(ctx context.Context, r deploy.Request) (workflow.Deployment, []workflow.Trigger, error)
	Get(ctx context.Context, organizations []id.ID, deployment id.ID) (workflow.Deployment, error)
	List(ctx context.Context, workflow id.ID, limit, offset int) ([]workflow.Deployment, int, error)
	Source(ctx context.Context, deployment id.ID) (workflow.Source, error)
	Triggers(ctx context.Context, workflow id.ID) ([]workflow.Trigger, error)
	SetStatus(ctx context.Context, d workflow.Deployment, status workflow.Status) (workflow.Deployment, error)
	SetNote(ctx context.Context, d workflow.Deployment, note *string) (workflow.Deployment, error)
	Delete(ctx context.Context, d workflow.Deployment) error
}

// Executions shows what ran.
type Executions interface {
	Get(ctx context.Context, organizations []id.ID, execution id.ID) (execution.Execution, error)
	List(ctx context.Context, filter execution.ListFilter) (execution.Page, error)
	Attempts(ctx context.Context, execution id.ID) ([]execution.Attempt, error)
	Cancel(ctx context.Context, e execution.Execution, by string) (execution.Execution, error)
	// Event returns what caused an execution.
	Event(ctx context.Context, e execution.Execution) (execution.Event, error)
	CountBatch(ctx context.Context, f execution.BatchFilter) (int, error)
	CreateBatch(ctx context.Context, b execution.Batch) (execution.Batch, error)
	Batch(ctx context.Context, organizations []id.ID, batch id.ID) (execution.Batch, error)
	Batches(ctx context.Context, workflow id.ID, limit int) ([]execution.Batch, error)
	StopBatch(ctx context.Context, b execution.Batch, by string) (execution.Batch, error)
	// Await returns an execution when it has ended, or as it is after a time.
	Await(ctx context.Context, organization, execution id.ID, most time.Duration) (execution.Execution, error)
	// Summary counts executions on each of the last days.
	Summary(ctx context.Context, organization, namespace id.ID, days int) ([]execution.Day, error)
	Logs(ctx context.Context, execution id.ID, after execution.Cursor, limit int) ([]execution.LogEntry, error)
	SearchLogs(ctx context.Context, query execution.LogQuery) (execution.LogPage, error)
	// Watch signals after something of the execution was stored; signals that
	// nobody took are merged. stop must be called.
	Watch(execution id.ID) (changed <-chan struct{}, stop func())
}

// Triggers shows triggers and fires them by hand.
type Triggers interface {
	Trigger(ctx context.Context, organizations []id.ID, trigger id.ID) (workflow.Trigger, error)
	List(ctx context.Context, workflow id.ID) ([]trigger.Shown, error)
	Invoke(ctx context.Context, in trigger.Invocation) (execution.Accepted, error)
	Replay(ctx context.Context, r trigger.Replay) (execution.Accepted, error)
}

// Receiver turns deliveries at webhooks into accepted executions.
type Receiver interface {
	Receive(ctx context.Context, r trigger.Request) (trigger.Answer, error)
	// Methods returns those that an address takes; none when there is nothing.
	Methods(ctx context.Context, a trigger.Address) ([]string, error)
}

// Runtimes makes and shows what code runs in beside the embedded runtime.
type Runtimes interface {
	Create(ctx context.Context, organization, by id.ID, imageHash string) (r runtimes.Runtime, made bool, err error)
	Get(ctx context.Context, organizations []id.ID, runtime id.ID) (runtimes.Runtime, error)
	List(ctx context.Context, f runtimes.Filter) ([]runtimes.Runtime, int, error)
	Remove(ctx context.Context, runtime id.ID) error
	// Ready waits a while for a runtime to be completed, and returns the name of
	// its image.
	Ready(ctx context.Context, organizations []id.ID, runtime id.ID) (r runtimes.Runtime, image string, err error)
}

// Devices logs command lines in.
type Devices interface {
	Begin(ctx context.Context, name, address string) (identity.NewDeviceCode, error)
	Poll(ctx context.Context, deviceCode string) (identity.Tokens, error)
	Refresh(ctx context.Context, refreshToken string) (identity.Tokens, error)
	Revoke(ctx context.Context, refreshToken string) error
	List(ctx context.Context, p identity.Principal) ([]identity.Device, error)
	End(ctx context.Context, p identity.Principal, device id.ID) error
}

// Login says how people log in.
type Login interface {
	// Client says how command lines do, and whether they do so here.
	Client(ctx context.Context) (c identity.ClientConfig, own bool)
	// Provider is the value of AUTH_TYPE.
	Provider() string
}

// Accounts manages service accounts and their keys.
type Accounts interface {
	CreateAccount(ctx context.Context, by identity.Principal, organization id.ID, name string, role tenant.Role) (identity.Account, error)
	Account(ctx context.Context, organizations []id.ID, account id.ID) (identity.Account, error)
	Accounts(ctx context.Context, organization id.ID, limit, offset int) (identity.AccountPage, error)
	ChangeAccount(ctx context.Context, by identity.Principal, a identity.Account, c identity.AccountChange) (identity.Account, error)
	DeleteAccount(ctx context.Context, account id.ID) error
	AddKey(ctx context.Context, by identity.Principal, a identity.Account, r identity.KeyRequest) (text string, key identity.APIKey, err error)
	RevokeKey(ctx context.Context, account, key id.ID) (identity.APIKey, error)
	Rotate(ctx context.Context, by identity.Principal, a identity.Account, key id.ID, overlap time.Duration, ends *time.Time) (text string, old, next identity.APIKey, err error)
}

// Register registers all operations. The error says what is wrong with them or
// missing in d; a server must not start then.
func Register(r *route.Router, d Deps) error {
	if d.Tenants == nil || d.Organizations == nil || d.Invitations == nil || d.Workflows == nil || d.Folders == nil || d.Deployments == nil || d.Executions == nil || d.Triggers == nil || d.Dev == nil || d.Receiver == nil || d.KV == nil || d.Secrets == nil || d.Alerts == nil || d.Sessions == nil || d.Realtime.Gate == nil || d.Realtime.Tokens == nil || d.Images.Registry == nil || d.Images.Tokens == nil || d.Images.Authenticate == nil || d.Runtimes == nil ||
		d.Accounts == nil || d.Access == nil || d.Audit == nil || d.Recorder == nil || d.Administration == nil || d.Devices == nil || d.Login == nil || d.WebsocketURL == nil ||
		d.Metrics == nil || d.PublicURL == nil || d.Logger == nil || d.Now == nil {
		return errors.New("api: a required field of Deps is missing")
	}
	if d.WebhookBody == 0 {
		d.WebhookBody = defaultWebhookBody
	}
	if d.DeploymentBody == 0 {
		d.DeploymentBody = defaultDeploymentBody
	}
	registerHealth(r, d)
	registerDescription(r, d)
	registerConfig(r, d)
	registerDeviceLogin(r, d)
	registerDevices(r, d)
	registerWhoami(r, d)
	registerSessions(r, d)
	registerUsers(r, d)
	registerNamespaces(r, d)
	registerOrganizations(r, d)
	registerMembers(r, d)
	registerInvitations(r, d)
	registerDirectory(r, d)
	registerAccounts(r, d)
	registerAudit(r, d)
	registerAccess(r, d)
	registerAdministration(r, d)
	registerAdministeredOrganizations(r, d)
	registerWorkflows(r, d)
	registerFolders(r, d)
	registerDeploy(r, d)
	registerDeployments(r, d)
	registerExecutions(r, d)
	registerSummary(r, d)
	registerReplay(r, d)
	registerBatches(r, d)
	registerLogs(r, d)
	registerBody(r, d)
	registerEvents(r, d)
	registerTriggers(r, d)
	registerDev(r, d)
	registerWebhook(r, d)
	registerKV(r, d)
	registerSecrets(r, d)
	registerAlerts(r, d)
	registerProviders(r, d)
	registerSDK(r)
	registerTokens(r, d)
	registerRegistry(r, d)
	registerRuntimes(r, d)
	registerProxy(r, d)
	if d.Realtime.Door != nil {
		registerDoor(r, d.Realtime.Door)
	}
	return r.Err()
}

// The objects that paths name.

func (d Deps) namespace() route.Object[tenant.Namespace] {
	return objects.Namespace(d.Tenants.Namespace)
}

func (d Deps) organization() route.Object[tenant.Organization] {
	return objects.Organization(d.Organizations.Organization, "")
}

// invitation is an organization and, by a second id, an invitation of it.
func (d Deps) invitation() route.Object[tenant.Organization] {
	return objects.Organization(d.Organizations.Organization, "invitationId")
}

// member is an organization and, by a second id, a user in it.
func (d Deps) member() route.Object[tenant.Organization] {
	return objects.Organization(d.Organizations.Organization, "userId")
}

func (d Deps) workflow() route.Object[workflow.Workflow] {
	return objects.Workflow(d.Workflows.Workflow)
}

func (d Deps) deployment() route.Object[workflow.Deployment] {
	return objects.Deployment(d.Deployments.Get)
}

func (d Deps) trigger() route.Object[workflow.Trigger] {
	return objects.Trigger(d.Triggers.Trigger)
}

func (d Deps) execution() route.Object[execution.Execution] {
	return objects.Execution(d.Executions.Get)
}

func (d Deps) batch() route.Object[execution.Batch] {
	return objects.Batch(d.Executions.Batch)
}
