package route

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/usefloww/flowwd/internal/audit"
	"github.com/usefloww/flowwd/internal/fault"
)

// Raw registers a route whose handler reads the request and writes the answer
// by itself. An error that it returns before it has written anything becomes
// the answer.
func Raw[T any](rt *Router, s Spec, object Object[T], handle func(w http.ResponseWriter, r *http.Request, c Call[T]) error) {
	s = rt.withDefaults(s)
	e := &entry{spec: s, what: object.What}
	e.serve = func(w *response, r *http.Request, q *request) error {
		r, call, err := prepare(rt, w, r, q, s, object)
		if err != nil {
			return err
		}
		if s.Stream {
			return rt.stream(w, r, again(rt, r, q, s, object), func(r *http.Request) error { return handle(w, r, call) })
		}
		return bounded(r.Context(), s.Timeout, func(ctx context.Context) error {
			return handle(w, r.WithContext(ctx), call)
		})
	}
	err := check(s, object)
	if s.OperationID != "" {
		err = errors.Join(err, rt.describeRaw(s, object.Param))
	}
	rt.register(e, err)
}

// prepare does what comes before the handler.
func prepare[T any](rt *Router, w *response, r *http.Request, q *request, s Spec, object Object[T]) (*http.Request, Call[T], error) {
	var call Call[T]
	actor := audit.Actor{}
	err := bounded(r.Context(), rt.config.Limits.Timeout, func(ctx context.Context) (err error) {
		ctx, call, err = admit(ctx, rt, r, q, s, object)
		actor = audit.ActorOf(ctx)
		return err
	})
	r = r.WithContext(audit.WithActor(r.Context(), actor))
	if err == nil && call.Principal.Slid && rt.config.Slid != nil {
		rt.config.Slid(w, r)
	}
	if err != nil || !s.Body {
		return r, call, err
	}
	// The time of the upload is bounded by the server, not by the timeout of
	// the handler, so that a slow line can deploy.
	call.Body, err = readBody(w.ResponseWriter, r, s.BodyLimit)
	return r, call, err
}

// bounded runs a part of a request within a time.
func bounded(parent context.Context, limit time.Duration, run func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(parent, limit)
	defer cancel()
	return explain(ctx, limit, run(ctx))
}

// stream runs a handler for as long as its client listens and the server
// streams.
func (rt *Router) stream(w http.ResponseWriter, r *http.Request, again func(context.Context) error, handle func(*http.Request) error) error {
	defer rt.streams.Add(-1)
	if n := rt.streams.Add(1); n > int64(rt.config.Limits.Streams) {
		return fault.New(fault.Unavailable, "%d streams are open, which is the limit; try again later", rt.config.Limits.Streams)
	}
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	stop := context.AfterFunc(rt.streaming, cancel)
	defer stop()
	if again != nil {
		checked := make(chan struct{})
		defer func() { cancel(); <-checked }()
		go func() {
			defer close(checked)
			defer cancel()
			rt.keepChecking(ctx, again)
		}()
	}
	// The server's deadline is for answers that end. A writer that has none to
	// lift needs none lifted.
	_ = http.NewResponseController(w).SetWriteDeadline(time.Time{})
	return explain(ctx, 0, handle(r.WithContext(ctx)))
}
