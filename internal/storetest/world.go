package storetest

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/usefloww/flowwd/internal/deploy"
	"github.com/usefloww/flowwd/internal/engine"
	"github.com/usefloww/flowwd/internal/execution"
	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/store"
	"github.com/usefloww/flowwd/internal/tenant"
	"github.com/usefloww/flowwd/internal/workflow"
)

// start is the time at which every world begins.
func start() time.Time { return time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC) }

// World is an open store with a clock that the test moves, and short ways to
// fill it.
type World struct {
	*store.Store
	t   testing.TB
	ids *id.Source
	now atomic.Int64 // Unix milliseconds
	inc id.ID        // the incarnation of this process
}

// NewWorld opens a fresh database.
func NewWorld(t testing.TB, open Opener, change ...func(*store.Config)) *World {
	t.Helper()
	w := &World{t: t}
	w.now.Store(start().UnixMilli())
	w.ids = id.NewSource(w.Now)
	w.Open(open, change...)
	w.rejoin()
	return w
}

// rejoin makes the world another incarnation; what the one before has claimed
// can be taken back.
func (w *World) rejoin() {
	w.t.Helper()
	if !w.inc.IsZero() {
		w.must(w.Leave(w.ctx(), w.inc))
	}
	w.inc = w.ID()
	w.must(w.Join(w.ctx(), execution.Node{Incarnation: w.inc, Name: "test", StartedAt: w.Now()}, time.Hour))
}

// Open opens the database (again) and closes it after the test.
func (w *World) Open(open Opener, change ...func(*store.Config)) {
	w.t.Helper()
	cfg := store.Config{Now: w.Now, Log: slog.New(slog.DiscardHandler), AuditRetention: 365 * 24 * time.Hour}
	for _, c := range change {
		c(&cfg)
	}
	s, err := open(cfg)
	w.must(err)
	w.Store = s
	w.t.Cleanup(func() {
		if err := s.Close(); err != nil {
			w.t.Errorf("close the store: %v", err)
		}
	})
}

// another opens the database once more, as a second server does.
func (w *World) another(open Opener) *store.Store {
	w.t.Helper()
	s, err := open(store.Config{Now: w.Now, Log: slog.New(slog.DiscardHandler)})
	w.must(err)
	w.t.Cleanup(func() {
		if err := s.Close(); err != nil {
			w.t.Errorf("close the second store: %v", err)
		}
	})
	return s
}

// Now is the world's clock.
func (w *World) Now() time.Time { return time.UnixMilli(w.now.Load()).UTC() }

// Pass moves the clock.
func (w *World) Pass(d time.Duration) { w.now.Add(d.Milliseconds()) }

// ID makes an id.
func (w *World) ID() id.ID { return w.ids.New() }

func (w *World) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// refused wants a fault of a kind with this text.
func (w *World) refused(err error, kind fault.Kind, text string) {
	w.t.Helper()
	var f *fault.Error
	if !errors.As(err, &f) || f.Kind != kind || f.Message != text {
		w.t.Errorf("got error %v (%v), want %v: %s", err, fault.KindOf(err), kind, text)
	}
}

// equal wants two values to be the same.
func equal[T any](t testing.TB, what string, got, want T) {
	t.Helper()
	if reflect.DeepEqual(want, got) { // which cmp finds out byte by byte in large bodies
		return
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("%s (-want +got):\n%s", what, d)
	}
}

// Namespace makes an organization with a namespace.
func (w *World) Namespace() tenant.Namespace {
	w.t.Helper()
	o := tenant.Organization{ID: w.ID(), DisplayName: tenant.DefaultOrganization, CreatedAt: w.Now(), UpdatedAt: w.Now()}
	o.Name = tenant.NameFor(o.DisplayName, o.ID)
	n := tenant.Namespace{ID: w.ID(), OrganizationID: o.ID, CreatedAt: w.Now(), Organization: o}
	w.must(w.Store.CreateOrganization(w.ctx(), o, n))
	return n
}

func (w *World) ctx() context.Context { return w.t.Context() }

// Workflow makes a workflow.
func (w *World) Workflow(n tenant.Namespace) workflow.Workflow {
	w.t.Helper()
	f := workflow.Workflow{
		ID: w.ID(), OrganizationID: n.OrganizationID, NamespaceID: n.ID, Active: true,
		CreatedAt: w.Now(), UpdatedAt: w.Now(), Version: 1,
	}
	f.Name = "workflow " + f.ID.String()
	w.must(w.CreateWorkflow(w.ctx(), f))
	return f
}

// Declared is the declaration of a webhook trigger.
func Declared(n int, o workflow.Options) workflow.Declaration {
	return workflow.Declaration{
		Provider: workflow.ProviderRef{Type: "builtin", Alias: "default"}, Type: "onWebhook",
		Input: json.RawMessage(fmt.Sprintf(`{"path": "t%d"}`, n)), Options: o,
	}
}

// Activation makes a deployment of a workflow with one trigger for each options
// value.
func (w *World) Activation(f workflow.Workflow, options ...workflow.Options) deploy.Activation {
	w.t.Helper()
	a := deploy.Activation{
		Version: f.Version, At: w.Now(),
		Source:  &workflow.Source{Files: map[string]string{"main.ts": "// " + w.ID().String()}, Entrypoint: "main.ts"},
		Program: &workflow.Program{Engine: "test", EngineVersion: "1", SDKVersion: "1", Bridge: 1},
	}
	a.Program.Bundle = []byte(a.Source.Files["main.ts"])
	a.Program.Hash = sha256.Sum256(a.Program.Bundle)
	a.Deployment = workflow.Deployment{
		ID: w.ID(), OrganizationID: f.OrganizationID, WorkflowID: f.ID, Status: workflow.StatusActive,
		SourceHash: a.Source.Hash(), ProgramHash: a.Program.Hash, Entrypoint: "main.ts", ClientSDKVersion: "0.0.34",
		Providers:        []workflow.ProviderRef{{Type: "builtin", Alias: "default"}},
		ProviderMappings: json.RawMessage(`{"b": {"z": 1,  "a": 2}}`), DeployedAt: w.Now(),
	}
	for i, o := range options {
		d := Declared(i, o)
		a.Deployment.Triggers = append(a.Deployment.Triggers, d)
		x := w.ID()
		a.Add = append(a.Add, workflow.Trigger{
			ID: x, OrganizationID: f.OrganizationID, WorkflowID: f.ID, Declaration: d, CreatedAt: w.Now(),
			Webhook: &workflow.Webhook{ID: w.ID(), Method: "POST", Path: "/webhook/" + x.String()},
		})
	}
	return a
}

// Deployed makes a workflow that runs, with one trigger for each options value
// (one without options when there are none).
func (w *World) Deployed(n tenant.Namespace, options ...workflow.Options) (workflow.Workflow, []workflow.Trigger) {
	w.t.Helper()
	f := w.Workflow(n)
	if len(options) == 0 {
		options = []workflow.Options{{}}
	}
	a := w.Activation(f, options...)
	w.must(w.ActivateDeployment(w.ctx(), a))
	f.Version++
	return f, a.Add
}

// Acceptance is an event for a trigger.
func (w *World) Acceptance(t workflow.Trigger) execution.Acceptance {
	return execution.Acceptance{
		ExecutionID: w.ID(), OrganizationID: t.OrganizationID, WorkflowID: t.WorkflowID, TriggerID: t.ID,
		Origin: execution.Origin{
			ProviderType: t.Provider.Type, ProviderAlias: t.Provider.Alias, TriggerType: t.Type,
			Method: "POST", Path: "/webhook/x",
		},
		Event: execution.Event{
			ID: w.ID(), Fields: json.RawMessage(`{"method": "POST"}`), HasBody: true,
			ContentType: "text/plain", Body: []byte("hello"),
		},
		ReceivedAt: w.Now(), MaxWaiting: execution.MaxWaiting,
	}
}

// Accept accepts an event for a trigger, with nobody to run it at once.
func (w *World) Accept(t workflow.Trigger) id.ID {
	w.t.Helper()
	got, err := w.AcceptExecution(w.ctx(), w.Acceptance(t))
	w.must(err)
	if got.State != execution.Received {
		w.t.Fatalf("an accepted execution is %s, want received", got.State)
	}
	return got.ExecutionID
}

// Claim claims up to limit executions.
func (w *World) Claim(limit int) []execution.Claim {
	w.t.Helper()
	claims, err := w.ClaimExecutions(w.ctx(), w.inc, limit, w.Now())
	w.must(err)
	return claims
}

// Run accepts an execution and claims it.
func (w *World) Run(t workflow.Trigger) execution.Claim {
	w.t.Helper()
	accepted := w.Accept(t)
	claims := w.Claim(1)
	if len(claims) != 1 || claims[0].ExecutionID != accepted {
		w.t.Fatalf("claimed %v, want execution %s", claims, accepted)
	}
	return claims[0]
}

// begin accepts an execution and has it started, at its birth or, where only a
// claim keeps limits exactly, right after it.
func (w *World) begin(t workflow.Trigger) execution.Claim {
	w.t.Helper()
	got := w.accept(w.claimable(t))
	if got.Claim != nil {
		return *got.Claim
	}
	claims := w.Claim(1)
	if len(claims) != 1 || claims[0].ExecutionID != got.ExecutionID {
		w.t.Fatalf("claimed %v, want execution %s", claims, got.ExecutionID)
	}
	return claims[0]
}

// Outcome is the end of a run that went well.
func (w *World) Outcome() execution.Outcome {
	return execution.Outcome{State: execution.Completed, EndedAt: w.Now(), Duration: 5 * time.Millisecond, Result: json.RawMessage(`{"ok": true}`)}
}

// Get reads an execution.
func (w *World) Get(x id.ID, organization id.ID) execution.Execution {
	w.t.Helper()
	e, err := w.Execution(w.ctx(), []id.ID{organization}, x)
	w.must(err)
	return e
}

// Lines are so many log lines.
func Lines(n int, at time.Time) []engine.LogLine {
	lines := make([]engine.LogLine, n)
	for i := range lines {
		lines[i] = engine.LogLine{Time: at.Add(time.Duration(i) * time.Millisecond), Level: engine.LevelInfo, Message: fmt.Sprintf("line %d of a run", i+1)}
	}
	return lines
}
