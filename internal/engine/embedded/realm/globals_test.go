package realm_test

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/usefloww/flowwd/internal/engine"
)

func itoa(n int) string { return strconv.Itoa(n) }

// language are the globals of ES2023, and those that the engine has early.
var language = strings.Fields(`Object Function Error EvalError RangeError ReferenceError SyntaxError TypeError URIError
	InternalError AggregateError SuppressedError Iterator Array parseInt parseFloat isNaN isFinite decodeURI decodeURIComponent
	encodeURI encodeURIComponent escape unescape Infinity NaN undefined Number Boolean String Math Reflect Symbol eval
	globalThis Date RegExp JSON Proxy Map Set WeakMap WeakSet ArrayBuffer SharedArrayBuffer Uint8ClampedArray Int8Array
	Uint8Array Int16Array Uint16Array Int32Array Uint32Array BigInt64Array BigUint64Array Float16Array Float32Array
	Float64Array DataView Atomics Promise BigInt WeakRef FinalizationRegistry`)

// added are those that the prelude adds.
var added = strings.Fields(`__floww TextDecoder TextEncoder atob btoa clearInterval clearTimeout console performance
	queueMicrotask setInterval setTimeout structuredClone DOMException Event CustomEvent EventTarget AbortController AbortSignal
	URL URLSearchParams Buffer crypto Crypto CryptoKey SubtleCrypto Blob File FormData Headers Request Response fetch
	process global self navigator setImmediate clearImmediate ReadableStream ReadableStreamDefaultReader ReadableStreamBYOBReader
	ReadableStreamBYOBRequest ReadableStreamDefaultController ReadableByteStreamController WritableStream
	WritableStreamDefaultWriter WritableStreamDefaultController TransformStream TransformStreamDefaultController
	ByteLengthQueuingStrategy CountQueuingStrategy TextEncoderStream TextDecoderStream`)

// TestGlobals lists all that user code can reach by name.
func TestGlobals(t *testing.T) {
	t.Parallel()
	result, _, failure := do(t, `return Object.getOwnPropertyNames(globalThis).join(" ")`)
	if failure != nil {
		t.Fatal(failure)
	}
	got := strings.Fields(strings.Trim(result, `"`))
	for _, name := range got {
		if !slices.Contains(language, name) && !slices.Contains(added, name) {
			t.Errorf("the global %s is not known", name)
		}
	}
	for _, name := range added {
		if !slices.Contains(got, name) {
			t.Errorf("the global %s is missing", name)
		}
	}
}

// TestConstructorEscapes makes functions in every way there is; none of them
// reaches more than the realm.
func TestConstructorEscapes(t *testing.T) {
	t.Parallel()
	for _, code := range []string{
		`Function("return typeof module + typeof require + typeof std + typeof os + typeof bjson + typeof scriptArgs + typeof print")()`,
		`(0, eval)("typeof module + typeof require + typeof std + typeof os + typeof bjson + typeof scriptArgs + typeof print")`,
		`ctx.constructor.constructor("return typeof module + typeof require + typeof std + typeof os + typeof bjson + typeof scriptArgs + typeof print")()`,
		`console.log.constructor("return typeof module + typeof require + typeof std + typeof os + typeof bjson + typeof scriptArgs + typeof print")()`,
		`setTimeout.constructor("return typeof module + typeof require + typeof std + typeof os + typeof bjson + typeof scriptArgs + typeof print")()`,
		`__floww.trigger.constructor("return typeof module + typeof require + typeof std + typeof os + typeof bjson + typeof scriptArgs + typeof print")()`,
	} {
		result, _, failure := do(t, `return `+code)
		if want := `"` + strings.Repeat("undefined", 7) + `"`; failure != nil || result != want {
			t.Errorf("%s: got %s, %v; want %s", code, result, failure, want)
		}
	}
	for _, code := range []string{
		`Function("return this")() === globalThis`,
		`(async () => {}).constructor("return this")() instanceof Promise`,
		`Object.isFrozen(__floww) && !Object.keys(globalThis).includes("__floww")`,
		`(() => { "use strict"; try { __floww = 1; return false } catch { return true } })()`,
		`(() => { "use strict"; try { __floww.trigger.x = 1; return false } catch { return true } })()`,
		`Reflect.ownKeys(__floww).join() === "bridge,secret,ask,module,trigger,provider" && __floww.bridge === 3`,
		`(() => { const s = new Error().stack; return typeof s === "string" && !s.includes("/") })()`,
		`(() => { function f() { return f.caller } try { return f() === undefined || f() === null } catch { return true } })()`,
		`(() => { let seen; Error.prepareStackTrace = (e, frames) => { seen = frames; return "" };
			try { console.log(new Proxy({}, {ownKeys() { throw new Error().stack }})) } catch {}
			return !seen || seen.every((f) => typeof f.getThis !== "function" && typeof f.getFunction !== "function"
				|| (f.getThis?.() === undefined && f.getFunction?.() === undefined)) })()`,
	} {
		if result, _, failure := do(t, `return `+code); failure != nil || result != "true" {
			t.Errorf("%s: got %s, %v", code, result, failure)
		}
	}
}

func TestImportIsRefused(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"node:fs", "std", "os", "./x.js", "https://example.com/x.js"} {
		_, _, failure := do(t, `await import("`+name+`")`)
		if failure == nil || failure.Reason != engine.Threw || !strings.Contains(failure.Message, "import() is not available") {
			t.Errorf("import of %s: %+v", name, failure)
		}
	}
}

func TestGlobalsWork(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ code, want string }{
		{`btoa("héllo\u0000ÿ")`, `"aOlsbG8A/w=="`},
		{`atob("aOlsbG8A/w==")`, `"héllo\u0000ÿ"`},
		{`atob(btoa("x".repeat(10000))).length`, `10000`},
		{`(() => { try { btoa("€") } catch (e) { return e.message } })()`, `"btoa needs characters up to U+00FF; character 0 is above"`},
		{`(() => { try { atob("%") } catch (e) { return e.message } })()`, `"the input of atob is not valid base64"`},
		{`Array.from(new TextEncoder().encode("aé€😀"))`, `[97,195,169,226,130,172,240,159,152,128]`},
		{`new TextDecoder().decode(new Uint8Array([0xef, 0xbb, 0xbf, 97, 0xff, 98]))`, `"a�b"`},
		{`new TextDecoder("utf-8", {ignoreBOM: true}).decode(new Uint8Array([0xef, 0xbb, 0xbf, 97])).length`, `2`},
		{`(() => { try { new TextDecoder("utf8", {fatal: true}).decode(new Uint8Array([0xff])) } catch (e) { return e instanceof TypeError } })()`, `true`},
		{`(() => { try { new TextDecoder("koi8-r") } catch (e) { return e instanceof RangeError } })()`, `true`},
		{`(() => { const d = new TextDecoder(); let s = ""; for (const b of new TextEncoder().encode("a€😀")) s += d.decode(new Uint8Array([b]), {stream: true}); return s + d.decode() })()`, `"a€😀"`},
		{`new TextDecoder().decode(new Uint8Array([97, 98, 99, 100]).subarray(1, 3))`, `"bc"`},
		{`new TextDecoder().decode(new DataView(new Uint8Array([97, 98, 99]).buffer, 1))`, `"bc"`},
		{`JSON.stringify(new TextEncoder().encodeInto("a€", new Uint8Array(3)))`, `"{\"read\":1,\"written\":1}"`},
		{`(() => { const a = {d: new Date(5), m: new Map([[1, {x: 1}]]), s: new Set([1]), b: new Uint8Array([1, 2]), r: /x/g, e: new RangeError("m"), n: null}; a.self = a;
			const c = structuredClone(a);
			return c !== a && c.self === c && c.d.getTime() === 5 && c.d !== a.d && c.m.get(1).x === 1 && c.m.get(1) !== a.m.get(1) && c.s.has(1)
				&& c.b[1] === 2 && c.b.buffer !== a.b.buffer && c.r.flags === "g" && c.e instanceof RangeError && c.e.message === "m" && c.n === null })()`, `true`},
		{`(() => { try { structuredClone({f() {}}) } catch (e) { return e.message } })()`, `"structuredClone cannot copy [Function f]"`},
		{`structuredClone([1, , 3]).length`, `3`},
		{`typeof performance.now() === "number" && performance.now() >= 0`, `true`},
	} {
		result, _, failure := do(t, `return `+c.code)
		if failure != nil || result != c.want {
			t.Errorf("%s: got %s, %v; want %s", c.code, result, failure, c.want)
		}
	}
}
