package embedded

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/usefloww/flowwd/internal/engine"
	"github.com/usefloww/flowwd/internal/engine/embedded/bridge"
	"github.com/usefloww/flowwd/internal/engine/embedded/pool"
	"github.com/usefloww/flowwd/internal/id"
)

// Bounds of what a child sends beside what the limits of a run say, in bytes.
const (
	frameSlack  = 64 << 10
	lineSlack   = 256
	maxFailed   = 1 << 20
	maxDefined  = 64 << 20
	maxCompiled = 512 << 20
)

// slowRun is the duration from which a run may have grown its child.
const slowRun = 20 * time.Millisecond

// deadChildren is how many children that ended while they were idle a run may
// meet before it counts as interrupted.
const deadChildren = 8

// Invoke runs one handler to its end. See engine.Engine.
func (e *Engine) Invoke(ctx context.Context, call engine.Invocation, sink func([]engine.LogLine)) (engine.Result, error) {
	for range deadChildren {
		result, err := e.attempt(ctx, call, sink)
		if !errors.Is(err, errNotTaken) {
			return result, err
		}
	}
	return engine.Result{}, &engine.Interrupted{Message: "the processes that run code end before they take a run"}
}

// attempt runs a handler in one child. The error is errNotTaken when the child
// had ended before it was given the run.
func (e *Engine) attempt(ctx context.Context, call engine.Invocation, sink func([]engine.LogLine)) (engine.Result, error) {
	child, err := e.acquire(ctx, call.OrganizationID, call.Limits.Memory)
	if err != nil {
		return engine.Result{}, err
	}
	x := e.exchange(ctx, child, call.Limits.Timeout)
	defer func() {
		x.stop()
		e.pool.Release(child, time.Since(x.began) > slowRun)
	}()
	child.Expect(runFrames(call.Limits))
	frames, slot := x.program(nil, call.Program)
	request := bridge.Run{
		Slot:        slot,
		ExecutionID: call.ExecutionID.String(),
		WorkflowID:  call.WorkflowID.String(),
		Attempt:     call.Attempt,
		Trigger:     call.Trigger,
		Event:       call.Event,
		Limits:      call.Limits,
	}
	if err := child.Send(request.Append(frames)); err != nil {
		err := x.lost(fmt.Errorf("send the run: %w", errors.Join(err, errSend)))
		if child.Killed() == "" {
			err = errNotTaken
		}
		return engine.Result{}, err
	}
	return x.follow(call.Limits, sink)
}

// acquire lends a child.
func (e *Engine) acquire(ctx context.Context, owner id.ID, memory int64) (*pool.Child, error) {
	child, err := e.pool.Acquire(ctx, owner, memory)
	switch {
	case err == nil:
		return child, nil
	case errors.Is(err, pool.ErrStopping):
		return nil, &engine.Interrupted{Message: "the server is stopping"}
	case ctx.Err() != nil:
		return nil, &engine.Failure{Reason: engine.Cancelled, Message: "it was cancelled before it began"}
	default:
		return nil, fmt.Errorf("get a child process: %w", err)
	}
}

func runFrames(l engine.Limits) map[bridge.Kind]int {
	return map[bridge.Kind]int{
		bridge.KindLog:    l.LogLineBytes + frameSlack,
		bridge.KindDone:   l.ResultBytes + frameSlack,
		bridge.KindFailed: maxFailed,
	}
}

// follow passes log lines on until the run ends.
func (x *exchange) follow(limits engine.Limits, sink func([]engine.LogLine)) (engine.Result, error) {
	left := limits.LogLines + 1
	for {
		kind, payload, err := x.child.Next()
		if err != nil {
			return engine.Result{}, x.lost(err)
		}
		switch kind {
		case bridge.KindLog:
			lines, err := bridge.ParseLines(payload, left, limits.LogLineBytes+lineSlack)
			if err != nil {
				return engine.Result{}, x.broken(err)
			}
			left -= len(lines)
			x.clampTimes(lines)
			sink(lines)
		case bridge.KindFailed:
			return engine.Result{}, x.failed(payload)
		case bridge.KindDone:
			done, err := bridge.ParseDone(payload)
			if err != nil {
				return engine.Result{}, x.broken(err)
			}
			return engine.Result{Value: done.Value, Duration: x.clamp(done.Duration)}, nil
		}
	}
}

// clampTimes moves times that a child cannot have seen into the run.
func (x *exchange) clampTimes(lines []engine.LogLine) {
	now := time.Now()
	for i, l := range lines {
		if l.Time.Before(x.began) {
			lines[i].Time = x.began.UTC()
		} else if l.Time.After(now) {
			lines[i].Time = now.UTC()
		}
	}
}
