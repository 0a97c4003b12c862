package realm_test

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/usefloww/flowwd/internal/engine"
	"github.com/usefloww/flowwd/internal/engine/embedded/realm"
	"github.com/usefloww/flowwd/internal/workflow"
)

const memory = 64 << 20

// record keeps what a run logs.
type record struct {
	lines   []string
	flushed int
}

func (r *record) Line(level engine.Level, text string) {
	r.lines = append(r.lines, string(level)+" "+text)
}
func (r *record) Tick()  {}
func (r *record) Flush() { r.flushed = len(r.lines) }

// machine returns a machine, and a function that loads a script into it.
func machine(t testing.TB) (*realm.Machine, func(script string) *realm.Program) {
	t.Helper()
	m, err := realm.New(memory)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := m.Close(); err != nil {
			t.Error(err)
		}
	})
	return m, func(script string) *realm.Program {
		t.Helper()
		code, err := m.Compile([]byte(script))
		if err != nil {
			t.Fatalf("compile: %v", err)
		}
		p, err := m.Load(code)
		if err != nil {
			t.Fatalf("load: %v", err)
		}
		return p
	}
}

// handler is a script that registers one trigger with this body.
func handler(body string) string {
	return `__floww.trigger({provider:{type:"builtin",alias:"default"}, triggerType:"onWebhook", input:{}, handler: async (ctx, event) => {` + body + `}});`
}

var trigger = workflow.Declaration{
	Provider: workflow.ProviderRef{Type: "builtin", Alias: "default"},
	Type:     "onWebhook",
	Input:    json.RawMessage(`{}`),
}

func call() realm.Call {
	return realm.Call{
		ExecutionID: "e", WorkflowID: "w", Attempt: 1, Trigger: trigger,
		Memory: memory, ResultBytes: 1 << 20,
	}
}

// do runs the body of a handler.
func do(t testing.TB, body string) (result string, log []string, failure *engine.Failure) {
	t.Helper()
	m, load := machine(t)
	var r record
	value, err := m.Run(load(handler(body)), call(), &r)
	if err != nil && !errors.As(err, &failure) {
		t.Fatalf("run: %v", err)
	}
	return string(value), r.lines, failure
}

func BenchmarkRun(b *testing.B) {
	m, load := machine(b)
	p := load(handler(`console.log("one"); console.log("two"); console.log("three"); return {ok:true}`))
	var r record
	c := call()
	b.ReportAllocs()
	for b.Loop() {
		r.lines = r.lines[:0]
		if _, err := m.Run(p, c, &r); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(p.Size()), "snapshot-bytes")
}

func BenchmarkNew(b *testing.B) {
	for b.Loop() {
		m, err := realm.New(memory)
		if err != nil {
			b.Fatal(err)
		}
		m.Close()
	}
}

// BenchmarkRunWeb has a program whose snapshot holds units.
func BenchmarkRunWeb(b *testing.B) {
	m, load := machine(b)
	p := load(handler(`const r = new Response("{}"); return [await r.json(), new URL("http://a/?b").search, typeof fetch]`))
	var r record
	c := call()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := m.Run(p, c, &r); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(p.Size()), "snapshot-bytes")
}

// BenchmarkLoadWeb loads a program with units into a machine that has compiled
// them.
func BenchmarkLoadWeb(b *testing.B) {
	m, load := machine(b)
	load(handler(`ReadableStream`))
	code, err := m.Compile([]byte(handler(`return [fetch, ReadableStream, Buffer, crypto]`)))
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := m.Load(code); err != nil {
			b.Fatal(err)
		}
	}
}
