package main

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
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
func measureStart(ctx context.Context, o options, in installation, work string, r *report) error {
	var empty, again latencies
	for i := range o.rounds {
		dir := filepath.Join(work, fmt.Sprintf("start-%d", i))
		database, err := in.database(ctx)
		if err != nil {
			return err
		}
		for _, took := range []*latencies{&empty, &again} {
			s, err := startServer(ctx, o, dir, database)
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
	r.add("start to ready, empty database", "p50 %s, max %s", ms(empty.at(50)), ms(empty.at(100)))
	r.add("start to ready, database served before", "p50 %s, max %s", ms(again.at(50)), ms(again.at(100)))
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
func measureFirstLine(ctx context.Context, o options, in installation, work string, r *report) error {
	f, err := in.start(ctx, o, filepath.Join(work, "line"))
	if err != nil {
		return err
	}
	s := f[0]
	path, err := s.deploy(ctx, "line", hello)
	if err != nil {
		return err
	}
	const before = 20 // they warm the server up
	shown, err := s.firstLines(ctx, slices.Repeat([]string{path}, before+o.samples), 10*time.Millisecond)
	if err != nil {
		return err
	}
	shown = shown[before:]
	r.add("event → first line on the stream, 100/s", "p50 %s, p99 %s", ms(shown.at(50)), ms(shown.at(99)))
	return f.stop()
}

// firstLines sends an event to each path, one after the other and no sooner than
// every so long, and returns how long the first line of each run took.
func (s *server) firstLines(ctx context.Context, paths []string, every time.Duration) (shown latencies, err error) {
	for _, path := range paths {
		begin := time.Now()
		if err := s.untilFirstLine(ctx, path); err != nil {
			return nil, err
		}
		shown = append(shown, time.Since(begin))
		time.Sleep(time.Until(begin.Add(every)))
	}
	return shown, nil
}

func (s *server) untilFirstLine(ctx context.Context, path string) error {
	x, err := s.send(ctx, path)
	if err != nil {
		return err
	}
	for e, err := range s.api.Follow(ctx, x) {
		if err != nil {
			return err
		}
		if e.Log != nil {
			return nil
		}
	}
	return fmt.Errorf("execution %s logged nothing", x)
}

// send sends an event and returns its execution.
func (s *server) send(ctx context.Context, path string) (string, error) {
	body, err := s.post(ctx, path)
	if err != nil {
		return "", err
	}
	var answer struct{ ExecutionID string }
	err = json.Unmarshal(body, &answer)
	return answer.ExecutionID, err
}

// measureDeploy deploys again and again and runs what was deployed.
func measureDeploy(ctx context.Context, o options, in installation, work string, r *report) error {
	f, err := in.start(ctx, o, filepath.Join(work, "deploy"))
	if err != nil {
		return err
	}
	s := f[0]
	var answered, ran latencies
	for i := range 30 {
		begin := time.Now()
		path, err := s.deploy(ctx, fmt.Sprintf("deploy %d", i), hello)
		if err != nil {
			return err
		}
		answered = append(answered, time.Since(begin))
		if err := s.untilFirstLine(ctx, path); err != nil {
			return err
		}
		ran = append(ran, time.Since(begin))
	}
	r.add("deploy → answer", "p50 %s, p99 %s", ms(answered.at(50)), ms(answered.at(99)))
	r.add("deploy → first line of the first run", "p50 %s, p99 %s", ms(ran.at(50)), ms(ran.at(99)))
	return f.stop()
}
