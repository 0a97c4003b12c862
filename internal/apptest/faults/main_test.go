//go:build external && linux

package faults

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/usefloww/flowwd/internal/apptest"
	"github.com/usefloww/flowwd/internal/loadtest"
)

func TestMain(m *testing.M) { os.Exit(apptest.Main(m)) }

// start starts a server on a data folder that is not there yet.
func start(t *testing.T, dir string, arguments ...string) *apptest.Process {
	t.Helper()
	key := apptest.CreateKey(t, dir)
	p := apptest.StartProcess(t, dir, arguments...)
	p.Key = key
	return p
}

// ready returns whether a server says that it is ready, and its checks that say
// no.
func ready(t *testing.T, c *apptest.Client) (bool, []string) {
	t.Helper()
	r := c.Anonymous().Do(t, "GET", "/readyz", nil)
	var said struct {
		Checks map[string]struct{ Status string }
	}
	if err := json.Unmarshal(r.Body, &said); err != nil {
		t.Fatalf("/readyz: %s: %v", r, err)
	}
	var failed []string
	for name, check := range said.Checks {
		if check.Status != "ok" {
			failed = append(failed, name)
		}
	}
	return r.Status == http.StatusOK, failed
}

// untilReady waits until a server says that it is ready, or that it is not.
func untilReady(t *testing.T, c *apptest.Client, want bool) {
	t.Helper()
	apptest.Until(t, 60*time.Second, fmt.Sprintf("ready: %t", want), func() bool {
		is, _ := ready(t, c)
		return is == want
	})
}

// untilRefused sends events until one is refused, as it must be: 503, and when to
// come again.
func untilRefused(t *testing.T, d *apptest.Deployed, c *apptest.Client, body string) {
	t.Helper()
	apptest.Until(t, 60*time.Second, "an event that is refused", func() bool {
		r := c.Anonymous().Do(t, "POST", d.Webhooks["POST in"], body)
		if r.Status == http.StatusOK {
			return false // there was room for it
		}
		if r.Status != http.StatusServiceUnavailable || r.Header.Get("Retry-After") == "" {
			t.Fatalf("an event that can't be kept is answered %s, Retry-After %q", r, r.Header.Get("Retry-After"))
		}
		return true
	})
}

// metric returns a measurement of a server.
func metric(t *testing.T, c *apptest.Client, name string) float64 {
	t.Helper()
	text := string(c.Anonymous().Do(t, "GET", "/metrics", nil).Body)
	for line := range strings.Lines(text) {
		var value float64
		if after, ok := strings.CutPrefix(line, name+" "); ok {
			if _, err := fmt.Sscan(after, &value); err != nil {
				t.Fatalf("%s: %v", line, err)
			}
			return value
		}
	}
	t.Fatalf("there is no %s in\n%s", name, text)
	return 0
}

// report waits until all has ended, prints the account and fails the test when
// something was lost.
func report(t *testing.T, what string, load *loadtest.Load, c *apptest.Client) {
	t.Helper()
	count := load.Count(t, c)
	fmt.Printf("%s: %s: %s\n", t.Name(), what, count)
	count.Whole(t)
	if count.Acknowledged == 0 {
		t.Error("nothing was acknowledged, so the test has shown nothing")
	}
}
