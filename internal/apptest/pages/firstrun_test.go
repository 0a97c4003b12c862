//go:build external

package pages

import (
	"regexp"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/usefloww/flowwd/internal/apptest"
)

// From nothing to a run whose lines come while one looks: one click, and the
// command that the page gives.
func TestFirstRun(t *testing.T) {
	t.Parallel()
	s := withRuns(t)
	f := &follower{person: newPerson(t)}
	f.open(s.URL)
	f.logsIn(apptest.AdminLogin, apptest.AdminPassword)
	f.sees("Workflows")
	f.wants("flowwd login --server " + s.URL)
	f.pictured("first-run")
	f.click("Try the hello example")
	f.sees("hello")
	f.isLive("live")
	f.wants("It has not run yet.")
	f.pictured("hello")
	command := get(f.person, chromedp.Text(chromedp.ID("first-call")))
	path := regexp.MustCompile(`/webhook/[^ ]+`).FindString(command)
	if r := s.Anonymous().Do(t, "POST", path, `{"name": "Ada"}`, "Content-Type", "application/json"); r.Status != 200 {
		t.Fatalf("%s: %s", command, r)
	}
	f.holds(`document.querySelector(".lines")?.textContent.includes("Hello, Ada!")`)
	f.do(chromedp.WaitVisible(chromedp.CSS(`.run[data-state="completed"]`)))
}
