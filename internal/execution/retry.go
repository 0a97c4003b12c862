package execution

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/usefloww/flowwd/internal/engine"
)

// failed stores that an attempt failed by its code's doing: another one follows
// when the trigger asks for it.
func (s *Service) failed(ctx context.Context, c *Claim, f *engine.Failure, now time.Time, last *LogChunk) {
	state := failedState(f.Reason)
	wait, again := c.Trigger.Options.Retry.After(c.Retries+1, rand.Float64()) //nolint:gosec // nothing secret
	// Code that does not know the trigger will not know it next time either.
	if !again || state == Cancelled || f.Reason == engine.NoHandler {
		s.finish(ctx, c, Outcome{State: state, Error: f.Message, Stack: f.Stack, EndedAt: now, Duration: f.Duration, Logs: last})
		return
	}
	failure := Failure{State: state, Error: f.Message, Stack: f.Stack, EndedAt: now, NextAt: now.Add(wait), Logs: last}
	var became State
	err := s.persist(ctx, c, func(ctx context.Context) (err error) {
		became, err = s.Store.RetryExecution(ctx, c.Lease, failure)
		return err
	})
	if err != nil {
		return
	}
	s.ended(ctx, c, last, End{State: became, Error: f.Message, At: now, Duration: f.Duration})
	if became == Received {
		s.postponed.until(failure.NextAt)
	}
}
