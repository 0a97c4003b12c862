package apptest

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"
)

// StreamEvent is one server-sent event.
type StreamEvent struct {
	ID, Name string
	Data     map[string]any
}

// Stream is an open stream of server-sent events.
type Stream struct {
	events chan StreamEvent
}

// Follow opens the stream of an execution after a place in it; empty for all of
// it. It is closed with the test.
func (c *Client) Follow(t testing.TB, execution, after string) *Stream {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	req, err := http.NewRequestWithContext(ctx, "GET", c.URL+"/api/executions/"+execution+"/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+c.Key)
	if after != "" {
		req.Header.Set("Last-Event-ID", after)
	}
	res, err := (&http.Client{Transport: c.HTTP.Transport}).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	if res.StatusCode != http.StatusOK || !strings.HasPrefix(res.Header.Get("Content-Type"), "text/event-stream") {
		t.Fatalf("the stream answers %s with %q", res.Status, res.Header.Get("Content-Type"))
	}
	s := &Stream{events: make(chan StreamEvent, 1024)}
	go func() {
		defer close(s.events)
		defer res.Body.Close()
		var e StreamEvent
		for lines := bufio.NewScanner(res.Body); lines.Scan(); {
			field, value, _ := strings.Cut(lines.Text(), ": ")
			switch field {
			case "id":
				e.ID = value
			case "event":
				e.Name = value
			case "data":
				_ = json.Unmarshal([]byte(value), &e.Data) // the tests look at the data
			case "":
				if e.Name != "" {
					s.events <- e
				}
				e = StreamEvent{}
			}
		}
	}()
	return s
}

// Next returns the next event; ok is false when the stream has ended.
func (s *Stream) Next(t testing.TB) (e StreamEvent, ok bool) {
	t.Helper()
	select {
	case e, ok = <-s.events:
		return e, ok
	case <-time.After(30 * time.Second):
		t.Fatal("no event within 30 s")
		return StreamEvent{}, false
	}
}

// Logs reads the stream until n lines were logged and returns their events.
func (s *Stream) Logs(t testing.TB, n int) []StreamEvent {
	t.Helper()
	var logs []StreamEvent
	for len(logs) < n {
		e, ok := s.Next(t)
		if !ok {
			t.Fatalf("the stream ended after %d lines, want %d", len(logs), n)
		}
		if e.Name == "log" {
			logs = append(logs, e)
		}
	}
	return logs
}
