package trigger

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/provider"
	"github.com/usefloww/flowwd/internal/workflow"
)

// Prefix begins the path of every webhook.
const Prefix = "/webhook/"

// MaxPerDeployment bounds the triggers of one deployment.
const MaxPerDeployment = 1000

// Planner matches declared triggers with those that exist.
type Planner struct {
	Catalogue provider.Catalogue
	IDs       *id.Source
	Now       func() time.Time
}

// Plan is what has to change so that a workflow has exactly the declared
// triggers.
type Plan struct {
	// Keep exist and stay, with id and address; their options and the text of
	// their input are the declared ones. NextAt is set where it changes.
	Keep []workflow.Trigger
	// Add are new.
	Add []workflow.Trigger
	// Remove are declared no more.
	Remove []id.ID
}

// Refusal says why a declared trigger can't be had.
type Refusal struct {
	Declaration workflow.Declaration
	Err         error
}

// Plan returns the changes for a workflow, or the refusals when at least one
// declared trigger can't be had.
func (p *Planner) Plan(w workflow.Workflow, existing []workflow.Trigger, declared []workflow.Declaration) (Plan, []Refusal, error) {
	if len(declared) > MaxPerDeployment {
		return Plan{}, nil, fault.New(fault.Invalid, "the code declares %d triggers; at most %d are allowed", len(declared), MaxPerDeployment)
	}
	old := make(map[string]workflow.Trigger, len(existing))
	for _, t := range existing {
		identity, err := t.Identity()
		if err != nil {
			return Plan{}, nil, fmt.Errorf("identity of trigger %s: %w", t.ID, err)
		}
		old[identity] = t
	}
	var plan Plan
	var refusals []Refusal
	var taken claims
	for _, d := range declared {
		t, isNew, err := p.match(w, old, d)
		if err == nil {
			err = taken.claim(t)
		}
		switch {
		case err != nil:
			refusals = append(refusals, Refusal{Declaration: d, Err: err})
		case isNew:
			plan.Add = append(plan.Add, t)
		default:
			plan.Keep = append(plan.Keep, t)
		}
	}
	for _, t := range existing {
		if identity, err := t.Identity(); err == nil {
			if _, left := old[identity]; left && !t.DevOnly {
				plan.Remove = append(plan.Remove, t.ID)
			}
		}
	}
	return plan, refusals, nil
}

// match returns the trigger for a declaration and takes it out of old, or makes
// a new one.
func (p *Planner) match(w workflow.Workflow, old map[string]workflow.Trigger, d workflow.Declaration) (workflow.Trigger, bool, error) {
	need, identity, err := p.check(d)
	if err != nil {
		return workflow.Trigger{}, false, err
	}
	if t, ok := old[identity]; ok {
		delete(old, identity)
		same := t.Options.Timezone == d.Options.Timezone && t.NextAt != nil
		t.Declaration, t.NextAt, t.DevOnly = d, nil, false
		if need.Schedule != nil && !same {
			t.NextAt = nextOf(need.Schedule, p.Now())
		}
		return t, false, nil
	}
	t, err := p.made(w, d, need)
	return t, true, err
}

// check returns what a declared trigger needs, and what tells it from others.
func (p *Planner) check(d workflow.Declaration) (need provider.Need, identity string, err error) {
	if need, err = needOf(p.Catalogue, d); err != nil {
		return need, "", err
	}
	if identity, err = d.Identity(); err != nil {
		err = fault.Because(err, fault.Invalid, "the trigger's input is no JSON")
	}
	return need, identity, err
}

// made is a new trigger.
func (p *Planner) made(w workflow.Workflow, d workflow.Declaration, need provider.Need) (t workflow.Trigger, err error) {
	t = workflow.Trigger{
		ID: p.IDs.New(), OrganizationID: w.OrganizationID, WorkflowID: w.ID,
		Declaration: d, CreatedAt: p.Now(),
	}
	if need.Schedule != nil {
		t.NextAt = nextOf(need.Schedule, t.CreatedAt)
	}
	if need.Webhook != nil {
		t.Webhook, err = p.address(w, need.Webhook)
	}
	return t, err
}

// address makes the webhook of a new trigger. One without a path of the
// author's is reachable only by who knows its random path.
func (p *Planner) address(w workflow.Workflow, need *provider.WebhookNeed) (*workflow.Webhook, error) {
	hook := &workflow.Webhook{ID: p.IDs.New(), Method: need.Method, Path: Prefix + w.ID.String() + "/" + need.Path}
	if need.Path == "" {
		var random [16]byte
		if _, err := rand.Read(random[:]); err != nil {
			return nil, fmt.Errorf("make a random address: %w", err)
		}
		hook.Path = Prefix + hex.EncodeToString(random[:])
	}
	return hook, nil
}

// claims are the addresses that the triggers of one deployment have.
type claims map[shape][]*workflow.Webhook

// claim refuses an address that another trigger has, or that can't be told from
// another one's.
func (c *claims) claim(t workflow.Trigger) error {
	h := t.Webhook
	if h == nil {
		return nil
	}
	s := shapeOf(h.Method, segmentsOf(h.Path))
	for _, other := range (*c)[s] {
		mine, theirs := authored(t, h), authored(t, other)
		switch how, example := meet(h.Path, other.Path); {
		case how == same && h.Path == other.Path:
			return fault.New(fault.Invalid, "%s is declared by two triggers; give one of them another path or method", mine)
		case how == same:
			return fault.New(fault.Invalid, "%s and %s are the same address; names of parameters don't tell addresses apart", theirs, mine)
		case how == ambiguous:
			return fault.New(fault.Invalid, "%s and %s are both right for %s; make one of them more exact", theirs, mine, authored(t, &workflow.Webhook{Path: example}))
		}
	}
	c.take(h)
	return nil
}

// take notes an address.
func (c *claims) take(h *workflow.Webhook) {
	if *c == nil {
		*c = claims{}
	}
	s := shapeOf(h.Method, segmentsOf(h.Path))
	(*c)[s] = append((*c)[s], h)
}

// authored is an address as the author of the code knows it.
func authored(t workflow.Trigger, h *workflow.Webhook) string {
	path := strings.TrimPrefix(h.Path, Prefix+t.WorkflowID.String())
	return strings.TrimSpace(h.Method + " " + path)
}

// RefusalFault returns the fault that tells a client which triggers can't be
// had. Its detail is the object that every version of the command line reads:
// workflows-runtime.md 9.1.
func RefusalFault(refusals []Refusal) error {
	const message = "Failed to create one or more triggers"
	failed := make([]map[string]string, len(refusals))
	lines := make([]string, len(refusals))
	for i, r := range refusals {
		d, text := r.Declaration, "internal error"
		var f *fault.Error
		if errors.As(r.Err, &f) {
			text = f.Message
		}
		failed[i] = map[string]string{
			"provider_type": d.Provider.Type, "providerType": d.Provider.Type,
			"provider_alias": d.Provider.Alias, "providerAlias": d.Provider.Alias,
			"trigger_type": d.Type, "triggerType": d.Type,
			"error": text,
		}
		lines[i] = d.Provider.Type + "." + d.Type + ": " + text
	}
	return &fault.Error{
		Kind:    fault.Invalid,
		Message: message + ": " + strings.Join(lines, "; "),
		Detail:  map[string]any{"message": message, "failed_triggers": failed, "failedTriggers": failed},
	}
}
