//go:build external

package apptest_test

import (
	"encoding/json"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/usefloww/flowwd/internal/apptest"
)

// deliveries are real deliveries of GitHub, from the npm package
// @octokit/webhooks-examples that scripts/setup installs.
const deliveries = "../../.tools/node_modules/@octokit/webhooks-examples/api.github.com/index.json"

func TestGitHubPushExample(t *testing.T) {
	t.Parallel()
	push := realPush(t)
	var event struct {
		Ref        string
		Repository struct {
			FullName string `json:"full_name"`
		}
		Commits []struct{ ID, Message string }
	}
	if err := json.Unmarshal(push, &event); err != nil {
		t.Fatal(err)
	}
	s := apptest.Start(t, apptest.Options{})
	files := map[string]string{}
	for _, name := range []string{"main.ts", "push.ts"} {
		text, err := os.ReadFile(filepath.Join("../../examples/github-push", name))
		if err != nil {
			t.Fatal(err)
		}
		files[name] = string(text)
	}
	made := s.JSON(t, 201, "POST", "/api/workflow-deployments", apptest.DeployBody(s.CreateWorkflow(t, "github"), files))
	path := made["webhooks"].([]any)[0].(map[string]any)["path"].(string)
	form := "payload=" + url.QueryEscape(string(push))
	for contentType, body := range map[string]string{"application/json": string(push), "application/x-www-form-urlencoded": form} {
		answer := s.Anonymous().JSON(t, 200, "POST", path, body, "Content-Type", contentType, "X-GitHub-Event", "push", "X-GitHub-Delivery", "72d3162e-cc78-11e3-81ab-4c9367dc0958")
		e := s.Ended(t, answer["executionId"].(string))
		if e.Status != "completed" {
			t.Fatalf("%s: the run is %s: %s", contentType, e.Status, e.ErrorMessage)
		}
		log := strings.Join(e.Messages(), "\n")
		wants := []string{event.Repository.FullName, strings.TrimPrefix(strings.TrimPrefix(event.Ref, "refs/heads/"), "refs/tags/")}
		for _, c := range event.Commits {
			subject, _, _ := strings.Cut(c.Message, "\n")
			wants = append(wants, c.ID[:7], subject)
		}
		for _, want := range wants {
			if !strings.Contains(log, want) {
				t.Errorf("%s: the log has no %q:\n%s", contentType, want, log)
			}
		}
	}
}

// realPush returns a delivery of the event push that has commits.
func realPush(t *testing.T) json.RawMessage {
	t.Helper()
	text, err := os.ReadFile(deliveries)
	if err != nil {
		t.Fatalf("GitHub's deliveries are not here; scripts/setup installs them: %v", err)
	}
	var events []struct {
		Name     string
		Examples []json.RawMessage
	}
	if err := json.Unmarshal(text, &events); err != nil {
		t.Fatal(err)
	}
	for _, e := range events {
		for _, example := range e.Examples {
			var push struct{ Commits []any }
			if e.Name == "push" && json.Unmarshal(example, &push) == nil && len(push.Commits) > 0 {
				return example
			}
		}
	}
	t.Fatal("there is no push with commits among GitHub's deliveries")
	return nil
}
