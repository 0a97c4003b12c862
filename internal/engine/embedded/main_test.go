package embedded_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/usefloww/flowwd/internal/engine/embedded"
)

// TestMain lets the test binary be its own child: a real one, or one that
// only pretends.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 {
		switch word := os.Args[1]; {
		case strings.HasPrefix(word, embedded.ChildWord):
			os.Exit(realChild())
		case word == fakeWord:
			os.Exit(fakeChild(os.Args[2]))
		}
	}
	goleak.VerifyTestMain(m)
}

// realChild serves as a child. It refuses to when it got anything of its
// parent's environment.
func realChild() int {
	if got := os.Environ(); len(got) > 0 {
		fmt.Fprintln(os.Stderr, "the environment of a child has", got)
		return 1
	}
	return embedded.RunChild(os.Args[2:], os.Stdin, os.Stdout, os.Stderr)
}

// start starts an engine that is stopped at the end of the test. Its children
// have a word of their own on their command line.
func start(t testing.TB, change func(*embedded.Config)) *embedded.Engine {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	config := embedded.Config{
		Command: []string{exe, embedded.ChildWord + "-" + strings.ReplaceAll(t.Name(), "/", "-")},
		Runners: 8,
		Logger:  slog.New(slog.DiscardHandler),
		Now:     time.Now,
	}
	if change != nil {
		change(&config)
	}
	e := embedded.New(config)
	t.Cleanup(func() { stop(t, e) })
	if err := e.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	return e
}

func stop(t testing.TB, e *embedded.Engine) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if err := e.Stop(ctx); err != nil {
		t.Errorf("stop: %v", err)
	}
}
