package main

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"time"
)

// hello is a handler with three log lines and a small result, as in
// examples/hello.
const hello = `import { Builtin } from "floww";

new Builtin().triggers.onWebhook({
  path: "hello",
  handler: (ctx, event) => {
    console.log("Hello, " + event.body.name);
    console.log(event.method + " " + event.path);
    console.log("Run " + ctx.executionId);
    return { greeted: event.body.name };
  },
});
`

// measureStart starts the binary again and again: on a new folder, and on one
// that was served before.
func measureStart(ctx context.Context, o options, work string, r *report) error {
	var empty, again latencies
	for i := range o.rounds {
		dir := filepath.Join(work, fmt.Sprintf("start-%d", i))
		for _, took := range []*latencies{&empty, &again} {
			s, err := startServer(ctx, o, dir)
			if err != nil {
				return err
			}
			*took = append(*took, s.started)
			if i == 0 && took == &empty {
				if err := r.addIdle(s); err != nil {
					return err
				}
			}
			if err := s.stop(); err != nil {
				return err
			}
		}
	}
	r.add("start to ready, new folder", "p50 %s, max %s", ms(empty.at(50)), ms(empty.at(100)))
	r.add("start to ready, folder served before", "p50 %s, max %s", ms(again.at(50)), ms(again.at(100)))
	return nil
}

// addIdle notes the memory of a server that has nothing to do.
func (r *report) addIdle(s *server) error {
	time.Sleep(2 * time.Second) // until the spare children have started
	bytes, children, err := s.memory()
	if err != nil {
		return err
	}
	r.add("memory, idle", "%d MB with %d children (proportional set size)", bytes>>20, children)
	return nil
}

// measureFirstLine sends events at 100/s and waits on the stream of each run
// until its first line is shown.
func measureFirstLine(ctx context.Context, o options, work string, r *report) error {
	s, err := startServer(ctx, o, filepath.Join(work, "line"))
	if err != nil {
		return err
	}
	url, err := s.deploy(ctx, "line", hello)
	if err != nil {
		return err
	}
	var shown latencies
	for i := range o.samples + 20 {
		next := time.Now().Add(10 * time.Millisecond)
		begin := time.Now()
		if err := s.untilFirstLine(ctx, url); err != nil {
			return err
		}
		if i >= 20 { // the first ones warm the server up
			shown = append(shown, time.Since(begin))
		}
		time.Sleep(time.Until(next))
	}
	r.add("event → first line on the stream, 100/s", "p50 %s, p99 %s", ms(shown.at(50)), ms(shown.at(99)))
	return s.stop()
}

func (s *server) untilFirstLine(ctx context.Context, url string) error {
	body, err := s.post(ctx, url)
	if err != nil {
		return err
	}
	var answer struct{ ExecutionID string }
	if err := json.Unmarshal(body, &answer); err != nil {
		return err
	}
	for e, err := range s.api.Follow(ctx, answer.ExecutionID) {
		if err != nil {
			return err
		}
		if e.Log != nil {
			return nil
		}
	}
	return fmt.Errorf("execution %s logged nothing", answer.ExecutionID)
}

// measureDeploy deploys again and again and runs what was deployed.
func measureDeploy(ctx context.Context, o options, work string, r *report) error {
	s, err := startServer(ctx, o, filepath.Join(work, "deploy"))
	if err != nil {
		return err
	}
	var answered, ran latencies
	for i := range 30 {
		begin := time.Now()
		url, err := s.deploy(ctx, fmt.Sprintf("deploy %d", i), hello)
		if err != nil {
			return err
		}
		answered = append(answered, time.Since(begin))
		if err := s.untilFirstLine(ctx, url); err != nil {
			return err
		}
		ran = append(ran, time.Since(begin))
	}
	r.add("deploy → answer", "p50 %s, p99 %s", ms(answered.at(50)), ms(answered.at(99)))
	r.add("deploy → first line of the first run", "p50 %s, p99 %s", ms(ran.at(50)), ms(ran.at(99)))
	return s.stop()
}

// measureLoads measures acknowledging and completing under load.
func measureLoads(ctx context.Context, o options, work string, r *report) error {
	s, err := startServer(ctx, o, filepath.Join(work, "load"))
	if err != nil {
		return err
	}
	url, err := s.deploy(ctx, "load", hello)
	if err != nil {
		return err
	}
	if _, err := s.closedLoop(ctx, url, 8, 2*time.Second); err != nil {
		return err
	}
	if err := s.drained(ctx); err != nil {
		return err
	}
	for _, clients := range []int{1, 8, 64} {
		if err := s.measureClosed(ctx, o, r, url, clients); err != nil {
			return err
		}
	}
	took, err := s.openLoop(ctx, url, 1000, o.seconds)
	if err != nil {
		return err
	}
	r.add("1,000 events/s, steady: acknowledged", "p50 %s, p99 %s", ms(took.at(50)), ms(took.at(99)))
	if err := s.drained(ctx); err != nil {
		return err
	}
	bytes, children, err := s.memory()
	if err != nil {
		return err
	}
	done, err := s.completed()
	if err != nil {
		return err
	}
	r.add("memory after the loads", "%d MB with %d children, %d runs", bytes>>20, children, done)
	return s.stop()
}

func (s *server) measureClosed(ctx context.Context, o options, r *report, url string, clients int) error {
	before, err := s.completed()
	if err != nil {
		return err
	}
	begin := time.Now()
	took, err := s.closedLoop(ctx, url, clients, o.seconds)
	if err != nil {
		return err
	}
	sent := time.Since(begin)
	if err := s.drained(ctx); err != nil {
		return err
	}
	ended := time.Since(begin)
	after, err := s.completed()
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

// drained waits until nothing waits and nothing runs: the newest runs are final
// and their number stands still.
func (s *server) drained(ctx context.Context) error {
	last := -1
	for ctx.Err() == nil {
		now, err := s.completed()
		if err != nil {
			return err
		}
		busy, err := s.busy()
		if err != nil {
			return err
		}
		if !busy && now == last {
			return nil
		}
		last = now
		time.Sleep(20 * time.Millisecond)
	}
	return ctx.Err()
}
