package api

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/usefloww/flowwd/internal/execution"
	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/trigger"
)

func accepted(state execution.State) func(*world) {
	return func(w *world) {
		w.receiver.answer = trigger.Answer{WebhookID: n(4), TriggerID: n(7), WorkflowID: n(3), ExecutionID: n(6), State: state}
	}
}

const invoked = `{"webhookId":"#4","triggerId":"#7","workflowId":"#3","executionId":"#6","status":"invoked"}`

func TestWebhook(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(*world)
		status int
		body   string
	}{
		"waits":         {accepted(execution.Received), 200, invoked},
		"runs":          {accepted(execution.Started), 200, invoked},
		"no deployment": {accepted(execution.NoDeployment), 200, `{"message":"No active deployment found, only sent to dev mode."}`},
		"unknown":       {func(w *world) { w.receiver.err = fmt.Errorf("receive: %w", trigger.ErrNoWebhook) }, 404, `{"error":"Webhook not found"}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newWorld(t, c.change).ask(t, "POST", "/webhook/a", "{}", "Authorization: ")
			// Senders compare these bodies to the letter.
			if r.status != c.status || r.text != ids(c.body) {
				t.Errorf("got %d %s, want %d %s", r.status, r.text, c.status, ids(c.body))
			}
			if got := r.header.Get("Content-Type"); got != "application/json" {
				t.Errorf("Content-Type: %s", got)
			}
			if got := r.header.Get("X-Floww-Execution-Id"); (got == n(6).String()) != (c.status == 200) {
				t.Errorf("execution id: %q", got)
			}
		})
	}
}

func TestWebhookPassesTheRequestOn(t *testing.T) {
	t.Parallel()
	for _, method := range []string{"GET", "POST", "PUT", "PATCH", "DELETE"} {
		w := newWorld(t, accepted(execution.Received))
		body := "\x00 raw \xff\r\n"
		r := w.ask(t, method, "/webhook/a_b/c%20d/?x=1&x=2&y_z=&bad=%zz&e=5", body, "X-Sent: yes", "Content-Type: text/odd")
		if r.status != 200 {
			t.Fatalf("%s: %d %s", method, r.status, r.text)
		}
		got := w.receiver.request
		if got.Method != method || got.Path != "/webhook/a_b/c d" || string(got.Body) != body || got.Header.Get("X-Sent") != "yes" || got.Header.Get("Content-Type") != "text/odd" {
			t.Errorf("%s: got %+v", method, got)
		}
		if diff := cmp.Diff(url.Values{"x": {"1", "2"}, "y_z": {""}, "e": {"5"}}, got.Query); diff != "" {
			t.Errorf("%s: %s", method, diff)
		}
	}
}

func TestWebhookFailures(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		err    error
		status int
		text   string
	}{
		"signature":  {fault.New(fault.Denied, "bad signature"), 403, "bad signature"},
		"queue full": {fault.New(fault.Limited, "too many wait"), 429, "too many wait"},
		"other body": {fault.New(fault.Conflict, "used before"), 409, "used before"},
		"stopping":   {fault.New(fault.Unavailable, "stopping"), 503, "stopping"},
		"broken":     {errors.New("secret"), 500, "Something went wrong"},
		// Another thing that is missing is no unknown address.
		"something else": {fault.New(fault.NotFound, "no such thing"), 404, "no such thing"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newWorld(t, func(w *world) { w.receiver.err = c.err }).ask(t, "POST", "/webhook/a", "")
			wantError(t, r, c.status, c.text)
			if (r.header.Get("Retry-After") != "") != (c.status == 429 || c.status == 503) {
				t.Errorf("Retry-After: %q", r.header.Get("Retry-After"))
			}
			if strings.Contains(r.text, "secret") {
				t.Errorf("the answer tells too much: %s", r.text)
			}
		})
	}
	w := newWorld(t)
	if r := w.ask(t, "OPTIONS", "/webhook/a", ""); r.status != 404 || r.text != `{"error":"Webhook not found"}` {
		t.Errorf("OPTIONS of nothing: %d %s", r.status, r.text)
	}
}
