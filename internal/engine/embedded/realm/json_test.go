package realm_test

import (
	"strings"
	"testing"
)

// Values whose text asks code, sorts its names or is none: each is written, or
// refused, as with a replacer that replaces nothing, which the engine does by
// itself.
func TestStringifyUnusualValues(t *testing.T) {
	t.Parallel()
	values := strings.Split(strings.TrimSpace(`
undefined
() => 1
Symbol("a")
"text"
"\ud800 \udc00\ud800 \ud83d\ude00 \u2028 \u0000\u001f\u007f\"\\\b\f\n\r\t é ÿ Ā"
"a".repeat(20000) + "\"\n".repeat(20000) + "é".repeat(20000)
"a".repeat(20000) + "€".repeat(20000) + "\ud83d" + "\ude00".repeat(20000)
{ rope: "a".repeat(20000) + "b".repeat(20000), wide: "é€" }
{ ["long".repeat(3000) + "key".repeat(3000)]: 1, "é": 2, "€": 3, "😀": 4 }
[-0, NaN, Infinity, -Infinity, 1e21, 1e-7, 123456789012345680000, 5e-324, 0.1 + 0.2, 2 ** 53, 2 ** 31, -(2 ** 31), 12.0]
1n
{ a: 1n }
[Object(1n)]
{ a: undefined, b: () => 1, c: Symbol("c"), [Symbol("d")]: 1, e: null, f: true, g: false }
[undefined, () => 1, Symbol("c"), null]
[1, , 3]
Object.assign([1, 2], { length: 5 })
Object.assign([1, 2], { more: 3 })
Object.defineProperty([1, 2], 0, { get() { return "got"; }, enumerable: true })
new (class extends Array {})(1, 2, 3)
new (class extends Array { toJSON() { return "mine"; } })(1, 2, 3)
Object.freeze([1, { a: Object.freeze({ b: 1 }) }])
{ 2: "b", 1: "a", x: 1, 0: "z", "-1": 2, "01": 3, "4294967294": 4, "4294967295": 5, "9007199254740993": 6 }
{ a: 1, "4294967294": 2, "2147483648": 3, "4294967295": 4 }
{ get a() { return this.b + 1; }, b: 1 }
Object.defineProperty({ a: 1 }, "hidden", { value: 2 })
Object.defineProperty({ a: 1, b: 2 }, "a", { enumerable: false })
(() => { const o = { a: 1, b: 2, c: 3 }; delete o.b; o.d = 4; delete o.a; o.a = 5; return [o, { a: 1, b: 2, c: 3 }]; })()
(() => { const o = {}; for (let i = 0; i < 100; i++) o["k" + i] = i; for (let i = 0; i < 90; i++) delete o["k" + i]; return o; })()
Object.create(null)
Object.assign(Object.create(null), { a: 1 })
Object.create({ inherited: 1 }, { own: { value: 2, enumerable: true } })
Object.create({ toJSON() { return 7; } })
Object.create({ get toJSON() { return () => 8; } })
Object.create(new Proxy({}, { get: (target, name) => (name === "toJSON" ? () => 9 : undefined) }))
{ toJSON(key) { return "key " + JSON.stringify(key); } }
{ a: { toJSON(key) { return { key }; } } }
{ a: { toJSON: 5 } }
[new Date(0), { d: new Date(NaN) }]
new (class { a = 1; #b = 2; c = { d: [3] } })()
new (class { a = 1; toJSON() { return this.a + 1; } })()
new (class A extends class { toJSON() { return "above"; } } {})()
[new Number(5), new String("s"), new Boolean(false), Object(Symbol("a"))]
{ a: Object.assign(new Number(1), { valueOf: () => 2 }) }
new Proxy({ a: 1, b: [2] }, {})
new Proxy([1, 2], {})
new Proxy({ a: 1 }, { get: () => "trapped" })
[new Map([[1, 2]]), new Set([1]), new WeakMap(), Promise.resolve(1), /a/g, new Error("e"), new Uint8Array([1, 2]), new ArrayBuffer(2)]
(function () { return arguments; })(1, 2)
"abc".match(/b/)
[..."abcb".matchAll(/b/g)]
JSON.rawJSON ? [JSON.rawJSON("1.50")] : 0
[globalThis.JSON, Math, Object.prototype, Array.prototype]
(() => { const a = {}; a.a = a; return a; })()
(() => { const a = []; a.push({ a }); return a; })()
(() => { const b = { x: 1 }; return [b, b, { b }]; })()
(() => { let a = 1; for (let i = 0; i < 400; i++) a = i % 2 ? [a] : { a }; return a; })()
(() => { let a = 1; for (let i = 0; i < 700; i++) a = i % 2 ? [a] : { a }; return a; })()
{ a: [], b: {}, c: [[]], d: [{}], e: "" }
Buffer.from("abc")
new URL("http://a/b")
`), "\n")
	script := `
		const tell = (f) => { try { return f(); } catch (e) { return e.name + ": " + e.message; } };
		const wrong = [];
		const check = (name, make) => {
			const ours = tell(() => JSON.stringify(make())), theirs = tell(() => JSON.stringify(make(), (key, value) => value));
			if (ours !== theirs) wrong.push(name + ": " + String(ours).slice(0, 100) + " is to be " + String(theirs).slice(0, 100));
		};
		const all = {` + "\n"
	for _, v := range values {
		script += "[" + quote(v) + "]: () => (" + v + "),\n"
	}
	script += `};
		for (const name in all) check(name, all[name]);
		for (let i = -1074; i < 1024; i++) check("2 ** " + i, () => [2 ** i, -(2 ** i), 1 / 3]);
		const plain = () => ({ a: [1, { b: "c" }], d: "e" });
		for (const proto of [Object.prototype, Array.prototype, String.prototype, Number.prototype]) {
			proto.toJSON = function (key) { return "toJSON of " + key; };
			check("toJSON of a prototype", plain);
			check("toJSON of a prototype, array", () => [1, "a", [2]]);
			delete proto.toJSON;
			Object.defineProperty(proto, "toJSON", { get: () => undefined, configurable: true });
			check("toJSON by a getter", plain);
			delete proto.toJSON;
		}
		check("afterwards", plain);
		Array.prototype[1] = "from the prototype";
		check("a hole", () => [1, , 3]);
		delete Array.prototype[1];
		return wrong;`
	if result, _, failure := do(t, script); failure != nil || result != "[]" {
		t.Errorf("%s %v", result, failure)
	}
}

func quote(text string) string {
	return "`" + strings.NewReplacer("`", "\\`", "\\", "\\\\", "$", "\\$").Replace(text) + "`"
}

// Texts are parsed, or refused with the same words, as with a reviver that
// changes nothing, which the engine does by itself.
func TestParseUnusualTexts(t *testing.T) {
	t.Parallel()
	result, _, failure := do(t, `
		const tell = (f) => { try { return JSON.stringify(f(), (key, value) => (Object.is(value, -0) ? "-0" : value)); } catch (e) { return e.name + ": " + e.message; } };
		const texts = [
			"", "{", "[1,]", "{\"a\":1,}", "[1 2]", "nul", "01", "1.", "\"\n\"", "\"\\x\"", "{\"a\":1}}", "\ufeff1", "\u00a01", "[1,\n\n  x]",
			"\"\ud800\"", "\"\\ud800\"", "\"\ude00\ud83d\"", "\"😀 € é\"", "{\"\ud800\":1}", "{\"😀\":1,\"€\":2,\"é\":3}",
			"[" .repeat(700) + "]".repeat(700), "-0", "[-0, 0.0, -0.0, 1e400, 1E-400]", "\"a" + "b".repeat(40000) + "\"",
			"{\"__proto__\":{\"a\":1},\"b\":2}", "{\"a\":1,\"b\":2,\"a\":3}", "{\"2\":1,\"1\":2,\"a\":3,\"0\":4}",
			new String("[1]"), { toString: () => "{\"a\":2}" }, { toString: () => { throw new RangeError("mine"); } }, 12, null, undefined, true, Symbol("a"), 5n, ["[1]"],
		];
		const wrong = [];
		for (const text of texts) {
			const ours = tell(() => JSON.parse(text)), theirs = tell(() => JSON.parse(text, (key, value) => value));
			if (ours !== theirs) wrong.push(String(text).slice(0, 50) + ": " + ours + " is to be " + theirs);
		}
		const again = JSON.parse("[" + '{"a":"open","b":["open","shut"]},'.repeat(1000) + "{}]");
		again[0].a += " or "; again[0].a += "shut"; again[1].b[1] += "!"; again[2][again[2].a] = 1; again[3].b[0] = undefined;
		const said = JSON.stringify(again.slice(0, 5));
		if (said !== '[{"a":"open or shut","b":["open","shut"]},{"a":"open","b":["open","shut!"]},{"a":"open","b":["open","shut"],"open":1},{"a":"open","b":[null,"shut"]},{"a":"open","b":["open","shut"]}]') wrong.push(said);
		if (tell(() => JSON.parse()) !== tell(() => JSON.parse(undefined, (key, value) => value))) wrong.push("without a text");
		return wrong;`)
	if failure != nil || result != "[]" {
		t.Errorf("%s %v", result, failure)
	}
}

// What is seen of the functions themselves, and what they take besides a value,
// is as in the language.
func TestJSONFunctions(t *testing.T) {
	t.Parallel()
	result, _, failure := do(t, `
		const told = [];
		for (const name of ["parse", "stringify"]) {
			const { value: f, ...flags } = Object.getOwnPropertyDescriptor(JSON, name);
			let made; try { new f(); } catch (e) { made = e.name; }
			told.push([f.name, f.length, flags, Object.getOwnPropertyNames(f).sort(), String(f).replace(/\s+/g, " "), made]);
		}
		const { parse, stringify } = JSON;
		told.push(parse("[1,{\"a\":2}]", (key, value) => (key === "a" ? value + 1 : value)), parse("[1]", 5), [["1"], ["2"]].map((t) => parse(t)), ["3", "4"].map(parse));
		const v = { b: [1, { c: 2 }], a: "x" };
		told.push(stringify(v, null, 2), stringify(v, undefined, "--"), stringify(v, ["a"]), stringify(v, null, ""), stringify(v, {}), stringify(v, null, 0), stringify(), [v].map(stringify));
		const parsed = parse("[{\"a\":1,\"b\":2},{\"a\":3,\"b\":4},{\"a\":5,\"b\":6}]");
		delete parsed[1].a; parsed[1].c = 7; Object.freeze(parsed[2]);
		for (const o of parsed) o.d = 8;
		told.push(parsed, parsed.map(Object.keys), parsed.concat([1]).length, structuredClone(parsed));
		return told;`)
	const want = `[["parse",2,{"writable":true,"enumerable":false,"configurable":true},["length","name"],"function parse() { [native code] }","TypeError"],` +
		`["stringify",3,{"writable":true,"enumerable":false,"configurable":true},["length","name"],"function stringify() { [native code] }","TypeError"],` +
		`[1,{"a":3}],[1],[1,2],[3,4],` +
		`"{\n  \"b\": [\n    1,\n    {\n      \"c\": 2\n    }\n  ],\n  \"a\": \"x\"\n}","{\n--\"b\": [\n----1,\n----{\n------\"c\": 2\n----}\n--],\n--\"a\": \"x\"\n}","{\"a\":\"x\"}","{\"b\":[1,{\"c\":2}],\"a\":\"x\"}","{\"b\":[1,{\"c\":2}],\"a\":\"x\"}","{\"b\":[1,{\"c\":2}],\"a\":\"x\"}",null,["{\"b\":[1,{\"c\":2}],\"a\":\"x\"}"],` +
		`[{"a":1,"b":2,"d":8},{"b":4,"c":7,"d":8},{"a":5,"b":6}],[["a","b","d"],["b","c","d"],["a","b"]],4,[{"a":1,"b":2,"d":8},{"b":4,"c":7,"d":8},{"a":5,"b":6}]]`
	if failure != nil || result != want {
		t.Errorf("%v\n%s, want\n%s", failure, result, want)
	}
}
