package api

import (
	"net/http"
	"strings"
	"testing"

	"github.com/usefloww/flowwd/internal/access"
	"github.com/usefloww/flowwd/internal/route"
)

func TestRegisterNeedsItsParts(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	d := w.deps
	d.Receiver = nil
	if err := Register(w.Router, d); err == nil || !strings.Contains(err.Error(), "Deps") {
		t.Errorf("got %v", err)
	}
	// A second time everything is a duplicate.
	if err := Register(w.Router, w.deps); err == nil || !strings.Contains(err.Error(), "registered already") {
		t.Errorf("got %v", err)
	}
}

// Only what must be open is open.
func TestPublicRoutesAreFew(t *testing.T) {
	t.Parallel()
	open := map[string]bool{
		"/livez": true, "/readyz": true, "/health": true, "/api/health": true, "/openapi.json": true, "/webhook/{path...}": true,
		"/centrifugo/connect": true, "/centrifugo/subscribe": true, "/api/centrifugo/connect": true, "/api/centrifugo/subscribe": true,
		"/api/config": true, "/sdk/floww.tgz": true, "/v2/{path...}": true, "/v2/token": true,
	}
	for _, path := range []string{deviceAuthorizePath, deviceTokenPath, tokenRefreshPath, tokenRevokePath} {
		open[path], open["/api"+path] = true, true
	}
	for _, r := range newWorld(t).Routes() {
		if r.Policy.IsPublic() && !open[r.Path] {
			t.Errorf("%s %s is %s", r.Method, r.Path, r.Policy)
		}
		if !r.Policy.IsPublic() && open[r.Path] {
			t.Errorf("%s %s is not public: %s", r.Method, r.Path, r.Policy)
		}
		if r.Method != http.MethodGet && !strings.HasSuffix(r.Path, "-token") && !r.Policy.IsPublic() && (r.Policy == access.Requires(access.ReadWorkflow) || r.Policy == access.Requires(access.ReadExecution)) {
			t.Errorf("%s %s changes something and needs only %s", r.Method, r.Path, r.Policy)
		}
	}
}

func TestStrangersFindNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, path := range []string{
		"/api/namespaces/#2", "/api/workflows/#3", "/api/executions/workflows/#3", "/api/executions/workflows/#3/logs",
		"/api/executions/#6", "/api/executions/#6/logs", "/api/executions/#6/events",
		"/api/workflow-deployments?workflowId=#3", "/api/executions?workflowId=#3",
	} {
		wantError(t, w.ask(t, "GET", ids(path), "", "Authorization: Bearer stranger"), 404, " not found")
	}
	for _, path := range []string{"/api/workflows/x", "/api/workflow-deployments?workflowId=x", "/api/executions?workflowId=x"} {
		wantError(t, w.ask(t, "GET", path, ""), 404, "Workflow not found")
	}
}

func TestViewersChangeNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, withDeployments)
	for _, c := range []struct{ method, path, body string }{
		{"POST", "/api/workflows", `{"name":"a","namespaceId":"#2"}`},
		{"PATCH", "/api/workflows/#3", `{"name":"a"}`},
		{"DELETE", "/api/workflows/#3", ``},
		{"POST", "/api/workflow-deployments", `{"workflowId":"#3","code":{"files":{},"entrypoint":""}}`},
		{"PATCH", "/api/workflow-deployments/#5", `{"note":"a"}`},
		{"DELETE", "/api/workflow-deployments/#5", ``},
	} {
		// A role elsewhere does not count here, also where the object is named in
		// the body and not in the path.
		for _, key := range []string{"viewer", "mixed"} {
			r := w.ask(t, c.method, ids(c.path), ids(c.body), "Authorization: Bearer "+key)
			wantError(t, r, 403, "your role")
		}
	}
	if w.workflows.change != nil || !w.workflows.deleted.IsZero() || w.deployments.request != nil || !w.deployments.deleted.IsZero() {
		t.Error("something was changed")
	}
}

func TestWhoami(t *testing.T) {
	t.Parallel()
	wantJSON(t, newWorld(t).ask(t, "GET", "/api/whoami", ""), 200, `{
		"id":"#9","workos_user_id":null,"user_type":"service_account","email":null,"first_name":"ci","last_name":null,"is_admin":false,
		"created_at":"2026-03-04T04:06:07.008Z",
		"user":{"id":"#9","workosUserId":null,"userType":"SERVICE_ACCOUNT","email":null,"firstName":null,"lastName":null,"isAdmin":false,"createdAt":"2026-03-04T04:06:07.008Z"},
		"organizations":[{"id":"#1","name":"acme","displayName":"Acme","display_name":"Acme"}]}`)
	// The organization may be gone; the list is a list all the same.
	r := newWorld(t).ask(t, "GET", "/api/whoami", "", "Authorization: Bearer stranger")
	if r.status != 200 || !strings.Contains(r.text, `"organizations":[]`) {
		t.Errorf("got %d %s", r.status, r.text)
	}
}

func TestNamespaces(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const one = `{"id":"#2","name":"acme","organization":{"id":"#1","name":"acme","displayName":"Acme","display_name":"Acme"},
		"createdAt":"2026-03-04T04:06:07.008Z","created_at":"2026-03-04T04:06:07.008Z"}`
	wantJSON(t, w.ask(t, "GET", "/api/namespaces/", ""), 200, `{"results":[`+one+`],"total":1}`)
	wantJSON(t, w.ask(t, "GET", "/api/namespaces", "", "Authorization: Bearer stranger"), 200, `{"results":[],"total":0}`)
	wantJSON(t, w.ask(t, "GET", ids("/api/namespaces/#2"), ""), 200, one)
	wantError(t, w.ask(t, "GET", ids("/api/namespaces/#3"), ""), 404, "Namespace not found")
}

func TestDescriptionIsServed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := w.ask(t, "GET", route.DescriptionPath, "", "Authorization: ")
	tag := r.header.Get("ETag")
	if r.status != 200 || tag == "" || r.header.Get("Content-Type") != "application/json" || !strings.Contains(r.text, `"openapi":"3.1.0"`) {
		t.Fatalf("got %d %v", r.status, r.header)
	}
	for _, path := range []string{"/api/workflows", "/api/workflow-deployments/{id}", "/api/executions/{id}/events", "/api/whoami"} {
		if !strings.Contains(r.text, `"`+path+`":{`) {
			t.Errorf("%s is not described", path)
		}
	}
	if !strings.Contains(r.text, `"description":{"description":"null removes it","type":["string","null"]}`) {
		t.Error("it is not described that a workflow's description may be null")
	}
	for header, status := range map[string]int{tag: 304, "W/" + tag: 304, `"x", ` + tag: 304, "*": 304, `"x"`: 200} {
		if got := w.ask(t, "GET", route.DescriptionPath, "", "If-None-Match: "+header); got.status != status || got.header.Get("ETag") != tag {
			t.Errorf("If-None-Match %s: %d with %s, want %d", header, got.status, got.header.Get("ETag"), status)
		}
	}
}

func TestMetricsAreTheOperators(t *testing.T) {
	t.Parallel()
	// httptest's requests come from 192.0.2.1.
	wantError(t, newWorld(t).ask(t, "GET", "/metrics", ""), 401, "operator")
}
