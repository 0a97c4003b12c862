package apptest_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/usefloww/flowwd/internal/apptest"
	"github.com/usefloww/flowwd/internal/config"
)

func TestRequestsThatComeTooOftenAreRefused(t *testing.T) {
	t.Parallel()
	s := apptest.Start(t, apptest.Options{Settings: func(c *config.Settings) { c.RateLimit = 1 }})
	hook := s.Deploy(t, "limits", apptest.Handler(`return 1`))
	var last apptest.Response
	for range 30 {
		if last = s.Do(t, "GET", "/api/whoami", nil); last.Status == http.StatusTooManyRequests {
			break
		}
	}
	if last.Status != http.StatusTooManyRequests || last.Header.Get("Retry-After") == "" {
		t.Fatalf("got %s with Retry-After %q", last, last.Header.Get("Retry-After"))
	}
	// What sends events is not held back, and a request that was refused is
	// measured.
	for range 30 {
		if r := s.Anonymous().Do(t, "POST", hook.Webhooks["POST in"], `{}`); r.Status != http.StatusOK {
			t.Fatalf("a webhook: %s", r)
		}
	}
	if m := s.Anonymous().Do(t, "GET", "/metrics", nil); !strings.Contains(string(m.Body), `flowwd_http_limited_total{by="principal"}`) {
		t.Error("the refusal was not measured")
	}
}

func TestGuessingKeysIsSlow(t *testing.T) {
	t.Parallel()
	// A slow machine gives no more time for guesses.
	begin := time.Now()
	s := apptest.Start(t, apptest.Options{Now: func() time.Time { return begin }})
	guess := apptest.NewClient(t, s.URL, "floww_sa_"+strings.Repeat("y", 32))
	refused := 0
	for range 1000 {
		if guess.Do(t, "GET", "/api/whoami", nil).Status == http.StatusTooManyRequests {
			refused++
		}
		if refused > 100 {
			return
		}
	}
	t.Errorf("of 1000 wrong keys only %d were refused without a look", refused)
}

// Addresses that the server gives out are those of its settings, whatever a
// client says.
func TestHostHeaderIsNotBelieved(t *testing.T) {
	t.Parallel()
	const public = "https://flows.example.com"
	s := apptest.Start(t, apptest.Options{Settings: func(c *config.Settings) { c.PublicURL = public }})
	client := apptest.NewClient(t, "http://"+s.App.Addr().String(), s.Key)
	d := client.Deploy(t, "host", apptest.Handler(`return 1`))
	for _, info := range s.App.Routes() {
		if info.Method != http.MethodGet || info.Stream {
			continue
		}
		path := strings.NewReplacer("{id}", d.WorkflowID, "{path...}", "x").Replace(info.Path)
		for _, key := range []string{client.Key, ""} {
			req, err := http.NewRequest(info.Method, client.URL+path, nil)
			if err != nil {
				t.Fatal(err)
			}
			req.Host = "evil.example"
			for _, name := range []string{"X-Forwarded-Host", "X-Original-Host", "X-Host"} {
				req.Header.Set(name, "evil.example")
			}
			req.Header.Set("X-Forwarded-Proto", "http")
			if key != "" {
				req.Header.Set("Authorization", "Bearer "+key)
			}
			res, err := client.HTTP.Transport.RoundTrip(req) // follows no redirect
			if err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(res.Body)
			if err != nil {
				t.Fatal(err)
			}
			res.Body.Close()
			for name, values := range res.Header {
				if strings.Contains(strings.Join(values, " "), "evil.example") {
					t.Errorf("%s answers %s: %v", info.Path, name, values)
				}
			}
			if strings.Contains(string(body), "evil.example") {
				t.Errorf("%s: %s", info.Path, body)
			}
			if got := res.Header.Get("Strict-Transport-Security"); got == "" {
				t.Errorf("%s: no Strict-Transport-Security", info.Path)
			}
		}
	}
}

// What the settings say about proxies and other sites reaches the doors.
func TestProxiesAndSitesOfTheSettings(t *testing.T) {
	t.Parallel()
	const site = "https://app.example.com"
	for _, trusting := range []bool{true, false} {
		s := apptest.Start(t, apptest.Options{Way: apptest.Anyone{}, Settings: func(c *config.Settings) {
			c.CORSOrigins = []string{"https://APP.example.com"}
			if trusting {
				c.TrustedProxies = []string{"127.0.0.1", "10.0.0.0/8"}
			}
		}})
		ada := s.Person(t, "ada")
		want := "127.0.0.1"
		if trusting {
			want = "192.0.2.9"
		}
		ada.JSON(t, 201, "POST", "/api/workflows", map[string]any{"name": "x", "namespaceId": ada.Namespace(t)}, "X-Forwarded-For", "203.0.113.1, 192.0.2.9, 10.1.1.1")
		for _, e := range results(ada.JSON(t, 200, "GET", "/api/organizations/"+ada.Organization+"/audit?action=workflow.create", nil)) {
			if got := e["actor"].(map[string]any)["address"]; got != want {
				t.Errorf("trusting %t: recorded %v, want %s", trusting, got, want)
			}
		}
		if r := s.Anonymous().Do(t, "OPTIONS", "/api/workflows", nil, "Origin", site, "Access-Control-Request-Method", "POST"); r.Status != 204 || r.Header.Get("Access-Control-Allow-Origin") != site {
			t.Errorf("preflight: %s %v", r, r.Header)
		}
		if r := ada.Do(t, "GET", "/api/workflows", nil, "Origin", site); r.Header.Get("Access-Control-Allow-Origin") != site || r.Header.Get("Access-Control-Allow-Credentials") != "" {
			t.Errorf("read by another site: %v", r.Header)
		}
	}
}

// A login that another site has a browser send would log the person in as
// somebody else.
func TestNobodyIsLoggedInByAnotherSite(t *testing.T) {
	t.Parallel()
	s, _ := withAdmin(t)
	form := map[string]string{"username": apptest.AdminLogin, "password": apptest.AdminPassword}
	for _, path := range []string{"/auth/login", "/api/auth/login"} {
		for _, headers := range [][]string{
			{"Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example"}, {"Sec-Fetch-Site", "same-site", "Origin", "http://other.localhost"},
			{"Sec-Fetch-Site", "", "Origin", "https://evil.example"}, {"Sec-Fetch-Site", "", "Origin", "null"},
		} {
			b := apptest.NewBrowser(t, s.URL)
			if r := b.Post(t, path, form, headers...); r.Status != http.StatusForbidden || b.Cookie(t, "session") != "" {
				t.Errorf("%s with %v: %s", path, headers, r)
			}
		}
	}
}
