package api

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/usefloww/flowwd/internal/access"
	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/route"
)

// checkTimeout bounds each check.
const checkTimeout = 2 * time.Second

const databaseCheck = "database"

// Check asks whether a part of the server works. The text of a fault that Ask
// returns is shown to everybody; that of any other error goes to the log.
type Check struct {
	Name string
	Ask  func(ctx context.Context) error
}

type checkResult struct {
	Status string `json:"status" enum:"ok,failed"`
	Detail string `json:"detail,omitempty"`
}

type readiness struct {
	Status string                 `json:"status" enum:"ok,failed"`
	Checks map[string]checkResult `json:"checks"`
}

type healthBody struct {
	Status string `json:"status"`
}

type apiHealthBody struct {
	Status    string            `json:"status"`
	Timestamp timestamp         `json:"timestamp"`
	Services  map[string]string `json:"services"`
}

func registerHealth(r *route.Router, d Deps) {
	h := &health{logger: d.Logger, running: make([]sync.Mutex, len(d.Checks)), checks: d.Checks}
	raw := func(path string, handle func(w http.ResponseWriter, r *http.Request) error) {
		route.Raw(r, route.Spec{
			Method: http.MethodGet, Path: path, Policy: access.Public(access.ReadHealth), Quiet: true, Unlimited: true,
		}, route.NoObject(), func(w http.ResponseWriter, r *http.Request, _ route.Call[route.None]) error {
			w.Header().Set("Cache-Control", "no-store")
			return handle(w, r)
		})
	}
	raw("/livez", func(w http.ResponseWriter, _ *http.Request) error {
		return route.WriteJSON(w, http.StatusOK, healthBody{Status: "ok"})
	})
	raw("/readyz", func(w http.ResponseWriter, r *http.Request) error {
		results, ok := h.ask(r.Context(), "")
		if !ok {
			return route.WriteJSON(w, http.StatusServiceUnavailable, readiness{Status: "failed", Checks: results})
		}
		return route.WriteJSON(w, http.StatusOK, readiness{Status: "ok", Checks: results})
	})
	raw("/health", func(w http.ResponseWriter, r *http.Request) error {
		if _, ok := h.ask(r.Context(), databaseCheck); !ok {
			return route.WriteJSON(w, http.StatusServiceUnavailable, healthBody{Status: "error"})
		}
		return route.WriteJSON(w, http.StatusOK, healthBody{Status: "ok"})
	})
	raw("/api/health", func(w http.ResponseWriter, r *http.Request) error {
		status, body := http.StatusOK, apiHealthBody{Status: "pass", Timestamp: timestamp(d.Now()), Services: map[string]string{}}
		if _, ok := h.ask(r.Context(), databaseCheck); ok {
			body.Services[databaseCheck] = "ok"
		} else {
			status, body.Status, body.Services[databaseCheck] = http.StatusServiceUnavailable, "error", "error"
		}
		return route.WriteJSON(w, status, body)
	})
}

type health struct {
	logger *slog.Logger
	checks []Check
	// running keeps a check that hangs from being started again and again.
	running []sync.Mutex
}

// ask runs the checks of that name at the same time, all of them when it is
// empty.
func (h *health) ask(ctx context.Context, only string) (map[string]checkResult, bool) {
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	answers := make(map[string]chan error)
	for i, c := range h.checks {
		if only == "" || c.Name == only {
			answers[c.Name] = h.start(ctx, i)
		}
	}
	results, ok := make(map[string]checkResult, len(answers)), true
	for name, answer := range answers {
		var err error
		select {
		case err = <-answer:
		case <-ctx.Done():
			err = errSlow
		}
		results[name] = h.result(ctx, name, err)
		ok = ok && err == nil
	}
	return results, ok
}

var (
	errSlow    = fault.New(fault.Unavailable, "no answer within %s", checkTimeout)
	errHanging = fault.New(fault.Unavailable, "an earlier check has not come back yet")
)

// start runs one check on its own, so that one that ignores its context can't
// hold the answer.
func (h *health) start(ctx context.Context, i int) chan error {
	answer := make(chan error, 1)
	go func() {
		if !h.running[i].TryLock() {
			answer <- errHanging
			return
		}
		defer h.running[i].Unlock()
		answer <- h.checks[i].Ask(ctx)
	}()
	return answer
}

func (h *health) result(ctx context.Context, name string, err error) checkResult {
	if err == nil {
		return checkResult{Status: "ok"}
	}
	h.logger.WarnContext(ctx, "a health check failed", "check", name, "error", err)
	var f *fault.Error
	if errors.As(err, &f) {
		return checkResult{Status: "failed", Detail: f.Message}
	}
	return checkResult{Status: "failed"}
}
