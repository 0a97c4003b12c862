package realm

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/usefloww/flowwd/internal/engine"
	"github.com/usefloww/flowwd/internal/workflow"
)

// Bounds of what one program may declare.
const (
	maxTriggers   = 1000
	maxProviders  = 1000
	maxInputBytes = 256 << 10
	maxName       = 255
	maxTimeout    = 24 * time.Hour
)

// declared is what the prelude's function of this name returns, as JSON.
type declared struct {
	Triggers  []declaredTrigger
	Providers []workflow.ProviderRef
}

type declaredTrigger struct {
	Provider workflow.ProviderRef
	Type     string
	Input    string
	Options  struct {
		Timeout     float64
		Concurrency int
		OnInterrupt string
	}
}

// Definitions reads what Define returned, checks it and counts equals. It
// believes nothing about its origin. The error is an *engine.Failure when the
// code declares what it must not.
func Definitions(text json.RawMessage) (engine.Definitions, error) {
	var d declared
	if err := json.Unmarshal(text, &d); err != nil {
		return engine.Definitions{}, fmt.Errorf("read the declarations: %w", err)
	}
	if len(d.Triggers) > maxTriggers || len(d.Providers) > maxProviders {
		return engine.Definitions{}, invalid("the code registers %d triggers and %d providers; at most %d of each are allowed",
			len(d.Triggers), len(d.Providers), maxTriggers)
	}
	out := engine.Definitions{Providers: unique(d.Providers)}
	for _, p := range out.Providers {
		if err := checkNames(p.Type, p.Alias); err != nil {
			return engine.Definitions{}, err
		}
	}
	equals := map[string]int{}
	for _, t := range d.Triggers {
		made := t.declaration()
		if err := checkNames(made.Provider.Type, made.Provider.Alias, made.Type); err != nil {
			return engine.Definitions{}, err
		}
		if len(made.Input) > maxInputBytes {
			return engine.Definitions{}, invalid("the input of a %s trigger has %d bytes of JSON; at most %d are allowed", made.Type, len(made.Input), maxInputBytes)
		}
		if !json.Valid(made.Input) {
			return engine.Definitions{}, invalid("the input of a %s trigger is no JSON", made.Type)
		}
		identity, err := made.Identity()
		if err != nil {
			return engine.Definitions{}, fmt.Errorf("identify a registered trigger: %w", err)
		}
		made.Ordinal = equals[identity]
		equals[identity]++
		out.Triggers = append(out.Triggers, made)
	}
	return out, nil
}

func (t declaredTrigger) declaration() workflow.Declaration {
	seconds := min(max(t.Options.Timeout, 0), maxTimeout.Seconds())
	return workflow.Declaration{
		Provider: t.Provider,
		Type:     t.Type,
		Input:    json.RawMessage(t.Input),
		Options: workflow.Options{
			Timeout:         time.Duration(seconds * float64(time.Second)),
			Concurrency:     max(t.Options.Concurrency, 0),
			FailOnInterrupt: t.Options.OnInterrupt == "fail",
		},
	}
}

// checkNames bounds the names that end up in listings and addresses.
func checkNames(names ...string) error {
	for _, name := range names {
		if name == "" || len(name) > maxName {
			return invalid("the types and aliases of providers and the types of triggers have 1 to %d bytes; %.40q has %d", maxName, name, len(name))
		}
	}
	return nil
}

func invalid(format string, args ...any) *engine.Failure {
	return &engine.Failure{Reason: engine.Threw, Message: fmt.Sprintf(format, args...)}
}

// unique keeps the first of equal references.
func unique(refs []workflow.ProviderRef) []workflow.ProviderRef {
	seen := map[workflow.ProviderRef]bool{}
	var out []workflow.ProviderRef
	for _, r := range refs {
		if !seen[r] {
			seen[r] = true
			out = append(out, r)
		}
	}
	return out
}
