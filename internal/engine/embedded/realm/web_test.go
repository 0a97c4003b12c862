package realm_test

import (
	"testing"
)

// result is code and what it gives, as JSON.
type result struct{ code, want string }

// check runs each code as an expression in a realm of its own.
func check(t *testing.T, cases []result) {
	t.Helper()
	for _, c := range cases {
		got, _, failure := do(t, "return "+c.code)
		if failure != nil || got != c.want {
			t.Errorf("%s\n got %s, %v\nwant %s", c.code, got, failure, c.want)
		}
	}
}

func TestURL(t *testing.T) {
	t.Parallel()
	check(t, []result{
		{`new URL("HTTP://Ex%41mple.com:80/a/../b?x=1#y").href`, `"http://example.com/b?x=1#y"`},
		{`new URL("../c?d", "https://u:p@h:8080/a/b/").href`, `"https://u:p@h:8080/a/c?d"`},
		{`((u) => [u.protocol, u.username, u.password, u.host, u.hostname, u.port, u.pathname, u.search, u.hash, u.origin])(new URL("https://u:p@h:81/a?b#c"))`,
			`["https:","u","p","h:81","h","81","/a","?b","#c","https://h:81"]`},
		{`["http://2130706433/", "http://0x7f.1/", "http://0177.0.0.01/", "http://[::ffff:127.0.0.1]/", "http://①②⑦.0.0.1/"].map((u) => new URL(u).hostname)`,
			`["127.0.0.1","127.0.0.1","127.0.0.1","[::ffff:7f00:1]","127.0.0.1"]`},
		{`new URL("https://bücher.example/ä?ö").href`, `"https://xn--bcher-kva.example/%C3%A4?%C3%B6"`},
		{`(() => { try { new URL("x y") } catch (e) { return [e instanceof TypeError, e.message, e.code] } })()`, `[true,"Invalid URL","ERR_INVALID_URL"]`},
		{`[URL.canParse("a:b"), URL.canParse("b"), URL.canParse("b", "http://a"), URL.parse("x"), URL.parse("a:b").href]`, `[true,false,true,null,"a:b"]`},
		{`((u) => { u.pathname = "/x y"; u.search = "a=b"; u.hash = "z"; u.port = "443"; u.host = "h.example:8443"; u.protocol = "http"; return u.href })(new URL("https://a/"))`,
			`"http://h.example:8443/x%20y?a=b#z"`},
		{`((u) => { u.searchParams.append("b", "2 3"); u.searchParams.set("a", "ü"); return u.href })(new URL("https://a/?a=1"))`, `"https://a/?a=%C3%BC&b=2+3"`},
		{`((u) => { const p = u.searchParams; u.search = "?n=1"; return [p.get("n"), p.size, p === u.searchParams] })(new URL("https://a/?a=1"))`, `["1",1,true]`},
		{`JSON.stringify({u: new URL("https://a/b")})`, `"{\"u\":\"https://a/b\"}"`},
		{`new URLSearchParams("?a=1&b=%zz&a=%E2%82%AC+x&c").getAll("a")`, `["1","€ x"]`},
		{`[...new URLSearchParams("b=%zz&c=%ff")]`, `[["b","%zz"],["c","�"]]`},
		{`new URLSearchParams({a: "!'()~*-._ &=", b: 1}).toString()`, `"a=%21%27%28%29%7E*-._+%26%3D&b=1"`},
		{`((p) => { p.sort(); p.delete("a", "2"); return [p.toString(), p.has("a"), p.has("a", "2"), [...p.keys()]] })(new URLSearchParams([["b", "1"], ["a", "2"], ["a", "1"]]))`,
			`["a=1&b=1",true,false,["a","b"]]`},
		{`new URL("data:text/plain,hi").origin`, `"null"`},
	})
}

func TestTextDecoderEncodings(t *testing.T) {
	t.Parallel()
	check(t, []result{
		{`new TextDecoder("latin1").decode(new Uint8Array([0xe9, 0x80]))`, `"é€"`},
		{`new TextDecoder("utf-16le").decode(new Uint8Array([0x61, 0, 0x3d, 0xd8, 0, 0xde]))`, `"a😀"`},
		{`((d) => [0x61, 0, 0x3d, 0xd8, 0, 0xde].map((b) => d.decode(new Uint8Array([b]), {stream: true})).join("|") + d.decode())(new TextDecoder("utf-16le"))`, `"|a||||😀"`},
		{`new TextDecoder().decode(new Uint8Array([0xff, 0xff, 0xe2, 0x82, 0x61, 0xf0, 0x9f, 0x98]))`, `"���a�"`},
		{`(() => { try { new TextDecoder("utf-16", {fatal: true}).decode(new Uint8Array([0x61])) } catch (e) { return e.message } })()`, `"the bytes are not valid utf-16le"`},
	})
}

func TestEvents(t *testing.T) {
	t.Parallel()
	check(t, []result{
		{`(() => { const t = new EventTarget(), seen = []; const f = (e) => seen.push([e.type, e.target === t, e.detail]);
			t.addEventListener("x", f); t.addEventListener("x", f); t.addEventListener("x", {handleEvent: () => seen.push("o")}, {once: true});
			t.dispatchEvent(new CustomEvent("x", {detail: 1})); t.removeEventListener("x", f); t.dispatchEvent(new Event("x")); return seen })()`, `[["x",true,1],"o"]`},
		{`(() => { const t = new EventTarget(); t.addEventListener("x", (e) => e.preventDefault());
			return [t.dispatchEvent(new Event("x")), t.dispatchEvent(new Event("x", {cancelable: true}))] })()`, `[true,false]`},
		{`(() => { const c = new AbortController(); let n = 0; c.signal.onabort = () => n++; c.abort(); c.abort(); return [n, c.signal.aborted, c.signal.reason.name, c.signal.reason.code] })()`,
			`[1,true,"AbortError",20]`},
		{`(() => { const c = new AbortController(); const s = AbortSignal.any([c.signal, new AbortController().signal]); c.abort("why"); return [s.aborted, s.reason] })()`, `[true,"why"]`},
		{`await new Promise((r) => { const s = AbortSignal.timeout(1); s.addEventListener("abort", () => r([s.reason.name, s.reason instanceof DOMException, s.reason instanceof Error])) })`,
			`["TimeoutError",true,true]`},
		{`(() => { try { AbortSignal.abort().throwIfAborted() } catch (e) { return [e.name, e.message] } })()`, `["AbortError","This operation was aborted"]`},
	})
	_, _, failure := do(t, `const t = new EventTarget(); t.addEventListener("x", () => { throw new Error("in a listener") }); t.dispatchEvent(new Event("x")); await 0`)
	if failure == nil || failure.Message != "Error: in a listener" {
		t.Errorf("a listener that throws: %v", failure)
	}
}

func TestBuffer(t *testing.T) {
	t.Parallel()
	check(t, []result{
		{`Buffer.from("héllo €").toString("base64")`, `"aMOpbGxvIOKCrA=="`},
		{`Buffer.from("aMOpbGxvIOKCrA", "base64").toString()`, `"héllo €"`},
		{`Buffer.from("_-8=", "base64").toString("hex")`, `"ffef"`},
		{`Buffer.from("ffef", "hex").toString("base64url")`, `"_-8"`},
		{`Buffer.from("abxy12", "hex").length`, `1`},
		{`Buffer.from("é", "latin1").length`, `1`},
		{`Buffer.from("a€", "utf16le").toString("hex")`, `"6100ac20"`},
		{`Buffer.concat([Buffer.from("a"), new Uint8Array([98]), Buffer.alloc(1, "c")]).toString()`, `"abc"`},
		{`Buffer.byteLength("€")`, `3`},
		{`[Buffer.compare(Buffer.from("a"), Buffer.from("b")), Buffer.from("b").equals(Buffer.from("b")), Buffer.from("ab").compare(Buffer.from("a"))]`, `[-1,true,1]`},
		{`(() => { const b = Buffer.from("abcdef"); const s = b.slice(1, 3); s[0] = 90; return [b.toString(), s instanceof Buffer, Buffer.isBuffer(s), s instanceof Uint8Array] })()`, `["aZcdef",true,true,true]`},
		{`(() => { const b = Buffer.alloc(30); let n = b.writeUInt32BE(0xdeadbeef); n = b.writeInt16LE(-2, n); n = b.writeDoubleBE(1.5, n); n = b.writeBigUInt64LE(5n, n); b.writeUIntBE(0x123456, n, 3);
			return [b.readUInt32BE(0), b.readInt16LE(4), b.readDoubleBE(6), String(b.readBigUInt64LE(14)), b.readUIntBE(22, 3), b.readIntLE(4, 2)] })()`, `[3735928559,-2,1.5,"5",1193046,-2]`},
		{`(() => { try { Buffer.alloc(1).readUInt16LE(0) } catch (e) { return [e.name, e.code] } })()`, `["RangeError","ERR_OUT_OF_RANGE"]`},
		{`JSON.stringify(Buffer.from("ab"))`, `"{\"type\":\"Buffer\",\"data\":[97,98]}"`},
		{`Buffer.from(JSON.parse(JSON.stringify(Buffer.from("ab")))).toString()`, `"ab"`},
		{`[Buffer.from("hello").indexOf("l"), Buffer.from("hello").lastIndexOf("l"), Buffer.from("hello").includes("xx")]`, `[2,3,false]`},
		{`(() => { const b = Buffer.alloc(5); return [b.write("héé"), b.toString("latin1")] })()`, `[5,"hÃ©Ã©"]`},
		{`Buffer.from(new Uint8Array([1, 2, 3]).buffer, 1, 1)[0]`, `2`},
		{`Buffer.from("abcd").swap16().toString()`, `"badc"`},
		{`Buffer.alloc(5, "ab").toString()`, `"ababa"`},
		{`Buffer.from([1, 2, 300]).toString("hex")`, `"01022c"`},
		{`(() => { try { Buffer.from(5) } catch (e) { return e.code } })()`, `"ERR_INVALID_ARG_TYPE"`},
		{`Buffer.from("a").map((x) => x + 1).toString()`, `"b"`},
		{`Buffer.isBuffer(new Uint8Array(1))`, `false`},
	})
}

func TestCrypto(t *testing.T) {
	t.Parallel()
	const hex = `const hex = (b) => Buffer.from(b).toString("hex"), bytes = (s) => new TextEncoder().encode(s);`
	check(t, []result{
		{`/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(crypto.randomUUID()) && crypto.randomUUID() !== crypto.randomUUID()`, `true`},
		{`crypto.getRandomValues(new Uint32Array(100)).some((x) => x > 0)`, `true`},
		{`(() => { try { crypto.getRandomValues(new Uint8Array(70000)) } catch (e) { return e.name } })()`, `"QuotaExceededError"`},
		{`(() => { try { crypto.getRandomValues(new Float32Array(1)) } catch (e) { return e.name } })()`, `"TypeError"`},
		{`await (async () => { ` + hex + ` return hex(await crypto.subtle.digest("sha-256", bytes("abc"))) })()`, `"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"`},
		{`await (async () => { ` + hex + ` return hex(await crypto.subtle.digest({name: "SHA-1"}, bytes("abc"))) })()`, `"a9993e364706816aba3e25717850c26c9cd0d89d"`},
		{`await (async () => { ` + hex + ` const k = await crypto.subtle.importKey("raw", bytes("key"), {name: "HMAC", hash: "SHA-256"}, false, ["sign", "verify"]);
			const s = await crypto.subtle.sign("HMAC", k, bytes("The quick brown fox jumps over the lazy dog"));
			return [hex(s), await crypto.subtle.verify("HMAC", k, s, bytes("x")), await crypto.subtle.verify("HMAC", k, s, bytes("The quick brown fox jumps over the lazy dog"))] })()`,
			`["f7bc83f430538424b13298e6aa6fb143ef4d59a14946175997479dbc2d1a3cd8",false,true]`},
		{`await (async () => { ` + hex + ` for (const name of ["AES-GCM", "AES-CBC"]) { const k = await crypto.subtle.generateKey({name, length: 256}, true, ["encrypt", "decrypt"]);
			const a = {name, iv: crypto.getRandomValues(new Uint8Array(name === "AES-GCM" ? 12 : 16))}; const c = await crypto.subtle.encrypt(a, k, bytes("secret"));
			if (Buffer.from(await crypto.subtle.decrypt(a, k, c)).toString() !== "secret") return name;
			const jwk = await crypto.subtle.exportKey("jwk", k); const again = await crypto.subtle.importKey("jwk", jwk, name, true, ["decrypt"]);
			if (Buffer.from(await crypto.subtle.decrypt(a, again, c)).toString() !== "secret") return "jwk";
			new Uint8Array(c)[0] ^= 1; try { const p = await crypto.subtle.decrypt(a, k, c); if (name === "AES-GCM") return "forged" } catch (e) { if (e.name !== "OperationError") return e.name } } return "ok" })()`, `"ok"`},
		{`await (async () => { ` + hex + ` const k = await crypto.subtle.importKey("raw", bytes("password"), "PBKDF2", false, ["deriveBits", "deriveKey"]);
			return hex(await crypto.subtle.deriveBits({name: "PBKDF2", hash: "SHA-1", salt: bytes("salt"), iterations: 2}, k, 160)) })()`, `"ea6c014dc72d6f8ccd1ed92ace1d41f0d8de8957"`},
		{`await (async () => { ` + hex + ` const k = await crypto.subtle.importKey("raw", Buffer.alloc(22, 11), "HKDF", false, ["deriveBits"]);
			return hex(await crypto.subtle.deriveBits({name: "HKDF", hash: "SHA-256", salt: Buffer.from("000102030405060708090a0b0c", "hex"), info: Buffer.from("f0f1f2f3f4f5f6f7f8f9", "hex")}, k, 336)) })()`,
			`"3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"`},
		{`await crypto.subtle.importKey("raw", new Uint8Array(5), "AES-GCM", false, ["encrypt"]).catch((e) => e.name)`, `"DataError"`},
		{`await crypto.subtle.digest("MD5", new Uint8Array(5)).catch((e) => e.name)`, `"NotSupportedError"`},
		{`await crypto.subtle.importKey("raw", new Uint8Array(16), "AES-GCM", false, ["encrypt"]).then((k) => crypto.subtle.exportKey("raw", k)).catch((e) => e.name)`, `"InvalidAccessError"`},
	})
}

func TestStreams(t *testing.T) {
	t.Parallel()
	check(t, []result{
		{`await (async () => { const out = []; for await (const x of ReadableStream.from([1, 2, 3]).pipeThrough(new TransformStream({transform(x, c) { c.enqueue(x * 2) }}))) out.push(x); return out })()`, `[2,4,6]`},
		{`await (async () => { const [a, b] = ReadableStream.from(["x", "y"]).tee(); const all = async (s) => { let t = ""; for await (const x of s) t += x; return t };
			return [await all(a), await all(b)] })()`, `["xy","xy"]`},
		{`await (async () => { let n = 0; await ReadableStream.from([1, 2]).pipeTo(new WritableStream({write(x) { n += x }})); return n })()`, `3`},
		{`await new Response(ReadableStream.from(["a€", "b"]).pipeThrough(new TextEncoderStream())).text()`, `"a€b"`},
		{`await (async () => { let s = ""; for await (const x of ReadableStream.from([[0xe2, 0x82], [0xac]].map((x) => new Uint8Array(x))).pipeThrough(new TextDecoderStream())) s += x; return s })()`, `"€"`},
		{`await (async () => { let pulls = 0; const s = new ReadableStream({pull(c) { pulls++; c.enqueue(pulls) }}, {highWaterMark: 0}); const r = s.getReader(); await r.read(); await 0; return pulls })()`, `1`},
	})
}

func TestBodies(t *testing.T) {
	t.Parallel()
	check(t, []result{
		{`await (async () => { const r = new Response("a€"); return [await r.text(), r.bodyUsed, r.headers.get("content-type"), r.ok, await r.text().catch((e) => e.message)] })()`,
			`["a€",true,"text/plain;charset=UTF-8",true,"the body was read already"]`},
		{`await Response.json({a: 1}, {status: 201}).json()`, `{"a":1}`},
		{`Array.from(await new Response(new Uint8Array([1, 2])).bytes())`, `[1,2]`},
		{`(await new Response(new Blob(["ab", new Uint8Array([99])], {type: "text/x"})).blob()).type`, `"text/x"`},
		{`await (async () => { const r = new Response("abc"); const c = r.clone(); return [await r.text(), await c.text()] })()`, `["abc","abc"]`},
		{`await (async () => { const r = new Response(ReadableStream.from([new Uint8Array([97])])); const c = r.clone(); return [await r.text(), await c.text()] })()`, `["a","a"]`},
		{`await (async () => { let s = ""; for await (const x of new Response("abc").body) s += Buffer.from(x).toString(); return s })()`, `"abc"`},
		{`await (async () => { const f = new FormData(); f.append("a", "1\n2"); f.append("f", new File(["x\r\n--y"], "n\"ä.txt", {type: "text/plain"})); f.append("a", "é");
			const r = new Response(f); const g = await r.formData(); const file = g.get("f"); return [g.getAll("a"), file.name, file.type, await file.text()] })()`,
			`[["1\r\n2","é"],"n\"ä.txt","text/plain","x\r\n--y"]`},
		{`await (async () => Object.fromEntries(await new Response(new URLSearchParams("a=1&b=%C3%A9")).formData()))()`, `{"a":"1","b":"é"}`},
		{`((h) => [h.get("A"), h.getSetCookie(), [...h], h.has("nope")])(new Headers([["a", "1"], ["Set-Cookie", "x"], ["A", " 2 "], ["set-cookie", "y"]]))`,
			`["1, 2",["x","y"],[["a","1, 2"],["set-cookie","x"],["set-cookie","y"]],false]`},
		{`(() => { try { new Headers({"a b": "1"}) } catch (e) { return e.name } })()`, `"TypeError"`},
		{`(() => { try { new Headers({a: "1\n2"}) } catch (e) { return e.name } })()`, `"TypeError"`},
		{`((r) => [r.url, r.method, r.headers.get("content-type"), r.redirect])(new Request("http://a/b?c", {method: "post", body: new URLSearchParams("x=1")}))`,
			`["http://a/b?c","POST","application/x-www-form-urlencoded;charset=UTF-8","follow"]`},
		{`await (async () => { const r = new Request(new Request("http://a/", {method: "PUT", body: "x"}), {headers: {y: "z"}}); return [r.method, r.headers.get("y"), await r.text()] })()`, `["PUT","z","x"]`},
		{`(() => { try { new Request("http://a", {body: "x"}) } catch (e) { return e.message } })()`, `"a request with the method GET has no body"`},
		{`(() => { try { new Request("/relative") } catch (e) { return e.message } })()`, `"Invalid URL"`},
		{`await new Blob(["abc"]).slice(1, 2).text()`, `"b"`},
		{`await (await fetch("data:text/plain;base64,aGk=")).text()`, `"hi"`},
		{`await fetch("ftp://a/").catch((e) => e.message)`, `"fetch: ftp: is not available; only http: and https: are"`},
	})
}

// node is the body of a handler with one of Node's modules in m.
func node(name, code string) string {
	return `((m) => ` + code + `)(__floww.module("node:` + name + `"))`
}

func TestNodeModules(t *testing.T) {
	t.Parallel()
	check(t, []result{
		{node("crypto", `[m.createHash("md5").update("a").update(Buffer.from("b")).digest("hex"), m.createHash("sha256").update("abc").digest("base64")]`),
			`["187ef4436122d1cc2f40dc2b92f0eba0","ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0="]`},
		{node("crypto", `m.createHmac("sha1", "key").update("x").digest("hex")`), `"2a00e8e8343df86c4c188b263eeca331afa31548"`},
		{node("crypto", `[m.randomBytes(8).length, Buffer.isBuffer(m.randomBytes(1)), m.randomInt(5) < 5, m.randomUUID().length]`), `[8,true,true,36]`},
		{node("crypto", `[m.timingSafeEqual(Buffer.from("a"), Buffer.from("a")), m.timingSafeEqual(Buffer.from("a"), Buffer.from("b"))]`), `[true,false]`},
		{node("crypto", `(() => { try { m.timingSafeEqual(Buffer.from("a"), Buffer.from("ab")) } catch (e) { return e.code } })()`), `"ERR_CRYPTO_TIMING_SAFE_EQUAL_LENGTH"`},
		{node("crypto", `(() => { try { m.createHash("whirlpool") } catch (e) { return e.message } })()`), `"Digest method not supported: whirlpool"`},
		{node("crypto", `(() => { const k = m.randomBytes(32), v = m.randomBytes(12), c = m.createCipheriv("aes-256-gcm", k, v); let x = c.update("secret", "utf8", "hex"); x += c.final("hex");
			const d = m.createDecipheriv("aes-256-gcm", k, v); d.setAuthTag(c.getAuthTag()); return d.update(x, "hex", "utf8") + d.final("utf8") })()`), `"secret"`},
		{node("util", `[m.format("%s %d %j %%", "a", 1, {b: 2}, "c"), m.inspect({a: [1]}), m.types.isDate(new Date()), m.isDeepStrictEqual({a: [1]}, {a: [1]})]`), `["a 1 {\"b\":2} % c","{\"a\":[1]}",true,true]`},
		{`await ` + node("util", `m.promisify((a, f) => f(null, a + 1))(1)`), `2`},
		{node("events", `(() => { const e = new m(), seen = []; e.once("a", (x) => seen.push(x)); e.on("a", function (x) { seen.push(this === e) }); e.emit("a", 1); e.emit("a", 2);
			return [seen, e.listenerCount("a"), m.EventEmitter === m] })()`), `[[1,true,true],1,true]`},
		{node("events", `(() => { class X extends m {} try { new X().emit("error", new Error("boom")) } catch (e) { return e.message } })()`), `"boom"`},
		{node("path", `[m.join("a", "..", "b", "/c/"), m.resolve("/a", "../b"), m.relative("/a/b", "/a/c/d"), m.dirname("/a/b.c"), m.basename("/a/b.c", ".c"), m.extname(".x.y"), m.normalize("./a//b/../c")]`),
			`["b/c/","/b","../c/d","/a","b",".y","a/c"]`},
		{node("querystring", `[m.stringify({a: [1, 2], b: "x y"}), m.parse("a=1&a=2&b=x+y%20z")]`), `["a=1&a=2&b=x%20y",{"a":["1","2"],"b":"x y z"}]`},
		{node("url", `[m.parse("http://u:p@H.com:8/a?b=1#c", true).query.b, m.parse("http://h.com/a?b").path, m.format({protocol: "http", host: "a", pathname: "b", query: {c: 1}}), m.resolve("/one/two", "three")]`),
			`["1","/a?b","http://a/b?c=1","/one/three"]`},
		{node("string_decoder", `((d) => d.write(Buffer.from([0xe2, 0x82])) + d.write(Buffer.from([0xac])) + d.end())(new m.StringDecoder("utf8"))`), `"€"`},
		{node("assert", `(() => { m(true); m.deepStrictEqual({a: 1}, {a: 1}); m.throws(() => { throw new TypeError("x") }, TypeError); try { m.strictEqual(1, 2) } catch (e) { return [e.name, e.code, e.message] } })()`),
			`["AssertionError","ERR_ASSERTION","1 strictEqual 2"]`},
		{node("buffer", `m.Buffer === Buffer`), `true`},
		{`(() => { try { __floww.module("node:fs") } catch (e) { return e.message } })()`, `"node:fs is not available"`},
		{`await new Promise((r) => process.nextTick(r, Object.keys(process.env).length))`, `0`},
		{`global === globalThis && self === globalThis`, `true`},
	})
}

// TestUnitsAreLazy has globals that stay the user's own when they are set.
func TestUnitsAreLazy(t *testing.T) {
	t.Parallel()
	check(t, []result{
		{`(() => { globalThis.fetch = () => 1; return fetch() })()`, `1`},
		{`(() => { Array.prototype.map = null; Map.prototype.get = null; return new globalThis["U" + "RL"]("http://a/?b=1").searchParams.get("b") })()`, `"1"`},
		{`Object.keys(globalThis)`, `[]`},
		{`await fetch("http://a/").catch((e) => e.message)`, `"fetch is not available while the code is loaded; call it in the handler"`},
	})
}
