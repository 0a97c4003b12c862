package storetest

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/usefloww/flowwd/internal/deploy"
	"github.com/usefloww/flowwd/internal/dev"
	"github.com/usefloww/flowwd/internal/execution"
	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/tenant"
	"github.com/usefloww/flowwd/internal/workflow"
)

// devTrigger is a new webhook trigger for development alone.
func (w *World) devTrigger(f workflow.Workflow, path string) workflow.Trigger {
	d := Declared(0, workflow.Options{})
	d.Input = json.RawMessage(`{"path": "` + path + `"}`)
	return workflow.Trigger{
		ID: w.ID(), OrganizationID: f.OrganizationID, WorkflowID: f.ID, Declaration: d, CreatedAt: w.Now(), DevOnly: true,
		Webhook: &workflow.Webhook{ID: w.ID(), Method: "POST", Path: "/webhook/" + f.ID.String() + "/" + path},
	}
}

// session is a request for a session of a minute.
func (w *World) session(f workflow.Workflow, developer id.ID, use []workflow.Trigger, add ...workflow.Trigger) dev.Sync {
	return dev.Sync{Use: use, Add: add, At: w.Now(), Session: dev.Session{
		ID: w.ID(), OrganizationID: f.OrganizationID, WorkflowID: f.ID, DeveloperID: developer,
		CreatedAt: w.Now(), ExpiresAt: w.Now().Add(time.Minute), EndsAt: w.Now().Add(time.Hour),
	}}
}

// develop begins or changes a session and returns it as it is stored.
func (w *World) develop(f workflow.Workflow, developer id.ID, use []workflow.Trigger, add ...workflow.Trigger) dev.Session {
	w.t.Helper()
	x, err := w.SyncDevSession(w.ctx(), w.session(f, developer, use, add...))
	w.must(err)
	got, err := w.DevSession(w.ctx(), []id.ID{f.OrganizationID}, x)
	w.must(err)
	return got
}

func (w *World) sessions(of id.ID) []dev.Session {
	w.t.Helper()
	got, err := w.DevSessions(w.ctx(), of, id.ID{}, w.Now(), 10)
	w.must(err)
	return got
}

// readDev calls what reads and changes sessions.
func (w *World) readDev(f workflow.Workflow, note func(any, error)) {
	w.t.Helper()
	x := w.develop(f, w.ID(), nil, w.devTrigger(f, "read"))
	note(w.DevSessions(w.ctx(), id.ID{}, id.ID{}, w.Now(), 10))
	note(w.DevSessions(w.ctx(), f.ID, id.ID{}, w.Now(), 10))
	note(nil, w.RenewDevSessions(w.ctx(), []id.ID{x.ID}, w.Now().Add(time.Minute)))
	note(nil, w.ReviveDevSessions(w.ctx(), w.Now().Add(-time.Minute), w.Now().Add(time.Minute)))
	note(w.ExpireDevSessions(w.ctx(), w.Now(), 10))
	note(nil, w.EndDevSession(w.ctx(), x.ID, w.Now()))
}

func testDevSessions(t *testing.T, backend Backend) {
	t.Run("a session is kept with its triggers, and changed by the next sync", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		f, deployed := w.Deployed(w.Namespace())
		ada, grace := w.ID(), w.ID()
		own, shared := w.devTrigger(f, "own"), w.devTrigger(f, "shared")
		x := w.develop(f, ada, deployed, own, shared)
		equal(t, "its triggers", x.Triggers, []workflow.Trigger{deployed[0], own, shared})
		equal(t, "triggers of the workflow", w.triggers(f.ID), []workflow.Trigger{deployed[0], own, shared})
		y := w.develop(f, grace, []workflow.Trigger{shared})
		w.Pass(time.Second)
		again := w.develop(f, ada, []workflow.Trigger{shared})
		equal(t, "the id", again.ID, x.ID)
		equal(t, "its beginning", again.CreatedAt, x.CreatedAt)
		equal(t, "its end", again.ExpiresAt, w.Now().Add(time.Minute))
		equal(t, "what is used no more is gone", w.triggers(f.ID), []workflow.Trigger{deployed[0], shared})
		equal(t, "sessions", w.sessions(f.ID), []dev.Session{again, y})
		w.must(w.EndDevSession(w.ctx(), x.ID, w.Now()))
		equal(t, "what another uses stays", w.triggers(f.ID), []workflow.Trigger{deployed[0], shared})
		w.must(w.EndDevSession(w.ctx(), y.ID, w.Now()))
		equal(t, "triggers of the deployment stay", w.triggers(f.ID), []workflow.Trigger{deployed[0]})
		w.refused(w.EndDevSession(w.ctx(), y.ID, w.Now()), fault.NotFound, "Development session not found")
		_, err := w.DevSession(w.ctx(), []id.ID{w.ID()}, x.ID)
		w.refused(err, fault.NotFound, "Development session not found")
	})

	t.Run("an address that goes can be had at once", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		f := w.Workflow(w.Namespace())
		ada := w.ID()
		w.develop(f, ada, nil, w.devTrigger(f, "a"))
		other := w.devTrigger(f, "b")
		other.Webhook.Path = "/webhook/" + f.ID.String() + "/a"
		w.develop(f, ada, nil, other)
		equal(t, "triggers", w.triggers(f.ID), []workflow.Trigger{other})
	})

	t.Run("sessions end when their time is over, and are renewed up to their last moment", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		f := w.Workflow(w.Namespace())
		x := w.develop(f, w.ID(), nil, w.devTrigger(f, "a"))
		w.must(w.RenewDevSessions(w.ctx(), []id.ID{x.ID}, w.Now().Add(24*time.Hour)))
		equal(t, "it expires", w.sessions(f.ID)[0].ExpiresAt, x.EndsAt)
		w.Pass(30 * time.Minute)
		ended, err := w.ExpireDevSessions(w.ctx(), w.Now(), 10)
		w.must(err)
		equal(t, "ended too early", len(ended), 0)
		w.Pass(30 * time.Minute)
		w.must(w.ReviveDevSessions(w.ctx(), w.Now().Add(-time.Minute), w.Now().Add(time.Minute)))
		ended, err = w.ExpireDevSessions(w.ctx(), w.Now(), 10)
		w.must(err)
		if len(ended) != 1 || ended[0].ID != x.ID || ended[0].WorkflowID != f.ID {
			t.Errorf("ended %+v, want the session", ended)
		}
		equal(t, "triggers", w.triggers(f.ID), nil)
	})

	t.Run("sessions outlive a server that is soon back", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		f := w.Workflow(w.Namespace())
		w.develop(f, w.ID(), nil)
		w.Pass(5 * time.Minute)
		w.must(w.ReviveDevSessions(w.ctx(), w.Now().Add(-10*time.Minute), w.Now().Add(time.Minute)))
		equal(t, "sessions", len(w.sessions(f.ID)), 1)
		w.Pass(20 * time.Minute)
		w.must(w.ReviveDevSessions(w.ctx(), w.Now().Add(-10*time.Minute), w.Now().Add(time.Minute)))
		equal(t, "sessions after long", len(w.sessions(f.ID)), 0)
	})

	t.Run("whoever may do less develops no more", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		n := w.Namespace()
		f := w.Workflow(n)
		owner := w.User(n.OrganizationID, tenant.RoleOwner)
		u := w.User(n.OrganizationID, tenant.RoleMember)
		x := w.develop(f, u.ID, nil, w.devTrigger(f, "a"))
		other := w.develop(f, w.ID(), nil)
		_, err := w.ChangeMember(w.ctx(), tenant.MemberChange{OrganizationID: n.OrganizationID, UserID: u.ID, CallerID: owner.ID, Role: tenant.RoleViewer, At: w.Now()})
		w.must(err)
		w.must(w.RenewDevSessions(w.ctx(), []id.ID{x.ID}, w.Now().Add(time.Minute)))
		w.must(w.ReviveDevSessions(w.ctx(), w.Now().Add(-time.Minute), w.Now().Add(time.Minute)))
		w.Pass(time.Millisecond)
		ended, err := w.ExpireDevSessions(w.ctx(), w.Now(), 10)
		w.must(err)
		if len(ended) != 1 || ended[0].ID != x.ID {
			t.Errorf("ended %+v, want that of the viewer", ended)
		}
		equal(t, "others go on", w.sessions(f.ID), []dev.Session{other})
	})

	t.Run("a workflow has only so many", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		f := w.Workflow(w.Namespace())
		for range dev.MaxSessions {
			w.develop(f, w.ID(), nil)
		}
		_, err := w.SyncDevSession(w.ctx(), w.session(f, w.ID(), nil))
		if !fault.Is(err, fault.Limited) {
			t.Errorf("one more: %v, want a limit", err)
		}
	})

	t.Run("what is gone or foreign is refused", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		n := w.Namespace()
		f, deployed := w.Deployed(n)
		_, foreign := w.Deployed(n)
		for what, use := range map[string]workflow.Trigger{"another workflow's": foreign[0], "none": w.devTrigger(f, "x")} {
			_, err := w.SyncDevSession(w.ctx(), w.session(f, w.ID(), []workflow.Trigger{use}))
			if !fault.Is(err, fault.Conflict) {
				t.Errorf("%s: %v, want a conflict", what, err)
			}
		}
		taken := w.devTrigger(f, "x")
		taken.Webhook.Path = deployed[0].Webhook.Path
		_, err := w.SyncDevSession(w.ctx(), w.session(f, w.ID(), nil, taken))
		if !fault.Is(err, fault.Conflict) {
			t.Errorf("a taken address: %v, want a conflict", err)
		}
		equal(t, "sessions after refusals", len(w.sessions(f.ID)), 0)
		w.must(w.DeleteWorkflow(w.ctx(), f.ID, w.Now()))
		_, err = w.SyncDevSession(w.ctx(), w.session(f, w.ID(), nil))
		w.refused(err, fault.NotFound, "Workflow not found")
	})

	t.Run("deployments take over what they declare, and leave the rest to its developers", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		f, deployed := w.Deployed(w.Namespace())
		promoted, other := w.devTrigger(f, "promoted"), w.devTrigger(f, "other")
		x := w.develop(f, w.ID(), deployed, promoted, other)
		// Its address is wanted by a trigger that is declared otherwise.
		robber := w.devTrigger(f, "x")
		robber.DevOnly, robber.Webhook.Path = false, other.Webhook.Path
		keep := promoted
		keep.DevOnly = false
		w.must(w.redeploy(&f, deploy.Activation{Keep: []workflow.Trigger{keep}, Add: []workflow.Trigger{robber}, Remove: []id.ID{deployed[0].ID}}))
		demoted := deployed[0]
		demoted.DevOnly, other.Webhook = true, nil
		equal(t, "triggers", w.triggers(f.ID), []workflow.Trigger{demoted, keep, other, robber})
		w.must(w.EndDevSession(w.ctx(), x.ID, w.Now()))
		equal(t, "triggers after the session", w.triggers(f.ID), []workflow.Trigger{keep, robber})
	})

	t.Run("a developer's events end as they are accepted", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		f, deployed := w.Deployed(w.Namespace())
		own := w.devTrigger(f, "own")
		w.develop(f, w.ID(), deployed, own)
		for _, c := range []struct {
			what     string
			trigger  workflow.Trigger
			dev      *execution.Dev
			state    execution.State
			diverted bool
			text     string
		}{
			{"instead", deployed[0], &execution.Dev{Instead: true}, execution.NoDeployment, true, "Sent to dev: it runs on the machine of who develops this workflow"},
			{"mirrored", deployed[0], &execution.Dev{}, execution.Received, false, ""},
			{"own", own, &execution.Dev{}, execution.NoDeployment, false, "Sent to dev: it runs on the machine of who develops this workflow"},
			{"own, nobody there", own, nil, execution.NoDeployment, false, "No deployment has this trigger, and who develops it was not connected"},
		} {
			a := w.Acceptance(c.trigger)
			a.Dev = c.dev
			got, err := w.AcceptExecution(w.ctx(), a)
			w.must(err)
			e := w.Get(got.ExecutionID, f.OrganizationID)
			if got.State != c.state || got.Diverted != c.diverted || e.State != c.state || e.Error != c.text {
				t.Errorf("%s: %+v, and then %s: %s", c.what, got, e.State, e.Error)
			}
			event, err := w.Event(w.ctx(), e.EventID)
			w.must(err)
			equal(t, "the event of "+c.what, event, a.Event)
		}
	})
}
