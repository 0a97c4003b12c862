package embedded

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"

	"github.com/usefloww/flowwd/internal/engine"
	"github.com/usefloww/flowwd/internal/engine/embedded/bridge"
	"github.com/usefloww/flowwd/internal/engine/embedded/pool"
	"github.com/usefloww/flowwd/internal/engine/embedded/realm"
	"github.com/usefloww/flowwd/internal/workflow"
)

// Compile makes a program of a source, in a child that ends afterwards. See
// engine.Engine.
func (e *Engine) Compile(ctx context.Context, source workflow.Source) (*workflow.Program, error) {
	select {
	case e.compilers <- struct{}{}:
		defer func() { <-e.compilers }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	child, err := e.pool.Spawn(ctx, e.config.Memory, e.config.CompileMemory)
	if errors.Is(err, pool.ErrKilled) {
		return nil, errKilledEarly
	}
	if err != nil {
		return nil, fmt.Errorf("start a child to compile in: %w", err)
	}
	defer child.Kill(pool.Retired)
	x := e.newExchange(ctx, child, request{timeout: e.config.CompileTimeout})
	defer x.stop()
	child.Expect(bridge.Bounds{bridge.KindCompiled: maxCompiled, bridge.KindFailed: maxFailed})
	if err := child.Send(bridge.AppendCompile(nil, source)); err != nil {
		return nil, compileError(x.lost(errNotTaken))
	}
	kind, payload, err := child.Next()
	switch {
	case err != nil:
		return nil, compileError(x.lost(err))
	case kind == bridge.KindFailed:
		return nil, compileError(x.failed(payload))
	}
	c, err := bridge.ParseCompiled(payload)
	if err != nil {
		return nil, compileError(x.broken(err))
	}
	return &workflow.Program{
		Hash:          sha256.Sum256(c.Bundle),
		Engine:        Name,
		EngineVersion: realm.Version,
		SDKVersion:    c.SDKVersion,
		Bridge:        realm.BridgeVersion,
		Bundle:        c.Bundle,
		SourceMap:     c.SourceMap,
		Bytecode:      c.Bytecode,
	}, nil
}

// compileError says of a compilation that took its child down that the sources
// are at fault.
func compileError(err error) error {
	failure, ok := errors.AsType[*engine.Failure](err)
	if !ok || failure.Reason == engine.Cancelled {
		return err
	}
	text := "the sources cannot be compiled: " + failure.Message
	return &engine.CompileError{Problems: []engine.Problem{{Text: text}}}
}
