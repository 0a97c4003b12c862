//go:build external

package pages

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/usefloww/flowwd/internal/apptest"
	"github.com/usefloww/flowwd/internal/centrifugotest"
	"github.com/usefloww/flowwd/internal/config"
	"github.com/usefloww/flowwd/internal/realtimetest"
)

// follower is somebody who looks at a page that is live, over a line that can be
// cut.
type follower struct {
	*person
	cable *realtimetest.Cable
}

// newFollower opens the page of a workflow over such a line.
func newFollower(t *testing.T, s *apptest.Server, d *apptest.Deployed) *follower {
	t.Helper()
	f := &follower{newPerson(t), realtimetest.NewCable(t, s.URL)}
	f.begins(f.cable.URL, d)
	return f
}

// begins opens the page of a workflow and waits until it is live.
func (f *follower) begins(server string, d *apptest.Deployed) {
	f.t.Helper()
	f.open(server + "/workflows/" + d.WorkflowID)
	f.logsIn(apptest.AdminLogin, apptest.AdminPassword)
	f.isLive("live")
}

// isLive waits for the page to say how it is connected.
func (f *follower) isLive(state string) {
	f.t.Helper()
	f.do(chromedp.WaitVisible(chromedp.CSS(`#live[data-state="` + state + `"]`)))
}

// ended waits until a run is shown as ended.
func (f *follower) ended(id, state string) {
	f.t.Helper()
	f.do(chromedp.WaitVisible(chromedp.CSS(`[id="run-` + id + `"][data-state="` + state + `"]`)))
}

// lines are the lines of a run that the page shows.
func (f *follower) lines(id string) string {
	f.t.Helper()
	return get(f.person, chromedp.Evaluate[string](`[...document.querySelectorAll('[id="run-`+id+`"] .lines > li')].map(
		(l) => l.querySelector(".message")?.textContent ?? l.textContent).join("|")`))
}

// runs are the ids of the runs that the page shows, the newest first.
func (f *follower) runs() string {
	f.t.Helper()
	return get(f.person, chromedp.Evaluate[string](`[...document.querySelectorAll("#runs > li")].map((r) => r.id.slice(4)).join(" ")`))
}

// withRuns starts a server with a first account that runs code.
func withRuns(t *testing.T) *apptest.Server {
	t.Helper()
	return apptest.Start(t, apptest.Options{Settings: asAda})
}

func asAda(s *config.Settings) {
	s.AdminEmail, s.AdminPassword = apptest.AdminLogin, apptest.AdminPassword
}

// Whoever looks at a workflow sees its runs and their lines come, without loading
// the page again, and after the line was cut all that happened meanwhile, once.
func TestRunsAppearLive(t *testing.T) {
	t.Parallel()
	s := withRuns(t)
	d := s.Deploy(t, "hello", apptest.Handler(`
		for (let i = 1; i <= (event.body.lines ?? 2); i++) console.log("line " + i + " <b>of</b> " + event.body.n);
		if (event.body.fail) throw new Error("<i>no</i>");
		return 1;
	`))
	before := d.Run(t, `{"n": 0}`).ID
	f := newFollower(t, s, d)
	get(f.person, chromedp.Evaluate[bool](`window.stays = true`))
	if got := f.lines(before); got != "line 1 <b>of</b> 0|line 2 <b>of</b> 0" {
		t.Errorf("the run from before has the lines %q", got)
	}

	first := d.Send(t, `{"n": 1}`)
	f.ended(first, "completed")
	if got := f.lines(first); got != "line 1 <b>of</b> 1|line 2 <b>of</b> 1" {
		t.Errorf("the run has the lines %q", got)
	}
	failed := d.Send(t, `{"n": 2, "fail": true}`)
	f.ended(failed, "failed")
	f.wants("POST /in", "Error: <i>no</i>")
	f.pictured("workflow")

	want := []string{failed, first, before}
	// Few enough to be told once the line is back, and then too many for that.
	for _, missed := range []int{3, 20} {
		f.cable.Cut()
		f.isLive("connecting")
		var sent []string
		for n := range missed {
			sent = append(sent, d.Run(t, fmt.Sprintf(`{"n": %d}`, n)).ID)
		}
		f.cable.Mend()
		f.isLive("live")
		for n, id := range sent {
			f.ended(id, "completed")
			want = append([]string{id}, want...)
			// Of all but the latest runs the log is one click away.
			if got := f.lines(id); (missed == 3 || n > missed-5) && got != fmt.Sprintf("line 1 <b>of</b> %d|line 2 <b>of</b> %[1]d", n) {
				t.Errorf("run %d of %d that were missed has the lines %q", n, missed, got)
			}
		}
		if got := f.runs(); got != strings.Join(want[:min(25, len(want))], " ") {
			t.Errorf("after %d were missed the page has the runs\n%s, want\n%s", missed, got, strings.Join(want, "\n"))
		}
	}
	long := d.Send(t, `{"n": 3, "lines": 300}`)
	f.ended(long, "completed")
	if got := strings.Count(f.lines(long), "|") + 1; got != 300 {
		t.Errorf("of a long log there are %d lines, want 300", got)
	}
	if !get(f.person, chromedp.Evaluate[bool](`window.stays === true`)) {
		t.Error("the page was loaded again")
	}

	f.open(f.cable.URL + "/executions/" + failed)
	f.isLive("live")
	f.wants("A run of hello", "line 2 <b>of</b> 2", "Error: <i>no</i>")
	f.pictured("run")
	f.open(f.cable.URL + "/workflows")
	f.sees("Workflows")
	f.wants("hello", "1 in all")
	f.pictured("workflows")
}

// The same where a Centrifugo takes the connections, which knows pages by tokens.
func TestRunsAppearLiveByCentrifugo(t *testing.T) {
	t.Parallel()
	s, c := centrifugotest.Beside(t, apptest.Options{Settings: asAda})
	d := s.Deploy(t, "hello", apptest.Handler(`console.log("hello " + event.body.n)`))
	f := &follower{person: newPerson(t)}
	f.begins(s.URL, d) // Centrifugo lets pages of this address alone connect
	first := d.Send(t, `{"n": 1}`)
	f.ended(first, "completed")
	c.Kill(t)
	f.isLive("connecting")
	missed := d.Run(t, `{"n": 2}`).ID
	c.Restart(t)
	f.isLive("live")
	last := d.Send(t, `{"n": 3}`)
	for n, id := range []string{first, missed, last} {
		f.ended(id, "completed")
		if got := f.lines(id); got != fmt.Sprintf("hello %d", n+1) {
			t.Errorf("run %d has the lines %q", n+1, got)
		}
	}
	if got := f.runs(); got != last+" "+missed+" "+first {
		t.Errorf("the page has the runs %s", got)
	}
}
