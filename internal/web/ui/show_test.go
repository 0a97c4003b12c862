package ui

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/identity"
	"github.com/usefloww/flowwd/internal/route"
)

func handler(t *testing.T) http.Handler {
	t.Helper()
	r := route.New(route.Config{
		Authenticate: func(context.Context, identity.Credential) (identity.Principal, error) {
			return identity.Principal{}, fault.New(fault.Unauthenticated, "No credentials provided")
		},
		Logger: slog.New(slog.DiscardHandler), Now: time.Now, NewRequestID: func() string { return "r" },
		ErrorPage: ErrorPage,
	})
	RegisterAssets(r)
	if err := r.Err(); err != nil {
		t.Fatal(err)
	}
	return r.Handler()
}

func get(h http.Handler, path string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	return w
}

func TestPagesEscapeAndForbidScripts(t *testing.T) {
	t.Parallel()
	w := httptest.NewRecorder()
	ErrorPage(w, httptest.NewRequest(http.MethodGet, "/x", nil), http.StatusForbidden, `<script>alert(1)</script>`)
	body := w.Body.String()
	if w.Code != http.StatusForbidden || strings.Contains(body, "<script") || !strings.Contains(body, "&lt;script&gt;") {
		t.Errorf("%d %s", w.Code, body)
	}
	if csp := w.Header().Get("Content-Security-Policy"); !strings.HasPrefix(csp, "default-src 'none';") || strings.Contains(csp, "unsafe") || strings.Contains(csp, "script-src") {
		t.Errorf("the policy is %q", csp)
	}
	if inline := regexp.MustCompile(`(?i)<style|\sstyle=|\son[a-z]+=|javascript:`).FindString(body); inline != "" {
		t.Errorf("the page has %q inline", inline)
	}
}

// Browsers keep an asset for good, so another content must have another address.
func TestAssetsAreKeptByContent(t *testing.T) {
	t.Parallel()
	h := handler(t)
	w := httptest.NewRecorder()
	ErrorPage(w, httptest.NewRequest(http.MethodGet, "/x", nil), http.StatusNotFound, "no")
	addresses := regexp.MustCompile(`/assets/[^"]+`).FindAllString(w.Body.String(), -1)
	slices.Sort(addresses)
	if addresses = slices.Compact(addresses); len(addresses) != 2 {
		t.Fatalf("the page has the assets %q", addresses)
	}
	for _, address := range addresses {
		got := get(h, address)
		if got.Code != http.StatusOK || got.Body.Len() == 0 || !strings.Contains(got.Header().Get("Cache-Control"), "immutable") {
			t.Errorf("%s: %d, %v", address, got.Code, got.Header())
		}
	}
	for _, address := range []string{"/assets/0000000000000000/floww.css", "/assets//doc.go", "/assets/x/..%2fdoc.go", "/assets//none"} {
		got := get(h, address)
		if got.Code != http.StatusNotFound || strings.Contains(got.Header().Get("Cache-Control"), "max-age") {
			t.Errorf("%s: %d, %v", address, got.Code, got.Header())
		}
	}
}
