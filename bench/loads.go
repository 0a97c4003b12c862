package main

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"github.com/usefloww/flowwd/internal/client"
)

// measureLoads measures acknowledging and completing under load.
func measureLoads(ctx context.Context, o options, in installation, work string, r *report) error {
	f, err := in.start(ctx, o, filepath.Join(work, "load"))
	if err != nil {
		return err
	}
	path, err := f[0].deploy(ctx, "load", hello)
	if err != nil {
		return err
	}
	if _, err := f.closedLoop(ctx, path, 8, 2*time.Second); err != nil {
		return err
	}
	if err := f.drained(ctx); err != nil {
		return err
	}
	for _, clients := range []int{1, 8, 64} {
		if err := f.measureClosed(ctx, o, r, path, clients); err != nil {
			return err
		}
	}
	took, err := f.openLoop(ctx, path, 1000, o.seconds)
	if err != nil {
		return err
	}
	r.add("1,000 events/s, steady: acknowledged", "p50 %s, p99 %s", ms(took.at(50)), ms(took.at(99)))
	if err := f.drained(ctx); err != nil {
		return err
	}
	bytes, children, err := f.memory()
	if err != nil {
		return err
	}
	done, err := f.completed()
	if err != nil {
		return err
	}
	r.add("memory after the loads", "%d MB with %d children, %d runs", bytes>>20, children, done)
	if err := f.untilCold(ctx); err != nil {
		return err
	}
	if bytes, children, err = f.memory(); err != nil {
		return err
	}
	r.add("memory when nothing has run for a minute", "%d MB with %d children", bytes>>20, children)
	return f.stop()
}

func (f fleet) measureClosed(ctx context.Context, o options, r *report, path string, clients int) error {
	before, err := f.completed()
	if err != nil {
		return err
	}
	begin := time.Now()
	took, err := f.closedLoop(ctx, path, clients, o.seconds)
	if err != nil {
		return err
	}
	sent := time.Since(begin)
	if err := f.drained(ctx); err != nil {
		return err
	}
	ended := time.Since(begin)
	after, err := f.completed()
	if err != nil {
		return err
	}
	if after-before != len(took) {
		return fmt.Errorf("%d events were acknowledged and %d completed", len(took), after-before)
	}
	r.add(fmt.Sprintf("%d clients: acknowledged", clients), "%.0f/s, p50 %s, p99 %s",
		float64(len(took))/sent.Seconds(), ms(took.at(50)), ms(took.at(99)))
	r.add(fmt.Sprintf("%d clients: completed", clients), "%.0f/s (3 log lines each, until the last one ended)",
		float64(len(took))/ended.Seconds())
	return nil
}

// sleeper is a handler that runs for long when it is asked to, and only in its
// first attempt.
const sleeper = `import { Builtin } from "floww";

new Builtin().triggers.onWebhook({
  path: "sleep",
  handler: async (ctx) => {
    console.log("attempt " + ctx.attempt);
    if (ctx.attempt === 1) await new Promise((done) => setTimeout(done, 55_000));
  },
});
`

// takeovers is how many servers are killed to see how long their runs stay
// where they are.
const takeovers = 7

// measureTakeover kills servers in the middle of a run and waits until another
// server has begun the run again.
func measureTakeover(ctx context.Context, o options, in installation, work string, r *report) error {
	if in.servers < 2 {
		return nil
	}
	f, err := in.start(ctx, o, filepath.Join(work, "takeover"))
	if err != nil {
		return err
	}
	path, err := f[0].deploy(ctx, "takeover", sleeper)
	if err != nil {
		return err
	}
	var took latencies
	for i := range takeovers {
		x, err := f[0].send(ctx, path)
		if err != nil {
			return err
		}
		if err := f[0].untilAttempt(ctx, x, 1); err != nil {
			return err
		}
		victim, err := f.runner()
		if err != nil {
			return err
		}
		other, database := f[(victim+1)%len(f)], f[victim].database
		begin := time.Now()
		if err := f[victim].kill(); err != nil {
			return err
		}
		if err := other.untilAttempt(ctx, x, 2); err != nil {
			return err
		}
		took = append(took, time.Since(begin))
		if f[victim], err = startServer(ctx, o, filepath.Join(work, fmt.Sprintf("takeover-again-%d", i)), database); err != nil {
			return err
		}
	}
	r.add("a killed server's run begins on another", "p50 %s, max %s of %d", ms(took.at(50)), ms(took.at(100)), takeovers)
	return f.stop()
}

// untilAttempt waits for the first line of an attempt.
func (s *server) untilAttempt(ctx context.Context, execution string, attempt int) error {
	want := fmt.Sprintf("attempt %d", attempt)
	last := client.Execution{}
	for e, err := range s.api.Follow(ctx, execution) {
		if err != nil {
			return err
		}
		if e.Log != nil && e.Log.Message == want {
			return nil
		}
		if e.State != nil {
			last = *e.State
		}
	}
	return fmt.Errorf("execution %s ended without %s: %+v", execution, want, last)
}
