package apptest

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"
)

// Deployed is a workflow with an active deployment.
type Deployed struct {
	client       *Client
	WorkflowID   string
	DeploymentID string
	// Webhooks are the paths of its webhooks, by "METHOD path" as the author
	// wrote the path.
	Webhooks map[string]string
}

// Namespace returns the id of the caller's only namespace.
func (c *Client) Namespace(t testing.TB) string {
	t.Helper()
	results := c.JSON(t, http.StatusOK, "GET", "/api/namespaces", nil)["results"].([]any)
	if len(results) != 1 {
		t.Fatalf("there are %d namespaces, want one", len(results))
	}
	return results[0].(map[string]any)["id"].(string)
}

// CreateWorkflow makes a workflow in the caller's only namespace and returns
// its id.
func (c *Client) CreateWorkflow(t testing.TB, name string) string {
	t.Helper()
	made := c.JSON(t, http.StatusCreated, "POST", "/api/workflows", map[string]any{
		"name": name, "namespaceId": c.Namespace(t),
	})
	return made["id"].(string)
}

// DeployBody is the request that deploys files to a workflow.
func DeployBody(workflowID string, files map[string]string) map[string]any {
	return map[string]any{
		"workflowId": workflowID,
		"code":       map[string]any{"entrypoint": "main.ts", "files": files},
	}
}

// Deploy makes a workflow with one file, main.ts.
func (c *Client) Deploy(t testing.TB, name, code string) *Deployed {
	t.Helper()
	d := &Deployed{client: c, WorkflowID: c.CreateWorkflow(t, name)}
	d.Redeploy(t, code)
	return d
}

// Redeploy gives the workflow new code.
func (d *Deployed) Redeploy(t testing.TB, code string) {
	t.Helper()
	made := d.client.JSON(t, http.StatusCreated, "POST", "/api/workflow-deployments",
		DeployBody(d.WorkflowID, map[string]string{"main.ts": code}))
	d.DeploymentID = made["id"].(string)
	d.Webhooks = map[string]string{}
	for _, w := range made["webhooks"].([]any) {
		hook := w.(map[string]any)
		path := hook["path"].(string)
		short := strings.TrimPrefix(path, "/webhook/"+d.WorkflowID+"/")
		d.Webhooks[hook["method"].(string)+" "+short] = path
	}
}

// Handler returns the code of a workflow with one webhook, POST /in, whose
// handler has the given body and the parameters ctx and event.
func Handler(body string) string {
	return `import { Builtin } from "floww";
const builtin = new Builtin();
builtin.triggers.onWebhook({ path: "in", handler: async (ctx: any, event: any) => {
` + body + `
}});
`
}

// Send calls POST /in and returns the execution's id, from the answer or, where
// the answer has a fixed body, from its header.
func (d *Deployed) Send(t testing.TB, body any, headers ...string) string {
	t.Helper()
	r := d.client.Anonymous().Do(t, "POST", d.Webhooks["POST in"], body, headers...)
	answer := struct{ ExecutionID string }{r.Header.Get("X-Floww-Execution-Id")}
	if err := json.Unmarshal(r.Body, &answer); err != nil || r.Status != http.StatusOK || answer.ExecutionID == "" {
		t.Fatalf("the webhook answers %s (%v), want 200 with an execution", r, err)
	}
	return answer.ExecutionID
}

// Execution is an execution as the API shows it.
type Execution struct {
	ID           string
	Status       string
	ErrorMessage string
	Attempt      int
	Result       json.RawMessage
	LogEntries   []LogEntry
}

// LogEntry is a line as the API shows it.
type LogEntry struct {
	ID, Level, Message, Timestamp string
}

// Messages returns the texts of the lines.
func (e Execution) Messages() []string {
	texts := make([]string, len(e.LogEntries))
	for i, l := range e.LogEntries {
		texts[i] = l.Message
	}
	return texts
}

// Final reports whether the execution has ended.
func (e Execution) Final() bool { return e.Status != "received" && e.Status != "started" }

// Execution returns an execution.
func (c *Client) Execution(t testing.TB, id string) Execution {
	t.Helper()
	r := c.Do(t, "GET", "/api/executions/"+id, nil)
	var e Execution
	if err := json.Unmarshal(r.Body, &e); err != nil || r.Status != http.StatusOK {
		t.Fatalf("execution %s: %s (%v)", id, r, err)
	}
	return e
}

// Ended waits for the end of an execution and returns it.
func (c *Client) Ended(t testing.TB, id string) Execution {
	t.Helper()
	var e Execution
	Until(t, 2*time.Minute, "the end of execution "+id, func() bool {
		e = c.Execution(t, id)
		return e.Final()
	})
	return e
}

// Run sends an event and waits for the end of its execution.
func (d *Deployed) Run(t testing.TB, body any, headers ...string) Execution {
	t.Helper()
	return d.client.Ended(t, d.Send(t, body, headers...))
}

// At is the same workflow through another server.
func (d *Deployed) At(c *Client) *Deployed {
	other := *d
	other.client = c
	return &other
}
