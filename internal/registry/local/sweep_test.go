package local

import (
	"context"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"

	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/registry"
)

// world is a registry with a clock that the test moves.
type world struct {
	*registry.Registry
	storage *Storage
	t       *testing.T
	now     time.Time
	needed  []string
}

func newWorld(t *testing.T) *world {
	w := &world{t: t, now: time.Now()}
	s, err := Open(Config{Folder: t.TempDir(), Secret: "secret", Now: func() time.Time { return w.now }})
	if err != nil {
		t.Fatal(err)
	}
	w.storage, w.Registry = s, registry.New(registry.Config{Storage: s, Limit: 1 << 30, Remedy: "none", Log: slog.New(slog.DiscardHandler)})
	t.Cleanup(func() {
		if err := w.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return w
}

func (w *world) ask(method, path, body string, status int) http.Header {
	w.t.Helper()
	request := httptest.NewRequest(method, path, strings.NewReader(body))
	request.Header.Set("Content-Type", "application/vnd.oci.image.manifest.v1+json")
	request.Header.Set("Accept", "application/vnd.oci.image.manifest.v1+json")
	q, err := registry.Parse(request)
	if err != nil {
		w.t.Fatal(err)
	}
	answer := httptest.NewRecorder()
	if err := w.Serve(answer, request, q); err != nil {
		w.t.Fatal(err)
	}
	if answer.Code != status {
		w.t.Fatalf("%s %s: %d %s, want %d", method, path, answer.Code, answer.Body, status)
	}
	return answer.Header()
}

func (w *world) pushBlob(organization id.ID, content string) digest.Digest {
	w.t.Helper()
	d := digest.FromString(content)
	begun := w.ask("POST", "/v2/"+registry.Repository(organization)+"/blobs/uploads/", "", http.StatusAccepted)
	w.ask("PUT", begun.Get("Location")+"&digest="+d.String(), content, http.StatusCreated)
	return d
}

// push pushes an image of layers and returns its digest.
func (w *world) push(organization id.ID, tag string, layers ...string) string {
	w.t.Helper()
	var parts []string
	for _, l := range layers {
		d := w.pushBlob(organization, l)
		parts = append(parts, fmt.Sprintf(`{"mediaType":"application/vnd.oci.image.layer.v1.tar","digest":%q,"size":%d}`, d, len(l)))
	}
	c := w.pushBlob(organization, "{}")
	manifest := fmt.Sprintf(`{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json",`+
		`"config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":%q,"size":2},"layers":[%s]}`, c, strings.Join(parts, ","))
	return w.ask("PUT", "/v2/"+registry.Repository(organization)+"/manifests/"+tag, manifest, http.StatusCreated).Get("Docker-Content-Digest")
}

func (w *world) sweep() {
	w.t.Helper()
	swept, err := w.Sweep(w.t.Context(), func(context.Context, id.ID) ([]string, error) { return w.needed, nil })
	if err != nil || !swept {
		w.t.Fatalf("swept %v, %v", swept, err)
	}
}

// age makes all files as old as those of a machine that was on for longer than
// what is not needed is kept.
func (w *world) age() {
	w.t.Helper()
	then := w.now.Add(-registry.Grace - time.Minute)
	err := filepath.WalkDir(w.storage.Folder, func(file string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Chtimes(file, then, then)
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

// has asks the storage, for a HEAD would make a layer young again.
func (w *world) has(content string) bool {
	_, err := w.storage.files.Stat(w.t.Context(), blobPath(digest.FromString(content)))
	return err == nil
}

func TestSweep(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.sweep() // of nothing
	ids := id.NewSource(func() time.Time { return w.now })
	a, b := ids.New(), ids.New()
	kept := w.push(a, "kept", "shared", "of kept")
	w.push(a, "old", "shared", "of old", "asked for")
	w.push(b, "old", "of another", "of old")
	w.needed = []string{kept}
	w.sweep()
	if !w.has("of old") || !w.has("of another") {
		t.Error("what was just pushed is gone")
	}

	w.push(a, "looked-at", "of looked at")
	w.push(a, "pulled", "of pulled")
	w.age()
	w.push(b, "young", "young", "of another")
	w.ask("HEAD", "/v2/"+registry.Repository(a)+"/blobs/"+digest.FromString("asked for").String(), "", http.StatusOK)
	w.ask("HEAD", "/v2/"+registry.Repository(a)+"/manifests/pulled", "", http.StatusOK)
	mustDigest(t, w, a, "looked-at")
	w.sweep()

	for content, want := range map[string]bool{
		"shared": true, "of kept": true, "asked for": true, "young": true, "of another": true, "of old": false,
		"of looked at": true, "of pulled": true,
	} {
		if w.has(content) != want {
			t.Errorf("%q is there: %v, want %v", content, !want, want)
		}
	}
	if _, err := w.Digest(t.Context(), a, "kept"); err != nil {
		t.Errorf("a needed image: %v", err)
	}
	for _, of := range []id.ID{a, b} {
		if _, err := w.Digest(t.Context(), of, "old"); !fault.Is(err, fault.NotFound) {
			t.Errorf("an image that nothing needs: %v", err)
		}
	}
	// What is gone can be pushed again.
	w.push(a, "old", "shared", "of old")
}

func mustDigest(t *testing.T, w *world, of id.ID, tag string) string {
	t.Helper()
	d, err := w.Digest(t.Context(), of, tag)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestUsage(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ids := id.NewSource(time.Now)
	a, b := ids.New(), ids.New()
	w.push(a, "one", strings.Repeat("x", 1000))
	w.push(b, "one", strings.Repeat("x", 1000))
	got := make([]int64, 2)
	for i, of := range []id.ID{a, b} {
		var err error
		if got[i], err = w.storage.Usage(t.Context(), of); err != nil {
			t.Fatal(err)
		}
	}
	if got[0] < 1000 || got[0] > 2000 || got[0] != got[1] {
		t.Errorf("kept: %v", got)
	}
	w.pushBlob(a, strings.Repeat("y", 500))
	if more, err := w.storage.Usage(t.Context(), a); err != nil || more != got[0]+500 {
		t.Errorf("with 500 bytes more: %d, %v", more, err)
	}
	begun := w.ask("POST", "/v2/"+registry.Repository(a)+"/blobs/uploads/", "", http.StatusAccepted)
	w.ask("PATCH", begun.Get("Location"), strings.Repeat("z", 300), http.StatusAccepted)
	if more, err := w.storage.Usage(t.Context(), a); err != nil || more != got[0]+800 {
		t.Errorf("with 300 bytes of an upload that goes on: %d, %v", more, err)
	}
}
