package choice

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/usefloww/flowwd/internal/engine"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/workflow"
)

// Engine implements engine.Engine.
type Engine struct {
	// Engines are those that there are, by the name that their programs carry.
	Engines map[string]engine.Engine
	// Plain names the one for sources without an image, and Images the one for
	// those that name one. A name that Engines does not have stands for nobody.
	Plain, Images string
}

var _ engine.Engine = (*Engine)(nil)

// Compile makes a program of a source. See engine.Engine.
func (e *Engine) Compile(ctx context.Context, source workflow.Source) (*workflow.Program, error) {
	name, refusal := e.Plain, "this server runs code in images alone; the deployment must name one"
	if source.Image != "" {
		name, refusal = e.Images, "this server runs no images; whoever runs it can set RUNTIME_TYPE=docker"
	}
	chosen, ok := e.Engines[name]
	if !ok {
		return nil, &engine.CompileError{Problems: []engine.Problem{{Text: refusal}}}
	}
	return chosen.Compile(ctx, source)
}

// Define returns what a program declares. See engine.Engine.
func (e *Engine) Define(ctx context.Context, organization id.ID, program *workflow.Program) (engine.Definitions, error) {
	chosen, err := e.of(program)
	if err != nil {
		return engine.Definitions{}, err
	}
	return chosen.Define(ctx, organization, program)
}

// Invoke runs one handler to its end. See engine.Engine.
func (e *Engine) Invoke(ctx context.Context, call engine.Invocation, sink func([]engine.LogLine)) (engine.Result, error) {
	chosen, err := e.of(call.Program)
	if err != nil {
		return engine.Result{}, err
	}
	return chosen.Invoke(ctx, call, sink)
}

// of is the engine that made a program. That there is none any more is not the
// code's doing.
func (e *Engine) of(program *workflow.Program) (engine.Engine, error) {
	if chosen, ok := e.Engines[program.Engine]; ok {
		return chosen, nil
	}
	return nil, &engine.Interrupted{Message: fmt.Sprintf("the deployment was made for the runtime %q, which this server does not have", program.Engine)}
}

// Slots is how many invocations can run at the same time: as many as the engine
// with the most, as all may be for that one. Another engine has what is beyond
// its own slots wait.
func (e *Engine) Slots() int {
	most := 0
	for _, one := range e.Engines {
		most = max(most, one.Slots())
	}
	return most
}

// Healthy returns nil when all engines can run code.
func (e *Engine) Healthy(ctx context.Context) error {
	var all error
	for _, name := range slices.Sorted(maps.Keys(e.Engines)) {
		if err := e.Engines[name].Healthy(ctx); err != nil {
			all = errors.Join(all, fmt.Errorf("%s: %w", name, err))
		}
	}
	return all
}
