package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const (
	received  = `event: state` + "\n" + `data: {"id":"e1","status":"received"}` + "\n\n"
	started   = `event: state` + "\n" + `data: {"id":"e1","status":"started","attempt":1}` + "\n\n"
	completed = `event: state` + "\n" + `data: {"id":"e1","status":"completed","attempt":1}` + "\n\n"
	end       = "event: end\ndata: {}\n\n"
	soon      = "retry: 1\n\n"
)

func line(id, message string) string {
	return fmt.Sprintf("id: %s\nevent: log\ndata: {\"level\":\"log\",\"message\":%q,\"timestamp\":\"2026-05-01T10:00:00.000Z\"}\n\n", id, message)
}

// stream is what a server sends on one connection.
type stream struct {
	status int
	text   string
	// broken cuts the connection instead of ending the answer.
	broken bool
}

// streams serves one stream after the other, the last one for ever, and notes
// the Last-Event-ID of each request.
func streams(t *testing.T, all ...stream) (*Client, chan string) {
	resumed := make(chan string, 100)
	next := make(chan stream, len(all))
	for _, s := range all {
		next <- s
	}
	last := all[len(all)-1]
	c := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.RequestURI != "/api/executions/e1/events" || r.Header.Get("Accept") != "text/event-stream" {
			t.Errorf("asked for %s with Accept %q", r.RequestURI, r.Header.Get("Accept"))
		}
		resumed <- r.Header.Get("Last-Event-ID")
		s := last
		select {
		case s = <-next:
		default:
		}
		if s.status != 0 {
			answer(w, s.status, s.text)
			return
		}
		w.Header().Set("Content-Type", "text/event-stream")
		io.WriteString(w, s.text)
		if s.broken {
			http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		}
	}))
	return c, resumed
}

// follow returns the events of a run in short, and the error at the end.
func follow(ctx context.Context, c *Client) (events []string, err error) {
	for event, err := range c.Follow(ctx, "e1") {
		switch {
		case err != nil:
			return events, err
		case event.Log != nil:
			events = append(events, event.Log.Message)
		default:
			events = append(events, "<"+event.State.Status+">")
		}
	}
	return events, nil
}

func TestFollow(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name    string
		streams []stream
		want    []string
		resumed []string
	}{
		{"whole", []stream{{text: received + started + line("1-1", "a") + ": still here\n\n" + line("1-2", "b") + completed + end}},
			[]string{"<received>", "<started>", "a", "b", "<completed>"}, []string{""}},
		{"ended already: the lines come after the state", []stream{{text: completed + line("1-1", "a") + end}},
			[]string{"<completed>", "a"}, []string{""}},
		{"server without the event end", []stream{{text: started + completed}}, []string{"<started>", "<completed>"}, []string{""}},
		{"broken", []stream{{text: soon + started + line("1-1", "a") + line("1-2", "b"), broken: true}, {text: started + line("1-3", "c") + completed + end}},
			[]string{"<started>", "a", "b", "c", "<completed>"}, []string{"", "1-2"}},
		{"ended too early", []stream{{text: soon + started}, {text: started + completed + end}}, []string{"<started>", "<completed>"}, []string{"", ""}},
		{"broken inside an event", []stream{{text: soon + line("1-1", "a") + "id: 1-2\nevent: log\nda", broken: true}, {text: line("1-2", "b") + completed + end}},
			[]string{"a", "b", "<completed>"}, []string{"", "1-1"}},
		{"server starts again", []stream{{text: soon + started}, {status: 503, text: `{"detail":"starting"}`}, {status: 429, text: `{"detail":"slow"}`}, {text: completed + end}},
			[]string{"<started>", "<completed>"}, []string{"", "", "", ""}},
		{"other events and fields", []stream{{text: "event: new\ndata: 1\n\nfoo: bar\n:x\ndata\n\n" + strings.ReplaceAll(line("1-1", "a"), "\n", "\r\n") + completed + end}},
			[]string{"a", "<completed>"}, []string{""}},
		{"data in two lines", []stream{{text: "event: state\ndata: {\"status\":\ndata:\"failed\"}\n\n" + end}}, []string{"<failed>"}, []string{""}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			c, resumed := streams(t, tc.streams...)
			got, err := follow(t.Context(), c)
			if err != nil {
				t.Error(err)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("events (-want +got):\n%s", diff)
			}
			close(resumed)
			var asked []string
			for id := range resumed {
				asked = append(asked, id)
			}
			if diff := cmp.Diff(tc.resumed, asked); diff != "" {
				t.Errorf("Last-Event-ID of the requests (-want +got):\n%s", diff)
			}
		})
	}
}

// TestFollowThroughManyBreaks has more of them than may follow each other
// without anything new between.
func TestFollowThroughManyBreaks(t *testing.T) {
	t.Parallel()
	var all []stream
	var want []string
	for i := range 2 * maxReconnects {
		message := fmt.Sprint(i)
		all = append(all, stream{text: soon + line("1-"+message, message), broken: true})
		want = append(want, message)
	}
	c, _ := streams(t, append(all, stream{text: completed + end})...)
	got, err := follow(t.Context(), c)
	if diff := cmp.Diff(append(want, "<completed>"), got); diff != "" || err != nil {
		t.Errorf("error %v, events (-want +got):\n%s", err, diff)
	}
}

func TestFollowFails(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name    string
		streams []stream
		want    string
		asked   int
	}{
		{"unknown run", []stream{{status: 404, text: `{"detail":"Execution not found"}`}}, "Execution not found", 1},
		{"key was revoked", []stream{{text: soon + started}, {status: 401, text: `{"detail":"Invalid API key"}`}}, "does not accept the API key", 2},
		{"no events", []stream{{text: soon + "event: state\ndata: [\n\n"}}, "the server sent something else than events", 1},
		{"a line without end", []stream{{text: "data: " + strings.Repeat("x", maxEvent+1)}}, "the server sent something else than events", 1},
		{"data without end", []stream{{text: strings.Repeat("data: "+strings.Repeat("x", maxEvent/2)+"\n", 3)}}, "the server sent something else than events", 1},
		{"never anything new", []stream{{text: soon + started}}, "gave up following run e1: the stream ended before the run", maxReconnects + 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			c, resumed := streams(t, tc.streams...)
			_, err := follow(t.Context(), c)
			wantError(t, err, tc.want)
			if len(resumed) != tc.asked {
				t.Errorf("asked %d times, want %d", len(resumed), tc.asked)
			}
		})
	}
}

// TestFollowUntilTheReaderStops leaves the loop after the first event of a run
// that goes on.
func TestFollowUntilTheReaderStops(t *testing.T) {
	t.Parallel()
	gone := make(chan struct{})
	c := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, started)
		http.NewResponseController(w).Flush()
		<-r.Context().Done()
		close(gone)
	}))
	for event, err := range c.Follow(t.Context(), "e1") {
		if err != nil || event.State == nil {
			t.Fatalf("event %v, error %v", event, err)
		}
		break
	}
	select {
	case <-gone:
	case <-time.After(10 * time.Second):
		t.Error("the stream stayed open")
	}
}

func TestFollowUntilTheContextEnds(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	c := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, started)
		http.NewResponseController(w).Flush()
		<-r.Context().Done()
	}))
	var got error
	for event, err := range c.Follow(ctx, "e1") {
		if got = err; event.State != nil {
			cancel()
		}
	}
	if !errors.Is(got, context.Canceled) {
		t.Errorf("ended with %v, want the context's error", got)
	}
}

func FuzzEvents(f *testing.F) {
	f.Add(received + line("1-1", "a") + end)
	f.Add("data\n\ndata: a\r\ndata: b\r\n\r\nretry: 99999999999999\nid\n:\n\n")
	f.Fuzz(func(t *testing.T, text string) {
		r := newEventReader(strings.NewReader(text))
		size := 0
		for {
			event, err := r.next()
			if err != nil {
				break
			}
			size += len(event.data)
		}
		if size > len(text) {
			t.Errorf("%d bytes of data in a stream of %d", size, len(text))
		}
	})
}
