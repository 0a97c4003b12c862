package api

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"golang.org/x/sync/singleflight"

	"github.com/usefloww/flowwd/internal/fault"
)

func check(name string, err error) Check {
	return Check{Name: name, Ask: func(context.Context) error { return err }}
}

func minor(name string, err error) Check {
	c := check(name, err)
	c.Minor = true
	return c
}

func checks(all ...Check) func(*world) {
	return func(w *world) { w.checks = all }
}

func TestHealth(t *testing.T) {
	t.Parallel()
	told := fault.Because(errors.New("secret"), fault.Unavailable, "no process can start")
	for name, c := range map[string]struct {
		checks []Check
		path   string
		status int
		body   string
	}{
		"alive":              {[]Check{check("database", errors.New("x"))}, "/livez", 200, `{"status":"ok"}`},
		"ready":              {[]Check{check("database", nil), check("queue", nil)}, "/readyz", 200, `{"status":"ok","checks":{"database":{"status":"ok"},"queue":{"status":"ok"}}}`},
		"one failed":         {[]Check{check("database", errors.New("secret")), check("queue", nil)}, "/readyz", 503, `{"status":"failed","checks":{"database":{"status":"failed"},"queue":{"status":"ok"}}}`},
		"one failed, told":   {[]Check{check("database", nil), check("children", told)}, "/readyz/", 503, `{"status":"failed","checks":{"database":{"status":"ok"},"children":{"status":"failed","detail":"no process can start"}}}`},
		"minor":              {[]Check{check("database", nil), minor("default runtime", told)}, "/readyz", 200, `{"status":"ok","checks":{"database":{"status":"ok"},"default runtime":{"status":"failed","detail":"no process can start"}}}`},
		"healthy":            {[]Check{check("database", nil), check("queue", errors.New("x"))}, "/health", 200, `{"status":"ok"}`},
		"unhealthy":          {[]Check{check("database", errors.New("secret"))}, "/health", 503, `{"status":"error"}`},
		"healthy, as before": {[]Check{check("database", nil), check("queue", errors.New("x"))}, "/api/health", 200, `{"status":"pass","timestamp":"2026-03-04T04:06:07.008Z","services":{"database":"ok"}}`},
		"unhealthy, as before": {[]Check{check("database", errors.New("secret"))}, "/api/health", 503,
			`{"status":"error","timestamp":"2026-03-04T04:06:07.008Z","services":{"database":"error"}}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, checks(c.checks...))
			r := w.ask(t, "GET", c.path, "", "Authorization: ")
			wantJSON(t, r, c.status, c.body)
			if r.header.Get("Cache-Control") != "no-store" {
				t.Errorf("Cache-Control: %s", r.header.Get("Cache-Control"))
			}
			if c.status == 503 && c.path == "/readyz" && !strings.Contains(w.log.String(), "secret") {
				t.Errorf("the log has no reason: %s", w.log.String())
			}
		})
	}
}

// A check that hangs is given up, is not started again, and is asked again once
// it came back.
func TestHealthCheckThatHangs(t *testing.T) {
	t.Parallel()
	release, started := make(chan struct{}), make(chan struct{}, 10)
	w := newWorld(t, checks(Check{Name: "database", Ask: func(context.Context) error {
		started <- struct{}{}
		<-release
		return nil
	}}))
	for i := range 2 {
		wantJSON(t, w.ask(t, "GET", "/readyz", ""), 503, `{"status":"failed","checks":{"database":{"status":"failed","detail":"no answer within 2s"}}}`)
		if len(started) != 1 {
			t.Fatalf("request %d: the check was started %d times", i+1, len(started))
		}
	}
	close(release)
	for w.ask(t, "GET", "/readyz", "").status != 200 {
		if t.Context().Err() != nil {
			t.Fatal("the check is never asked again")
		}
	}
}

// Who asks while a check runs gets its answer, also when the first goes away.
func TestHealthIsAskedByManyAtOnce(t *testing.T) {
	t.Parallel()
	release, started := make(chan struct{}), make(chan struct{}, 100)
	h := &health{logger: slog.New(slog.DiscardHandler), checks: []Check{{Name: "database", Ask: func(ctx context.Context) error {
		started <- struct{}{}
		<-release
		return ctx.Err()
	}}}}
	first, leave := context.WithCancel(t.Context())
	h.start(first, h.checks[0])
	<-started
	leave()
	answers := make([]<-chan singleflight.Result, 20)
	for i := range answers {
		answers[i] = h.start(t.Context(), h.checks[0])
	}
	close(release)
	for i, answer := range answers {
		if got := <-answer; got.Err != nil {
			t.Errorf("request %d: %v", i, got.Err)
		}
	}
	if len(started) != 0 {
		t.Errorf("the check was started %d times more", len(started))
	}
}
