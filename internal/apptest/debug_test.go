package apptest_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/usefloww/flowwd/internal/apptest"
	"github.com/usefloww/flowwd/internal/config"
)

// Profiles are served at their own address alone, to the machine itself, and
// show no secret of the command line.
func TestDebugListener(t *testing.T) {
	t.Parallel()
	s := apptest.Start(t, apptest.Options{Settings: func(c *config.Settings) { c.DebugListen = "127.0.0.1:0" }})
	for name, c := range map[string]struct {
		path, host string
		status     int
		has        string
	}{
		"page":              {path: "/", status: http.StatusOK, has: "goroutines"},
		"list of profiles":  {path: "/debug/pprof/", status: http.StatusOK, has: "heap"},
		"goroutines":        {path: "/debug/pprof/goroutine?debug=1", status: http.StatusOK, has: "claimLoop"},
		"for no time":       {path: "/debug/pprof/profile?seconds=0", status: http.StatusBadRequest, has: "1 to 300"},
		"for ever":          {path: "/debug/pprof/profile?seconds=1000000000", status: http.StatusBadRequest, has: "300"},
		"of another kind":   {path: "/debug/pprof/heap?seconds=NaN", status: http.StatusBadRequest, has: "300"},
		"by localhost":      {path: "/", host: "localhost:1", status: http.StatusOK},
		"by another's name": {path: "/", host: "evil.example", status: http.StatusMisdirectedRequest, has: "127.0.0.1"},
		"the command line":  {path: "/debug/pprof/cmdline", status: http.StatusForbidden, has: "secrets"},
		"anything else":     {path: "/api/whoami", status: http.StatusNotFound},
	} {
		t.Run(name, func(t *testing.T) {
			req, err := http.NewRequestWithContext(t.Context(), "GET", "http://"+s.App.Debug().String()+c.path, nil)
			if err != nil {
				t.Fatal(err)
			}
			req.Host = c.host
			res, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			defer res.Body.Close()
			body, err := io.ReadAll(res.Body)
			if err != nil || res.StatusCode != c.status || !strings.Contains(string(body), c.has) {
				t.Errorf("answered %d %.200q, %v; want %d …%s…", res.StatusCode, body, err, c.status, c.has)
			}
		})
	}
	if r := s.Do(t, "GET", "/debug/pprof/", nil); r.Status != http.StatusNotFound {
		t.Errorf("the server itself answers %d for profiles", r.Status)
	}
}
