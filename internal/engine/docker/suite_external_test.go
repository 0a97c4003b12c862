//go:build external

package docker_test

import (
	"testing"
	"time"

	"github.com/usefloww/flowwd/internal/engine"
	"github.com/usefloww/flowwd/internal/engine/docker"
	"github.com/usefloww/flowwd/internal/enginetest"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/workflow"
)

// harness writes the suite's programs in TypeScript. Its tests, one after another,
// share an engine until one of them stops it.
type harness struct {
	t            *testing.T
	engine       *docker.Engine
	organization id.ID
}

func (h *harness) Start(*testing.T) (engine.Engine, func()) {
	if h.engine == nil {
		h.engine = start(h.t, nil)
	}
	e := h.engine
	return e, func() {
		stop(h.t, e)
		h.engine = nil
	}
}

func (h *harness) Organization() id.ID { return h.organization }

// bodies are the bodies of handlers.
var bodies = map[enginetest.Behaviour]string{
	enginetest.Hello:        `console.debug("one"); console.info("two"); console.warn("three"); console.error("four"); console.log("five"); return {ok: true};`,
	enginetest.Nothing:      ``,
	enginetest.Echo:         `console.log(event.body); return {body: event.body, attempt: ctx.attempt};`,
	enginetest.Waits:        `console.log("waiting"); await new Promise(r => setTimeout(r, 60_000));`,
	enginetest.Loops:        `for (;;) {}`,
	enginetest.Throws:       `throw new Error("no luck");`,
	enginetest.Allocates:    `const all: any[] = []; for (;;) { try { all.push(new Array(1000).fill({})); } catch {} }`,
	enginetest.Crashes:      `process.exit(3);`,
	enginetest.NeverSettles: `await new Promise(() => {});`,
	enginetest.Floods:       `for (let i = 0; i < 1000; i++) console.log("flood"); return {ok: true};`,
	enginetest.LongLine:     `console.log("é".repeat(100_000));`,
	enginetest.Huge:         `return "x".repeat(100_000);`,
	enginetest.Counts: `const g = globalThis as any; const n = (g.count ?? 0) + 1; g.count = n;
		(Array.prototype as any).count = ((Array.prototype as any).count ?? 0) + 1; module += 1;
		return Math.max(n, (Array.prototype as any).count, module);`,
}

const opening = `declare const __floww: any; let module = 0;
const provider = {type: "builtin", alias: "default"};
`

// handler is a program with one handler.
func handler(body string) workflow.Source {
	return source(opening + `__floww.trigger({provider, triggerType: "onWebhook", input: {path: "/suite"}, handler: async (ctx: any, event: any) => {` + body + `}});`)
}

func source(text string) workflow.Source {
	return workflow.Source{Files: map[string]string{"main.ts": text}, Entrypoint: "main.ts", Image: image}
}

func (*harness) Source(b enginetest.Behaviour) (workflow.Source, bool) {
	if b == enginetest.Declares {
		return source(opening + `
			const handler = () => {};
			__floww.provider({type: "github", alias: "work"});
			__floww.trigger({provider, triggerType: "onWebhook", input: {path: "/suite"}, handler});
			__floww.trigger({provider, triggerType: "onWebhook", input: {path: "/suite"}, handler, options: {}});
			__floww.trigger({provider, triggerType: "onCron", input: {z: 1, a: {y: [1.5, null]}}, handler,
				options: {timeout: 1.5, memory: 48, concurrency: 2, onInterrupt: "fail"}});`), true
	}
	body, ok := bodies[b]
	return handler(body), ok
}

func TestEngine(t *testing.T) {
	t.Parallel()
	enginetest.Run(t, &harness{t: t, organization: id.NewSource(time.Now).New()})
}
