package dashboard

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"github.com/usefloww/flowwd/internal/access"
	"github.com/usefloww/flowwd/internal/execution"
	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/objects"
	"github.com/usefloww/flowwd/internal/route"
	"github.com/usefloww/flowwd/internal/web/ui"
	"github.com/usefloww/flowwd/internal/workflow"
)

const (
	batchPath = "/batches"
	// listedBatches is how many of a workflow's batches are listed.
	listedBatches = 20
	// renewed is after how many seconds browsers ask again how far a batch is.
	renewed = "2"
)

// registerBatches registers the pages of single batches.
func registerBatches(r *route.Router, d Deps) {
	object := objects.Batch(d.Executions.Batch)
	route.Raw(r, route.Spec{
		Method: http.MethodGet, Path: batchPath + "/{id}", Policy: access.Requires(access.ReadExecution), Page: true,
	}, object, d.getBatch)
	route.Raw(r, route.Spec{
		Method: http.MethodPost, Path: batchPath + "/{id}/stop", Policy: access.Requires(access.RunWorkflow), Page: true, Body: true, BodyLimit: ui.MaxForm,
	}, object, d.postBatchStop)
}

// batchesView is where many runs of a workflow are replayed or cancelled.
type batchesView struct {
	pageHead
	// May says that the reader may do it.
	May bool
	// Action, State, Trigger, Since and Until are what is asked for.
	Action, State, Trigger, Since, Until string
	Triggers                             []ui.Option
	// Count is how many runs are meant; nil before it was asked.
	Count *int
	// Counted is the time until which they were counted: what comes later is not
	// meant.
	Counted string
	Batches []batchView
	Problem string
}

// batchView is how far a batch is.
type batchView struct {
	ID, Action, By       string
	States               string
	At                   time.Time
	Total, Done, Skipped int
	Running              bool
	Problem              string
}

// Reached is how many runs it came to.
func (v batchView) Reached() int { return v.Done + v.Skipped }

func showBatch(b execution.Batch) batchView {
	v := batchView{
		ID: b.ID.String(), Action: string(b.Action), By: b.CreatedBy, At: b.CreatedAt, Total: b.Total, Done: b.Done, Skipped: b.Skipped,
		Running: b.EndedAt == nil, Problem: b.Problem,
	}
	for i, s := range b.Filter.States {
		if i > 0 {
			v.States += " or "
		}
		v.States += string(s)
	}
	return v
}

func (d Deps) getBatches(w http.ResponseWriter, r *http.Request, c route.Call[workflow.Workflow]) error {
	return d.showBatches(w, r, c, r.URL.Query(), nil)
}

// showBatches shows the form, with the count of what it asks for and what was
// wrong with it.
func (d Deps) showBatches(w http.ResponseWriter, r *http.Request, c route.Call[workflow.Workflow], q url.Values, wrong error) error {
	ctx := r.Context()
	v := batchesView{
		pageHead: headOf(c.Object, "/batches"), May: access.Decide(c.Principal, access.RunWorkflow, objects.OfWorkflow(c.Object)).Allowed,
		Action: q.Get("action"), State: q.Get("state"), Trigger: q.Get("trigger"), Since: q.Get("since"), Until: q.Get("until"),
		Triggers: []ui.Option{{Name: "any trigger"}},
	}
	triggers, err := d.Deployments.Triggers(ctx, c.Object.ID)
	if err != nil {
		return err
	}
	for _, t := range triggers {
		v.Triggers = append(v.Triggers, ui.Option{Value: t.ID.String(), Name: triggerName(t)})
	}
	all, err := d.Executions.Batches(ctx, c.Object.ID, listedBatches)
	if err != nil {
		return err
	}
	for _, b := range all {
		v.Batches = append(v.Batches, showBatch(b))
	}
	if wrong == nil && v.Action != "" {
		wrong = d.count(ctx, &v, c, q)
	}
	status := http.StatusOK
	if wrong != nil {
		if status, v.Problem, err = ui.Problem(w, wrong); err != nil {
			return err
		}
	}
	return ui.Show(w, r, status, d.workflowFrame("Many runs of ", c), batchesPage(v))
}

func triggerName(t workflow.Trigger) string {
	if t.Webhook != nil {
		return t.Webhook.Method + " " + t.Webhook.Path
	}
	return t.Provider.Type + "." + t.Type
}

// count fills in how many runs are meant.
func (d Deps) count(ctx context.Context, v *batchesView, c route.Call[workflow.Workflow], q url.Values) error {
	b, err := readBatch(c, q)
	if err != nil {
		return err
	}
	if err := b.Filter.Check(b.Action); err != nil {
		return err
	}
	if now := d.Now(); b.Filter.Until.IsZero() || b.Filter.Until.After(now) {
		b.Filter.Until = now
	}
	n, err := d.Executions.CountBatch(ctx, b.Filter)
	v.Count, v.Counted = &n, b.Filter.Until.UTC().Format(time.RFC3339Nano)
	return err
}

// readBatch reads what a form asks for.
func readBatch(c route.Call[workflow.Workflow], q url.Values) (execution.Batch, error) {
	b := execution.Batch{
		OrganizationID: c.Object.OrganizationID, Action: execution.BatchAction(q.Get("action")), CreatedByID: c.Principal.ID, CreatedBy: c.Principal.Actor().Name,
		Filter: execution.BatchFilter{WorkflowID: c.Object.ID, States: []execution.State{execution.State(q.Get("state"))}},
	}
	if q.Get("state") == "" {
		b.Filter.States = []execution.State{execution.Failed, execution.TimedOut}
		if b.Action == execution.CancelEach {
			b.Filter.States = []execution.State{execution.Received, execution.Started}
		}
	}
	if b.Action != execution.ReplayEach && b.Action != execution.CancelEach {
		return b, fault.New(fault.Invalid, "%.40q is nothing that is done to many runs; they are replayed or cancelled", string(b.Action))
	}
	if text := q.Get("trigger"); text != "" {
		var err error
		if b.Filter.TriggerID, err = id.Parse(text); err != nil {
			return b, fault.New(fault.Invalid, "trigger is %.60q, which is no id", text)
		}
	}
	for name, into := range map[string]func(time.Time){
		"since": func(at time.Time) { b.Filter.Since = &at },
		"until": func(at time.Time) { b.Filter.Until = at },
	} {
		if text := q.Get(name); text != "" {
			at, err := readTime(text)
			if err != nil {
				return b, fault.New(fault.Invalid, "%s is %.60q, which is no time such as 2026-01-31T12:00 (in UTC)", name, text)
			}
			into(at)
		}
	}
	return b, nil
}

func (d Deps) postBatch(w http.ResponseWriter, r *http.Request, c route.Call[workflow.Workflow]) error {
	f, err := ui.ReadForm(r, c.Body)
	if err != nil {
		return err
	}
	q := url.Values{}
	for name, value := range f {
		q.Set(name, value)
	}
	b, err := readBatch(c, q)
	if err == nil {
		b, err = d.Executions.CreateBatch(r.Context(), b)
	}
	if err != nil {
		return d.showBatches(w, r, c, q, err)
	}
	ui.Redirect(w, r, batchPath+"/"+b.ID.String())
	return nil
}

// oneBatchView is the page of a batch.
type oneBatchView struct {
	pageHead
	batchView
	May     bool
	Refused string
}

func (d Deps) getBatch(w http.ResponseWriter, r *http.Request, c route.Call[execution.Batch]) error {
	return d.showOneBatch(w, r, c, http.StatusOK, "")
}

// showOneBatch shows how far a batch is. Browsers ask again while it works.
func (d Deps) showOneBatch(w http.ResponseWriter, r *http.Request, c route.Call[execution.Batch], status int, refused string) error {
	of, err := d.Workflows.Workflow(r.Context(), []id.ID{c.Object.OrganizationID}, c.Object.Filter.WorkflowID)
	if err != nil {
		return err
	}
	v := oneBatchView{
		pageHead: headOf(of, "/batches"), batchView: showBatch(c.Object), Refused: refused,
		May: access.Decide(c.Principal, access.RunWorkflow, objects.OfWorkflow(of)).Allowed,
	}
	if v.Running {
		w.Header().Set("Refresh", renewed)
	}
	f := d.frame("Many runs of "+of.Name, c.Principal)
	f.Above = []ui.Link{{Path: ui.Workflows, Name: "Workflows"}, {Path: v.Path, Name: of.Name}, {Path: v.Here, Name: "Many runs"}}
	return ui.Show(w, r, status, f, batchPage(v))
}

func (d Deps) postBatchStop(w http.ResponseWriter, r *http.Request, c route.Call[execution.Batch]) error {
	_, err := d.Executions.StopBatch(r.Context(), c.Object, c.Principal.Actor().Name)
	if err == nil {
		ui.Redirect(w, r, batchPath+"/"+c.Object.ID.String())
		return nil
	}
	status, text, err := ui.Problem(w, err)
	if err != nil {
		return err
	}
	return d.showOneBatch(w, r, c, status, text)
}
