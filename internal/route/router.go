package route

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/usefloww/flowwd/internal/identity"
	"github.com/usefloww/flowwd/internal/tracing"
)

// Config is what a Router needs. Authenticate, Logger, Now and NewRequestID
// are required.
type Config struct {
	// Title and Version stand in the API description.
	Title, Version string
	// Authenticate returns the principal behind a credential, also behind none:
	// where nobody logs in, everybody is somebody.
	Authenticate func(ctx context.Context, c identity.Credential) (identity.Principal, error)
	// Refused is told of requests that somebody known may not make; nil for nobody.
	Refused func(ctx context.Context, r Refusal)
	// ErrorPage answers a failed request for a page; nil answers with JSON.
	ErrorPage func(w http.ResponseWriter, r *http.Request, status int, text string)
	// Slid is told of requests whose session now lives longer, so that it can have
	// the browser keep its cookie; nil for nobody.
	Slid func(w http.ResponseWriter, r *http.Request)
	// Origins are the addresses of sites whose pages may use cookies to change
	// something, such as the public URL of this server behind a proxy; nil for
	// this server alone.
	Origins func() []string
	// CORSOrigins are sites whose scripts may call the API with a bearer token.
	CORSOrigins []string
	// TrustedProxies are the networks of proxies whose X-Forwarded-For tells
	// where a request comes from.
	TrustedProxies []netip.Prefix
	// HTTPS says that browsers reach this server by https alone.
	HTTPS bool
	// LoginPath is where readers of pages are sent who are not logged in; a
	// query parameter `next` brings them back.
	LoginPath string
	// OperatorToken opens operator routes from anywhere; empty for nobody.
	OperatorToken string
	Logger        *slog.Logger
	Now           func() time.Time
	// NewRequestID names requests that bring no name.
	NewRequestID func() string
	// Observe is told about every answered request; nil for nobody. The
	// pattern is "unmatched" for requests that no route answered.
	Observe func(pattern, method string, status int, took time.Duration)
	// Limited is told what requests were refused for that came too often; nil for
	// nobody.
	Limited func(by LimitedBy)
	// Tracer tells traces of requests; nil for nobody.
	Tracer *tracing.Tracer
	// Limits bound requests; zero fields stand for DefaultLimits.
	Limits Limits
}

// Limits bound what a client can take of the server.
type Limits struct {
	// Body is the greatest body in bytes of a route that says nothing else.
	Body int64
	// Timeout bounds the handler of a route that says nothing else.
	Timeout time.Duration
	// Upload bounds the reading of headers and body.
	Upload time.Duration
	// Header is the greatest size of all headers in bytes.
	Header int
	// Streams is the greatest number of open streams.
	Streams int
	// StreamCheck is how often it is decided anew whether the client of an open
	// stream may have it.
	StreamCheck time.Duration
	// Rate is how many requests a second a principal may make in the long run, or
	// an address without a credential; Failures how many credentials that are not
	// valid an address may show. Ten seconds' worth may come at once.
	Rate, Failures int
}

// DefaultLimits are those of an installation that sets nothing.
func DefaultLimits() Limits {
	return Limits{
		Body:    1 << 20,
		Timeout: 30 * time.Second,
		Upload:  2 * time.Minute,
		Header:  64 << 10,
		Streams: 1000,

		StreamCheck: time.Second,

		Rate:     500,
		Failures: 20,
	}
}

func (l Limits) orDefault() Limits {
	d := DefaultLimits()
	if l.Body == 0 {
		l.Body = d.Body
	}
	if l.Timeout == 0 {
		l.Timeout = d.Timeout
	}
	if l.Upload == 0 {
		l.Upload = d.Upload
	}
	if l.Header == 0 {
		l.Header = d.Header
	}
	if l.Streams == 0 {
		l.Streams = d.Streams
	}
	if l.StreamCheck == 0 {
		l.StreamCheck = d.StreamCheck
	}
	if l.Rate == 0 {
		l.Rate = d.Rate
	}
	if l.Failures == 0 {
		l.Failures = d.Failures
	}
	return l
}

// Router holds the routes of all doors and serves them. Register everything
// before the first request.
type Router struct {
	config  Config
	tree    tree
	entries []*entry
	errs    []error

	// crossOrigin tells requests that another site made a browser send.
	crossOrigin *http.CrossOriginProtection

	rates rates

	api     huma.API
	adapter *adapter

	// streaming ends when streams must end.
	streaming  context.Context
	endStreams context.CancelFunc
	streams    atomic.Int64
}

// New returns an empty Router.
func New(config Config) *Router {
	config.Limits = config.Limits.orDefault()
	rt := &Router{config: config, rates: newRates(config.Limits), adapter: &adapter{}, crossOrigin: http.NewCrossOriginProtection()}
	rt.streaming, rt.endStreams = context.WithCancel(context.Background())
	rt.api = newAPI(config, rt.adapter)
	if config.Authenticate == nil || config.Logger == nil || config.Now == nil || config.NewRequestID == nil {
		rt.errs = append(rt.errs, errors.New("route: Authenticate, Logger, Now and NewRequestID are required"))
	}
	return rt
}

// Err returns what is wrong with the registered routes; nil when a server may
// start with them.
func (rt *Router) Err() error { return errors.Join(rt.errs...) }

// Handler returns the handler of all routes.
func (rt *Router) Handler() http.Handler { return http.HandlerFunc(rt.serve) }

// Server returns a server of all routes, with the limits that net/http holds.
// Its shutdown ends the streams.
func (rt *Router) Server() *http.Server {
	limits := rt.config.Limits
	server := &http.Server{
		Handler:           rt.Handler(),
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       limits.Upload,
		WriteTimeout:      limits.Upload + rt.longest() + 30*time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    limits.Header,
		ErrorLog:          slog.NewLogLogger(rt.config.Logger.Handler(), slog.LevelDebug),
	}
	server.RegisterOnShutdown(rt.EndStreams)
	return server
}

// longest returns the greatest time that a handler may take.
func (rt *Router) longest() time.Duration {
	longest := rt.config.Limits.Timeout
	for _, e := range rt.entries {
		longest = max(longest, e.spec.Timeout)
	}
	return longest
}

// EndStreams ends all streams, those that are open and those to come.
func (rt *Router) EndStreams() { rt.endStreams() }

// Routes lists the registered routes by path and method.
func (rt *Router) Routes() []Info {
	var all []Info
	for _, e := range rt.entries {
		all = append(all, e.infos()...)
	}
	slices.SortFunc(all, func(a, b Info) int {
		if c := strings.Compare(a.Path, b.Path); c != 0 {
			return c
		}
		return strings.Compare(a.Method, b.Method)
	})
	return all
}

// register puts a checked route into the tree, or notes why it can't.
func (rt *Router) register(e *entry, err error) {
	if err == nil {
		for _, path := range append([]string{e.spec.Path}, e.spec.Aliases...) {
			err = errors.Join(err, rt.tree.add(e.spec.Method, path, e))
		}
	}
	if err != nil {
		rt.errs = append(rt.errs, err)
		return
	}
	rt.entries = append(rt.entries, e)
}

// withDefaults fills in what a Spec leaves to the Router.
func (rt *Router) withDefaults(s Spec) Spec {
	if s.BodyLimit == 0 {
		s.BodyLimit = rt.config.Limits.Body
	}
	if s.Timeout == 0 {
		s.Timeout = rt.config.Limits.Timeout
	}
	if s.Status == 0 {
		s.Status = http.StatusOK
	}
	return s
}
