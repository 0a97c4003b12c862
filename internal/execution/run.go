package execution

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/usefloww/flowwd/internal/engine"
	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/tracing"
)

// engineBackOff is how long a run keeps its slot when the engine itself failed,
// so that an engine that can't run anything doesn't use up the interruptions of
// all that waits within a moment.
const engineBackOff = time.Second

// startRun runs a claim of a life in the background. The caller holds a slot for
// it.
func (s *Service) startRun(l *life, c *Claim) {
	ctx, cancel := context.WithCancelCause(l.ctx)
	l.hold(c.Lease, cancel)
	s.runs.Go(func() {
		free := sync.OnceFunc(s.freeSlot)
		defer free()
		defer l.release(c.Lease)
		defer cancel(nil)
		ctx, span := s.traceRun(ctx, c)
		defer span.End(nil)
		s.run(ctx, cancel, c, free)
	})
}

// run runs a claim and stores how it ended. free gives its slot up; it may be called
// again.
func (s *Service) run(ctx context.Context, cancel context.CancelCauseFunc, c *Claim, free func()) {
	s.signal(c.ExecutionID)
	s.Listener.Started(c)
	log := newLogWriter(s, c, cancel)
	result, err := s.invoke(ctx, c, log)
	last := log.close()
	if errors.Is(context.Cause(ctx), ErrLeaseLost) {
		s.Log.Warn("a run was stopped because it is no longer ours", "execution", c.ExecutionID, "attempt", c.Attempt)
		return
	}
	s.end(ctx, c, result, err, last, free)
}

// invoke runs one attempt in the engine.
func (s *Service) invoke(ctx context.Context, c *Claim, log *logWriter) (result engine.Result, err error) {
	program, err := s.programs.get(ctx, c.ProgramHash)
	if err != nil {
		return engine.Result{}, fmt.Errorf("read the program of deployment %s: %w", c.DeploymentID, err)
	}
	secrets, redactor, err := s.secrets(ctx, c, program)
	if err != nil {
		return engine.Result{}, err
	}
	ctx, span := tracing.Start(ctx, "invoke")
	defer func() { span.End(err) }()
	result, err = s.Engine.Invoke(ctx, engine.Invocation{
		OrganizationID: c.OrganizationID,
		WorkflowID:     c.WorkflowID,
		ExecutionID:    c.ExecutionID,
		Attempt:        c.Attempt,
		Program:        program,
		Trigger:        c.Trigger,
		Event: engine.Event{
			Fields: c.Event.Fields, HasBody: c.Event.HasBody,
			ContentType: c.Event.ContentType, Body: c.Event.Body,
		},
		Limits:  s.LimitsOf(c),
		Ask:     s.ask(c),
		Secrets: secrets,
	}, redacted(redactor, log.write))
	return redactEnd(redactor, result, err)
}

// LimitsOf are the limits of an attempt.
func (s *Service) LimitsOf(c *Claim) engine.Limits {
	limits := s.Limits
	if asked := c.Trigger.Options.Timeout; asked > 0 {
		limits.Timeout = min(asked, s.MaxTimeout)
	}
	if asked := c.Trigger.Options.Memory; asked > 0 {
		limits.Memory = min(asked, s.MaxMemory)
	}
	return limits
}

// ask answers what the code of a claim asks.
func (s *Service) ask(c *Claim) engine.Ask {
	if s.Asked == nil {
		return nil
	}
	return func(ctx context.Context, name string, question []byte) ([]byte, error) {
		return s.Asked(ctx, c, name, question)
	}
}

// end stores how an attempt ended.
func (s *Service) end(ctx context.Context, c *Claim, result engine.Result, err error, last *LogChunk, free func()) {
	now := s.Now()
	cancelled := errors.Is(context.Cause(ctx), errCancelled)
	var failure *engine.Failure
	if err != nil && (!errors.As(err, &failure) || failure.Reason == engine.Cancelled && !cancelled && context.Cause(ctx) != nil) {
		s.interrupted(ctx, c, err, Interruption{EndedAt: now, Logs: last})
		return
	}
	defer s.beginEnding(free)()
	switch {
	case failure == nil:
		s.finish(ctx, c, Outcome{State: Completed, Result: result.Value, EndedAt: now, Duration: result.Duration, Logs: last})
	case failure.Reason == engine.Cancelled && cancelled:
		s.finish(ctx, c, Outcome{State: Cancelled, Error: errCancelled.Error(), EndedAt: now, Duration: failure.Duration, Logs: last})
	default:
		s.failed(ctx, c, failure, now, last)
	}
}

// beginEnding gives up the slot of a run whose end is going to be stored: the engine
// is free for another one, which need not wait for the database. There are no more
// such ends than slots; beyond, ends keep theirs.
func (s *Service) beginEnding(free func()) (done func()) {
	s.endings <- struct{}{}
	free()
	return func() { <-s.endings }
}

func failedState(r engine.Reason) State {
	switch r {
	case engine.Timeout:
		return TimedOut
	case engine.Cancelled:
		return Cancelled
	default:
		return Failed
	}
}

// interrupted stores that an attempt ended through no fault of its code.
func (s *Service) interrupted(ctx context.Context, c *Claim, err error, in Interruption) {
	var known *engine.Interrupted
	switch stopping := errors.Is(context.Cause(ctx), errStopping); {
	case stopping:
		in.Reason = errStopping.Message
	case errors.As(err, &known):
		in.Reason = known.Message
	case errors.Is(context.Cause(ctx), errCancelled):
		in.Reason = errCancelled.Error()
	default:
		in.Reason = "the server could not run the code"
		s.Log.Error("the engine could not run an execution", "execution", c.ExecutionID, "attempt", c.Attempt, "error", err)
		defer s.pause(engineBackOff)
	}
	var state State
	err = s.persist(ctx, c, func(ctx context.Context) (err error) {
		state, err = s.Store.InterruptExecution(ctx, c.Lease, in)
		return err
	})
	if err != nil {
		return
	}
	s.ended(ctx, c, in.Logs, End{State: state, Error: in.Reason, At: in.EndedAt, Duration: in.EndedAt.Sub(c.StartedAt)})
	if state == Received {
		s.backlog.Store(true)
	}
}

// finish stores the final state of an execution.
func (s *Service) finish(ctx context.Context, c *Claim, o Outcome) {
	err := s.persist(ctx, c, func(ctx context.Context) error { return s.Store.FinishExecution(ctx, c, o) })
	if err == nil {
		s.ended(ctx, c, o.Logs, End{State: o.State, Error: o.Error, Result: o.Result, At: o.EndedAt, Duration: o.Duration})
	}
}

func (s *Service) ended(ctx context.Context, c *Claim, last *LogChunk, e End) {
	traceEnd(ctx, e)
	s.signal(c.ExecutionID)
	if last != nil {
		s.Listener.Logged(c, *last)
	}
	s.Listener.Ended(c, e)
	s.Log.Debug("run ended", "execution", c.ExecutionID, "workflow", c.WorkflowID, "attempt", c.Attempt, "state", e.State, "duration", e.Duration)
	if s.Metrics != nil {
		s.Metrics.Ended(e.State, c.StartedAt.Sub(c.ReceivedAt), e.Duration)
	}
}

// Bounds of storing the end of an attempt.
const (
	persistTimeout = 10 * time.Second
	persistFirst   = 50 * time.Millisecond
	persistMost    = 5 * time.Second
)

// persist stores the end of an attempt, again and again while the store does
// not answer: the run is over and its outcome exists nowhere else. It gives up
// when the lease is lost or the server stops; the execution then runs again
// after the next start. Of ctx only what it belongs to counts: it may be over.
func (s *Service) persist(ctx context.Context, c *Claim, store func(context.Context) error) error {
	wait := persistFirst
	for {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), persistTimeout)
		err := store(ctx)
		cancel()
		if err == nil {
			return nil
		}
		if errors.Is(err, ErrLeaseLost) || fault.Is(err, fault.NotFound) {
			// An earlier try whose answer was lost may have ended it.
			s.signal(c.ExecutionID)
			s.Log.Warn("the end of a run was refused because it is no longer ours", "execution", c.ExecutionID, "attempt", c.Attempt)
			return err
		}
		s.Log.Error("the end of a run could not be stored; trying again", "execution", c.ExecutionID, "attempt", c.Attempt, "error", err)
		if !s.pause(wait) {
			return err
		}
		wait = min(2*wait, persistMost)
	}
}

// pause waits and reports whether the server still runs.
func (s *Service) pause(d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-s.runContext.Done():
		return false
	}
}
