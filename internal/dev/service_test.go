package dev_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/usefloww/flowwd/internal/dev"
	"github.com/usefloww/flowwd/internal/execution"
	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/provider"
	"github.com/usefloww/flowwd/internal/provider/builtin"
	"github.com/usefloww/flowwd/internal/storetest"
	"github.com/usefloww/flowwd/internal/trigger"
	"github.com/usefloww/flowwd/internal/workflow"
)

// presence says what a test puts in.
type presence struct {
	here, known bool
	present     bool
	err         error
}

func (p *presence) Here(id.ID, id.ID) (present, known bool) { return p.here, p.known }

func (p *presence) Present(context.Context, id.ID, id.ID) (bool, error) { return p.present, p.err }

// bench is a service on a real store, with a clock and a presence that the test
// moves.
type bench struct {
	*storetest.World
	*dev.Service
	presence *presence
	flow     workflow.Workflow
	triggers []workflow.Trigger
	last     execution.Acceptance
}

func (b *bench) Accept(_ context.Context, a execution.Acceptance) (execution.Accepted, error) {
	b.last = a
	return execution.Accepted{}, nil
}

func newBench(t *testing.T) *bench {
	t.Helper()
	b := &bench{presence: &presence{known: true}}
	b.World = storetest.NewWorld(t, storetest.SQLite(t, filepath.Join(t.TempDir(), "flowwd.db")))
	b.flow, b.triggers = b.Deployed(b.Namespace())
	ids := id.NewSource(b.Now)
	b.Service = dev.New(dev.Config{
		Store: b.World, Presence: b.presence, Executions: b, Changed: func(id.ID) {},
		Planner: &trigger.Planner{Catalogue: provider.Catalogue{builtin.Type: builtin.Provider{}}, IDs: ids, Now: b.Now},
		IDs:     ids, Now: b.Now, Log: slog.New(slog.NewTextHandler(t.Output(), nil)),
	})
	return b
}

func declared(path string) workflow.Declaration {
	d := storetest.Declared(0, workflow.Options{})
	d.Input, _ = json.Marshal(map[string]string{"path": path})
	return d
}

// begin begins a session that takes the deployment's trigger and has one of its
// own.
func (b *bench) begin(t *testing.T, mirror bool) dev.Session {
	t.Helper()
	x, err := b.Sync(t.Context(), b.flow, b.ID(), []workflow.Declaration{b.triggers[0].Declaration, declared("own")}, mirror)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// taken says whom an event of the deployment's trigger would be told to.
func (b *bench) taken(t *testing.T) *execution.Dev {
	t.Helper()
	if _, err := b.Service.Accept(t.Context(), b.Acceptance(b.triggers[0])); err != nil {
		t.Fatal(err)
	}
	return b.last.Dev
}

func (b *bench) sessions(t *testing.T) int {
	t.Helper()
	all, err := b.Sessions(t.Context(), b.flow.ID)
	if err != nil {
		t.Fatal(err)
	}
	return len(all)
}

func TestEventsAreTakenWhileTheDeveloperIsConnected(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	if b.taken(t) != nil {
		t.Error("an event is taken without a session")
	}
	x := b.begin(t, false)
	if b.taken(t) != nil {
		t.Error("an event is taken while nobody is connected")
	}
	b.presence.here = true
	if d := b.taken(t); d == nil || !d.Instead || len(d.To) != 1 || d.To[0] != x.DeveloperID || d.Trigger.ID != b.triggers[0].ID {
		t.Errorf("taken: %+v", d)
	}
	mirroring := b.begin(t, true)
	if d := b.taken(t); d == nil || !d.Instead || len(d.To) != 2 {
		t.Errorf("with another who mirrors: %+v", d)
	}
	if err := b.End(t.Context(), x); err != nil {
		t.Fatal(err)
	}
	if d := b.taken(t); d == nil || d.Instead || len(d.To) != 1 || d.To[0] != mirroring.DeveloperID {
		t.Errorf("mirrored: %+v", d)
	}
}

// Who is connected elsewhere is asked in the background: an event never waits
// for an answer.
func TestWhoIsConnectedElsewhereIsAsked(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.presence.known, b.presence.present = false, true
	b.begin(t, false)
	if b.taken(t) != nil {
		t.Error("an event is taken before anybody was asked")
	}
	b.Look(t.Context())
	if b.taken(t) == nil {
		t.Error("no event is taken after the developer was found")
	}
	// The deployed code must not stand still for what is not known.
	b.presence.err = errors.New("no answer")
	b.Look(t.Context())
	if b.taken(t) != nil {
		t.Error("an event is taken while it is not known who is there")
	}
	b.Pass(10 * dev.Grace)
	b.Look(t.Context())
	if b.sessions(t) != 1 {
		t.Error("a session ends because of trouble of the server")
	}
	b.presence.err, b.presence.present = nil, false
	b.Look(t.Context())
	b.Pass(2 * dev.Grace)
	b.Look(t.Context())
	if b.sessions(t) != 0 {
		t.Error("a session goes on without its developer")
	}
}

func TestSessionsEnd(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.presence.here = true
	b.begin(t, false)
	for range 100 {
		b.Pass(dev.Grace / 4)
		b.Look(t.Context())
	}
	if b.sessions(t) != 1 || b.taken(t) == nil {
		t.Fatal("a session ends although its developer is connected")
	}
	b.Pass(dev.MaxAge)
	b.Look(t.Context())
	if b.sessions(t) != 0 || b.taken(t) != nil {
		t.Error("a session goes on after its last moment")
	}
	left, err := b.Triggers(t.Context(), b.flow.ID)
	if err != nil || len(left) != 1 {
		t.Errorf("%d triggers are left (%v), want that of the deployment", len(left), err)
	}
}

// A machine that slept does not end the sessions of those who are connected to
// it.
func TestSessionsOutliveSleep(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.presence.here = true
	b.begin(t, false)
	b.Pass(time.Hour)
	b.Look(t.Context())
	if b.sessions(t) != 1 || b.taken(t) == nil {
		t.Error("the session is over")
	}
}

func TestSyncRefusesWhatCanNotBeHad(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	slack := declared("x")
	slack.Provider.Type = "slack"
	for name, all := range map[string][]workflow.Declaration{
		"an unknown provider": {slack}, "one address twice": {declared("a"), declared("a/")}, "too many": make([]workflow.Declaration, 1001),
	} {
		if _, err := b.Sync(t.Context(), b.flow, b.ID(), all, false); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if b.sessions(t) != 0 {
		t.Error("a refused sync begins a session")
	}
}
