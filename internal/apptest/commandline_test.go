package apptest_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/usefloww/flowwd/internal/apptest"
)

// What the published command line asks for init, deploy, pull and list, and the
// members of the answers that it reads: 2.4 to 2.9 of workflows-runtime.md of
// the wire contract.
func TestPublishedCommandLineIsAnswered(t *testing.T) {
	t.Parallel()
	s := apptest.Start(t, apptest.Options{})
	get := func(path string) map[string]any {
		t.Helper()
		return s.JSON(t, http.StatusOK, "GET", "/api"+path, nil, "Content-Type", "application/json")
	}
	results := func(path string) []map[string]any {
		t.Helper()
		var all []map[string]any
		for _, x := range get(path)["results"].([]any) {
			all = append(all, x.(map[string]any))
		}
		return all
	}
	find := func(all []map[string]any, kind, alias string) map[string]any {
		for _, x := range all {
			if x["type"] == kind && x["alias"] == alias {
				return x
			}
		}
		return nil
	}

	// init
	namespaces := results("/namespaces")
	namespace := namespaces[0]["id"].(string)
	if len(namespaces) != 1 || namespaces[0]["organization"].(map[string]any)["displayName"] == nil {
		t.Errorf("the namespaces are %v", namespaces)
	}
	made := s.JSON(t, http.StatusCreated, "POST", "/api/workflows", map[string]any{"name": "by cli", "namespaceId": namespace, "description": "d"})
	workflow := made["id"].(string)
	if listed := results("/workflows?namespaceId=" + namespace); len(listed) != 1 || listed[0]["id"] != workflow || listed[0]["name"] != "by cli" || listed[0]["createdAt"] == nil {
		t.Errorf("the workflows are %v", listed)
	}

	// deploy, with a secret that is set up on the way
	storeSecret(t, s.Client, "pay", "default", payValue)
	if w := get("/workflows/" + workflow); w["namespaceId"] != namespace || w["description"] != "d" {
		t.Errorf("the workflow is %v", w)
	}
	providers := results("/providers")
	pay, builtin := find(providers, "pay", "default"), find(providers, "builtin", "default")
	if pay == nil || builtin == nil || pay["namespaceId"] != namespace {
		t.Fatalf("the providers are %v", providers)
	}
	if again := get("/providers/" + pay["id"].(string)); again["type"] != "pay" || again["id"] != pay["id"] {
		t.Errorf("the provider is %v", again)
	}
	found := results("/secrets?namespaceId=" + url.QueryEscape(namespace) + "&provider=pay&name=default")
	var fields map[string]any
	if err := json.Unmarshal([]byte(get("/secrets/" + found[0]["id"].(string))["value"].(string)), &fields); err != nil || fields["token"] == nil || fields["retries"] == nil {
		t.Errorf("the secret has %v (%v)", fields, err)
	}
	files := map[string]string{"main.ts": secretive(`return pay.value().retries`), "floww.yaml": "name: by cli\n", "package.json": `{"dependencies":{"floww":"^0.0.34"}}`}
	mappings := map[string]any{"pay": map[string]any{"default": pay["id"]}, "builtin": map[string]any{"default": builtin["id"]}}
	deployed := s.JSON(t, http.StatusCreated, "POST", "/api/workflow-deployments", map[string]any{
		"workflowId": workflow, "sdkVersion": "0.0.34", "code": map[string]any{"files": files, "entrypoint": "main.ts"},
		"triggers":         []any{map[string]any{"type": "webhook", "providerType": "builtin", "providerAlias": "default", "triggerType": "onWebhook", "input": map[string]any{"path": "in", "method": "POST"}}},
		"providerMappings": mappings,
	})
	hook := deployed["webhooks"].([]any)[0].(map[string]any)
	if hook["method"] != "POST" || !strings.HasPrefix(hook["url"].(string), s.URL+"/webhook/") || !strings.HasSuffix(hook["path"].(string), "/in") {
		t.Errorf("the webhook is %v", hook)
	}
	answer := s.Anonymous().JSON(t, http.StatusOK, "POST", hook["path"].(string), `{}`)
	wantResult(t, s.Ended(t, answer["executionId"].(string)), `5`)

	// pull
	all := results("/workflow-deployments?workflowId=" + workflow)
	code := all[0]["userCode"].(map[string]any)
	if all[0]["status"] != "ACTIVE" || code["entrypoint"] != "main.ts" || code["files"].(map[string]any)["main.ts"] != files["main.ts"] ||
		all[0]["providerMappings"].(map[string]any)["pay"] == nil {
		t.Errorf("the deployment is %v", all[0])
	}

	// list
	if got := results("/workflow-deployments"); len(got) != 1 || got[0]["workflowId"] != workflow || got[0]["status"] != "ACTIVE" {
		t.Errorf("the deployments of all workflows are %v", got)
	}
	if got := results("/providers?namespaceId=" + namespace); len(got) != 3 {
		t.Errorf("the providers of the namespace are %v", got)
	}
	if got := get("/whoami")["user"].(map[string]any); got["id"] == nil || got["userType"] == nil {
		t.Errorf("whoami is %v", got)
	}
	// What another tenant has is not there.
	other := s.OtherTenant(t)
	if r := other.Do(t, "GET", "/api/providers/"+pay["id"].(string), nil); r.Status != http.StatusNotFound {
		t.Errorf("a provider of another tenant: %s", r)
	}
	if r := other.Do(t, "GET", "/api/providers?namespaceId="+namespace, nil); strings.Contains(string(r.Body), "pay") {
		t.Errorf("the providers of another tenant: %s", r)
	}
}
