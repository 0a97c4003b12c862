package storetest

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/usefloww/flowwd/internal/deploy"
	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/workflow"
)

func (w *World) triggers(of id.ID) []workflow.Trigger {
	w.t.Helper()
	got, err := w.Triggers(w.ctx(), of)
	w.must(err)
	return got
}

// redeploy changes the triggers of a workflow by one more activation of its
// deployment.
func (w *World) redeploy(f *workflow.Workflow, change deploy.Activation) error {
	ids, _ := w.statuses(f.ID)
	d, err := w.deployment(f.OrganizationID, ids[0])
	w.must(err)
	change.Deployment, change.Version, change.At = d, f.Version, w.Now()
	err = w.ActivateDeployment(w.ctx(), change)
	if err == nil {
		f.Version++
	}
	return err
}

func testTriggers(t *testing.T, backend Backend) {
	t.Run("triggers are kept as they were made", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		f := w.Workflow(w.Namespace())
		a := w.Activation(f, workflow.Options{
			Timeout: time.Second, Memory: 32 << 20, Concurrency: 2, FailOnInterrupt: true, Timezone: "Europe/Berlin", HandlerResponds: true,
			Retry: workflow.Retry{Attempts: 3, Delay: time.Second, MaxDelay: 90 * time.Millisecond, Jitter: true},
		}, workflow.Options{}, workflow.Options{})
		a.Add[0].Input = json.RawMessage("{\"z\": [1, 2.50],\n \"a\": \"<ü>\"}")
		a.Add[1].Input, a.Add[1].Webhook = nil, nil
		a.Add[2].Declaration = a.Add[0].Declaration
		a.Add[2].Ordinal = 1
		w.must(w.ActivateDeployment(w.ctx(), a))
		equal(t, "triggers", w.triggers(f.ID), a.Add)
		for _, x := range []workflow.Trigger{a.Add[0], a.Add[2]} {
			got, err := w.WebhookWorkflow(w.ctx(), x.Webhook.Path)
			w.must(err)
			equal(t, "the workflow at "+x.Webhook.Path, got, f.ID)
		}
	})

	t.Run("a kept trigger takes its new options", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		f, triggers := w.Deployed(w.Namespace())
		kept := triggers[0]
		kept.Options = workflow.Options{
			Timeout: 90 * time.Second, Memory: 64 << 20, Concurrency: 7, FailOnInterrupt: true, Timezone: "UTC", HandlerResponds: true,
			Retry: workflow.Retry{Attempts: 9, Fixed: true, Delay: time.Minute, MaxDelay: time.Minute},
		}
		kept.Input = json.RawMessage(`{"path":"t0"}`)
		w.must(w.redeploy(&f, deploy.Activation{Keep: []workflow.Trigger{kept}}))
		equal(t, "triggers", w.triggers(f.ID), []workflow.Trigger{kept})
		kept.ID = w.ID()
		w.refused(w.redeploy(&f, deploy.Activation{Keep: []workflow.Trigger{kept}}), fault.Conflict,
			"A trigger of this workflow was removed at the same time; deploy again")
	})

	t.Run("a removed trigger frees its address and identity", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		f, triggers := w.Deployed(w.Namespace())
		twin := triggers[0]
		twin.ID = w.ID()
		twin.Webhook = &workflow.Webhook{ID: w.ID(), Method: "POST", Path: triggers[0].Webhook.Path}
		w.refused(w.redeploy(&f, deploy.Activation{Add: []workflow.Trigger{twin}}), fault.Conflict,
			"This workflow has a onWebhook trigger with the same input already")
		w.must(w.redeploy(&f, deploy.Activation{Add: []workflow.Trigger{twin}, Remove: []id.ID{triggers[0].ID}}))
		equal(t, "triggers", w.triggers(f.ID), []workflow.Trigger{twin})
		got, err := w.WebhookWorkflow(w.ctx(), twin.Webhook.Path)
		w.must(err)
		equal(t, "the workflow at its address", got, f.ID)
	})

	t.Run("a path has a bound", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		f := w.Workflow(w.Namespace())
		a := w.Activation(f, workflow.Options{})
		a.Add[0].Webhook.Path = "/webhook/" + strings.Repeat("ü", 1000)
		w.refused(w.ActivateDeployment(w.ctx(), a), fault.Invalid, "the path of a webhook has 2009 bytes; at most 2000 are allowed")
		a.Add[0].Webhook.Path = "/webhook/" + strings.Repeat("ü", 900)
		w.must(w.ActivateDeployment(w.ctx(), a))
	})
}
