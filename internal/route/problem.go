package route

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/usefloww/flowwd/internal/fault"
)

// statusOf is the one table from kinds of failure to HTTP status codes.
var statusOf = [...]int{
	fault.Internal:        http.StatusInternalServerError,
	fault.Invalid:         http.StatusBadRequest,
	fault.Unauthenticated: http.StatusUnauthorized,
	fault.Denied:          http.StatusForbidden,
	fault.NotFound:        http.StatusNotFound,
	fault.Conflict:        http.StatusConflict,
	fault.TooLarge:        http.StatusRequestEntityTooLarge,
	fault.Limited:         http.StatusTooManyRequests,
	fault.Unavailable:     http.StatusServiceUnavailable,
}

// The waits that a Limited or Unavailable answer asks for when the fault does
// not say.
const (
	limitedRetry     = time.Second
	unavailableRetry = 5 * time.Second
)

// Status returns the status that a kind of failure is answered with.
func Status(kind fault.Kind) int { return statusOf[kind] }

// problem is the body of every failure: the members of RFC 9457, and `error`
// and `message`, which existing clients read.
type problem struct {
	Type   string `json:"type" doc:"Always about:blank; title and status say what sort of problem it is"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	// Detail is the text of Error, or an object where clients read inside it.
	Detail    any            `json:"detail" doc:"What was wrong and what to do: a text, for a few problems an object"`
	Error     string         `json:"error" doc:"What was wrong and what to do, always a text"`
	Message   string         `json:"message,omitempty" doc:"The text of error, when detail is an object"`
	Errors    []problemField `json:"errors,omitempty" nullable:"false" doc:"The wrong parts of the request, when they are known"`
	RequestID string         `json:"requestId,omitempty" doc:"Names this request in the server's log"`
}

type problemField struct {
	Location string `json:"location,omitempty" doc:"The wrong part, such as body.name or query.limit"`
	Message  string `json:"message"`
}

// fail answers a request whose handler returned err, and logs what the answer
// does not tell. When a part of an answer is out already, it only logs.
func (rt *Router) fail(w *response, r *http.Request, q *request, err error) {
	if errors.Is(err, errClientGone) {
		if w.status == 0 {
			w.status = statusClientGone
		}
		return
	}
	kind := fault.KindOf(err)
	var f *fault.Error
	errors.As(err, &f)
	if !errors.Is(err, errPanic) && (kind == fault.Internal || (f.Cause != nil && kind == fault.Unavailable)) {
		rt.config.Logger.ErrorContext(r.Context(), "a request failed", "requestId", q.id, "route", q.pattern(), "error", err)
	}
	if w.status != 0 {
		return
	}
	if q.match.leaf == nil && rt.failUnmatched(w, r, kind) || q.match.leaf != nil && rt.failPage(w, r, q, kind, f) {
		return
	}
	p := problem{Status: statusOf[kind]}
	switch kind {
	case fault.Internal:
		p.Error, p.RequestID = "Something went wrong on the server; its log has the reason under request id "+q.id, q.id
	case fault.Unauthenticated:
		w.Header().Set("WWW-Authenticate", "Bearer")
	case fault.Limited:
		retryAfter(w, f.RetryAfter, limitedRetry)
	case fault.Unavailable:
		retryAfter(w, f.RetryAfter, unavailableRetry)
	}
	if kind != fault.Internal {
		p.Error, p.Errors = f.Message, fields(f)
		if f.Detail != nil {
			p.Detail, p.Message = f.Detail, f.Message
		}
	}
	// An answer that can't be written has nobody left to be told.
	_ = writeProblem(w, p)
}

func fields(f *fault.Error) []problemField {
	all := make([]problemField, len(f.Fields))
	for i, field := range f.Fields {
		all[i] = problemField(field)
	}
	return all
}

// RetryAfter says when to come again after a refusal by a limit, for routes that
// write refusals in a form of their own.
func RetryAfter(w http.ResponseWriter, err error) {
	var f *fault.Error
	if errors.As(err, &f) {
		retryAfter(w, f.RetryAfter, limitedRetry)
	}
}

func retryAfter(w http.ResponseWriter, wait, unknown time.Duration) {
	if wait <= 0 {
		wait = unknown
	}
	w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(wait.Seconds()))))
}

func writeProblem(w http.ResponseWriter, p problem) error {
	p.Type, p.Title = "about:blank", http.StatusText(p.Status)
	if p.Detail == nil {
		p.Detail = p.Error
	}
	return WriteJSON(w, p.Status, p)
}

// WriteJSON answers with a JSON value, for Raw routes. Nothing is written when
// the value has no JSON form.
func WriteJSON(w http.ResponseWriter, status int, v any) error {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return err
	}
	return WriteBody(w, status, jsonType, b.Bytes())
}

// WriteBody answers with a whole body, for Raw routes.
func WriteBody(w http.ResponseWriter, status int, contentType string, body []byte) error {
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	if _, err := w.Write(body); err != nil {
		return errClientGone
	}
	return nil
}

// explain replaces an error that comes from the end of ctx by one that says
// so. A fault says more, and stays.
func explain(ctx context.Context, limit time.Duration, err error) error {
	var f *fault.Error
	if err == nil || errors.As(err, &f) {
		return err
	}
	switch ctx.Err() {
	case context.DeadlineExceeded:
		return fault.Because(err, fault.Unavailable, "The server did not finish this request within %s", limit)
	case context.Canceled:
		return errClientGone
	}
	return err
}
