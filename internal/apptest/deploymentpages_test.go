package apptest_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/usefloww/flowwd/internal/apptest"
)

// The pages of deployments show who made them, what they changed and their code,
// and activate an older one once it was said what that does.
func TestPagesOfDeployments(t *testing.T) {
	t.Parallel()
	s, b := withAda(t)
	d := s.Deploy(t, "<b>mine</b>", apptest.Handler(`console.log("</code><script>first");`))
	at, first := "/workflows/"+d.WorkflowID, "/deployments/"+d.DeploymentID
	made := s.JSON(t, http.StatusCreated, "POST", "/api/workflow-deployments", apptest.DeployBody(d.WorkflowID, map[string]string{
		"main.ts": `import { Builtin } from "floww"; import { say } from "./say";
new Builtin().triggers.onWebhook({ path: "other", handler: () => say("second") });`,
		"say.ts":  `export const say = (what: string) => { throw new Error("<i>" + what); };`,
		"old.txt": "x",
	}))
	second := "/deployments/" + made["id"].(string)
	hook := made["webhooks"].([]any)[0].(map[string]any)["path"].(string)

	wantText(t, b.Get(t, at+"/deployments"), "&lt;b&gt;mine", "2 in all", first, second, first+"/activate", ">active<", "one trigger", "by ")
	if page := string(b.Get(t, at+"/deployments").Body); strings.Contains(page, second+"/activate") {
		t.Error("the active deployment can be activated")
	}
	wantText(t, b.Get(t, second), "What it changed", "main.ts", `class="minus"`, `class="plus"`, "&lt;/code&gt;&lt;script&gt;first", "say.ts", ">added<", "builtin.onWebhook")
	wantText(t, b.Get(t, first), "It is the first one")
	wantText(t, b.Get(t, first+"?from="+strings.TrimPrefix(second, "/deployments/")), ">removed<")
	if to := b.Post(t, first+"/note", map[string]string{"note": `"><img src=x>`}).Location(t); to != first+"?done=saved" {
		t.Errorf("a note leads to %s", to)
	}
	wantText(t, b.Get(t, first), "&#34;&gt;&lt;img src=x&gt;")

	wantText(t, b.Get(t, at+"/code"), "say.ts", "runs first", `id="L2"`)
	apptest.Until(t, 30*time.Second, "colours, for which a busy machine may have no time", func() bool {
		code := string(b.Get(t, at+"/code").Body)
		return strings.Contains(code, `class="code-keyword">import</span>`) && strings.Contains(code, `class="code-text"`)
	})
	wantText(t, b.Get(t, at+"/code?file=old.txt"), `aria-current="page">old.txt`)
	wantText(t, b.Get(t, first+"/code"), "a deployment that is not active", "&lt;/code&gt;&lt;script&gt;first")
	run := s.Ended(t, s.Anonymous().Do(t, "POST", hook, "{}").Header.Get("X-Floww-Execution-Id"))
	wantText(t, b.Get(t, "/executions/"+run.ID), second+"/code?file=say.ts#L1", "Error: &lt;i&gt;second")

	asks := b.Get(t, first+"/activate")
	wantText(t, asks, "Activate this deployment?", "Triggers that are new: 1", "Triggers that go, whose addresses answer no more: 1", "POST "+hook, "POST /webhook/"+d.WorkflowID+"/in")
	if to := b.Post(t, first+"/activate", nil).Location(t); to != at+"/deployments?done=active" {
		t.Errorf("activated, and led to %s", to)
	}
	wantText(t, b.Get(t, at+"/deployments?done=active"), "The deployment is active", second+"/activate")
	d.Webhooks["POST in"] = "/webhook/" + d.WorkflowID + "/in"
	if got := d.Run(t, "{}"); got.Status != "completed" {
		t.Errorf("a run by the code before: %s", got.Status)
	}
	wantText(t, b.Get(t, first+"/activate"), "It is the active one already")

	for path, status := range map[string]int{
		at + "/code?file=none.ts": 404, at + "/code?file=../main.ts": 404, at + "/deployments?offset=x": 400, second + "?from=x": 404, second + "?from=" + d.WorkflowID: 404,
		"/deployments/x": 404, "/deployments/" + d.WorkflowID: 404,
	} {
		if r := b.Get(t, path, "Accept", "text/html"); r.Status != status {
			t.Errorf("GET %s: %d, want %d", path, r.Status, status)
		}
	}
	theirs := s.OtherTenant(t).Deploy(t, "theirs", apptest.Handler(`return 1`))
	foreign := "/deployments/" + theirs.DeploymentID
	for _, path := range []string{foreign, foreign + "/code", foreign + "/activate", first + "?from=" + theirs.DeploymentID, "/workflows/" + theirs.WorkflowID + "/code", "/workflows/" + theirs.WorkflowID + "/deployments"} {
		if r := b.Get(t, path, "Accept", "text/html"); r.Status != http.StatusNotFound {
			t.Errorf("GET %s: %d, want 404", path, r.Status)
		}
	}
	refusesOthers(t, s, second+"/activate")
	viewer := s.RoleClient(t, "viewer")
	for path, status := range map[string]int{at + "/code": 200, second: 200, second + "/code": 200, at + "/deployments": 200, second + "/activate": 403} {
		r := viewer.Do(t, "GET", path, nil, "Accept", "text/html")
		if r.Status != status || strings.Contains(string(r.Body), "Activate…") || strings.Contains(string(r.Body), ">Save<") {
			t.Errorf("GET %s by a viewer: %d, want %d, and nothing to do", path, r.Status, status)
		}
	}
	if r := viewer.Do(t, "POST", first+"/note", "note=x", "Content-Type", "application/x-www-form-urlencoded"); r.Status != http.StatusForbidden {
		t.Errorf("a note of a viewer: %d", r.Status)
	}
}
