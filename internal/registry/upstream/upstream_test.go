package upstream

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/registry"
	"github.com/usefloww/flowwd/internal/registrytest"
)

// plainly seals nothing, so that tests can look at it and make it up.
type plainly struct{}

func (plainly) Seal(text []byte) ([]byte, error) {
	return []byte(base64.RawURLEncoding.EncodeToString(text)), nil
}

func (plainly) Open(sealed []byte) ([]byte, error) {
	return base64.RawURLEncoding.DecodeString(string(sealed))
}

// world is a server of images that are kept upstream.
type world struct {
	*Storage
	t    *testing.T
	url  string
	path string
	of   id.ID
	now  time.Time
}

const limit = 10 << 20

func newWorld(t *testing.T, upstream string) *world {
	t.Helper()
	address, err := url.Parse(upstream)
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, now: time.Now(), of: id.NewSource(time.Now).New()}
	log := slog.New(slog.NewTextHandler(t.Output(), nil))
	w.Storage = New(Config{
		URL: address, Name: "team/images", User: registrytest.User, Password: registrytest.Password, Sealer: plainly{}, Agent: "test",
		Now: func() time.Time { return w.now }, Log: log,
	})
	front := registry.New(registry.Config{Storage: w.Storage, Limit: limit, Remedy: "none", Log: log})
	server := httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		q, err := registry.Parse(r)
		if err == nil {
			err = front.Serve(out, r, q)
		}
		var refused *registry.Error
		switch {
		case errors.As(err, &refused):
			refused.Write(out)
		case err != nil:
			http.Error(out, err.Error(), http.StatusInternalServerError)
		}
	}))
	t.Cleanup(func() {
		server.Close()
		if err := front.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	w.url, w.path = server.URL, registry.Path+registry.Repository(w.of)
	return w
}

// answer is what a client gets.
type answer struct {
	status int
	header http.Header
	body   string
	// cut is why the body did not arrive as a whole.
	cut error
}

func (w *world) ask(method, path, body string, headers ...string) answer {
	w.t.Helper()
	r, err := http.NewRequest(method, w.url+path, strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	res, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		w.t.Fatal(err)
	}
	defer res.Body.Close()
	content, err := io.ReadAll(res.Body)
	return answer{res.StatusCode, res.Header, string(content), err}
}

func (w *world) want(status int, method, path, body string, headers ...string) answer {
	w.t.Helper()
	a := w.ask(method, path, body, headers...)
	if a.status != status {
		w.t.Fatalf("%s %s: %d %s, want %d", method, path, a.status, a.body, status)
	}
	return a
}

func (w *world) blob(content string) string {
	w.t.Helper()
	at := w.want(http.StatusAccepted, "POST", w.path+"/blobs/uploads/", "").header.Get("Location")
	digest := digestOf([]byte(content))
	made := w.want(http.StatusCreated, "PUT", at+"&digest="+digest, content)
	if got := made.header.Get("Location"); got != w.path+"/blobs/"+digest {
		w.t.Errorf("a blob is at %q", got)
	}
	return digest
}

const kind = "application/vnd.oci.image.manifest.v1+json"

// image is the manifest of an image whose parts were pushed.
func (w *world) image(layers ...string) string {
	w.t.Helper()
	var parts []string
	for _, l := range layers {
		parts = append(parts, fmt.Sprintf(`{"mediaType":"application/vnd.oci.image.layer.v1.tar","digest":%q,"size":%d}`, w.blob(l), len(l)))
	}
	return fmt.Sprintf(`{"schemaVersion":2,"mediaType":%q,"config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":%q,"size":2},"layers":[%s]}`,
		kind, w.blob("{}"), strings.Join(parts, ","))
}

func (w *world) push(tag string, layers ...string) string {
	w.t.Helper()
	content := w.image(layers...)
	w.want(http.StatusCreated, "PUT", w.path+"/manifests/"+tag, content, "Content-Type", kind)
	return digestOf([]byte(content))
}

func TestImagesAreKeptUpstream(t *testing.T) {
	t.Parallel()
	for _, login := range []string{"", registrytest.Basic, registrytest.Token} {
		t.Run("login "+login, func(t *testing.T) {
			t.Parallel()
			up := registrytest.Start(t, registrytest.Options{Login: login})
			w := newWorld(t, up.URL)
			if err := w.Healthy(t.Context()); err != nil {
				t.Error(err)
			}
			if _, err := w.Digest(t.Context(), w.of, "v1"); !fault.Is(err, fault.NotFound) {
				t.Errorf("an image that is not there: %v", err)
			}
			if a := w.ask("HEAD", w.path+"/manifests/v1", ""); a.status != http.StatusNotFound {
				t.Errorf("the same over the protocol: %d", a.status)
			}
			layer := strings.Repeat("layer ", 50_000)
			want := w.push("v1", layer)
			if got, err := w.Digest(t.Context(), w.of, "v1"); err != nil || got != want {
				t.Errorf("the image is %s, %v, want %s", got, err, want)
			}
			for _, named := range []string{"v1", want} {
				a := w.want(http.StatusOK, "GET", w.path+"/manifests/"+named, "", "Accept", kind)
				if digestOf([]byte(a.body)) != want || a.header.Get("Docker-Content-Digest") != want || a.header.Get("Content-Type") != kind {
					t.Errorf("%s: %v %s", named, a.header, a.body)
				}
			}
			at := w.path + "/blobs/" + digestOf([]byte(layer))
			if a := w.want(http.StatusOK, "HEAD", at, ""); a.header.Get("Content-Length") != fmt.Sprint(len(layer)) {
				t.Errorf("asked for a layer: %v", a.header)
			}
			if a := w.want(http.StatusOK, "GET", at, ""); a.body != layer || a.cut != nil {
				t.Errorf("got %d bytes of a layer, %v", len(a.body), a.cut)
			}
			part := w.want(http.StatusPartialContent, "GET", at, "", "Range", "bytes=6-11")
			if part.body != "layer " || !strings.HasPrefix(part.header.Get("Content-Range"), "bytes 6-11/") {
				t.Errorf("a part of a layer: %v %q", part.header, part.body)
			}
			if a := w.ask("GET", at, "", "Range", "bytes=9999999-"); a.status != http.StatusRequestedRangeNotSatisfiable {
				t.Errorf("a range behind the end: %d", a.status)
			}
			w.push("v2", "another")
			first := w.want(http.StatusOK, "GET", w.path+"/tags/list?n=1", "")
			if want := fmt.Sprintf(`{"name":%q,"tags":["v1"]}`, registry.Repository(w.of)); first.body != want {
				t.Errorf("the first tag: %s", first.body)
			}
			next, _, _ := strings.Cut(strings.TrimPrefix(first.header.Get("Link"), "<"), ">")
			if second := w.want(http.StatusOK, "GET", next, ""); !strings.Contains(second.body, `["v2"]`) {
				t.Errorf("the second tag, at %s: %s", next, second.body)
			}
			if up.Tokens != nil && up.Tokens.Asked.Load() != 2 {
				t.Errorf("asked for %d tokens, want one for the repository and one to see whether all is well", up.Tokens.Asked.Load())
			}
		})
	}
}

// An upload goes on with another server that has the same keys, and belongs to
// its organization.
func TestUploadsGoOn(t *testing.T) {
	t.Parallel()
	up := registrytest.Start(t, registrytest.Options{Login: registrytest.Token})
	w, other := newWorld(t, up.URL), newWorld(t, up.URL)
	begun := w.want(http.StatusAccepted, "POST", w.path+"/blobs/uploads/?mount="+digestOf(nil)+"&from=team/images/x", "").header.Get("Location")
	if !strings.HasPrefix(begun, w.path+"/blobs/uploads/") {
		t.Fatalf("an upload is at %s", begun)
	}
	one := w.want(http.StatusAccepted, "PATCH", begun, "hello ", "Content-Range", "0-5")
	if one.header.Get("Range") != "0-5" {
		t.Errorf("after the first part: %v", one.header)
	}
	at := one.header.Get("Location")
	again := newWorld(t, up.URL)
	if a := again.want(http.StatusNoContent, "GET", at, ""); a.header.Get("Range") != "0-5" || a.header.Get("Location") == "" {
		t.Errorf("how far it is: %v", a.header)
	}
	if a := again.ask("PATCH", at, "hello ", "Content-Range", "0-5"); a.status != http.StatusRequestedRangeNotSatisfiable {
		t.Errorf("a part that is there: %d %s", a.status, a.body)
	}
	at = again.want(http.StatusAccepted, "PATCH", at, "world", "Content-Range", "6-10").header.Get("Location")
	made := digestOf([]byte("hello world"))
	for name, where := range map[string]string{
		"no state":              w.path + "/blobs/uploads/x",
		"another's":             other.path + strings.TrimPrefix(at, w.path),
		"one that was made up":  w.path + "/blobs/uploads/x?_state=eyJBdCI6Ii92Mi8ifQ",
		"another name":          strings.Replace(at, "/uploads/", "/uploads/0", 1),
		"an address elsewhere":  w.path + "/blobs/uploads/" + uploadID(&url.URL{}) + "?_state=" + base64.RawURLEncoding.EncodeToString([]byte(`{"Organization":"`+w.of.String()+`","At":"http://127.0.0.1:1"}`)),
		"one that is very long": w.path + "/blobs/uploads/x?_state=" + strings.Repeat("a", maxState+1),
	} {
		if a := w.ask("PATCH", where, "x"); a.status != http.StatusNotFound || !strings.Contains(a.body, "BLOB_UPLOAD_UNKNOWN") {
			t.Errorf("an upload of %s: %d %s", name, a.status, a.body)
		}
	}
	if a := w.ask("PUT", at, ""); a.status != http.StatusBadRequest || !strings.Contains(a.body, "DIGEST_INVALID") {
		t.Errorf("without a digest: %d %s", a.status, a.body)
	}
	if a := w.ask("PUT", at+"&digest="+digestOf(nil), ""); a.status != http.StatusBadRequest || !strings.Contains(a.body, "DIGEST_INVALID") {
		t.Errorf("with another digest: %d %s", a.status, a.body)
	}
	begun = w.want(http.StatusAccepted, "POST", w.path+"/blobs/uploads/", "").header.Get("Location")
	at = w.want(http.StatusAccepted, "PATCH", begun, "hello world").header.Get("Location")
	w.want(http.StatusCreated, "PUT", at+"&digest="+made, "")
	w.want(http.StatusOK, "GET", w.path+"/blobs/"+made, "")
	if a := w.ask("HEAD", other.path+"/blobs/"+made, ""); a.status != http.StatusNotFound {
		t.Errorf("the blob in another organization's repository: %d", a.status)
	}
	begun = w.want(http.StatusAccepted, "POST", w.path+"/blobs/uploads/", "").header.Get("Location")
	w.want(http.StatusNoContent, "DELETE", begun, "")
	if a := w.ask("PATCH", begun, "x"); a.status != http.StatusNotFound {
		t.Errorf("an upload that was given up: %d %s", a.status, a.body)
	}
}

func TestTokensAreRenewed(t *testing.T) {
	t.Parallel()
	up := registrytest.Start(t, registrytest.Options{Login: registrytest.Token})
	w := newWorld(t, up.URL)
	w.blob("one")
	w.now = w.now.Add(10 * time.Minute)
	w.blob("two")
	if got := up.Tokens.Asked.Load(); got != 2 {
		t.Errorf("asked for %d tokens in ten minutes", got)
	}
	// A token that the upstream does not take is thrown away.
	w.now = w.now.Add(10 * time.Minute)
	up.Tokens.Dead.Store(true)
	if a := w.ask("HEAD", w.path+"/blobs/"+digestOf(nil), ""); a.status != http.StatusBadGateway {
		t.Errorf("with a token that is none: %d", a.status)
	}
	up.Tokens.Dead.Store(false)
	w.blob("three")
}

func TestWrongPassword(t *testing.T) {
	t.Parallel()
	for _, login := range []string{registrytest.Basic, registrytest.Token} {
		up := registrytest.Start(t, registrytest.Options{Login: login})
		w := newWorld(t, up.URL)
		w.Password = "wrong"
		if err := w.Healthy(t.Context()); !fault.Is(err, fault.Unavailable) || !strings.Contains(err.Error(), "REGISTRY_AUTH_PASSWORD") {
			t.Errorf("%s: %v", login, err)
		}
		for range 3 {
			if a := w.ask("POST", w.path+"/blobs/uploads/", ""); a.status != http.StatusBadGateway || !strings.Contains(a.body, "REGISTRY_AUTH_PASSWORD") || strings.Contains(a.body, "wrong") {
				t.Errorf("%s: %d %s", login, a.status, a.body)
			}
		}
		if up.Tokens != nil && up.Tokens.Asked.Load() != 1 {
			t.Errorf("the password was shown %d times", up.Tokens.Asked.Load())
		}
		w.Password = registrytest.Password
		w.now = w.now.Add(time.Minute)
		if err := w.Healthy(t.Context()); err != nil {
			t.Errorf("%s, with the right one: %v", login, err)
		}
		w.blob("x")
	}
}

func TestUsage(t *testing.T) {
	t.Parallel()
	up := registrytest.Start(t, registrytest.Options{})
	w := newWorld(t, up.URL)
	use := func() int64 {
		t.Helper()
		used, err := w.Usage(t.Context(), w.of)
		if err != nil {
			t.Fatal(err)
		}
		return used
	}
	if got := use(); got != 0 {
		t.Errorf("an empty repository has %d bytes", got)
	}
	at := w.want(http.StatusAccepted, "POST", w.path+"/blobs/uploads/", "").header.Get("Location")
	at = w.want(http.StatusAccepted, "PATCH", at, strings.Repeat("u", 500)).header.Get("Location")
	if got := use(); got != 500 {
		t.Errorf("with an upload: %d", got)
	}
	w.want(http.StatusNoContent, "DELETE", at, "")
	layer := strings.Repeat("x", 1000)
	size := int64(len(w.image(layer)))
	if got := use(); got != 1002 {
		t.Errorf("with parts of no image: %d", got)
	}
	w.push("v1", layer)
	w.push("v2", layer)
	if got, want := use(), 1002+size; got != want {
		t.Errorf("with an image of two tags: %d, want %d", got, want)
	}
	again := newWorld(t, up.URL)
	again.of = w.of
	if got, err := again.Usage(t.Context(), w.of); err != nil || got != 1002+size {
		t.Errorf("asked anew: %d, %v", got, err)
	}
	if kept, err := again.Kept(t.Context()); err != nil || len(kept) != 1 || kept[0] != (registry.Used{Organization: w.of, Bytes: 1002 + size}) {
		t.Errorf("kept: %v, %v", kept, err)
	}
	// Sizes are not what somebody says.
	for text, code := range map[string]string{
		strings.Replace(w.image("x"), `"size":1}`, `"size":0}`, 1):                 "MANIFEST_INVALID",
		strings.Replace(w.image("x"), `"size":2}`, `"size":-2}`, 1):                "MANIFEST_INVALID",
		strings.Replace(w.image("x"), digestOf([]byte("x")), digestOf(nil), 1):     "MANIFEST_BLOB_UNKNOWN",
		`{"manifests":[{"digest":"` + digestOf(nil) + `","size":1}]}`:              "MANIFEST_BLOB_UNKNOWN",
		`{"manifests":[{"digest":"` + digestOf([]byte(layer)) + `","size":1000}]}`: "MANIFEST_BLOB_UNKNOWN",
	} {
		if a := w.ask("PUT", w.path+"/manifests/liar", text, "Content-Type", kind); a.status != http.StatusBadRequest || !strings.Contains(a.body, code) {
			t.Errorf("%s: %d %s", text, a.status, a.body)
		}
	}
	at = w.want(http.StatusAccepted, "POST", w.path+"/blobs/uploads/", "").header.Get("Location")
	for range 2 {
		if a := w.ask("PATCH", at, strings.Repeat("z", limit)); a.status != http.StatusForbidden || !strings.Contains(a.body, "FLOWW_REGISTRY_LIMIT") {
			t.Errorf("more than the limit: %d %s", a.status, a.body)
		}
	}
}
