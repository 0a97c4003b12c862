package trigger

import (
	"context"
	"encoding/json"
	"time"

	"github.com/usefloww/flowwd/internal/execution"
	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/provider"
	"github.com/usefloww/flowwd/internal/workflow"
)

const (
	// maxAhead is how far ahead a run can be asked for.
	maxAhead = 366 * 24 * time.Hour
	// countedRuns is how many of a workflow's latest executions are counted for
	// its triggers.
	countedRuns = 1000
	// upcoming is how many of a schedule's next times are shown.
	upcoming = 5
)

// Invoker shows triggers and fires them by hand.
type Invoker struct {
	Store      Store
	Catalogue  provider.Catalogue
	Executions Accepter
	Events     Events
	Now        func() time.Time
}

// Shown is a trigger with what is known about it beside its declaration.
type Shown struct {
	workflow.Trigger
	// Form is nil when the trigger is not fired by hand.
	Form provider.Form
	// Runs counts its executions among the workflow's latest 1,000.
	Runs int
	// Upcoming are the next times of its schedule.
	Upcoming []time.Time
}

// Trigger returns a trigger of one of the organizations.
func (i *Invoker) Trigger(ctx context.Context, organizations []id.ID, trigger id.ID) (workflow.Trigger, error) {
	return i.Store.Trigger(ctx, organizations, trigger)
}

// List returns the triggers of a workflow.
func (i *Invoker) List(ctx context.Context, of id.ID) ([]Shown, error) {
	triggers, err := i.Store.Triggers(ctx, of)
	if err != nil {
		return nil, err
	}
	runs, err := i.Store.TriggerRuns(ctx, of, countedRuns)
	if err != nil {
		return nil, err
	}
	all := make([]Shown, len(triggers))
	for n, t := range triggers {
		all[n] = Shown{Trigger: t, Runs: runs[t.ID], Upcoming: Upcoming(i.Catalogue, t, upcoming)}
		if need, err := needOf(i.Catalogue, t.Declaration); err == nil {
			all[n].Form = need.Form
		}
	}
	return all, nil
}

// Next returns when the first schedule of each of the workflows that has one fires
// next.
func (i *Invoker) Next(ctx context.Context, workflows []id.ID) (map[id.ID]time.Time, error) {
	return i.Store.NextSchedules(ctx, workflows)
}

// needOf returns what a declared trigger needs.
func needOf(c provider.Catalogue, d workflow.Declaration) (provider.Need, error) {
	source, err := c.Provider(d.Provider.Type)
	if err != nil {
		return provider.Need{}, err
	}
	return source.Check(d)
}

// Invocation asks for a run of a trigger.
type Invocation struct {
	Trigger workflow.Trigger
	// By is who asks for it.
	By    id.ID
	Input json.RawMessage
	// At is when it shall run; nil has it run at once.
	At *time.Time
}

// Invoke fires a trigger that is made to be fired by hand. The input is checked
// before anything is stored.
func (i *Invoker) Invoke(ctx context.Context, in Invocation) (execution.Accepted, error) {
	need, err := needOf(i.Catalogue, in.Trigger.Declaration)
	if err != nil {
		return execution.Accepted{}, err
	}
	if need.Form == nil {
		return execution.Accepted{}, fault.New(fault.Invalid, "Only manual triggers can be invoked via this endpoint")
	}
	if err := i.checkTime(in.At); err != nil {
		return execution.Accepted{}, err
	}
	fields, err := need.Form.Event(in.By.String(), in.Input)
	if err != nil {
		return execution.Accepted{}, err
	}
	t := in.Trigger
	return i.Executions.Accept(ctx, execution.Acceptance{
		OrganizationID: t.OrganizationID, WorkflowID: t.WorkflowID, TriggerID: t.ID,
		Origin: originOf(t.Declaration), Event: execution.Event{Fields: fields},
		TriggeredByID: in.By, AvailableAt: in.At,
	})
}

func (i *Invoker) checkTime(at *time.Time) error {
	now := i.Now()
	switch {
	case at == nil:
		return nil
	case at.Before(now):
		return fault.New(fault.Invalid, "runAt is %s, which has passed", at.UTC().Format(time.RFC3339))
	case at.Sub(now) > maxAhead:
		return fault.New(fault.Invalid, "runAt is %s; it can be at most a year ahead", at.UTC().Format(time.RFC3339))
	}
	return nil
}
