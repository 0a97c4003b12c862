package route

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/usefloww/flowwd/internal/access"
	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/identity"
)

const patience = 20 * time.Second

// follow registers a stream that sends one part and goes on until its context
// ends; ended is closed then.
func (b bench) follow() (ended chan struct{}) {
	ended = make(chan struct{}, 100)
	Raw(b.Router, Spec{Method: "GET", Path: "/s", Policy: open, Stream: true}, NoObject(),
		func(w http.ResponseWriter, r *http.Request, _ Call[None]) error {
			defer func() { ended <- struct{}{} }()
			if err := NewStreamWriter(w, patience).Send([]byte("hello")); err != nil {
				return err
			}
			<-r.Context().Done()
			return nil
		})
	return ended
}

// serve closes the server after the answers that are opened later.
func serve(t *testing.T, h http.Handler) *httptest.Server {
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s
}

// openStream opens the stream and reads its first part.
func openStream(t *testing.T, s *httptest.Server) *http.Response {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	r, err := http.NewRequestWithContext(ctx, "GET", s.URL+"/s", nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := s.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { res.Body.Close() })
	hello := make([]byte, 5)
	if _, err := io.ReadFull(res.Body, hello); err != nil || string(hello) != "hello" {
		t.Fatalf("got %q and %v", hello, err)
	}
	return res
}

func wait(t *testing.T, c <-chan struct{}, what string) {
	t.Helper()
	select {
	case <-c:
	case <-time.After(patience):
		t.Fatalf("%s did not come", what)
	}
}

func TestStreamOutlivesTheTimeouts(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	goOn, cut := make(chan struct{}), make(chan struct{})
	Raw(b.Router, Spec{Method: "GET", Path: "/s", Policy: open, Stream: true, Timeout: time.Millisecond}, NoObject(),
		func(w http.ResponseWriter, r *http.Request, _ Call[None]) error {
			out := NewStreamWriter(w, patience)
			if err := out.Send([]byte("hello")); err != nil {
				return err
			}
			select {
			case <-goOn:
				return out.Send([]byte(" again"))
			case <-r.Context().Done():
				return nil
			}
		})
	// A route that ends is cut when the server's time is over.
	Raw(b.Router, Spec{Method: "GET", Path: "/ends", Policy: open, Timeout: patience}, NoObject(),
		func(w http.ResponseWriter, r *http.Request, _ Call[None]) error {
			out := NewStreamWriter(w, patience)
			for {
				if err := out.Send([]byte("x")); err != nil {
					close(cut)
					return err
				}
			}
		})
	s := httptest.NewUnstartedServer(b.Handler())
	s.Config.WriteTimeout = 50 * time.Millisecond
	s.Start()
	t.Cleanup(s.Close)
	res := openStream(t, s)
	if late, err := s.Client().Get(s.URL + "/ends"); err == nil {
		_, _ = io.Copy(io.Discard, late.Body)
		late.Body.Close()
	}
	wait(t, cut, "the end of the server's time")
	close(goOn)
	if rest, err := io.ReadAll(res.Body); err != nil || string(rest) != " again" {
		t.Errorf("the stream went on with %q and %v", rest, err)
	}
}

func TestStreamsEndWithTheServer(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	ended := b.follow()
	server := b.Server()
	s := httptest.NewUnstartedServer(nil)
	s.Config = server
	s.Start()
	t.Cleanup(s.Close)
	res := openStream(t, s)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := server.Shutdown(ctx); err != nil {
		t.Fatalf("the shutdown waits for the stream: %v", err)
	}
	wait(t, ended, "the end of the handler")
	if rest, err := io.ReadAll(res.Body); err != nil || len(rest) != 0 {
		t.Errorf("the stream ended with %q and %v", rest, err)
	}
}

func TestStreamEndsWhenTheClientLeaves(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	ended := b.follow()
	s := serve(t, b.Handler())
	openStream(t, s).Body.Close()
	wait(t, ended, "the end of the handler")
	if strings.Contains(b.log.String(), "ERROR") {
		t.Errorf("a client that leaves is an error:\n%s", b.log)
	}
}

func TestStreamsAreCounted(t *testing.T) {
	t.Parallel()
	b := newBench(t, func(c *Config) { c.Limits.Streams = 2 })
	ended := b.follow()
	s := serve(t, b.Handler())
	first := openStream(t, s)
	openStream(t, s)
	a := b.ask(t, "GET", "/s", "")
	wantStatus(t, a, 503)
	if a.header.Get("Retry-After") == "" || !strings.Contains(a.text, "2 streams are open") {
		t.Errorf("got %s", a.text)
	}
	first.Body.Close()
	wait(t, ended, "the end of the first")
	// The place is free once the handler is done, which the server sees a
	// moment later than the handler itself.
	for deadline := time.Now().Add(patience); b.streams.Load() != 1; {
		if time.Now().After(deadline) {
			t.Fatalf("%d streams are counted, want 1", b.streams.Load())
		}
	}
	openStream(t, s)
}

// A client that never reads is dropped after the time it has for a part.
func TestSlowReaderIsDropped(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	result := make(chan error, 1)
	Raw(b.Router, Spec{Method: "GET", Path: "/s", Policy: open, Stream: true}, NoObject(),
		func(w http.ResponseWriter, r *http.Request, _ Call[None]) error {
			out := NewStreamWriter(w, 20*time.Millisecond)
			part := make([]byte, 1<<20)
			if err := out.Send([]byte("hello")); err != nil {
				return err
			}
			for range 1000 {
				if err := out.Send(part); err != nil {
					result <- err
					return err
				}
			}
			result <- fault.New(fault.Internal, "all was sent")
			return nil
		})
	s := serve(t, b.Handler())
	openStream(t, s)
	select {
	case err := <-result:
		if err != errClientGone {
			t.Errorf("the stream ended with %v", err)
		}
	case <-time.After(patience / 2): // before the client gives up by itself
		t.Error("the server waits for a client that does not read")
	}
}

// Whoever loses what the policy asks for loses the streams that are open too,
// and trouble that can pass costs nobody a stream.
func TestStreamEndsWithTheRightToIt(t *testing.T) {
	t.Parallel()
	var verdict atomic.Pointer[error]
	var asked atomic.Int64
	b := newBench(t, func(c *Config) {
		c.Limits.StreamCheck = time.Millisecond
		c.Authenticate = func(context.Context, identity.Credential) (identity.Principal, error) {
			asked.Add(1)
			if err := verdict.Load(); err != nil {
				return identity.Principal{}, *err
			}
			return identity.Principal{Kind: identity.ServiceAccount, ID: id.ID{1}}, nil
		}
	})
	ended := make(chan struct{}, 1)
	Raw(b.Router, Spec{Method: "GET", Path: "/s", Policy: access.Self(access.ReadWhoami), Stream: true}, NoObject(),
		func(w http.ResponseWriter, r *http.Request, _ Call[None]) error {
			defer func() { ended <- struct{}{} }()
			if err := NewStreamWriter(w, patience).Send([]byte("hello")); err != nil {
				return err
			}
			<-r.Context().Done()
			return nil
		})
	res := openStream(t, serve(t, b.Handler()))
	trouble := error(fault.New(fault.Unavailable, "the database does not answer"))
	verdict.Store(&trouble)
	for seen := asked.Load(); asked.Load() < seen+3; {
		select {
		case <-ended:
			t.Fatal("the stream ended over trouble that can pass")
		default:
			runtime.Gosched()
		}
	}
	refused := error(fault.New(fault.Unauthenticated, "Invalid API key"))
	verdict.Store(&refused)
	wait(t, ended, "the end of the stream")
	if rest, err := io.ReadAll(res.Body); err != nil || len(rest) > 0 {
		t.Errorf("after the end: %q and %v", rest, err)
	}
}
