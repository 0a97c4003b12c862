package route

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/usefloww/flowwd/internal/fault"
)

// echo registers a route that answers with the body it got.
func (b bench) echo(limit int64) {
	Raw(b.Router, Spec{Method: "POST", Path: "/a", Policy: open, Body: true, BodyLimit: limit}, NoObject(),
		func(w http.ResponseWriter, _ *http.Request, c Call[None]) error {
			return WriteBody(w, 200, "text/plain", c.Body)
		})
}

func TestBodyLimit(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.echo(10)
	for _, c := range []struct {
		name    string
		body    string
		chunked bool
		status  int
	}{
		{"none", "", false, 200},
		{"none, chunked", "", true, 200},
		{"at the limit", "0123456789", false, 200},
		{"at the limit, chunked", "0123456789", true, 200},
		{"above", "0123456789x", false, 413},
		{"above, chunked", "0123456789x", true, 413},
		{"bytes as they are", "\x00\xff\r\n", false, 200},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := httptest.NewRequest("POST", "/a", strings.NewReader(c.body))
			if c.chunked {
				r.ContentLength = -1
			}
			w := httptest.NewRecorder()
			b.Handler().ServeHTTP(w, r)
			a := answer{w.Code, w.Header(), w.Body.String()}
			wantStatus(t, a, c.status)
			if c.status == 200 && a.text != c.body {
				t.Errorf("got %q, want %q", a.text, c.body)
			}
			if c.status == 413 && a.problem(t)["error"] != "The body of the request is too large: at most 10 bytes are allowed here" {
				t.Errorf("got %s", a.text)
			}
		})
	}
}

// A body that says it is too large is refused before anything of it is read,
// and one that lies about its length does not get the memory it asks for.
func TestBodyIsNotTrusted(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.echo(1 << 40)
	r := httptest.NewRequest("POST", "/a", explodes{})
	r.ContentLength = 1<<40 + 1
	w := httptest.NewRecorder()
	b.Handler().ServeHTTP(w, r)
	if w.Code != 413 {
		t.Errorf("status %d, want 413", w.Code)
	}
	r = httptest.NewRequest("POST", "/a", io.MultiReader(strings.NewReader("short"), ends{}))
	r.ContentLength = 1 << 40
	w = httptest.NewRecorder()
	b.Handler().ServeHTTP(w, r)
	if w.Code != 400 || !strings.Contains(w.Body.String(), "ended early") {
		t.Errorf("status %d, want 400: %s", w.Code, w.Body)
	}
}

type explodes struct{}

func (explodes) Read([]byte) (int, error) { panic("the body is read") }

type ends struct{}

func (ends) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// Nothing of a body is read for a caller that may not send it.
func TestBodyIsReadAfterThePolicy(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	Raw(b.Router, Spec{Method: "POST", Path: "/things/{id}", Policy: requiresDeploy, Body: true}, things(),
		func(http.ResponseWriter, *http.Request, Call[thing]) error {
			return fault.New(fault.Internal, "reached")
		})
	for key, status := range map[string]int{"": 401, "viewer": 403, "stranger": 404} {
		r := httptest.NewRequest("POST", "/things/"+thing1.String(), explodes{})
		if key != "" {
			r.Header.Set("Authorization", "Bearer "+key)
		}
		w := httptest.NewRecorder()
		b.Handler().ServeHTTP(w, r)
		if w.Code != status {
			t.Errorf("%q: status %d, want %d: %s", key, w.Code, status, w.Body)
		}
	}
}

// The body of one request is never that of another: a run may read it after
// the answer.
func TestBodyBelongsToTheHandler(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	var kept [][]byte
	Raw(b.Router, Spec{Method: "POST", Path: "/a", Policy: open, Body: true}, NoObject(),
		func(_ http.ResponseWriter, _ *http.Request, c Call[None]) error {
			kept = append(kept, c.Body)
			return nil
		})
	for _, text := range []string{"first", "other"} {
		b.ask(t, "POST", "/a", text)
	}
	if !bytes.Equal(kept[0], []byte("first")) || !bytes.Equal(kept[1], []byte("other")) {
		t.Errorf("kept %q", kept)
	}
}

// A body arrives as it was sent, however its length compares with what is read at
// once, and one that only is announced takes little memory.
func TestAnnouncedBodies(t *testing.T) {
	t.Parallel()
	for _, size := range []int{1, trusted - 1, trusted, trusted + 1, trusted*trustedTimes + 1, 3 << 20} {
		sent := strings.Repeat("0123456789abcdef", size/16+1)[:size]
		var b bytes.Buffer
		if err := readAnnounced(&b, strings.NewReader(sent), int64(size)); err != nil || b.String() != sent {
			t.Errorf("%d bytes are read as %d: %v", size, b.Len(), err)
		}
		b = bytes.Buffer{}
		if err := readAnnounced(&b, strings.NewReader(sent), 1<<40); err != nil || b.String() != sent {
			t.Errorf("%d bytes of more are read as %d: %v", size, b.Len(), err)
		}
		if most := 4*trusted + 2*trustedTimes*size; b.Cap() > most {
			t.Errorf("%d bytes of more take %d, want at most %d", size, b.Cap(), most)
		}
	}
}
