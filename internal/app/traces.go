package app

import (
	"context"
	"fmt"

	"github.com/usefloww/flowwd/internal/tracing"
)

// addTracer makes what sends traces. It stops last, after all that is told in
// them.
func (s *Server) addTracer() error {
	settings := s.config.Settings
	if !settings.Traced() {
		return nil
	}
	headers, err := settings.Headers()
	if err != nil {
		return fmt.Errorf("OTEL_EXPORTER_OTLP_HEADERS: %w", err)
	}
	s.tracer, err = tracing.New(tracing.Config{
		Endpoint: settings.TraceEndpoint, Headers: headers, Share: settings.TraceShare,
		Service: settings.TraceService, Version: s.config.Version, Instance: s.ids.New().String(), Log: s.log,
	})
	if err != nil {
		return err
	}
	s.metrics.counter("flowwd_trace_spans_total", "Spans that were recorded, to be sent to the receiver of traces.", func() float64 {
		recorded, _ := s.tracer.Counts()
		return float64(recorded)
	})
	s.metrics.counter("flowwd_trace_spans_sent_total", "Spans that the receiver has taken; of the others all but the latest were dropped.", func() float64 {
		_, sent := s.tracer.Counts()
		return float64(sent)
	})
	s.parts.add(part{name: "traces", share: 5, start: func(context.Context) error { return nil }, stop: s.stopTracer})
	return nil
}

// stopTracer ends the traces. A receiver that takes nothing is no fault of the
// server's.
func (s *Server) stopTracer(ctx context.Context) error {
	if err := s.tracer.Stop(ctx); err != nil {
		s.log.Warn("the last traces were not sent", "error", err)
	}
	return nil
}
