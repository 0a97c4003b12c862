package api

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/usefloww/flowwd/internal/execution"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/route"
)

const patience = 20 * time.Second

// follower reads a stream of events as a browser would.
type follower struct {
	t     *testing.T
	res   *http.Response
	lines *bufio.Reader
}

// follow opens the stream of the world's execution on a real connection.
func follow(t *testing.T, w *world, query string, headers ...string) *follower {
	t.Helper()
	s := httptest.NewServer(w.Handler())
	t.Cleanup(s.Close)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	r, err := http.NewRequestWithContext(ctx, "GET", s.URL+ids("/api/executions/#6/events")+query, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer member")
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Set(name, value)
	}
	res, err := s.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { res.Body.Close() })
	return &follower{t: t, res: res, lines: bufio.NewReader(res.Body)}
}

// next returns the next event as "name id data", comments included; io.EOF at
// the end of the stream.
func (f *follower) next() (string, error) {
	var event, id, data string
	for {
		line, err := f.lines.ReadString('\n')
		if err != nil {
			if line != "" || event != "" {
				f.t.Errorf("the stream ends in the middle of an event: %q %q", event, line)
			}
			return "", err
		}
		name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ": ")
		switch name {
		case "event":
			event = value
		case "id":
			id = value
		case "data":
			data = value
		case "retry":
		case "":
			if value != "" {
				return ": " + value, nil
			}
			if event != "" {
				return strings.Join(strings.Fields(event+" "+id+" "+data), " "), nil
			}
		}
	}
}

// want reads events and compares them. For states only the named members
// count.
func (f *follower) want(events ...string) {
	f.t.Helper()
	for _, want := range events {
		got, err := f.next()
		if err != nil {
			f.t.Fatalf("the stream ends with %v instead of %s", err, want)
		}
		if data, ok := strings.CutPrefix(got, "state "); ok {
			var state struct {
				Status  string
				Attempt int
				Result  json.RawMessage
			}
			if err := json.Unmarshal([]byte(data), &state); err != nil {
				f.t.Fatalf("%v in %s", err, got)
			}
			got = strings.TrimSpace(fmt.Sprintf("state %s %d %s", state.Status, state.Attempt, state.Result))
		}
		if got != want {
			f.t.Fatalf("got %s, want %s", got, want)
		}
	}
}

func (f *follower) wantEnd() {
	f.t.Helper()
	if got, err := f.next(); !errors.Is(err, io.EOF) {
		f.t.Errorf("got %s and %v, want the end", got, err)
	}
}

func logJSON(attempt, number int, message string) string {
	return fmt.Sprintf(`log %d-%d {"level":"warn","message":%q,"timestamp":"2026-03-04T04:06:07.008Z","attempt":%d,"line":%d}`, attempt, number, message, attempt, number)
}

func TestStreamShowsARunAsItGoes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	f := follow(t, w, "")
	if got := f.res.Header.Get("Content-Type"); f.res.StatusCode != 200 || got != "text/event-stream" {
		t.Fatalf("%d %s", f.res.StatusCode, got)
	}
	x := w.executions
	f.want("state received 0")
	x.store(func() { x.one.State, x.one.Attempt, x.one.Waiting = execution.Started, 1, "" })
	f.want("state started 1")
	x.store(func() { x.lines = append(x.lines, line(1, 1, "a")) })
	f.want(logJSON(1, 1, "a"))
	x.store(func() { x.lines = append(x.lines, line(1, 2, "b"), line(1, 3, "c")) })
	f.want(logJSON(1, 2, "b"), logJSON(1, 3, "c"))
	// An interruption: back to the queue, and again.
	x.store(func() { x.one.State = execution.Received })
	f.want("state received 1")
	x.store(func() {
		x.one.State, x.one.Attempt = execution.Started, 2
		x.lines = append(x.lines, line(2, 1, "d"))
	})
	f.want("state started 2", logJSON(2, 1, "d"))
	// The end comes with the last lines; they are shown before it.
	x.store(func() {
		x.one.State, x.one.Result = execution.Completed, json.RawMessage("[1,\n2]")
		x.lines = append(x.lines, line(2, 2, "e"))
	})
	f.want(logJSON(2, 2, "e"), "state completed 2 [1,2]", "end {}")
	f.wantEnd()
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.watched != 0 {
		t.Errorf("%d watchers are left", x.watched)
	}
}

func TestStreamOfAnEndedRun(t *testing.T) {
	t.Parallel()
	w := newWorld(t, withLines(450, "hi"), func(w *world) { finished(&w.executions.one) })
	f := follow(t, w, "")
	f.want(`state failed 2 {"a_b":1}`)
	for i := range 450 {
		f.want(logJSON(1, i+1, "hi"))
	}
	f.want("end {}")
	f.wantEnd()
}

func TestStreamResumes(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ query, header string }{
		"by address":          {"?after=1-2", ""},
		"by header":           {"", "1-2"},
		"the header is newer": {"?after=1-1", "1-2"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, withLines(3, "hi"), func(w *world) { finished(&w.executions.one) })
			f := follow(t, w, c.query, "Last-Event-ID: "+c.header)
			f.want(`state failed 2 {"a_b":1}`, logJSON(1, 3, "hi"), "end {}")
			f.wantEnd()
		})
	}
	w := newWorld(t)
	wantError(t, w.ask(t, "GET", ids("/api/executions/#6/events?after=x"), ""), 400, "query.after: must be a place in the log")
	wantError(t, w.ask(t, "GET", ids("/api/executions/#6/events"), "", "Last-Event-ID: 1-x"), 400, "header.Last-Event-ID")
}

// A client gets every line once, in order, however the stores and the looks at
// them fall together.
func TestStreamLosesNoLine(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	x := w.executions
	f := follow(t, w, "")
	const count = 2000
	go func() {
		for i := range count {
			x.store(func() { x.lines = append(x.lines, line(1, i+1, "hi")) })
		}
		x.store(func() { x.one.State = execution.Completed })
	}()
	var got, want []string
	for {
		event, err := f.next()
		if err != nil || event == "end {}" {
			break
		}
		if strings.HasPrefix(event, "log ") {
			got = append(got, event)
		}
	}
	for i := range count {
		want = append(want, logJSON(1, i+1, "hi"))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestStreamEndsWhenTheExecutionIsDeleted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	f := follow(t, w, "")
	f.want("state received 0")
	w.executions.store(func() { w.executions.gone = true })
	f.want("end {}")
	f.wantEnd()
}

// A store that fails ends the stream without "end", so that the client comes
// back.
func TestStreamBreaksWhenTheStoreFails(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	f := follow(t, w, "")
	f.want("state received 0")
	w.executions.store(func() { w.executions.err = errors.New("disk") })
	if got, err := f.next(); err == nil || errors.Is(err, io.EOF) {
		t.Errorf("got %q and %v, want a broken stream", got, err)
	}
}

func TestStreamEndsWithTheServer(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	f := follow(t, w, "")
	f.want("state received 0")
	w.EndStreams()
	f.wantEnd()
}

// The heartbeat keeps the connection, and finds what a lost signal did not
// tell.
func TestStreamHeartbeat(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	x := w.executions
	rec := newPipe()
	s := &eventStream{
		executions: x, out: route.NewStreamWriter(rec, patience), id: x.one.ID,
		organizations: []id.ID{x.one.OrganizationID}, after: execution.Cursor{},
	}
	ended := make(chan error, 1)
	go func() { ended <- s.run(t.Context(), time.Millisecond) }()
	f := &follower{t: t, lines: bufio.NewReader(rec.r)}
	f.want("state received 0", ": still here")
	x.mu.Lock()
	x.lines, x.one.State = append(x.lines, line(1, 1, "a")), execution.Completed
	x.mu.Unlock()
	for {
		got, err := f.next()
		if err != nil {
			t.Fatal(err)
		}
		if got != ": still here" {
			if got != logJSON(1, 1, "a") {
				t.Errorf("got %s", got)
			}
			break
		}
	}
	f.want("state completed 0", "end {}")
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// HEAD must not wait for a run to end.
func TestStreamHead(t *testing.T) {
	t.Parallel()
	r := newWorld(t).ask(t, "HEAD", ids("/api/executions/#6/events"), "")
	if r.status != 200 || r.text != "" || r.header.Get("Content-Type") != "text/event-stream" {
		t.Errorf("%d %q", r.status, r.text)
	}
}

// pipe is an answer that can be read while it is written.
type pipe struct {
	r *io.PipeReader
	w *io.PipeWriter
}

func newPipe() pipe {
	r, w := io.Pipe()
	return pipe{r, w}
}

func (p pipe) Header() http.Header         { return http.Header{} }
func (p pipe) WriteHeader(int)             {}
func (p pipe) Write(b []byte) (int, error) { return p.w.Write(b) }
func (p pipe) Flush()                      {}
