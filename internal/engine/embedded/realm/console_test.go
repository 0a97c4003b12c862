package realm_test

import (
	"strings"
	"testing"
)

func TestConsole(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ code, want string }{
		{`console.log("plain", "text")`, `log plain text`},
		{`console.log()`, `log `},
		{`console.log("")`, `log `},
		{`console.info(1, -0, 1.5, NaN, true, null, undefined)`, `info 1 0 1.5 NaN true null undefined`},
		{`console.warn(12345678901234567890n)`, `warn 12345678901234567890n`},
		{`console.error({a: 1, "b c": "x\n", d: [1, , 2]})`, `error {"a":1,"b c":"x\n","d":[1,undefined,2]}`},
		{`console.debug(Symbol("s"), {[Symbol("k")]: 1})`, `debug Symbol(s) {[Symbol(k)]:1}`},
		{`console.trace("t")`, `log t`},
		{`console.log(function named() {}, () => {}, class C {})`, `log [Function named] [Function] [Function C]`},
		{`const o = {}; o.self = o; console.log(o)`, `log {"self":[Circular]}`},
		{`const a = [1]; console.log([a, a])`, `log [[1],[1]]`},
		{`console.log(new Map([["k", {v: 1}], [{}, 2]]), new Set([1, "x"]))`, `log Map {"k" => {"v":1},{} => 2} Set {1,"x"}`},
		{`console.log(new Date(0), new Date(NaN), /x+/gi)`, `log 1970-01-01T00:00:00.000Z Invalid Date /x+/gi`},
		{`console.log(new Uint8Array([1, 2, 255]), new ArrayBuffer(2), new Float64Array([1.5]))`, `log Uint8Array(3) [1,2,255] Uint8Array(2) [0,0] Float64Array(1) [1.5]`},
		{`console.log({get x() { throw 1; }, set y(v) {}})`, `log {"x":[Getter],"y":[Setter]}`},
		{`console.log(Object.create(null))`, `log {}`},
		{`console.log(new Proxy({}, {ownKeys() { throw 1; }}))`, `log [a value that cannot be shown]`},
		{`console.log({toString() { throw 1; }, toJSON() { throw 2; }})`, `log {"toString":[Function toString],"toJSON":[Function toJSON]}`},
		{`console.log("😀 \u0000 \ud800")`, "log 😀 \x00 \uFFFD"},
		{`const {log} = console; log("without its object")`, `log without its object`},
		{`console.log(new Error("bad", {cause: "why"}).message)`, `log bad`},
		{`Array.prototype.push = null; Array.prototype[Symbol.iterator] = null; String.prototype.replaceAll = null; JSON.stringify = null; console.log("x", {a: [1]}, new Map())`, `log x {"a":[1]} Map {}`},
		{`Object.prototype.x = 1; console.log({a: 1}); delete Object.prototype.x`, `log {"a":1}`},
	} {
		_, log, failure := do(t, c.code)
		if failure != nil || len(log) != 1 || log[0] != c.want {
			t.Errorf("%s\ngot  %q (%v)\nwant %q", c.code, log, failure, c.want)
		}
	}
}

func TestConsoleErrors(t *testing.T) {
	t.Parallel()
	_, log, failure := do(t, `
		function inner() { throw new TypeError("bad", {cause: new RangeError("deep")}); }
		try { inner(); } catch (e) { console.error("it failed:", e, {e}); }`)
	if failure != nil || len(log) != 1 {
		t.Fatal(log, failure)
	}
	for _, want := range []string{"error it failed: TypeError: bad\n", "at inner (bundle.js:2", "Caused by: RangeError: deep"} {
		if !strings.Contains(log[0], want) {
			t.Errorf("%q lacks %q", log[0], want)
		}
	}
	for _, no := range []string{"floww:", "native"} {
		if strings.Contains(log[0], no) {
			t.Errorf("%q has frames of ours", log[0])
		}
	}
}

func TestLongLinesAreCutEarly(t *testing.T) {
	t.Parallel()
	_, log, failure := do(t, `
		const wide = {}; for (let i = 0; i < 1e5; i++) wide["k" + i] = "x".repeat(100);
		console.log(wide); console.log([wide, wide, wide]); console.log(new Array(1e6).fill(wide)); console.log(new Array(5000).fill(0));`)
	if failure != nil || len(log) != 4 {
		t.Fatal(len(log), failure)
	}
	for i, l := range log {
		if len(l) > 1<<20 {
			t.Errorf("line %d has %d bytes", i, len(l))
		}
	}
	if !strings.HasSuffix(log[3], "… 4000 more]") {
		t.Errorf("the last line ends with %q", log[3][len(log[3])-20:])
	}
}
