//go:build external

package images

import (
	"crypto/rand"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/moby/moby/client"

	"github.com/usefloww/flowwd/internal/apptest"
	cli "github.com/usefloww/flowwd/internal/client"
	"github.com/usefloww/flowwd/internal/config"
	"github.com/usefloww/flowwd/internal/dockertest"
)

// deploys runs "flowwd deploy" on a folder and returns what it told and where the
// webhook is.
func deploys(t *testing.T, s *apptest.Server, d *dockertest.Daemon, dir string) (progress, hook string, err error) {
	t.Helper()
	c, err := cli.New(s.URL, s.Key, s.HTTP)
	if err != nil {
		t.Fatal(err)
	}
	var told strings.Builder
	c.Progress = &told
	c.Docker.Env = append((&exec.Cmd{}).Environ(), "DOCKER_HOST="+d.Host)
	made, err := c.DeployProject(t.Context(), dir, &told)
	if err == nil {
		hook = made.Webhooks[0].Path
	}
	return told.String(), hook, err
}

// write puts files into a project.
func write(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// testDeployCommand deploys projects with a Dockerfile that is based on an image of
// the daemon.
func testDeployCommand(t *testing.T, s *apptest.Server, d *dockertest.Daemon, image string) {
	if _, err := d.API.ImageTag(t.Context(), client.ImageTagOptions{Source: image, Target: "floww-runtime:latest"}); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	write(t, dir, map[string]string{
		"floww.yaml":   "name: built\n",
		"greeting.txt": "hello from the image",
		"Dockerfile":   "FROM floww-runtime\nUSER 0\nCOPY --chown=1000 greeting.txt /app/greeting.txt\nUSER 1000:1000\n",
		"main.ts":      `import { readFileSync } from "node:fs";` + "\n" + apptest.Handler(`console.log(readFileSync("/app/greeting.txt", "utf8"));`),
	})
	progress, hook, err := deploys(t, s, d, dir)
	if err != nil || !strings.Contains(progress, "Pushing the image") || !strings.Contains(progress, "Making the runtime ready\n  ") {
		t.Fatalf("the first deployment: %v\n%s", err, progress)
	}
	execution := s.Anonymous().JSON(t, http.StatusOK, "POST", hook, map[string]any{})["executionId"].(string)
	apptest.Until(t, patience, "the run in the image says what is in the image", func() bool {
		return strings.Contains(string(s.Do(t, "GET", "/api/executions/"+execution+"/logs", nil).Body), "hello from the image")
	})
	progress, _, err = deploys(t, s, d, dir)
	if err != nil || strings.Contains(progress, "Pushing") || strings.Contains(progress, "Making") {
		t.Errorf("the second deployment: %v\n%s", err, progress)
	}
	left, err := d.API.ImageList(t.Context(), client.ImageListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range left.Items {
		if names := strings.Join(i.RepoTags, " "); strings.Contains(names, s.Organization(t)) {
			t.Errorf("a name of the push is left: %s", names)
		}
	}

	write(t, dir, map[string]string{"Dockerfile": "FROM floww-runtime\nCMD [\"node\", \"-e\", \"console.error('no luck today'); process.exit(3)\"]\n"})
	if progress, _, err := deploys(t, s, d, dir); err == nil || !strings.Contains(err.Error(), "the runtime could not be made") || !strings.Contains(progress, "no luck today") {
		t.Errorf("an image that ends at once: %v\n%s", err, progress)
	}
	write(t, dir, map[string]string{"Dockerfile": "FROM floww-runtime\nCOPY missing /\n"})
	if progress, _, err := deploys(t, s, d, dir); err == nil || !strings.Contains(err.Error(), "could not be built") || !strings.Contains(progress, "missing") {
		t.Errorf("a recipe that is wrong: %v\n%s", err, progress)
	}

	none := start(t, apptest.Options{})
	if progress, _, err := deploys(t, none, d, dir); err == nil || !strings.Contains(err.Error(), "runs no images") || progress != "" {
		t.Errorf("a server that runs no images: %v\n%s", err, progress)
	}

	small := serve(t, d, apptest.Options{Settings: func(c *config.Settings) { c.RegistryLimit = 1 << 20 }})
	content := make([]byte, 2<<20)
	if _, err := rand.Read(content); err != nil {
		t.Fatal(err)
	}
	large := t.TempDir()
	write(t, large, map[string]string{"floww.yaml": "name: large\n", "main.ts": apptest.Handler(""), "Dockerfile": "FROM scratch\nCOPY content /\nCMD [\"x\"]\n", "content": string(content)})
	if progress, _, err := deploys(t, small, d, large); err == nil || !strings.Contains(err.Error(), "FLOWW_REGISTRY_LIMIT") {
		t.Errorf("an image that is too large: %v\n%s", err, progress)
	}
}
