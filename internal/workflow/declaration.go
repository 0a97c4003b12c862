package workflow

import (
	"bytes"
	"cmp"
	"encoding/json"
	"time"
)

// ProviderRef names a provider as user code does: a type and an alias.
type ProviderRef struct {
	Type  string
	Alias string
}

// Compare orders references by type and alias.
func (r ProviderRef) Compare(other ProviderRef) int {
	return cmp.Or(cmp.Compare(r.Type, other.Type), cmp.Compare(r.Alias, other.Alias))
}

// OnFailure is the type of the trigger that failures of its workflow fire.
const OnFailure = "onFailure"

// Declaration is one trigger that a deployment's code registers.
type Declaration struct {
	Provider ProviderRef
	// Type is the trigger type, such as "onWebhook".
	Type string
	// Input is the trigger's input exactly as the code gave it; its key order
	// is part of the wire contract.
	Input json.RawMessage
	// Options steer how runs of the trigger behave. They are no part of its
	// identity.
	Options Options
	// Ordinal counts equal declarations within one deployment from 0.
	Ordinal int
}

// Options are the settings of a trigger beside its input. Zero values stand for
// the defaults of the installation.
type Options struct {
	// Timeout bounds one attempt.
	Timeout time.Duration
	// Memory is what the code of one attempt may allocate, in bytes.
	Memory int64
	// Concurrency is the greatest number of the trigger's runs at once.
	Concurrency int
	// FailOnInterrupt makes an interrupted run fail instead of running again.
	FailOnInterrupt bool
	// Retry says what follows a failed attempt.
	Retry Retry
	// Timezone is the name of the place whose clock a schedule goes by, such as
	// "Europe/Berlin"; empty for UTC.
	Timezone string
	// HandlerResponds has the sender of a webhook wait for the handler's answer.
	HandlerResponds bool
}

// Identity is what makes two declarations the same trigger: provider, trigger
// type, input with keys sorted at every level, and the ordinal among equals.
// Options are left out, so that changing them keeps a trigger's URL.
func (d Declaration) Identity() (string, error) {
	input, err := canonical(d.Input)
	if err != nil {
		return "", err
	}
	text, err := json.Marshal([]any{d.Provider.Type, d.Provider.Alias, d.Type, input, d.Ordinal})
	if err != nil {
		return "", err
	}
	return string(text), nil
}

// canonical returns a JSON text with keys sorted and numbers as they were
// written.
func canonical(input json.RawMessage) (json.RawMessage, error) {
	if len(input) == 0 {
		return json.RawMessage("null"), nil
	}
	dec := json.NewDecoder(bytes.NewReader(input))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		return nil, err
	}
	return json.Marshal(v)
}
