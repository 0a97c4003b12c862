package embedded

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/usefloww/flowwd/internal/engine"
	"github.com/usefloww/flowwd/internal/engine/embedded/bridge"
	"github.com/usefloww/flowwd/internal/engine/embedded/pool"
)

// exchange is one request to a child and its answers.
type exchange struct {
	child   *pool.Child
	now     func() time.Time
	began   time.Time
	timeout time.Duration
	timer   *time.Timer
	unwatch func() bool
	// asks answers what the code asks; nil until it does.
	asks    *asks
	newAsks func() *asks
}

// newExchange kills the child when the timeout is over or ctx ends. The caller
// stops it.
func (e *Engine) newExchange(ctx context.Context, child *pool.Child, r request) *exchange {
	return &exchange{
		child:   child,
		newAsks: func() *asks { return newAsks(ctx, e.fetch, child, r.asked) },
		now:     e.config.Now,
		began:   e.config.Now(),
		timeout: r.timeout,
		timer:   time.AfterFunc(r.timeout, func() { child.Kill(pool.Timeout) }),
		unwatch: context.AfterFunc(ctx, func() { child.Kill(pool.Cancelled) }),
	}
}

// took is how long it has taken so far.
func (x *exchange) took() time.Duration { return x.now().Sub(x.began) }

func (x *exchange) stop() {
	if x.asks != nil {
		// A child that reads no replies any more is still ended by its timer.
		x.asks.stop()
	}
	x.timer.Stop()
	x.unwatch()
}

// broken kills a child that sent what it must not send.
func (x *exchange) broken(err error) error {
	x.child.Kill(pool.Broken)
	return &engine.Failure{
		Reason:   engine.Crashed,
		Message:  "the process that ran the code broke a rule of the server and was ended: " + err.Error(),
		Duration: x.took(),
	}
}

// lost says why the child sends no more. It waits for the process to end.
func (x *exchange) lost(err error) error {
	took := x.took()
	switch x.child.Killed() {
	case pool.Timeout:
		return &engine.Failure{Reason: engine.Timeout, Message: fmt.Sprintf("it did not end within %v", x.timeout), Duration: took}
	case pool.Cancelled:
		return &engine.Failure{Reason: engine.Cancelled, Message: "it was cancelled", Duration: took}
	case pool.Stopping:
		return &engine.Interrupted{Message: "the server was stopped while the code ran"}
	}
	if !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, errNotTaken) {
		return x.broken(err)
	}
	exit := x.child.Exit()
	switch {
	case exit.Outside:
		return &engine.Interrupted{Message: fmt.Sprintf("the process that ran the code was ended from outside by the signal %q", exit.Signal)}
	case x.child.Killed() == pool.Stopping:
		return &engine.Interrupted{Message: "the server was stopped while the code ran"}
	case isOutOfMemory(exit.Stderr):
		return &engine.Failure{Reason: engine.OutOfMemory, Message: "the process that ran the code needed more memory than it may have", Duration: took}
	default:
		return &engine.Failure{Reason: engine.Crashed, Message: "the process that ran the code crashed", Duration: took}
	}
}

// isOutOfMemory reads what the Go runtime says before it gives up.
func isOutOfMemory(stderr string) bool {
	return strings.Contains(stderr, "out of memory") || strings.Contains(stderr, "cannot allocate memory")
}

// failed turns a child's answer that it failed into an error.
func (x *exchange) failed(payload []byte) error {
	f, err := bridge.ParseFailed(payload)
	switch {
	case err != nil:
		return x.broken(err)
	case f.Failure != nil:
		f.Failure.Duration = x.clamp(f.Failure.Duration)
		return f.Failure
	case len(f.Problems) > 0:
		return &engine.CompileError{Problems: f.Problems}
	default:
		x.child.Kill(pool.Broken)
		return fmt.Errorf("a child could not serve a request: %s", f.Internal)
	}
}

// clamp bounds a duration that a child tells by what it can be.
func (x *exchange) clamp(d time.Duration) time.Duration {
	return min(max(d, 0), x.took())
}
