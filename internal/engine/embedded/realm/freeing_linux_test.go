//go:build amd64 || arm64

package realm

import (
	"strings"
	"testing"

	lib "modernc.org/libquickjs"
)

// What arrays hold is given back as the engine does it: all of it, once, and
// nothing that somebody else has still.
func TestWhatArraysHoldEnds(t *testing.T) {
	t.Parallel()
	b := newBoth(t)
	kept := eval(t, b.m, "globalThis.kept = {}; globalThis.seen = []; globalThis.symbol = Symbol('s'); kept")
	defer b.m.free(kept)
	for _, c := range strings.Split(strings.TrimSpace(`
[1, 1.5, "text", "long ".repeat(500), true, null, undefined, symbol, 5n, 2n ** 100n]
["a" + seen.length, "b".repeat(9000) + "c".repeat(9000), "€" + seen.length]
[{}, { a: 1, b: { c: [] } }, [], [[], [{}]], [,], [1, , 3], Object.assign([1], { length: 9 }), Object.assign([1], { more: {} })]
Array.from({ length: 3000 }, (_, i) => ({ i, half: i / 2, text: "text " + i, of: [i, { i }] }))
Array.from({ length: 200 }, (_, i) => ({ ["key " + i]: ["value " + i] }))
[Object.create(null), Object.create({ a: [] }), Object.freeze([{}]), Object.defineProperty({}, "a", { get() { return 1; }, configurable: true })]
(() => { const o = { a: [1], b: ["b" + seen.length], c: 3 }, p = { a: 1, b: 2, c: 3 }; delete o.b; return [o, p]; })()
(() => { const o = {}; for (let i = 0; i < 100; i++) o["k" + i] = { i }; for (let i = 0; i < 90; i++) delete o["k" + i]; return [o]; })()
[new Map([[{}, []]]), new Set([[]]), new Uint8Array(900), new Date(), /a/g, new Error("e"), () => 1, (function* () {})(), new Proxy({}, {}), Promise.resolve([]), (function () { return arguments; })([])]
(() => { let a = [{ end: 1 }]; for (let i = 0; i < 2000; i++) a = i % 2 ? [a] : { a }; return [a]; })()
(() => { const a = []; a.push(a, { a }, [a]); return [[a], {}]; })()
(() => { const o = { x: [] }; return [o, o, [o], { o }]; })()
(() => { const key = "key " + Math.random(); return [{ [key]: { [key]: { [key]: 1 } } }, [{ [key]: [{ [key]: {} }] }]]; })()
Array.from({ length: 50 }, () => ({ get a() { return [1]; }, set a(v) {}, b: [] }))
Object.keys({ ["key " + Math.random()]: 1 })
[kept, [kept], { kept }, kept]
(() => { const word = "some word " + seen.length; const o = { [word]: 1 }; return [word, [word], o, Object.keys(o)]; })()
JSON.parse("[" + '{"id":1,"name":"Ada Lovelace","tags":["a","b"]},'.repeat(3000) + "{}]")
`), "\n") {
		code := "globalThis.kept.a = 1; " + c + "; globalThis.kept.a"
		b.m.free(eval(t, b.m, code)) // what a first time makes
		lib.XJS_RunGC(b.m.tls, b.m.rt)
		before := b.held()
		for range 3 {
			if v := eval(t, b.m, code); asInt(v) != 1 {
				t.Errorf("%s: what is kept is lost", c)
			}
		}
		lib.XJS_RunGC(b.m.tls, b.m.rt)
		if after := b.held(); after != before {
			t.Errorf("%s: %v is held, before %v", c, after, before)
		}
	}
}

// Who watches what an array holds is told of its end.
func TestWatchedValuesEnd(t *testing.T) {
	t.Parallel()
	b := newBoth(t)
	b.m.free(eval(t, b.m, `
		globalThis.ended = [];
		globalThis.registry = new FinalizationRegistry((name) => ended.push(name));
		globalThis.watch = (name, value) => { registry.register(value, name); return value; };
		globalThis.refs = [];
		globalThis.map = new WeakMap();
		{
			const o = {}, a = [1];
			refs.push(new WeakRef(o), new WeakRef(a));
			map.set(o, [{}]);
			globalThis.held = watch("held", { a: {} });
			globalThis.all = [watch("object", { a: [1] }), watch("array", [{}]), { in: watch("inner", {}) }, [[watch("deep", {})]], o, a, held];
		}
		all = undefined;`))
	lib.XJS_RunGC(b.m.tls, b.m.rt)
	if err := b.m.drain(undefined()); err != nil {
		t.Fatal(err)
	}
	told := eval(t, b.m, `[ended.sort().join(), refs.map((r) => r.deref() === undefined).join(), Object.keys(held).join()].join(" ")`)
	defer b.m.free(told)
	if got, _ := b.m.text(told); got != "array,deep,inner,object true,true a" {
		t.Errorf("told %q", got)
	}
}
