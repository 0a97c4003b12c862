package api

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/usefloww/flowwd/internal/deploy"
	"github.com/usefloww/flowwd/internal/execution"
	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/identity"
	"github.com/usefloww/flowwd/internal/realtime"
	"github.com/usefloww/flowwd/internal/registry"
	"github.com/usefloww/flowwd/internal/route"
	"github.com/usefloww/flowwd/internal/runtimes"
	"github.com/usefloww/flowwd/internal/tenant"
	"github.com/usefloww/flowwd/internal/trigger"
	"github.com/usefloww/flowwd/internal/workflow"
)

// n makes the id whose text ends in the number.
func n(number byte) id.ID { return id.ID{15: number} }

var clock = time.Date(2026, 3, 4, 5, 6, 7, 8_900_000, time.FixedZone("", 3600))

// world is a server whose services answer what a test puts in. The real
// services are tested where they live; here it is the wire that matters.
type world struct {
	*route.Router
	deps Deps

	tenants        fakeTenants
	workflows      fakeWorkflows
	folders        fakeFolders
	deployments    fakeDeployments
	executions     *fakeExecutions
	audit          fakeAudit
	administration fakeAdministration
	triggers       fakeTriggers
	receiver       fakeReceiver
	devices        *fakeDevices
	login          *fakeLogin
	accounts       fakeAccounts
	checks         []Check
	log            strings.Builder
}

const (
	orgNumber       = 1
	namespaceNumber = 2
	workflowNumber  = 3
	memberNumber    = 9
)

func newWorld(t *testing.T, change ...func(*world)) *world {
	t.Helper()
	w := &world{executions: newFakeExecutions(), devices: &fakeDevices{}, login: &fakeLogin{own: true}}
	w.tenants.namespace = tenant.Namespace{
		ID: n(namespaceNumber), OrganizationID: n(orgNumber), CreatedAt: clock,
		Organization: tenant.Organization{ID: n(orgNumber), Name: "acme", DisplayName: "Acme", CreatedAt: clock},
	}
	text := "about"
	w.workflows.all = []workflow.Workflow{{
		ID: n(workflowNumber), OrganizationID: n(orgNumber), NamespaceID: n(namespaceNumber), Name: "hello", Description: &text,
		Active: true, CreatedByID: n(memberNumber), CreatedAt: clock, UpdatedAt: clock,
	}}
	for _, f := range change {
		f(w)
	}
	w.Router = route.New(route.Config{
		Title: "test", Version: "1", Logger: slog.New(slog.NewTextHandler(&w.log, nil)),
		Now: func() time.Time { return clock }, NewRequestID: func() string { return "request" },
		Authenticate: func(_ context.Context, c identity.Credential) (identity.Principal, error) {
			p := identity.Principal{Kind: identity.ServiceAccount, ID: n(memberNumber), Name: "ci", CreatedAt: clock}
			switch c.Bearer {
			case "member":
				p.Memberships = []tenant.Membership{{OrganizationID: n(orgNumber), Role: tenant.RoleMember}}
			case "admin":
				p.Memberships = []tenant.Membership{{OrganizationID: n(orgNumber), Role: tenant.RoleAdmin}}
			case "installation": // an approved administrator, and a member of nothing
				p.Kind, p.Admin = identity.Human, true
			case "viewer":
				p.Memberships = []tenant.Membership{{OrganizationID: n(orgNumber), Role: tenant.RoleViewer}}
			case "mixed": // a viewer here, but a member elsewhere
				p.Memberships = []tenant.Membership{{OrganizationID: n(orgNumber), Role: tenant.RoleViewer}, {OrganizationID: n(99), Role: tenant.RoleMember}}
			case "stranger":
				p.Memberships = []tenant.Membership{{OrganizationID: n(99), Role: tenant.RoleOwner}}
			case "":
				return identity.Principal{}, fault.New(fault.Unauthenticated, "No credentials provided")
			default:
				return identity.Principal{}, fault.New(fault.Unauthenticated, "Invalid API key")
			}
			return p, nil
		},
	})
	w.deps = Deps{
		Tenants: &w.tenants, Organizations: &fakeOrganizations{}, Audit: &w.audit, Recorder: &w.audit, Administration: &w.administration, Invitations: struct{ Invitations }{}, Workflows: &w.workflows, Folders: &w.folders, Deployments: &w.deployments, Executions: w.executions, Triggers: &w.triggers, Dev: struct{ Dev }{}, Receiver: &w.receiver, KV: struct{ KV }{}, Secrets: struct{ Secrets }{}, Alerts: struct{ Alerts }{},
		Accounts: &w.accounts, Access: struct{ Access }{}, Devices: w.devices, Login: w.login,
		Checks: w.checks, Metrics: http.NotFoundHandler(), PublicURL: func() string { return "https://flows.example" }, Version: "1.2.3",
		WebsocketURL: func() string { return "wss://flows.example/ws/connection/websocket" },
		Logger:       slog.New(slog.NewTextHandler(&w.log, nil)), Now: func() time.Time { return clock },
	}
	w.deps.Sessions = &identity.Sessions{}
	w.deps.Realtime = Realtime{Gate: &realtime.Gate{}, Tokens: &realtime.Tokens{}}
	w.deps.Images = Images{Registry: &registry.Registry{}, Tokens: &registry.Tokens{}, Authenticate: func(context.Context, identity.Credential) (identity.Principal, error) {
		return identity.Principal{}, fault.New(fault.Unauthenticated, "Invalid credential")
	}}
	w.deps.Runtimes = noRuntimes{}
	if err := Register(w.Router, w.deps); err != nil {
		t.Fatal(err)
	}
	return w
}

type reply struct {
	status int
	header http.Header
	text   string
}

// ask sends a request as a member.
func (w *world) ask(t *testing.T, method, target, body string, headers ...string) reply {
	t.Helper()
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer member")
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Set(name, value)
	}
	rec := httptest.NewRecorder()
	w.Handler().ServeHTTP(rec, r)
	return reply{rec.Code, rec.Header(), rec.Body.String()}
}

// wantJSON compares an answer with a JSON text, in which #3 stands for the id
// of that number.
func wantJSON(t *testing.T, r reply, status int, want string) {
	t.Helper()
	if r.status != status {
		t.Fatalf("status %d, want %d: %s", r.status, status, r.text)
	}
	var got, expected any
	if err := json.Unmarshal([]byte(r.text), &got); err != nil {
		t.Fatalf("%v: %s", err, r.text)
	}
	if err := json.Unmarshal([]byte(ids(want)), &expected); err != nil {
		t.Fatalf("the test is wrong: %v: %s", err, ids(want))
	}
	if diff := cmp.Diff(expected, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// ids writes out ids: #3 is 00000000-0000-0000-0000-000000000003.
func ids(text string) string {
	for i := byte(1); i < 10; i++ {
		text = strings.ReplaceAll(text, "#"+string('0'+i), n(i).String())
	}
	return text
}

// wantError compares the text of a failure.
func wantError(t *testing.T, r reply, status int, text string) {
	t.Helper()
	var p struct{ Error, Message string }
	if err := json.Unmarshal([]byte(r.text), &p); err != nil {
		t.Fatalf("%v: %s", err, r.text)
	}
	if r.status != status || !strings.Contains(p.Error, text) {
		t.Errorf("got %d %q, want %d with %q", r.status, p.Error, status, text)
	}
}

type fakeTenants struct{ namespace tenant.Namespace }

func (f *fakeTenants) Namespaces(_ context.Context, organizations []id.ID) ([]tenant.Namespace, error) {
	if !slices.Contains(organizations, f.namespace.OrganizationID) {
		return nil, nil
	}
	return []tenant.Namespace{f.namespace}, nil
}

func (f *fakeTenants) Namespace(_ context.Context, organizations []id.ID, namespace id.ID) (tenant.Namespace, error) {
	if namespace != f.namespace.ID || !slices.Contains(organizations, f.namespace.OrganizationID) {
		return tenant.Namespace{}, fault.New(fault.NotFound, "no rows")
	}
	return f.namespace, nil
}

func (f *fakeTenants) Organizations(_ context.Context, all []id.ID) ([]tenant.Organization, error) {
	if !slices.Contains(all, f.namespace.OrganizationID) {
		return nil, nil
	}
	return []tenant.Organization{f.namespace.Organization}, nil
}

type fakeWorkflows struct {
	all     []workflow.Workflow
	filter  workflow.ListFilter
	created workflow.Workflow
	change  *workflow.Change
	deleted id.ID
	err     error
}

func (f *fakeWorkflows) Create(_ context.Context, w workflow.Workflow) (workflow.Workflow, error) {
	f.created = w
	w.ID, w.CreatedAt, w.UpdatedAt, w.Active = n(4), clock, clock, true
	return w, f.err
}

func (f *fakeWorkflows) Workflow(_ context.Context, organizations []id.ID, wanted id.ID) (workflow.Workflow, error) {
	for _, w := range f.all {
		if w.ID == wanted && slices.Contains(organizations, w.OrganizationID) {
			return w, nil
		}
	}
	return workflow.Workflow{}, fault.New(fault.NotFound, "no rows")
}

func (f *fakeWorkflows) List(_ context.Context, filter workflow.ListFilter) (workflow.Page, error) {
	f.filter = filter
	return workflow.Page{Workflows: f.all, Total: 7}, f.err
}

func (f *fakeWorkflows) Update(_ context.Context, _ id.ID, change workflow.Change) (workflow.Workflow, error) {
	f.change = &change
	return f.all[0], f.err
}

func (f *fakeWorkflows) Delete(_ context.Context, workflow id.ID) error {
	f.deleted = workflow
	return f.err
}

type fakeFolders struct {
	all     []workflow.Folder
	filter  workflow.FolderFilter
	created workflow.Folder
	change  *workflow.FolderChange
	removal *workflow.FolderRemoval
}

func (f *fakeFolders) Create(_ context.Context, x workflow.Folder) (workflow.Folder, error) {
	f.created = x
	x.ID, x.CreatedAt, x.UpdatedAt = n(4), clock, clock
	return x, nil
}

func (f *fakeFolders) Folder(_ context.Context, organizations []id.ID, wanted id.ID) (workflow.Folder, error) {
	for _, x := range f.all {
		if x.ID == wanted && slices.Contains(organizations, x.OrganizationID) {
			return x, nil
		}
	}
	return workflow.Folder{}, fault.New(fault.NotFound, "no rows")
}

func (f *fakeFolders) List(_ context.Context, filter workflow.FolderFilter) (workflow.FolderPage, error) {
	f.filter = filter
	return workflow.FolderPage{Folders: f.all, Total: 7}, nil
}

func (f *fakeFolders) Path(context.Context, workflow.Folder) ([]workflow.Folder, error) {
	return f.all, nil
}

func (f *fakeFolders) Update(_ context.Context, x workflow.Folder, change workflow.FolderChange) (workflow.Folder, error) {
	f.change = &change
	return x, nil
}

func (f *fakeFolders) Delete(_ context.Context, _ workflow.Folder, r workflow.FolderRemoval) (workflow.Emptied, error) {
	f.removal = &r
	return workflow.Emptied{Folders: 1, Workflows: 2}, nil
}

type fakeDeployments struct {
	all      []workflow.Deployment
	source   workflow.Source
	triggers []workflow.Trigger
	request  *deploy.Request
	limit    int
	offset   int
	deleted  id.ID
	err      error
}

func (f *fakeDeployments) Deploy(_ context.Context, r deploy.Request) (workflow.Deployment, []workflow.Trigger, error) {
	f.request = &r
	if f.err != nil {
		return workflow.Deployment{}, nil, f.err
	}
	return workflow.Deployment{
		ID: n(5), OrganizationID: r.Workflow.OrganizationID, WorkflowID: r.Workflow.ID, Status: workflow.StatusActive, DeployedAt: clock,
		DeployedByID: r.DeployedByID, Note: r.Note, ClientSDKVersion: r.ClientSDKVersion, ProviderMappings: r.ProviderMappings,
	}, f.triggers, nil
}

func (f *fakeDeployments) Get(_ context.Context, organizations []id.ID, wanted id.ID) (workflow.Deployment, error) {
	for _, d := range f.all {
		if d.ID == wanted && slices.Contains(organizations, d.OrganizationID) {
			return d, nil
		}
	}
	return workflow.Deployment{}, fault.New(fault.NotFound, "no rows")
}

func (f *fakeDeployments) List(_ context.Context, _ id.ID, limit, offset int) ([]workflow.Deployment, int, error) {
	f.limit, f.offset = limit, offset
	return f.all, len(f.all), f.err
}

func (f *fakeDeployments) Source(context.Context, id.ID) (workflow.Source, error) {
	return f.source, nil
}

func (f *fakeDeployments) Triggers(context.Context, id.ID) ([]workflow.Trigger, error) {
	return f.triggers, nil
}

func (f *fakeDeployments) SetStatus(_ context.Context, d workflow.Deployment, s workflow.Status) (workflow.Deployment, error) {
	d.Status = s
	return d, f.err
}

func (f *fakeDeployments) SetNote(_ context.Context, d workflow.Deployment, note *string) (workflow.Deployment, error) {
	d.Note = note
	return d, f.err
}

func (f *fakeDeployments) Delete(_ context.Context, d workflow.Deployment) error {
	f.deleted = d.ID
	return f.err
}

// fakeExecutions keeps one execution whose lines come over time.
type fakeExecutions struct {
	mu      sync.Mutex
	one     execution.Execution
	lines   []execution.LogEntry
	gone    bool
	changed chan struct{}
	watched int
	calls   []int
	filter  execution.ListFilter
	query   execution.LogQuery
	page    execution.LogPage
	awaited time.Duration
	// attempts are those that have ended.
	attempts []execution.Attempt
	err      error
}

func newFakeExecutions() *fakeExecutions {
	return &fakeExecutions{changed: make(chan struct{}, 1), one: execution.Execution{
		ID: n(6), OrganizationID: n(orgNumber), WorkflowID: n(workflowNumber), TriggerID: n(7), State: execution.Received,
		Waiting: "slot", ReceivedAt: clock,
		Origin: execution.Origin{ProviderType: "builtin", ProviderAlias: "default", TriggerType: "onWebhook", Method: "POST", Path: "/webhook/a"},
	}}
}

// store changes what is kept and signals, as the real service does after a
// commit.
func (f *fakeExecutions) store(change func()) {
	f.mu.Lock()
	change()
	f.mu.Unlock()
	select {
	case f.changed <- struct{}{}:
	default:
	}
}

func (f *fakeExecutions) Event(context.Context, execution.Execution) (execution.Event, error) {
	return execution.Event{}, f.err
}

func (f *fakeExecutions) Get(_ context.Context, organizations []id.ID, wanted id.ID) (execution.Execution, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err != nil {
		return execution.Execution{}, f.err
	}
	if f.gone || wanted != f.one.ID || !slices.Contains(organizations, f.one.OrganizationID) {
		return execution.Execution{}, fault.New(fault.NotFound, "no rows")
	}
	return f.one, nil
}

func (f *fakeExecutions) List(_ context.Context, filter execution.ListFilter) (execution.Page, error) {
	f.filter = filter
	return execution.Page{Executions: []execution.Execution{f.one}, Total: 12}, f.err
}

func (f *fakeExecutions) Summary(_ context.Context, _, _ id.ID, days int) ([]execution.Day, error) {
	counts := map[execution.State]int{}
	for i, state := range execution.States {
		counts[state] = 1 << i
	}
	return []execution.Day{{Day: clock.UTC().Truncate(24 * time.Hour), Counts: counts}}, f.err
}

func (f *fakeExecutions) Attempts(context.Context, id.ID) ([]execution.Attempt, error) {
	return f.attempts, f.err
}

func (f *fakeExecutions) Cancel(_ context.Context, e execution.Execution, by string) (execution.Execution, error) {
	e.CancelReason = by
	return e, f.err
}

func (f *fakeExecutions) Await(ctx context.Context, organization, wanted id.ID, most time.Duration) (execution.Execution, error) {
	f.mu.Lock()
	f.awaited = most
	f.mu.Unlock()
	return f.Get(ctx, []id.ID{organization}, wanted)
}

func (f *fakeExecutions) CountBatch(context.Context, execution.BatchFilter) (int, error) {
	return 3, f.err
}

func (f *fakeExecutions) CreateBatch(_ context.Context, b execution.Batch) (execution.Batch, error) {
	b.ID, b.CreatedAt, b.Total = n(8), clock, 3
	return b, f.err
}

func (f *fakeExecutions) Batch(context.Context, []id.ID, id.ID) (execution.Batch, error) {
	return execution.Batch{}, fault.New(fault.NotFound, "no rows")
}

func (f *fakeExecutions) Batches(context.Context, id.ID, int) ([]execution.Batch, error) {
	return nil, f.err
}

func (f *fakeExecutions) StopBatch(_ context.Context, b execution.Batch, by string) (execution.Batch, error) {
	b.Problem = by
	return b, f.err
}

func (f *fakeExecutions) Logs(_ context.Context, _ id.ID, after execution.Cursor, limit int) ([]execution.LogEntry, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls = append(f.calls, limit)
	var found []execution.LogEntry
	for _, l := range f.lines {
		behind := l.Cursor.Attempt > after.Attempt || l.Cursor.Attempt == after.Attempt && l.Cursor.Line > after.Line
		if behind && len(found) < limit {
			found = append(found, l)
		}
	}
	return found, nil
}

func (f *fakeExecutions) SearchLogs(_ context.Context, q execution.LogQuery) (execution.LogPage, error) {
	f.query = q
	return f.page, f.err
}

func (f *fakeExecutions) Watch(id.ID) (<-chan struct{}, func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.watched++
	return f.changed, func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.watched--
	}
}

type fakeReceiver struct {
	request trigger.Request
	methods []string
	answer  trigger.Answer
	err     error
}

func (f *fakeReceiver) Receive(_ context.Context, r trigger.Request) (trigger.Answer, error) {
	f.request = r
	return f.answer, f.err
}

func (f *fakeReceiver) Methods(context.Context, trigger.Address) ([]string, error) {
	return f.methods, nil
}

type fakeTriggers struct {
	all      []trigger.Shown
	invoked  trigger.Invocation
	replayed trigger.Replay
	answer   execution.Accepted
	err      error
}

func (f *fakeTriggers) Trigger(_ context.Context, organizations []id.ID, wanted id.ID) (workflow.Trigger, error) {
	for _, t := range f.all {
		if t.ID == wanted && slices.Contains(organizations, t.OrganizationID) {
			return t.Trigger, nil
		}
	}
	return workflow.Trigger{}, fault.New(fault.NotFound, "no rows")
}

func (f *fakeTriggers) List(context.Context, id.ID) ([]trigger.Shown, error) { return f.all, f.err }

func (f *fakeTriggers) Replay(_ context.Context, r trigger.Replay) (execution.Accepted, error) {
	f.replayed = r
	return f.answer, f.err
}

func (f *fakeTriggers) Invoke(_ context.Context, in trigger.Invocation) (execution.Accepted, error) {
	f.invoked = in
	return f.answer, f.err
}

// noRuntimes has none.
type noRuntimes struct{ Runtimes }

func (noRuntimes) Ready(context.Context, []id.ID, id.ID) (runtimes.Runtime, string, error) {
	return runtimes.Runtime{}, "", fault.New(fault.Invalid, "Runtime not found")
}
