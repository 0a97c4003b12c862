package images

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/usefloww/flowwd/internal/app"
	"github.com/usefloww/flowwd/internal/apptest"
	"github.com/usefloww/flowwd/internal/config"
	"github.com/usefloww/flowwd/internal/registrytest"
)

// record keeps what a server writes to its log.
type record struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (r *record) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.Write(p)
}

func (r *record) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.String()
}

// A server whose upstream is not to be used says so at its start and in its
// readiness, does everything else, and tells who pushes.
func TestUpstreamsThatAreOfNoUse(t *testing.T) {
	t.Parallel()
	gone := httptest.NewServer(nil)
	gone.Close()
	html := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(html.Close)
	up := registrytest.Start(t, registrytest.Options{Login: registrytest.Token})
	for name, c := range map[string]struct {
		url, ready string
		status     int
		code       string
	}{
		"a wrong password": {up.URL, "REGISTRY_AUTH_USER and REGISTRY_AUTH_PASSWORD", http.StatusBadGateway, "REGISTRY_AUTH_PASSWORD"},
		"nobody there":     {gone.URL, "can't be reached", http.StatusServiceUnavailable, "UNAVAILABLE"},
		"no registry":      {html.URL, "no registry", http.StatusNotFound, "NAME_UNKNOWN"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			log := &record{}
			s := start(t, apptest.Options{Log: log, Settings: func(s *config.Settings) {
				s.RegistryURL, s.RegistryUser, s.RegistryPassword = c.url, registrytest.User, "not-the-password"
			}})
			if !strings.Contains(log.String(), "images can be neither pushed nor pulled") || !strings.Contains(log.String(), c.ready) {
				t.Errorf("the start says:\n%s", log)
			}
			if r := s.Anonymous().Do(t, "GET", "/readyz", nil); r.Status != http.StatusOK || !strings.Contains(string(r.Body), c.ready) {
				t.Errorf("the readiness: %s", r)
			}
			if r := s.Do(t, "POST", "/v2/"+repository(t, s.Client)+"/blobs/uploads/", nil); r.Status != c.status || !strings.Contains(string(r.Body), c.code) || !strings.HasPrefix(string(r.Body), `{"errors":[`) {
				t.Errorf("a push: %s", r)
			}
			if r := s.Do(t, "POST", "/api/runtimes/push_token", map[string]any{"image_hash": "v1"}); c.status != http.StatusNotFound && r.Status != http.StatusServiceUnavailable {
				t.Errorf("the password of a push: %s", r)
			}
			if r := s.Do(t, "GET", "/api/workflows", nil); r.Status != http.StatusOK {
				t.Errorf("all else: %s", r)
			}
			settings := apptest.Settings(t, s.DataDir)
			settings.RegistryURL, settings.RegistryUser, settings.RegistryPassword = c.url, registrytest.User, "not-the-password"
			if problems := app.Doctor(t.Context(), settings); len(problems) != 1 || !strings.Contains(problems[0].Error(), c.ready) {
				t.Errorf("the doctor: %v", problems)
			}
			if strings.Contains(log.String(), "not-the-password") {
				t.Error("the log has the password")
			}
		})
	}
}
