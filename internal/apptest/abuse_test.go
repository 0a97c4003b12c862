package apptest_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

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
	s := apptest.Start(t, apptest.Options{})
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
