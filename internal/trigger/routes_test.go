package trigger_test

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/usefloww/flowwd/internal/deploy"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/storetest"
	"github.com/usefloww/flowwd/internal/trigger"
	"github.com/usefloww/flowwd/internal/workflow"
)

// reads is a store that counts how often it is asked for webhooks.
type reads struct {
	*storetest.World
	triggers, addresses int
	// between runs after the triggers were read.
	between func()
}

func (r *reads) Triggers(ctx context.Context, of id.ID) ([]workflow.Trigger, error) {
	r.triggers++
	found, err := r.World.Triggers(ctx, of)
	if r.between != nil {
		r.between()
	}
	return found, err
}

func (r *reads) WebhookWorkflow(ctx context.Context, path string) (id.ID, error) {
	r.addresses++
	return r.World.WebhookWorkflow(ctx, path)
}

func routed(t *testing.T) (*reads, *trigger.Routes) {
	t.Helper()
	r := &reads{World: storetest.NewWorld(t, storetest.SQLite(t, filepath.Join(t.TempDir(), "flowwd.db")))}
	return r, trigger.NewRoutes(r)
}

// finds sends to an address and says which trigger is there.
func finds(t *testing.T, r *trigger.Routes, method, path string, want id.ID) {
	t.Helper()
	f, err := r.Find(t.Context(), trigger.Address{Method: method, Path: path, Escaped: path})
	if err != nil {
		t.Fatal(err)
	}
	var got id.ID
	if f != nil {
		got = f.ID
	}
	if got != want {
		t.Errorf("%s %s leads to %s, want %s", method, path, got, want)
	}
}

func TestWebhooksAreReadOnceUntilTheyChange(t *testing.T) {
	t.Parallel()
	s, r := routed(t)
	f, triggers := s.Deployed(s.Namespace(), workflow.Options{}, workflow.Options{})
	first, second := triggers[0], triggers[1]
	for range 3 {
		finds(t, r, "POST", first.Webhook.Path, first.ID)
		finds(t, r, "POST", second.Webhook.Path, second.ID)
	}
	if s.triggers != 1 || s.addresses != 1 {
		t.Errorf("the webhooks were read %d times and looked for %d times, want once", s.triggers, s.addresses)
	}
	finds(t, r, "POST", first.Webhook.Path+"x", id.ID{})
	finds(t, r, "PUT", first.Webhook.Path, id.ID{})
	methods, err := r.Methods(t.Context(), trigger.Address{Method: "HEAD", Path: first.Webhook.Path, Escaped: first.Webhook.Path})
	if err != nil || fmt.Sprint(methods) != "[POST]" {
		t.Errorf("the address takes %v: %v", methods, err)
	}

	if err := s.ActivateDeployment(t.Context(), removing(s, f, first)); err != nil {
		t.Fatal(err)
	}
	r.Changed(f.ID)
	finds(t, r, "POST", first.Webhook.Path, id.ID{})
	finds(t, r, "POST", second.Webhook.Path, second.ID)
	if err := s.DeleteWorkflow(t.Context(), f.ID, s.Now()); err != nil {
		t.Fatal(err)
	}
	r.ChangedAll()
	finds(t, r, "POST", second.Webhook.Path, id.ID{})
}

// What was read before a change must not be found after it.
func TestWebhooksReadDuringAChangeAreNotKept(t *testing.T) {
	t.Parallel()
	s, r := routed(t)
	f, triggers := s.Deployed(s.Namespace(), workflow.Options{}, workflow.Options{})
	s.between = func() {
		s.between = nil
		if err := s.ActivateDeployment(t.Context(), removing(s, f, triggers[0])); err != nil {
			t.Error(err)
		}
		r.Changed(f.ID)
	}
	finds(t, r, "POST", triggers[0].Webhook.Path, triggers[0].ID) // accepting refuses it
	finds(t, r, "POST", triggers[0].Webhook.Path, id.ID{})
	finds(t, r, "POST", triggers[1].Webhook.Path, triggers[1].ID)
}

// removing deploys again without a trigger.
func removing(s *reads, f workflow.Workflow, t workflow.Trigger) deploy.Activation {
	a := s.Activation(f)
	a.Remove = []id.ID{t.ID}
	return a
}

func TestWebhooksInMemoryAreBounded(t *testing.T) {
	t.Parallel()
	s, r := routed(t)
	n := s.Namespace()
	var all []workflow.Trigger
	for range 3 {
		_, triggers := s.Deployed(n, workflow.Options{}, workflow.Options{})
		all = append(all, triggers...)
	}
	for _, round := range []struct{ most, reads int }{{6, 3}, {5, 4}, {0, 7}} {
		r.Bound(round.most)
		for _, x := range all {
			finds(t, r, "POST", x.Webhook.Path, x.ID)
		}
		if s.triggers != round.reads {
			t.Errorf("with room for %d webhooks they were read %d times, want %d", round.most, s.triggers, round.reads)
		}
	}
}
