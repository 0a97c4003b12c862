package trigger_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/provider"
	"github.com/usefloww/flowwd/internal/provider/builtin"
	"github.com/usefloww/flowwd/internal/trigger"
	"github.com/usefloww/flowwd/internal/workflow"
)

func webhook(input string, options ...workflow.Options) workflow.Declaration {
	d := workflow.Declaration{
		Provider: workflow.ProviderRef{Type: "builtin", Alias: "default"},
		Type:     "onWebhook",
		Input:    json.RawMessage(input),
	}
	if len(options) > 0 {
		d.Options = options[0]
	}
	return d
}

func newPlanner() (*trigger.Planner, workflow.Workflow) {
	ids := id.NewSource(time.Now)
	p := &trigger.Planner{Catalogue: provider.Catalogue{builtin.Type: builtin.Provider{}}, IDs: ids, Now: time.Now}
	return p, workflow.Workflow{ID: ids.New(), OrganizationID: ids.New()}
}

func mustPlan(t *testing.T, p *trigger.Planner, w workflow.Workflow, existing []workflow.Trigger, declared ...workflow.Declaration) trigger.Plan {
	t.Helper()
	plan, refusals, err := p.Plan(w, existing, declared)
	if err != nil || len(refusals) > 0 {
		t.Fatalf("plan: %v, refusals %v", err, refusals)
	}
	return plan
}

func TestPlanMakesAddresses(t *testing.T) {
	t.Parallel()
	p, w := newPlanner()
	plan := mustPlan(t, p, w, nil, webhook(`{"path":"/orders/","method":"put"}`), webhook(`{"method":"POST"}`))
	if len(plan.Add) != 2 || len(plan.Keep)+len(plan.Remove) != 0 {
		t.Fatalf("plan = %+v, want two new triggers", plan)
	}
	want := workflow.Webhook{ID: plan.Add[0].Webhook.ID, Method: "PUT", Path: "/webhook/" + w.ID.String() + "/orders"}
	if diff := cmp.Diff(want, *plan.Add[0].Webhook); diff != "" {
		t.Errorf("webhook (-want +got):\n%s", diff)
	}
	random := strings.TrimPrefix(plan.Add[1].Webhook.Path, "/webhook/")
	if len(random) != 32 {
		t.Errorf("the address without a path is %q, want 32 random digits", plan.Add[1].Webhook.Path)
	}
	if got := plan.Add[0]; got.WorkflowID != w.ID || got.OrganizationID != w.OrganizationID {
		t.Errorf("trigger belongs to workflow %s of %s", got.WorkflowID, got.OrganizationID)
	}
}

func TestPlanKeepsWhatIsDeclaredStill(t *testing.T) {
	t.Parallel()
	p, w := newPlanner()
	existing := mustPlan(t, p, w, nil, webhook(`{"path":"a","method":"POST"}`), webhook(`{"path":"b","method":"POST"}`)).Add
	changed := webhook(`{"method":"POST","path":"a"}`, workflow.Options{Timeout: time.Second})
	plan := mustPlan(t, p, w, existing, changed, webhook(`{"path":"c"}`))
	if len(plan.Keep) != 1 || plan.Keep[0].ID != existing[0].ID {
		t.Fatalf("keep = %+v, want the first trigger", plan.Keep)
	}
	if diff := cmp.Diff(changed, plan.Keep[0].Declaration); diff != "" {
		t.Errorf("the kept declaration is not the new one (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(existing[0].Webhook, plan.Keep[0].Webhook); diff != "" {
		t.Errorf("the kept address changed (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]id.ID{existing[1].ID}, plan.Remove); diff != "" {
		t.Errorf("remove (-want +got):\n%s", diff)
	}
	if len(plan.Add) != 1 {
		t.Errorf("add = %+v, want one", plan.Add)
	}
}

func TestPlanWithoutTriggersRemovesAll(t *testing.T) {
	t.Parallel()
	p, w := newPlanner()
	existing := mustPlan(t, p, w, nil, webhook(`{"path":"a"}`)).Add
	if plan := mustPlan(t, p, w, existing); len(plan.Remove) != 1 {
		t.Errorf("remove = %v, want the only trigger", plan.Remove)
	}
}

func TestPlanRefuses(t *testing.T) {
	t.Parallel()
	second := webhook(`{"path":"a","method":"POST"}`)
	second.Ordinal = 1
	other := webhook(`{}`)
	other.Provider.Type = "slack"
	for name, tc := range map[string]struct {
		declared []workflow.Declaration
		want     string
	}{
		"same address twice":   {[]workflow.Declaration{webhook(`{"path":"a","method":"POST"}`), second}, "declared by two triggers"},
		"same address spelled": {[]workflow.Declaration{webhook(`{"path":"a"}`), webhook(`{"path":"/a/"}`)}, "declared by two triggers"},
		"names of parameters":  {[]workflow.Declaration{webhook(`{"path":"a/:id"}`), webhook(`{"path":"/a/:name"}`)}, "POST /a/:id and POST /a/:name are the same address"},
		"ambiguous parameters": {[]workflow.Declaration{webhook(`{"path":":x/b"}`), webhook(`{"path":"a/:y"}`)}, "POST /:x/b and POST /a/:y are both right for /a/b"},
		"unknown provider":     {[]workflow.Declaration{other}, `provider "slack" is not available here; available: builtin`},
		"bad input":            {[]workflow.Declaration{webhook(`{"method":"BREW"}`)}, "not one of"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, w := newPlanner()
			_, refusals, err := p.Plan(w, nil, tc.declared)
			if err != nil || len(refusals) != 1 {
				t.Fatalf("refusals = %v (%v), want one", refusals, err)
			}
			refusal := trigger.RefusalFault(refusals)
			if !fault.Is(refusal, fault.Invalid) || !strings.Contains(refusal.Error(), tc.want) {
				t.Errorf("fault = %v, want %q", refusal, tc.want)
			}
		})
	}
}

func TestPlanBoundsTheNumberOfTriggers(t *testing.T) {
	t.Parallel()
	p, w := newPlanner()
	_, _, err := p.Plan(w, nil, make([]workflow.Declaration, trigger.MaxPerDeployment+1))
	if !fault.Is(err, fault.Invalid) {
		t.Errorf("error = %v, want an invalid fault", err)
	}
}

func TestPlanTellsAddressesApart(t *testing.T) {
	t.Parallel()
	p, w := newPlanner()
	mustPlan(t, p, w, nil, webhook(`{"path":"a/:id"}`), webhook(`{"path":"a/new"}`), webhook(`{"path":"a/:id","method":"GET"}`),
		webhook(`{"path":"a/:id/b"}`), webhook(`{"path":"b/:id"}`), webhook(`{}`))
}
