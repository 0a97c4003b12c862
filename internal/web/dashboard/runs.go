package dashboard

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/usefloww/flowwd/internal/access"
	"github.com/usefloww/flowwd/internal/execution"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/objects"
	"github.com/usefloww/flowwd/internal/realtime"
	"github.com/usefloww/flowwd/internal/route"
	"github.com/usefloww/flowwd/internal/web/ui"
	"github.com/usefloww/flowwd/internal/workflow"
)

const (
	// shownRuns is how many runs the page of a workflow lists, the newest ones;
	// shownLogs of them are shown with the beginning of their log.
	shownRuns = 25
	shownLogs = 5
	// shownLines is how many lines stand there of each.
	shownLines = 100
	// maxText is how much of a line or an error is shown, in bytes.
	maxText = 4000
)

// runsView is a page with runs that can be followed.
type runsView struct {
	Workflow, WorkflowID string
	Active, Deployed     bool
	Runs                 []runView
	// Only is the run that the page is about; empty for a workflow's.
	Only string
	// Channel is what is followed, at Websocket; at this server when that is
	// empty.
	Channel, Websocket string
	// Call is how to make a first run, where there was none; nil when there is no
	// webhook.
	Call *callView
	// ByHand says that the reader can run it.
	ByHand bool
}

// byHand is the type of the triggers that people fire.
const byHand = "onManual"

// runView is a run with the beginning of its log.
type runView struct {
	ID, State, What string
	At              time.Time
	Attempt         int
	// Took is how long it ran, once it has ended.
	Took    string
	Error   string
	Waiting string
	Lines   []lineView
	// More says that there are more lines.
	More bool
}

type lineView struct {
	At      string
	Time    time.Time
	Level   string
	Message string
}

func (d Deps) getWorkflow(w http.ResponseWriter, r *http.Request, c route.Call[workflow.Workflow]) error {
	page, err := d.Executions.List(r.Context(), execution.ListFilter{
		Organizations: []id.ID{c.Object.OrganizationID}, WorkflowID: c.Object.ID, Limit: shownRuns,
	})
	if err != nil {
		return err
	}
	v := d.runsView(c.Object)
	for i, e := range page.Executions {
		run := showRun(e)
		if i < shownLogs || !e.State.Final() {
			if run.Lines, run.More, err = d.lines(r.Context(), e.ID, shownLines); err != nil {
				return err
			}
		}
		v.Runs = append(v.Runs, run)
	}
	triggers, err := d.Deployments.Triggers(r.Context(), c.Object.ID)
	if err != nil {
		return err
	}
	if len(v.Runs) == 0 {
		v.Call = d.firstCall(triggers)
	}
	v.ByHand = access.Decide(c.Principal, access.RunWorkflow, objects.OfWorkflow(c.Object)).Allowed &&
		slices.ContainsFunc(triggers, func(t workflow.Trigger) bool { return t.Type == byHand })
	f := d.following(c.Object.Name, c, v)
	f.Above = f.Above[:1]
	return ui.Show(w, r, http.StatusOK, f, workflowPage(v))
}

func (d Deps) runsView(w workflow.Workflow) runsView {
	v := runsView{
		Workflow: w.Name, WorkflowID: w.ID.String(), Active: w.Active, Deployed: w.ActiveDeployment != nil, Channel: realtime.Channel(w.ID),
	}
	if d.Centrifugo != nil {
		v.Websocket = d.Centrifugo()
	}
	return v
}

// following is the frame of a page that is followed.
func (d Deps) following(title string, c route.Call[workflow.Workflow], v runsView) ui.Frame {
	f := d.frame(title, c.Principal)
	f.Scripts = []string{ui.Centrifuge, ui.Live}
	f.Above = []ui.Link{{Path: ui.Workflows, Name: "Workflows"}, {Path: workflowsPath + "/" + v.WorkflowID, Name: v.Workflow}}
	if u, err := url.Parse(v.Websocket); err == nil && u.Host != "" {
		// The fallbacks go there by HTTP.
		f.Connects = []string{u.Scheme + "://" + u.Host, strings.Replace(u.Scheme, "ws", "http", 1) + "://" + u.Host}
	}
	return f
}

func showRun(e execution.Execution) runView {
	v := runView{
		ID: e.ID.String(), State: string(e.State), What: strings.TrimSpace(e.Origin.Method + " " + strings.TrimPrefix(e.Origin.Path, "/webhook/"+e.WorkflowID.String())),
		At: e.ReceivedAt, Attempt: e.Attempt, Error: brief(e.Error), Waiting: e.Waiting,
	}
	if e.Origin.Path == "" {
		v.What = e.Origin.ProviderType + "." + e.Origin.TriggerType
	}
	if e.State.Final() && e.Duration != nil {
		v.Took = tookText(*e.Duration)
	}
	return v
}

// lines returns the beginning of a log, and whether it goes on.
func (d Deps) lines(ctx context.Context, of id.ID, most int) ([]lineView, bool, error) {
	var shown []lineView
	var after execution.Cursor
	for {
		// One more than wanted tells whether the log goes on. Lines may be long: few
		// are held at a time.
		want := min(shownLines, most-len(shown)+1)
		page, err := d.Executions.Logs(ctx, of, after, want)
		if err != nil {
			return nil, false, err
		}
		for _, l := range page {
			if len(shown) == most {
				return shown, true, nil
			}
			shown = append(shown, lineView{At: l.Cursor.String(), Time: l.Time, Level: string(l.Level), Message: brief(l.Message)})
			after = l.Cursor
		}
		if len(page) < want {
			return shown, false, nil
		}
	}
}

// brief is the beginning of a text that is too long for a page.
func brief(text string) string { return cut(text, maxText) }

// cut is the beginning of a text that has more than so many bytes.
func cut(text string, most int) string {
	if len(text) <= most {
		return text
	}
	n := most
	for n > 0 && !utf8.RuneStart(text[n]) {
		n--
	}
	return text[:n] + "…"
}

// tookText writes how long a run took.
func tookText(d time.Duration) string {
	if d < time.Second {
		return strconv.FormatInt(d.Milliseconds(), 10) + " ms"
	}
	return strconv.FormatFloat(d.Seconds(), 'f', 1, 64) + " s"
}

// stateTag is the kind of tag that a state is shown with.
func stateTag(state string) string {
	switch execution.State(state) {
	case execution.Completed:
		return "good"
	case execution.Failed, execution.TimedOut, execution.NoDeployment:
		return "bad"
	}
	return ""
}

// attemptText tells of an attempt that is not the first.
func attemptText(attempt int) string {
	if attempt < 2 {
		return ""
	}
	return "attempt " + strconv.Itoa(attempt)
}
