//go:build external

package images

import (
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/usefloww/flowwd/internal/apptest"
	"github.com/usefloww/flowwd/internal/config"
)

// where tells what a deployment runs in that names no image.
const where = `return process.versions?.node ? "a container" : "a process";`

// ready is the part of /readyz about the default runtime.
func ready(t *testing.T, s *apptest.Server) map[string]any {
	t.Helper()
	part, _ := s.JSON(t, http.StatusOK, "GET", "/readyz", nil)["checks"].(map[string]any)["default runtime"].(map[string]any)
	return part
}

func TestDefaultRuntime(t *testing.T) {
	t.Parallel()
	d, ours := daemon(t)
	if err := d.Tag(t.Context(), ours, "floww-runtime"); err != nil {
		t.Fatal(err)
	}
	s := serve(t, d, apptest.Options{})
	if part := ready(t, s); part["status"] != "ok" {
		t.Errorf("/readyz says %v", part)
	}
	deployed := s.Deploy(t, "default", apptest.Handler(where))
	if e := deployed.Run(t, `{}`); string(e.Result) != `"a container"` {
		t.Errorf("it ran in %s, %s", e.Result, e.ErrorMessage)
	}

	// The same code moves where another default says.
	s.Stop(t)
	own := serve(t, d, apptest.Options{DataDir: s.DataDir, Settings: func(c *config.Settings) { c.DefaultImage = config.DefaultEmbedded }})
	if part := ready(t, own); part != nil {
		t.Errorf("/readyz speaks of the default runtime: %v", part)
	}
	deployed = deployed.At(own.Client)
	if e := deployed.Run(t, `{}`); string(e.Result) != `"a container"` {
		t.Errorf("what was deployed before ran in %s, %s", e.Result, e.ErrorMessage)
	}
	deployed.Redeploy(t, apptest.Handler(where))
	if e := deployed.Run(t, `{}`); string(e.Result) != `"a process"` {
		t.Errorf("what was deployed again ran in %s, %s", e.Result, e.ErrorMessage)
	}
}

// A default runtime that is not there stops nothing but what needs it, and
// everybody who asks is told what to do.
func TestDefaultRuntimeIsMissing(t *testing.T) {
	t.Parallel()
	d, _ := daemon(t)
	for name, why := range map[string]string{"no-such-image": "is not looked for at registries", "127.0.0.1:1/no/such:image": "connection refused"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var log lines
			s := serve(t, d, apptest.Options{Log: &log, Settings: func(c *config.Settings) { c.DefaultImage = name }})
			const build = "docker build -f runtime-image/Dockerfile -t "
			apptest.Until(t, patience, "the log says what to do", func() bool {
				return strings.Contains(log.String(), "the default runtime is not ready") && strings.Contains(log.String(), why) && strings.Contains(log.String(), build+name)
			})
			if part := ready(t, s); part["status"] != "failed" || !strings.Contains(part["detail"].(string), build) {
				t.Errorf("/readyz says %v", part)
			}
			body := apptest.DeployBody(s.CreateWorkflow(t, "x"), map[string]string{"main.ts": apptest.Handler("")})
			if r := s.Do(t, "POST", "/api/workflow-deployments", body); r.Status != http.StatusServiceUnavailable || !strings.Contains(string(r.Body), build) || !strings.Contains(string(r.Body), why) {
				t.Errorf("a deployment: %s", r)
			}
		})
	}
}

// lines are a log that is read while it is written.
type lines struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}
