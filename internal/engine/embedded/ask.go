package embedded

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/usefloww/flowwd/internal/engine"
	"github.com/usefloww/flowwd/internal/engine/embedded/bridge"
	"github.com/usefloww/flowwd/internal/engine/embedded/pool"
	"github.com/usefloww/flowwd/internal/engine/embedded/realm"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/workflow"
)

// request is what a child is asked to do with a program.
type request struct {
	owner   id.ID
	program *workflow.Program
	// memory is what the code may allocate, in bytes.
	memory  int64
	timeout time.Duration
	// asked answers what the code asks but fetch; nil for nobody.
	asked engine.Ask
	// answers are the frames that may come.
	answers bridge.Bounds
	// frame appends the request itself.
	frame func(b []byte, slot int) []byte
	// size is about how long the frame is, in bytes.
	size int
}

// slow is the duration from which a request may have grown its child.
const slow = 20 * time.Millisecond

// deadChildren is how many children that ended while they were idle a request
// may meet.
const deadChildren = 8

// errNotTaken is the end of an exchange whose child did not take the request.
var errNotTaken = errors.New("the child takes no request")

// ask gives a request to a child of the organization and calls follow for the
// answers. A child that ended while it was idle is replaced by another one.
func (e *Engine) ask(ctx context.Context, r request, follow func(*exchange) error) error {
	for range deadChildren {
		err := e.try(ctx, r, follow)
		if !errors.Is(err, errNotTaken) {
			return err
		}
	}
	return &engine.Interrupted{Message: "the processes that run code end before they take a run"}
}

// try asks one child.
func (e *Engine) try(ctx context.Context, r request, follow func(*exchange) error) error {
	child, err := e.acquire(ctx, r.owner, r.memory)
	if err != nil {
		return err
	}
	x := e.newExchange(ctx, child, r)
	defer func() {
		x.stop()
		e.pool.Release(child, x.took() > slow)
	}()
	child.Expect(r.answers)
	frames, slot := give(child, r)
	if err := child.Send(r.frame(frames, slot)); err != nil {
		err := x.lost(errNotTaken)
		if child.Killed() == "" {
			return errNotTaken
		}
		return err
	}
	return follow(x)
}

var errKilledEarly = &engine.Interrupted{Message: "the process for the code was ended from outside before it was ready"}

// acquire lends a child.
func (e *Engine) acquire(ctx context.Context, owner id.ID, memory int64) (*pool.Child, error) {
	child, err := e.pool.Acquire(ctx, owner, memory)
	switch {
	case err == nil && ctx.Err() == nil:
		return child, nil
	case err == nil:
		// A short run could be over before the child is killed.
		e.pool.Release(child, false)
		return nil, cancelledEarly()
	case errors.Is(err, pool.ErrStopping):
		return nil, &engine.Interrupted{Message: "the server is stopping"}
	case errors.Is(err, pool.ErrKilled):
		return nil, errKilledEarly
	case ctx.Err() != nil:
		return nil, cancelledEarly()
	default:
		return nil, fmt.Errorf("get a child process: %w", err)
	}
}

func cancelledEarly() error {
	return &engine.Failure{Reason: engine.Cancelled, Message: "it was cancelled before it began"}
}

// give appends the frame that gives the child the program, unless it has it,
// and returns the slot that it is in.
func give(child *pool.Child, r request) (frames []byte, slot int) {
	p := r.program
	slot, known := child.Slot(p.Hash)
	if known {
		return make([]byte, 0, r.size), slot
	}
	send := bridge.Program{Slot: slot, SourceMap: p.SourceMap}
	if p.Engine == Name && p.EngineVersion == realm.Version && len(p.Bytecode) > 0 {
		send.Bytecode = p.Bytecode
	} else {
		send.Bundle = p.Bundle
	}
	return send.Append(nil), slot
}
