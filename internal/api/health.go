package api

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"golang.org/x/sync/singleflight"

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
	// Minor says that the server is of use without the part: the check is shown,
	// and takes nobody's traffic away.
	Minor bool
	Ask   func(ctx context.Context) error
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
	h := &health{logger: d.Logger, checks: d.Checks}
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
	// running has who asks at the same time share an answer, and keeps a check
	// that hangs from being started again and again.
	running singleflight.Group
}

// ask runs the checks of that name at the same time, all of them when it is
// empty.
func (h *health) ask(ctx context.Context, only string) (map[string]checkResult, bool) {
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	answers := make(map[string]<-chan singleflight.Result)
	minor := map[string]bool{}
	for _, c := range h.checks {
		minor[c.Name] = c.Minor
		if only == "" || c.Name == only {
			answers[c.Name] = h.start(ctx, c)
		}
	}
	results, ok := make(map[string]checkResult, len(answers)), true
	for name, answer := range answers {
		var err error
		select {
		case a := <-answer:
			err = a.Err
		case <-ctx.Done():
			err = errSlow
		}
		results[name] = h.result(ctx, name, err)
		ok = ok && (err == nil || minor[name])
	}
	return results, ok
}

var errSlow = fault.New(fault.Unavailable, "no answer within %s", checkTimeout)

// start runs a check on its own, so that one that ignores its context can't
// hold the answer, nor one who asked and went away end it for others.
func (h *health) start(ctx context.Context, c Check) <-chan singleflight.Result {
	return h.running.DoChan(c.Name, func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), checkTimeout)
		defer cancel()
		return nil, c.Ask(ctx)
	})
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
