package embedded_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"testing"
	"time"

	"github.com/usefloww/flowwd/internal/engine"
	"github.com/usefloww/flowwd/internal/engine/embedded"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/workflow"
)

const hello = `export default null;
declare const __floww: any;
__floww.trigger({
  provider: { type: "builtin", alias: "default" }, triggerType: "onWebhook", input: { path: "/hello" },
  handler: async (ctx, event) => {
    console.log("one");
    console.log("two");
    console.log("three");
    return { ok: true };
  },
});`

func start(t testing.TB, change func(*embedded.Config)) *embedded.Engine {
	t.Helper()
	command, err := embedded.SelfCommand()
	if err != nil {
		t.Fatal(err)
	}
	config := embedded.Config{Command: command, Runners: 8, Logger: slog.New(slog.DiscardHandler), Now: time.Now}
	if change != nil {
		change(&config)
	}
	e := embedded.New(config)
	if err := e.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := e.Stop(ctx); err != nil {
			t.Error(err)
		}
	})
	return e
}

func invocation(t testing.TB, e *embedded.Engine, source string) engine.Invocation {
	t.Helper()
	program, err := e.Compile(t.Context(), workflow.Source{Files: map[string]string{"main.ts": source}, Entrypoint: "main.ts"})
	if err != nil {
		t.Fatal(err)
	}
	ids := id.NewSource(time.Now)
	return engine.Invocation{
		OrganizationID: ids.New(),
		WorkflowID:     ids.New(),
		ExecutionID:    ids.New(),
		Attempt:        1,
		Program:        program,
		Trigger: workflow.Declaration{
			Provider: workflow.ProviderRef{Type: "builtin", Alias: "default"},
			Type:     "onWebhook",
			Input:    json.RawMessage(`{"path":"/hello"}`),
		},
		Event:  engine.Event{Fields: json.RawMessage(`{"method":"POST","path":"/hello","headers":{"content-type":"application/json"},"query":{}}`), HasBody: true, ContentType: "application/json", Body: []byte(`{"name":"world"}`)},
		Limits: engine.DefaultLimits(),
	}
}

func BenchmarkInvoke(b *testing.B) {
	e := start(b, nil)
	call := invocation(b, e, hello)
	sink := func([]engine.LogLine) {}
	b.Run("1", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := e.Invoke(b.Context(), call, sink); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("8", func(b *testing.B) {
		b.ReportAllocs()
		b.SetParallelism(4)
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				if _, err := e.Invoke(b.Context(), call, sink); err != nil {
					b.Error(err)
					return
				}
			}
		})
	})
}

func BenchmarkStart(b *testing.B) {
	for b.Loop() {
		e := start(b, func(c *embedded.Config) { c.Spares = -1 })
		e.Stop(b.Context())
	}
}
