package client

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// fakeDocker returns a docker that writes down how it was called and does what a
// shell script says.
func fakeDocker(t *testing.T, script string) (d Docker, calls func() string) {
	t.Helper()
	dir := t.TempDir()
	program, log := filepath.Join(dir, "docker"), filepath.Join(dir, "log")
	text := "echo \"$*\" >> " + log + "\n" + script
	if err := os.WriteFile(program, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return Docker{program: []string{"sh", program}}, func() string { return read(t, dir, "log") }
}

// working is a docker that does all it is asked to.
const working = `
case "$1 $2" in
  "build --iidfile") echo building >&2; printf sha256:made > "$3" ;;
  "image inspect") echo '[{"Os":"linux","Architecture":"amd64","RootFS":{"Layers":["sha256:a"]},"Config":{"Cmd":["node"]}}]' ;;
  "--config "*) cat "$2/config.json"; echo; echo pushing ;;
esac
`

// imageBackend answers what a deployment with an image asks for on the way.
type imageBackend struct {
	*backend
	config, pushToken, runtime, looks []string // answers, a status before each
}

func (b *imageBackend) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	take := func(from *[]string) {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.calls = append(b.calls, r.Method+" "+r.URL.Path)
		if len(*from) == 0 {
			b.t.Errorf("unexpected %s %s", r.Method, r.URL)
			return
		}
		var status int
		next := (*from)[0]
		*from = (*from)[1:]
		if _, err := fmt.Sscan(next, &status); err != nil {
			b.t.Error(err)
		}
		answer(w, status, strings.TrimSpace(next[3:]))
	}
	switch {
	case r.URL.Path == "/api/config":
		take(&b.config)
	case r.URL.Path == "/api/runtimes/push_token":
		take(&b.pushToken)
	case r.Method == http.MethodPost && r.URL.Path == "/api/runtimes":
		take(&b.runtime)
	case r.URL.Path == "/api/runtimes/r1":
		take(&b.looks)
	default:
		b.backend.ServeHTTP(w, r)
	}
}

const (
	pushTokenMade = `200 {"password":"secret","registryUrl":"host:1/floww/o1","imageTag":"tag"}`
	isMaking      = `200 {"id":"r1","creationStatus":"IN_PROGRESS","creationLogs":[{"message":"Waiting"}]}`
	isReady       = `200 {"id":"r1","creationStatus":"completed","creationLogs":[{"message":"Waiting"},{"message":"Ready"}]}`
)

func (b *imageBackend) deployImage(t *testing.T, d Docker) (progress string, err error) {
	t.Helper()
	c := serve(t, b)
	c.wait = func(context.Context, time.Duration) error { return nil }
	var out strings.Builder
	c.Docker, c.Progress = d, &out
	_, err = b.deploy(c, project(t, map[string]string{
		"floww.yaml": "name: hello", "main.ts": `import "native"`, "Dockerfile": "FROM x", "node_modules/native/package.json": "{}", "node_modules/native/index.js": "",
	}))
	return out.String(), err
}

func newImageBackend(t *testing.T) *imageBackend {
	return &imageBackend{backend: newBackend(t), config: []string{`200 {"features":{"images":true}}`}, pushToken: []string{pushTokenMade}, runtime: []string{isMaking}, looks: []string{isMaking, isReady}}
}

func TestDeployImage(t *testing.T) {
	t.Parallel()
	b := newImageBackend(t)
	d, calls := fakeDocker(t, working)
	d.Settings = project(t, map[string]string{"config.json": `{"auths":{"other":{"auth":"own"}},"credsStore":"desktop","currentContext":"remote"}`, "contexts/meta": ""})
	progress, err := b.deployImage(t, d)
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{"building\n", "Pushing the image to host:1/floww/o1\n", "pushing\n", "  Waiting\n  Ready\n",
		`{"auths":{"host:1":{"auth":"dG9rZW46c2VjcmV0"}},"currentContext":"remote"}`} {
		if !strings.Contains(progress, part) {
			t.Errorf("%q is not in what was told:\n%s", part, progress)
		}
	}
	var ran []string
	for line := range strings.Lines(calls()) {
		ran = append(ran, strings.Join(strings.Fields(line)[:2], " "))
	}
	if want := []string{"ps --quiet", "build --iidfile", "image inspect", "tag sha256:made", "image rm"}; !slices.Equal(slices.DeleteFunc(slices.Clone(ran), isConfig), want) {
		t.Errorf("docker was run with %v", ran)
	}
	if !strings.Contains(calls(), "--tag floww:"+workflowID) || !strings.Contains(calls(), "--platform=linux/amd64") || strings.Contains(calls(), "secret") {
		t.Errorf("docker was run with\n%s", calls())
	}
	sent, err := json.Marshal(b.code)
	if err != nil || b.code["runtimeId"] != "r1" || strings.Contains(string(sent), "node_modules/") {
		t.Errorf("deployed %s, %v", sent, err)
	}
}

func isConfig(call string) bool { return strings.HasPrefix(call, "--config") }

// What is there is neither pushed nor made again.
func TestDeployImageThatIsThere(t *testing.T) {
	t.Parallel()
	b := newImageBackend(t)
	b.pushToken, b.runtime = []string{`409 {"detail":"Image already exists in registry"}`}, []string{`409 {"detail":{"message":"Runtime already exists","runtime_id":"r1"}}`}
	b.looks = []string{isReady}
	d, calls := fakeDocker(t, working)
	if _, err := b.deployImage(t, d); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(calls(), "push") {
		t.Errorf("pushed again:\n%s", calls())
	}
}

func TestDeployImageFails(t *testing.T) {
	t.Parallel()
	failing := func(at, says string) string {
		return fmt.Sprintf("case \"$*\" in %s) echo '%s' >&2; exit 3;; esac\n%s", at, says, working)
	}
	for _, tc := range []struct {
		name, script string
		change       func(*imageBackend)
		want         []string
	}{
		{"no daemon", failing("ps*", "Cannot connect to the Docker daemon"), nil, []string{"docker can't be used", "Cannot connect to the Docker daemon"}},
		{"a recipe that is wrong", failing("build*", "no such instruction"), nil, []string{"could not be built of", "Dockerfile", "exit status 3", "is above"}},
		{"no room", failing("*push*", "denied: the limit (FLOWW_REGISTRY_LIMIT)"), nil, []string{"push the image to host:1: denied: the limit (FLOWW_REGISTRY_LIMIT)"}},
		{"no HTTPS", failing("*push*", "http: server gave HTTP response to HTTPS client"), nil, []string{"docker insists on HTTPS", "insecure-registries"}},
		{"no images there", failing("*", "docker was run"), func(b *imageBackend) { b.config = []string{`200 {"features":{"images":false}}`} },
			[]string{"the project has ", "/Dockerfile, but http://", "runs no images, so that none was built", "--runtime docker", `"build: false" in floww.yaml`}},
		{"an older server has none", working, func(b *imageBackend) {
			b.config = []string{`200 {}`}
			b.runtime = []string{`400 {"detail":"This server runs no images"}`}
		}, []string{"This server runs no images"}},
		{"a runtime that fails", working, func(b *imageBackend) {
			b.looks = []string{`200 {"id":"r1","creationStatus":"failed","creationLogs":[{"message":"it ended at once"}]}`}
		}, []string{"the runtime could not be made of the image: it ended at once"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			b := newImageBackend(t)
			if tc.change != nil {
				tc.change(b)
			}
			d, _ := fakeDocker(t, tc.script)
			_, err := b.deployImage(t, d)
			wantError(t, err, tc.want...)
			if b.code != nil {
				t.Error("deployed all the same")
			}
		})
	}
	t.Run("no docker", func(t *testing.T) {
		t.Parallel()
		_, err := newImageBackend(t).deployImage(t, Docker{program: []string{"floww-no-docker"}})
		wantError(t, err, "docker is not installed", "build: false")
	})
}
