package registry

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

// Error is a refusal in the form of distribution-spec 1.1.
type Error struct {
	Status int
	// Code is one of the specification's, such as DENIED.
	Code    string
	Message string
}

func (e *Error) Error() string { return e.Message }

// NewError returns a refusal.
func NewError(status int, code, format string, values ...any) *Error {
	return &Error{Status: status, Code: code, Message: fmt.Sprintf(format, values...)}
}

func unknownName(format string, values ...any) *Error {
	return NewError(http.StatusNotFound, "NAME_UNKNOWN", format, values...)
}

// Write answers a request with a refusal.
func (e *Error) Write(w http.ResponseWriter) {
	body, err := json.Marshal(map[string]any{"errors": []map[string]any{{"code": e.Code, "message": e.Message}}})
	if err != nil {
		body = nil // strings can always be written
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Del("Content-Length")
	w.WriteHeader(e.Status)
	_, _ = w.Write(body) // the client may be gone
}

// answer is the way of a storage's answer to the client. It holds back an answer
// that the server has to say something else instead of, and ends when its client
// takes nothing.
type answer struct {
	http.ResponseWriter
	// instead returns what is answered instead of a status; nil for nothing else.
	instead func(status int) *Error
	// slow cuts the answer; each write puts it off.
	slow    *time.Timer
	began   bool
	dropped bool
	failure []byte
}

func newAnswer(w http.ResponseWriter, instead func(status int) *Error) *answer {
	a := &answer{ResponseWriter: w, instead: instead}
	a.slow = time.AfterFunc(idle, a.cut)
	a.slow.Stop()
	return a
}

// cut ends the connection, as far as it was not read.
func (a *answer) cut() {
	_ = http.NewResponseController(a.ResponseWriter).SetWriteDeadline(time.Unix(1, 0))
}

// end is to be called when the request was answered.
func (a *answer) end() { a.slow.Stop() }

// failureText bounds what is kept of the storage's failures, for the log.
const failureText = 2 << 10

func (a *answer) WriteHeader(status int) {
	if a.began {
		return
	}
	a.began = true
	if e := a.instead(status); e != nil {
		a.dropped = true
		e.Write(a.ResponseWriter)
		return
	}
	a.ResponseWriter.WriteHeader(status)
}

func (a *answer) Write(p []byte) (int, error) {
	if !a.began {
		a.WriteHeader(http.StatusOK)
	}
	if a.dropped {
		a.failure = append(a.failure, p[:min(len(p), failureText-len(a.failure))]...)
		return len(p), nil
	}
	a.slow.Reset(idle)
	defer a.slow.Stop()
	return a.ResponseWriter.Write(p)
}

// Unwrap is for http.ResponseController.
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }
