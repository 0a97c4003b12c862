package api

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/usefloww/flowwd/internal/access"
	"github.com/usefloww/flowwd/internal/engine"
	"github.com/usefloww/flowwd/internal/execution"
	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/route"
)

const (
	// heartbeat keeps proxies from closing a stream that is still.
	heartbeat = 15 * time.Second
	// sendTimeout is how long a client may take for one part.
	sendTimeout = 10 * time.Second
	// sendSize is how much is gathered before it is sent.
	sendSize = 64 << 10
)

// logEvent is the data of an event "log".
type logEvent struct {
	Level     engine.Level `json:"level"`
	Message   string       `json:"message"`
	Timestamp timestamp    `json:"timestamp"`
	Attempt   int          `json:"attempt"`
	Line      int          `json:"line"`
}

func registerEvents(r *route.Router, d Deps) {
	route.Raw(r, route.Spec{
		Method: http.MethodGet, Path: executionsPath + "/{id}/events", Policy: access.Requires(access.ReadExecution), Stream: true,
		OperationID: "stream-execution", Summary: "Follow an execution as server-sent events", Tag: "Executions",
		Description: "Event `state` carries the execution, at once and after each change. Event `log` carries a line; its id is the line's place, " +
			"and a stream that is opened with it as `Last-Event-ID` or `?after=` goes on behind that line. Event `end` is the last one.",
		ContentType: "text/event-stream",
	}, d.execution(), func(w http.ResponseWriter, r *http.Request, c route.Call[execution.Execution]) error {
		after, err := resumeAt(r)
		if err != nil {
			return err
		}
		h := w.Header()
		h.Set("Content-Type", "text/event-stream")
		h.Set("Cache-Control", "no-store")
		// Some proxies hold answers back until they have much of them.
		h.Set("X-Accel-Buffering", "no")
		w.WriteHeader(http.StatusOK)
		if r.Method == http.MethodHead {
			return nil
		}
		s := &eventStream{
			executions: d.Executions, out: route.NewStreamWriter(w, sendTimeout),
			id: c.Object.ID, organizations: []id.ID{c.Object.OrganizationID}, after: after,
		}
		return s.run(r.Context(), heartbeat)
	})
}

// resumeAt returns the last line that the client has seen. What an EventSource
// sends when it connects again is newer than what its address says.
func resumeAt(r *http.Request) (execution.Cursor, error) {
	if last := r.Header.Get("Last-Event-ID"); last != "" {
		return parseCursor("header.Last-Event-ID", last)
	}
	return parseCursor("query.after", r.URL.Query().Get("after"))
}

// eventStream follows one execution. It shows only what it has read from the
// store; the watcher says when to look.
type eventStream struct {
	executions    Executions
	out           *route.StreamWriter
	id            id.ID
	organizations []id.ID
	after         execution.Cursor
	// state is the execution as it was shown last.
	state []byte
	part  bytes.Buffer
}

func (s *eventStream) run(ctx context.Context, heartbeat time.Duration) error {
	// Watching begins before the first look, so that no change falls between.
	changed, stop := s.executions.Watch(s.id)
	defer stop()
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	s.part.WriteString("retry: 2000\n\n")
	for {
		done, err := s.look(ctx)
		if err != nil || done {
			return err
		}
		select {
		case <-changed:
		case <-beat.C:
			// Looking again costs little and bounds the harm of a lost signal.
			s.part.WriteString(": still here\n\n")
		case <-ctx.Done():
			return nil
		}
	}
}

// look sends what is new in the store and reports whether it was the last.
func (s *eventStream) look(ctx context.Context) (done bool, err error) {
	e, err := s.executions.Get(ctx, s.organizations, s.id)
	if fault.Is(err, fault.NotFound) {
		// It was deleted while it was followed.
		return true, s.end()
	}
	if err != nil {
		return false, err
	}
	// The state was read before the lines: when it is final, the lines that
	// follow are all there are, and it is shown after them. Every other state
	// goes before its lines, and so does the first that the client sees.
	if s.state == nil || !e.State.Final() {
		if err := s.showState(e); err != nil {
			return false, err
		}
	}
	if err := s.showLines(ctx); err != nil {
		return false, err
	}
	if err := s.showState(e); err != nil {
		return false, err
	}
	if e.State.Final() {
		return true, s.end()
	}
	return false, s.send()
}

func (s *eventStream) showState(e execution.Execution) error {
	state, err := json.Marshal(showOneExecution(e))
	if err != nil || bytes.Equal(state, s.state) {
		return err
	}
	s.state = state
	s.event("state", "", state)
	return nil
}

func (s *eventStream) showLines(ctx context.Context) error {
	for {
		lines, err := s.executions.Logs(ctx, s.id, s.after, logPage)
		if err != nil {
			return err
		}
		for _, l := range lines {
			data, err := json.Marshal(logEvent{
				Level: l.Level, Message: l.Message, Timestamp: timestamp(l.Time), Attempt: l.Cursor.Attempt, Line: l.Cursor.Line,
			})
			if err != nil {
				return err
			}
			s.event("log", l.Cursor.String(), data)
			s.after = l.Cursor
			if s.part.Len() < sendSize {
				continue
			}
			if err := s.send(); err != nil {
				return err
			}
		}
		if len(lines) < logPage {
			return nil
		}
	}
}

func (s *eventStream) end() error {
	s.event("end", "", []byte("{}"))
	return s.send()
}

// event adds an event to the part that is sent next. JSON has no line breaks,
// so that the data is always one line.
func (s *eventStream) event(name, id string, data []byte) {
	if id != "" {
		s.part.WriteString("id: " + id + "\n")
	}
	s.part.WriteString("event: " + name + "\ndata: ")
	s.part.Write(data)
	s.part.WriteString("\n\n")
}

func (s *eventStream) send() error {
	if s.part.Len() == 0 {
		return nil
	}
	err := s.out.Send(s.part.Bytes())
	s.part.Reset()
	return err
}
