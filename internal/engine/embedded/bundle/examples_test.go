package bundle

import (
	"encoding/json"
	"io/fs"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// example runs an example of the repository and returns its script.
func example(t *testing.T, name string) *script {
	t.Helper()
	files := tree{}
	root := os.DirFS("../../../../examples/" + name)
	err := fs.WalkDir(root, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := fs.ReadFile(root, path)
		files[path] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return run(t, files, "main.ts")
}

func TestExampleHello(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ name, event, log, result string }{
		{"JSON", `{"method":"POST","path":"/webhook/w1/hello","headers":{"user-agent":"curl/8"},"body":{"name":"Ada"}}`,
			"Hello, Ada!\nPOST /webhook/w1/hello, 3 bytes from curl/8\nRun e1, attempt 1", `{"greeted":"Ada"}`},
		{"no body", `{"method":"POST","path":"/webhook/w1/hello","headers":{},"body":null}`,
			"Hello, world!\nPOST /webhook/w1/hello, 3 bytes from undefined\nRun e1, attempt 1", `{"greeted":"world"}`},
		{"text", `{"method":"POST","path":"/webhook/w1/hello","headers":{},"body":"hi"}`,
			"Hello, world!\nPOST /webhook/w1/hello, 3 bytes from undefined\nRun e1, attempt 1", `{"greeted":"world"}`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			s := example(t, "hello")
			if got := s.invoke(tc.event); got != tc.result {
				t.Errorf("the handler returned %s, want %s", got, tc.result)
			}
			if diff := cmp.Diff(tc.log, s.log()); diff != "" {
				t.Errorf("log (-want +got):\n%s", diff)
			}
		})
	}
}

// push is a delivery in GitHub's shape, with what the example reads.
const push = `{
	"ref": "refs/heads/feature/x", "before": "0123456789012345678901234567890123456789", "deleted": false,
	"repository": {"id": 1, "name": "demo", "full_name": "acme/demo"}, "pusher": {"name": "ada", "email": null},
	"commits": [
		{"id": "aaaaaaa111111111111111111111111111111111", "message": "Add the door\n\nIt opens."},
		{"id": "bbbbbbb222222222222222222222222222222222", "message": "Paint it"}
	]
}`

func TestExampleGitHubPush(t *testing.T) {
	t.Parallel()
	form, err := json.Marshal(map[string]string{"payload": push})
	if err != nil {
		t.Fatal(err)
	}
	const pushed = "ada pushed branch feature/x of acme/demo, new commits: 2\naaaaaaa Add the door\nbbbbbbb Paint it"
	const done = `{"repository":"acme/demo","commits":2}`
	for _, tc := range []struct{ name, kind, body, log, result string }{
		{"JSON", "push", push, pushed, done},
		{"form", "push", string(form), pushed, done},
		{"tag without commits", "push", `{"ref":"refs/tags/v1","deleted":false,"repository":{"full_name":"acme/demo"},"pusher":{"name":"ada"},"commits":[]}`,
			"ada pushed tag v1 of acme/demo, new commits: 0", `{"repository":"acme/demo","commits":0}`},
		{"deleted", "push", `{"ref":"refs/tags/v1","deleted":true,"repository":{"full_name":"acme/demo"},"pusher":{"name":"ada"},"commits":[]}`,
			"ada deleted tag v1 of acme/demo", `{"repository":"acme/demo","commits":0}`},
		{"ping", "ping", `{"zen":"Keep it simple."}`, `Nothing to do for a "ping" delivery`, `{"ignored":"ping"}`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			s := example(t, "github-push")
			got := s.invoke(`{"method":"POST","path":"/webhook/w1/github-push","headers":{"x-github-event":"` + tc.kind + `"},"body":` + tc.body + `}`)
			if got != tc.result {
				t.Errorf("the handler returned %s, want %s", got, tc.result)
			}
			if diff := cmp.Diff(tc.log, s.log()); diff != "" {
				t.Errorf("log (-want +got):\n%s", diff)
			}
		})
	}
}

// TestExamplesAreNotDeployed holds that nobody's workflow id is committed.
func TestExamplesAreNotDeployed(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"hello", "github-push", "native"} {
		text, err := os.ReadFile("../../../../examples/" + name + "/floww.yaml")
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(text), "workflowId") {
			t.Errorf("examples/%s/floww.yaml has a workflowId", name)
		}
	}
}
