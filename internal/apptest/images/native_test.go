//go:build external

package images

import (
	"bytes"
	pictures "image"
	"image/png"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/usefloww/flowwd/internal/apptest"
	"github.com/usefloww/flowwd/internal/registrytest"
)

// The example with a native package works as its Dockerfile says. What npm would
// install is taken from what scripts/setup has installed of the same lock file:
// the image of the tests has neither npm nor a network.
func TestNativeExample(t *testing.T) {
	t.Parallel()
	d, ours := daemon(t)
	const example = "../../../examples/native"
	text, err := os.ReadFile(filepath.Join(example, "Dockerfile"))
	if err != nil {
		t.Fatal(err)
	}
	const install = "RUN cd /app && npm ci --omit=dev --no-audit --no-fund\n"
	if !strings.Contains(string(text), "\nFROM floww-runtime\n") || !strings.Contains(string(text), install) {
		t.Fatalf("the Dockerfile is another one:\n%s", text)
	}
	if err := d.Tag(t.Context(), ours, "floww-runtime"); err != nil {
		t.Fatal(err)
	}
	dockerfile := strings.Replace(string(text), install, "COPY node_modules /app/node_modules\n", 1)
	dockerfile = strings.Replace(dockerfile, "COPY package.json package-lock.json /app/\n", "", 1)
	modules := map[string]string{"node_modules": "../../../.tools/native/node_modules"}
	if err := d.BuildFrom(t.Context(), "native", dockerfile, modules); err != nil {
		t.Fatal(err)
	}
	up := registrytest.Start(t, registrytest.Options{Login: registrytest.Basic})
	s := serve(t, d, behind(up, apptest.Options{})) // pushed to and pulled from another registry
	pushed(t, s, d, "native", "native-1")
	runtime := ended(t, s, "native-1")
	if runtime["creationStatus"] != "completed" {
		t.Fatalf("the runtime is %v:\n%s", runtime["creationStatus"], log(runtime))
	}
	code, err := os.ReadFile(filepath.Join(example, "main.ts"))
	if err != nil {
		t.Fatal(err)
	}
	body := apptest.DeployBody(s.CreateWorkflow(t, "native"), map[string]string{"main.ts": string(code)})
	body["runtimeId"] = runtime["id"]
	hook := s.JSON(t, http.StatusCreated, "POST", "/api/workflow-deployments", body)["webhooks"].([]any)[0].(map[string]any)["path"].(string)
	var picture bytes.Buffer
	if err := png.Encode(&picture, pictures.NewGray(pictures.Rect(0, 0, 640, 480))); err != nil {
		t.Fatal(err)
	}
	for range 3 { // each in a thread that loads the package anew
		r := s.Anonymous().Do(t, "POST", hook+"?width=64", picture.Bytes(), "Content-Type", "image/png")
		if r.Status != http.StatusOK || r.Header.Get("Content-Type") != "image/webp" || len(r.Body) < 12 || string(r.Body[:4])+string(r.Body[8:12]) != "RIFFWEBP" {
			t.Fatalf("a picture: %s", r)
		}
		lines := s.Execution(t, r.Header.Get("X-Floww-Execution-Id")).Messages()
		if len(lines) != 1 || !strings.HasPrefix(lines[0], "png, 640 pixels wide, ") || !strings.Contains(lines[0], "; now 64 wide, ") {
			t.Errorf("its log: %q", lines)
		}
	}
	if r := s.Anonymous().Do(t, "POST", hook, "no picture", "Content-Type", "image/png"); r.Status != http.StatusInternalServerError {
		t.Errorf("no picture: %s", r)
	}
}
