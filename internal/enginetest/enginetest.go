package enginetest

import (
	"context"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/usefloww/flowwd/internal/engine"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/workflow"
)

// Behaviour is what a program of the suite does. Its trigger is an onWebhook of
// builtin and default with the input {"path":"/suite"}, unless it says more.
type Behaviour string

// The behaviours.
const (
	// Hello logs "one" at debug, "two" at info, "three" at warn, "four" at
	// error and "five", and returns {"ok":true}.
	Hello Behaviour = "hello"
	// Nothing returns undefined.
	Nothing Behaviour = "nothing"
	// Declares has the provider github of alias work and these triggers: twice
	// the suite's; an onCron with the input {"z":1,"a":{"y":[1.50,null]}} and
	// the options timeout 1.5, memory 48, concurrency 2, onInterrupt fail.
	Declares Behaviour = "declares"
	// Echo logs the text of the event's body and returns {"body": that text,
	// "attempt": N}.
	Echo Behaviour = "echo"
	// Waits logs "waiting" and then waits for a minute.
	Waits Behaviour = "waits"
	// Loops computes for ever.
	Loops Behaviour = "loops"
	// Throws throws an error with the message "no luck".
	Throws Behaviour = "throws"
	// Allocates allocates for ever.
	Allocates Behaviour = "allocates"
	// Crashes makes its process end.
	Crashes Behaviour = "crashes"
	// Killed is killed by somebody outside.
	Killed Behaviour = "killed"
	// NeverSettles waits for what cannot come.
	NeverSettles Behaviour = "never settles"
	// Floods logs "flood" 1000 times and returns {"ok":true}.
	Floods Behaviour = "floods"
	// LongLine logs 100,000 times the letter "é".
	LongLine Behaviour = "long line"
	// Huge returns a text of 100,000 letters.
	Huge Behaviour = "huge"
	// Counts adds one to a global counter and returns it.
	Counts Behaviour = "counts"
	// Invalid is no program: line 2 of its entrypoint is at fault.
	Invalid Behaviour = "invalid"
)

// Harness is an engine under test.
type Harness interface {
	// Start returns an engine that runs at least four invocations at once, and
	// how it is stopped. The harness stops it at the end of the test.
	Start(t *testing.T) (e engine.Engine, stop func())
	// Source writes a program; false when the engine has no such thing.
	Source(b Behaviour) (workflow.Source, bool)
}

// Costly is a Harness of an engine that takes long to start something for an
// organization: all tests are then of one, and some repeat less.
type Costly interface {
	Harness
	Organization() id.ID
}

// patience bounds waits for what must come.
const patience = 20 * time.Second

// Run runs the suite.
func Run(t *testing.T, h Harness) {
	t.Run("definitions", func(t *testing.T) { testDefinitions(t, h) })
	t.Run("invoke", func(t *testing.T) { testInvoke(t, h) })
	t.Run("failures", func(t *testing.T) { testFailures(t, h) })
	t.Run("bounds", func(t *testing.T) { testBounds(t, h) })
	t.Run("ends", func(t *testing.T) { testEnds(t, h) })
	t.Run("isolation", func(t *testing.T) { testIsolation(t, h) })
}

// bench is a started engine with what a test needs around it.
type bench struct {
	*testing.T
	h    Harness
	e    engine.Engine
	stop func()
	ids  *id.Source
	org  id.ID
	// costly says that the harness is.
	costly bool
}

func start(t *testing.T, h Harness) *bench {
	t.Helper()
	e, stop := h.Start(t)
	ids := id.NewSource(time.Now)
	b := &bench{T: t, h: h, e: e, stop: stop, ids: ids, org: ids.New()}
	if costly, ok := h.(Costly); ok {
		b.org, b.costly = costly.Organization(), true
	}
	return b
}

// trigger is the declaration of most behaviours.
func trigger() workflow.Declaration {
	return workflow.Declaration{
		Provider: workflow.ProviderRef{Type: "builtin", Alias: "default"},
		Type:     "onWebhook",
		Input:    json.RawMessage(`{"path":"/suite"}`),
	}
}

// program compiles a behaviour.
func (b *bench) program(behaviour Behaviour) *workflow.Program {
	b.Helper()
	source, ok := b.h.Source(behaviour)
	if !ok {
		b.Fatalf("the harness has no program that %s", behaviour)
	}
	p, err := b.e.Compile(b.Context(), source)
	if err != nil {
		b.Fatalf("compile: %v", err)
	}
	return p
}

// call is an invocation of a behaviour.
func (b *bench) call(behaviour Behaviour) engine.Invocation {
	b.Helper()
	return engine.Invocation{
		OrganizationID: b.org,
		WorkflowID:     b.ids.New(),
		ExecutionID:    b.ids.New(),
		Attempt:        1,
		Program:        b.program(behaviour),
		Trigger:        trigger(),
		Event:          engine.Event{Fields: json.RawMessage(`{"method":"POST"}`)},
		Limits:         engine.DefaultLimits(),
	}
}

// outcome is what an invocation gave.
type outcome struct {
	engine.Result
	lines []engine.LogLine
	err   error
}

// texts are the messages of the log.
func (o outcome) texts() []string {
	out := make([]string, len(o.lines))
	for i, l := range o.lines {
		out[i] = l.Message
	}
	return out
}

func (b *bench) invoke(ctx context.Context, call engine.Invocation) outcome {
	var o outcome
	returned := false
	o.Result, o.err = b.e.Invoke(ctx, call, func(lines []engine.LogLine) {
		if returned {
			b.Error("a line came after Invoke had returned")
		}
		o.lines = append(o.lines, lines...)
	})
	returned = true
	return o
}

// must runs a behaviour that succeeds.
func (b *bench) must(call engine.Invocation) outcome {
	b.Helper()
	o := b.invoke(b.Context(), call)
	if o.err != nil {
		b.Fatalf("invoke: %v", o.err)
	}
	return o
}

// wantFailure fails unless err is a failure for the reason.
func wantFailure(t testing.TB, err error, reason engine.Reason) *engine.Failure {
	t.Helper()
	var f *engine.Failure
	if !errors.As(err, &f) {
		t.Fatalf("got the error %v (%T), want a failure of the code: %s", err, err, reason)
	}
	if f.Reason != reason || f.Message == "" || f.Duration < 0 {
		t.Fatalf("got the failure %+v, want the reason %q and a message", f, reason)
	}
	return f
}

func wantInterrupted(t testing.TB, err error) {
	t.Helper()
	var i *engine.Interrupted
	if !errors.As(err, &i) || i.Message == "" {
		t.Fatalf("got the error %v (%T), want an interruption with a message", err, err)
	}
}

// each runs a subtest for a behaviour unless the harness has none.
func each(t *testing.T, h Harness, behaviour Behaviour, test func(b *bench)) {
	t.Helper()
	if _, ok := h.Source(behaviour); !ok {
		return
	}
	t.Run(string(behaviour), func(t *testing.T) {
		t.Parallel()
		test(start(t, h))
	})
}
