package embedded_test

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/usefloww/flowwd/internal/engine"
	"github.com/usefloww/flowwd/internal/engine/embedded"
	"github.com/usefloww/flowwd/internal/engine/embedded/bridge"
	"github.com/usefloww/flowwd/internal/engine/embedded/realm"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/workflow"
)

// fakeWord is the first argument of a child that only pretends.
const fakeWord = "fake"

// raw is a frame with any header.
func raw(size uint32, kind byte, payload string) []byte {
	return append(append(binary.LittleEndian.AppendUint32(nil, size), kind), payload...)
}

func framed(kind bridge.Kind, payload string) []byte {
	return raw(uint32(len(payload)), byte(kind), payload)
}

func lines(n, size int, at time.Time) []byte {
	b, mark := bridge.Begin(nil, bridge.KindLog)
	for range n {
		b = bridge.AppendLine(b, at, engine.LevelLog, strings.Repeat("x", size))
	}
	return bridge.End(b, mark)
}

// lies are what a child that somebody took over may answer to a request.
func lies() map[string]func(out *os.File) {
	write := func(frames ...[]byte) func(*os.File) {
		return func(out *os.File) {
			for _, f := range frames {
				if _, err := out.Write(f); err != nil {
					return
				}
			}
			select {} // it does not end by itself
		}
	}
	exit := func(code int, frames ...[]byte) func(*os.File) {
		return func(out *os.File) {
			for _, f := range frames {
				out.Write(f)
			}
			os.Exit(code)
		}
	}
	return map[string]func(*os.File){
		"a huge frame":           write(raw(1<<31, byte(bridge.KindDone), "")),
		"an unknown kind":        write(raw(0, 99, "")),
		"a second hello":         write(bridge.Hello{Version: 1}.Append(nil)),
		"an answer to another":   write(framed(bridge.KindDefined, "{}")),
		"garbage":                write([]byte(strings.Repeat("garbage ", 1000))),
		"no JSON":                write(bridge.Done{Value: json.RawMessage(`{"a":`)}.Append(nil)),
		"a huge result":          write(bridge.Done{Value: json.RawMessage(`"` + strings.Repeat("x", 1<<21) + `"`)}.Append(nil)),
		"an empty result":        write(framed(bridge.KindDone, "")),
		"an empty failure":       write(framed(bridge.KindFailed, "")),
		"an unknown reason":      write(framed(bridge.KindFailed, "\x00\x00\x01\x63\x00\x00\x00")),
		"too many problems":      write(framed(bridge.KindFailed, "\x00\xff\xff\x03"+strings.Repeat("x", 1<<16))),
		"too many lines":         write(lines(6, 1, time.Now())),
		"too many lines in all":  write(lines(3, 1, time.Now()), lines(3, 1, time.Now())),
		"a long line":            write(lines(1, 1000, time.Now())),
		"an unknown level":       write(framed(bridge.KindLog, "\x02\x63\x01a")),
		"half a line":            write(framed(bridge.KindLog, "\x02")),
		"half a frame":           exit(0, raw(100, byte(bridge.KindDone), "half")),
		"nothing":                exit(0),
		"an exit status":         exit(3),
		"a crash":                func(*os.File) { panic("a crash") },
		"lines without end":      func(out *os.File) { flood(out, lines(1, 1, time.Now())) },
		"empty logs without end": func(out *os.File) { flood(out, framed(bridge.KindLog, "")) },
	}
}

// impossible are answers whose times cannot be.
func impossible() map[string]func(out *os.File) {
	tell := func(at time.Time, took time.Duration) func(*os.File) {
		return func(out *os.File) {
			b, mark := bridge.Begin(nil, bridge.KindLog)
			b = bridge.End(bridge.AppendLine(b, at, engine.LevelLog, "a"), mark)
			out.Write(bridge.Done{Value: json.RawMessage("1"), Duration: took}.Append(b))
		}
	}
	return map[string]func(*os.File){
		"the past":   tell(time.UnixMicro(-1<<60), -time.Hour),
		"the future": tell(time.UnixMicro(1<<60), time.Hour),
	}
}

func flood(out *os.File, frame []byte) {
	for {
		if _, err := out.Write(frame); err != nil {
			os.Exit(0)
		}
	}
}

// fakeChild says hello and answers every request with a lie.
func fakeChild(lie string) int {
	if code, ok := sayHello(lie); ok {
		return code
	}
	os.Stdout.Write(bridge.Hello{Version: bridge.Version, Sandboxed: true, Landlock: 1, EngineVersion: realm.Version}.Append(nil))
	in := bridge.NewReader(bufio.NewReader(os.Stdin), bridge.Bounds{
		bridge.KindProgram: 1 << 20, bridge.KindRun: 1 << 20, bridge.KindDefine: 1 << 20, bridge.KindCompile: 1 << 20,
	})
	for {
		kind, _, err := in.Next()
		if err != nil {
			return 0
		}
		if kind == bridge.KindProgram {
			continue
		}
		if tell, ok := impossible()[lie]; ok {
			tell(os.Stdout)
			continue
		}
		lies()[lie](os.Stdout)
	}
}

// fake starts an engine with children that lie.
func fake(t *testing.T, lie string) *embedded.Engine {
	t.Helper()
	return start(t, func(c *embedded.Config) {
		c.Command = []string{c.Command[0], fakeWord, lie}
		c.Runners, c.Spares = 2, -1
		c.DefineTimeout, c.CompileTimeout = time.Second, time.Second
	})
}

// TestLies has children that send what they must not. The run fails, the child
// is ended, and the server takes no harm.
func TestLies(t *testing.T) {
	t.Parallel()
	for lie := range lies() {
		t.Run(lie, func(t *testing.T) {
			t.Parallel()
			e := fake(t, lie)
			ids := id.NewSource(time.Now)
			program := &workflow.Program{Bundle: []byte("x")}
			call := engine.Invocation{
				OrganizationID: ids.New(), Program: program, Trigger: workflow.Declaration{Type: "t"},
				Limits: engine.Limits{Timeout: time.Second, Memory: 1 << 20, LogLines: 4, LogLineBytes: 10, ResultBytes: 100},
			}
			got := 0
			_, err := e.Invoke(t.Context(), call, func(lines []engine.LogLine) { got += len(lines) })
			var f *engine.Failure
			if !errors.As(err, &f) || f.Reason != engine.Crashed && f.Reason != engine.Timeout {
				t.Errorf("invoke: got %v (%T), want a crash", err, err)
			}
			if got > 5 {
				t.Errorf("%d lines came through, 4 and one more are allowed", got)
			}
			if lie == "an answer to another" {
				return
			}
			if _, err := e.Define(t.Context(), call.OrganizationID, program); !errors.As(err, &f) {
				t.Errorf("define: got %v (%T), want a failure", err, err)
			}
			var problems *engine.CompileError
			if _, err := e.Compile(t.Context(), workflow.Source{}); !errors.As(err, &problems) {
				t.Errorf("compile: got %v (%T), want a compile error", err, err)
			}
		})
	}
}

// TestTimesAreClamped has a child that tells impossible times.
func TestTimesAreClamped(t *testing.T) {
	t.Parallel()
	for name := range impossible() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := fake(t, name)
			call := engine.Invocation{
				OrganizationID: id.NewSource(time.Now).New(), Program: &workflow.Program{}, Limits: engine.DefaultLimits(),
			}
			before := time.Now()
			var seen []engine.LogLine
			result, err := e.Invoke(t.Context(), call, func(l []engine.LogLine) { seen = append(seen, l...) })
			if err != nil || len(seen) != 1 {
				t.Fatal(err, len(seen))
			}
			if at := seen[0].Time; at.Before(before.Add(-time.Second)) || at.After(time.Now()) {
				t.Errorf("%v: the line has the time %v", at, seen[0].Time)
			}
			if result.Duration < 0 || result.Duration > time.Since(before) {
				t.Errorf("the run took %v", result.Duration)
			}
		})
	}
}

// TestChildrenThatDoNotStart has children that are not what they should be.
func TestChildrenThatDoNotStart(t *testing.T) {
	t.Parallel()
	for hello, says := range map[string]string{
		"hello: other version": "version 9",
		"hello: no sandbox":    "without a sandbox",
		"hello: none":          "before it was ready",
		"hello: garbage":       "not expected",
		"hello: stderr":        "why it does not start",
		"hello: never":         "before it was ready",
	} {
		t.Run(hello, func(t *testing.T) {
			t.Parallel()
			exe, err := os.Executable()
			if err != nil {
				t.Fatal(err)
			}
			e := embedded.New(embedded.Config{
				Command: []string{exe, fakeWord, hello}, Spares: -1, StartTimeout: 500 * time.Millisecond, Now: time.Now,
			})
			defer stop(t, e)
			if err := e.Start(t.Context()); err == nil || !strings.Contains(err.Error(), says) {
				t.Errorf("got %v, want %q", err, says)
			}
		})
	}
	t.Run("no such program", func(t *testing.T) {
		t.Parallel()
		e := embedded.New(embedded.Config{Command: []string{"/does/not/exist"}, Spares: -1, Now: time.Now})
		defer stop(t, e)
		if err := e.Start(t.Context()); err == nil || !strings.Contains(err.Error(), "start a child") {
			t.Errorf("got %v", err)
		}
	})
}

// sayHello is what a fake child does for scenarios other than lies.
func sayHello(scenario string) (code int, handled bool) {
	switch scenario {
	case "hello: other version":
		os.Stdout.Write(bridge.Hello{Version: 9, Sandboxed: true}.Append(nil))
	case "hello: no sandbox":
		os.Stdout.Write(bridge.Hello{Version: bridge.Version}.Append(nil))
	case "hello: none":
		return 0, true
	case "hello: garbage":
		fmt.Print("Usage: something else\n")
	case "hello: stderr":
		fmt.Fprintln(os.Stderr, "why it does not start")
		return 1, true
	case "hello: never":
	default:
		return 0, false
	}
	// Waiting for what does not come, the process does not end as one whose
	// goroutines all sleep would.
	_, _ = io.Copy(io.Discard, os.Stdin)
	return 1, true
}
