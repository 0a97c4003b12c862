//go:build external

package docker_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"testing"
	"time"

	"github.com/usefloww/flowwd/internal/dockertest"
	"github.com/usefloww/flowwd/internal/engine"
	"github.com/usefloww/flowwd/internal/engine/docker"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/workflow"
)

// What all tests of this package share.
var (
	daemon *dockertest.Daemon
	// image is ours, plain the same without what only ours knows.
	image, plain string
	relayer      string
)

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	err := prepare(context.Background())
	code := 1
	if err == nil {
		code = m.Run()
	}
	if daemon != nil {
		if stopped := daemon.Stop(); stopped != nil {
			fmt.Fprintln(os.Stderr, "stop the daemon:", stopped)
			code = 1
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	return code
}

func prepare(ctx context.Context) (err error) {
	if daemon, err = dockertest.Start(); err != nil {
		return err
	}
	if image, err = daemon.Image(ctx); err != nil {
		return err
	}
	if plain, err = daemon.Variant(ctx, image, "ENV FLOWWD_PLAIN=1"); err != nil {
		return err
	}
	relayer, err = daemon.Relay(ctx)
	return err
}

// start starts an engine with containers of its own, which is stopped at the
// end of the test.
func start(t testing.TB, change func(*docker.Config)) *docker.Engine {
	t.Helper()
	ids := id.NewSource(time.Now)
	config := docker.Config{
		Host: daemon.Host, Instance: ids.New().String(), Relay: relayer, IDs: ids, Slots: 16,
		StartTimeout: 20 * time.Second, DaemonPatience: time.Second, Memory: 512 << 20, CPUs: 2,
		Logger: slog.New(slog.DiscardHandler), Now: time.Now,
	}
	if change != nil {
		change(&config)
	}
	e, err := docker.New(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		stop(t, e)
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		if err := daemon.Clear(ctx, "io.flowwd.instance="+config.Instance); err != nil {
			t.Errorf("clear away: %v", err)
		}
	})
	if err := e.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	return e
}

func stop(t testing.TB, e *docker.Engine) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if err := e.Stop(ctx); err != nil {
		t.Errorf("stop: %v", err)
	}
}

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
