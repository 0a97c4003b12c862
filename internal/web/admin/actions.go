package admin

import (
	"context"
	"net/http"

	"github.com/usefloww/flowwd/internal/execution"
	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/identity"
	"github.com/usefloww/flowwd/internal/records"
	"github.com/usefloww/flowwd/internal/route"
	"github.com/usefloww/flowwd/internal/tenant"
	"github.com/usefloww/flowwd/internal/web/ui"
	"github.com/usefloww/flowwd/internal/workflow"
)

// Changes is what administrators can change of what belongs to organizations: by
// the services that people's own changes go through, which record them.
type Changes struct {
	Workflows     Workflows
	Executions    Executions
	Keys          Keys
	Runtimes      Runtimes
	Organizations Organizations
}

func (c Changes) complete() bool {
	return c.Workflows != nil && c.Executions != nil && c.Keys != nil && c.Runtimes != nil && c.Organizations != nil
}

// Workflows changes workflows.
type Workflows interface {
	Update(ctx context.Context, workflow id.ID, change workflow.Change) (workflow.Workflow, error)
}

// Organizations disables organizations.
type Organizations interface {
	SetDisabled(ctx context.Context, organization id.ID, disabled bool) (tenant.Organization, error)
}

// Executions ends and releases executions, and ends batches.
type Executions interface {
	Get(ctx context.Context, organizations []id.ID, execution id.ID) (execution.Execution, error)
	Cancel(ctx context.Context, e execution.Execution, by string) (execution.Execution, error)
	Release(ctx context.Context, e execution.Execution) (execution.Execution, error)
	Batch(ctx context.Context, organizations []id.ID, batch id.ID) (execution.Batch, error)
	StopBatch(ctx context.Context, b execution.Batch, by string) (execution.Batch, error)
}

// Keys revokes API keys.
type Keys interface {
	RevokeKey(ctx context.Context, account, key id.ID) (identity.APIKey, error)
}

// Runtimes removes runtimes.
type Runtimes interface {
	Remove(ctx context.Context, runtime id.ID) error
}

// rowAction is something that can be done about a row.
type rowAction struct {
	// Name stands in its address, Label on its button.
	Name, Label string
	// About says what it does, Done that it is done.
	About, Done string
	Danger      bool
	// Fits reports whether there is something to do; nil for always.
	Fits func(value func(column string) records.Value) bool
	do   func(ctx context.Context, by identity.Principal, value func(column string) records.Value) error
}

// actions are what can be done about rows, by the names of their entities. What is
// missing here is for its organization to do, or for nobody.
func (d Deps) actions() map[string][]rowAction {
	active := func(on bool) func(context.Context, identity.Principal, func(string) records.Value) error {
		return func(ctx context.Context, _ identity.Principal, value func(string) records.Value) error {
			_, err := d.Changes.Workflows.Update(ctx, idIn(value("id")), workflow.Change{Active: &on})
			return err
		}
	}
	disable := func(disabled bool) func(context.Context, identity.Principal, func(string) records.Value) error {
		return func(ctx context.Context, _ identity.Principal, value func(string) records.Value) error {
			_, err := d.Changes.Organizations.SetDisabled(ctx, idIn(value("id")), disabled)
			return err
		}
	}
	return map[string][]rowAction{
		"organization": {
			{Name: "disable", Label: "Disable", About: disablesOrganization, Done: "The organization is disabled.", Danger: true,
				Fits: func(v func(string) records.Value) bool { return v("disabled_at").Null && v("deleted_at").Null }, do: disable(true)},
			{Name: "enable", Label: "Enable", About: "Its people and keys are let in again, and its triggers start runs. What was cancelled can be replayed.", Done: "The organization is enabled.",
				Fits: func(v func(string) records.Value) bool { return !v("disabled_at").Null && v("deleted_at").Null }, do: disable(false)},
		},
		"workflow": {
			{Name: "activate", Label: "Activate", About: "Events run it again.", Done: "The workflow is active.", Fits: func(v func(string) records.Value) bool {
				return v("active").Text == "no" && v("deleted_at").Null
			}, do: active(true)},
			{Name: "deactivate", Label: "Deactivate", About: "Events are stored and run nothing, until it is active again.", Done: "The workflow is inactive.", Danger: true,
				Fits: func(v func(string) records.Value) bool { return v("active").Text == "yes" && v("deleted_at").Null }, do: active(false)},
		},
		"execution-history": {{
			Name: "release", Label: "Run it now", About: "It takes its turn now, instead of at its time.", Done: "The run waits for no time any more.",
			Fits: func(v func(string) records.Value) bool {
				return v("state").Text == string(execution.Received) && v("postponed").Text == "yes"
			},
			do: func(ctx context.Context, _ identity.Principal, value func(string) records.Value) error {
				e, err := d.Changes.Executions.Get(ctx, []id.ID{idIn(value("organization_id"))}, idIn(value("id")))
				if err == nil {
					_, err = d.Changes.Executions.Release(ctx, e)
				}
				return err
			},
		}, {
			Name: "cancel", Label: "Cancel the run", About: "It ends where it is, and is not run again.", Done: "The run is cancelled.", Danger: true,
			Fits: func(v func(string) records.Value) bool { return !execution.State(v("state").Text).Final() },
			do: func(ctx context.Context, by identity.Principal, value func(string) records.Value) error {
				e, err := d.Changes.Executions.Get(ctx, []id.ID{idIn(value("organization_id"))}, idIn(value("id")))
				if err == nil {
					_, err = d.Changes.Executions.Cancel(ctx, e, "an administrator")
				}
				return err
			},
		}},
		"batch": {{
			Name: "stop", Label: "Stop the batch", About: "What it did stays done; the rest is left.", Done: "The batch is stopped.", Danger: true,
			Fits: func(v func(string) records.Value) bool { return v("ended_at").Null },
			do: func(ctx context.Context, by identity.Principal, value func(string) records.Value) error {
				b, err := d.Changes.Executions.Batch(ctx, []id.ID{idIn(value("organization_id"))}, idIn(value("id")))
				if err == nil {
					_, err = d.Changes.Executions.StopBatch(ctx, b, by.User.Label())
				}
				return err
			},
		}},
		"api-key": {{
			Name: "revoke", Label: "Revoke the key", About: "What uses it is refused from now on. There is no way back.", Done: "The key is revoked.", Danger: true,
			Fits: func(v func(string) records.Value) bool { return v("revoked_at").Null },
			do: func(ctx context.Context, _ identity.Principal, value func(string) records.Value) error {
				_, err := d.Changes.Keys.RevokeKey(ctx, idIn(value("service_account_id")), idIn(value("id")))
				return err
			},
		}},
		"runtime": {{
			Name: "remove", Label: "Remove the runtime", About: "Its image goes at the next sweep, unless a deployment runs in it.", Done: "The runtime is removed.", Danger: true,
			Fits: func(v func(string) records.Value) bool { return v("status").Text != "removed" },
			do: func(ctx context.Context, _ identity.Principal, value func(string) records.Value) error {
				return d.Changes.Runtimes.Remove(ctx, idIn(value("id")))
			},
		}},
	}
}

const disablesOrganization = "Its people and keys are refused, its webhooks answer 403 and its schedules fire nothing, until it is enabled. " +
	"What waits is cancelled; runs that are under way go on to their end, unless they are cancelled, too. Nothing is removed."

// idIn is the id in a value, which the store wrote.
func idIn(v records.Value) id.ID {
	parsed, err := id.Parse(v.Text)
	if err != nil {
		return id.ID{}
	}
	return parsed
}

func (d Deps) postDetails(w http.ResponseWriter, r *http.Request, c route.Call[route.None]) error {
	e, row, err := d.row(r, c)
	if err != nil {
		return err
	}
	for _, a := range d.actions()[e.Name] {
		if a.Name != c.Param("action") {
			continue
		}
		err := a.do(r.Context(), c.Principal, valueOf(e, row))
		if err == nil {
			ui.Redirect(w, r, detailsPath(e.Name, e.KeyOf(row))+"?done="+a.Name)
			return nil
		}
		status, text, err := ui.Problem(w, err)
		if err != nil {
			return err
		}
		v := d.details(e, row)
		v.Problem = text
		return ui.Show(w, r, status, d.detailsFrame(e, c), detailsPage(v))
	}
	return fault.New(fault.NotFound, "There is nothing of this kind to do")
}
