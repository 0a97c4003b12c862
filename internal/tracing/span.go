package tracing

import (
	"context"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/usefloww/flowwd/internal/id"
)

// Span is a part of a trace. Nil is a part of none.
type Span struct{ otel trace.Span }

// Start begins a part of what ctx belongs to, if that is traced.
func Start(ctx context.Context, name string) (context.Context, *Span) {
	ctx, parent := within(ctx)
	if parent == nil {
		return ctx, nil
	}
	ctx, span := parent.TracerProvider().Tracer(scope).Start(ctx, name)
	return ctx, &Span{span}
}

// Past tells of a part that is over.
func Past(ctx context.Context, name string, from, to time.Time) {
	ctx, parent := within(ctx)
	if parent == nil {
		return
	}
	_, span := parent.TracerProvider().Tracer(scope).Start(ctx, name, trace.WithTimestamp(from))
	span.End(trace.WithTimestamp(to))
}

// Current returns the part that ctx belongs to; nil when that is not traced.
func Current(ctx context.Context) *Span {
	if span := trace.SpanFromContext(ctx); span.SpanContext().IsValid() {
		return &Span{span}
	}
	return nil
}

// scope names the code that makes spans.
const scope = "github.com/usefloww/flowwd"

// within returns the span that ctx belongs to; nil when that is not traced.
func within(ctx context.Context) (context.Context, trace.Span) {
	if span := trace.SpanFromContext(ctx); span.SpanContext().IsValid() {
		return ctx, span
	}
	if q, ok := ctx.Value(requestKey{}).(*Request); ok {
		span := q.place(identity{})
		return trace.ContextWithSpan(ctx, span), span
	}
	return ctx, nil
}

// Accept begins the acceptance of an event as an execution. The request that
// ctx belongs to becomes the root of the execution's trace, when it has no place
// yet; otherwise the acceptance does, and is linked with what ctx belongs to.
func (t *Tracer) Accept(ctx context.Context, execution id.ID) (context.Context, *Span) {
	const name = "accept an event"
	if t == nil {
		return ctx, nil
	}
	own := identity{trace: trace.TraceID(execution), span: rootID(execution)}
	if q, ok := ctx.Value(requestKey{}).(*Request); ok && q.take(own) {
		return Start(ctx, name)
	}
	options := []trace.SpanStartOption{trace.WithNewRoot()}
	ctx, cause := within(ctx)
	if cause != nil {
		options = append(options, trace.WithLinks(trace.Link{SpanContext: cause.SpanContext()}))
	}
	ctx, span := t.tracer.Start(context.WithValue(ctx, identityKey{}, own), name, options...)
	return ctx, &Span{span}
}

// Of returns a context that belongs to the trace of an execution.
func (t *Tracer) Of(ctx context.Context, execution id.ID) context.Context {
	if t == nil {
		return ctx
	}
	return trace.ContextWithSpan(ctx, remote{trace.SpanFromContext(trace.ContextWithRemoteSpanContext(ctx, t.root(execution))), t.provider})
}

// remote is a span of another server, below which this one's begin.
type remote struct {
	trace.Span
	provider trace.TracerProvider
}

// TracerProvider implements trace.Span.
func (r remote) TracerProvider() trace.TracerProvider { return r.provider }

// Link notes that an execution has to do with this.
func (s *Span) Link(t *Tracer, execution id.ID) {
	if s != nil && t != nil {
		s.otel.AddLink(trace.Link{SpanContext: t.root(execution)})
	}
}

// ID notes an id.
func (s *Span) ID(key string, value id.ID) {
	if s != nil && !value.IsZero() && s.otel.IsRecording() {
		s.otel.SetAttributes(attribute.String(key, value.String()))
	}
}

// Text notes a name or a state.
func (s *Span) Text(key, value string) {
	if s != nil {
		s.otel.SetAttributes(attribute.String(key, value))
	}
}

// Number notes a number.
func (s *Span) Number(key string, value int) {
	if s != nil {
		s.otel.SetAttributes(attribute.Int(key, value))
	}
}

// Failed notes that it went wrong, with a text that holds nothing of a caller's.
func (s *Span) Failed(text string) {
	if s != nil {
		s.otel.SetStatus(codes.Error, text)
	}
}

// End ends the part; failed when there is an error, of which nothing is told.
func (s *Span) End(err error) {
	if s == nil {
		return
	}
	if err != nil {
		s.otel.SetStatus(codes.Error, "")
	}
	s.otel.End()
}
