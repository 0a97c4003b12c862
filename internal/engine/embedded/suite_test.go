package embedded_test

import (
	"testing"

	"github.com/usefloww/flowwd/internal/engine"
	"github.com/usefloww/flowwd/internal/enginetest"
	"github.com/usefloww/flowwd/internal/workflow"
)

// harness writes the suite's programs in TypeScript.
type harness struct{}

func (harness) Start(t *testing.T) (engine.Engine, func()) {
	e := start(t, nil)
	return e, func() { stop(t, e) }
}

// bodies are the bodies of handlers.
var bodies = map[enginetest.Behaviour]string{
	enginetest.Hello:        `console.debug("one"); console.info("two"); console.warn("three"); console.error("four"); console.log("five"); return {ok: true};`,
	enginetest.Nothing:      ``,
	enginetest.Echo:         `console.log(event.body); return {body: event.body, attempt: ctx.attempt};`,
	enginetest.Waits:        `console.log("waiting"); await new Promise(r => setTimeout(r, 60_000));`,
	enginetest.Loops:        `for (;;) {}`,
	enginetest.Throws:       `throw new Error("no luck");`,
	enginetest.Allocates:    `const all: any[] = []; for (;;) { try { all.push(new Array(1000).fill({})); } catch {} }`,
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

func (harness) Source(b enginetest.Behaviour) (workflow.Source, bool) {
	text := ""
	switch body, ok := bodies[b]; {
	case b == enginetest.Declares:
		text = opening + `
			const handler = () => {};
			__floww.provider({type: "github", alias: "work"});
			__floww.trigger({provider, triggerType: "onWebhook", input: {path: "/suite"}, handler});
			__floww.trigger({provider, triggerType: "onWebhook", input: {path: "/suite"}, handler, options: {}});
			__floww.trigger({provider, triggerType: "onCron", input: {z: 1, a: {y: [1.5, null]}}, handler,
				options: {timeout: 1.5, memory: 48, concurrency: 2, onInterrupt: "fail"}});`
	case b == enginetest.Invalid:
		text = "const fine = 1;\nconst = 2;\n"
	case !ok:
		return workflow.Source{}, false
	default:
		text = opening + `__floww.trigger({provider, triggerType: "onWebhook", input: {path: "/suite"}, handler: async (ctx: any, event: any) => {` + body + `}});`
	}
	return workflow.Source{Files: map[string]string{"main.ts": text}, Entrypoint: "main.ts"}, true
}

func TestEngine(t *testing.T) {
	t.Parallel()
	enginetest.Run(t, harness{})
}
