package tracing

import (
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	commonpb "go.opentelemetry.io/proto/slim/otlp/common/v1"
	resourcepb "go.opentelemetry.io/proto/slim/otlp/resource/v1"
	tracepb "go.opentelemetry.io/proto/slim/otlp/trace/v1"
)

// encode writes spans of one resource as the protocol has them.
func encode(spans []sdktrace.ReadOnlySpan) *tracepb.TracesData {
	if len(spans) == 0 {
		return &tracepb.TracesData{}
	}
	var scopes []*tracepb.ScopeSpans
	byName := map[string]*tracepb.ScopeSpans{}
	for _, s := range spans {
		scope := s.InstrumentationScope()
		of := byName[scope.Name]
		if of == nil {
			of = &tracepb.ScopeSpans{Scope: &commonpb.InstrumentationScope{Name: scope.Name, Version: scope.Version}}
			byName[scope.Name] = of
			scopes = append(scopes, of)
		}
		of.Spans = append(of.Spans, encodeSpan(s))
	}
	return &tracepb.TracesData{ResourceSpans: []*tracepb.ResourceSpans{{
		Resource:   &resourcepb.Resource{Attributes: encodeAttributes(spans[0].Resource().Attributes())},
		ScopeSpans: scopes,
	}}}
}

func encodeSpan(s sdktrace.ReadOnlySpan) *tracepb.Span {
	c := s.SpanContext()
	traceID, spanID := c.TraceID(), c.SpanID()
	span := &tracepb.Span{
		TraceId: traceID[:], SpanId: spanID[:], Flags: uint32(c.TraceFlags()),
		Name: s.Name(), Kind: kinds[s.SpanKind()],
		StartTimeUnixNano: nanoseconds(s.StartTime()), EndTimeUnixNano: nanoseconds(s.EndTime()),
		Attributes: encodeAttributes(s.Attributes()), DroppedAttributesCount: uint32(s.DroppedAttributes()),
		DroppedLinksCount: uint32(s.DroppedLinks()),
	}
	if parent := s.Parent().SpanID(); parent.IsValid() {
		span.ParentSpanId = parent[:]
	}
	for _, l := range s.Links() {
		traceID, spanID := l.SpanContext.TraceID(), l.SpanContext.SpanID()
		span.Links = append(span.Links, &tracepb.Span_Link{TraceId: traceID[:], SpanId: spanID[:]})
	}
	if status := s.Status(); status.Code == codes.Error {
		span.Status = &tracepb.Status{Code: tracepb.Status_STATUS_CODE_ERROR, Message: status.Description}
	}
	return span
}

var kinds = map[trace.SpanKind]tracepb.Span_SpanKind{
	trace.SpanKindUnspecified: tracepb.Span_SPAN_KIND_INTERNAL,
	trace.SpanKindInternal:    tracepb.Span_SPAN_KIND_INTERNAL,
	trace.SpanKindServer:      tracepb.Span_SPAN_KIND_SERVER,
	trace.SpanKindClient:      tracepb.Span_SPAN_KIND_CLIENT,
	trace.SpanKindProducer:    tracepb.Span_SPAN_KIND_PRODUCER,
	trace.SpanKindConsumer:    tracepb.Span_SPAN_KIND_CONSUMER,
}

func nanoseconds(t time.Time) uint64 { return uint64(max(t.UnixNano(), 0)) }

func encodeAttributes(all []attribute.KeyValue) []*commonpb.KeyValue {
	encoded := make([]*commonpb.KeyValue, len(all))
	for i, a := range all {
		encoded[i] = &commonpb.KeyValue{Key: string(a.Key), Value: encodeValue(a.Value)}
	}
	return encoded
}

// encodeValue writes lists as text: none of ours is one.
func encodeValue(v attribute.Value) *commonpb.AnyValue {
	switch v.Type() {
	case attribute.BOOL:
		return &commonpb.AnyValue{Value: &commonpb.AnyValue_BoolValue{BoolValue: v.AsBool()}}
	case attribute.INT64:
		return &commonpb.AnyValue{Value: &commonpb.AnyValue_IntValue{IntValue: v.AsInt64()}}
	case attribute.FLOAT64:
		return &commonpb.AnyValue{Value: &commonpb.AnyValue_DoubleValue{DoubleValue: v.AsFloat64()}}
	default:
		return &commonpb.AnyValue{Value: &commonpb.AnyValue_StringValue{StringValue: v.String()}}
	}
}
