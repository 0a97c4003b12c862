package route

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/identity"
)

// RequestIDHeader carries the name of a request, in both directions.
const RequestIDHeader = "X-Request-Id"

// DescriptionPath is where the API description is served.
const DescriptionPath = "/openapi.json"

// statusClientGone is logged for requests whose client did not wait for the
// answer. It is never sent.
const statusClientGone = 499

const unmatched = "unmatched"

var (
	// errClientGone ends a request that nobody waits for any more.
	errClientGone = errors.New("the client is gone")
	errPanic      = errors.New("panic")
)

// request is what is known about a request on its way.
type request struct {
	id        string
	start     time.Time
	match     match
	principal identity.Principal
	// address is the client's, without its port, and network what it is counted
	// as.
	address string
	network netip.Addr
	// organization is that of the object that the path names; zero for none.
	organization id.ID
}

type requestKey struct{}

// RequestID returns the name of the request that ctx belongs to; empty outside
// of one.
func RequestID(ctx context.Context) string {
	if q, ok := ctx.Value(requestKey{}).(*request); ok {
		return q.id
	}
	return ""
}

// ClientAddress returns the address of the client behind the request that ctx
// belongs to; empty outside of one.
func ClientAddress(ctx context.Context) string {
	if q, ok := ctx.Value(requestKey{}).(*request); ok {
		return q.address
	}
	return ""
}

func (rt *Router) serve(rw http.ResponseWriter, r *http.Request) {
	start := rt.config.Now()
	w := &response{ResponseWriter: rw}
	q := &request{id: rt.requestID(r), start: start, address: r.RemoteAddr}
	if client, ok := clientOf(r, rt.config.TrustedProxies); ok {
		q.address, q.network = client.String(), network(client)
	}
	w.Header().Set(RequestIDHeader, q.id)
	rt.harden(w, r)

	ctx, traced := rt.config.Tracer.Request(r.Context(), r.Header, start)
	r = r.WithContext(context.WithValue(ctx, requestKey{}, q))
	err := rt.dispatch(w, r, q)
	broken := err != nil && w.status != 0
	if err != nil {
		rt.tellRefusal(r.Context(), q, err)
		rt.fail(w, r, q, err)
	}
	method, status := seen(r, w)
	traced.End(method, q.pattern(), status, q.quiet(status))
	rt.note(w, r, q, rt.config.Now().Sub(start))
	if broken {
		// Half an answer is out: closing the connection is the only way left
		// to tell the client.
		panic(http.ErrAbortHandler)
	}
}

// dispatch runs the route's handler and turns a panic into an error.
func (rt *Router) dispatch(w *response, r *http.Request, q *request) (err error) {
	defer func() {
		v := recover()
		if v == nil {
			return
		}
		if v == http.ErrAbortHandler {
			panic(v)
		}
		rt.config.Logger.ErrorContext(r.Context(), "a handler panicked",
			"requestId", q.id, "route", q.pattern(), "panic", v, "stack", string(debug.Stack()))
		err = errPanic
	}()
	path, ok := matchable(r.URL)
	if ok {
		q.match = rt.tree.find(r.Method, path)
		q.match.slash = strings.HasSuffix(r.URL.EscapedPath(), "/")
	}
	if q.match.leaf == nil {
		return rt.noRoute(w, r, q)
	}
	return q.match.leaf.entry.serve(w, r, q)
}

// matchable returns the escaped path as the tree wants it.
func matchable(u *url.URL) (string, bool) {
	path := u.EscapedPath()
	if path == "/" {
		return path, true
	}
	path = strings.TrimSuffix(path, "/")
	return path, len(path) > 1 && path[0] == '/' && clean(path)
}

// noRoute answers a request that no route is for.
func (rt *Router) noRoute(w *response, r *http.Request, q *request) error {
	allowed := q.match.allowed
	if len(allowed) == 0 {
		return fault.New(fault.NotFound, "There is nothing at this address; GET %s describes the API", DescriptionPath)
	}
	if slices.Contains(allowed, http.MethodGet) {
		allowed = append(allowed, http.MethodHead)
	}
	slices.Sort(allowed)
	allowed = slices.Compact(allowed)
	if rt.preflight(w, r, allowed) {
		return nil
	}
	list := strings.Join(allowed, ", ")
	w.Header().Set("Allow", list)
	return writeProblem(w, problem{
		Status: http.StatusMethodNotAllowed,
		Error:  "This address does not take the request's method; it takes " + list,
	})
}

// requestID takes the client's name for the request when it is harmless, and
// makes one otherwise.
func (rt *Router) requestID(r *http.Request) string {
	given := r.Header.Get(RequestIDHeader)
	if given == "" || len(given) > 64 {
		return rt.config.NewRequestID()
	}
	for _, c := range []byte(given) {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '.', c == '_', c == '-':
		default:
			return rt.config.NewRequestID()
		}
	}
	return given
}

func (q *request) pattern() string {
	if q.match.leaf == nil {
		return unmatched
	}
	return q.match.leaf.pattern
}

// quiet reports whether a request with such an end is of no interest.
func (q *request) quiet(status int) bool {
	return q.match.leaf != nil && q.match.leaf.entry.spec.Quiet && status < 300
}

// seen returns the method and the status of a request as measurements have them.
func seen(r *http.Request, w *response) (method string, status int) {
	method, status = r.Method, w.status
	if !slices.Contains(methods, method) && method != http.MethodHead {
		// A client can't fill the measurements with methods of its own.
		method = "other"
	}
	if status == 0 {
		status = http.StatusOK
	}
	return method, status
}

// note writes the access line and tells the measurements.
func (rt *Router) note(w *response, r *http.Request, q *request, took time.Duration) {
	method, status := seen(r, w)
	if rt.config.Observe != nil {
		rt.config.Observe(q.pattern(), method, status, took)
	}
	level := slog.LevelInfo
	if q.quiet(status) {
		level = slog.LevelDebug
	}
	if !rt.config.Logger.Enabled(r.Context(), level) {
		return
	}
	attrs := make([]slog.Attr, 0, 8)
	attrs = append(attrs,
		slog.String("method", method), slog.String("route", q.pattern()), slog.Int("status", status),
		slog.Duration("took", took), slog.Int64("bytes", w.bytes), slog.String("requestId", q.id), slog.String("address", q.address))
	if !q.principal.ID.IsZero() {
		attrs = append(attrs, slog.String("principal", q.principal.ID.String()))
	}
	rt.config.Logger.LogAttrs(r.Context(), level, "request", attrs...)
}
