package route

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/usefloww/flowwd/internal/access"
	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/identity"
)

const site = "https://app.example.com"

func withCORS(c *Config) { c.CORSOrigins = []string{site, "http://localhost:3000"} }

func newCORS(t *testing.T) bench {
	b := newBench(t, withCORS)
	Raw(b.Router, Spec{Method: "GET", Path: "/api/things/{id}", Policy: access.Requires(access.ReadWorkflow)}, things(),
		func(w http.ResponseWriter, _ *http.Request, _ Call[thing]) error {
			return WriteBody(w, 200, "text/plain", nil)
		})
	Raw(b.Router, Spec{Method: "DELETE", Path: "/api/things/{id}", Policy: access.Requires(access.WriteWorkflow)}, things(),
		func(w http.ResponseWriter, _ *http.Request, _ Call[thing]) error {
			return WriteBody(w, 200, "text/plain", nil)
		})
	b.get("/page", "page")
	return b
}

func TestPreflight(t *testing.T) {
	t.Parallel()
	b := newCORS(t)
	one := "/api/things/" + thing1.String()
	for _, c := range []struct {
		name, path, origin, asks string
		status                   int
	}{
		{"a site on the list", one, site, "DELETE", 204},
		{"another on the list", one, "http://localhost:3000", "GET", 204},
		{"not on the list", one, "https://evil.example.com", "GET", 405},
		{"a part of one on the list", one, "https://app.example.co", "GET", 405},
		{"one on the list with more", one, site + ".evil.example", "GET", 405},
		{"another scheme", one, "http://app.example.com", "GET", 405},
		{"another port", one, site + ":8443", "GET", 405},
		{"capitals", one, "https://APP.example.com", "GET", 405},
		{"null", one, "null", "GET", 405},
		{"none", one, "", "GET", 405},
		{"no preflight", one, site, "", 405},
		{"no API", "/page", site, "GET", 405},
		{"no such route", "/api/nothing", site, "GET", 404},
	} {
		var headers []string
		if c.origin != "" {
			headers = append(headers, "Origin: "+c.origin)
		}
		if c.asks != "" {
			headers = append(headers, "Access-Control-Request-Method: "+c.asks, "Access-Control-Request-Headers: authorization")
		}
		a := b.ask(t, "OPTIONS", c.path, "", headers...)
		if a.status != c.status {
			t.Errorf("%s: %d, want %d: %s", c.name, a.status, c.status, a.text)
		}
		h := a.header
		if c.status != 204 {
			if h.Get("Access-Control-Allow-Methods") != "" {
				t.Errorf("%s: %v", c.name, h)
			}
			continue
		}
		if h.Get("Access-Control-Allow-Origin") != c.origin || h.Get("Access-Control-Allow-Methods") != "DELETE, GET, HEAD" ||
			!strings.Contains(h.Get("Access-Control-Allow-Headers"), "Authorization") || h.Get("Access-Control-Max-Age") == "" ||
			h.Get("Access-Control-Allow-Credentials") != "" || h.Get("Vary") == "" || a.text != "" {
			t.Errorf("%s: %v %s", c.name, h, a.text)
		}
	}
}

func TestOtherSitesReadTheAPI(t *testing.T) {
	t.Parallel()
	b := newCORS(t)
	for _, c := range []struct {
		name, path, origin string
		headers            []string
		status             int
		allowed            bool
	}{
		{"an answer", "/api/things/" + thing1.String(), site, []string{"Authorization: Bearer member"}, 200, true},
		// Scripts must see why they were refused.
		{"a refusal", "/api/things/" + thing1.String(), site, nil, 401, true},
		{"nothing there", "/api/nothing", site, nil, 404, true},
		{"not on the list", "/api/things/" + thing1.String(), "https://evil.example.com", []string{"Authorization: Bearer member"}, 200, false},
		{"no other site", "/api/things/" + thing1.String(), "", []string{"Authorization: Bearer member"}, 200, false},
		{"no API", "/page", site, nil, 200, false},
	} {
		headers := c.headers
		if c.origin != "" {
			headers = append(headers, "Origin: "+c.origin)
		}
		a := b.ask(t, "GET", c.path, "", headers...)
		allowed := a.header.Get("Access-Control-Allow-Origin")
		if a.status != c.status || (allowed == c.origin && allowed != "") != c.allowed || !c.allowed && allowed != "" {
			t.Errorf("%s: %d, allowed %q", c.name, a.status, allowed)
		}
		if vary := a.header.Get("Vary"); strings.HasPrefix(c.path, apiPrefix) != (vary == "Origin") {
			t.Errorf("%s: Vary %q", c.name, vary)
		}
		if c.allowed && !strings.Contains(a.header.Get("Access-Control-Expose-Headers"), "Retry-After") || a.header.Get("Access-Control-Allow-Credentials") != "" {
			t.Errorf("%s: %v", c.name, a.header)
		}
	}
	closed := newBench(t)
	closed.get("/api/x", "x")
	if a := closed.ask(t, "GET", "/api/x", "", "Origin: "+site); a.header.Get("Access-Control-Allow-Origin") != "" || a.header.Get("Vary") != "" {
		t.Errorf("without a list: %v", a.header)
	}
}

func TestEveryAnswerTellsBrowsersToBeCareful(t *testing.T) {
	t.Parallel()
	for _, https := range []bool{false, true} {
		b := newBench(t, func(c *Config) { c.HTTPS = https })
		b.get("/a", "a")
		Raw(b.Router, Spec{Method: "GET", Path: "/broken", Policy: open}, NoObject(), func(http.ResponseWriter, *http.Request, Call[None]) error { panic("x") })
		for _, path := range []string{"/a", "/broken", "/nothing", "//"} {
			h := b.ask(t, "GET", "http://host"+path, "").header
			if h.Get("X-Content-Type-Options") != "nosniff" || h.Get("X-Frame-Options") != "DENY" || h.Get("Referrer-Policy") != "same-origin" {
				t.Errorf("%s: %v", path, h)
			}
			if got := h.Get("Strict-Transport-Security"); (got != "") != https || strings.Contains(got, "includeSubDomains") {
				t.Errorf("%s, https %t: Strict-Transport-Security %q", path, https, got)
			}
		}
	}
}

// What a browser sends by itself is refused when another site had it sent.
func TestCrossSiteRequests(t *testing.T) {
	t.Parallel()
	const public = "https://flows.example.com"
	b := newBench(t, func(c *Config) {
		c.Origins = func() []string { return []string{public} }
		c.Authenticate = func(_ context.Context, c identity.Credential) (identity.Principal, error) {
			switch {
			case c.Bearer != "":
				return identity.Principal{Kind: identity.ServiceAccount}, nil
			case c.Cookie != "":
				return identity.Principal{Kind: identity.Human, Ambient: true}, nil
			}
			return identity.Principal{}, fault.New(fault.Unauthenticated, "No credentials provided")
		}
	})
	for _, method := range []string{"GET", "POST"} {
		Raw(b.Router, Spec{Method: method, Path: "/mine", Policy: access.Self(access.WriteSelf)}, NoObject(), say("mine"))
	}
	Raw(b.Router, Spec{Method: "POST", Path: "/login", Policy: access.Public(access.LogIn), SameOrigin: true}, NoObject(), say("login"))
	Raw(b.Router, Spec{Method: "POST", Path: "/hook", Policy: access.Public(access.ReceiveWebhook)}, NoObject(), say("hook"))

	const cookie, bearer = "Cookie: session=s", "Authorization: Bearer k"
	for _, c := range []struct {
		name, method, path string
		headers            []string
		status             int
	}{
		{"own page", "POST", "/mine", []string{cookie, "Sec-Fetch-Site: same-origin", "Origin: http://host"}, 200},
		{"address typed", "POST", "/mine", []string{cookie, "Sec-Fetch-Site: none"}, 200},
		{"another site", "POST", "/mine", []string{cookie, "Sec-Fetch-Site: cross-site", "Origin: https://evil.example"}, 403},
		{"another site without Origin", "POST", "/mine", []string{cookie, "Sec-Fetch-Site: cross-site"}, 403},
		{"a neighbour", "POST", "/mine", []string{cookie, "Sec-Fetch-Site: same-site", "Origin: https://other.example.com"}, 403},
		{"an old browser, own page", "POST", "/mine", []string{cookie, "Origin: http://host"}, 200},
		{"an old browser, another site", "POST", "/mine", []string{cookie, "Origin: https://evil.example"}, 403},
		{"an old browser, another port", "POST", "/mine", []string{cookie, "Origin: http://host:81"}, 403},
		{"an opaque page", "POST", "/mine", []string{cookie, "Origin: null"}, 403},
		{"behind a proxy with another name", "POST", "/mine", []string{cookie, "Origin: " + public}, 200},
		{"nearly that name", "POST", "/mine", []string{cookie, "Origin: " + public + ".evil.example"}, 403},
		{"no browser", "POST", "/mine", []string{cookie}, 200},
		{"reading", "GET", "/mine", []string{cookie, "Sec-Fetch-Site: cross-site", "Origin: https://evil.example"}, 200},
		{"a bearer", "POST", "/mine", []string{bearer, "Sec-Fetch-Site: cross-site", "Origin: https://evil.example"}, 200},
		{"a bearer and a cookie", "POST", "/mine", []string{bearer, cookie, "Sec-Fetch-Site: cross-site"}, 200},
		{"login from another site", "POST", "/login", []string{"Sec-Fetch-Site: cross-site", "Origin: https://evil.example"}, 403},
		{"login", "POST", "/login", []string{"Sec-Fetch-Site: same-origin", "Origin: http://host"}, 200},
		{"webhook", "POST", "/hook", []string{"Sec-Fetch-Site: cross-site", "Origin: https://evil.example"}, 200},
	} {
		a := b.ask(t, c.method, "http://host"+c.path, "", c.headers...)
		if a.status != c.status {
			t.Errorf("%s: %d, want %d: %s", c.name, a.status, c.status, a.text)
		}
		if a.status == 403 && !strings.Contains(a.text, "Another site") {
			t.Errorf("%s: %s", c.name, a.text)
		}
	}
}
