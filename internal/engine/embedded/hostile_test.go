package embedded_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/usefloww/flowwd/internal/engine"
)

// script is a program with one handler.
func script(body string) string {
	return `declare const __floww: any;
__floww.trigger({provider: {type: "builtin", alias: "default"}, triggerType: "onWebhook", input: {path: "/hello"},
  handler: async (ctx: any, event: any) => {` + body + `}});`
}

// TestHostileCode runs code that wants too much. Each run fails and says why;
// the next run of the same organization, and of another one, is fine.
func TestHostileCode(t *testing.T) {
	t.Parallel()
	e := start(t, nil)
	ok := invocation(t, e, hello)
	for name, c := range map[string]struct {
		body string
		want engine.Reason
		says string
	}{
		"loop":             {`for (;;) {}`, engine.Timeout, "within 300ms"},
		"promise loop":     {`const f = () => Promise.resolve().then(f); await f();`, engine.Timeout, ""},
		"await loop":       {`for (;;) await null;`, engine.Timeout, ""},
		"microtask loop":   {`await new Promise(() => { const f = () => queueMicrotask(f); f(); });`, engine.Timeout, ""},
		"timer loop":       {`await new Promise(() => { const f = () => setTimeout(f, 0); f(); });`, engine.Timeout, ""},
		"interval":         {`await new Promise(() => setInterval(() => {}, 1));`, engine.Timeout, ""},
		"regex":            {`/^(a+)+$/.test("a".repeat(40) + "b");`, engine.Timeout, ""},
		"getter loop":      {`return { get x() { for (;;) {} } };`, engine.Timeout, ""},
		"toJSON loop":      {`return { toJSON() { for (;;) {} } };`, engine.Timeout, ""},
		"caught arrays":    {`const all = []; while (true) { try { all.push(new Array(1e6).fill(1)); } catch {} }`, engine.OutOfMemory, "memory"},
		"finally":          {`const all = []; const f = () => { try { for (;;) all.push(new Array(1e6).fill(1)); } finally { f(); } }; f();`, engine.OutOfMemory, ""},
		"strings":          {`let s = "x"; for (;;) s += s + s;`, engine.Threw, "too long"},
		"many strings":     {`const all = []; for (let i = 0;; i++) all.push("x".repeat(1 << 20) + i);`, engine.OutOfMemory, ""},
		"buffer":           {`new ArrayBuffer(2 ** 30);`, engine.OutOfMemory, ""},
		"too big a buffer": {`new ArrayBuffer(2 ** 40);`, engine.Threw, "invalid array buffer length"},
		"buffers":          {`const all = []; for (;;) all.push(new Uint8Array(1 << 24).fill(1));`, engine.OutOfMemory, ""},
		"resizable buffer": {`const b = new ArrayBuffer(8, {maxByteLength: 2 ** 40}); b.resize(2 ** 40);`, engine.Threw, ""},
		"array length":     {`const a = []; a.length = 2 ** 32 - 1; a.fill(0);`, engine.OutOfMemory, ""},
		"map":              {`const m = new Map(); for (let i = 0;; i++) m.set(i, i);`, engine.OutOfMemory, ""},
		"bigint":           {`let n = 2n; for (;;) n *= n;`, engine.Threw, "BigInt"},
		"promises":         {`for (const all = [];;) all.push(new Promise(() => {}));`, engine.OutOfMemory, ""},
		"timers":           {`for (;;) setTimeout(() => {}, 1e9);`, engine.OutOfMemory, ""},
		"interval flood":   {`for (let i = 0; i < 1e4; i++) setInterval(() => {}, 0); await new Promise(() => {});`, engine.Timeout, ""},
		"question flood":   {`for (;;) __floww.ask("kv", "{}").catch(() => {});`, engine.Timeout, ""},
		"fetch flood":      {`for (;;) fetch("http://127.0.0.1:1/").catch(() => {});`, engine.Timeout, ""},
		"large questions":  {`for (;;) __floww.ask("kv", "x".repeat(1e6)).catch(() => {});`, engine.OutOfMemory, ""},
		"closures":         {`let f = () => 0; for (;;) { const g = f; f = () => g; }`, engine.OutOfMemory, ""},
		"recursion":        {`const f = () => f() + 1; f();`, engine.Threw, "stack overflow"},
		"caught recursion": {`const f = () => { try { f(); } catch { f(); } }; f();`, engine.Timeout, ""},
		"getter recursion": {`const o = { get x() { return this.x; } }; o.x;`, engine.Threw, "stack overflow"},
		"proxy recursion":  {`const p = new Proxy({}, {get: (t, k, r) => r[k]}); p.x;`, engine.Threw, "stack overflow"},
		"deep result":      {`let o = {}; for (let i = 0; i < 1e5; i++) o = {o}; return o;`, engine.BadResult, ""},
		"deep JSON":        {`JSON.parse("[".repeat(1e6) + "]".repeat(1e6));`, engine.Threw, "stack overflow"},
		"deep array text":  {`let a = []; for (let i = 0; i < 1e5; i++) a = [a]; String(a);`, engine.Threw, "stack overflow"},
		"deep regex":       {`new RegExp("(".repeat(1e6) + ")".repeat(1e6));`, engine.Threw, ""},
		"deep source":      {`eval("(".repeat(1e5) + ")".repeat(1e5));`, engine.Threw, ""},
		"big source":       {`eval("x=[" + "1,".repeat(1e8) + "]");`, engine.OutOfMemory, ""},
		"deep log":         {`let o = {}; for (let i = 0; i < 1e5; i++) o = {o}; console.log(o); throw "x";`, engine.Threw, "x"},
		"wide log":         {`console.log(new Array(1e6).fill("x".repeat(1000))); throw "x";`, engine.Threw, "x"},
		"log of a proxy":   {`console.log(new Proxy({}, {ownKeys() { for (;;) {} }}));`, engine.Timeout, ""},
		"log flood":        {`for (;;) console.log("x");`, engine.Timeout, ""},
		"big log flood":    {`const s = "x".repeat(1 << 16); for (;;) console.log(s);`, engine.Timeout, ""},
		"huge result":      {`return "x".repeat(2 << 20);`, engine.BadResult, "1048576"},
		"deep clone":       {`let o = {}; for (let i = 0; i < 1e5; i++) o = {o}; structuredClone(o);`, engine.Threw, "stack overflow"},
		"generators":       {`function* g() { yield* g(); } [...g()];`, engine.Threw, "stack overflow"},
		"sort":             {`const a = Array.from({length: 1e6}, Math.random); a.sort(() => { for (;;) {} });`, engine.Timeout, ""},
		"atomics":          {`Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);`, engine.Threw, ""},
		"symbols":          {`for (let i = 0, all = [];; i++) all.push(Symbol.for("k" + i));`, engine.OutOfMemory, ""},
		"properties":       {`const o = {}; for (let i = 0;; i++) o["k" + i] = i;`, engine.OutOfMemory, ""},
		"cycles":           {`for (;;) { const o = {}; o.o = o; }`, engine.Timeout, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			call := invocation(t, e, script(c.body))
			call.Limits.Timeout = 300 * time.Millisecond
			if c.want != engine.Timeout {
				call.Limits.Timeout = 5 * time.Minute // never what ends it
				call.Limits.Memory = 32 << 20
			}
			call.Limits.LogLines = 1000
			_, err := e.Invoke(t.Context(), call, func([]engine.LogLine) {})
			var f *engine.Failure
			if !errors.As(err, &f) {
				t.Fatalf("got %v (%T), want a failure", err, err)
			}
			if f.Reason != c.want || !strings.Contains(f.Message, c.says) {
				t.Errorf("got %s: %.200s, want %s: …%s…", f.Reason, f.Message, c.want, c.says)
			}
			next := ok
			next.OrganizationID = call.OrganizationID
			if _, err := e.Invoke(t.Context(), next, func([]engine.LogLine) {}); err != nil {
				t.Errorf("the next run: %v", err)
			}
		})
	}
}

// TestQuestionsAreBounded asks more at once than a run may: the server is asked
// for some of them, some wait, and the rest are refused, each by its own error.
func TestQuestionsAreBounded(t *testing.T) {
	t.Parallel()
	e := start(t, nil)
	call := invocation(t, e, script(`
		const refused = [];
		return await new Promise((resolve) => {
			for (let i = 0; i < 5000; i++) __floww.ask("kv", "{}").catch((e) => refused.push(e.message) === 4000 && resolve(new Set(refused).size + ": " + refused[0]));
		});`))
	var asked, most atomic.Int32
	call.Ask = func(ctx context.Context, _ string, _ []byte) ([]byte, error) {
		for now := asked.Add(1); ; {
			if before := most.Load(); now <= before || most.CompareAndSwap(before, now) {
				break
			}
		}
		defer asked.Add(-1)
		<-ctx.Done()
		return nil, ctx.Err()
	}
	got, err := e.Invoke(t.Context(), call, func([]engine.LogLine) {})
	if want := `"1: kv failed: 1000 requests of this run are open`; err != nil || !strings.HasPrefix(string(got.Value), want) {
		t.Errorf("got %s (%v), want %s…", got.Value, err, want)
	}
	if most.Load() > 100 {
		t.Errorf("the server was asked for %d things at once", most.Load())
	}
}
