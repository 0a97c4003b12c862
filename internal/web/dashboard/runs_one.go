package dashboard

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/usefloww/flowwd/internal/access"
	"github.com/usefloww/flowwd/internal/engine"
	"github.com/usefloww/flowwd/internal/execution"
	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/identity"
	"github.com/usefloww/flowwd/internal/objects"
	"github.com/usefloww/flowwd/internal/route"
	"github.com/usefloww/flowwd/internal/web/ui"
	"github.com/usefloww/flowwd/internal/workflow"
)

const (
	runsPath = ui.Runs
	// pageLines is how many lines of a log one page has, and pageBytes how much
	// text.
	pageLines = 500
	pageBytes = 1 << 20
	// maxSearch is the longest text that is looked for.
	maxSearch = 1000
)

// runPageView is what the page of a run shows.
type runPageView struct {
	runsView
	Run     runView
	Trigger string
	// MayRun says that the reader may end it and run it again.
	MayRun       bool
	Problem      string
	Steps        []stepView
	Waits        string
	ReplayOf     string
	CancelReason string
	Stack        string
	Code         *codeView
	Result       *shownText
	Input        inputView
	Log          logView
}

// logView is one page of a log.
type logView struct {
	Search, Level string
	// Follows says that lines that come belong here.
	Follows bool
	// Older, Newer, First and Latest lead to other pages; empty for none.
	Older, Newer, First, Latest string
	// Searched says that the search ended before it had looked at all.
	Searched bool
}

func (d Deps) getRun(w http.ResponseWriter, r *http.Request, c route.Call[execution.Execution]) error {
	return d.showRun(w, r, http.StatusOK, c.Principal, c.Object, "")
}

// showRun shows a run, with what went wrong before.
func (d Deps) showRun(w http.ResponseWriter, r *http.Request, status int, p identity.Principal, e execution.Execution, problem string) error {
	filter, log, err := readLogQuery(r.URL.Query())
	if err != nil {
		return err
	}
	of, err := d.Workflows.Workflow(r.Context(), []id.ID{e.OrganizationID}, e.WorkflowID)
	if err != nil {
		return err
	}
	v := runPageView{
		runsView: d.runsView(of), Run: showRun(e), Trigger: triggerText(e.Origin), Problem: problem, Log: log, Waits: waitsText(e.Waiting),
		MayRun: access.Decide(p, access.RunWorkflow, objects.OfWorkflow(of)).Allowed, CancelReason: e.CancelReason, Stack: brief(e.Stack),
	}
	v.Only = v.Run.ID
	if !e.ReplayOf.IsZero() {
		v.ReplayOf = e.ReplayOf.String()
	}
	if len(e.Result) > 0 {
		shown := showJSON(e.Result)
		v.Result = &shown
	}
	if err := d.fillRun(r.Context(), &v, e, filter); err != nil {
		return err
	}
	call := route.Call[workflow.Workflow]{Principal: p}
	f := d.following("A run of "+of.Name, call, v.runsView)
	f.Here = ui.Runs
	return ui.Show(w, r, status, f, runPage(v))
}

// fillRun reads what belongs to a run.
func (d Deps) fillRun(ctx context.Context, v *runPageView, e execution.Execution, filter execution.LineFilter) error {
	attempts, err := d.Executions.Attempts(ctx, e.ID)
	if err != nil {
		return err
	}
	v.Steps = stepsOf(e, attempts)
	lines, err := d.Executions.FindLines(ctx, e.ID, filter)
	if err != nil {
		return err
	}
	v.Log.page(runsPath+"/"+v.Run.ID, filter, lines)
	for _, l := range lines.Entries {
		v.Run.Lines = append(v.Run.Lines, lineView{At: l.Cursor.String(), Time: l.Time, Level: string(l.Level), Message: brief(l.Message)})
	}
	event, err := d.Executions.Event(ctx, e)
	if err != nil && !fault.Is(err, fault.NotFound) {
		return err
	}
	v.Input = showInput(d.PublicURL(), e, event)
	if e.Error != "" && !e.DeploymentID.IsZero() {
		source, err := d.Deployments.Source(ctx, e.DeploymentID)
		if err != nil && !fault.Is(err, fault.NotFound) {
			return err
		}
		if v.Code = codeAt(source, e.Stack); v.Code != nil {
			v.Code.Path = codeAddress(deploymentPath(e.DeploymentID)+"/code", v.Code.File, v.Code.Line)
		}
	}
	return nil
}

// readLogQuery reads which lines are asked for.
func readLogQuery(q url.Values) (execution.LineFilter, logView, error) {
	f := execution.LineFilter{Contains: q.Get("q"), Level: engine.Level(q.Get("level")), First: q.Get("first") != "", Limit: pageLines, Bytes: pageBytes}
	var err error
	if f.Before, err = execution.ParseCursor(q.Get("before")); err == nil {
		f.After, err = execution.ParseCursor(q.Get("after"))
	}
	switch {
	case err != nil:
	case len(f.Contains) > maxSearch:
		err = fault.New(fault.Invalid, "The text to look for is longer than %d bytes", maxSearch)
	case f.Level != "" && !knownLevel(f.Level):
		err = fault.New(fault.Invalid, "%.40q is no level of log lines; there are debug, log, info, warn and error", string(f.Level))
	}
	none := execution.Cursor{}
	if f.After != none || f.First {
		f.Before = none
	}
	return f, logView{Search: f.Contains, Level: string(f.Level), Follows: f.Before == none && !f.Forward()}, err
}

func knownLevel(l engine.Level) bool {
	switch l {
	case engine.LevelDebug, engine.LevelLog, engine.LevelInfo, engine.LevelWarn, engine.LevelError:
		return true
	}
	return false
}

// page says where the pages around one are.
func (v *logView) page(path string, f execution.LineFilter, found execution.Lines) {
	to := func(name, value string) string {
		q := url.Values{}
		if v.Search != "" {
			q.Set("q", v.Search)
		}
		if v.Level != "" {
			q.Set("level", v.Level)
		}
		if name != "" {
			q.Set(name, value)
		}
		if len(q) == 0 {
			return path
		}
		return path + "?" + q.Encode()
	}
	none := execution.Cursor{}
	v.Searched = found.Reached != none
	first, last := found.Reached, found.Reached
	if n := len(found.Entries); n > 0 {
		if first == none || f.Forward() {
			first = found.Entries[0].Cursor
		}
		if last == none || !f.Forward() {
			last = found.Entries[n-1].Cursor
		}
	}
	if first != none && (found.More && !f.Forward() || f.After != none) {
		v.Older, v.First = to("before", first.String()), to("first", "1")
	}
	if last != none && (found.More && f.Forward() || f.Before != none) {
		v.Newer = to("after", last.String())
	}
	if !v.Follows {
		v.Latest = to("", "")
	}
}

// stepView is something that happened to a run.
type stepView struct {
	What string
	At   time.Time
	// After says how long it had been waiting or running then.
	After string
	Kind  string
	Text  string
}

// stepsOf is what happened to a run, in order.
func stepsOf(e execution.Execution, attempts []execution.Attempt) []stepView {
	steps := []stepView{{What: "Received", At: e.ReceivedAt}}
	last := e.ReceivedAt
	begin := func(n int, at time.Time) {
		what := "Started"
		if n > 1 {
			what = "Attempt " + strconv.Itoa(n) + " started"
		}
		steps = append(steps, stepView{What: what, At: at, After: "after " + tookText(max(at.Sub(last), 0)) + " of waiting"})
		last = at
	}
	for _, a := range attempts {
		begin(a.Number, a.StartedAt)
		what := "Attempt " + strconv.Itoa(a.Number) + " ended: " + a.Outcome
		if a.Number == e.Attempt && e.State.Final() {
			what = "Ended: " + a.Outcome
		}
		steps = append(steps, stepView{
			What: what, At: a.EndedAt, After: "after " + tookText(max(a.EndedAt.Sub(a.StartedAt), 0)), Kind: stateTag(a.Outcome), Text: brief(a.Error),
		})
		last = a.EndedAt
	}
	switch {
	case e.State == execution.Started && e.StartedAt != nil:
		begin(e.Attempt, *e.StartedAt)
	case e.State.Final() && e.CompletedAt != nil && (len(attempts) == 0 || attempts[len(attempts)-1].Outcome != string(e.State)):
		steps = append(steps, stepView{What: "Ended: " + string(e.State), At: *e.CompletedAt, Kind: stateTag(string(e.State))})
	}
	return steps
}

// waitsText says in a sentence why a run waits; empty for one that does not.
func waitsText(reason string) string {
	switch {
	case reason == "":
		return ""
	case reason == "slot":
		return "It waits for a free slot: as many runs go on as this server can have at once."
	case reason == "trigger limit":
		return "It waits for another run of its trigger: as many go on as the trigger's concurrency allows."
	case reason == "organization limit":
		return "It waits for another run of the organization: as many go on as one organization may have at once."
	case strings.HasPrefix(reason, "retry at "):
		return "It failed and runs again at " + strings.TrimPrefix(reason, "retry at ") + "."
	case strings.HasPrefix(reason, "scheduled for "):
		return "It was asked for at a later time: " + strings.TrimPrefix(reason, "scheduled for ") + "."
	}
	return "It waits: " + reason + "."
}

// triggerText names what a run was triggered by.
func triggerText(o execution.Origin) string {
	switch {
	case o.Path != "":
		return o.Method + " " + o.Path
	case o.ProviderAlias != "" && o.ProviderAlias != "default":
		return o.ProviderType + "." + o.TriggerType + " (" + o.ProviderAlias + ")"
	}
	return o.ProviderType + "." + o.TriggerType
}
