package embedded

import (
	"context"
	"errors"
	"fmt"

	"github.com/usefloww/flowwd/internal/engine"
	"github.com/usefloww/flowwd/internal/engine/embedded/bridge"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/workflow"
)

// Define runs the program's top level once. See engine.Engine.
func (e *Engine) Define(ctx context.Context, organization id.ID, program *workflow.Program) (engine.Definitions, error) {
	memory := engine.DefaultLimits().Memory
	child, err := e.acquire(ctx, organization, memory)
	if err != nil {
		return engine.Definitions{}, err
	}
	x := e.exchange(ctx, child, e.config.DefineTimeout)
	defer func() {
		x.stop()
		e.pool.Release(child, true)
	}()
	child.Expect(map[bridge.Kind]int{bridge.KindDefined: maxDefined, bridge.KindFailed: maxFailed})
	frames, slot := x.program(nil, program)
	if err := child.Send(bridge.Define{Slot: slot, Memory: memory}.Append(frames)); err != nil {
		return engine.Definitions{}, x.lost(fmt.Errorf("send the request: %w", errors.Join(err, errSend)))
	}
	kind, payload, err := child.Next()
	switch {
	case err != nil:
		return engine.Definitions{}, x.lost(err)
	case kind == bridge.KindFailed:
		return engine.Definitions{}, x.failed(payload)
	}
	definitions, err := bridge.ParseDefined(payload)
	if err != nil {
		return engine.Definitions{}, x.broken(err)
	}
	return definitions, nil
}
