package realm_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/usefloww/flowwd/internal/engine"
)

func TestResults(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ code, want string }{
		{``, ``},
		{`return undefined`, ``},
		{`return null`, `null`},
		{`return {a: undefined, b: new Date(0), c: [() => {}], "é": "\ud800"}`, `{"b":"1970-01-01T00:00:00.000Z","c":[null],"é":"\ud800"}`},
		{`return {then(resolve) { resolve(5) }}`, `5`},
		{`return Promise.resolve(Promise.resolve(1))`, `1`},
		{`Promise.prototype.then = () => { throw 1 }; JSON.stringify = null; return await 7`, `7`},
		{`const p = Promise.reject(new Error("x")); p.catch(() => {}); return 1`, `1`},
		{`const p = Promise.reject(new Error("x")); try { await p } catch { return 2 }`, `2`},
		{`setTimeout(() => { throw new Error("too late") }, 10_000); return 3`, `3`},
		{`new Promise((_, no) => setTimeout(no, 10_000)); return 4`, `4`},
		{`(function f() { Promise.resolve().then(f) })(); return 5`, `5`},
		{`Promise.any([Promise.reject(1), Promise.resolve(6)]); return Promise.any([Promise.reject(1), Promise.resolve(6)])`, `6`},
	} {
		result, _, failure := do(t, c.code)
		if failure != nil || result != c.want {
			t.Errorf("%s: got %s, %v; want %s", c.code, result, failure, c.want)
		}
	}
}

func TestFailures(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		code   string
		reason engine.Reason
		says   string
	}{
		{`throw new Error("no luck")`, engine.Threw, "Error: no luck"},
		{`null.x`, engine.Threw, "TypeError: cannot read property 'x' of null"},
		{`throw "a string"`, engine.Threw, "a string"},
		{`throw ""`, engine.Threw, "an empty string was thrown"},
		{`throw undefined`, engine.Threw, "undefined was thrown, which is no Error"},
		{`throw {code: 5}`, engine.Threw, `{"code":5} was thrown, which is no Error`},
		{`throw new Proxy({}, {get() { throw 1 }, ownKeys() { throw 1 }, getPrototypeOf() { throw 1 }})`, engine.Threw, "something was thrown that cannot be shown"},
		{`class Mine extends Error { name = "Mine" } throw new Mine("m")`, engine.Threw, "Mine: m"},
		{`const e = new Error("x"); Object.defineProperty(e, "message", {get() { throw 1 }}); throw e`, engine.Threw, "Error"},
		{`return Promise.reject(1n)`, engine.Threw, "1n was thrown"},
		{`Promise.reject(new Error("nobody looks"))`, engine.Threw, "Error: nobody looks"},
		{`(async () => { throw new Error("nobody looks") })(); await new Promise(r => setTimeout(r, 1))`, engine.Threw, "Error: nobody looks"},
		{`const p = new Promise((_, no) => setTimeout(() => no(new Error("later")), 1)); await new Promise(r => setTimeout(r, 1000))`, engine.Threw, "Error: later"},
		{`setTimeout(() => { throw new TypeError("in a timer") }, 1); await new Promise(r => setTimeout(r, 1000))`, engine.Threw, "TypeError: in a timer"},
		{`queueMicrotask(() => { throw new TypeError("in a job") }); await new Promise(r => setTimeout(r, 1000))`, engine.Threw, "TypeError: in a job"},
		{`await new Promise(() => {})`, engine.NeverEnds, "nothing can settle"},
		{`const t = setTimeout(() => {}, 60_000); clearTimeout(t); await new Promise(() => {})`, engine.NeverEnds, ""},
		{`await new Promise(() => setTimeout(() => {}, 1))`, engine.NeverEnds, ""},
		{`return () => {}`, engine.BadResult, "function"},
		{`return Symbol("x")`, engine.BadResult, "symbol"},
		{`return 1n`, engine.BadResult, "BigInt"},
		{`const o = {}; o.o = o; return o`, engine.BadResult, "circular"},
		{`return {toJSON() { throw new Error("mine") }}`, engine.BadResult, "mine"},
		{`return "x".repeat(1 << 20)`, engine.BadResult, "1048578 bytes"},
		{`JSON.parse("{")`, engine.Threw, "SyntaxError"},
		{`eval("const")`, engine.Threw, "SyntaxError"},
		{`undefinedName`, engine.Threw, "ReferenceError: 'undefinedName' is not defined"},
		{`setTimeout("code")`, engine.Threw, "TypeError: setTimeout needs a function"},
	} {
		_, _, failure := do(t, c.code)
		if failure == nil || failure.Reason != c.reason || !strings.Contains(failure.Message, c.says) {
			t.Errorf("%s: got %+v, want %s: %s", c.code, failure, c.reason, c.says)
		}
	}
}

func TestStack(t *testing.T) {
	t.Parallel()
	m, load := machine(t)
	p := load("function helper() { throw new Error('deep') }\n" + handler("\n  await null; helper()"))
	p.MapStack = func(stack string) string { return strings.ReplaceAll(stack, "bundle.js", "src/main.ts") }
	_, err := m.Run(p, call(), &record{})
	failure, ok := err.(*engine.Failure)
	if !ok {
		t.Fatal(err)
	}
	lines := strings.Split(failure.Stack, "\n")
	if len(lines) != 2 || !strings.Contains(lines[0], "helper (src/main.ts:1:") || !strings.Contains(lines[1], "src/main.ts:3:") {
		t.Errorf("got the stack %q", failure.Stack)
	}
}

func TestTimers(t *testing.T) {
	t.Parallel()
	_, log, failure := do(t, `
		const wait = (ms) => new Promise(r => setTimeout(r, ms));
		setTimeout((...a) => console.log("late", a), 400, 1, "x");
		setTimeout(() => console.log("0 first"));
		setTimeout(() => console.log("0 second"), -5);
		const never = setTimeout(() => console.log("cleared"), 5); clearTimeout(never); clearTimeout(never); clearTimeout("x");
		let n = 0; const i = setInterval(() => { console.log("tick"); if (++n === 2) clearInterval(i) }, 5);
		queueMicrotask(() => console.log("job"));
		console.log("sync"); await null; console.log("after await");
		await wait(500); console.log("end")`)
	want := []string{"log sync", "log job", "log after await", "log 0 first", "log 0 second", "log tick", "log tick", `log late [1,"x"]`, "log end"}
	if diff := cmp.Diff(want, log); failure != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", failure, diff)
	}
}

// TestWaitingFlushes shows that lines do not wait while the code waits.
func TestWaitingFlushes(t *testing.T) {
	t.Parallel()
	m, load := machine(t)
	r := &record{}
	if _, err := m.Run(load(handler(`console.log("a"); await new Promise(r => setTimeout(r, 5)); console.log("b")`)), call(), r); err != nil {
		t.Fatal(err)
	}
	if r.flushed != 1 || len(r.lines) != 2 {
		t.Errorf("%d of %d lines were flushed", r.flushed, len(r.lines))
	}
}

// TestFreshRealm spoils everything that can be spoiled and then runs another
// program, and the same one again.
func TestFreshRealm(t *testing.T) {
	t.Parallel()
	m, load := machine(t)
	const spoil = `
		const seen = [globalThis.left, [].left, ({}).left, module++, Math.left, console.left, Promise.left, Function.prototype.left, "".left, /x/.left, new Map().left,
			Symbol.for("left").description === "left" && globalThis[Symbol.for("left")]];
		globalThis.left = Array.prototype.left = Object.prototype.left = Math.left = console.left = Promise.left = Function.prototype.left =
			String.prototype.left = RegExp.prototype.left = Map.prototype.left = globalThis[Symbol.for("left")] = 1;
		setTimeout(() => { globalThis.left = 2 }, 0); setInterval(() => {}, 1);
		Promise.resolve().then(function f() { globalThis.left = 3; return Promise.resolve().then(f) });
		Promise.reject(new Error("left")).catch(() => {});
		JSON.stringify = Array.prototype.push = null;
		Object.freeze(Array.prototype); delete globalThis.Map; globalThis.undefinedThing = 1;
		return seen`
	const look = `return [globalThis.left, [].left, module++, typeof Map, typeof undefinedThing, Object.isFrozen(Array.prototype), typeof JSON.stringify, typeof Array.prototype.push]`
	first, second := load("let module = 0;"+handler(spoil)), load("let module = 0;"+handler(look))
	for range 3 {
		got, err := m.Run(first, call(), &record{})
		if want := `[null,null,null,0,null,null,null,null,null,null,null,null]`; err != nil || string(got) != want {
			t.Errorf("got %s, %v; want %s", got, err, want)
		}
		got, err = m.Run(second, call(), &record{})
		if want := `[null,null,0,"function","undefined",false,"function","function"]`; err != nil || string(got) != want {
			t.Errorf("got %s, %v; want %s", got, err, want)
		}
		if err := m.Rest(second); err != nil {
			t.Fatal(err)
		}
	}
}

func TestRandomnessDiffers(t *testing.T) {
	t.Parallel()
	m, load := machine(t)
	p := load(handler(`return Math.random()`))
	seen := map[string]bool{}
	for range 10 {
		got, err := m.Run(p, call(), &record{})
		if err != nil {
			t.Fatal(err)
		}
		seen[string(got)] = true
	}
	if len(seen) != 10 {
		t.Errorf("10 runs saw %d random numbers", len(seen))
	}
}

// TestMemoryOfARunIsForgotten runs something large many times.
func TestMemoryOfARunIsForgotten(t *testing.T) {
	t.Parallel()
	m, load := machine(t)
	p := load(handler(`const all = []; for (let i = 0; i < 30; i++) all.push(new Uint8Array(1 << 20).fill(i)); return all.length`))
	for range 10 {
		if got, err := m.Run(p, call(), &record{}); err != nil || string(got) != "30" {
			t.Fatal(string(got), err)
		}
	}
	small := call()
	small.Memory = 16 << 20
	_, err := m.Run(p, small, &record{})
	if failure, ok := err.(*engine.Failure); !ok || failure.Reason != engine.OutOfMemory {
		t.Errorf("30 MB of 16 MB: %v", err)
	}
}
