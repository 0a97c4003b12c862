package embedded_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/usefloww/flowwd/internal/engine"
	"github.com/usefloww/flowwd/internal/engine/embedded"
	"github.com/usefloww/flowwd/internal/engine/embedded/fetch"
)

// site is what code under test fetches from.
type site struct {
	*httptest.Server
	// waiting counts requests to /slow that are not over.
	waiting atomic.Int32
	most    atomic.Int32
	// sent counts the bytes that /endless got rid of.
	sent atomic.Int64
}

func newSite(t *testing.T) *site {
	t.Helper()
	s := &site{}
	mux := http.NewServeMux()
	mux.HandleFunc("/echo", func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("X-Method", r.Method)
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.Header().Add("Set-Cookie", "a=1")
		w.Header().Add("Set-Cookie", "b=2")
		w.WriteHeader(http.StatusTeapot)
		fmt.Fprintf(w, "%s|%s|%s", r.URL.RawQuery, r.Header.Get("Content-Type"), body)
	})
	mux.HandleFunc("/json", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"ok":true}`) })
	mux.HandleFunc("/hop", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/json", http.StatusFound) })
	mux.HandleFunc("/big", func(w http.ResponseWriter, _ *http.Request) { w.Write(bytes.Repeat([]byte("x"), 3<<20)) })
	mux.HandleFunc("/slow", func(_ http.ResponseWriter, r *http.Request) {
		s.waiting.Add(1)
		defer s.waiting.Add(-1)
		<-r.Context().Done()
	})
	mux.HandleFunc("/count", func(w http.ResponseWriter, _ *http.Request) {
		n := s.waiting.Add(1)
		defer s.waiting.Add(-1)
		for most := s.most.Load(); n > most && !s.most.CompareAndSwap(most, n); most = s.most.Load() {
		}
		fmt.Fprint(w, "1")
	})
	mux.HandleFunc("/parts", func(w http.ResponseWriter, _ *http.Request) {
		for i := range 3 {
			fmt.Fprintf(w, "part %d\n", i)
			w.(http.Flusher).Flush()
		}
	})
	mux.HandleFunc("/endless", func(w http.ResponseWriter, _ *http.Request) {
		part := make([]byte, 64<<10)
		for {
			n, err := w.Write(part)
			if err != nil {
				return
			}
			s.sent.Add(int64(n))
		}
	})
	s.Server = httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s
}

// browse runs the body of a handler that has the site's address in u.
func browse(t *testing.T, e *embedded.Engine, s *site, body string) (string, error) {
	t.Helper()
	source := strings.Replace(hello, "async (ctx, event) => {", "async (ctx, event) => { const u = "+fmt.Sprintf("%q", s.URL)+"; "+body+"}, x: async () => {", 1)
	result, err := e.Invoke(t.Context(), invocation(t, e, source), func([]engine.LogLine) {})
	return string(result.Value), err
}

func allowing(t *testing.T, s *site) func(*embedded.Config) {
	t.Helper()
	policy, err := fetch.ParsePolicy(s.Listener.Addr().String(), "")
	if err != nil {
		t.Fatal(err)
	}
	return func(c *embedded.Config) { c.Fetch = fetch.Config{Policy: policy} }
}

func TestFetch(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	e := start(t, allowing(t, s))
	for _, c := range []struct{ name, code, want string }{
		{"json", `const r = await fetch(u + "/json"); return [r.status, r.ok, r.statusText, r.type, r.redirected, await r.json()]`, `[200,true,"OK","basic",false,{"ok":true}]`},
		{"post", `const r = await fetch(u + "/echo?q=1#frag", {method: "post", body: JSON.stringify({a: "é"}), headers: {"content-type": "application/json"}});
			return [r.status, r.headers.get("x-method"), r.headers.getSetCookie(), await r.text()]`, `[418,"POST",["a=1","b=2"],"q=1|application/json|{\"a\":\"é\"}"]`},
		{"form", `return (await (await fetch(u + "/echo", {method: "POST", body: new URLSearchParams({a: "1 2"})})).text())`, `"|application/x-www-form-urlencoded;charset=UTF-8|a=1+2"`},
		{"request", `return (await (await fetch(new Request(u + "/echo", {method: "PUT", body: new Uint8Array([104, 105])}))).text())`, `"||hi"`},
		{"stream as a body", `return (await (await fetch(u + "/echo", {method: "POST", duplex: "half", body: ReadableStream.from(["a", "b"]).pipeThrough(new TextEncoderStream())})).text())`, `"||ab"`},
		{"redirect", `const r = await fetch(u + "/hop"); return [r.redirected, r.url === u + "/json", await r.text()]`, `[true,true,"{\"ok\":true}"]`},
		{"redirect by hand", `const r = await fetch(u + "/hop", {redirect: "manual"}); return [r.status, r.headers.get("location")]`, `[302,"/json"]`},
		{"no redirect", `return await fetch(u + "/hop", {redirect: "error"}).catch((e) => [e.name, e.message])`, `["TypeError","fetch failed: the answer is a redirect, which the request does not allow"]`},
		{"head", `const r = await fetch(u + "/json", {method: "HEAD"}); return [r.status, await r.text(), r.body]`, `[200,"",null]`},
		{"large", `return (await (await fetch(u + "/big")).arrayBuffer()).byteLength`, `3145728`},
		{"large as a stream", `let n = 0; for await (const part of (await fetch(u + "/big")).body) n += part.length; return n`, `3145728`},
		{"parts", `let text = ""; for await (const part of (await fetch(u + "/parts")).body.pipeThrough(new TextDecoderStream())) text += part; return text`, `"part 0\npart 1\npart 2\n"`},
		{"clone", `const r = await fetch(u + "/parts"); const c = r.clone(); return [await r.text() === await c.text()]`, `[true]`},
		{"many", `return (await Promise.all(Array.from({length: 300}, () => fetch(u + "/count").then((r) => r.json())))).reduce((a, b) => a + b)`, `300`},
		{"aborted", `const c = new AbortController(); setTimeout(() => c.abort(), 20); return await fetch(u + "/slow", {signal: c.signal}).catch((e) => [e.name, e instanceof DOMException])`, `["AbortError",true]`},
		{"timeout", `return await fetch(u + "/slow", {signal: AbortSignal.timeout(20)}).catch((e) => e.name)`, `"TimeoutError"`},
		{"aborted before", `return await fetch(u + "/slow", {signal: AbortSignal.abort("why")}).catch((e) => e)`, `"why"`},
		{"aborted within the body", `const c = new AbortController(); const r = await fetch(u + "/endless", {signal: c.signal}); const reader = r.body.getReader(); await reader.read(); c.abort();
			return await (async () => { for (;;) await reader.read() })().catch((e) => e.name)`, `"AbortError"`},
		{"cancelled body", `const r = await fetch(u + "/endless"); await r.body.cancel(); return (await (await fetch(u + "/json")).json()).ok`, `true`},
		{"too large", `return await fetch(u + "/endless").then((r) => r.body.pipeTo(new WritableStream())).catch((e) => e.message)`, `"fetch failed: the body of the answer has more than 52428800 bytes"`},
		{"timers go on", `let n = 0; const i = setInterval(() => n++, 1); await fetch(u + "/slow", {signal: AbortSignal.timeout(100)}).catch(() => {}); clearInterval(i); return n > 3`, `true`},
		{"body is not spoilt by replies", `await (await fetch(u + "/big")).text(); return [event.body.name, Buffer.from(event.rawBody).toString()]`, `["world","{\"name\":\"world\"}"]`},
		{"left alone", `fetch(u + "/slow").catch(() => {}); await fetch(u + "/endless"); return 1`, `1`},
		{"after what was left alone", `return (await (await fetch(u + "/json")).json()).ok`, `true`},
		{"refused", `return await fetch("http://127.0.0.1:1/").catch((e) => e.message)`,
			`"fetch failed: 127.0.0.1:1 must not be reached by workflows (loopback); whoever runs the server can allow it with FLOWW_FETCH_ALLOW=127.0.0.1:1"`},
		{"refused in other forms", `return await Promise.all(["http://2130706433:1/", "http://0x7f.1:1/", "http://017700000001:1", "http://[::ffff:7f00:1]:1", "http://127.1:1", "http://①27.0.0.1:1"].map((a) => fetch(a).then(() => "reached", (e) => e.message.includes("(loopback)"))))`,
			`[true,true,true,true,true,true]`},
		{"too many bytes to send", `return await fetch(u + "/echo", {method: "POST", body: new Uint8Array(12 << 20)}).catch((e) => e.message)`, `"fetch: the request has 12583037 bytes; at most 11534336 are allowed"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := browse(t, e, s, c.code)
			if c.name == "too many bytes to send" && err == nil && strings.Contains(got, "at most 11534336 are allowed") {
				return
			}
			if err != nil || got != c.want {
				t.Errorf("got %s, %v\nwant %s", got, err, c.want)
			}
		})
	}
	if s.most.Load() > 100 {
		t.Errorf("%d requests were under way at once", s.most.Load())
	}
}

// TestUnreadBodiesHoldTheSenderBack reads one part of an answer that does not
// end.
func TestUnreadBodiesHoldTheSenderBack(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	e := start(t, allowing(t, s))
	got, err := browse(t, e, s, `const r = (await fetch(u + "/endless")).body.getReader(); await r.read(); await new Promise((f) => setTimeout(f, 300)); return 1`)
	if err != nil || got != "1" {
		t.Fatalf("got %s, %v", got, err)
	}
	const buffers = 16 << 20 // of the kernel, on both ends
	if sent := s.sent.Load(); sent > buffers {
		t.Errorf("%d bytes were sent to code that read one part", sent)
	}
}

func TestEndOfARunEndsItsFetches(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	e := start(t, allowing(t, s))
	if _, err := browse(t, e, s, `for (let i = 0; i < 5; i++) fetch(u + "/slow").catch(() => {}); await fetch(u + "/json")`); err != nil {
		t.Fatal(err)
	}
	until(t, "the requests that a run left are over", func() bool { return s.waiting.Load() == 0 })

	source := strings.Replace(hello, `console.log("one");`, fmt.Sprintf("await fetch(%q);", s.URL+"/slow"), 1)
	call := invocation(t, e, source)
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		for s.waiting.Load() == 0 && ctx.Err() == nil {
			time.Sleep(time.Millisecond)
		}
		cancel()
	}()
	_, err := e.Invoke(ctx, call, func([]engine.LogLine) {})
	if failure, ok := errors.AsType[*engine.Failure](err); !ok || failure.Reason != engine.Cancelled {
		t.Errorf("a cancelled run: %v", err)
	}
	until(t, "the request of a cancelled run is over", func() bool { return s.waiting.Load() == 0 })
}

func TestFetchIsOfRuns(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	e := start(t, allowing(t, s))
	_, err := browse(t, e, s, `const r = await fetch(u + "/endless"); await r.body.getReader(); await new Promise(() => {})`)
	if failure, ok := errors.AsType[*engine.Failure](err); !ok || failure.Reason != engine.NeverEnds {
		t.Errorf("an unread body and nothing else: %v", err)
	}
	call := invocation(t, e, hello+"\nfetch('"+s.URL+"/json');")
	if _, err := e.Define(t.Context(), call.OrganizationID, call.Program); err == nil || !strings.Contains(err.Error(), "fetch is not available while the code is loaded") {
		t.Errorf("fetch at the top level: %v", err)
	}
}

func until(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !holds(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not in time: %s", what)
		}
	}
}
