package apptest_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/usefloww/flowwd/internal/apptest"
	"github.com/usefloww/flowwd/internal/config"
)

// responder is a workflow whose sender is answered by the handler.
func responder(body, options string) string {
	return `import { Builtin } from "floww";
new Builtin().triggers.onWebhook({ path: "in", respond: "handler", ` + options + ` handler: async (ctx: any, event: any) => {
` + body + `
}});
`
}

func TestHandlerResponds(t *testing.T) {
	t.Parallel()
	s := apptest.Start(t, apptest.Options{})
	for name, tc := range map[string]struct {
		body   string
		status int
		answer string
		header map[string]string
	}{
		"a value":         {`return { a: [1, null] };`, 200, `{"a":[1,null]}`, map[string]string{"Content-Type": "application/json"}},
		"a text":          {`return "hi";`, 200, "hi", map[string]string{"Content-Type": "text/plain; charset=utf-8"}},
		"null":            {`return null;`, 200, "null", nil},
		"nothing":         {``, 204, "", nil},
		"a response":      {`return new Response("<b>ü</b>", { status: 418, headers: { "content-type": "text/html", "x-a": "1", "cache-control": "max-age=5" } });`, 418, "<b>ü</b>", map[string]string{"Content-Type": "text/html", "X-A": "1", "Cache-Control": "max-age=5", "Content-Security-Policy": "sandbox allow-downloads allow-forms allow-modals allow-popups allow-scripts"}},
		"bytes":           {`return new Response(new Uint8Array([0, 255, 128]));`, 200, "\x00\xff\x80", map[string]string{"Content-Type": "application/octet-stream", "X-Content-Type-Options": "nosniff"}},
		"a stream":        {`return new Response(new ReadableStream({ async pull(c) { await 0; c.enqueue(new TextEncoder().encode("part")); c.close(); } }));`, 200, "part", nil},
		"JSON":            {`return Response.json({ ok: true }, { status: 201 });`, 201, `{"ok":true}`, map[string]string{"Content-Type": "application/json"}},
		"a redirect":      {`return Response.redirect("https://example.com/x", 303);`, 303, "", map[string]string{"Location": "https://example.com/x"}},
		"no content":      {`return new Response(null, { status: 204 });`, 204, "", nil},
		"not modified":    {`return new Response(null, { status: 304, headers: { etag: '"x"' } });`, 304, "", map[string]string{"Etag": `"x"`}},
		"the connection":  {`return new Response("x", { headers: { connection: "close", "transfer-encoding": "chunked", "content-length": "99", upgrade: "x", "proxy-authenticate": "x", te: "x" } });`, 200, "x", map[string]string{"Connection": "", "Transfer-Encoding": "", "Content-Length": "1", "Upgrade": "", "Proxy-Authenticate": ""}},
		"other's cookies": {`return new Response("x", { headers: { "set-cookie": "flowwd_session=stolen", "clear-site-data": "*", "strict-transport-security": "max-age=0", "x-frame-options": "ALLOWALL", "service-worker-allowed": "/", "x-floww-execution-id": "1" } });`, 200, "x", map[string]string{"Set-Cookie": "", "Clear-Site-Data": "", "Strict-Transport-Security": "", "X-Frame-Options": "DENY", "Service-Worker-Allowed": ""}},
		"header tricks":   {`return { $response: { status: 200, headers: [["x-a", "1\r\nset-cookie: a=b"], ["bad name\r\nx: y", "1"]], body: "x" } };`, 200, "x", map[string]string{"Set-Cookie": "", "X": ""}},
		"many headers":    {`return new Response("x", { headers: Array.from({ length: 40 }, (_, i) => ["x-" + i, "y".repeat(1000)]) });`, 500, "too many headers", nil},
		"no answer":       {`return Response.error();`, 500, `"status":"failed"`, nil},
		"a throw":         {`throw new Error("a secret of the author");`, 500, `{"error":"The handler failed","executionId":"`, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := s.Deploy(t, "responds "+name, responder(tc.body, ""))
			r := s.Anonymous().Do(t, "POST", d.Webhooks["POST in"], `{}`, "Content-Type", "application/json")
			if r.Status != tc.status || string(r.Body) != tc.answer && (tc.status < 500 || !strings.Contains(string(r.Body), tc.answer)) {
				t.Errorf("answer %s, want %d %s", r, tc.status, tc.answer)
			}
			for header, want := range tc.header {
				if got := r.Header.Get(header); got != want {
					t.Errorf("%s is %q, want %q", header, got, want)
				}
			}
			if strings.Contains(string(r.Body), "secret") {
				t.Error("the sender sees the message of the failure")
			}
			if x := r.Header.Get("X-Floww-Execution-Id"); !s.Execution(t, x).Final() {
				t.Errorf("execution %q has not ended", x)
			}
		})
	}
}

func TestHandlerRespondsLate(t *testing.T) {
	t.Parallel()
	s := apptest.Start(t, apptest.Options{Settings: func(c *config.Settings) { c.Runners = 2 }})

	slow := s.Deploy(t, "times out", responder(`for (;;) {}`, "timeout: 0.2,"))
	if r := s.Anonymous().Do(t, "POST", slow.Webhooks["POST in"], nil); r.Status != http.StatusGatewayTimeout || !strings.Contains(string(r.Body), `"status":"timeout"`) {
		t.Errorf("a run that times out answers %s, want 504", r)
	}

	again := s.Deploy(t, "retries", responder(`if (ctx.attempt < 3) throw new Error("not yet"); return ctx.attempt;`, "retry: { attempts: 3, delay: 0.01 },"))
	if r := s.Anonymous().Do(t, "POST", again.Webhooks["POST in"], nil); r.Status != http.StatusOK || string(r.Body) != "3" {
		t.Errorf("a run that is attempted three times answers %s, want 3", r)
	}

	held := s.Deploy(t, "held", responder(`console.log("began"); for (;;) {}`, ""))
	answered := make(chan apptest.Response, 1)
	go func() {
		r, err := s.Anonymous().Try("POST", held.Webhooks["POST in"], "")
		if err != nil {
			t.Errorf("the sender of a cancelled run: %v", err)
		}
		answered <- r
	}()
	var run string
	apptest.Until(t, 20*time.Second, "the run", func() bool {
		for _, e := range executionsOf(t, s, held.WorkflowID) {
			run = e["id"].(string)
		}
		return run != ""
	})
	cancel(t, s.Client, run)
	if r := <-answered; r.Status != http.StatusInternalServerError || !strings.Contains(string(r.Body), `"status":"cancelled"`) {
		t.Errorf("a cancelled run answers %s, want 500", r)
	}

	s.JSON(t, http.StatusOK, "PATCH", "/api/workflows/"+again.WorkflowID, map[string]any{"active": false})
	if r := s.Anonymous().Do(t, "POST", again.Webhooks["POST in"], nil); r.Status != http.StatusServiceUnavailable {
		t.Errorf("an inactive workflow answers %s, want 503", r)
	}
}

func TestRepeatedDeliveryGetsTheStoredAnswer(t *testing.T) {
	t.Parallel()
	s := apptest.Start(t, apptest.Options{})
	d := s.Deploy(t, "answers once", responder(`return new Response(ctx.executionId, { status: 201 });`, ""))
	var first string
	for range 2 {
		r := s.Anonymous().Do(t, "POST", d.Webhooks["POST in"], `{}`, "Idempotency-Key", "k")
		if first == "" {
			first = string(r.Body)
		}
		if r.Status != http.StatusCreated || string(r.Body) != first || first == "" {
			t.Errorf("the delivery is answered %s, want 201 %s", r, first)
		}
	}
}

// A sender that goes away changes nothing for the run, and a server that stops
// keeps none waiting.
func TestSenderOfAResponderLeaves(t *testing.T) {
	t.Parallel()
	s := apptest.Start(t, apptest.Options{Settings: func(c *config.Settings) { c.StopTimeout = 2 * time.Second }})
	d := s.Deploy(t, "left alone", responder(`console.log("began"); await new Promise((r) => setTimeout(r, event.body.ms)); return "done";`, ""))
	impatient := s.Anonymous()
	impatient.HTTP = &http.Client{Timeout: 300 * time.Millisecond}
	if _, err := impatient.Try("POST", d.Webhooks["POST in"], map[string]any{"ms": 600}); err == nil {
		t.Log("the run was answered before its sender left")
	}
	if e := s.Ended(t, executionsOf(t, s, d.WorkflowID)[0]["id"].(string)); e.Status != "completed" || string(e.Result) != `"done"` {
		t.Errorf("the run is %s with %s", e.Status, e.Result)
	}

	answered := make(chan apptest.Response, 1)
	go func() {
		r, err := s.Anonymous().Try("POST", d.Webhooks["POST in"], map[string]any{"ms": 60_000})
		if err != nil {
			t.Errorf("the sender of a server that stops: %v", err)
		}
		answered <- r
	}()
	apptest.Until(t, 20*time.Second, "the second run", func() bool { return executionsOf(t, s, d.WorkflowID)[0]["status"] == "started" })
	s.Stop(t)
	if r := <-answered; r.Status != http.StatusAccepted || !strings.Contains(string(r.Body), `"executionId"`) {
		t.Errorf("the server that stops answers %s, want 202", r)
	}
}

func TestPreferWait(t *testing.T) {
	t.Parallel()
	s := apptest.Start(t, apptest.Options{})
	d := deployCode(t, s, "waited for", `builtin.triggers.onManual({ name: "Go", handler: (ctx, event) => event.input_data.n + 1 });
	builtin.triggers.onWebhook({ path: "in", handler: () => "not shown" });`)
	id := s.JSON(t, http.StatusOK, "GET", "/api/triggers/workflows/"+d.WorkflowID+"/manual", nil)["triggers"].([]any)[0].(map[string]any)["id"].(string)
	for path, status := range map[string]int{"/invoke": http.StatusOK, "/execute": http.StatusCreated} {
		body := map[string]any{"inputData": map[string]any{"n": 1}, "data": map[string]any{"n": 1}}
		r := s.Do(t, "POST", "/api/triggers/"+id+path, body, "Prefer", "respond-async, wait=20")
		var answer struct{ Execution apptest.Execution }
		if err := json.Unmarshal(r.Body, &answer); err != nil || r.Status != status || answer.Execution.Status != "completed" || string(answer.Execution.Result) != "2" {
			t.Errorf("%s answers %s (%v), want the result 2", path, r, err)
		}
		if r := s.Do(t, "POST", "/api/triggers/"+id+path, body); strings.Contains(string(r.Body), `"execution":`) {
			t.Errorf("%s without Prefer answers %s", path, r)
		}
	}
	r := s.Anonymous().Do(t, "POST", d.Webhooks["POST in"], `{}`, "Prefer", "wait=10")
	if r.Status != http.StatusOK || !strings.Contains(string(r.Body), `"status":"invoked"`) {
		t.Errorf("a public webhook answers %s, want no result", r)
	}
}
