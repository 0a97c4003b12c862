package client

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const namespaceID = "01890a5d-ac96-774b-bcce-b302099a8058"

// backend is a server that speaks the shapes of the contract. It keeps
// workflows by name in one namespace.
type backend struct {
	t *testing.T
	// namespaces is the answer to C6.
	namespaces string
	// deployed is the answer to D2, with its status.
	status   int
	deployed string

	mu sync.Mutex
	// workflows has ids by name.
	workflows map[string]string
	// calls has the requests.
	calls []string
	// code is the last body of D2.
	code map[string]any
}

func newBackend(t *testing.T) *backend {
	return &backend{
		t:          t,
		namespaces: `{"results":[{"id":"` + namespaceID + `","organization":{"id":"o1","displayName":"Default"}}],"total":1}`,
		status:     http.StatusCreated,
		deployed: `{"id":"d1","workflowId":"w","status":"ACTIVE","webhooks":[
			{"id":"h1","method":"POST","path":"/webhook/w/hello","url":"http://host/webhook/w/hello","triggerId":"t1"},
			{"id":"h2","method":"GET","path":"/webhook/x","url":"http://host/webhook/x","triggerId":"t2"}]}`,
		workflows: map[string]string{},
	}
}

func (b *backend) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b.mu.Lock()
	defer b.mu.Unlock()
	call := r.Method + " " + r.URL.Path
	b.calls = append(b.calls, call)
	switch {
	case call == "GET /api/namespaces":
		answer(w, http.StatusOK, b.namespaces)
	case call == "GET /api/workflows":
		b.list(w, r)
	case call == "POST /api/workflows":
		b.create(w, r)
	case strings.HasPrefix(call, "GET /api/workflows/"):
		for name, id := range b.workflows {
			if strings.HasSuffix(call, id) {
				answer(w, http.StatusOK, `{"id":"`+id+`","name":"`+name+`"}`)
				return
			}
		}
		answer(w, http.StatusNotFound, `{"detail":"Workflow not found","error":"Workflow not found"}`)
	case call == "POST /api/workflow-deployments":
		b.code = decode(b.t, r)
		answer(w, b.status, b.deployed)
	default:
		b.t.Errorf("unexpected call %s", call)
	}
}

func (b *backend) create(w http.ResponseWriter, r *http.Request) {
	body := decode(b.t, r)
	name, _ := body["name"].(string)
	if body["namespaceId"] != namespaceID {
		b.t.Errorf("a workflow is made in %v", body["namespaceId"])
	}
	if _, taken := b.workflows[name]; taken {
		answer(w, http.StatusConflict, `{"detail":"A workflow with this name already exists"}`)
		return
	}
	b.workflows[name] = workflowID
	answer(w, http.StatusOK, `{"id":"`+workflowID+`","name":"`+name+`","namespaceId":"`+namespaceID+`"}`)
}

// list answers W1 with names that have the searched one in them; the first
// page is full of others.
func (b *backend) list(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	if query.Get("namespaceId") != namespaceID || query.Get("limit") != "100" {
		b.t.Errorf("workflows are listed with %s", r.URL.RawQuery)
	}
	results := []Workflow{}
	if query.Get("offset") == "0" {
		for range 100 {
			results = append(results, Workflow{ID: "other", Name: query.Get("search") + " 2", NamespaceID: namespaceID})
		}
	} else {
		name := query.Get("search")
		results = append(results, Workflow{ID: b.workflows[name], Name: name, NamespaceID: namespaceID})
	}
	text, err := json.Marshal(map[string]any{"results": results, "total": 101})
	if err != nil {
		b.t.Error(err)
	}
	answer(w, http.StatusOK, string(text))
}

func (b *backend) deploy(c *Client, dir string) (string, error) {
	var out strings.Builder
	_, err := c.DeployProject(b.t.Context(), dir, &out)
	return out.String(), err
}

const printed = "POST /webhook/w/hello → http://host/webhook/w/hello\nGET /webhook/x → http://host/webhook/x\n"

func TestDeployNewProject(t *testing.T) {
	t.Parallel()
	b := newBackend(t)
	c := serve(t, b)
	dir := project(t, map[string]string{
		"floww.yaml":   "# mine\nname: hello\ndescription: d\nentrypoint: src/main.ts\n",
		"src/main.ts":  "console.log(1)",
		"package.json": `{"dependencies":{"floww":"^0.0.34"}}`,
	})
	out, err := b.deploy(c, dir)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(printed, out); diff != "" {
		t.Errorf("printed (-want +got):\n%s", diff)
	}
	yaml := read(t, dir, "floww.yaml")
	if want := "# mine\nname: hello\ndescription: d\nentrypoint: src/main.ts\nworkflowId: " + workflowID + "\n"; yaml != want {
		t.Errorf("floww.yaml is now %q, want %q", yaml, want)
	}
	want := map[string]any{
		"workflowId": workflowID,
		"sdkVersion": "0.0.34",
		"code": map[string]any{"entrypoint": "src/main.ts", "files": map[string]any{
			"floww.yaml":   "# mine\nname: hello\ndescription: d\nentrypoint: src/main.ts\n",
			"src/main.ts":  "console.log(1)",
			"package.json": `{"dependencies":{"floww":"^0.0.34"}}`,
		}},
	}
	if diff := cmp.Diff(want, b.code); diff != "" {
		t.Errorf("deployed (-want +got):\n%s", diff)
	}
	b.calls = nil
	if _, err := b.deploy(c, dir); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"GET /api/workflows/" + workflowID, "POST /api/workflow-deployments"}, b.calls); diff != "" {
		t.Errorf("calls of the second deployment (-want +got):\n%s", diff)
	}
}

// TestDeployTakesWorkflowOfThatName is about a project whose floww.yaml was
// lost, or never written.
func TestDeployTakesWorkflowOfThatName(t *testing.T) {
	t.Parallel()
	b := newBackend(t)
	b.workflows["hello"] = workflowID
	dir := project(t, map[string]string{"floww.yaml": "name: hello", "main.ts": ""})
	out, err := b.deploy(serve(t, b), dir)
	if err != nil || out != printed {
		t.Fatalf("printed %q, error %v", out, err)
	}
	if yaml := read(t, dir, "floww.yaml"); !strings.Contains(yaml, workflowID) {
		t.Errorf("floww.yaml is %q", yaml)
	}
}

func TestDeployWithoutWebhooks(t *testing.T) {
	t.Parallel()
	b := newBackend(t)
	b.deployed = `{"id":"d1","webhooks":[]}`
	out, err := b.deploy(serve(t, b), project(t, map[string]string{"floww.yaml": "name: hello", "main.ts": ""}))
	if err != nil || out != "" {
		t.Errorf("printed %q, error %v", out, err)
	}
}

func TestDeployNamespace(t *testing.T) {
	t.Parallel()
	files := map[string]string{"floww.yaml": "name: hello", "main.ts": ""}
	t.Run("several", func(t *testing.T) {
		t.Parallel()
		b := newBackend(t)
		b.namespaces = `{"results":[{"id":"n1","organization":{"displayName":"One"}},{"id":"n2","organization":{"displayName":"Two"}}]}`
		c := serve(t, b)
		_, err := b.deploy(c, project(t, files))
		wantError(t, err, "there are 2 namespaces", "FLOWW_NAMESPACE", "\n  n1  One\n  n2  Two")
		c.Namespace = namespaceID
		if _, err := b.deploy(c, project(t, files)); err != nil {
			t.Errorf("with the namespace chosen: %v", err)
		}
	})
	t.Run("none", func(t *testing.T) {
		t.Parallel()
		b := newBackend(t)
		b.namespaces = `{"results":[]}`
		_, err := b.deploy(serve(t, b), project(t, files))
		wantError(t, err, "shows no namespace to this API key")
	})
}

func TestDeployFails(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name   string
		files  map[string]string
		status int
		answer string
		want   []string
	}{
		{"no floww.yaml", map[string]string{"main.ts": ""}, 0, "", []string{"there is no floww.yaml"}},
		{"compile error", map[string]string{"floww.yaml": "name: hello", "main.ts": "const"}, 400,
			`{"detail":"Deployment validation failed: main.ts:1:6: Expected identifier","errors":[{"location":"body.code.files.main.ts:1:6","message":"Expected identifier"}]}`,
			[]string{"Deployment validation failed: main.ts:1:6: Expected identifier"}},
		{"failed triggers", map[string]string{"floww.yaml": "name: hello", "main.ts": ""}, 400,
			`{"detail":{"message":"Failed to create one or more triggers","failed_triggers":[{"providerType":"builtin","triggerType":"onWebhook","error":"POST /webhook/a is taken"}]}}`,
			[]string{"Failed to create one or more triggers\n  builtin onWebhook: POST /webhook/a is taken"}},
		{"race", map[string]string{"floww.yaml": "name: hello", "main.ts": ""}, 409, `{"detail":"the workflow was deployed in between; deploy again"}`,
			[]string{"the workflow was deployed in between; deploy again"}},
		{"workflow of another server", map[string]string{"floww.yaml": "workflowId: " + namespaceID + "\nname: hello", "main.ts": ""}, 0, "",
			[]string{"has no workflow with the id " + namespaceID, `remove the line "workflowId" from`, "floww.yaml"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			b := newBackend(t)
			if tc.status != 0 {
				b.status, b.deployed = tc.status, tc.answer
			}
			out, err := b.deploy(serve(t, b), project(t, tc.files))
			wantError(t, err, tc.want...)
			if out != "" {
				t.Errorf("printed %q", out)
			}
		})
	}
}

// TestDeployUnwritableManifest tells what to write where the id cannot be
// written.
func TestDeployUnwritableManifest(t *testing.T) {
	t.Parallel()
	b := newBackend(t)
	dir := project(t, map[string]string{"floww.yaml": `{"name": "hello"}`, "main.ts": ""})
	_, err := b.deploy(serve(t, b), dir)
	wantError(t, err, `add the line "workflowId: `+workflowID+`" to `+filepath.Join(dir, "floww.yaml"))
}

func TestSDKVersion(t *testing.T) {
	t.Parallel()
	for manifest, want := range map[string]string{
		`{"dependencies":{"floww":"0.0.34"}}`:                         "0.0.34",
		`{"dependencies":{"floww":"^1.2.3-beta.1"}}`:                  "1.2.3-beta.1",
		`{"dependencies":{"floww":">= 0.1.0"}}`:                       "0.1.0",
		`{"dependencies":{"@floww/sdk":"~2.0.0"}}`:                    "2.0.0",
		`{"dependencies":{"floww":"latest"}}`:                         "",
		`{"dependencies":{"floww":"*"}}`:                              "",
		`{"dependencies":{"floww":"workspace:*"}}`:                    "",
		`{"dependencies":{"floww":"file:../floww"}}`:                  "",
		`{"dependencies":{"floww":"http://127.0.0.1/sdk/floww.tgz"}}`: "",
		`{"devDependencies":{"floww":"1.0.0"}}`:                       "",
		`{"dependencies":{"floww":1}}`:                                "",
		`not json`:                                                    "",
		``:                                                            "",
	} {
		if got := sdkVersion(manifest); got != want {
			t.Errorf("sdkVersion(%s) = %q, want %q", manifest, got, want)
		}
	}
}

// TestExamples deploys the examples of the repository, from copies.
func TestExamples(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"hello", "github-push"} {
		dir := t.TempDir()
		if err := os.CopyFS(dir, os.DirFS("../../examples/"+name)); err != nil {
			t.Fatal(err)
		}
		b := newBackend(t)
		if _, err := b.deploy(serve(t, b), dir); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if _, made := b.workflows[name]; !made {
			t.Errorf("%s made the workflows %v", name, b.workflows)
		}
	}
}
