package apptest_test

import (
	"encoding/json"
	"net/http"
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
