package local

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"

	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/registry"
)

// slow is a request of an upload whose end is up to the test.
type slow struct {
	body     *io.PipeWriter
	answered chan answered
}

// answered is how a request ended.
type answered struct {
	*httptest.ResponseRecorder
	err error
}

// slowly begins to send a part of an upload.
func (w *world) slowly(at string) slow {
	w.t.Helper()
	content, rest := io.Pipe()
	request := httptest.NewRequest("PATCH", at, content)
	q, err := registry.Parse(request)
	if err != nil {
		w.t.Fatal(err)
	}
	s := slow{rest, make(chan answered, 1)}
	go func() {
		recorded := httptest.NewRecorder()
		err := w.Serve(recorded, request, q)
		_ = content.Close() // ends who writes to a request that was refused
		s.answered <- answered{recorded, err}
	}()
	return s
}

func (s slow) send(t *testing.T, text string) {
	t.Helper()
	if _, err := s.body.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
}

func (s slow) end(t *testing.T) answered {
	t.Helper()
	if err := s.body.Close(); err != nil {
		t.Fatal(err)
	}
	return <-s.answered
}

// A push that takes long is neither swept away under nor waited for: others go on.
func TestSweepWaitsForNobody(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	of := id.NewSource(time.Now).New()
	begun := w.ask("POST", "/v2/"+registry.Repository(of)+"/blobs/uploads/", "", http.StatusAccepted)
	push := w.slowly(begun.Get("Location"))
	push.send(t, "slow")
	if swept, err := w.Sweep(t.Context(), nil); swept || err != nil {
		t.Errorf("swept while somebody pushes: %v, %v", swept, err)
	}
	w.push(of, "other", "quick")
	if a := push.end(t); a.err != nil || a.Code != http.StatusAccepted {
		t.Errorf("the slow push: %d %s, %v", a.Code, a.Body, a.err)
	}
	w.sweep()
}

// Two requests of one upload at a time would mix their contents, and have the
// mixture stored under the digest of one of them, for all organizations.
func TestUploadsDoNotInterleave(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	of := id.NewSource(time.Now).New()
	repository := "/v2/" + registry.Repository(of)
	at := w.ask("POST", repository+"/blobs/uploads/", "", http.StatusAccepted).Get("Location")
	good, evil := strings.Repeat("good", 50_000), strings.Repeat("evil", 50_000)
	first := w.slowly(at)
	first.send(t, good[:4])
	second := w.slowly(at)
	if _, err := second.body.Write([]byte(evil[:4])); err == nil {
		// Both go on: what is written last is not what was counted last.
		first.send(t, good[4:])
		second.send(t, evil[4:])
		second.end(t)
	} else {
		first.send(t, good[4:])
		if a := <-second.answered; !isConflict(a.err) {
			t.Errorf("a second request of an upload: %v", a.err)
		}
	}
	a := first.end(t)
	d := digest.FromString(good)
	w.ask("PUT", a.Result().Header.Get("Location")+"&digest="+d.String(), "", http.StatusCreated)
	if content, err := w.storage.files.GetContent(t.Context(), blobPath(d)); err != nil || digest.FromBytes(content) != d {
		t.Errorf("something else is kept under a digest, %v", err)
	}
}

func isConflict(err error) bool {
	var refused *registry.Error
	return errors.As(err, &refused) && refused.Status == http.StatusConflict
}
