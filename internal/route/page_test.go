package route

import (
	"context"
	"net/http"
	"testing"

	"github.com/usefloww/flowwd/internal/access"
	"github.com/usefloww/flowwd/internal/identity"
)

// Readers who are not logged in are led by the login to a page that there is;
// what is no browser gets an answer.
func TestPagesLeadToTheLogin(t *testing.T) {
	t.Parallel()
	b := newBench(t, func(c *Config) { c.LoginPath = "/login" })
	for method, paths := range map[string][]string{http.MethodGet: {"/page"}, http.MethodPost: {"/page", "/end"}} {
		for _, path := range paths {
			Raw(b.Router, Spec{Method: method, Path: path, Policy: access.Self(access.WriteSelf), Page: true, Body: method == http.MethodPost}, NoObject(), say("page"))
		}
	}
	const form = "Content-Type: application/x-www-form-urlencoded"
	for _, c := range []struct {
		method, target, header string
		status                 int
		location               string
	}{
		{"GET", "/page?a=b&c", "X: y", 307, "/login?next=%2Fpage%3Fa%3Db%26c"},
		{"HEAD", "/page", "X: y", 307, "/login?next=%2Fpage"},
		{"POST", "/page", form, 303, "/login?next=%2Fpage"},
		{"POST", "/end", form + "; charset=utf-8", 303, "/login"},
		{"POST", "/page", "Content-Type: application/json", 401, ""},
		{"POST", "/page", "X: y", 401, ""},
	} {
		r := b.ask(t, c.method, c.target, "", "Authorization: ", c.header)
		if r.status != c.status || r.header.Get("Location") != c.location {
			t.Errorf("%s %s with %q: %d to %q, want %d to %q", c.method, c.target, c.header, r.status, r.header.Get("Location"), c.status, c.location)
		}
	}
}

// A browser is shown a page where programs get the text or the JSON that they
// know.
func TestBrowsersAreShownRefusalsAsPages(t *testing.T) {
	t.Parallel()
	b := newBench(t, func(c *Config) {
		c.Authenticate = func(context.Context, identity.Credential) (identity.Principal, error) {
			return identity.Principal{Kind: identity.Human}, nil
		}
		c.ErrorPage = func(w http.ResponseWriter, _ *http.Request, status int, text string) {
			_ = WriteBody(w, status, "text/html; charset=utf-8", []byte(text))
		}
	})
	Raw(b.Router, Spec{Method: http.MethodGet, Path: "/admin", Policy: access.Admin(access.Administer), Page: true}, NoObject(), say("page"))
	const denied = "Access denied: Admin permissions required"
	for _, c := range []struct{ method, target, accept, contentType, body string }{
		{"GET", "/admin", "text/html,*/*;q=0.8", "text/html; charset=utf-8", denied},
		{"GET", "/admin", "*/*", "text/plain; charset=utf-8", denied},
		{"GET", "/nowhere", "text/html,*/*;q=0.8", "text/html; charset=utf-8", "There is nothing at this address"},
		{"GET", "/nowhere", "*/*", "application/json", ""},
		{"POST", "/nowhere", "text/html", "application/json", ""},
	} {
		r := b.ask(t, c.method, c.target, "", "Accept: "+c.accept)
		if got := r.header.Get("Content-Type"); got != c.contentType || c.body != "" && r.text != c.body {
			t.Errorf("%s %s for %q: %d %s %q", c.method, c.target, c.accept, r.status, got, r.text)
		}
	}
}
