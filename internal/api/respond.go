package api

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/usefloww/flowwd/internal/engine"
	"github.com/usefloww/flowwd/internal/execution"
	"github.com/usefloww/flowwd/internal/route"
	"github.com/usefloww/flowwd/internal/trigger"
)

const (
	// respondTimeout bounds a delivery whose sender waits for the handler.
	respondTimeout = execution.MaxAwait + 15*time.Second
	// maxAnswerHeader bounds the headers that a handler answers with; proxies
	// take no more.
	maxAnswerHeader = 32 << 10
	// sandbox gives a page that a handler made an origin of its own. Without it
	// its scripts could do on this server what its reader can.
	sandbox = "sandbox allow-downloads allow-forms allow-modals allow-popups allow-scripts"
)

// respond answers the sender of a delivery with what its execution comes to.
// The event is kept already, whether the sender stays or not. Why a run failed
// is for those who may read it.
func respond(w http.ResponseWriter, r *http.Request, d Deps, a trigger.Answer) error {
	e, err := d.Executions.Await(r.Context(), a.OrganizationID, a.ExecutionID, execution.MaxAwait)
	if err != nil {
		return err
	}
	switch e.State {
	case execution.Completed:
		return writeResult(w, e)
	case execution.Received, execution.Started:
		var room [320]byte
		return route.WriteBody(w, http.StatusAccepted, jsonType, appendAnswer(room[:0], a))
	case execution.NoDeployment:
		return route.WriteBody(w, http.StatusServiceUnavailable, jsonType, []byte(noDeploymentBody))
	case execution.TimedOut:
		return writeUnanswered(w, http.StatusGatewayTimeout, e, "The handler did not end in time")
	case execution.Cancelled:
		return writeUnanswered(w, http.StatusInternalServerError, e, "The run was cancelled")
	default:
		return writeUnanswered(w, http.StatusInternalServerError, e, "The handler failed")
	}
}

// writeResult sends what a handler returned: a Response as it is, a text as
// text, nothing as nothing, and anything else as JSON.
func writeResult(w http.ResponseWriter, e execution.Execution) error {
	if response, ok := engine.ResponseOf(e.Result); ok {
		return writeResponse(w, e, response)
	}
	w.Header().Set("Cache-Control", "no-store")
	if len(e.Result) == 0 {
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	var text string
	if e.Result[0] == '"' && json.Unmarshal(e.Result, &text) == nil {
		return route.WriteBody(w, http.StatusOK, "text/plain; charset=utf-8", []byte(text))
	}
	return route.WriteBody(w, http.StatusOK, jsonType, e.Result)
}

func writeResponse(w http.ResponseWriter, e execution.Execution, response engine.Response) error {
	size := 0
	for _, pair := range response.Header {
		size += len(pair[0]) + len(pair[1])
	}
	if size > maxAnswerHeader {
		return writeUnanswered(w, http.StatusInternalServerError, e, "The handler answered with too many headers")
	}
	h, contentType := w.Header(), "application/octet-stream"
	h.Set("Cache-Control", "no-store")
	given := http.Header{}
	for _, pair := range response.Header {
		given.Add(pair[0], pair[1])
	}
	for name, values := range given {
		switch {
		case ownedByServer(name):
		case name == "Content-Type":
			contentType = values[0]
		default:
			h[name] = values
		}
	}
	h.Add("Content-Security-Policy", sandbox)
	if bodyless(response.Status) {
		w.WriteHeader(response.Status)
		return nil
	}
	return route.WriteBody(w, response.Status, contentType, response.Body)
}

// bodyless reports whether answers with a status have no body.
func bodyless(status int) bool {
	return status == http.StatusNoContent || status == http.StatusNotModified
}

// ownedByServer reports whether a handler can't set a header: those of the
// connection, those that proxies read, and those that would speak to browsers
// for the whole server, its pages and logins included.
func ownedByServer(name string) bool {
	switch name {
	case "Connection", "Content-Length", "Keep-Alive", "Te", "Trailer", "Transfer-Encoding", "Upgrade", "Via",
		"Date", "Server", "X-Request-Id",
		"Set-Cookie", "Set-Cookie2", "Clear-Site-Data", "Service-Worker-Allowed", "Strict-Transport-Security", "Public-Key-Pins",
		"Alt-Svc", "Nel", "Report-To", "Reporting-Endpoints", "Origin-Agent-Cluster", "Accept-Ch",
		"Referrer-Policy", "X-Content-Type-Options", "X-Frame-Options", "Access-Control-Allow-Credentials":
		return true
	}
	return strings.HasPrefix(name, "Proxy-") || strings.HasPrefix(name, "X-Floww-") ||
		strings.HasPrefix(name, "X-Accel-") || strings.HasPrefix(name, "X-Sendfile")
}

// writeUnanswered says that there is no answer of the handler, and names the
// execution for those who may read it.
func writeUnanswered(w http.ResponseWriter, status int, e execution.Execution, text string) error {
	var body bytes.Buffer
	err := json.NewEncoder(&body).Encode(struct {
		Error       string          `json:"error"`
		ExecutionID string          `json:"executionId"`
		Status      execution.State `json:"status"`
	}{text, e.ID.String(), e.State})
	if err != nil {
		return err
	}
	w.Header().Set("Cache-Control", "no-store")
	return route.WriteBody(w, status, jsonType, body.Bytes())
}
