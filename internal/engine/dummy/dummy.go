package dummy

import (
	"context"
	"crypto/sha256"
	"sync"
	"time"

	"github.com/usefloww/flowwd/internal/engine"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/workflow"
)

// Name is what the engine's programs carry.
const Name = "dummy"

// Engine implements engine.Engine. Make it with New.
type Engine struct {
	now      func() time.Time
	slots    chan struct{}
	stopping chan struct{}
	stop     sync.Once
}

var _ engine.Engine = (*Engine)(nil)

// New returns an engine that runs this many invocations at once.
func New(slots int, now func() time.Time) *Engine {
	return &Engine{now: now, slots: make(chan struct{}, slots), stopping: make(chan struct{})}
}

// Stop interrupts what runs and what comes later.
func (e *Engine) Stop() { e.stop.Do(func() { close(e.stopping) }) }

// Slots is how many invocations can run at the same time.
func (e *Engine) Slots() int { return cap(e.slots) }

// Healthy returns nil until the engine is stopped.
func (e *Engine) Healthy(context.Context) error {
	select {
	case <-e.stopping:
		return stopped()
	default:
		return nil
	}
}

func stopped() error { return &engine.Interrupted{Message: "the server is stopping"} }

// Compile checks a source. See engine.Engine.
func (e *Engine) Compile(_ context.Context, source workflow.Source) (*workflow.Program, error) {
	file := source.Entrypoint
	if _, ok := source.Files[behaviourFile]; ok {
		file = behaviourFile
	}
	text, ok := source.Files[file]
	if !ok {
		return nil, &engine.CompileError{Problems: []engine.Problem{{Text: "the entrypoint " + file + " is not among the files"}}}
	}
	if _, problems := parse(file, text); len(problems) > 0 {
		return nil, &engine.CompileError{Problems: problems}
	}
	return &workflow.Program{
		Hash:          sha256.Sum256([]byte(text)),
		Engine:        Name,
		EngineVersion: "1",
		Bridge:        1,
		Bundle:        []byte(text),
	}, nil
}

// Define returns what a program declares. See engine.Engine.
func (e *Engine) Define(ctx context.Context, _ id.ID, program *workflow.Program) (engine.Definitions, error) {
	if err := e.Healthy(ctx); err != nil {
		return engine.Definitions{}, err
	}
	p, problems := parse(behaviourFile, string(program.Bundle))
	if len(problems) > 0 {
		return engine.Definitions{}, &engine.Failure{Reason: engine.Threw, Message: problems[0].Text}
	}
	return p.definitions()
}

// Invoke runs the steps of a program. See engine.Engine.
func (e *Engine) Invoke(ctx context.Context, call engine.Invocation, sink func([]engine.LogLine)) (engine.Result, error) {
	if err := e.Healthy(ctx); err != nil {
		return engine.Result{}, err
	}
	select {
	case e.slots <- struct{}{}:
		defer func() { <-e.slots }()
	case <-ctx.Done():
		return engine.Result{}, &engine.Failure{Reason: engine.Cancelled, Message: "it was cancelled before it began"}
	case <-e.stopping:
		return engine.Result{}, stopped()
	}
	p, problems := parse(behaviourFile, string(call.Program.Bundle))
	if len(problems) > 0 {
		return engine.Result{}, &engine.Failure{Reason: engine.Threw, Message: problems[0].Text}
	}
	if err := p.declares(call.Trigger); err != nil {
		return engine.Result{}, err
	}
	if other, ok := ordered(call.Event); ok {
		if p, problems = parse(behaviourFile, other); len(problems) > 0 {
			return engine.Result{}, &engine.Failure{Reason: engine.Threw, Message: problems[0].Text}
		}
	}
	r := &run{engine: e, call: call, sink: sink, began: e.now()}
	timer := time.NewTimer(call.Limits.Timeout)
	defer timer.Stop()
	r.timeout = timer.C
	value, err := r.steps(ctx, p.steps)
	took := e.now().Sub(r.began)
	if failure, ok := err.(*engine.Failure); ok {
		failure.Duration = took
	}
	return engine.Result{Value: value, Duration: took}, err
}
