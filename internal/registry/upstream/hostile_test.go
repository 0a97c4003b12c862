package upstream

import (
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/registrytest"
)

// elsewhere is another server, which looks for credentials.
func elsewhere(t *testing.T, give http.HandlerFunc) (address string, seen func() []string) {
	var mu sync.Mutex
	var found []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for _, name := range []string{"Authorization", "Cookie", "Proxy-Authorization"} {
			if v := r.Header.Get(name); v != "" {
				mu.Lock()
				found = append(found, v)
				mu.Unlock()
			}
		}
		give(w, r)
	}))
	t.Cleanup(server.Close)
	return server.URL, func() []string {
		mu.Lock()
		defer mu.Unlock()
		return found
	}
}

// Layers may be elsewhere; credentials stay with the upstream.
func TestRedirects(t *testing.T) {
	t.Parallel()
	for _, login := range []string{registrytest.Basic, registrytest.Token} {
		content := strings.Repeat("from elsewhere ", 10_000)
		given := content
		address, seen := elsewhere(t, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("WWW-Authenticate", `Basic realm="give it to me"`)
			if r.URL.Query().Get("signature") != "s" {
				w.WriteHeader(http.StatusUnauthorized)
			}
			_, _ = io.WriteString(w, given)
		})
		where := address + "/x?signature=s"
		up := registrytest.Start(t, registrytest.Options{Login: login, Around: func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				switch {
				case r.Header.Get("Authorization") != "" && r.Method != http.MethodPost && strings.Contains(r.URL.Path, "/blobs/sha256:"):
					http.Redirect(w, r, where, http.StatusTemporaryRedirect)
				case r.Header.Get("Authorization") != "" && strings.HasSuffix(r.URL.Path, "/manifests/moved"):
					http.Redirect(w, r, where, http.StatusPermanentRedirect)
				case r.URL.Path == "/again":
					http.Redirect(w, r, "/again", http.StatusFound)
				default:
					next.ServeHTTP(w, r)
				}
			})
		}})
		w := newWorld(t, up.URL)
		at := w.path + "/blobs/" + digestOf([]byte(content))
		if a := w.want(http.StatusOK, "GET", at, ""); a.body != content {
			t.Errorf("%d bytes came from elsewhere", len(a.body))
		}
		w.want(http.StatusOK, "HEAD", at, "")
		given = "the metadata of a cloud"
		if a := w.ask("GET", at, ""); a.status != http.StatusBadGateway || strings.Contains(a.body, given) {
			t.Errorf("something else came from elsewhere: %d %s", a.status, a.body)
		}
		given = strings.Repeat("something else ", 10_000)
		if a := w.ask("GET", at, ""); a.cut == nil {
			t.Errorf("something else that is large came from elsewhere as a whole: %d", a.status)
		}
		if a := w.ask("PUT", w.path+"/manifests/moved", "{}", "Content-Type", kind); a.status != http.StatusBadGateway {
			t.Errorf("a write that is redirected: %d %s", a.status, a.body)
		}
		for _, to := range []string{"/again", "ftp://127.0.0.1/", "http://user:password@127.0.0.1/", "http://:x/", address} {
			where = to
			if a := w.ask("GET", at, ""); a.status != http.StatusBadGateway {
				t.Errorf("redirected to %q: %d %s", to, a.status, a.body)
			}
		}
		if got := seen(); len(got) > 0 {
			t.Errorf("another server got %q", got)
		}
	}
}

// What comes with encryption goes nowhere without it.
func TestNoWayOutOfEncryption(t *testing.T) {
	t.Parallel()
	for address, trusted := range map[string]bool{
		"https://other.example/x": true, "http://other.example/x": false, "http://registry.example/": false,
		"https://a:b@other.example/": false, "ftp://other.example/": false, "https:///": false,
	} {
		u, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		s := New(Config{URL: &url.URL{Scheme: "https", Host: "registry.example"}})
		if s.trusts(u) != trusted {
			t.Errorf("%s is trusted: %v", address, !trusted)
		}
		if s.isUpstream(u) {
			t.Errorf("%s is the upstream", address)
		}
	}
	tls := httptest.NewUnstartedServer(http.NotFoundHandler())
	tls.Config.ErrorLog = log.New(io.Discard, "", 0)
	tls.StartTLS()
	defer tls.Close()
	w := newWorld(t, tls.URL) // its certificate is by nobody that is known
	if a := w.ask("POST", w.path+"/blobs/uploads/", ""); a.status != http.StatusBadGateway {
		t.Errorf("a certificate by nobody: %d %s", a.status, a.body)
	}
}

// Whatever an upstream answers, the client gets a refusal of the protocol, and
// nothing of what is no registry's.
func TestHostileUpstreams(t *testing.T) {
	t.Parallel()
	const html = "<html><script>alert(1)</script>"
	digest := digestOf([]byte("x"))
	page := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = io.WriteString(w, html)
	}
	answers := func(status int, headers ...string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			for i := 0; i < len(headers); i += 2 {
				w.Header().Set(headers[i], headers[i+1])
			}
			w.WriteHeader(status)
			_, _ = io.WriteString(w, html)
		}
	}
	endless := func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", kind)
		if r.Method == http.MethodHead {
			return
		}
		for chunk := []byte(strings.Repeat(" ", 64<<10)); ; {
			if _, err := w.Write(chunk); err != nil {
				return
			}
		}
	}
	hangUp := func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err == nil {
			_ = conn.Close()
		}
	}
	for _, c := range []struct {
		name         string
		give         http.HandlerFunc
		method, path string
		status       int
		code         string
	}{
		{"a page for a manifest", page, "GET", "/manifests/v1", 502, "UNKNOWN"},
		{"a page for a digest", page, "HEAD", "/manifests/v1", 502, ""},
		{"a page for tags", page, "GET", "/tags/list", 502, "UNKNOWN"},
		{"a page for a blob", page, "GET", "/blobs/" + digest, 502, "UNKNOWN"},
		{"a page for an upload", page, "POST", "/blobs/uploads/", 502, "UNKNOWN"},
		{"a manifest of another digest", answers(200, "Content-Type", kind), "GET", "/manifests/" + digest, 502, "UNKNOWN"},
		{"an answer about another manifest", answers(200, "Content-Type", kind, digestHeader, digestOf(nil)), "HEAD", "/manifests/" + digest, 502, ""},
		{"an answer about another blob", answers(200, digestHeader, digestOf(nil)), "HEAD", "/blobs/" + digest, 502, ""},
		{"a manifest without an end", endless, "GET", "/manifests/v1", 502, "UNKNOWN"},
		{"tags without an end", endless, "GET", "/tags/list", 502, "UNKNOWN"},
		{"a part that nobody asked for", answers(206, "Content-Range", "bytes 0-1/2"), "GET", "/blobs/" + digest, 502, "UNKNOWN"},
		{"an upload that is nowhere", answers(202), "POST", "/blobs/uploads/", 502, "UNKNOWN"},
		{"an upload elsewhere", answers(202, "Location", "http://127.0.0.1:1/x"), "POST", "/blobs/uploads/", 502, "UNKNOWN"},
		{"an upload that is no address", answers(202, "Location", "::"), "POST", "/blobs/uploads/", 502, "UNKNOWN"},
		{"a failure", answers(500), "GET", "/manifests/v1", 502, "UNAVAILABLE"},
		{"too many", answers(429, "Retry-After", "7"), "GET", "/manifests/v1", 429, "TOOMANYREQUESTS"},
		{"not now", answers(503, "Retry-After", "7"), "GET", "/blobs/" + digest, 503, "UNAVAILABLE"},
		{"forbidden", answers(403), "GET", "/manifests/v1", 502, "REGISTRY_AUTH_PASSWORD"},
		{"a login that is not known", answers(401, "WWW-Authenticate", "Negotiate"), "GET", "/manifests/v1", 502, "REGISTRY_AUTH_PASSWORD"},
		{"tokens from nowhere", answers(401, "WWW-Authenticate", `Bearer realm="ftp://x/"`), "GET", "/manifests/v1", 502, "UNKNOWN"},
		{"tokens that are pages", answers(401, "WWW-Authenticate", `Bearer realm="/token"`), "GET", "/manifests/v1", 502, "UNKNOWN"},
		{"a refusal that is a page", answers(400), "GET", "/manifests/v1", 400, "UNKNOWN"},
		{"not there", answers(404), "GET", "/blobs/" + digest, 404, "BLOB_UNKNOWN"},
		{"nothing", hangUp, "GET", "/manifests/v1", 503, "UNAVAILABLE"},
		{"a continuation", answers(304), "GET", "/manifests/v1", 502, "UNKNOWN"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				switch {
				case strings.HasSuffix(r.URL.Path, "/tags/list") && c.path != "/tags/list":
					w.WriteHeader(http.StatusNotFound) // it is asked how much there is
				case r.URL.Path == "/token":
					page(w, r)
				default:
					c.give(w, r)
				}
			}))
			t.Cleanup(server.Close)
			w := newWorld(t, server.URL)
			a := w.ask(c.method, w.path+c.path, "")
			if a.status != c.status || !strings.Contains(a.body, c.code) || strings.Contains(a.body, "<") {
				t.Errorf("%d %s, want %d %s", a.status, a.body, c.status, c.code)
			}
			if c.status == http.StatusTooManyRequests && a.header.Get("Retry-After") != "7" {
				t.Errorf("no word of when: %v", a.header)
			}
			if c.status >= 500 && c.path == "/manifests/v1" {
				if _, err := w.Digest(t.Context(), w.of, "v1"); !fault.Is(err, fault.Unavailable) {
					t.Errorf("looked for an image: %v", err)
				}
			}
		})
	}
}

// An upstream that is not there, or does not answer, holds nobody up.
func TestSilentUpstreams(t *testing.T) {
	t.Parallel()
	gone := httptest.NewServer(nil)
	gone.Close()
	w := newWorld(t, gone.URL)
	if a := w.ask("POST", w.path+"/blobs/uploads/", ""); a.status != http.StatusServiceUnavailable || !strings.Contains(a.body, "UNAVAILABLE") {
		t.Errorf("nobody there: %d %s", a.status, a.body)
	}
	if err := w.Healthy(t.Context()); !fault.Is(err, fault.Unavailable) {
		t.Errorf("nobody there: %v", err)
	}

	end := make(chan struct{})
	mute := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/v2/":
		case strings.Contains(r.URL.Path, "/manifests/begun"):
			w.Header().Set("Content-Type", kind)
			_, _ = io.WriteString(w, "{")
			_ = http.NewResponseController(w).Flush()
			<-end
		case strings.Contains(r.URL.Path, "/blobs/sha256:"):
			w.Header().Set("Content-Length", "1000000")
			_, _ = fmt.Fprint(w, strings.Repeat("x", 200_000))
			_ = http.NewResponseController(w).Flush()
			<-end
		default:
			<-end
		}
	}))
	t.Cleanup(mute.Close)
	t.Cleanup(func() { close(end) })
	w = newWorld(t, mute.URL)
	const short = 20 * time.Millisecond
	w.times = times{patience: short, idle: short, finishing: short}
	for _, path := range []string{"/manifests/v1", "/manifests/begun", "/tags/list"} {
		if a := w.ask("GET", w.path+path, ""); a.status != http.StatusServiceUnavailable {
			t.Errorf("%s: %d %s", path, a.status, a.body)
		}
	}
	w.times.patience = time.Minute // it does begin
	if a := w.ask("GET", w.path+"/blobs/"+digestOf(nil), ""); a.cut == nil {
		t.Errorf("half a blob arrived as if it were all: %d", a.status)
	}
	w.times.patience = short
	w.uploading(w.of, "", 0)
	w.counts[w.of].at = w.now // it was counted
	if a := w.ask("POST", w.path+"/blobs/uploads/", strings.Repeat("x", 4<<20)); a.status != http.StatusServiceUnavailable {
		t.Errorf("an upload that nobody takes: %d %s", a.status, a.body)
	}
}
