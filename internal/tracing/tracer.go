package tracing

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/attribute"
	sdkresource "go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/usefloww/flowwd/internal/id"
)

const (
	// maxQueued is how many ended spans wait to be sent; more are dropped.
	maxQueued = 8192
	// maxBatch is how many are sent at once.
	maxBatch = 1024
	// sendInterval is how long an ended span waits for others.
	sendInterval = 2 * time.Second
	// stopTimeout bounds what is sent when the server stops.
	stopTimeout = 3 * time.Second
)

// Config says where traces are sent.
type Config struct {
	// Endpoint is the base address of an OTLP/HTTP receiver.
	Endpoint string
	Headers  http.Header
	// Service, Version and Instance name the sender.
	Service, Version, Instance string
	// Share of the traces is recorded, 0 to 1.
	Share float64
	Log   *slog.Logger
}

// Tracer begins traces. Nil traces nothing.
type Tracer struct {
	provider *sdktrace.TracerProvider
	tracer   trace.Tracer
	sampler  sdktrace.Sampler
	exporter *exporter
	ended    atomic.Int64
}

// New returns a tracer, which sends what ends until it is stopped.
func New(c Config) (*Tracer, error) {
	exporter, err := newExporter(c)
	if err != nil {
		return nil, err
	}
	t := &Tracer{exporter: exporter, sampler: asked{sdktrace.TraceIDRatioBased(c.Share)}}
	t.provider = sdktrace.NewTracerProvider(
		sdktrace.WithSampler(sdktrace.ParentBased(t.sampler)),
		sdktrace.WithIDGenerator(ids{}),
		sdktrace.WithResource(sdkresource.NewSchemaless(
			attribute.String("service.name", c.Service), attribute.String("service.version", c.Version), attribute.String("service.instance.id", c.Instance))),
		sdktrace.WithSpanProcessor(&counting{SpanProcessor: sdktrace.NewBatchSpanProcessor(exporter,
			sdktrace.WithMaxQueueSize(maxQueued), sdktrace.WithMaxExportBatchSize(maxBatch), sdktrace.WithBatchTimeout(sendInterval), sdktrace.WithExportTimeout(sendTimeout)),
			ended: &t.ended}),
	)
	t.tracer = t.provider.Tracer(scope)
	return t, nil
}

// Provider is for libraries that trace by themselves; nil where nothing is
// traced.
func (t *Tracer) Provider() trace.TracerProvider {
	if t == nil {
		return nil
	}
	return t.provider
}

// Counts are how many spans were recorded and how many of them a receiver has
// taken. The others wait, or were dropped.
func (t *Tracer) Counts() (recorded, sent int64) { return t.ended.Load(), t.exporter.sent.Load() }

// Stop sends what waits for as long as ctx and a bound of its own allow.
func (t *Tracer) Stop(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, stopTimeout)
	defer cancel()
	// A sender that hangs is ended too.
	defer t.exporter.stop()
	if err := t.provider.Shutdown(ctx); err != nil {
		return fmt.Errorf("send the last traces: %w", err)
	}
	return nil
}

// root is the place in a trace that an execution's spans are below.
func (t *Tracer) root(execution id.ID) trace.SpanContext {
	c := trace.SpanContextConfig{TraceID: trace.TraceID(execution), SpanID: rootID(execution), Remote: true}
	if t.sampler.ShouldSample(sdktrace.SamplingParameters{TraceID: c.TraceID}).Decision == sdktrace.RecordAndSample {
		c.TraceFlags = trace.FlagsSampled
	}
	return trace.NewSpanContext(c)
}

// rootID is the random half of an execution's id.
func rootID(execution id.ID) trace.SpanID { return trace.SpanID(execution[8:]) }

// counting counts the spans that are recorded.
type counting struct {
	sdktrace.SpanProcessor
	ended *atomic.Int64
}

// OnEnd implements sdktrace.SpanProcessor.
func (c *counting) OnEnd(s sdktrace.ReadOnlySpan) {
	c.ended.Add(1)
	c.SpanProcessor.OnEnd(s)
}

// asked leaves out the requests of libraries that nothing which is traced asked
// for: a daemon that is watched would fill the receiver.
type asked struct{ sdktrace.Sampler }

// ShouldSample implements sdktrace.Sampler.
func (a asked) ShouldSample(p sdktrace.SamplingParameters) sdktrace.SamplingResult {
	if p.Kind == trace.SpanKindClient {
		return sdktrace.SamplingResult{Decision: sdktrace.Drop}
	}
	return a.Sampler.ShouldSample(p)
}
