//go:build external

package docker_test

import (
	"context"
	"encoding/json"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/usefloww/flowwd/internal/engine"
	"github.com/usefloww/flowwd/internal/engine/docker"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/workflow"
)

// invocation is a call of a source's handler by a new organization.
func invocation(t testing.TB, e *docker.Engine, from workflow.Source) engine.Invocation {
	t.Helper()
	program, err := e.Compile(t.Context(), from)
	if err != nil {
		t.Fatal(err)
	}
	ids := id.NewSource(time.Now)
	return engine.Invocation{
		OrganizationID: ids.New(), WorkflowID: ids.New(), ExecutionID: ids.New(), Attempt: 1, Program: program,
		Trigger: workflow.Declaration{
			Provider: workflow.ProviderRef{Type: "builtin", Alias: "default"}, Type: "onWebhook", Input: json.RawMessage(`{"path":"/suite"}`),
		},
		Limits: engine.DefaultLimits(),
	}
}

// BenchmarkCold is the time to the first line where there is no container.
func BenchmarkCold(b *testing.B) {
	e := start(b, nil)
	for b.Loop() {
		firstLine(b, e, invocation(b, e, handler(`console.log("here");`)))
	}
}

// BenchmarkWarm is the same where there is one.
func BenchmarkWarm(b *testing.B) {
	e := start(b, nil)
	call := invocation(b, e, handler(`console.log("here");`))
	firstLine(b, e, call)
	for b.Loop() {
		firstLine(b, e, call)
	}
}

func firstLine(b *testing.B, e *docker.Engine, call engine.Invocation) {
	b.Helper()
	began, took := time.Now(), time.Duration(0)
	_, err := e.Invoke(context.Background(), call, func([]engine.LogLine) { took = time.Since(began) })
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(took.Microseconds())/1000, "ms-to-line")
}

// BenchmarkBare is a line of a container that docker run makes.
func BenchmarkBare(b *testing.B) {
	for b.Loop() {
		out, err := exec.Command("docker", "--host", daemon.Host, "run", "--rm", "--network", "none", image, "node", "-e", `console.log("here")`).CombinedOutput()
		if err != nil || !strings.Contains(string(out), "here") {
			b.Fatal(err, string(out))
		}
	}
}
