package apptest_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/usefloww/flowwd/internal/apptest"
)

func TestCompileErrorsNameFileAndLine(t *testing.T) {
	t.Parallel()
	s := apptest.Start(t, apptest.Options{})
	id := s.CreateWorkflow(t, "broken")
	for name, tc := range map[string]struct {
		files map[string]string
		want  []string
	}{
		"syntax":            {map[string]string{"main.ts": "const a = 1;\nconst b = ;\n"}, []string{"main.ts:2:"}},
		"missing file":      {map[string]string{"main.ts": "import './gone';"}, []string{"main.ts:1:", "gone"}},
		"in another file":   {map[string]string{"main.ts": "import './lib/a';", "lib/a.ts": "\n\nlet x = {"}, []string{"lib/a.ts:3:"}},
		"node built-in":     {map[string]string{"main.ts": "import 'node:fs';"}, []string{"main.ts:1:", "node:fs"}},
		"missing package":   {map[string]string{"main.ts": "import 'left-pad';"}, []string{"main.ts:1:", "left-pad"}},
		"no entrypoint":     {map[string]string{"other.ts": ""}, []string{"main.ts"}},
		"top level throws":  {map[string]string{"main.ts": "import { Builtin } from 'floww';\nthrow new Error('at the top');"}, []string{"at the top", "main.ts:2"}},
		"top level loops":   {map[string]string{"main.ts": "for (;;) {}"}, []string{"5"}},
		"unknown option":    {map[string]string{"main.ts": "import { Builtin } from 'floww';\nnew Builtin().triggers.onWebhook({ path: 'a', handler() {}, retrys: 3 } as any);"}, []string{"retrys"}},
		"too long a run":    {map[string]string{"main.ts": "import { Builtin } from 'floww';\nnew Builtin().triggers.onWebhook({ path: 'a', handler() {}, timeout: 901 });"}, []string{"onWebhook", "901 seconds; at most 900"}},
		"too much memory":   {map[string]string{"main.ts": "import { Builtin } from 'floww';\nnew Builtin().triggers.onWebhook({ path: 'a', handler() {}, memory: 513 });"}, []string{"onWebhook", "513 MB", "at most 512"}},
		"too little memory": {map[string]string{"main.ts": "import { Builtin } from 'floww';\nnew Builtin().triggers.onWebhook({ path: 'a', handler() {}, memory: 15 });"}, []string{"memory", "at least 16"}},
		"nested too deep":   {map[string]string{"main.ts": strings.Repeat("(", 1_000_000)}, []string{"Deployment validation failed"}},
		"escaping file key": {map[string]string{"main.ts": "", "../x.ts": ""}, []string{"../x.ts"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := s.Do(t, "POST", "/api/workflow-deployments", apptest.DeployBody(id, tc.files))
			if r.Status != http.StatusBadRequest {
				t.Fatalf("answer %s, want 400", r)
			}
			for _, want := range tc.want {
				if !strings.Contains(string(r.Body), want) {
					t.Errorf("answer %s\nwant it to name %q", r, want)
				}
			}
		})
	}
	w := s.JSON(t, http.StatusOK, "GET", "/api/workflows/"+id, nil)
	if w["activeDeployment"] != nil {
		t.Errorf("a refused deployment became active: %v", w["activeDeployment"])
	}
}

func TestRefusedTriggersAreListed(t *testing.T) {
	t.Parallel()
	s := apptest.Start(t, apptest.Options{})
	id := s.CreateWorkflow(t, "twice")
	r := s.JSON(t, http.StatusBadRequest, "POST", "/api/workflow-deployments", apptest.DeployBody(id, map[string]string{
		"main.ts": apptest.Handler("") + `builtin.triggers.onWebhook({ path: "/in/", handler() {} });`,
	}))
	detail, ok := r["detail"].(map[string]any)
	if !ok {
		t.Fatalf("detail is %v, want an object", r["detail"])
	}
	failed, ok := detail["failed_triggers"].([]any)
	if !ok || len(failed) != 1 || !strings.Contains(failed[0].(map[string]any)["error"].(string), "two triggers") {
		t.Errorf("failed_triggers is %v", detail["failed_triggers"])
	}
	if text, ok := r["error"].(string); !ok || text == "" {
		t.Errorf("error is %v, want a text", r["error"])
	}
}

func TestRedeployKeepsAddresses(t *testing.T) {
	t.Parallel()
	s := apptest.Start(t, apptest.Options{})
	d := s.Deploy(t, "again", apptest.Handler(`return 1`))
	first, hook := d.DeploymentID, d.Webhooks["POST in"]
	d.Redeploy(t, apptest.Handler(`return 1`))
	if d.DeploymentID != first {
		t.Error("equal content made another deployment")
	}
	d.Redeploy(t, apptest.Handler(`return 2`))
	if d.DeploymentID == first || d.Webhooks["POST in"] != hook {
		t.Errorf("deployment %s, webhook %s; want a new one with the same address", d.DeploymentID, d.Webhooks["POST in"])
	}
	if e := d.Run(t, `{}`); string(e.Result) != "2" {
		t.Errorf("the new code gave %s", e.Result)
	}
	s.JSON(t, http.StatusOK, "PATCH", "/api/workflow-deployments/"+first, map[string]any{"status": "ACTIVE"})
	if e := d.Run(t, `{}`); string(e.Result) != "1" {
		t.Errorf("after going back the code gave %s", e.Result)
	}
	d.Redeploy(t, `import { Builtin } from "floww"; new Builtin().triggers.onWebhook({ path: "new", handler() {} });`)
	if r := s.Anonymous().Do(t, "POST", hook, `{}`); r.Status != http.StatusNotFound {
		t.Errorf("the webhook that is declared no more: %s, want 404", r)
	}
}

// Of deployments at the same time each one is whole: accepted, or refused with
// a conflict.
func TestConcurrentDeployments(t *testing.T) {
	t.Parallel()
	s := apptest.Start(t, apptest.Options{})
	d := s.Deploy(t, "race", apptest.Handler(`return "start"`))
	var all sync.WaitGroup
	results := make([]apptest.Response, 6)
	for i := range results {
		all.Go(func() {
			code := apptest.Handler(`return "` + string(rune('a'+i)) + `"`)
			results[i], _ = s.Try("POST", "/api/workflow-deployments", apptest.DeployBody(d.WorkflowID, map[string]string{"main.ts": code}))
		})
	}
	all.Wait()
	accepted := 0
	for _, r := range results {
		switch r.Status {
		case http.StatusCreated:
			accepted++
		case http.StatusConflict:
		default:
			t.Errorf("answer %s, want 201 or 409", r)
		}
	}
	if accepted == 0 {
		t.Error("no deployment was accepted")
	}
	list := s.JSON(t, http.StatusOK, "GET", "/api/workflow-deployments?workflowId="+d.WorkflowID, nil)
	active := 0
	for _, item := range list["results"].([]any) {
		if item.(map[string]any)["status"] == "ACTIVE" {
			active++
		}
	}
	if active != 1 || list["total"] != float64(accepted+1) {
		t.Errorf("%d active of %v deployments, want one of %d", active, list["total"], accepted+1)
	}
	if e := d.Run(t, `{}`); e.Status != "completed" {
		t.Errorf("the run is %s: %s", e.Status, e.ErrorMessage)
	}
}

func TestModulesOfADeployment(t *testing.T) {
	t.Parallel()
	s := apptest.Start(t, apptest.Options{})
	id := s.CreateWorkflow(t, "modules")
	made := s.JSON(t, http.StatusCreated, "POST", "/api/workflow-deployments", apptest.DeployBody(id, map[string]string{
		"main.ts": `import { Builtin } from "floww";
import { greet } from "./lib/greet";
import data from "./data.json";
import pad from "padder";
new Builtin().triggers.onWebhook({ path: "in", handler: () => pad(greet(data.name)) });`,
		"lib/greet.ts":                     `export const greet = (name: string): string => "hello " + name;`,
		"data.json":                        `{"name":"ada"}`,
		"node_modules/padder/package.json": `{"name":"padder","main":"lib/index.js"}`,
		"node_modules/padder/lib/index.js": `module.exports = function (s) { return "[" + s + "]"; };`,
	}))
	hook := made["webhooks"].([]any)[0].(map[string]any)
	if hook["url"] != s.URL+hook["path"].(string) {
		t.Errorf("the webhook's URL is %v", hook["url"])
	}
	answer := s.Anonymous().JSON(t, http.StatusOK, "POST", hook["path"].(string), `{}`)
	if e := s.Ended(t, answer["executionId"].(string)); string(e.Result) != `"[hello ada]"` {
		t.Errorf("the run is %s with %s: %s", e.Status, e.Result, e.ErrorMessage)
	}
}
