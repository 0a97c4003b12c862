package apptest_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/usefloww/flowwd/internal/apptest"
)

// What is refused says what was wrong, and leaves all as it was: the code that
// runs, its triggers and addresses, and the executions.
func TestRefusalsChangeNothing(t *testing.T) {
	t.Parallel()
	s := apptest.Start(t, apptest.Options{})
	d := s.Deploy(t, "steady", `import { Builtin } from "floww";
const builtin = new Builtin();
builtin.triggers.onWebhook({ path: "in", handler() { return 1 } });
builtin.triggers.onManual({ name: "form", input_schema: { type: "object", required: ["n"], properties: { n: { type: "integer" } } }, handler() {} });`)
	other := s.Deploy(t, "other", apptest.Handler(`return 2`))
	d.Run(t, `{}`)
	var manual string
	for _, x := range results(s.JSON(t, http.StatusOK, "GET", "/api/triggers?workflowId="+d.WorkflowID, nil)) {
		if x["triggerType"] == "onManual" {
			manual = x["id"].(string)
		}
	}
	state := func() map[string]any {
		t.Helper()
		all := map[string]any{}
		for _, path := range []string{
			"/api/workflows/" + d.WorkflowID, "/api/triggers?workflowId=" + d.WorkflowID, "/api/workflow-deployments?workflowId=" + d.WorkflowID,
			"/api/executions?workflowId=" + d.WorkflowID, "/api/triggers?workflowId=" + other.WorkflowID,
		} {
			all[path] = s.JSON(t, http.StatusOK, "GET", path, nil)
		}
		return all
	}
	before := state()
	hook := func(path string) string {
		return `import { Builtin, Secret } from "floww"; const b = new Builtin(); b.triggers.onWebhook({ path: "new", handler() {} }); b.triggers.onWebhook({ path: "` + path + `", handler() {} });`
	}
	for _, c := range []struct {
		what, code string
		says       []string
	}{
		{"two routes of one address", hook("new/"), []string{"two triggers", "failed_triggers"}},
		{"a route of one shape twice", hook("a/:x") + `b.triggers.onWebhook({ path: "a/:y", handler() {} });`, []string{"failed_triggers"}},
		{"a secret that is missing", `import { z } from "zod";` + hook("in") + `new Secret("vault", z.object({ token: z.string() }));`, []string{"vault"}},
		{"a schedule that is none", hook("in") + `b.triggers.onCron({ expression: "61 * * * *", handler() {} });`, []string{"failed_triggers", "61"}},
		{"a schema that is none", hook("in") + `b.triggers.onManual({ name: "x", input_schema: { type: "nothing" }, handler() {} });`, []string{"failed_triggers"}},
		{"code that throws", hook("in") + `throw new Error("on purpose");`, []string{"on purpose"}},
		{"code that does not compile", hook("in") + `const = 1;`, []string{"main.ts"}},
	} {
		r := s.Do(t, "POST", "/api/workflow-deployments", apptest.DeployBody(d.WorkflowID, map[string]string{"main.ts": c.code}))
		if r.Status != http.StatusBadRequest {
			t.Errorf("%s: %s, want 400", c.what, r)
		}
		for _, text := range c.says {
			if !strings.Contains(string(r.Body), text) {
				t.Errorf("%s: %s does not say %q", c.what, r, text)
			}
		}
		if diff := cmp.Diff(before, state()); diff != "" {
			t.Errorf("%s changed something: %s", c.what, diff)
		}
	}
	for body, says := range map[string]string{
		`{"inputData":{}}`: "Input validation failed: missing property 'n'", `{"inputData":{"n":"1"}}`: "Input validation failed: n",
		`{"inputData":[]}`: "", `{"inputData":{"n":1},"runAt":"2999-01-01T00:00:00Z"}`: "",
	} {
		r := s.Do(t, "POST", "/api/triggers/"+manual+"/invoke", body)
		if r.Status != http.StatusBadRequest || !strings.Contains(string(r.Body), says) {
			t.Errorf("%s: %s, want 400 with %q", body, r, says)
		}
	}
	if diff := cmp.Diff(before, state()); diff != "" {
		t.Errorf("input that is refused changed something: %s", diff)
	}
	if e := d.Run(t, `{}`); string(e.Result) != "1" {
		t.Errorf("the code that was there gave %s", e.Result)
	}
	// E7 counts what ran, for everybody in the organization and nobody else.
	sum := s.JSON(t, http.StatusOK, "GET", "/api/summary?days=2&namespace_id="+s.Namespace(t), nil)
	if len(sum["executions_by_day"].([]any)) != 2 || sum["total_completed"] != 2.0 || sum["total_executions"] != 2.0 || sum["total_failed"] != 0.0 {
		t.Errorf("summary %v", sum)
	}
	problem(t, s.OtherTenant(t), http.StatusNotFound, "GET", "/api/summary?namespace_id="+s.Namespace(t), nil)
}
