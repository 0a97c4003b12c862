package dashboard

import (
	"cmp"
	"context"
	"net/http"
	"time"

	"github.com/usefloww/flowwd/internal/access"
	"github.com/usefloww/flowwd/internal/deploy"
	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/identity"
	"github.com/usefloww/flowwd/internal/objects"
	"github.com/usefloww/flowwd/internal/route"
	"github.com/usefloww/flowwd/internal/web/ui"
	"github.com/usefloww/flowwd/internal/workflow"
)

const (
	deploymentsPath = "/deployments"
	// shownDeployments is how many a page lists, and how many one can be compared
	// with.
	shownDeployments = 25
)

// registerDeployments registers what is shown and done of single deployments.
func registerDeployments(r *route.Router, d Deps) {
	page := func(method, path string, action access.Action, handle func(http.ResponseWriter, *http.Request, route.Call[workflow.Deployment], workflow.Workflow) error) {
		route.Raw(r, route.Spec{
			Method: method, Path: deploymentsPath + "/{id}" + path, Policy: access.Requires(action), Page: true,
			Body: method == http.MethodPost, BodyLimit: ui.MaxForm, Timeout: deployTimeout,
		}, objects.Deployment(d.Deployments.Get), func(w http.ResponseWriter, r *http.Request, c route.Call[workflow.Deployment]) error {
			of, err := d.Workflows.Workflow(r.Context(), []id.ID{c.Object.OrganizationID}, c.Object.WorkflowID)
			if err != nil {
				return err
			}
			return handle(w, r, c, of)
		})
	}
	page(http.MethodGet, "", access.ReadWorkflow, d.getDeployment)
	page(http.MethodGet, "/code", access.ReadWorkflow, d.getDeploymentCode)
	page(http.MethodPost, "/note", access.DeployWorkflow, d.postNote)
	page(http.MethodGet, "/activate", access.DeployWorkflow, d.getActivation)
	page(http.MethodPost, "/activate", access.DeployWorkflow, d.postActivation)
}

// deploymentView is a deployment as a list shows it.
type deploymentView struct {
	ID, Path string
	At       time.Time
	By       string
	Note     string
	Active   bool
	Failed   bool
	Triggers int
}

type deploymentsView struct {
	pageHead
	Deployments []deploymentView
	Total       int
	// May says that the reader may activate one.
	May   bool
	Pager ui.Pager
	Done  string
}

func (d Deps) getDeployments(w http.ResponseWriter, r *http.Request, c route.Call[workflow.Workflow]) error {
	offset, err := offsetOf(r.URL.Query())
	if err != nil {
		return err
	}
	all, total, err := d.Deployments.List(r.Context(), c.Object.ID, shownDeployments, offset)
	if err != nil {
		return err
	}
	v := deploymentsView{
		pageHead: headOf(c.Object, "/deployments"), Total: total, May: mayDeploy(c.Principal, c.Object),
		Pager: pagerOf(r.URL, offset, shownDeployments, len(all), total),
	}
	if r.URL.Query().Has("done") {
		v.Done = "The deployment is active: new runs are by its code."
	}
	if v.Deployments, err = d.deploymentViews(r.Context(), c.Object.OrganizationID, all); err != nil {
		return err
	}
	return ui.Show(w, r, http.StatusOK, d.workflowFrame("Deployments of ", c), deploymentsPage(v))
}

// mayDeploy reports whether p may activate deployments of a workflow.
func mayDeploy(p identity.Principal, w workflow.Workflow) bool {
	return access.Decide(p, access.DeployWorkflow, objects.OfWorkflow(w)).Allowed
}

// deploymentViews show deployments with the names of those who made them.
func (d Deps) deploymentViews(ctx context.Context, organization id.ID, all []workflow.Deployment) ([]deploymentView, error) {
	by := make([]id.ID, len(all))
	for i, x := range all {
		by[i] = x.DeployedByID
	}
	names, err := d.Access.Names(ctx, organization, by)
	views := make([]deploymentView, len(all))
	for i, x := range all {
		views[i] = deploymentView{
			ID: x.ID.String(), Path: deploymentPath(x.ID), At: x.DeployedAt, By: cmp.Or(names[x.DeployedByID], "somebody who is gone"),
			Active: x.Status == workflow.StatusActive, Failed: x.Status == workflow.StatusFailed, Triggers: len(x.Triggers),
		}
		if x.Note != nil {
			views[i].Note = brief(*x.Note)
		}
	}
	return views, err
}

func deploymentPath(of id.ID) string { return deploymentsPath + "/" + of.String() }

// oneDeploymentView is the page of a deployment, with what it changed.
type oneDeploymentView struct {
	pageHead
	deploymentView
	Declared []string
	SDK      string
	Image    bool
	May      bool
	// Others are what it can be compared with, From the one that it is.
	Others        []ui.Option
	From          string
	Diff          diffView
	Problem, Done string
}

func (d Deps) getDeployment(w http.ResponseWriter, r *http.Request, c route.Call[workflow.Deployment], of workflow.Workflow) error {
	done := ""
	if r.URL.Query().Has("done") {
		done = "Saved."
	}
	return d.showDeployment(w, r, c, of, http.StatusOK, "", done)
}

func (d Deps) showDeployment(w http.ResponseWriter, r *http.Request, c route.Call[workflow.Deployment], of workflow.Workflow, status int, problem, done string) error {
	ctx, x := r.Context(), c.Object
	shown, err := d.deploymentViews(ctx, x.OrganizationID, []workflow.Deployment{x})
	if err != nil {
		return err
	}
	v := oneDeploymentView{
		pageHead: headOf(of, "/deployments"), deploymentView: shown[0], SDK: x.ClientSDKVersion, Image: !x.RuntimeID.IsZero(),
		May: mayDeploy(c.Principal, of), Problem: problem, Done: done,
	}
	for _, t := range x.Triggers {
		v.Declared = append(v.Declared, t.Provider.Type+"."+t.Type)
	}
	if err := d.compare(ctx, &v, x, r.URL.Query().Get("from")); err != nil {
		return err
	}
	return ui.Show(w, r, status, d.deploymentFrame("A deployment of ", of, c.Principal), deploymentPage(v))
}

func (d Deps) deploymentFrame(what string, of workflow.Workflow, p identity.Principal) ui.Frame {
	f := d.frame(what+of.Name, p)
	f.Above = []ui.Link{{Path: ui.Workflows, Name: "Workflows"}, {Path: workflowPath(of.ID), Name: of.Name}, {Path: workflowPath(of.ID) + "/deployments", Name: "Deployments"}}
	return f
}

// compare fills in what a deployment changed: against another of its workflow, the
// one before it unless one is named.
func (d Deps) compare(ctx context.Context, v *oneDeploymentView, x workflow.Deployment, from string) error {
	latest, _, err := d.Deployments.List(ctx, x.WorkflowID, shownDeployments, 0)
	if err != nil {
		return err
	}
	others, err := d.deploymentViews(ctx, x.OrganizationID, latest)
	if err != nil {
		return err
	}
	v.From = from
	for i, one := range others {
		if one.ID == v.ID {
			continue
		}
		name := one.At.UTC().Format("2 Jan 2006, 15:04:05 UTC") + ", by " + one.By
		if one.Active {
			name += " (active)"
		}
		v.Others = append(v.Others, ui.Option{Value: one.ID, Name: name})
		if v.From == "" && latest[i].DeployedAt.Before(x.DeployedAt) {
			v.From = one.ID
		}
	}
	if v.From == "" {
		return nil
	}
	missing := fault.New(fault.NotFound, "Deployment not found")
	named, err := id.Parse(v.From)
	if err != nil {
		return missing
	}
	before, err := d.Deployments.Get(ctx, []id.ID{x.OrganizationID}, named)
	if err == nil && before.WorkflowID != x.WorkflowID {
		err = missing
	}
	if err != nil {
		return err
	}
	old, err := d.Deployments.Source(ctx, before.ID)
	if err != nil {
		return err
	}
	now, err := d.Deployments.Source(ctx, x.ID)
	v.Diff = diffOf(old, now)
	return err
}

func (d Deps) postNote(w http.ResponseWriter, r *http.Request, c route.Call[workflow.Deployment], of workflow.Workflow) error {
	f, err := ui.ReadForm(r, c.Body)
	if err != nil {
		return err
	}
	var note *string
	if text := f["note"]; text != "" {
		note = &text
	}
	if _, err = d.Deployments.SetNote(r.Context(), c.Object, note); err == nil {
		ui.Redirect(w, r, deploymentPath(c.Object.ID)+"?done=saved")
		return nil
	}
	status, text, err := ui.Problem(w, err)
	if err != nil {
		return err
	}
	return d.showDeployment(w, r, c, of, status, text, "")
}

// activationView asks whether a deployment shall be the active one.
type activationView struct {
	pageHead
	deploymentView
	Keep, Add, Remove []plannedTrigger
	Problem           string
}

// plannedTrigger is a trigger that stays, comes or goes.
type plannedTrigger struct{ What, Address string }

func (d Deps) getActivation(w http.ResponseWriter, r *http.Request, c route.Call[workflow.Deployment], of workflow.Workflow) error {
	return d.showActivation(w, r, c, of, nil)
}

// showActivation shows what activating does, and what was wrong with it.
func (d Deps) showActivation(w http.ResponseWriter, r *http.Request, c route.Call[workflow.Deployment], of workflow.Workflow, wrong error) error {
	shown, err := d.deploymentViews(r.Context(), c.Object.OrganizationID, []workflow.Deployment{c.Object})
	if err != nil {
		return err
	}
	v := activationView{pageHead: headOf(of, "/deployments"), deploymentView: shown[0]}
	planned, err := d.Deployments.Preview(r.Context(), c.Object)
	if wrong == nil {
		wrong = err
	}
	status := http.StatusOK
	if wrong != nil {
		if status, v.Problem, err = ui.Problem(w, wrong); err != nil {
			return err
		}
	}
	v.plan(planned)
	return ui.Show(w, r, status, d.deploymentFrame("Activate a deployment of ", of, c.Principal), activationPage(v))
}

func (v *activationView) plan(p deploy.Preview) {
	show := func(all []workflow.Trigger, isNew bool) (shown []plannedTrigger) {
		for _, t := range all {
			one := plannedTrigger{What: t.Provider.Type + "." + t.Type}
			if t.Webhook != nil {
				one.Address = t.Webhook.Method + " " + t.Webhook.Path
			}
			if t.Webhook != nil && isNew && !hasPath(t) {
				one.Address = t.Webhook.Method + " at a new address"
			}
			shown = append(shown, one)
		}
		return shown
	}
	v.Keep, v.Add, v.Remove = show(p.Keep, false), show(p.Add, true), show(p.Remove, false)
}

// hasPath reports whether the address of a webhook is the author's: others are
// made anew each time.
func hasPath(t workflow.Trigger) bool {
	return len(t.Webhook.Path) > len("/webhook/")+len(t.WorkflowID.String())
}

func (d Deps) postActivation(w http.ResponseWriter, r *http.Request, c route.Call[workflow.Deployment], of workflow.Workflow) error {
	if _, err := d.Deployments.SetStatus(r.Context(), c.Object, workflow.StatusActive); err != nil {
		return d.showActivation(w, r, c, of, err)
	}
	ui.Redirect(w, r, workflowPath(of.ID)+"/deployments?done=active")
	return nil
}
