package dashboard

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/usefloww/flowwd/internal/access"
	"github.com/usefloww/flowwd/internal/execution"
	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/route"
	"github.com/usefloww/flowwd/internal/web/ui"
)

// foundRuns is how many runs a page lists.
const foundRuns = 50

// findView is the list of runs of all workflows.
type findView struct {
	Runs []foundRun
	// State, Trigger, Search, Since and Until are what is asked for; Workflow is the
	// one that is asked for, with its name.
	State, Trigger, Search, Since, Until string
	Workflow, WorkflowName               string
	Filtered                             bool
	// Many lead to where many runs of a workflow are replayed or cancelled.
	Many  []ui.Link
	Pager ui.Pager
	// Reached is how far a search came in its time; nil when it came to all.
	Reached *time.Time
}

// foundRun is a run in the list.
type foundRun struct {
	runView
	Workflow, WorkflowID string
}

func (d Deps) getRuns(w http.ResponseWriter, r *http.Request, c route.Call[route.None]) error {
	q := r.URL.Query()
	f, err := readFind(q)
	if err != nil {
		return err
	}
	f.Organizations, f.Limit = access.OrganizationsFor(c.Principal, access.ReadExecution), foundRuns
	v := findView{
		State: string(f.State), Trigger: f.TriggerType, Search: f.Contains, Since: q.Get("since"), Until: q.Get("until"), Workflow: q.Get("workflow"),
	}
	names := map[id.ID]string{}
	if !f.WorkflowID.IsZero() {
		of, err := d.Workflows.Workflow(r.Context(), f.Organizations, f.WorkflowID)
		if err != nil {
			return err
		}
		v.WorkflowName, names[of.ID] = of.Name, of.Name
	}
	v.Filtered = v.State+v.Trigger+v.Search+v.Since+v.Until+v.Workflow != ""
	found, err := d.Executions.Find(r.Context(), f)
	if err != nil {
		return err
	}
	for _, e := range found.Executions {
		name, known := names[e.WorkflowID]
		if !known {
			of, err := d.Workflows.Workflow(r.Context(), []id.ID{e.OrganizationID}, e.WorkflowID)
			if err != nil && !fault.Is(err, fault.NotFound) {
				return err
			}
			name = of.Name
			names[e.WorkflowID] = name
		}
		v.Runs = append(v.Runs, foundRun{runView: showRun(e), Workflow: name, WorkflowID: e.WorkflowID.String()})
	}
	v.page(q, f, found)
	v.Many = manyOf(v, names)
	frame := d.frame("Runs", c.Principal)
	frame.Here = ui.Runs
	return ui.Show(w, r, http.StatusOK, frame, runsPage(v))
}

// manyOf lead to what can be done with many runs of the workflows that are shown,
// with those parts of the filter that count there.
func manyOf(v findView, names map[id.ID]string) []ui.Link {
	q := url.Values{"action": {string(execution.ReplayEach)}}
	if s := execution.State(v.State); s == execution.Received || s == execution.Started {
		q.Set("action", string(execution.CancelEach))
	}
	for name, value := range map[string]string{"state": v.State, "since": v.Since, "until": v.Until} {
		if value != "" {
			q.Set(name, value)
		}
	}
	var all []ui.Link
	for of, name := range names {
		if name != "" {
			all = append(all, ui.Link{Path: workflowPath(of) + "/batches?" + q.Encode(), Name: name})
		}
	}
	slices.SortFunc(all, func(a, b ui.Link) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.Path, b.Path))
	})
	return all
}

// readFind reads what is asked for.
func readFind(q url.Values) (f execution.FindFilter, err error) {
	f.State, f.TriggerType, f.Contains = execution.State(q.Get("state")), q.Get("trigger"), q.Get("q")
	for name, into := range map[string]*id.ID{"workflow": &f.WorkflowID, "before": &f.Before, "after": &f.After} {
		if text := q.Get(name); text != "" {
			if *into, err = id.Parse(text); err != nil {
				return f, fault.New(fault.Invalid, "%s is %.60q, which is no id", name, text)
			}
		}
	}
	for name, into := range map[string]**time.Time{"since": &f.Since, "until": &f.Until} {
		if text := q.Get(name); text != "" {
			at, err := readTime(text)
			if err != nil {
				return f, fault.New(fault.Invalid, "%s is %.60q, which is no time such as 2026-01-31T12:00 (in UTC)", name, text)
			}
			*into = &at
		}
	}
	switch {
	case !f.Before.IsZero() && !f.After.IsZero():
		err = fault.New(fault.Invalid, "before and after exclude each other")
	case f.State != "" && !f.State.Known():
		err = fault.New(fault.Invalid, "%.40q is no state of a run", string(f.State))
	case len(f.Contains) > maxSearch || len(f.TriggerType) > maxSearch:
		err = fault.New(fault.Invalid, "The text to look for is longer than %d bytes", maxSearch)
	}
	return f, err
}

// readTime reads what a field for times sends, and what people write.
func readTime(text string) (at time.Time, err error) {
	for _, layout := range []string{"2006-01-02T15:04", "2006-01-02T15:04:05", time.RFC3339, "2006-01-02"} {
		if at, err = time.Parse(layout, text); err == nil {
			return at.UTC(), nil
		}
	}
	return at, err
}

// page says where the pages before and after this one are.
func (v *findView) page(q url.Values, f execution.FindFilter, found execution.Found) {
	q = url.Values(q)
	to := func(name string, at id.ID) string {
		q.Del("before")
		q.Del("after")
		q.Set(name, at.String())
		return runsPath + "?" + q.Encode()
	}
	forward := !f.After.IsZero()
	newest, oldest := f.After, f.Before
	if n := len(found.Executions); n > 0 {
		newest, oldest = found.Executions[0].ID, found.Executions[n-1].ID
	}
	if !found.Reached.IsZero() {
		at := found.Reached.Time()
		v.Reached = &at
		if forward {
			newest = found.Reached
		} else {
			oldest = found.Reached
		}
	}
	if !f.Before.IsZero() || forward && found.More {
		v.Pager.Before = to("after", cmp.Or(newest, f.Before))
	}
	if found.More && !forward || forward {
		v.Pager.After = to("before", cmp.Or(oldest, f.After))
	}
}

// stateOptions are the states to choose from.
func stateOptions() []ui.Option {
	all := []ui.Option{{Name: "All but no_deployment"}}
	for _, s := range execution.States {
		all = append(all, ui.Option{Value: string(s), Name: string(s)})
	}
	return all
}

// triggerOptions are the sorts of triggers to choose from, and the one that is
// asked for.
func triggerOptions(asked string) []ui.Option {
	all := []ui.Option{{Name: "All"}, {Value: "onWebhook", Name: "Webhooks"}, {Value: "onCron", Name: "Schedules"}, {Value: "onManual", Name: "By hand"}, {Value: "onFailure", Name: "Failures"}}
	if !slices.ContainsFunc(all, func(o ui.Option) bool { return o.Value == asked }) {
		all = append(all, ui.Option{Value: asked, Name: asked})
	}
	return all
}
