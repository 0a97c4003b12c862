//go:build soak && linux

package soak

import (
	"bufio"
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/usefloww/flowwd/internal/app"
	"github.com/usefloww/flowwd/internal/apptest"
	"github.com/usefloww/flowwd/internal/config"
)

// The variables by which this test starts itself as the server: a retention of
// minutes can't be set.
const (
	folder    = "SOAK_FOLDER"
	runner    = "SOAK_RUNNER"
	retention = "SOAK_RETENTION"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(folder); dir != "" {
		if err := serve(dir); err != nil {
			fmt.Fprintln(os.Stderr, "serve:", err)
			os.Exit(1)
		}
		return
	}
	os.Exit(apptest.Main(m))
}

// serve is the server's process. It prints its address when it is ready.
func serve(dir string) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	settings, err := config.Defaults()
	if err != nil {
		return err
	}
	settings.DataDir, settings.Listen, settings.RateLimit = dir, "127.0.0.1:0", 1_000_000
	keep, err := time.ParseDuration(os.Getenv(retention))
	if err != nil {
		return err
	}
	s, err := app.Open(ctx, app.Config{
		Settings: settings, Runner: app.RunnerCommand(os.Getenv(runner)), Retention: keep, Now: time.Now, Version: "soak",
		Log: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn})),
	})
	if err != nil {
		return err
	}
	if err := s.Start(ctx); err != nil {
		return err
	}
	fmt.Println(s.URL())
	<-ctx.Done()
	return s.Stop(context.WithoutCancel(ctx))
}

// start starts the server's process on a new folder.
func start(t *testing.T, dir string, keep time.Duration) (*apptest.Client, *exec.Cmd) {
	t.Helper()
	key := apptest.CreateKey(t, dir)
	command := exec.Command(os.Args[0])
	command.Env = append(os.Environ(), folder+"="+dir, runner+"="+apptest.Binary(t), retention+"="+keep.String())
	command.Stderr = os.Stderr
	out, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = command.Process.Kill() }) // when it was not stopped
	url, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("the server does not start: %v", err)
	}
	return apptest.NewClient(t, strings.TrimSpace(url), key), command
}
