package apptest_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/usefloww/flowwd/internal/apptest"
	"github.com/usefloww/flowwd/internal/realtimetest"
)

// clockAhead is a clock that a test moves forward.
type clockAhead struct{ ahead atomic.Int64 }

func (c *clockAhead) now() time.Time       { return time.Now().Add(time.Duration(c.ahead.Load())) }
func (c *clockAhead) pass(d time.Duration) { c.ahead.Add(int64(d)) }

// hook is a webhook trigger as command lines send it.
func hook(path string) map[string]any {
	return map[string]any{
		"type": "webhook", "providerType": "builtin", "providerAlias": "default", "triggerType": "onWebhook",
		"input": map[string]any{"path": path, "method": "POST"}, "path": path, "method": "POST",
	}
}

// syncDev syncs triggers as the command line does and returns the answer.
func syncDev(t *testing.T, c *apptest.Client, workflow string, triggers ...map[string]any) map[string]any {
	t.Helper()
	body := map[string]any{"workflowId": workflow, "triggers": append([]map[string]any{}, triggers...)}
	return c.JSON(t, http.StatusOK, "POST", "/api/dev/sync-triggers", body)
}

// urls are the addresses of the webhooks in an answer, without the server's.
func urls(t *testing.T, c *apptest.Client, answer map[string]any) []string {
	t.Helper()
	all := []string{}
	for _, w := range answer["webhooks"].([]any) {
		all = append(all, strings.TrimPrefix(w.(map[string]any)["url"].(string), c.URL))
	}
	return all
}

// develop connects as the command line does: by its own credential, and to both
// channels.
func develop(t *testing.T, c *apptest.Client, workflow string) (*realtimetest.Client, *realtimetest.Subscription) {
	t.Helper()
	line := realtimetest.Connect(t, "ws"+strings.TrimPrefix(c.URL, "http")+"/ws/connection/websocket", c.Key)
	if _, err := line.Subscribe("workflow:events"); err != nil {
		t.Fatal(err)
	}
	heard, err := line.Subscribe("workflow:" + workflow)
	if err != nil {
		t.Fatal(err)
	}
	// The client may know of its subscription a moment before the server does.
	me := c.JSON(t, http.StatusOK, "GET", "/api/whoami", nil)["id"]
	apptest.Until(t, 10*time.Second, "the session to have its developer", func() bool {
		list := c.JSON(t, http.StatusOK, "GET", "/api/dev/sessions?workflowId="+workflow, nil)["results"].([]any)
		return !slices.ContainsFunc(list, func(x any) bool {
			session := x.(map[string]any)
			return session["developerId"] == me && session["connected"] == false
		})
	})
	return line, heard
}

// devEvent is an event as the published command line reads it.
type devEvent struct {
	Type      string            `json:"type"`
	Path      string            `json:"path"`
	Method    string            `json:"method"`
	Headers   map[string]string `json:"headers"`
	Body      any               `json:"body"`
	Query     map[string]string `json:"query"`
	AuthToken string            `json:"auth_token"`
	Backend   string            `json:"backend_url"`
	Trigger   struct {
		ProviderType  string         `json:"provider_type"`
		ProviderAlias string         `json:"provider_alias"`
		TriggerType   string         `json:"trigger_type"`
		Input         map[string]any `json:"input"`
	} `json:"trigger_metadata"`
	ExecutionID string `json:"execution_id"`
}

// completed counts the runs of a workflow that the deployed code has completed.
func completed(t *testing.T, c *apptest.Client, workflow string) int {
	t.Helper()
	return int(c.JSON(t, http.StatusOK, "GET", "/api/executions/workflows/"+workflow+"?status=completed", nil)["total"].(float64))
}

func readDev(t *testing.T, e realtimetest.Event) devEvent {
	t.Helper()
	var d devEvent
	if err := json.Unmarshal(e.Raw, &d); err != nil {
		t.Fatal(err)
	}
	return d
}

// While its developer is connected, a session takes the events of its triggers;
// before, after, and for other triggers the deployed code runs.
func TestDevTakesEvents(t *testing.T) {
	t.Parallel()
	var clock clockAhead
	s := apptest.Start(t, apptest.Options{Now: clock.now})
	d := s.Deploy(t, "shop", apptest.Handler(`return "deployed"`))
	answer := syncDev(t, s.Client, d.WorkflowID, hook("in"), hook("new"))
	path := "/webhook/" + d.WorkflowID
	if diff := cmp.Diff([]string{path + "/in", path + "/new"}, urls(t, s.Client, answer)); diff != "" {
		t.Errorf("webhooks (-want +got):\n%s", diff)
	}
	if e := d.Run(t, `{}`); string(e.Result) != `"deployed"` {
		t.Errorf("before the developer is connected, a run is %s with %s", e.Status, e.Result)
	}

	line, heard := develop(t, s.Client, d.WorkflowID)
	before := completed(t, s.Client, d.WorkflowID)
	r := s.Anonymous().Do(t, "POST", d.Webhooks["POST in"]+"?a=1&a=2", `{"name": "Ada"}`,
		"Authorization", "Bearer theirs", "Cookie", "a=b", "X-Hub-Signature-256", "sha256=x", "X-Gitlab-Token", "t", "X-Event", "push", "Content-Type", "application/json")
	var answered map[string]string
	if err := json.Unmarshal(r.Body, &answered); err != nil || r.Status != 200 || answered["status"] != "invoked" || answered["executionId"] == "" {
		t.Errorf("the sender is answered %s, want what it is in production", r)
	}
	events := heard.Until("webhook")
	got := readDev(t, events[len(events)-1])
	if got.Path != path+"/in" || got.Method != "POST" || got.Query["a"] != "2" || got.Backend != s.URL || got.ExecutionID != answered["executionId"] ||
		got.Trigger.ProviderType != "builtin" || got.Trigger.ProviderAlias != "default" || got.Trigger.TriggerType != "onWebhook" {
		t.Errorf("the event is %+v", got)
	}
	if diff := cmp.Diff(map[string]any{"path": "in", "method": "POST"}, got.Trigger.Input); diff != "" {
		t.Errorf("input (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]any{"name": "Ada"}, got.Body); diff != "" {
		t.Errorf("body (-want +got):\n%s", diff)
	}
	for _, name := range []string{"authorization", "cookie", "x-hub-signature-256", "x-gitlab-token"} {
		if value, there := got.Headers[name]; there {
			t.Errorf("the developer is told %s: %s", name, value)
		}
	}
	if got.Headers["x-event"] != "push" {
		t.Errorf("headers %v lack x-event", got.Headers)
	}
	if strings.Count(got.AuthToken, ".") != 2 {
		t.Errorf("the token is %q", got.AuthToken)
	}
	run := s.As(got.AuthToken)
	if r := run.Do(t, "GET", "/api/workflows", nil); r.Status != http.StatusForbidden {
		t.Errorf("the token of a run opens the API: %s", r)
	}
	run.JSON(t, http.StatusOK, "PUT", "/api/kv/default/mine/k", `{"value":1}`)
	run.JSON(t, http.StatusOK, "POST", "/api/kv/default/mine/k/increment", `{"by":2}`)
	if e := s.Execution(t, got.ExecutionID); e.Status != "no_deployment" || !strings.HasPrefix(e.ErrorMessage, "Sent to dev") {
		t.Errorf("the execution is %s: %s", e.Status, e.ErrorMessage)
	}
	if completed(t, s.Client, d.WorkflowID) != before {
		t.Errorf("the deployed code ran too")
	}
	// A trigger that no deployment has.
	if r := s.Anonymous().Do(t, "POST", path+"/new", `a=1&b=2`, "Content-Type", "application/x-www-form-urlencoded"); !strings.Contains(string(r.Body), "only sent to dev mode") {
		t.Errorf("the sender is answered %s", r)
	}
	events = heard.Until("webhook")
	if got := readDev(t, events[len(events)-1]); got.Path != path+"/new" || cmp.Diff(map[string]any{"a": "1", "b": "2"}, got.Body) != "" {
		t.Errorf("the second event is %+v", got)
	}

	// Its developer is gone.
	line.Close()
	apptest.Until(t, 10*time.Second, "the deployed code to run again", func() bool {
		return string(d.Run(t, `{}`).Result) == `"deployed"`
	})
	if r := s.Anonymous().Do(t, "POST", path+"/new", `{}`); r.Status != http.StatusOK {
		t.Errorf("within the grace time: %s", r)
	}
	clock.pass(2 * time.Minute)
	apptest.Until(t, 10*time.Second, "the triggers of the session to be gone", func() bool {
		return s.Anonymous().Do(t, "POST", path+"/new", `{}`).Status == http.StatusNotFound
	})
	if r := run.Do(t, "GET", "/api/kv/default/mine/k", nil); r.Status != http.StatusUnauthorized {
		t.Errorf("after the session the token of its run opens the tables: %s", r)
	}
	if e := d.Run(t, `{}`); string(e.Result) != `"deployed"` {
		t.Errorf("after the session a run is %s with %s", e.Status, e.Result)
	}
}

// Sessions outlive the server: the command line connects again and gets events
// as before.
func TestDevSurvivesARestart(t *testing.T) {
	t.Parallel()
	s := apptest.Start(t, apptest.Options{})
	d := s.Deploy(t, "shop", apptest.Handler(`return "deployed"`))
	syncDev(t, s.Client, d.WorkflowID, hook("in"), hook("new"))
	_, heard := develop(t, s.Client, d.WorkflowID)
	d.Send(t, `{"n": 1}`)
	heard.Until("webhook")
	s.Stop(t)
	again := apptest.Start(t, apptest.Options{DataDir: s.DataDir})
	c := again.As(s.Key)
	if e := d.At(c).Run(t, `{}`); string(e.Result) != `"deployed"` {
		t.Errorf("while the developer is away, a run is %s with %s", e.Status, e.Result)
	}
	_, heard = develop(t, c, d.WorkflowID)
	d.At(c).Send(t, `{"n": 2}`)
	events := heard.Until("webhook")
	if got := readDev(t, events[len(events)-1]); cmp.Diff(map[string]any{"n": 2.0}, got.Body) != "" {
		t.Errorf("after the restart the event is %+v", got)
	}
	if r := c.Anonymous().Do(t, "POST", "/webhook/"+d.WorkflowID+"/new", `{}`); r.Status != http.StatusOK {
		t.Errorf("the session's own trigger: %s", r)
	}
	heard.Until("webhook")
}

// The events of a session are for who develops and nobody else, least of all the
// token; several who develop get each of them.
func TestDevIsForDevelopers(t *testing.T) {
	t.Parallel()
	s := apptest.Start(t, apptest.Options{})
	d := s.Deploy(t, "shop", apptest.Handler(`return "deployed"`))
	ada, grace, viewer := s.RoleClient(t, "member"), s.RoleClient(t, "member"), s.RoleClient(t, "viewer")
	syncDev(t, ada.Client, d.WorkflowID, hook("in"))
	syncDev(t, grace.Client, d.WorkflowID, hook("in"), hook("new"))
	_, first := develop(t, ada.Client, d.WorkflowID)
	_, second := develop(t, grace.Client, d.WorkflowID)
	_, watching := develop(t, viewer.Client, d.WorkflowID)
	x := d.Send(t, `{}`)
	for _, heard := range []*realtimetest.Subscription{first, second} {
		events := heard.Until("webhook")
		if got := readDev(t, events[len(events)-1]); got.ExecutionID != x || got.AuthToken == "" {
			t.Errorf("a developer is told %+v", got)
		}
	}
	if r := s.Anonymous().Do(t, "POST", "/webhook/"+d.WorkflowID+"/new", `{}`); r.Status != http.StatusOK {
		t.Errorf("the second developer's trigger: %s", r)
	}
	second.Until("webhook")
	for _, heard := range []*realtimetest.Subscription{watching, first} {
		events := append(heard.Until("workflow.execution.no_deployment"), heard.Until("workflow.execution.no_deployment")...)
		for _, e := range events {
			if e.Type == "webhook" || heard == watching && strings.Contains(string(e.Raw), "auth") {
				t.Errorf("heard %s, which is for others", e.Raw)
			}
		}
	}
	list := viewer.JSON(t, http.StatusOK, "GET", "/api/dev/sessions?workflowId="+d.WorkflowID, nil)["results"].([]any)
	if len(list) != 2 || list[0].(map[string]any)["connected"] != true || list[0].(map[string]any)["developerId"] != ada.AccountID {
		t.Errorf("sessions %v", list)
	}
}

// What a session asks for beside the usual: both run it, by hand, large bodies.
func TestDevVariants(t *testing.T) {
	t.Parallel()
	s := apptest.Start(t, apptest.Options{})
	d := s.Deploy(t, "shop", apptest.Handler(`return "deployed"`)+`
builtin.triggers.onManual({ name: "Greet", handler: async () => "deployed" });`)
	manual := map[string]any{
		"type": "manual", "provider_type": "builtin", "provider_alias": "default", "trigger_type": "onManual", "input": map[string]any{"name": "Greet"},
	}
	realtime := map[string]any{"type": "realtime", "channel": "x"}
	_, heard := develop(t, s.Client, d.WorkflowID)
	s.JSON(t, http.StatusOK, "POST", "/api/dev/sync-triggers", map[string]any{
		"workflow_id": d.WorkflowID, "triggers": []any{hook("in"), manual, realtime}, "mirror": true,
		"provider_mappings": map[string]any{"builtin": map[string]any{"default": "x"}},
	})
	if e := d.Run(t, `{"n": 1}`); string(e.Result) != `"deployed"` {
		t.Errorf("mirrored, a run is %s with %s", e.Status, e.Result)
	}
	heard.Until("webhook")
	// Without the mirror, the next sync says so.
	syncDev(t, s.Client, d.WorkflowID, hook("in"), manual)
	triggers := s.JSON(t, http.StatusOK, "GET", "/api/triggers/workflows/"+d.WorkflowID+"/manual", nil)["triggers"].([]any)
	invoked := s.JSON(t, http.StatusOK, "POST", "/api/triggers/"+triggers[0].(map[string]any)["id"].(string)+"/invoke", map[string]any{"input_data": map[string]any{"name": "Ada"}})
	events := heard.Until("webhook")
	got := readDev(t, events[len(events)-1])
	if got.Trigger.TriggerType != "onManual" || got.ExecutionID != invoked["executionId"] && got.ExecutionID != invoked["execution_id"] || got.Headers == nil || got.Query == nil {
		t.Errorf("by hand: %s", events[len(events)-1].Raw)
	}
	if body, ok := got.Body.(map[string]any); !ok || cmp.Diff(map[string]any{"name": "Ada"}, body["input_data"]) != "" {
		t.Errorf("by hand the body is %v", got.Body)
	}
	large := strings.Repeat("x", 300<<10)
	x := d.Send(t, `"`+large+`"`)
	events = heard.Until("webhook")
	got = readDev(t, events[len(events)-1])
	reference, ok := got.Body.(map[string]any)
	if !ok || reference["truncated"] != true || reference["bytes"] != float64(len(large)+2) {
		t.Fatalf("a large body is told as %.200v", got.Body)
	}
	if r := s.Do(t, "GET", reference["url"].(string), nil); r.Status != 200 || string(r.Body) != `"`+large+`"` || r.Header.Get("Content-Disposition") == "" {
		t.Errorf("the reference to the body of %s leads to %d and %d bytes", x, r.Status, len(r.Body))
	}
	if r := s.OtherTenant(t).Do(t, "GET", reference["url"].(string), nil); r.Status != http.StatusNotFound {
		t.Errorf("another tenant reads the body: %s", r)
	}
	// The owner of the workflow has the last word.
	session := s.JSON(t, http.StatusOK, "GET", "/api/dev/sessions?workflowId="+d.WorkflowID, nil)["results"].([]any)[0].(map[string]any)["id"].(string)
	if r := s.OtherTenant(t).Do(t, "DELETE", "/api/dev/sessions/"+session, nil); r.Status != http.StatusNotFound {
		t.Errorf("another tenant ends a session: %s", r)
	}
	s.JSON(t, http.StatusOK, "DELETE", "/api/dev/sessions/"+session, nil)
	if e := d.Run(t, `{}`); string(e.Result) != `"deployed"` {
		t.Errorf("after the end a run is %s with %s", e.Status, e.Result)
	}
}

// A page in a browser of the developer is not the command line: it takes no
// events and hears none.
func TestDevIsNoPage(t *testing.T) {
	t.Parallel()
	s, _ := withAdmin(t)
	b := loggedIn(t, s)
	d := b.Deploy(t, "shop", apptest.Handler(`return "deployed"`))
	syncDev(t, b.Client, d.WorkflowID, hook("in"))
	page := realtimetest.ConnectWith(t, "ws"+strings.TrimPrefix(s.URL, "http")+"/ws/connection/websocket", "Cookie", "session="+b.Cookie(t, "session"))
	seen, err := page.Subscribe("workflow:" + d.WorkflowID)
	if err != nil {
		t.Fatal(err)
	}
	if e := d.Run(t, `{}`); string(e.Result) != `"deployed"` {
		t.Errorf("with a page alone, a run is %s with %s", e.Status, e.Result)
	}
	for _, e := range seen.Until("workflow.execution.completed") {
		if e.Type == "webhook" {
			t.Errorf("a page hears %s", e.Raw)
		}
	}
}

// Whoever may do less than before develops no more.
func TestDevEndsWithTheRight(t *testing.T) {
	t.Parallel()
	s := apptest.Start(t, apptest.Options{Way: apptest.Anyone{}})
	owner, guest := s.Person(t, "owner"), s.Person(t, "guest")
	home := owner.Organization
	s.Join(t, home, guest, "member")
	d := owner.Deploy(t, "shop", apptest.Handler(`return "deployed"`))
	syncDev(t, guest.Client, d.WorkflowID, hook("in"), hook("new"))
	_, heard := develop(t, guest.Client, d.WorkflowID)
	d.Send(t, `{}`)
	heard.Until("webhook")
	owner.JSON(t, http.StatusOK, "PATCH", "/api/organizations/"+home+"/members/"+guest.ID, map[string]any{"role": "viewer"})
	apptest.Until(t, 10*time.Second, "the deployed code to run", func() bool { return string(d.Run(t, `{}`).Result) == `"deployed"` })
	apptest.Until(t, 10*time.Second, "the session's triggers to be gone", func() bool {
		return s.Anonymous().Do(t, "POST", "/webhook/"+d.WorkflowID+"/new", `{}`).Status == http.StatusNotFound
	})
	guest.JSON(t, http.StatusForbidden, "POST", "/api/dev/sync-triggers", map[string]any{"workflowId": d.WorkflowID, "triggers": []any{hook("in")}})
}

func TestDevRefusals(t *testing.T) {
	t.Parallel()
	s := apptest.Start(t, apptest.Options{})
	d := s.Deploy(t, "shop", apptest.Handler(`return 1`))
	other, viewer := s.OtherTenant(t), s.RoleClient(t, "viewer")
	body := func(workflow string, triggers ...any) map[string]any {
		return map[string]any{"workflowId": workflow, "triggers": append([]any{}, triggers...)}
	}
	bad := hook("x")
	bad["input"] = map[string]any{"path": "x", "method": "BREW"}
	foreign := hook("x")
	foreign["providerType"] = "slack"
	respelled := hook("in/")
	many := make([]any, 1001)
	for i := range many {
		many[i] = hook("x")
	}
	for what, c := range map[string]struct {
		client *apptest.Client
		body   any
		status int
		text   string
	}{
		"another tenant":         {other, body(d.WorkflowID, hook("in")), http.StatusNotFound, "Workflow not found"},
		"a viewer":               {viewer.Client, body(d.WorkflowID, hook("in")), http.StatusForbidden, "workflow.deploy"},
		"nobody":                 {s.Anonymous(), body(d.WorkflowID), http.StatusUnauthorized, ""},
		"no workflow":            {s.Client, body("x"), http.StatusNotFound, "Workflow not found"},
		"an id of none":          {s.Client, body("00000000-0000-0000-0000-000000000000"), http.StatusNotFound, "Workflow not found"},
		"nothing":                {s.Client, `{}`, http.StatusBadRequest, "workflowId"},
		"no list":                {s.Client, `{"workflowId": "` + d.WorkflowID + `", "triggers": 1}`, http.StatusBadRequest, "triggers"},
		"a text as a trigger":    {s.Client, `{"workflowId": "` + d.WorkflowID + `", "triggers": ["x"]}`, http.StatusBadRequest, "triggers"},
		"no JSON":                {s.Client, `{"workflowId":`, http.StatusBadRequest, "not JSON"},
		"a wrong input":          {s.Client, body(d.WorkflowID, bad), http.StatusBadRequest, `"failed_triggers"`},
		"an unknown provider":    {s.Client, body(d.WorkflowID, foreign), http.StatusBadRequest, `"failed_triggers"`},
		"an address of the code": {s.Client, body(d.WorkflowID, respelled), http.StatusBadRequest, `"failed_triggers"`},
		"too many":               {s.Client, body(d.WorkflowID, many...), http.StatusBadRequest, "at most 1000"},
	} {
		if r := c.client.Do(t, "POST", "/api/dev/sync-triggers", c.body); r.Status != c.status || !strings.Contains(string(r.Body), c.text) {
			t.Errorf("%s: %d %.300s, want %d with %s", what, r.Status, r.Body, c.status, c.text)
		}
	}
	if list := s.JSON(t, http.StatusOK, "GET", "/api/dev/sessions?workflowId="+d.WorkflowID, nil)["results"].([]any); len(list) != 0 {
		t.Errorf("refused syncs made %v", list)
	}
	other.JSON(t, http.StatusNotFound, "GET", "/api/dev/sessions?workflowId="+d.WorkflowID, nil)
}

// Deploying while somebody develops: the deployment gets what it declares, the
// developer keeps the rest.
func TestDevAndDeploying(t *testing.T) {
	t.Parallel()
	s := apptest.Start(t, apptest.Options{})
	w := s.CreateWorkflow(t, "shop")
	answer := syncDev(t, s.Client, w, hook("in"), hook("new"))
	before := answer["webhooks"].([]any)[0].(map[string]any)["triggerId"]
	line, heard := develop(t, s.Client, w)
	made := s.JSON(t, http.StatusCreated, "POST", "/api/workflow-deployments", apptest.DeployBody(w, map[string]string{"main.ts": apptest.Handler(`return "deployed"`)}))
	if hooks := made["webhooks"].([]any); len(hooks) != 1 || hooks[0].(map[string]any)["triggerId"] != before {
		t.Errorf("deployed with %v, want the trigger %v alone", hooks, before)
	}
	for _, path := range []string{"in", "new"} {
		if r := s.Anonymous().Do(t, "POST", "/webhook/"+w+"/"+path, `{}`); r.Status != http.StatusOK {
			t.Errorf("%s: %s", path, r)
		}
		events := heard.Until("webhook")
		if got := readDev(t, events[len(events)-1]); !strings.HasSuffix(got.Path, path) {
			t.Errorf("told %s, want %s", got.Path, path)
		}
	}
	line.Close()
	apptest.Until(t, 10*time.Second, "the deployed code to run", func() bool {
		r := s.Anonymous().Do(t, "POST", "/webhook/"+w+"/in", `{}`)
		return s.Ended(t, r.Header.Get("X-Floww-Execution-Id")).Status == "completed"
	})
}
