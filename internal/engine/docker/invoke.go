package docker

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/usefloww/flowwd/internal/engine"
)

// Why a run's context ended.
var (
	errTimeout  = errors.New("the run takes too long")
	errStopping = errors.New("the engine is stopping")
)

// endTimeout bounds how long a run that was told to end may take to do so.
const endTimeout = 5 * time.Second

// Invoke runs one handler to its end. See engine.Engine.
func (e *Engine) Invoke(ctx context.Context, call engine.Invocation, sink func([]engine.LogLine)) (engine.Result, error) {
	e.runs.Add(1)
	defer e.runs.Done()
	program, err := e.bundles.of(call.Program)
	if err != nil {
		return engine.Result{}, err
	}
	if err := e.slot(ctx); err != nil {
		return engine.Result{}, err
	}
	defer func() { <-e.slots }()
	p := e.use(podKey{call.OrganizationID, program.Image})
	defer e.release(p)
	in, leave, err := e.within(ctx, p)
	if err != nil {
		return engine.Result{}, err
	}
	defer leave()
	x := e.newExchange(ctx, in, call.Limits.Timeout)
	defer x.stop()
	return x.invoke(call, program, sink)
}

// slot waits for one of the slots.
func (e *Engine) slot(ctx context.Context) error {
	if ctx.Err() != nil {
		return cancelledEarly()
	}
	select {
	case e.slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return cancelledEarly()
	case <-e.life.Done():
		return stopping()
	}
}

func cancelledEarly() error {
	return &engine.Failure{Reason: engine.Cancelled, Message: "it was cancelled before it began"}
}

// within enters a pod; what ends the wait for it has a name.
func (e *Engine) within(ctx context.Context, p *pod) (*instance, func(), error) {
	waiting, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(e.life, cancel)()
	in, leave, err := e.enter(waiting, p, func(string) {})
	for end := e.config.Now().Add(e.config.DaemonPatience); err != nil && e.config.Now().Before(end) && e.daemonReturns(waiting, err, end); {
		in, leave, err = e.enter(waiting, p, func(string) {})
	}
	switch {
	case err == nil && waiting.Err() == nil:
		return in, leave, nil
	case err == nil:
		leave()
		fallthrough
	default:
		if e.life.Err() != nil {
			return nil, nil, stopping()
		}
		if ctx.Err() != nil {
			return nil, nil, cancelledEarly()
		}
		return nil, nil, err
	}
}

// daemonPause is between two looks for a daemon that has gone.
const daemonPause = 200 * time.Millisecond

// daemonReturns waits for a daemon without which something failed: a run must
// not be interrupted again and again while it is started anew. False when the
// daemon is there, or does not come.
func (e *Engine) daemonReturns(ctx context.Context, err error, end time.Time) bool {
	if _, ok := errors.AsType[*engine.Failure](err); ok || e.Healthy(ctx) == nil {
		return false
	}
	for e.config.Now().Before(end) {
		select {
		case <-time.After(daemonPause):
		case <-ctx.Done():
			return false
		}
		if e.Healthy(ctx) == nil {
			return true
		}
	}
	return false
}

// exchange is one request to a container and its answer.
type exchange struct {
	e       *Engine
	in      *instance
	ctx     context.Context
	cancel  context.CancelCauseFunc
	outside context.Context
	timeout time.Duration
	began   time.Time
	stops   []func() bool
	// run is what the container may do for the server; nil when it defines.
	run *run
}

func (e *Engine) newExchange(outside context.Context, in *instance, timeout time.Duration) *exchange {
	x := &exchange{e: e, in: in, outside: outside, timeout: timeout, began: e.config.Now()}
	x.ctx, x.cancel = context.WithCancelCause(outside)
	timer := time.AfterFunc(timeout, func() { x.cancel(errTimeout) })
	x.stops = []func() bool{timer.Stop, context.AfterFunc(e.life, func() { x.cancel(errStopping) })}
	return x
}

func (x *exchange) stop() {
	for _, stop := range x.stops {
		stop()
	}
	x.cancel(nil)
}

func (x *exchange) took() time.Duration { return x.e.config.Now().Sub(x.began) }

// invoke makes the request of a run.
func (x *exchange) invoke(call engine.Invocation, program *bundle, sink func([]engine.LogLine)) (engine.Result, error) {
	run, err := x.in.begin(x.ctx, call)
	if err != nil {
		return engine.Result{}, err
	}
	x.run = run
	defer x.in.end(run)
	configs := call.Secrets
	if len(configs) == 0 {
		configs = json.RawMessage("{}")
	}
	r := request{
		Type: typeInvoke, UserCode: &userCode{program.Files, program.Entrypoint}, Trigger: triggerOf(call.Trigger),
		BackendURL: backendURL, AuthToken: run.token, ExecutionID: call.ExecutionID.String(), ProviderConfigs: configs,
	}
	if !x.in.streams {
		if r.Data, err = dataOf(call.Event); err != nil {
			return engine.Result{}, fmt.Errorf("write an event: %w", err)
		}
		return x.plain(r, call.Limits, sink)
	}
	r.ProgramHash, r.WorkflowID, r.Attempt = hex.EncodeToString(call.Program.Hash[:]), call.WorkflowID.String(), call.Attempt
	r.Event = &eventWire{
		Fields: or0(call.Event.Fields), HasBody: call.Event.HasBody, Body: call.Event.Body, ContentType: call.Event.ContentType, Kind: engine.KindOf(call.Event.ContentType),
	}
	r.Limits = &limitsWire{call.Limits.Memory, call.Limits.LogLines, call.Limits.LogLineBytes, call.Limits.ResultBytes}
	return x.streamed(r, call, sink)
}

// streamed reads the lines of an answer until the run is over.
func (x *exchange) streamed(r request, call engine.Invocation, sink func([]engine.LogLine)) (engine.Result, error) {
	log := &logger{x: x, limits: call.Limits, sink: sink}
	var result engine.Result
	over := false
	err := x.stream(r, call.Program.Hash, max(call.Limits.ResultBytes, call.Limits.LogLineBytes), func(line eventLine) (err error) {
		switch {
		case line.Log != nil:
			log.add(line.Log)
		case line.Failed != nil:
			return x.failure(*line.Failed)
		case line.Done != nil:
			over = true
			result, err = x.result(*line.Done, call.Limits)
			return err
		default:
			return fmt.Errorf("%w: a line has no known member", errBroken)
		}
		return nil
	})
	if err == nil && !over {
		err = fmt.Errorf("%w: its answer ends before the run does", errBroken)
	}
	return result, x.outcome(err)
}

func (x *exchange) result(d doneWire, limits engine.Limits) (engine.Result, error) {
	result := engine.Result{Duration: x.clamp(d.DurationMs)}
	if d.Result == nil {
		return result, nil
	}
	if len(*d.Result) > limits.ResultBytes {
		return result, &engine.Failure{
			Reason: engine.BadResult, Duration: result.Duration,
			Message: fmt.Sprintf("the handler's result has %d bytes of JSON; at most %d are allowed", len(*d.Result), limits.ResultBytes),
		}
	}
	if !json.Valid([]byte(*d.Result)) {
		return result, fmt.Errorf("%w: a result is no JSON", errBroken)
	}
	result.Value = json.RawMessage(*d.Result)
	return result, nil
}

// failure is what our own image says went wrong.
func (x *exchange) failure(f failedWire) error {
	switch f.Reason {
	case engine.Threw, engine.OutOfMemory, engine.Crashed, engine.NoHandler, engine.BadResult, engine.NeverEnds:
	default:
		return fmt.Errorf("%w: it gives the reason %.40q", errBroken, f.Reason)
	}
	if f.Message == "" {
		f.Message = "the code failed without a message"
	}
	return &engine.Failure{Reason: f.Reason, Message: bounded(f.Message), Stack: bounded(f.Stack), Duration: x.clamp(f.DurationMs)}
}

// clamp bounds a duration that a container tells by what it can be.
func (x *exchange) clamp(ms float64) time.Duration {
	took := x.took()
	if !(ms > 0) {
		return 0
	}
	return min(time.Duration(min(ms, took.Seconds()*1000)*float64(time.Millisecond)), took)
}

// maxText bounds a message or stack, in bytes.
const maxText = 64 << 10

func bounded(text string) string { return engine.Cut(text, maxText) }
