package enginetest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/usefloww/flowwd/internal/engine"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/workflow"
)

func testDefinitions(t *testing.T, h Harness) {
	each(t, h, Declares, func(b *bench) {
		got, err := b.e.Define(b.Context(), b.org, b.program(Declares))
		if err != nil {
			b.Fatal(err)
		}
		second, cron := trigger(), trigger()
		second.Ordinal = 1
		cron.Type, cron.Input = "onCron", json.RawMessage(`{"z":1,"a":{"y":[1.5,null]}}`)
		cron.Options = workflow.Options{Timeout: 1500 * time.Millisecond, Memory: 48 << 20, Concurrency: 2, FailOnInterrupt: true}
		want := engine.Definitions{
			Triggers:  []workflow.Declaration{trigger(), second, cron},
			Providers: []workflow.ProviderRef{{Type: "github", Alias: "work"}},
		}
		if diff := cmp.Diff(want, got); diff != "" {
			b.Error("what the program declares differs (-want +got):\n" + diff)
		}
	})
	each(t, h, Invalid, func(b *bench) {
		source, _ := h.Source(Invalid)
		_, err := b.e.Compile(b.Context(), source)
		var e *engine.CompileError
		if !errors.As(err, &e) || len(e.Problems) == 0 {
			b.Fatalf("got %v (%T), want a compile error", err, err)
		}
		if p := e.Problems[0]; p.File != source.Entrypoint || p.Line != 2 || p.Text == "" {
			b.Errorf("got the problem %+v, want one in line 2 of %s", p, source.Entrypoint)
		}
	})
}

func testInvoke(t *testing.T, h Harness) {
	each(t, h, Hello, func(b *bench) {
		if err := b.e.Healthy(b.Context()); err != nil {
			b.Errorf("the engine is not healthy: %v", err)
		}
		call := b.call(Hello)
		for range 3 {
			before := time.Now()
			o := b.must(call)
			if string(o.Value) != `{"ok":true}` || o.Duration < 0 || o.Duration > time.Since(before) {
				b.Errorf("got the result %s after %v", o.Value, o.Duration)
			}
			want := []engine.LogLine{
				{Level: engine.LevelDebug, Message: "one"}, {Level: engine.LevelInfo, Message: "two"},
				{Level: engine.LevelWarn, Message: "three"}, {Level: engine.LevelError, Message: "four"},
				{Level: engine.LevelLog, Message: "five"},
			}
			for i, l := range o.lines {
				if l.Time.Before(before.Truncate(time.Microsecond)) || l.Time.After(time.Now()) || l.Time.Location() != time.UTC {
					b.Errorf("line %d has the time %v", i, l.Time)
				}
				o.lines[i].Time = time.Time{}
			}
			if diff := cmp.Diff(want, o.lines); diff != "" {
				b.Error("the log differs (-want +got):\n" + diff)
			}
		}
	})
	each(t, h, Nothing, func(b *bench) {
		if o := b.must(b.call(Nothing)); o.Value != nil {
			b.Errorf("got the result %s, want none", o.Value)
		}
	})
	each(t, h, Waits, func(b *bench) {
		ctx, cancel := context.WithTimeout(b.Context(), patience)
		defer cancel()
		seen := false
		_, err := b.e.Invoke(ctx, b.call(Waits), func(lines []engine.LogLine) {
			seen = lines[0].Message == "waiting"
			cancel() // the line is here while the run goes on
		})
		wantFailure(b, err, engine.Cancelled)
		if !seen {
			b.Error("the line did not come while the run went on")
		}
	})
}

func testFailures(t *testing.T, h Harness) {
	for behaviour, reason := range map[Behaviour]engine.Reason{
		Throws:       engine.Threw,
		Allocates:    engine.OutOfMemory,
		Crashes:      engine.Crashed,
		NeverSettles: engine.NeverEnds,
		Loops:        engine.Timeout,
		Waits:        engine.Timeout,
	} {
		each(t, h, behaviour, func(b *bench) {
			call := b.call(behaviour)
			if reason == engine.Timeout {
				call.Limits.Timeout = 200 * time.Millisecond
			}
			failure := wantFailure(b, b.invoke(b.Context(), call).err, reason)
			if behaviour == Throws && !strings.Contains(failure.Message, "no luck") {
				b.Errorf("the message %q does not say what was thrown", failure.Message)
			}
			if reason == engine.Timeout && failure.Duration < call.Limits.Timeout {
				b.Errorf("it timed out after %v", failure.Duration)
			}
			b.must(b.call(Hello))
		})
	}
	each(t, h, Killed, func(b *bench) {
		wantInterrupted(b, b.invoke(b.Context(), b.call(Killed)).err)
		b.must(b.call(Hello))
	})
	each(t, h, Hello, func(b *bench) {
		call := b.call(Hello)
		call.Trigger.Ordinal = 1
		wantFailure(b, b.invoke(b.Context(), call).err, engine.NoHandler)
		call.Trigger = trigger()
		call.Trigger.Input = json.RawMessage(`{"path":"/other"}`)
		wantFailure(b, b.invoke(b.Context(), call).err, engine.NoHandler)
		call.Trigger.Input = json.RawMessage(` { "path" : "/suite" } `)
		b.must(call)
	})
}

func testBounds(t *testing.T, h Harness) {
	each(t, h, Floods, func(b *bench) {
		call := b.call(Floods)
		call.Limits.LogLines = 100
		o := b.must(call)
		if len(o.lines) != 101 {
			b.Fatalf("got %d lines, want 100 and one that says so", len(o.lines))
		}
		if last := o.lines[100]; last.Message == "flood" || !strings.Contains(last.Message, "100") {
			b.Errorf("the last line is %q", last.Message)
		}
		if o.lines[99].Message != "flood" {
			b.Errorf("line 100 is %q", o.lines[99].Message)
		}
	})
	each(t, h, LongLine, func(b *bench) {
		call := b.call(LongLine)
		call.Limits.LogLineBytes = 1001
		o := b.must(call)
		if len(o.lines) != 1 || len(o.lines[0].Message) > 1001 || !strings.HasPrefix(o.lines[0].Message, strings.Repeat("é", 400)) {
			b.Errorf("got %d lines, the first %.50q", len(o.lines), o.lines)
		}
	})
	each(t, h, Huge, func(b *bench) {
		call := b.call(Huge)
		if o := b.must(call); len(o.Value) != 100_002 {
			b.Errorf("got a result of %d bytes", len(o.Value))
		}
		call.Limits.ResultBytes = 100_001
		wantFailure(b, b.invoke(b.Context(), call).err, engine.BadResult)
	})
}

// begun runs an invocation in the background and returns when it has logged.
func (b *bench) begun(ctx context.Context, call engine.Invocation) <-chan error {
	b.Helper()
	logged, ended := make(chan struct{}), make(chan error, 1)
	var once sync.Once
	go func() {
		_, err := b.e.Invoke(ctx, call, func([]engine.LogLine) { once.Do(func() { close(logged) }) })
		ended <- err
	}()
	select {
	case <-logged:
	case err := <-ended:
		b.Fatalf("it ended before it logged: %v", err)
	case <-time.After(patience):
		b.Fatal("it does not log")
	}
	return ended
}

func await(t testing.TB, ended <-chan error) error {
	t.Helper()
	select {
	case err := <-ended:
		return err
	case <-time.After(patience):
		t.Fatal("it does not end")
		return nil
	}
}

func testEnds(t *testing.T, h Harness) {
	each(t, h, Waits, func(b *bench) {
		ctx, cancel := context.WithCancel(b.Context())
		ended := b.begun(ctx, b.call(Waits))
		other := b.begun(b.Context(), b.call(Waits))
		cancel()
		wantFailure(b, await(b, ended), engine.Cancelled)
		b.must(b.call(Hello))

		hello := b.call(Hello)
		b.stop()
		wantInterrupted(b, await(b, other))
		wantInterrupted(b, b.invoke(b.Context(), hello).err)
		if b.e.Healthy(b.Context()) == nil {
			b.Error("a stopped engine says that it is healthy")
		}

		again := start(b.T, h)
		again.must(hello)
	})
	each(t, h, Hello, func(b *bench) {
		ctx, cancel := context.WithCancel(b.Context())
		call := b.call(Hello)
		cancel()
		wantFailure(b, b.invoke(ctx, call).err, engine.Cancelled)
	})
}

func testIsolation(t *testing.T, h Harness) {
	each(t, h, Counts, func(b *bench) {
		program := b.program(Counts)
		others := []id.ID{b.ids.New(), b.ids.New()}
		b.parallel(4, 6, func(worker, _ int) {
			call := engine.Invocation{
				OrganizationID: b.org, WorkflowID: b.ids.New(), ExecutionID: b.ids.New(), Attempt: 1,
				Program: program, Trigger: trigger(), Limits: engine.DefaultLimits(),
			}
			if worker%2 == 1 {
				call.OrganizationID = others[worker/2]
			}
			if o := b.invoke(b.Context(), call); o.err != nil || string(o.Value) != "1" {
				b.Errorf("got %s, %v: a run sees what another one left", o.Value, o.err)
			}
		})
	})
	each(t, h, Echo, func(b *bench) {
		program, times := b.program(Echo), 8
		if b.costly {
			times = 3
		}
		b.parallel(8, times, func(worker, n int) {
			body := fmt.Sprintf("worker %d, run %d", worker, n)
			o := b.invoke(b.Context(), engine.Invocation{
				OrganizationID: b.org, WorkflowID: b.ids.New(), ExecutionID: b.ids.New(), Attempt: n + 1,
				Program: program, Trigger: trigger(), Limits: engine.DefaultLimits(),
				Event: engine.Event{HasBody: true, ContentType: "text/plain", Body: []byte(body)},
			})
			if o.err != nil {
				b.Error(o.err)
				return
			}
			var got struct {
				Body    string
				Attempt int
			}
			if err := json.Unmarshal(o.Value, &got); err != nil || got.Body != body || got.Attempt != n+1 {
				b.Errorf("got %s, want the body %q and attempt %d", o.Value, body, n+1)
			}
			if diff := cmp.Diff([]string{body}, o.texts()); diff != "" {
				b.Error("the log of another run came (-want +got):\n" + diff)
			}
		})
	})
}

// parallel runs do in workers at once, each this many times.
func (b *bench) parallel(workers, times int, do func(worker, n int)) {
	var group sync.WaitGroup
	for worker := range workers {
		group.Go(func() {
			for n := range times {
				do(worker, n)
			}
		})
	}
	group.Wait()
}
