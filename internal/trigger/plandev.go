package trigger

import (
	"fmt"

	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/workflow"
)

// DevPlan is what a development session needs so that events of the declared
// triggers reach it.
type DevPlan struct {
	// Use are triggers that exist, of a deployment or of development.
	Use []workflow.Trigger
	// Add are new, for development alone.
	Add []workflow.Trigger
}

// PlanDev returns what a session needs, or the refusals when at least one
// declared trigger can't be had. What exists stays as it is.
func (p *Planner) PlanDev(w workflow.Workflow, existing []workflow.Trigger, declared []workflow.Declaration) (DevPlan, []Refusal, error) {
	if len(declared) > MaxPerDeployment {
		return DevPlan{}, nil, fault.New(fault.Invalid, "the code declares %d triggers; at most %d are allowed", len(declared), MaxPerDeployment)
	}
	known := make(map[string]workflow.Trigger, len(existing))
	var taken claims
	for _, t := range existing {
		identity, err := t.Identity()
		if err != nil {
			return DevPlan{}, nil, fmt.Errorf("identity of trigger %s: %w", t.ID, err)
		}
		known[identity] = t
		if t.Webhook != nil && !t.DevOnly {
			taken.take(t.Webhook)
		}
	}
	var plan DevPlan
	var refusals []Refusal
	for _, d := range declared {
		t, isNew, err := p.find(w, known, d)
		if err == nil && isNew {
			err = taken.claim(t)
		}
		switch {
		case err != nil:
			refusals = append(refusals, Refusal{Declaration: d, Err: err})
		case isNew:
			t.DevOnly = true
			plan.Add = append(plan.Add, t)
		default:
			plan.Use = append(plan.Use, t)
		}
	}
	return plan, refusals, nil
}

// find returns the trigger that a declaration names, or a new one.
func (p *Planner) find(w workflow.Workflow, known map[string]workflow.Trigger, d workflow.Declaration) (workflow.Trigger, bool, error) {
	need, identity, err := p.check(d)
	if err != nil {
		return workflow.Trigger{}, false, err
	}
	t, ok := known[identity]
	if ok {
		delete(known, identity)
		t.Input = d.Input
		return t, false, nil
	}
	t, err = p.made(w, d, need)
	return t, true, err
}
