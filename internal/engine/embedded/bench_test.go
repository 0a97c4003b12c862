package embedded_test

import (
	"encoding/json"
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
		stop(b, start(b, func(c *embedded.Config) { c.Spares = -1 }))
	}
}
