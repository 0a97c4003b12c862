package web

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/usefloww/flowwd/internal/web/ui"
)

const public = "https://flows.example:8443"

func TestSafeNext(t *testing.T) {
	t.Parallel()
	tests := map[string]string{
		"":                                 "/",
		"/":                                "/",
		"/a?b":                             "/a?b",
		"/a?b=/c#d":                        "/a?b=/c#d",
		"/a?to=https://b/":                 "/a?to=https://b/",
		"/%2f%2fevil":                      "/%2f%2fevil", // a path for every browser
		"/%5cevil":                         "/%5cevil",
		"/über":                            "/über",
		"a/b":                              "/",
		"//evil":                           "/",
		"///evil":                          "/",
		`/\evil`:                           "/",
		`\/evil`:                           "/",
		`\\evil`:                           "/",
		`/a\b`:                             "/",
		"/\t/evil":                         "/",
		"/\n/evil":                         "/",
		"/\r\nSet-Cookie:a":                "/",
		"/\x00":                            "/",
		"/\x7f":                            "/",
		"/\u0085/evil":                     "/",
		"/\u2028/evil":                     "/",
		"/\xff":                            "/",
		" /a":                              "/",
		"/ /a":                             "/",
		"\t//evil":                         "/",
		"javascript:alert(1)":              "/",
		"JavaScript://flows.example:8443/": "/",
		"data:text/html,x":                 "/",
		"https:evil":                       "/",
		"https:/evil":                      "/",
		"https://evil/":                    "/",
		"http://flows.example:8443/a":      "/",
		public:                             "/",
		public + "/":                       "/",
		public + "/a?b":                    "/a?b",
		public + "?b":                      "/?b",
		public + "#b":                      "/#b",
		public + "//evil":                  "/",
		public + `/\evil`:                  "/",
		public + ".evil/":                  "/",
		public + "3/":                      "/",
		public + "@evil/":                  "/",
		public + `\@evil/`:                 "/",
		"https://flows.example/a":          "/",
		"https://user@flows.example:8443/": "/",
		"https://flows.example:8443:1/":    "/",
		"/" + strings.Repeat("a", maxNext): "/",
	}
	for next, want := range tests {
		if got := safeNext(next, public); got != want {
			t.Errorf("%q leads to %q, want %q", next, got, want)
		}
	}
	for _, unknown := range []string{"", "://", "flows.example"} {
		if got := safeNext("https://evil/", unknown); got != "/" {
			t.Errorf("with the public URL %q, another site is allowed: %q", unknown, got)
		}
	}
}

// FuzzSafeNext holds that no login leads to another site, by what Go makes of a
// Location and by what browsers do beforehand: they leave out tabs and line
// breaks, and take a backslash for a slash.
func FuzzSafeNext(f *testing.F) {
	for _, seed := range []string{"/a?b", "//evil", `/\evil`, "/\t/evil", public + "/x", public + "@evil", "javascript:x", "/..//evil", "/./\\evil", "/a/..//evil"} {
		f.Add(seed)
	}
	base, err := url.Parse(public + "/auth/login")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, next string) {
		w := httptest.NewRecorder()
		ui.Redirect(w, httptest.NewRequest(http.MethodGet, "/auth/login", nil), safeNext(next, public))
		location := w.Header().Get("Location")
		browsers := strings.NewReplacer("\t", "", "\n", "", "\r", "", `\`, "/").Replace(strings.TrimSpace(location))
		for _, to := range []string{location, browsers} {
			got, err := base.Parse(to)
			if err != nil {
				continue // a path that Go can't read, and a path all the same
			}
			if got.Host != base.Host || got.Scheme != base.Scheme || got.User != nil || !strings.HasPrefix(to, "/") || strings.HasPrefix(to, "//") {
				t.Errorf("%q leads to %q", next, to)
			}
		}
	})
}
