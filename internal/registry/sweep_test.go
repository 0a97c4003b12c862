package registry

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"

	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
)

// world is a registry with a clock that the test moves.
type world struct {
	*Registry
	t      *testing.T
	now    time.Time
	needed []string
}

func newWorld(t *testing.T) *world {
	w := &world{t: t, now: time.Now()}
	r, err := New(Config{
		Folder: t.TempDir(), Secret: "secret", Limit: 1 << 30, Log: slog.New(slog.DiscardHandler), Now: func() time.Time { return w.now },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	w.Registry = r
	return w
}

func (w *world) ask(method, path, body string, status int) http.Header {
	w.t.Helper()
	request := httptest.NewRequest(method, path, strings.NewReader(body))
	request.Header.Set("Content-Type", "application/vnd.oci.image.manifest.v1+json")
	q, err := Parse(request)
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
	begun := w.ask("POST", "/v2/"+Repository(organization)+"/blobs/uploads/", "", http.StatusAccepted)
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
	return w.ask("PUT", "/v2/"+Repository(organization)+"/manifests/"+tag, manifest, http.StatusCreated).Get("Docker-Content-Digest")
}

func (w *world) sweep() {
	w.t.Helper()
	swept, err := w.Sweep(w.t.Context(), func(context.Context, id.ID) ([]string, error) { return w.needed, nil })
	if err != nil || !swept {
		w.t.Fatalf("swept %v, %v", swept, err)
	}
}

// touch sets the time of a file to now, as the disk of a machine with this clock
// would.
func (w *world) touch(file string) {
	w.t.Helper()
	if err := os.Chtimes(filepath.Join(w.Folder, file), w.now, w.now); err != nil {
		w.t.Fatal(err)
	}
}

// has asks the storage, for a HEAD would make a layer young again.
func (w *world) has(content string) bool {
	_, err := w.files.Stat(w.t.Context(), blobPath(digest.FromString(content)))
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

	w.now = w.now.Add(Grace + time.Minute)
	w.push(b, "young", "young", "of another")
	w.touch(manifestLink(Repository(b), digest.Digest(mustDigest(t, w, b, "young"))))
	w.ask("HEAD", "/v2/"+Repository(a)+"/blobs/"+digest.FromString("asked for").String(), "", http.StatusOK)
	w.touch(layerLink(Repository(a), digest.FromString("asked for")))
	w.sweep()

	for content, want := range map[string]bool{
		"shared": true, "of kept": true, "asked for": true, "young": true, "of another": true, "of old": false,
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

// A push that takes long is neither swept away under nor waited for: others go on.
func TestSweepWaitsForNobody(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	of := id.NewSource(time.Now).New()
	content, push := io.Pipe()
	begun := w.ask("POST", "/v2/"+Repository(of)+"/blobs/uploads/", "", http.StatusAccepted)
	request := httptest.NewRequest("PATCH", begun.Get("Location"), content)
	q, err := Parse(request)
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- w.Serve(httptest.NewRecorder(), request, q) }()
	if _, err := push.Write([]byte("slow")); err != nil { // it has been begun
		t.Fatal(err)
	}
	if swept, err := w.Sweep(t.Context(), nil); swept || err != nil {
		t.Errorf("swept while somebody pushes: %v, %v", swept, err)
	}
	w.push(of, "other", "quick")
	if err := errors.Join(push.Close(), <-ended); err != nil {
		t.Error(err)
	}
	w.sweep()
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
		if got[i], err = w.Usage(t.Context(), of); err != nil {
			t.Fatal(err)
		}
	}
	if got[0] < 1000 || got[0] > 2000 || got[0] != got[1] {
		t.Errorf("kept: %v", got)
	}
	w.pushBlob(a, strings.Repeat("y", 500))
	if more, err := w.Usage(t.Context(), a); err != nil || more != got[0]+500 {
		t.Errorf("with 500 bytes more: %d, %v", more, err)
	}
}

func TestGrants(t *testing.T) {
	t.Parallel()
	ids := id.NewSource(time.Now)
	own, other := ids.New(), ids.New()
	blob := "sha256:" + strings.Repeat("a", 64)
	push, pull := Grant{Organization: own, Push: true, Only: "v1"}, Grant{Organization: own, Pull: true, Only: "v1"}
	all := Grant{Organization: own, Push: true, Pull: true}
	for _, c := range []struct {
		method, rest string
		allowed      []Grant
	}{
		{"POST", "/blobs/uploads/", []Grant{push, all}},
		{"GET", "/blobs/uploads/x", []Grant{push, all}},
		{"PUT", "/manifests/v1", []Grant{push, all}},
		{"PUT", "/manifests/v2", []Grant{all}},
		{"PUT", "/manifests/" + blob, []Grant{push, all}},
		{"HEAD", "/manifests/v1", []Grant{push, pull, all}},
		{"GET", "/manifests/v1", []Grant{pull, all}},
		{"GET", "/manifests/v2", []Grant{all}},
		{"GET", "/manifests/" + blob, []Grant{pull, all}},
		{"HEAD", "/blobs/" + blob, []Grant{push, pull, all}},
		{"GET", "/blobs/" + blob, []Grant{pull, all}},
		{"GET", "/tags/list", []Grant{all}},
	} {
		for _, g := range []Grant{push, pull, all, {Organization: own}, {}} {
			for _, organization := range []id.ID{own, other} {
				q, err := Parse(httptest.NewRequest(c.method, "/v2/"+Repository(organization)+c.rest, io.NopCloser(nil)))
				if err != nil {
					t.Fatal(err)
				}
				want := organization == own && (slices.Contains(c.allowed, g) || g == Grant{Organization: own} && c.method == "HEAD")
				if err := g.Allow(q); (err == nil) != want {
					t.Errorf("%s %s of the own organization (%v) by %+v: %v", c.method, c.rest, organization == own, g, err)
				}
			}
		}
	}
}
