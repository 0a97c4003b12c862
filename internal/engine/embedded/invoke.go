package embedded

import (
	"context"

	"github.com/usefloww/flowwd/internal/engine"
	"github.com/usefloww/flowwd/internal/engine/embedded/bridge"
)

// Bounds of what a child sends beside what the limits of a run say, in bytes.
const (
	frameSlack  = 64 << 10
	lineSlack   = 256
	maxFailed   = 1 << 20
	maxDefined  = 16 << 20
	maxCompiled = 512 << 20
)

// Invoke runs one handler to its end. See engine.Engine.
func (e *Engine) Invoke(ctx context.Context, call engine.Invocation, sink func([]engine.LogLine)) (engine.Result, error) {
	var result engine.Result
	err := e.ask(ctx, request{
		owner:   call.OrganizationID,
		program: call.Program,
		memory:  call.Limits.Memory,
		timeout: call.Limits.Timeout,
		asked:   call.Ask,
		answers: bridge.Bounds{
			bridge.KindLog:    call.Limits.LogLineBytes + frameSlack,
			bridge.KindDone:   call.Limits.ResultBytes + frameSlack,
			bridge.KindFailed: maxFailed,
			bridge.KindAsk:    bridge.MaxAsk + frameSlack,
			bridge.KindPull:   frameSlack,
			bridge.KindCancel: frameSlack,
		},
		frame: func(b []byte, slot int) []byte {
			run := bridge.Run{
				Slot:        slot,
				ExecutionID: call.ExecutionID.String(),
				WorkflowID:  call.WorkflowID.String(),
				Attempt:     call.Attempt,
				Trigger:     call.Trigger,
				Event:       call.Event,
				Secrets:     call.Secrets,
				Limits:      call.Limits,
			}
			return run.Append(b)
		},
		size: 512 + len(call.Trigger.Input) + len(call.Event.Fields) + len(call.Event.Body) + len(call.Secrets),
	}, func(x *exchange) (err error) {
		result, err = x.follow(call.Limits, sink)
		return err
	})
	return result, err
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
		case bridge.KindAsk, bridge.KindPull, bridge.KindCancel:
			if x.asks == nil {
				x.asks = x.newAsks()
			}
			if err := x.asks.take(kind, payload); err != nil {
				return engine.Result{}, x.broken(err)
			}
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
	now := x.now()
	for i, l := range lines {
		if l.Time.Before(x.began) {
			lines[i].Time = x.began.UTC()
		} else if l.Time.After(now) {
			lines[i].Time = now.UTC()
		}
	}
}
