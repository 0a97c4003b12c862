package builtin

import (
	"bytes"
	"encoding/json"

	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/provider"
	"github.com/usefloww/flowwd/internal/workflow"
)

// Type is the provider's type in user code.
const Type = "builtin"

// The provider's triggers.
const (
	onWebhook = "onWebhook"
	onCron    = "onCron"
	onManual  = "onManual"
)

// Provider is the built-in provider.
type Provider struct{}

var _ provider.Provider = Provider{}

// Check accepts the provider's triggers.
func (Provider) Check(d workflow.Declaration) (provider.Need, error) {
	if d.Options.Timezone != "" && d.Type != onCron {
		return provider.Need{}, fault.New(fault.Invalid, "the option timezone belongs to %s; %s has no schedule", onCron, d.Type)
	}
	if d.Options.HandlerResponds && d.Type != onWebhook {
		return provider.Need{}, fault.New(fault.Invalid, "the option respond belongs to %s; nobody waits for the answer of %s", onWebhook, d.Type)
	}
	switch d.Type {
	case onWebhook:
		return checkWebhook(d)
	case onCron:
		return checkCron(d)
	case onManual:
		return checkManual(d)
	case workflow.OnFailure:
		return provider.Need{}, checkFailure(d)
	}
	return provider.Need{}, fault.New(fault.Invalid, "trigger %q of provider %q is not available here; available: %s, %s, %s, %s",
		d.Type, Type, onWebhook, onCron, onManual, workflow.OnFailure)
}

// checkFailure allows one handler of failures, so that it is clear which one a
// failure is told.
func checkFailure(d workflow.Declaration) error {
	if d.Ordinal > 0 {
		return fault.New(fault.Invalid, "%s is declared more than once; a workflow has one", workflow.OnFailure)
	}
	return decode(d, &struct{}{}, "no members")
}

// decode reads the input of a declaration, which may have known keys alone.
func decode(d workflow.Declaration, input any, known string) error {
	dec := json.NewDecoder(bytes.NewReader(d.Input))
	dec.DisallowUnknownFields()
	if err := dec.Decode(input); err != nil {
		return fault.Because(err, fault.Invalid, "the input of %s must be an object with %s, and nothing else", d.Type, known)
	}
	return nil
}
