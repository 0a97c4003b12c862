package api

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/usefloww/flowwd/internal/deploy"
	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/workflow"
)

// withDeployments puts an active deployment #5 with a webhook into the world,
// and an inactive one #8.
func withDeployments(w *world) {
	note := "first"
	w.deployments.source = workflow.Source{Files: map[string]string{"main.ts": "x_y", "a_b/c.ts": ""}, Entrypoint: "main.ts"}
	w.deployments.triggers = []workflow.Trigger{
		{ID: n(7), WorkflowID: n(workflowNumber), Declaration: workflow.Declaration{Provider: workflow.ProviderRef{Type: "builtin", Alias: "default"}, Type: "onCron"}},
		{
			ID: n(7), WorkflowID: n(workflowNumber), Declaration: workflow.Declaration{Provider: workflow.ProviderRef{Type: "builtin", Alias: "default"}, Type: "onWebhook"},
			Webhook: &workflow.Webhook{ID: n(4), Method: "POST", Path: "/webhook/a"},
		},
	}
	w.deployments.all = []workflow.Deployment{
		{
			ID: n(5), OrganizationID: n(orgNumber), WorkflowID: n(workflowNumber), Status: workflow.StatusActive, DeployedAt: clock,
			DeployedByID: n(memberNumber), Note: &note, ClientSDKVersion: "0.0.34", ProviderMappings: json.RawMessage(`{"git_hub":{"my_alias":"x"}}`),
		},
		{ID: n(8), OrganizationID: n(orgNumber), WorkflowID: n(workflowNumber), Status: workflow.StatusInactive, DeployedAt: clock},
	}
}

const (
	activeDeploymentJSON = `"id":"#5","workflowId":"#3","runtimeId":null,"deployedById":"#9","status":"ACTIVE","deployedAt":"2026-03-04T04:06:07.008Z",
		"note":"first","sdkVersion":"0.0.34","providerMappings":{"git_hub":{"my_alias":"x"}}`
	inactiveDeploymentJSON = `"id":"#8","workflowId":"#3","runtimeId":null,"deployedById":null,"status":"INACTIVE","deployedAt":"2026-03-04T04:06:07.008Z",
		"note":null,"sdkVersion":null,"providerMappings":null`
	codeJSON     = `"userCode":{"files":{"main.ts":"x_y","a_b/c.ts":""},"entrypoint":"main.ts"}`
	webhooksJSON = `"webhooks":[{"id":"#4","url":"https://flows.example/webhook/a","path":"/webhook/a","method":"POST",
		"triggerId":"#7","triggerType":"onWebhook","providerType":"builtin","providerAlias":"default"}]`
)

func lower(text string) string {
	return strings.NewReplacer(`"ACTIVE"`, `"active"`, `"INACTIVE"`, `"inactive"`).Replace(text)
}

func TestListDeployments(t *testing.T) {
	t.Parallel()
	w := newWorld(t, withDeployments)
	want := `{"results":[{` + activeDeploymentJSON + `,` + codeJSON + `},{` + inactiveDeploymentJSON + `}],"total":2}`
	wantJSON(t, w.ask(t, "GET", ids("/api/workflow-deployments?workflowId=#3"), ""), 200, want)
	wantJSON(t, w.ask(t, "GET", ids("/api/workflow_deployments/?workflow_id=#3&limit=2&offset=1"), ""), 200, lower(want))
	if w.deployments.limit != 2 || w.deployments.offset != 1 {
		t.Errorf("asked for %d from %d", w.deployments.limit, w.deployments.offset)
	}
	for query, wrong := range map[string]string{
		"?workflowId=#3&limit=51": "query.limit", "?workflowId=#3&limit=0": "query.limit", "?limit=51": "query.limit",
	} {
		wantError(t, w.ask(t, "GET", ids("/api/workflow-deployments"+query), ""), 400, wrong)
	}
	w = newWorld(t)
	wantJSON(t, w.ask(t, "GET", ids("/api/workflow-deployments?workflowId=#3"), ""), 200, `{"results":[],"total":0}`)
	if w.deployments.limit != 50 {
		t.Errorf("asked for %d", w.deployments.limit)
	}
}

func TestGetDeployment(t *testing.T) {
	t.Parallel()
	w := newWorld(t, withDeployments)
	active := `{` + activeDeploymentJSON + `,` + codeJSON + `,` + webhooksJSON + `}`
	wantJSON(t, w.ask(t, "GET", ids("/api/workflow-deployments/#5"), ""), 200, active)
	wantJSON(t, w.ask(t, "GET", ids("/api/workflow_deployments/#5"), ""), 200, lower(active))
	wantJSON(t, w.ask(t, "GET", ids("/api/workflow-deployments/#8"), ""), 200, `{`+inactiveDeploymentJSON+`,`+codeJSON+`}`)
	wantError(t, w.ask(t, "GET", ids("/api/workflow-deployments/#6"), ""), 404, "Deployment not found")
	wantError(t, w.ask(t, "GET", "/api/workflow-deployments/x", ""), 404, "Deployment not found")
	wantError(t, w.ask(t, "GET", ids("/api/workflow-deployments/#5"), "", "Authorization: Bearer stranger"), 404, "Deployment not found")
}

func TestDeploy(t *testing.T) {
	t.Parallel()
	note := "why"
	code := map[string]string{"main.ts": "a_b", "node_modules/x_y/package.json": "{}"}
	for name, c := range map[string]struct {
		path, body string
		want       deploy.Request
		answer     string
	}{
		"newest client": {
			"/api/workflow-deployments",
			`{"workflowId":"#3","code":{"files":{"main.ts":"a_b","node_modules/x_y/package.json":"{}"},"entrypoint":"main.ts"},
			  "sdkVersion":"0.0.34","providerMappings":{"git_hub":{"my_alias":"x"}},"note":"why","triggers":[{"anything":1}]}`,
			deploy.Request{ClientSDKVersion: "0.0.34", ProviderMappings: json.RawMessage(`{"git_hub":{"my_alias":"x"}}`), Note: &note},
			`"status":"ACTIVE","note":"why","sdkVersion":"0.0.34","providerMappings":{"git_hub":{"my_alias":"x"}}`,
		},
		"old client": {
			"/api/workflow_deployments/",
			`{"workflow_id":"#3","runtime_id":null,"code":{"files":{"main.ts":"a_b","node_modules/x_y/package.json":"{}"},"entrypoint":"main.ts"},
			  "provider_mappings":null,"note":null}`,
			deploy.Request{},
			`"status":"active","note":null,"sdkVersion":null,"providerMappings":null`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, withDeployments)
			wantJSON(t, w.ask(t, "POST", c.path, ids(c.body)), 201, `{"id":"#5","workflowId":"#3","runtimeId":null,"deployedById":"#9",
				"deployedAt":"2026-03-04T04:06:07.008Z",`+c.answer+`,`+webhooksJSON+`}`)
			c.want.Workflow, c.want.DeployedByID, c.want.MayUseSecrets = w.workflows.all[0], n(memberNumber), true
			c.want.Source = workflow.Source{Files: code, Entrypoint: "main.ts"}
			if diff := cmp.Diff(&c.want, w.deployments.request); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestDeployWithoutWebhooksSaysSo(t *testing.T) {
	t.Parallel()
	r := newWorld(t).ask(t, "POST", "/api/workflow-deployments", ids(`{"workflowId":"#3","code":{"files":{"a":""},"entrypoint":"a"}}`))
	if r.status != 201 || !strings.Contains(r.text, `"webhooks":[]`) {
		t.Errorf("got %d %s", r.status, r.text)
	}
}

func TestDeployRefusesBadRequests(t *testing.T) {
	t.Parallel()
	const code = `"code":{"files":{"a":"b"},"entrypoint":"a"}`
	for name, c := range map[string]struct{ body, key, wrong string }{
		"no workflow":        {`{` + code + `}`, "member", "workflowId"},
		"unknown workflow":   {`{"workflowId":"#4",` + code + `}`, "member", "Workflow not found"},
		"malformed workflow": {`{"workflowId":"x",` + code + `}`, "member", "Workflow not found"},
		"foreign workflow":   {`{"workflowId":"#3",` + code + `}`, "stranger", "Workflow not found"},
		"image runtime":      {`{"workflowId":"#3","runtime_id":"#7",` + code + `}`, "member", "Runtime not found"},
		"no code":            {`{"workflowId":"#3"}`, "member", "code"},
		"code is a text":     {`{"workflowId":"#3","code":"x"}`, "member", "body.code"},
		"no files":           {`{"workflowId":"#3","code":{"entrypoint":"a"}}`, "member", "files"},
		"files is a list":    {`{"workflowId":"#3","code":{"files":["a"],"entrypoint":"a"}}`, "member", "body.code.files"},
		"a file is a number": {`{"workflowId":"#3","code":{"files":{"a":1},"entrypoint":"a"}}`, "member", "body.code.files.a"},
		"no entrypoint":      {`{"workflowId":"#3","code":{"files":{"a":"b"}}}`, "member", "entrypoint"},
		"mappings is a list": {`{"workflowId":"#3","providerMappings":[],` + code + `}`, "member", "body.providerMappings: must be an object"},
		"note is a number":   {`{"workflowId":"#3","note":1,` + code + `}`, "member", "body.note"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			wantError(t, w.ask(t, "POST", "/api/workflow-deployments", ids(c.body), "Authorization: Bearer "+c.key), 400, c.wrong)
			if w.deployments.request != nil {
				t.Error("it was deployed all the same")
			}
		})
	}
}

// What the service finds wrong reaches the client whole.
func TestDeployFailures(t *testing.T) {
	t.Parallel()
	compile := fault.New(fault.Invalid, "Deployment validation failed: main.ts:1:7: expected )")
	compile.Fields = []fault.Field{{Location: "code.files.main.ts:1:7", Message: "expected )"}}
	triggers := fault.New(fault.Invalid, "Failed to create one or more triggers")
	triggers.Detail = map[string]any{"message": "Failed to create one or more triggers", "failed_triggers": []map[string]string{{"provider_type": "x", "providerType": "x"}}}
	const body = `{"workflowId":"#3","code":{"files":{"a":"b"},"entrypoint":"a"}}`

	w := newWorld(t, func(w *world) { w.deployments.err = compile })
	wantJSON(t, w.ask(t, "POST", "/api/workflow-deployments", ids(body)), 400, `{"type":"about:blank","title":"Bad Request","status":400,
		"detail":"Deployment validation failed: main.ts:1:7: expected )","error":"Deployment validation failed: main.ts:1:7: expected )",
		"errors":[{"location":"code.files.main.ts:1:7","message":"expected )"}]}`)
	w = newWorld(t, func(w *world) { w.deployments.err = triggers })
	wantJSON(t, w.ask(t, "POST", "/api/workflow-deployments", ids(body)), 400, `{"type":"about:blank","title":"Bad Request","status":400,
		"detail":{"message":"Failed to create one or more triggers","failed_triggers":[{"provider_type":"x","providerType":"x"}]},
		"error":"Failed to create one or more triggers","message":"Failed to create one or more triggers"}`)
}

func TestDeploymentBodyLimit(t *testing.T) {
	t.Parallel()
	for _, r := range newWorld(t).Routes() {
		if r.Method == "POST" && strings.HasPrefix(r.Path, "/api/workflow") && strings.HasSuffix(r.Path, "deployments") && r.BodyLimit != 32<<20 {
			t.Errorf("%s takes %d bytes", r.Path, r.BodyLimit)
		}
		if strings.HasPrefix(r.Path, "/webhook/") && r.Method != "OPTIONS" && r.BodyLimit != 25<<20 {
			t.Errorf("%s takes %d bytes", r.Path, r.BodyLimit)
		}
	}
}

func TestChangeDeployment(t *testing.T) {
	t.Parallel()
	for body, change := range map[string]func(string) string{
		`{}`:                    func(s string) string { return s },
		`{"status":"INACTIVE"}`: func(s string) string { return strings.Replace(s, `"ACTIVE"`, `"INACTIVE"`, 1) },
		`{"status":"inactive"}`: func(s string) string { return strings.Replace(s, `"ACTIVE"`, `"INACTIVE"`, 1) },
		`{"status":"Active"}`:   func(s string) string { return s },
		`{"note":"new"}`:        func(s string) string { return strings.Replace(s, `"first"`, `"new"`, 1) },
		`{"note":null}`:         func(s string) string { return strings.Replace(s, `"first"`, `null`, 1) },
		`{"note":"x","status":"INACTIVE"}`: func(s string) string {
			return strings.Replace(strings.Replace(s, `"first"`, `"x"`, 1), `"ACTIVE"`, `"INACTIVE"`, 1)
		},
	} {
		w := newWorld(t, withDeployments)
		want := change(`{` + activeDeploymentJSON + `}`)
		wantJSON(t, w.ask(t, "PATCH", ids("/api/workflow-deployments/#5"), body), 200, want)
		wantJSON(t, w.ask(t, "PATCH", ids("/api/workflow_deployments/#5"), body), 200, lower(want))
	}
	for body, wrong := range map[string]string{
		`{"status":"FAILED"}`:                     "body.status: must be ACTIVE or INACTIVE",
		`{"status":""}`:                           "body.status",
		`{"status":null}`:                         "body.status: must not be null",
		`{"status":1}`:                            "body.status",
		`{"note":1}`:                              "body.note",
		`{"user_code":{"files":{}}}`:              "the code of a deployment can't be changed",
		`{"userCode":null}`:                       "the code of a deployment can't be changed",
		`{"note":"x","status":"neither of them"}`: "body.status",
	} {
		wantError(t, newWorld(t, withDeployments).ask(t, "PATCH", ids("/api/workflow-deployments/#5"), body), 400, wrong)
	}
}

func TestDeleteDeployment(t *testing.T) {
	t.Parallel()
	w := newWorld(t, withDeployments)
	wantJSON(t, w.ask(t, "DELETE", ids("/api/workflow-deployments/#8"), ""), 200, `{"id":"#8","message":"workflow_deployment deleted successfully","success":true}`)
	if w.deployments.deleted != n(8) {
		t.Errorf("deleted %s", w.deployments.deleted)
	}
	w.deployments.err = fault.New(fault.Conflict, "it is active")
	wantError(t, w.ask(t, "DELETE", ids("/api/workflow-deployments/#5"), ""), 409, "it is active")
}
