package tracing

import (
	"context"
	"net/http"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

// Request is the span of a request. Its place in a trace is open until something
// in it is told, or it ends: it may cause a run, in whose trace it then is.
type Request struct {
	tracer *Tracer
	start  time.Time
	caller trace.SpanContext

	mu   sync.Mutex
	span trace.Span
}

type requestKey struct{}

// Request begins to tell of a request that came with a header.
func (t *Tracer) Request(ctx context.Context, header http.Header, start time.Time) (context.Context, *Request) {
	if t == nil {
		return ctx, nil
	}
	q := &Request{tracer: t, start: start}
	if header.Get("Traceparent") != "" {
		q.caller = trace.SpanContextFromContext(propagation.TraceContext{}.Extract(context.Background(), propagation.HeaderCarrier(header))).
			WithTraceState(trace.TraceState{}) // which is as long as the sender likes
	}
	return context.WithValue(ctx, requestKey{}, q), q
}

// place returns the span, which begins now in the given place if it has none.
func (q *Request) place(at identity) trace.Span {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.begin(at)
	return q.span
}

// take gives the request a place and reports whether it had none.
func (q *Request) take(at identity) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.span != nil {
		return false
	}
	q.begin(at)
	return true
}

func (q *Request) begin(at identity) {
	if q.span != nil {
		return
	}
	options := []trace.SpanStartOption{trace.WithNewRoot(), trace.WithSpanKind(trace.SpanKindServer), trace.WithTimestamp(q.start)}
	if q.caller.IsValid() {
		options = append(options, trace.WithLinks(trace.Link{SpanContext: q.caller}))
	}
	_, q.span = q.tracer.tracer.Start(context.WithValue(context.Background(), identityKey{}, at), "request", options...)
}

// End ends the request. One that is dull is told only when something in it was.
func (q *Request) End(method, pattern string, status int, dull bool) {
	if q == nil {
		return
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.span == nil && dull {
		return
	}
	q.begin(identity{})
	q.span.SetName(method + " " + pattern)
	q.span.SetAttributes(attribute.String("http.request.method", method), attribute.String("http.route", pattern), attribute.Int("http.response.status_code", status))
	if status >= http.StatusInternalServerError {
		q.span.SetStatus(codes.Error, "")
	}
	q.span.End()
}
