package route

import (
	"net/http"
	"testing"

	"github.com/usefloww/flowwd/internal/access"
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
