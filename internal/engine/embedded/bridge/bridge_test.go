package bridge_test

import (
	"bytes"
	"encoding/json"
	"io"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/usefloww/flowwd/internal/engine"
	"github.com/usefloww/flowwd/internal/engine/embedded/bridge"
	"github.com/usefloww/flowwd/internal/workflow"
)

// all are generous bounds for every kind.
func all() bridge.Bounds {
	var b bridge.Bounds
	for kind := range b {
		b[kind] = 1 << 20
	}
	return b
}

// payload is that of the only frame in b.
func payload(t testing.TB, b []byte, kind bridge.Kind) []byte {
	t.Helper()
	r := bridge.NewReader(bytes.NewReader(b), all())
	got, p, err := r.Next()
	if err != nil || got != kind {
		t.Fatalf("read a frame of kind %d: %v", got, err)
	}
	p = bytes.Clone(p)
	if _, _, err := r.Next(); err != io.EOF {
		t.Fatalf("after the last frame: %v", err)
	}
	return p
}

// same fails unless parsing what was appended gives it back.
func same[T any](t testing.TB, want T, b []byte, kind bridge.Kind, parse func([]byte) (T, error)) {
	t.Helper()
	p := payload(t, b, kind)
	got, err := parse(p)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for n := range p {
		if _, err := parse(p[:n]); err == nil {
			t.Errorf("a frame cut after %d of %d bytes was taken", n, len(p))
		}
	}
	if _, err := parse(append(p, 0)); err == nil {
		t.Error("a frame with a byte too many was taken")
	}
}

func TestRoundTrips(t *testing.T) {
	t.Parallel()
	declaration := workflow.Declaration{
		Provider: workflow.ProviderRef{Type: "github", Alias: "work"}, Type: "onPush",
		Input: json.RawMessage(`{"z":1}`), Ordinal: 2,
	}
	hello := bridge.Hello{Version: 1, Sandboxed: true, Landlock: 7, EngineVersion: "x"}
	same(t, hello, hello.Append(nil), bridge.KindHello, bridge.ParseHello)
	program := bridge.Program{Slot: 3, Bytecode: []byte{0, 1}, Bundle: []byte("b"), SourceMap: []byte("{}")}
	same(t, program, program.Append(nil), bridge.KindProgram, bridge.ParseProgram)
	run := &bridge.Run{
		Slot: 1, ExecutionID: "e", WorkflowID: "w", Attempt: 3, Trigger: declaration,
		Event:   engine.Event{Fields: json.RawMessage(`{"a":1}`), HasBody: true, Body: []byte{0, 255}, ContentType: "text/plain"},
		Secrets: []byte(`{"a:b":{}}`),
		Limits:  engine.Limits{Memory: 1 << 40, LogLines: 5, LogLineBytes: 6, ResultBytes: 7},
	}
	same(t, run, run.Append(nil), bridge.KindRun, bridge.ParseRun)
	define := bridge.Define{Slot: 7, Memory: 5}
	same(t, define, define.Append(nil), bridge.KindDefine, bridge.ParseDefine)
	source := workflow.Source{Files: map[string]string{"a": "1", "b/ü": ""}, Entrypoint: "a"}
	same(t, source, bridge.AppendCompile(nil, source), bridge.KindCompile, bridge.ParseCompile)
	done := bridge.Done{Value: json.RawMessage(`{"a":1}`), Duration: time.Second}
	same(t, done, done.Append(nil), bridge.KindDone, bridge.ParseDone)
	nothing := bridge.Done{Duration: time.Second}
	same(t, nothing, nothing.Append(nil), bridge.KindDone, bridge.ParseDone)
	failed := bridge.Failed{Failure: &engine.Failure{Reason: engine.NeverEnds, Message: "m", Stack: "s", Duration: 5}}
	same(t, failed, failed.Append(nil), bridge.KindFailed, bridge.ParseFailed)
	problems := bridge.Failed{Problems: []engine.Problem{{File: "f", Line: 1, Column: 2, Text: "t"}, {Text: "u"}}}
	same(t, problems, problems.Append(nil), bridge.KindFailed, bridge.ParseFailed)
	internal := bridge.Failed{Internal: "i"}
	same(t, internal, internal.Append(nil), bridge.KindFailed, bridge.ParseFailed)
	compiled := bridge.Compiled{Bundle: []byte("b"), SourceMap: []byte("m"), Bytecode: []byte{1}, SDKVersion: "1"}
	same(t, compiled, compiled.Append(nil), bridge.KindCompiled, bridge.ParseCompiled)
	if got := string(payload(t, bridge.AppendDefined(nil, []byte("{}")), bridge.KindDefined)); got != "{}" {
		t.Errorf("got the declarations %q", got)
	}
}

// logFrame is the payload of a log frame.
func logFrame(texts ...string) []byte {
	b, mark := bridge.Begin(nil, bridge.KindLog)
	for _, text := range texts {
		b = bridge.AppendLine(b, time.UnixMicro(5), engine.LevelWarn, text)
	}
	return bridge.End(b, mark)[5:]
}

func TestLogLines(t *testing.T) {
	t.Parallel()
	line := func(text string) engine.LogLine {
		return engine.LogLine{Time: time.UnixMicro(5).UTC(), Level: engine.LevelWarn, Message: text}
	}
	for _, c := range []struct {
		payload     []byte
		count, size int
		want        []engine.LogLine
		says        string
	}{
		{logFrame("a", ""), 2, 1, []engine.LogLine{line("a"), line("")}, ""},
		{logFrame("a", "b", "c"), 2, 1, nil, "more than 2"},
		{logFrame("a"), 0, 1, nil, "more than 0"},
		{logFrame("ab"), 2, 1, nil, "2 bytes"},
		{logFrame("a")[:3], 2, 1, nil, "too early"},
		{[]byte{2, 9, 1, 'a'}, 2, 1, nil, "level 9"},
		{[]byte{2, 1, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1}, 2, 1, nil, "too early"},
		{nil, 2, 1, nil, ""},
	} {
		got, err := bridge.ParseLines(c.payload, c.count, c.size)
		if (err == nil) != (c.says == "") || err != nil && !strings.Contains(err.Error(), c.says) {
			t.Errorf("%v: got the error %v, want %q", c.payload, err, c.says)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
}

func TestHostileFrames(t *testing.T) {
	t.Parallel()
	bounds := bridge.Bounds{bridge.KindDone: 10, bridge.KindLog: 1 << 31}
	for _, c := range []struct {
		bytes []byte
		says  string
	}{
		{[]byte{11, 0, 0, 0, byte(bridge.KindDone)}, "has 11 bytes"},
		{[]byte{255, 255, 255, 255, byte(bridge.KindDone)}, "has 4294967295 bytes"},
		{[]byte{1, 0, 0, 0, byte(bridge.KindFailed), 0}, "not expected"},
		{[]byte{1, 0, 0, 0, 0, 0}, "not expected"},
		{[]byte{1, 0, 0, 0, 200, 0}, "not expected"},
		{[]byte{1, 0, 0}, "unexpected EOF"},
		{[]byte{2, 0, 0, 0, byte(bridge.KindDone), 1}, "unexpected EOF"},
		{[]byte{2, 0, 0, 0, byte(bridge.KindDone)}, "unexpected EOF"},
		// 2 GB are announced: memory must not be taken before they come.
		{[]byte{0, 0, 0, 128, byte(bridge.KindLog), 1}, "unexpected EOF"},
	} {
		_, _, err := bridge.NewReader(bytes.NewReader(c.bytes), bounds).Next()
		if err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%v: got %v, want %q", c.bytes, err, c.says)
		}
	}
	done := bridge.Done{Value: json.RawMessage("{")}
	if _, err := bridge.ParseDone(done.Append(nil)[5:]); err == nil {
		t.Error("a result that is no JSON was taken")
	}
	failed := bridge.Failed{Failure: &engine.Failure{Reason: engine.Threw}}.Append(nil)[5:]
	failed[3] = 99
	if _, err := bridge.ParseFailed(failed); err == nil || !strings.Contains(err.Error(), "reason 99") {
		t.Errorf("a reason that does not exist: %v", err)
	}
}

func TestReaderKeepsNoLargeBuffer(t *testing.T) {
	t.Parallel()
	big, mark := bridge.Begin(nil, bridge.KindLog)
	big = bridge.End(append(big, make([]byte, 3<<20)...), mark)
	small := bridge.Done{}.Append(nil)
	r := bridge.NewReader(bytes.NewReader(append(big, small...)), bridge.Bounds{bridge.KindLog: 4 << 20, bridge.KindDone: 100})
	if _, p, err := r.Next(); err != nil || len(p) != 3<<20 {
		t.Fatal(len(p), err)
	}
	if _, p, err := r.Next(); err != nil || cap(p) > 2<<20 {
		t.Errorf("the buffer still has %d bytes, %v", cap(p), err)
	}
}

// FuzzAnswers gives arbitrary bytes to everything that reads what a child sends.
func FuzzAnswers(f *testing.F) {
	f.Add(bridge.Hello{Version: 1}.Append(nil))
	f.Add(bridge.Done{Value: json.RawMessage("1")}.Append(nil))
	f.Add(bridge.Failed{Failure: &engine.Failure{Reason: engine.Threw, Message: "m"}}.Append(nil))
	f.Add(bridge.Failed{Problems: []engine.Problem{{Text: "t"}}}.Append(nil))
	f.Add(bridge.Compiled{Bundle: []byte("b")}.Append(nil))
	f.Add(append([]byte{0, 0, 0, 0, byte(bridge.KindLog)}, logFrame("a", "b")...))
	f.Add(bridge.Ask{ID: 1, Name: "fetch", Head: []byte(`{"URL":"http://x"}`), Body: []byte("b")}.Append(nil))
	f.Add(bridge.AppendCancel(bridge.AppendPull(nil, 1), 1<<63))
	f.Fuzz(func(t *testing.T, data []byte) {
		bounds := all()
		bounds[bridge.KindCompile] = 0
		r := bridge.NewReader(bytes.NewReader(data), bounds)
		for {
			kind, p, err := r.Next()
			if err != nil {
				return
			}
			switch kind {
			case bridge.KindHello:
				_, _ = bridge.ParseHello(p)
			case bridge.KindLog:
				lines, err := bridge.ParseLines(p, 10, 100)
				if err == nil && len(lines) > 10 {
					t.Fatalf("%d lines of at most 10", len(lines))
				}
			case bridge.KindDone:
				if d, err := bridge.ParseDone(p); err == nil && d.Value != nil && !json.Valid(d.Value) {
					t.Fatalf("the result %q is no JSON", d.Value)
				}
			case bridge.KindFailed:
				_, _ = bridge.ParseFailed(p)
			case bridge.KindCompiled:
				_, _ = bridge.ParseCompiled(p)
			case bridge.KindAsk:
				a, err := bridge.ParseAsk(p)
				if err != nil {
					continue
				}
				if again, err := bridge.ParseAsk(a.Append(nil)[5:]); err != nil || !reflect.DeepEqual(a, again) {
					t.Fatalf("%x is read as %+v, and then as %+v, %v", p, a, again, err)
				}
			case bridge.KindPull, bridge.KindCancel:
				_, _ = bridge.ParseID(p)
			}
		}
	})
}
