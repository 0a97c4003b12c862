package app

import (
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/usefloww/flowwd/internal/execution"
	"github.com/usefloww/flowwd/internal/route"
)

// metrics are the measurements of one server, on a registry of its own. They
// carry no label of a tenant.
type metrics struct {
	registry    *prometheus.Registry
	accepted    *prometheus.CounterVec
	ended       *prometheus.CounterVec
	waited      prometheus.Histogram
	ran         prometheus.Histogram
	claimFailed prometheus.Counter
	requests    *prometheus.HistogramVec
	limited     *prometheus.CounterVec
}

// seconds are the buckets of durations, from 0.5 ms to about a quarter of an
// hour.
var seconds = prometheus.ExponentialBuckets(0.0005, 2.5, 17)

func newMetrics() *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		accepted: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "flowwd_events_accepted_total", Help: "Events stored, by the state their execution got.",
		}, []string{"state"}),
		ended: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "flowwd_attempts_ended_total", Help: "Attempts ended, by the state they led to; received means interrupted.",
		}, []string{"state"}),
		waited: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "flowwd_execution_wait_seconds", Help: "Time from the acceptance of an event to the start of its attempt.", Buckets: seconds,
		}),
		ran: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "flowwd_attempt_duration_seconds", Help: "Time that attempts ran.", Buckets: seconds,
		}),
		claimFailed: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "flowwd_queue_errors_total", Help: "Times the queue could not be read.",
		}),
		requests: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "flowwd_http_request_duration_seconds", Help: "Time to answer requests, by route.", Buckets: seconds,
		}, []string{"route", "method", "status"}),
		limited: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "flowwd_http_limited_total", Help: "Requests refused because too many came: of a principal, of an address, or with invalid credentials of an address.",
		}, []string{"by"}),
	}
	m.registry.MustRegister(m.accepted, m.ended, m.waited, m.ran, m.claimFailed, m.requests, m.limited,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// gauge adds a measurement that is read when it is asked for.
func (m *metrics) gauge(name, help string, read func() float64) {
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, read))
}

// counter adds a total that is read when it is asked for.
func (m *metrics) counter(name, help string, read func() float64) {
	m.registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Name: name, Help: help}, read))
}

// certificate adds when a domain's certificate ends.
func (m *metrics) certificate(domain string, read func() float64) {
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "flowwd_certificate_end_timestamp_seconds", Help: "When the certificate of a domain ends, as Unix time; 0 while there is none.", ConstLabels: prometheus.Labels{"domain": domain},
	}, read))
}

func (m *metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}

var _ execution.Metrics = (*metrics)(nil)

// Accepted implements execution.Metrics.
func (m *metrics) Accepted(state execution.State) {
	m.accepted.WithLabelValues(string(state)).Inc()
}

// Ended implements execution.Metrics.
func (m *metrics) Ended(state execution.State, waited, ran time.Duration) {
	m.ended.WithLabelValues(string(state)).Inc()
	m.waited.Observe(waited.Seconds())
	m.ran.Observe(ran.Seconds())
}

// ClaimFailed implements execution.Metrics.
func (m *metrics) ClaimFailed() { m.claimFailed.Inc() }

// observe notes an answered request.
func (m *metrics) observe(route, method string, status int, took time.Duration) {
	m.requests.WithLabelValues(route, method, strconv.Itoa(status)).Observe(took.Seconds())
}

// limit notes a request that came too often.
func (m *metrics) limit(by route.LimitedBy) { m.limited.WithLabelValues(string(by)).Inc() }
