package route

import (
	"context"
	"net/http"
	"time"

	"github.com/usefloww/flowwd/internal/fault"
)

// again returns what decides anew about the client of an open stream; nil where
// no credential is needed.
func again[T any](rt *Router, r *http.Request, q *request, s Spec, object Object[T]) func(context.Context) error {
	if s.Policy.IsPublic() || s.Policy.IsOperator() {
		return nil
	}
	credential := credentialOf(r, s)
	credential.Address, credential.Host = q.address, r.Host
	// The handler goes on with its own.
	copied := *q
	return func(ctx context.Context) error {
		principal, err := rt.config.Authenticate(ctx, credential)
		if err != nil {
			return err
		}
		return decide(ctx, s, object, &copied, &Call[T]{Principal: principal})
	}
}

// keepChecking returns when ctx ends, or when the client of a stream may no
// longer have it: a credential that was taken back must not be good for as long
// as somebody holds on to an answer. Trouble that can pass ends no stream.
func (rt *Router) keepChecking(ctx context.Context, again func(context.Context) error) {
	ticker := time.NewTicker(rt.config.Limits.StreamCheck)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		err := bounded(ctx, rt.config.Limits.Timeout, again)
		if fault.Is(err, fault.Unauthenticated) || fault.Is(err, fault.Denied) || fault.Is(err, fault.NotFound) {
			return
		}
	}
}

// StreamWriter sends parts of a stream to a client that must keep up.
type StreamWriter struct {
	w       http.ResponseWriter
	control *http.ResponseController
	timeout time.Duration
}

// NewStreamWriter returns a StreamWriter that gives up on a client which does
// not take a part within timeout.
func NewStreamWriter(w http.ResponseWriter, timeout time.Duration) *StreamWriter {
	return &StreamWriter{w: w, control: http.NewResponseController(w), timeout: timeout}
}

// Send writes a part and pushes it out. After an error the stream is over.
func (s *StreamWriter) Send(part []byte) error {
	// A timer that moves the deadline into the past needs no clock, so that
	// this also holds where the server's clock is a test's.
	cut := time.AfterFunc(s.timeout, func() { _ = s.control.SetWriteDeadline(time.Unix(1, 0)) })
	defer cut.Stop()
	if _, err := s.w.Write(part); err != nil {
		return errClientGone
	}
	if err := s.control.Flush(); err != nil {
		return errClientGone
	}
	return nil
}
