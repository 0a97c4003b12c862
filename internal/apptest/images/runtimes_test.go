//go:build external

package images

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/moby/moby/api/pkg/authconfig"
	containerregistry "github.com/moby/moby/api/types/registry"
	"github.com/moby/moby/client"

	"github.com/usefloww/flowwd/internal/apptest"
	"github.com/usefloww/flowwd/internal/dockertest"
)

const patience = time.Minute

// pushed pushes an image of the daemon as the command line does and returns the
// hash that it has now.
func pushed(t *testing.T, s *apptest.Server, d *dockertest.Daemon, image, hash string) {
	t.Helper()
	made := s.JSON(t, http.StatusOK, "POST", "/api/runtimes/push_token", map[string]any{"image_hash": hash})
	name := made["registry_url"].(string) + ":" + made["image_tag"].(string)
	if _, err := d.API.ImageTag(t.Context(), client.ImageTagOptions{Source: image, Target: name}); err != nil {
		t.Fatal(err)
	}
	secret, err := authconfig.Encode(containerregistry.AuthConfig{Username: "token", Password: made["password"].(string)})
	if err != nil {
		t.Fatal(err)
	}
	answer, err := d.API.ImagePush(t.Context(), name, client.ImagePushOptions{RegistryAuth: secret})
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Close()
	for message, err := range answer.JSONMessages(t.Context()) {
		if err != nil || message.Error != nil {
			t.Fatalf("push %s: %v %v", name, err, message.Error)
		}
	}
	if _, err := d.API.ImageRemove(t.Context(), name, client.ImageRemoveOptions{}); err != nil {
		t.Fatal(err)
	}
}

// ended makes a runtime and returns how it is when it is ready or has failed.
func ended(t *testing.T, s *apptest.Server, hash string) map[string]any {
	t.Helper()
	made := s.JSON(t, http.StatusOK, "POST", "/api/runtimes", map[string]any{"config": map[string]any{"image_hash": hash}})
	if made["creation_status"] != "IN_PROGRESS" || len(made["creation_logs"].([]any)) == 0 {
		t.Errorf("a new runtime: %v", made)
	}
	var r map[string]any
	apptest.Until(t, patience, "the runtime is ready or has failed", func() bool {
		r = s.JSON(t, http.StatusOK, "GET", "/api/runtimes/"+made["id"].(string), nil)
		return r["creationStatus"] != "in_progress"
	})
	return r
}

func log(r map[string]any) string {
	var lines []string
	for _, l := range r["creationLogs"].([]any) {
		lines = append(lines, l.(map[string]any)["message"].(string))
	}
	return strings.Join(lines, "\n")
}

// The three steps of a deployment with an image, as a command line makes them:
// the image if it is not there, the runtime if it is not there, the deployment
// on a runtime that is ready.
func TestDeploymentInAnImage(t *testing.T) {
	t.Parallel()
	d, image := daemon(t)
	s := serve(t, d, apptest.Options{})
	unknown := s.Do(t, "POST", "/api/runtimes", map[string]any{"config": map[string]any{"image_hash": "good"}})
	if unknown.Status != http.StatusBadRequest || !strings.Contains(string(unknown.Body), `"detail":"Image does not exist"`) {
		t.Errorf("a runtime of an image that was not pushed: %s", unknown)
	}
	pushed(t, s, d, image, "good")
	if again := s.Do(t, "POST", "/api/runtimes/push_token", map[string]any{"image_hash": "good"}); again.Status != http.StatusConflict {
		t.Errorf("a second push: %s", again)
	}
	runtime := ended(t, s, "good")
	if runtime["creationStatus"] != "completed" {
		t.Fatalf("the runtime is %v:\n%s", runtime["creationStatus"], log(runtime))
	}
	id := runtime["id"].(string)
	conflict := s.JSON(t, http.StatusConflict, "POST", "/api/runtimes", map[string]any{"config": map[string]any{"imageHash": "good"}})
	if detail := conflict["detail"].(map[string]any); detail["message"] != "Runtime already exists" || detail["runtime_id"] != id {
		t.Errorf("the same runtime again: %v", conflict)
	}
	body := apptest.DeployBody(s.CreateWorkflow(t, "in an image"), map[string]string{
		"main.ts": apptest.Handler(`console.log("from", process.version.split(".")[0]); return { got: event.body };`),
	})
	body["runtimeId"] = id
	deployed := s.JSON(t, http.StatusCreated, "POST", "/api/workflow-deployments", body)
	if deployed["runtimeId"] != id {
		t.Errorf("the deployment: %v", deployed)
	}
	hook := deployed["webhooks"].([]any)[0].(map[string]any)["path"].(string)
	execution := s.Anonymous().JSON(t, http.StatusOK, "POST", hook, map[string]any{"n": 1})["executionId"].(string)
	var got map[string]any
	apptest.Until(t, patience, "the execution has ended", func() bool {
		got = s.JSON(t, http.StatusOK, "GET", "/api/executions/"+execution, nil)
		return !slices.Contains([]any{"received", "started", "RECEIVED", "STARTED"}, got["status"])
	})
	lines := s.Do(t, "GET", "/api/executions/"+execution+"/logs", nil)
	if !strings.EqualFold(got["status"].(string), "completed") || !strings.Contains(string(lines.Body), `from v2`) {
		t.Errorf("the execution: %v\n%s", got, lines)
	}
	if r := s.Do(t, "DELETE", "/api/runtimes/"+id, nil); r.Status != http.StatusConflict {
		t.Errorf("removing a runtime that is needed: %s", r)
	}
	if r := s.OtherTenant(t).Do(t, "GET", "/api/runtimes/"+id, nil); r.Status != http.StatusNotFound {
		t.Errorf("another organization's runtime: %s", r)
	}

	broken, err := d.Variant(t.Context(), image, `CMD ["node", "-e", "console.error('no luck'); process.exit(3)"]`)
	if err != nil {
		t.Fatal(err)
	}
	pushed(t, s, d, broken, "broken")
	failed := ended(t, s, "broken")
	if failed["creationStatus"] != "failed" || !strings.Contains(log(failed), "no luck") {
		t.Errorf("a runtime that exits at once is %v:\n%s", failed["creationStatus"], log(failed))
	}
	body["runtimeId"] = failed["id"]
	if r := s.Do(t, "POST", "/api/workflow-deployments", body); r.Status != http.StatusBadRequest || !strings.Contains(string(r.Body), "Runtime creation failed") {
		t.Errorf("a deployment in a runtime that failed: %s", r)
	}
	if again := ended(t, s, "broken"); again["id"] != failed["id"] {
		t.Errorf("made again: %v", again["id"])
	}
	testDeployCommand(t, s, d, image)
	list := s.JSON(t, http.StatusOK, "GET", "/api/runtimes?status=COMPLETED", nil)
	if results := list["results"].([]any); len(results) != 2 || results[0].(map[string]any)["creationStatus"] != "COMPLETED" {
		t.Errorf("the list: %v", list)
	}
}
