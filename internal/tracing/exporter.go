package tracing

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"sync/atomic"
	"time"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"google.golang.org/protobuf/proto"
)

const (
	// sendTimeout bounds the sending of a batch, with all its tries.
	sendTimeout = 10 * time.Second
	// firstWait is the time before a batch is sent again, and doubles.
	firstWait = 500 * time.Millisecond
	// maxAnswer bounds what is read of an answer.
	maxAnswer = 64 << 10
)

// exporter sends spans by OTLP over HTTP. It is not the one of OpenTelemetry,
// which brings gRPC along.
type exporter struct {
	url     string
	headers http.Header
	client  *http.Client
	log     *slog.Logger
	sent    atomic.Int64
	// failing says that the last batch was not taken.
	failing atomic.Bool
	life    context.Context
	stop    context.CancelFunc
}

var _ sdktrace.SpanExporter = (*exporter)(nil)

func newExporter(c Config) (*exporter, error) {
	address, err := url.JoinPath(c.Endpoint, "v1/traces")
	if err != nil {
		return nil, fmt.Errorf("the address of the receiver of traces: %w", err)
	}
	e := &exporter{url: address, headers: c.Headers, log: c.Log}
	e.client = &http.Client{
		Transport: &http.Transport{Proxy: http.ProxyFromEnvironment, MaxIdleConnsPerHost: 1, IdleConnTimeout: time.Minute, ForceAttemptHTTP2: true},
		// What was sent with a header that authorizes must not go elsewhere.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	e.life, e.stop = context.WithCancel(context.Background())
	return e, nil
}

// Shutdown implements sdktrace.SpanExporter.
func (e *exporter) Shutdown(context.Context) error {
	e.client.CloseIdleConnections()
	return nil
}

// ExportSpans implements sdktrace.SpanExporter. What can't be sent is dropped and
// told in the log, once until it can again.
func (e *exporter) ExportSpans(ctx context.Context, spans []sdktrace.ReadOnlySpan) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(e.life, cancel)()
	err := e.send(ctx, spans)
	if err == nil {
		e.sent.Add(int64(len(spans)))
	}
	switch failed := err != nil; {
	case failed && !e.failing.Swap(true):
		e.log.Warn("traces can't be sent, and are dropped until they can", "error", err)
	case !failed && e.failing.Swap(false):
		e.log.Info("traces are sent again")
	}
	return nil
}

func (e *exporter) send(ctx context.Context, spans []sdktrace.ReadOnlySpan) error {
	body, err := proto.Marshal(encode(spans))
	if err != nil {
		return fmt.Errorf("write spans: %w", err)
	}
	for wait := firstWait; ; wait *= 2 {
		after, err := e.post(ctx, body)
		if err == nil || after < 0 {
			return err
		}
		select {
		case <-time.After(max(wait, after)):
		case <-ctx.Done():
			return err
		}
	}
}

// post sends a body once. When it fails, after is the least time until it may be
// sent again; negative when it must not be.
func (e *exporter) post(ctx context.Context, body []byte) (after time.Duration, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, e.url, bytes.NewReader(body))
	if err != nil {
		return -1, err
	}
	for name, values := range e.headers {
		request.Header[name] = values
	}
	request.Header.Set("Content-Type", "application/x-protobuf")
	request.Header.Set("User-Agent", "flowwd")
	answer, err := e.client.Do(request)
	if err != nil {
		return 0, err
	}
	defer answer.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(answer.Body, maxAnswer)) // for the connection to be used again
	switch answer.StatusCode {
	case http.StatusOK, http.StatusAccepted, http.StatusNoContent:
		return 0, nil
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		seconds, _ := strconv.ParseUint(answer.Header.Get("Retry-After"), 10, 16) // 0 when there is none
		return time.Duration(seconds) * time.Second, fmt.Errorf("the receiver answers %s", answer.Status)
	default:
		return -1, fmt.Errorf("the receiver answers %s", answer.Status)
	}
}
