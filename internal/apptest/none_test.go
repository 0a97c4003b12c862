package apptest_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/usefloww/flowwd/internal/apptest"
	"github.com/usefloww/flowwd/internal/config"
)

// With AUTH_TYPE=none whoever is on the machine owns everything, and a page of
// another site in a browser there owns nothing.
func TestNobodyLogsIn(t *testing.T) {
	t.Parallel()
	s := apptest.Start(t, apptest.Options{Settings: func(c *config.Settings) {
		c.AuthType, c.PublicURL = config.AuthNone, "http://floww.test:8080"
	}})
	// The key of the service account is one of the default organization's.
	s.Client.URL = "http://" + s.App.Addr().String()
	owner := s.Anonymous()
	want := s.JSON(t, http.StatusOK, "GET", "/api/namespaces", nil)["results"].([]any)[0].(map[string]any)["id"]
	got := owner.JSON(t, http.StatusOK, "GET", "/api/namespaces", nil)
	if got["total"] != 1.0 || got["results"].([]any)[0].(map[string]any)["id"] != want {
		t.Errorf("the one person sees %v, want the namespace %v of the default organization", got, want)
	}

	for name, c := range map[string]struct {
		host   string
		header []string
		status int
	}{
		"number":                        {"127.0.0.1:3000", nil, 201},
		"number of IPv6":                {"[::1]:3000", nil, 201},
		"localhost":                     {"localhost:3000", nil, 201},
		"public address":                {"FLOWW.test", nil, 201},
		"another's name for this place": {"evil.example", nil, 403},
		"a name that begins alike":      {"localhost.evil.example", nil, 403},
		"same site":                     {"localhost", []string{"Origin", "http://localhost", "Sec-Fetch-Site", "same-origin"}, 201},
		"another site":                  {"localhost", []string{"Origin", "http://evil.example"}, 403},
		"another site, fetch metadata":  {"localhost", []string{"Sec-Fetch-Site", "cross-site"}, 403},
		"another port":                  {"localhost:1", []string{"Sec-Fetch-Site", "same-site", "Origin", "http://localhost:2"}, 403},
		"somebody else's cookie":        {"localhost", []string{"Cookie", "session=of-another-program"}, 201},
		"a token":                       {"localhost", []string{"Authorization", "Bearer x.y.z"}, 401},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			body := strings.NewReader(`{"name":"` + name + `","namespaceId":"` + want.(string) + `"}`)
			r, err := http.NewRequestWithContext(t.Context(), "POST", owner.URL+"/api/workflows", body)
			if err != nil {
				t.Fatal(err)
			}
			r.Host = c.host
			r.Header.Set("Content-Type", "application/json")
			for i := 0; i < len(c.header); i += 2 {
				r.Header.Set(c.header[i], c.header[i+1])
			}
			response, err := owner.HTTP.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			defer response.Body.Close()
			if response.StatusCode != c.status {
				t.Errorf("status %d, want %d", response.StatusCode, c.status)
			}
		})
	}
}
