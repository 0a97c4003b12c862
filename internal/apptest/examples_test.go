package apptest_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/usefloww/flowwd/internal/apptest"
	"github.com/usefloww/flowwd/internal/config"
)

// deployExample deploys an example as it is.
func deployExample(t *testing.T, s *apptest.Server, name string) map[string]any {
	t.Helper()
	files := map[string]string{}
	sources, err := filepath.Glob(filepath.Join("../../examples", name, "*.ts"))
	if err != nil || len(sources) == 0 {
		t.Fatalf("the example %s has no sources (%v)", name, err)
	}
	for _, path := range sources {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		files[filepath.Base(path)] = string(text)
	}
	return s.JSON(t, http.StatusCreated, "POST", "/api/workflow-deployments", apptest.DeployBody(s.CreateWorkflow(t, name), files))
}

// manualTrigger returns the id of a workflow's only manual trigger.
func manualTrigger(t *testing.T, s *apptest.Server, workflow string) string {
	t.Helper()
	all := s.JSON(t, http.StatusOK, "GET", "/api/triggers/workflows/"+workflow+"/manual", nil)["triggers"].([]any)
	if len(all) != 1 {
		t.Fatalf("there are %d manual triggers, want one", len(all))
	}
	return all[0].(map[string]any)["id"].(string)
}

// invoke fires a manual trigger and waits for the end of its run.
func invoke(t *testing.T, s *apptest.Server, trigger, input string) apptest.Execution {
	t.Helper()
	made := s.JSON(t, http.StatusOK, "POST", "/api/triggers/"+trigger+"/invoke", `{"input_data":`+input+`}`)
	return s.Ended(t, made["executionId"].(string))
}

func TestPushCountsExample(t *testing.T) {
	t.Parallel()
	s := apptest.Start(t, apptest.Options{})
	storeSecret(t, s.Client, "github-webhook", "default", `{"secret":"It's a Secret to Everybody"}`)
	path := deployExample(t, s, "push-counts")["webhooks"].([]any)[0].(map[string]any)["path"].(string)
	const body = `{"ref":"refs/heads/main","repository":{"full_name":"octo/hello.world"},"commits":[{"id":"1","author":{"name":"a"}},{"id":"2","author":{"name":"b"}}]}`
	send := func(key string, headers ...string) apptest.Execution {
		t.Helper()
		mac := hmac.New(sha256.New, []byte(key))
		mac.Write([]byte(body))
		headers = append([]string{"X-GitHub-Event", "push", "X-Hub-Signature-256", "sha256=" + hex.EncodeToString(mac.Sum(nil))}, headers...)
		answer := s.Anonymous().JSON(t, http.StatusOK, "POST", path, body, headers...)
		return s.Ended(t, answer["executionId"].(string))
	}
	wantResult(t, send("It's a Secret to Everybody"), `{"repository":"octo/hello.world","pushes":1,"commits":2}`)
	wantResult(t, send("It's a Secret to Everybody"), `{"repository":"octo/hello.world","pushes":2,"commits":4}`)
	wantResult(t, send("guessed"), `{"refused":true}`)
	wantResult(t, send("", "X-Hub-Signature-256", "sha256=zz"), `{"refused":true}`)
	wantResult(t, send("It's a Secret to Everybody", "X-GitHub-Event", "ping"), `{"ignored":"ping"}`)
	if got := s.JSON(t, http.StatusOK, "GET", "/api/kv/default/commits/octo_hello_world", nil); got["value"] != 4.0 {
		t.Errorf("the store has %v", got)
	}
}

func TestUptimeExample(t *testing.T) {
	t.Parallel()
	target := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) }))
	t.Cleanup(target.Close)
	s := apptest.Start(t, apptest.Options{Settings: func(c *config.Settings) { c.FetchAllow = target.Listener.Addr().String() }})
	workflow := deployExample(t, s, "uptime")["workflowId"].(string)
	trigger := manualTrigger(t, s, workflow)
	wantResult(t, invoke(t, s, trigger, `{"name":"pot","url":"`+target.URL+`"}`), `{"watching":"pot"}`)
	wantResult(t, invoke(t, s, trigger, `{"name":"gone","url":"http://127.0.0.1:1/"}`), `{"watching":"gone"}`)
	apptest.Until(t, 60*time.Second, "the answers", func() bool {
		r := s.Do(t, "GET", "/api/kv/default/uptime-answers?include_values=true", nil)
		return strings.Contains(string(r.Body), `"status":418`) && strings.Contains(string(r.Body), `"error":"TypeError: fetch failed: `)
	})
	wantResult(t, invoke(t, s, trigger, `{"name":"pot"}`), `{"removed":"pot"}`)
}

func TestExpensesExample(t *testing.T) {
	t.Parallel()
	s := apptest.Start(t, apptest.Options{})
	trigger := manualTrigger(t, s, deployExample(t, s, "expenses")["workflowId"].(string))
	wantResult(t, invoke(t, s, trigger, `{"who":"ann","what":"coffee","cents":350}`), `{"who":"ann","total":"3.50"}`)
	wantResult(t, invoke(t, s, trigger, `{"who":"ann","what":"cake","cents":1250,"day":"2026-02-03"}`), `{"who":"ann","total":"16.00"}`)
	for input, want := range map[string]string{
		`{"who":"ann","what":"air","cents":0}`: "cents", `{"who":"Ann!","what":"air","cents":1}`: "who", `{"who":"ann","cents":1}`: "what", `{"who":"ann","what":"x","cents":1,"tip":1}`: "tip",
	} {
		if r := s.Do(t, "POST", "/api/triggers/"+trigger+"/invoke", `{"input_data":`+input+`}`); r.Status != http.StatusBadRequest || !strings.Contains(string(r.Body), want) {
			t.Errorf("%s: %s, want 400 about %s", input, r, want)
		}
	}
	if keys := s.JSON(t, http.StatusOK, "GET", "/api/kv/default/expenses", nil)["keys"].([]any); len(keys) != 2 {
		t.Errorf("there are %d expenses, want 2", len(keys))
	}
}

// What the docs teach can be deployed.
func TestDocumentedWorkflowsDeploy(t *testing.T) {
	t.Parallel()
	var text string
	for _, page := range []string{"writing-workflows.md", "failures.md"} {
		read, err := os.ReadFile("../../docs/" + page)
		if err != nil {
			t.Fatal(err)
		}
		text += string(read)
	}
	s := apptest.Start(t, apptest.Options{})
	storeSecret(t, s.Client, "payments", "default", `{"token":"tok_documented"}`)
	blocks := strings.Split(text, "```ts\n")[1:]
	if len(blocks) < 5 {
		t.Errorf("the pages have %d workflows, want at least 5", len(blocks))
	}
	w := s.CreateWorkflow(t, "documented")
	for _, block := range blocks {
		code, _, _ := strings.Cut(block, "```")
		made := s.JSON(t, http.StatusCreated, "POST", "/api/workflow-deployments", apptest.DeployBody(w, map[string]string{"main.ts": code}))
		hooks := made["webhooks"].([]any)
		if !strings.Contains(code, `path: "orders",`) {
			continue
		}
		path := hooks[0].(map[string]any)["path"].(string)
		for _, want := range []string{`{"total":1,"customer":{"name":"ann","orders":1}}`, `{"total":2,"customer":{"name":"ann","orders":2}}`} {
			answer := s.Anonymous().JSON(t, http.StatusOK, "POST", path, `{"customer":"ann"}`)
			wantResult(t, s.Ended(t, answer["executionId"].(string)), want)
		}
	}
}
