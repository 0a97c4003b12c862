package realm_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/usefloww/flowwd/internal/engine"
	"github.com/usefloww/flowwd/internal/engine/embedded/realm"
	"github.com/usefloww/flowwd/internal/workflow"
)

const provider = `provider: {type: "builtin", alias: "default"}`

func TestDefine(t *testing.T) {
	t.Parallel()
	m, load := machine(t)
	text, err := m.Define(load(`
		const handler = () => {};
		__floww.provider({type: "github", alias: "b"}); __floww.provider({type: "github", alias: "a"}); __floww.provider({type: "github", alias: "b"});
		__floww.trigger({`+provider+`, triggerType: "t", input: {z: 1.50, a: "é\n"}, handler, options: {timeout: 0.25, onInterrupt: "fail", concurrency: 3}});
		__floww.trigger({`+provider+`, triggerType: "t", input: {a: "é\n", z: 1.5}, handler, options: {onInterrupt: "rerun", timeout: undefined}});
		__floww.trigger({`+provider+`, triggerType: "t", handler, options: null});
		__floww.trigger({`+provider+`, triggerType: "r1", handler, options: {retry: {attempts: 3}, timezone: "UTC", respond: "handler"}});
		__floww.trigger({`+provider+`, triggerType: "r2", handler, options: {retry: {attempts: 5, backoff: "fixed", delay: 0.5, jitter: false}}});
		__floww.trigger({`+provider+`, triggerType: "r3", handler, options: {retry: {attempts: 2, backoff: "exponential", delay: 600}}});
		Promise.resolve().then(() => __floww.trigger({`+provider+`, triggerType: "late", input: null, handler}));`), memory)
	if err != nil {
		t.Fatal(err)
	}
	got, err := realm.Definitions(text)
	if err != nil {
		t.Fatal(err)
	}
	declare := func(kind, input string, ordinal int, options workflow.Options) workflow.Declaration {
		return workflow.Declaration{
			Provider: workflow.ProviderRef{Type: "builtin", Alias: "default"},
			Type:     kind, Input: json.RawMessage(input), Ordinal: ordinal, Options: options,
		}
	}
	want := engine.Definitions{
		Triggers: []workflow.Declaration{
			declare("t", `{"z":1.5,"a":"é\n"}`, 0, workflow.Options{Timeout: 250 * time.Millisecond, Concurrency: 3, FailOnInterrupt: true}),
			declare("t", `{"a":"é\n","z":1.5}`, 1, workflow.Options{}),
			declare("t", `{}`, 0, workflow.Options{}),
			declare("r1", `{}`, 0, workflow.Options{Retry: workflow.Retry{Attempts: 3, Delay: time.Second, MaxDelay: 5 * time.Minute, Jitter: true}, Timezone: "UTC", HandlerResponds: true}),
			declare("r2", `{}`, 0, workflow.Options{Retry: workflow.Retry{Attempts: 5, Fixed: true, Delay: 500 * time.Millisecond, MaxDelay: 500 * time.Millisecond}}),
			declare("r3", `{}`, 0, workflow.Options{Retry: workflow.Retry{Attempts: 2, Delay: 10 * time.Minute, MaxDelay: 10 * time.Minute, Jitter: true}}),
			declare("late", `null`, 0, workflow.Options{}),
		},
		Providers: []workflow.ProviderRef{{Type: "github", Alias: "b"}, {Type: "github", Alias: "a"}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error("(-want +got):\n" + diff)
	}
}

func TestDefineRefuses(t *testing.T) {
	t.Parallel()
	m, load := machine(t)
	with := func(rest string) string { return `__floww.trigger({` + provider + `, triggerType: "t", ` + rest + `})` }
	for _, c := range []struct{ code, says string }{
		{`throw new Error("at the top")`, "Error: at the top"},
		{`Promise.reject(new Error("in the background"))`, "Error: in the background"},
		{with(`handler() {}, options: {retries: 3}`), "options.retries is not known; the options are timeout, memory, concurrency, onInterrupt, retry, timezone, respond"},
		{with(`handler() {}, options: {timeout: "5s"}`), `options.timeout must be a number of seconds above 0, not "5s"`},
		{with(`handler() {}, options: {timeout: 0}`), `options.timeout must be`},
		{with(`handler() {}, options: {timeout: NaN}`), `options.timeout must be`},
		{with(`handler() {}, options: {concurrency: 1.5}`), `options.concurrency must be a whole number from 1, not 1.5`},
		{with(`handler() {}, options: {concurrency: 0}`), `options.concurrency must be`},
		{with(`handler() {}, options: {onInterrupt: "retry"}`), `options.onInterrupt must be "rerun" or "fail", not "retry"`},
		{with(`handler() {}, options: {retry: 3}`), `options.retry must be an object, not 3`},
		{with(`handler() {}, options: {retry: {}}`), `t: retry.attempts must be 1 to 100`},
		{with(`handler() {}, options: {retry: {attempts: 101}}`), `t: retry.attempts is 101; it must be 1 to 100`},
		{with(`handler() {}, options: {retry: {attempts: 1.5}}`), `t: retry.attempts is 1.5; it must be a whole number`},
		{with(`handler() {}, options: {retry: {attempts: 2, backoff: "slow"}}`), `t: retry.backoff is "slow"; it must be "exponential" or "fixed"`},
		{with(`handler() {}, options: {retry: {attempts: 2, delay: -1}}`), `t: retry.delay is -1s; it must be 0 to 86400 seconds`},
		{with(`handler() {}, options: {retry: {attempts: 2, delay: 1e300}}`), `t: retry.delay is 48h0m0s; it must be`},
		{with(`handler() {}, options: {retry: {attempts: 2, delay: 9, maxDelay: 8}}`), `t: retry.maxDelay is 8s; it must be at least retry.delay (9s)`},
		{with(`handler() {}, options: {timezone: 1}`), `options.timezone must be a text, not 1`},
		{with(`handler() {}, options: {timezone: "x".repeat(101)}`), `the timezone has 101 bytes`},
		{with(`handler() {}, options: {respond: "me"}`), `options.respond must be "handler", not "me"`},
		{with(`handler() {}, options: []`), `options must be an object`},
		{with(`handler() {}, options: "x"`), `options must be an object`},
		{with(`handler: 5`), `t needs a handler, which is a function`},
		{with(`handler() {}, input: () => {}`), `input must be data that JSON can hold`},
		{with(`handler() {}, input: 1n`), `BigInt`},
		{`__floww.trigger({triggerType: "t", handler() {}})`, `provider must be an object with type and alias`},
		{`__floww.trigger({provider: {type: "", alias: "a"}, triggerType: "t", handler() {}})`, `provider.type must be a text`},
		{`__floww.trigger({provider: {type: "a", alias: 5}, triggerType: "t", handler() {}})`, `provider.alias must be a text`},
		{`__floww.trigger({provider: {type: "a", alias: "x\ny"}, triggerType: "t", handler() {}})`, `provider.alias must not contain control characters`},
		{`__floww.trigger({` + provider + `, triggerType: "", handler() {}})`, `triggerType must be a text`},
		{`__floww.trigger()`, `a trigger needs a declaration`},
		{`__floww.provider("github")`, `provider must be an object`},
		{`for (let i = 0; i < 1001; i++) ` + with(`handler() {}`), `registers 1001 triggers`},
		{with(`handler() {}, input: "x".repeat(1 << 20)`), `at most 262144 are allowed`},
		{`__floww.provider({type: "x".repeat(300), alias: "a"}); __floww.trigger({provider: {type: "x".repeat(300), alias: "a"}, triggerType: "t", handler() {}})`, `have 1 to 255 bytes`},
	} {
		text, err := m.Define(load(c.code), memory)
		if err == nil {
			_, err = realm.Definitions(text)
		}
		var failure *engine.Failure
		if !errors.As(err, &failure) || failure.Reason != engine.Threw || !strings.Contains(failure.Message, c.says) {
			t.Errorf("%s:\ngot %v, want %s", c.code, err, c.says)
		}
	}
}

// FuzzDefinitions gives arbitrary text to what reads a child's declarations.
func FuzzDefinitions(f *testing.F) {
	f.Add(`{"triggers":[{"provider":{"type":"a","alias":"b"},"type":"t","input":"{}","options":{"timeout":1}}],"providers":[]}`)
	f.Add(`{"triggers":[{"provider":{"type":"a","alias":"b"},"type":"t","input":"{","options":{"timeout":-1e300,"concurrency":-1}}]}`)
	f.Fuzz(func(t *testing.T, text string) {
		got, err := realm.Definitions(json.RawMessage(text))
		if err != nil {
			return
		}
		for _, d := range got.Triggers {
			if !json.Valid(d.Input) || d.Type == "" || d.Provider.Type == "" || d.Options.Timeout < 0 || d.Options.Concurrency < 0 {
				t.Fatalf("took %+v", d)
			}
		}
	})
}

func TestRunFindsItsHandler(t *testing.T) {
	t.Parallel()
	m, load := machine(t)
	one := func(input, result string) string {
		return fmt.Sprintf(`__floww.trigger({%s, triggerType: "t", input: %s, handler: () => %q});`, provider, input, result)
	}
	p := load(one(`{a: 1, b: 2}`, "first") + one(`{b: 2, a: 1}`, "second") + one(`{a: 1}`, "third") + one(`{a: 1, b: 2}`, "fourth"))
	for range 2 {
		for _, c := range []struct {
			input   string
			ordinal int
			want    string
		}{
			{`{"a":1,"b":2}`, 0, `"first"`},
			{`{"a":1,"b":2}`, 1, `"second"`},
			{`{"b":2,"a":1}`, 1, `"second"`},
			{`{"b":2, "a":1}`, 2, `"fourth"`},
			{`{"a":1}`, 0, `"third"`},
			{`{"a":1}`, 1, ``},
			{`{"a":2}`, 0, ``},
		} {
			call := call()
			call.Trigger.Type, call.Trigger.Input, call.Trigger.Ordinal = "t", json.RawMessage(c.input), c.ordinal
			got, err := m.Run(p, call, &record{})
			var failure *engine.Failure
			if none := errors.As(err, &failure) && failure.Reason == engine.NoHandler; string(got) != c.want || none != (c.want == "") {
				t.Errorf("%s %d: got %s, %v; want %s", c.input, c.ordinal, got, err, c.want)
			}
		}
	}
}

// TestRunFindsWhatItRegisteredNow has a program that registers something else
// each time.
func TestRunFindsWhatItRegisteredNow(t *testing.T) {
	t.Parallel()
	m, load := machine(t)
	p := load(`if (Math.random() < 0.5) ` + `__floww.trigger({` + provider + `, triggerType: "other", input: {}, handler: () => "other"});` + handler(`return "mine"`))
	for range 40 {
		if got, err := m.Run(p, call(), &record{}); err != nil || string(got) != `"mine"` {
			t.Fatal(string(got), err)
		}
	}
}

func TestCompileErrors(t *testing.T) {
	t.Parallel()
	m, _ := machine(t)
	_, err := m.Compile([]byte("let a = 1;\nlet b = ;\n"))
	var syntax *realm.SyntaxError
	if !errors.As(err, &syntax) || !strings.Contains(syntax.Message, "SyntaxError") || !strings.Contains(syntax.Stack, "bundle.js:2:") {
		t.Fatalf("got %+v", err)
	}
	for _, bad := range [][]byte{nil, {}, []byte("not bytecode"), make([]byte, 100)} {
		if _, err := m.Load(bad); err == nil {
			t.Errorf("loaded %q", bad)
		}
	}
	if _, err := m.Compile([]byte("let a = 1;")); err != nil {
		t.Errorf("the machine is spoiled: %v", err)
	}
}
