package apptest_test

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/usefloww/flowwd/internal/apptest"
	"github.com/usefloww/flowwd/internal/config"
)

// echo answers with what the handler was given of the request.
var echo = apptest.Handler(`
	const bytes = event.rawBody ? Array.from(event.rawBody as Uint8Array) : null;
	const kind = event.body instanceof Uint8Array ? "bytes" : event.body === null ? "null" : typeof event.body;
	return { kind, body: kind === "bytes" ? Array.from(event.body) : event.body, bytes,
		method: event.method, path: event.path, query: event.query, header: event.headers["x-test"] };
`)

type echoed struct {
	Kind   string            `json:"kind"`
	Body   any               `json:"body"`
	Bytes  []int             `json:"bytes"`
	Method string            `json:"method"`
	Path   string            `json:"path"`
	Query  map[string]string `json:"query"`
	Header string            `json:"header"`
}

func TestBodiesReachTheHandler(t *testing.T) {
	t.Parallel()
	s := apptest.Start(t, apptest.Options{})
	d := s.Deploy(t, "echo", echo)
	for name, tc := range map[string]struct {
		contentType, body string
		kind              string
		want              any
	}{
		"JSON object":           {"application/json", `{"a":[1,2,{"b":null}]}`, "object", map[string]any{"a": []any{1.0, 2.0, map[string]any{"b": nil}}}},
		"JSON with charset":     {"application/json; charset=utf-8", `"ü"`, "string", "ü"},
		"JSON by suffix":        {"application/cloudevents+json", `{"id":1}`, "object", map[string]any{"id": 1.0}},
		"malformed JSON":        {"application/json", `{"a":`, "string", `{"a":`},
		"form":                  {"application/x-www-form-urlencoded", "a=1&b=x+y%21", "object", map[string]any{"a": "1", "b": "x y!"}},
		"text":                  {"text/plain", "hello", "string", "hello"},
		"binary":                {"application/octet-stream", "\x00\xff\x80", "bytes", []any{0.0, 255.0, 128.0}},
		"no content type given": {"", "\x01\x02", "bytes", []any{1.0, 2.0}},
		"empty":                 {"application/json", "", "null", nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := d.Run(t, []byte(tc.body), "Content-Type", tc.contentType)
			if e.Status != "completed" {
				t.Fatalf("the run is %s: %s", e.Status, e.ErrorMessage)
			}
			var got echoed
			if err := json.Unmarshal(e.Result, &got); err != nil {
				t.Fatalf("result %s: %v", e.Result, err)
			}
			if got.Kind != tc.kind {
				t.Errorf("body is a %s, want %s", got.Kind, tc.kind)
			}
			if diff := cmp.Diff(tc.want, got.Body); diff != "" {
				t.Errorf("body (-want +got):\n%s", diff)
			}
			raw := make([]byte, len(got.Bytes))
			for i, b := range got.Bytes {
				raw[i] = byte(b)
			}
			if string(raw) != tc.body {
				t.Errorf("rawBody is %q, want %q", raw, tc.body)
			}
		})
	}
}

func TestRequestReachesTheHandler(t *testing.T) {
	t.Parallel()
	s := apptest.Start(t, apptest.Options{})
	d := s.Deploy(t, "methods", `import { Builtin } from "floww";
const builtin = new Builtin();
for (const method of ["GET", "POST", "PUT", "PATCH", "DELETE"]) {
	builtin.triggers.onWebhook({ path: "m/" + method, method, handler: (ctx, event) => [event.method, event.path, event.query, event.headers["x-test"]] });
}`)
	for _, method := range []string{"GET", "POST", "PUT", "PATCH", "DELETE"} {
		path := d.Webhooks[method+" m/"+method]
		answer := s.Anonymous().JSON(t, http.StatusOK, method, path+"?q=1&q=2&z=%20", nil, "X-Test", "yes")
		e := s.Ended(t, answer["executionId"].(string))
		want := `["` + method + `","` + path + `",{"q":"2","z":" "},"yes"]`
		if string(e.Result) != want {
			t.Errorf("%s: result %s, want %s", method, e.Result, want)
		}
	}
	wrong := s.Anonymous().Do(t, "DELETE", d.Webhooks["GET m/GET"], nil)
	if wrong.Status != http.StatusNotFound {
		t.Errorf("another method than declared: %s, want 404", wrong)
	}
}

func TestUnknownWebhook(t *testing.T) {
	t.Parallel()
	s := apptest.Start(t, apptest.Options{})
	r := s.Anonymous().Do(t, "POST", "/webhook/nothing/here", `{}`)
	if r.Status != http.StatusNotFound || strings.TrimSpace(string(r.Body)) != `{"error":"Webhook not found"}` {
		t.Errorf("answer %s", r)
	}
}

func TestWebhookBodyLimit(t *testing.T) {
	t.Parallel()
	s := apptest.Start(t, apptest.Options{Settings: func(c *config.Settings) { c.WebhookLimit = 2000 }})
	d := s.Deploy(t, "limited", echo)
	if e := d.Run(t, strings.Repeat("x", 2000), "Content-Type", "text/plain"); e.Status != "completed" {
		t.Errorf("a body of exactly the limit: %s %s", e.Status, e.ErrorMessage)
	}
	r := s.Anonymous().Do(t, "POST", d.Webhooks["POST in"], strings.Repeat("x", 2001))
	if r.Status != http.StatusRequestEntityTooLarge || !strings.Contains(string(r.Body), "2000") {
		t.Errorf("a body above the limit: %s, want 413 with the limit", r)
	}
}

func TestLargeBodySurvives(t *testing.T) {
	t.Parallel()
	s := apptest.Start(t, apptest.Options{})
	d := s.Deploy(t, "large", apptest.Handler(`return (event.body as string).length`))
	if e := d.Run(t, strings.Repeat("x", 20<<20), "Content-Type", "text/plain"); string(e.Result) != "20971520" {
		t.Errorf("the run is %s with %s: %s", e.Status, e.Result, e.ErrorMessage)
	}
}

func TestRepeatedDeliveryRunsOnce(t *testing.T) {
	t.Parallel()
	s := apptest.Start(t, apptest.Options{})
	d := s.Deploy(t, "once", echo)
	first := d.Send(t, `{"n":1}`, "Idempotency-Key", "k")
	if again := d.Send(t, `{"n":1}`, "Idempotency-Key", "k"); again != first {
		t.Errorf("the repeated delivery is execution %s, want %s", again, first)
	}
	r := s.Anonymous().Do(t, "POST", d.Webhooks["POST in"], `{"n":2}`, "Idempotency-Key", "k")
	if r.Status != http.StatusConflict {
		t.Errorf("the same key with another body: %s, want 409", r)
	}
	if other := d.Send(t, `{"n":1}`, "Idempotency-Key", "other"); other == first {
		t.Error("another key gave the same execution")
	}
	page := s.JSON(t, http.StatusOK, "GET", "/api/executions/workflows/"+d.WorkflowID, nil)
	if page["total"] != 2.0 {
		t.Errorf("there are %v executions, want 2", page["total"])
	}
}

func TestInactiveWorkflowKeepsTheEvent(t *testing.T) {
	t.Parallel()
	s := apptest.Start(t, apptest.Options{})
	d := s.Deploy(t, "inactive", echo)
	s.JSON(t, http.StatusOK, "PATCH", "/api/workflows/"+d.WorkflowID, map[string]any{"active": false})
	e := s.Execution(t, d.Send(t, `{}`))
	if e.Status != "no_deployment" || e.ErrorMessage == "" {
		t.Errorf("the execution is %s: %q, want no_deployment with a reason", e.Status, e.ErrorMessage)
	}
	s.JSON(t, http.StatusOK, "PATCH", "/api/workflows/"+d.WorkflowID, map[string]any{"active": true})
	if e := d.Run(t, `{}`); e.Status != "completed" {
		t.Errorf("after activation the run is %s: %s", e.Status, e.ErrorMessage)
	}
	s.JSON(t, http.StatusOK, "DELETE", "/api/workflows/"+d.WorkflowID, nil)
	if r := s.Anonymous().Do(t, "POST", d.Webhooks["POST in"], `{}`); r.Status != http.StatusNotFound {
		t.Errorf("the webhook of a deleted workflow: %s, want 404", r)
	}
}

func TestWebhookParameters(t *testing.T) {
	t.Parallel()
	s := apptest.Start(t, apptest.Options{})
	d := s.Deploy(t, "parameters", `import { Builtin } from "floww";
const { triggers } = new Builtin();
for (const path of ["orders/:id", "orders/new", "orders/:id/items/:item"]) {
	triggers.onWebhook({ path, handler: (ctx, event) => [path, event.params, event.path] });
}`)
	base := "/webhook/" + d.WorkflowID
	for _, tc := range []struct{ path, want string }{
		{"/orders/7?id=9&q=1", `["orders/:id",{"id":"7","q":"1"},"` + base + `/orders/7"]`},
		{"/orders/a%2Fb%20c", `["orders/:id",{"id":"a/b c"},"` + base + `/orders/a/b c"]`},
		{"/orders/new", `["orders/new",{},"` + base + `/orders/new"]`},
		{"/orders/7/items/8", `["orders/:id/items/:item",{"id":"7","item":"8"},"` + base + `/orders/7/items/8"]`},
		{"/orders/:id", `["orders/:id",{"id":":id"},"` + base + `/orders/:id"]`},
	} {
		r := s.Anonymous().Do(t, "POST", base+tc.path, `{}`)
		if e := s.Ended(t, r.Header.Get("X-Floww-Execution-Id")); string(e.Result) != tc.want {
			t.Errorf("%s gives %s, want %s", tc.path, e.Result, tc.want)
		}
	}
	for _, path := range []string{"/orders", "/orders/7/items", "/orders/7/items/8/9"} {
		if r := s.Anonymous().Do(t, "POST", base+path, `{}`); r.Status != http.StatusNotFound {
			t.Errorf("%s answers %s, want 404", path, r)
		}
	}
	bad := `import { Builtin } from "floww"; const { triggers } = new Builtin();
triggers.onWebhook({ path: ":a/x", handler() {} }); triggers.onWebhook({ path: "y/:b", handler() {} });`
	r := s.Do(t, "POST", "/api/workflow-deployments", apptest.DeployBody(d.WorkflowID, map[string]string{"main.ts": bad}))
	if r.Status != http.StatusBadRequest || !strings.Contains(string(r.Body), "POST /:a/x and POST /y/:b are both right for /y/x") {
		t.Errorf("ambiguous paths are answered %s", r)
	}
}

// Who asks whether an address is there gets to know, and nothing runs.
func TestWebhookIsAskedFor(t *testing.T) {
	t.Parallel()
	s := apptest.Start(t, apptest.Options{})
	d := s.Deploy(t, "asked", `import { Builtin } from "floww";
const { triggers } = new Builtin();
triggers.onWebhook({ path: "a/:x", handler() {} }); triggers.onWebhook({ path: "a/b", method: "GET", handler() {} });`)
	base := "/webhook/" + d.WorkflowID
	for _, tc := range []struct {
		method, path string
		status       int
		allow        string
	}{
		{"HEAD", "/a/b", 200, "GET, HEAD, OPTIONS, POST"},
		{"OPTIONS", "/a/b", 204, "GET, HEAD, OPTIONS, POST"},
		{"HEAD", "/a/c", 200, "HEAD, OPTIONS, POST"},
		{"OPTIONS", "/a", 404, ""},
		{"HEAD", "/a", 404, ""},
		{"TRACE", "/a/b", 405, "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT"},
	} {
		r := s.Anonymous().Do(t, tc.method, base+tc.path, nil)
		if r.Status != tc.status || r.Header.Get("Allow") != tc.allow {
			t.Errorf("%s %s answers %d, Allow %q, want %d %q", tc.method, tc.path, r.Status, r.Header.Get("Allow"), tc.status, tc.allow)
		}
	}
	if all := executionsOf(t, s, d.WorkflowID); len(all) > 0 {
		t.Errorf("%d executions were made by asking", len(all))
	}
}

func TestMultipartBody(t *testing.T) {
	t.Parallel()
	s := apptest.Start(t, apptest.Options{})
	d := s.Deploy(t, "multipart", apptest.Handler(`const { file } = event.body;
	return [event.body.a, event.body.b, file instanceof File, file.name, file.type, Array.from(new Uint8Array(await file.arrayBuffer())), event.rawBody.length];`))
	body := "--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n--x\r\nContent-Disposition: form-data; name=\"b\"\r\n\r\nü\r\n" +
		"--x\r\nContent-Disposition: form-data; name=\"b\"\r\n\r\n2\r\n" +
		"--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"p.png\"\r\nContent-Type: image/png\r\n\r\n\x89P\x00\xff\r\n--x--\r\n"
	e := d.Run(t, body, "Content-Type", "multipart/form-data; boundary=x")
	if want := `["1",["ü","2"],true,"p.png","image/png",[137,80,0,255],` + strconv.Itoa(len(body)) + `]`; string(e.Result) != want {
		t.Errorf("the handler saw %s, want %s (%s)", e.Result, want, e.ErrorMessage)
	}
}

func TestSendersNameTheirDeliveries(t *testing.T) {
	t.Parallel()
	s := apptest.Start(t, apptest.Options{})
	d := s.Deploy(t, "named", echo)
	first := d.Send(t, `{"id":"evt_1","pending_webhooks":2}`, "Stripe-Signature", "t=1,v1=x")
	if again := d.Send(t, `{"id":"evt_1","pending_webhooks":1}`, "Stripe-Signature", "t=2,v1=y"); again != first {
		t.Errorf("the second try of an event is execution %s, want %s", again, first)
	}
	if other := d.Send(t, `{"id":"evt_2"}`, "Stripe-Signature", "t=2,v1=y"); other == first {
		t.Error("another event gave the same execution")
	}
	push := d.Send(t, `{}`, "X-GitHub-Delivery", "72d3162e-cc78-11e3-81ab-4c9367dc0958")
	if again := d.Send(t, `{}`, "X-GitHub-Delivery", "72d3162e-cc78-11e3-81ab-4c9367dc0958"); again != push {
		t.Errorf("the same delivery of GitHub is execution %s, want %s", again, push)
	}
}
