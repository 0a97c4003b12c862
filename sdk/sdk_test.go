package sdk_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"modernc.org/quickjs"

	"github.com/usefloww/flowwd/internal/engine/embedded/bundle"
	"github.com/usefloww/flowwd/internal/workflow"
	"github.com/usefloww/flowwd/sdk"
)

// host is a host of bridge version 1 that writes down what it is called with,
// in JSON with keys in the order they have.
const host = `globalThis.calls = [];
globalThis.__floww = {
	provider: (ref) => { calls.push("provider " + JSON.stringify(ref)) },
	trigger: ({ handler, ...rest }) => { calls.push("trigger " + JSON.stringify(rest) + " " + typeof handler) },
};
globalThis.console = { log: (text) => { calls.push(text) } };`

// evaluate runs workflow code and returns the calls of the host, one a line,
// or what was thrown.
func evaluate(t *testing.T, host, code string) string {
	t.Helper()
	result, err := bundle.Build(workflow.Source{Files: map[string]string{"main.ts": code}, Entrypoint: "main.ts"})
	if err != nil {
		t.Fatal(err)
	}
	vm, err := quickjs.NewVM()
	if err != nil {
		t.Fatal(err)
	}
	defer vm.Close()
	if _, err := vm.Eval(host, quickjs.EvalGlobal); err != nil {
		t.Fatal(err)
	}
	if _, err := vm.Eval(string(result.Code), quickjs.EvalGlobal); err != nil {
		text, _, _ := strings.Cut(err.Error(), "\n")
		return "throws " + text
	}
	calls, err := vm.Eval(`calls.join("\n")`, quickjs.EvalGlobal)
	if err != nil {
		t.Fatal(err)
	}
	return calls.(string)
}

const (
	defaultProvider = `provider {"type":"builtin","alias":"default"}`
	imports         = "import { Builtin } from 'floww';\n"
)

func TestBuiltin(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ name, code, want string }{
		{"no alias", `new Builtin()`, defaultProvider},
		{"no alias in options", `new Builtin({})`, defaultProvider},
		{"alias", `new Builtin("a")`, `provider {"type":"builtin","alias":"a"}`},
		{"alias in options", `new Builtin({ credential: "a" })`, `provider {"type":"builtin","alias":"a"}`},
		{"empty alias", `new Builtin("")`, `throws TypeError: new Builtin: the alias must be a string that is not empty`},
		{"alias of the wrong type", `new Builtin({ credential: 1 as any })`, `throws TypeError: new Builtin: the alias must be a string that is not empty`},
		{"unknown option", `new Builtin({ credentials: "a" } as any)`, `throws TypeError: new Builtin does not know credentials; it takes: credential`},
		{"null", `new Builtin(null as any)`, `throws TypeError: new Builtin takes an object with: credential`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tc.want, evaluate(t, host, imports+tc.code)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestOnWebhook(t *testing.T) {
	t.Parallel()
	trigger := func(input, options string) string {
		return defaultProvider + "\n" + `trigger {"provider":{"type":"builtin","alias":"default"},"triggerType":"onWebhook","input":` +
			input + `,"options":` + options + `} function`
	}
	const keys = "it takes: path, method, respond, handler, timeout, memory, concurrency, onInterrupt, retry"
	for _, tc := range []struct{ name, argument, want string }{
		{"handler alone", `{ handler() {} }`, trigger(`{"method":"POST"}`, `{}`)},
		{"all, in another order", `{ onInterrupt: "fail", handler: async () => {}, concurrency: 2, method: "GET", timeout: 1.5, path: "/a" }`,
			trigger(`{"path":"/a","method":"GET"}`, `{"timeout":1.5,"concurrency":2,"onInterrupt":"fail"}`)},
		{"undefined is absent", `{ handler() {}, path: undefined, method: undefined, timeout: undefined }`, trigger(`{"method":"POST"}`, `{}`)},
		{"path as it is given", `{ handler() {}, path: "/a//b/ " }`, trigger(`{"path":"/a//b/ ","method":"POST"}`, `{}`)},
		{"unknown keys", `{ handler() {}, pth: "a", retries: 1 } as any`, "throws TypeError: onWebhook does not know pth, retries; " + keys},
		{"input is not nested", `{ handler() {}, input: {} } as any`, "throws TypeError: onWebhook does not know input; " + keys},
		{"no handler", `{ path: "a" } as any`, "throws TypeError: onWebhook: handler must be a function"},
		{"no argument", `undefined as any`, "throws TypeError: onWebhook takes an object with: path, method, respond, handler, timeout, memory, concurrency, onInterrupt, retry"},
		{"empty path", `{ handler() {}, path: "" }`, "throws TypeError: onWebhook: path must be a string that is not empty"},
		{"path of the wrong type", `{ handler() {}, path: 1 } as any`, "throws TypeError: onWebhook: path must be a string that is not empty"},
		{"method of the wrong type", `{ handler() {}, method: null } as any`, "throws TypeError: onWebhook: method must be a string that is not empty"},
		{"timeout in text", `{ handler() {}, timeout: "5s" } as any`, "throws TypeError: onWebhook: timeout must be a number of seconds above 0"},
		{"timeout without end", `{ handler() {}, timeout: Infinity }`, "throws TypeError: onWebhook: timeout must be a number of seconds above 0"},
		{"no time", `{ handler() {}, timeout: 0 }`, "throws TypeError: onWebhook: timeout must be a number of seconds above 0"},
		{"half a run", `{ handler() {}, concurrency: 0.5 }`, "throws TypeError: onWebhook: concurrency must be a whole number of at least 1"},
		{"no run", `{ handler() {}, concurrency: 0 }`, "throws TypeError: onWebhook: concurrency must be a whole number of at least 1"},
		{"attempts", `{ handler() {}, retry: 3 }`, trigger(`{"method":"POST"}`, `{"retry":{"attempts":3}}`)},
		{"retry", `{ handler() {}, retry: { jitter: false, maxDelay: 60, delay: 0.5, backoff: "fixed", maxAttempts: 4 } }`,
			trigger(`{"method":"POST"}`, `{"retry":{"attempts":4,"backoff":"fixed","delay":0.5,"maxDelay":60,"jitter":false}}`)},
		{"retry without attempts", `{ handler() {}, retry: {} }`, "throws TypeError: onWebhook: retry.attempts must be a whole number of at least 1"},
		{"two names of attempts", `{ handler() {}, retry: { attempts: 1, maxAttempts: 1 } }`, "throws TypeError: onWebhook: retry takes attempts or maxAttempts, not both"},
		{"unknown key of retry", `{ handler() {}, retry: { attempts: 1, times: 1 } as any }`, "throws TypeError: onWebhook: retry does not know times; it takes: attempts, maxAttempts, backoff, delay, maxDelay, jitter"},
		{"retry in text", `{ handler() {}, retry: "3" as any }`, "throws TypeError: onWebhook: retry takes an object with: attempts, maxAttempts, backoff, delay, maxDelay, jitter"},
		{"odd backoff", `{ handler() {}, retry: { attempts: 2, backoff: "slow" as any } }`, `throws TypeError: onWebhook: retry.backoff must be "exponential" or "fixed"`},
		{"negative delay", `{ handler() {}, retry: { attempts: 2, delay: -1 } }`, "throws TypeError: onWebhook: retry.delay must be a number of seconds from 0"},
		{"jitter in text", `{ handler() {}, retry: { attempts: 2, jitter: "no" as any } }`, "throws TypeError: onWebhook: retry.jitter must be true or false"},
		{"unknown onInterrupt", `{ handler() {}, onInterrupt: "retry" } as any`, `throws TypeError: onWebhook: onInterrupt must be "rerun" or "fail"`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			got := evaluate(t, host, imports+"new Builtin().triggers.onWebhook("+tc.argument+")")
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestOnCron(t *testing.T) {
	t.Parallel()
	trigger := func(input, options string) string {
		return defaultProvider + "\n" + `trigger {"provider":{"type":"builtin","alias":"default"},"triggerType":"onCron","input":` +
			input + `,"options":` + options + `} function`
	}
	for _, tc := range []struct{ name, argument, want string }{
		{"expression alone", `{ expression: "* * * * *", handler() {} }`, trigger(`{"expression":"* * * * *"}`, `{}`)},
		{"all", `{ expression: "@daily", timezone: "Europe/Berlin", retry: 2, handler() {} }`,
			trigger(`{"expression":"@daily"}`, `{"retry":{"attempts":2},"timezone":"Europe/Berlin"}`)},
		{"no expression", `{ handler() {} } as any`, "throws TypeError: onCron: expression must be a string that is not empty"},
		{"no handler", `{ expression: "* * * * *" } as any`, "throws TypeError: onCron: handler must be a function"},
		{"zone of the wrong type", `{ expression: "* * * * *", timezone: 1, handler() {} } as any`, "throws TypeError: onCron: timezone must be a string that is not empty"},
		{"unknown key", `{ cron: "* * * * *", handler() {} } as any`, "throws TypeError: onCron does not know cron; it takes: expression, timezone, handler, timeout, memory, concurrency, onInterrupt, retry"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			got := evaluate(t, host, imports+"new Builtin().triggers.onCron("+tc.argument+")")
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestOnManual(t *testing.T) {
	t.Parallel()
	trigger := func(input string) string {
		return defaultProvider + "\n" + `trigger {"provider":{"type":"builtin","alias":"default"},"triggerType":"onManual","input":` + input + `,"options":{}} function`
	}
	for _, tc := range []struct{ name, argument, want string }{
		{"name alone", `{ name: "Run", handler() {} }`, trigger(`{"name":"Run"}`)},
		{"all", `{ inputSchema: { type: "object", a: 1 }, description: "d", name: "Run", handler() {} }`,
			trigger(`{"name":"Run","description":"d","input_schema":{"type":"object","a":1}}`)},
		{"the other spelling", `{ name: "Run", input_schema: {}, handler() {} }`, trigger(`{"name":"Run","input_schema":{}}`)},
		{"no name", `{ handler() {} } as any`, "throws TypeError: onManual: name must be a string that is not empty"},
		{"a schema of zod", `{ name: "Run", inputSchema: { "~standard": 1 }, handler() {} }`,
			"throws TypeError: onManual: inputSchema must be a JSON Schema; z.toJSONSchema(schema) makes one of a schema of zod"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			got := evaluate(t, host, imports+"new Builtin().triggers.onManual("+tc.argument+")")
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestUserCode has the forms in which workflow code uses the module.
func TestUserCode(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ name, code, want string }{
		{"taken apart", imports + `const { onWebhook } = new Builtin("a").triggers; onWebhook({ handler() {} })`, `"alias":"a"`},
		{"exported", imports + `export default [new Builtin().triggers.onWebhook({ handler() {} })]`, `"onWebhook"`},
		{"typed", `import { Builtin, type Handler, type WebhookEvent } from "floww";
			const handler: Handler<WebhookEvent<{ a: number }>> = (ctx, event) => event.body.a + ctx.attempt;
			new Builtin().triggers.onWebhook({ handler })`, `"onWebhook"`},
		{"CommonJS", `const { Builtin } = require("floww"); new Builtin("c").triggers.onWebhook({ handler() {} })`, `"alias":"c"`},
		{"several", imports + `const b = new Builtin(); b.triggers.onWebhook({ path: "a", handler() {} }); b.triggers.onWebhook({ path: "b", handler() {} })`, `"path":"b"`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			if got := evaluate(t, host, tc.code); !strings.Contains(got, tc.want) {
				t.Errorf("got %s, want %s in it", got, tc.want)
			}
		})
	}
}

func TestWithoutHost(t *testing.T) {
	t.Parallel()
	got := evaluate(t, "", imports+"new Builtin()")
	if want := `throws Error: The module "floww" works only inside flowwd`; !strings.HasPrefix(got, want) {
		t.Errorf("got %q, want it to begin with %q", got, want)
	}
}

func TestExports(t *testing.T) {
	t.Parallel()
	got := evaluate(t, host, `import * as floww from "floww"; console.log(Object.keys(floww).join(", "))`)
	if got != sdk.Exports {
		t.Errorf("the module exports %q, want %q", got, sdk.Exports)
	}
}

func TestVersion(t *testing.T) {
	t.Parallel()
	text, ok := sdk.Source("package.json")
	if !ok {
		t.Fatal("package.json is not embedded")
	}
	var manifest struct{ Name, Version string }
	if err := json.Unmarshal([]byte(text), &manifest); err != nil {
		t.Fatal(err)
	}
	if manifest.Name != "floww" || manifest.Version != sdk.Version {
		t.Errorf("package.json is %s %s, want floww %s", manifest.Name, manifest.Version, sdk.Version)
	}
}
