//go:build external

package pages

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/usefloww/flowwd/internal/apptest"
	"github.com/usefloww/flowwd/internal/realtimetest"
)

// talks says a line each time that it is told to, and many at once.
const talks = `
import { Builtin, KVStore } from "floww";
const builtin = new Builtin(), store = new KVStore();
const told = async (n: number) => { while ((await store.get<number>("told", "upTo") ?? 0) < n) await new Promise((r) => setTimeout(r, 50)); };
builtin.triggers.onManual({
	name: "Say something",
	description: "It says so as often as it is told",
	timeout: 600,
	inputSchema: {
		type: "object",
		required: ["text", "times"],
		properties: {
			text: { type: "string", minLength: 2, description: "What is said" },
			times: { type: "integer", default: 4 },
			loud: { type: "boolean" },
			more: { type: "object" },
		},
	},
	handler: async (_: unknown, event: any) => {
		const { text, times } = event.input_data;
		await store.increment("told", "upTo", 0);
		console.log("begins <b>" + text);
		for (let n = 1; n <= times; n++) {
			await told(n);
			console.log(n + " " + text);
		}
		return text;
	},
});
builtin.triggers.onWebhook({ path: "in", timeout: 600, handler: (_: unknown, event: any) => {
	for (let n = 1; n <= event.body.lines; n++) console.log("line " + n);
	if (event.body.fail) throw new Error("no");
} });
`

// tell lets a workflow that talks say so many lines.
func tell(t *testing.T, s *apptest.Server, lines int) {
	t.Helper()
	s.JSON(t, http.StatusOK, "PUT", "/api/kv/default/told/upTo", fmt.Sprintf(`{"value": %d}`, lines))
}

// shows waits until the page of a run has these lines and no others.
func (f *follower) shows(run string, lines ...string) {
	f.t.Helper()
	want, got := strings.Join(lines, "|"), ""
	f.t.Cleanup(func() {
		if got != want {
			f.t.Logf("the page shows %q", got)
		}
	})
	apptest.Until(f.t, patience, "the lines "+want, func() bool {
		got = f.lines(run)
		return got == want
	})
}

// goes clicks a link or a button in the page and waits for what it leads to.
func (f *follower) goes(link, to string) {
	f.t.Helper()
	f.do(chromedp.Click(chromedp.Search(`//main//*[self::a or self::button][normalize-space(.)="`+link+`"]`)), chromedp.WaitVisible(chromedp.CSS(to)))
}

// Whoever runs a workflow by its form is told what is wrong at the field, and sees
// the lines of the run come: all of them, and each once, also when the line was
// cut meanwhile. The run is then repeated.
func TestAWorkflowIsRunByHand(t *testing.T) {
	t.Parallel()
	s := withRuns(t)
	d := s.Deploy(t, "talks", talks)
	f := newFollower(t, s, d)
	f.goes("Run", "#field-0")
	f.pictured("manual")
	f.do(chromedp.SendKeys(chromedp.ID("field-0"), "x"+kb.Enter), chromedp.WaitVisible(chromedp.ID("field-0-error")))
	f.wants("It did not run: see what is wrong below.")
	f.pictured("manual-wrong")
	f.do(chromedp.SetValue(chromedp.ID("field-0"), "xyz"))
	f.click("Run")
	f.sees("A run of talks")
	f.isLive("live")
	run := strings.TrimPrefix(get(f.person, chromedp.Location()), f.cable.URL+"/executions/")
	get(f.person, chromedp.Evaluate[bool](`window.stays = true`))
	f.shows(run, "begins <b>xyz")
	tell(t, s, 1)
	f.shows(run, "begins <b>xyz", "1 xyz")

	f.cable.Cut()
	f.isLive("connecting")
	tell(t, s, 3)
	apptest.Until(t, patience, "lines that the page misses", func() bool {
		return len(s.JSON(t, http.StatusOK, "GET", "/api/executions/"+run+"/logs", nil)["results"].([]any)) == 4
	})
	f.cable.Mend()
	f.isLive("live")
	f.shows(run, "begins <b>xyz", "1 xyz", "2 xyz", "3 xyz")
	tell(t, s, 4)
	f.ended(run, "completed")
	f.shows(run, "begins <b>xyz", "1 xyz", "2 xyz", "3 xyz", "4 xyz")
	if !get(f.person, chromedp.Evaluate[bool](`window.stays === true`)) {
		t.Error("the page was loaded again")
	}
	f.wants("took")
	f.goes("Replay", `a[href="/executions/`+run+`"]`)
	again := strings.TrimPrefix(get(f.person, chromedp.Location()), f.cable.URL+"/executions/")
	f.ended(again, "completed")
	f.shows(again, "begins <b>xyz", "1 xyz", "2 xyz", "3 xyz", "4 xyz")
}

// The page of a run that writes 100,000 lines shows the last ones while they come,
// and answers clicks.
func TestALongLogDoesNotFreezeThePage(t *testing.T) {
	t.Parallel()
	s := withRuns(t)
	d := s.Deploy(t, "talks", talks)
	f := &follower{newPerson(t), realtimetest.NewCable(t, s.URL)}
	run := d.Send(t, `{"lines": 100000}`)
	f.open(f.cable.URL + "/executions/" + run)
	f.logsIn(apptest.AdminLogin, apptest.AdminPassword)
	f.sees("A run of talks")
	f.isLive("live")
	apptest.Until(t, 3*time.Minute, "the end of the run", func() bool {
		return get(f.person, chromedp.Evaluate[bool](`document.querySelector('[id="run-`+run+`"]').dataset.state === "completed"`))
	})
	last := func(want string) func() bool {
		return func() bool {
			return get(f.person, chromedp.Evaluate[string](`document.querySelector(".lines > li:last-child .message")?.textContent ?? ""`)) == want
		}
	}
	apptest.Until(t, patience, "the last line", last("line 100000"))
	if n := get(f.person, chromedp.Evaluate[int](`document.querySelectorAll(".lines > li").length`)); n > 1000 {
		t.Errorf("the page has %d lines", n)
	}
	f.goes("First lines", `a[href*="after="]`)
	apptest.Until(t, patience, "the first lines", last("line 500"))
	f.goes("Newer lines", `a[href*="before="]`)
	apptest.Until(t, patience, "the next lines", last("line 1000"))
	f.goes("Latest lines", ".lines")
	apptest.Until(t, patience, "the last lines", last("line 100000"))
	f.do(chromedp.SendKeys(chromedp.ID("q"), "line 99998"))
	f.shows(run, "line 99998")
}

// The pages of a workflow show its code, what changed, and who may do what; an
// older deployment is active again once it was said what that does.
func TestADeploymentIsRolledBack(t *testing.T) {
	t.Parallel()
	s := withRuns(t)
	d := s.Deploy(t, "talks", apptest.Handler(`return 1`))
	d.Redeploy(t, talks)
	failed := d.Run(t, `{"lines": 1, "fail": true}`).ID
	f := &follower{newPerson(t), realtimetest.NewCable(t, s.URL)}
	f.begins(f.cable.URL, d)
	f.follow("Deployments")
	f.wants("2 in all", "active")
	f.pictured("deployments")
	f.open(f.cable.URL + "/deployments/" + d.DeploymentID)
	f.sees("A deployment of talks")
	f.pictured("deployment")
	f.open(f.cable.URL + "/workflows/" + d.WorkflowID + "/deployments")
	f.goes("Activate…", "form[action$='/activate']")
	f.wants("Triggers that go, whose addresses answer no more: 1", "Triggers that stay: 1")
	f.pictured("activation")
	f.click("Activate it")
	f.told("status")
	f.wants("The deployment is active: new runs are by its code.")
	if got := d.Run(t, `{}`); string(got.Result) != "1" {
		t.Errorf("the code before gives %s", got.Result)
	}

	f.open(f.cable.URL + "/executions/" + failed)
	f.do(chromedp.Click(chromedp.Search(`//main//a[contains(@href,"/code?file=main.ts#L")]`)), chromedp.WaitVisible(chromedp.CSS(".source > li:target")))
	f.wants("a deployment that is not active")
	f.pictured("code")
	f.follow("Access")
	f.goes("Ask", ".tag.good")
	f.wants("which is enough")
	f.pictured("access")
	f.follow("Settings")
	f.pictured("settings")
	f.open(f.cable.URL + "/workflows/" + d.WorkflowID + "/batches")
	f.goes("Count them", "form[method=post]")
	f.wants("One run would be replayed.")
	f.pictured("batches")
	f.click("Replay them")
	f.sees("Replay many runs of talks")
	f.pictured("batch")
	folder := s.JSON(t, http.StatusOK, "POST", "/api/folders", map[string]any{"name": "a folder", "namespace_id": s.Namespace(t)})["id"].(string)
	f.open(f.cable.URL + "/workflows?folder=" + folder)
	f.goes("Change this folder", "#place")
	f.pictured("folder")
}
