package embedded

import (
	"context"
	"errors"

	"github.com/usefloww/flowwd/internal/engine"
	"github.com/usefloww/flowwd/internal/engine/embedded/bridge"
	"github.com/usefloww/flowwd/internal/engine/embedded/realm"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/workflow"
)

// Define runs the program's top level once. See engine.Engine.
func (e *Engine) Define(ctx context.Context, organization id.ID, program *workflow.Program) (engine.Definitions, error) {
	memory := e.config.Memory
	var definitions engine.Definitions
	err := e.ask(ctx, request{
		owner:   organization,
		program: program,
		memory:  memory,
		timeout: e.config.DefineTimeout,
		answers: bridge.Bounds{bridge.KindDefined: maxDefined, bridge.KindFailed: maxFailed},
		frame:   func(b []byte, slot int) []byte { return bridge.Define{Slot: slot, Memory: memory}.Append(b) },
	}, func(x *exchange) error {
		kind, payload, err := x.child.Next()
		switch {
		case err != nil:
			return x.lost(err)
		case kind == bridge.KindFailed:
			return x.failed(payload)
		}
		definitions, err = realm.Definitions(payload)
		if _, ok := errors.AsType[*engine.Failure](err); err != nil && !ok {
			return x.broken(err)
		}
		return err
	})
	return definitions, err
}
