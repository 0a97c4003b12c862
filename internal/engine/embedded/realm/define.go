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
	Triggers []struct {
		Provider workflow.ProviderRef
		Type     string
		Input    string
		Options  struct {
			Timeout     float64
			Concurrency int
			OnInterrupt string
		}
	}
	Providers []workflow.ProviderRef
}

// definitions checks what a program declared and counts equals.
func definitions(text string) (engine.Definitions, error) {
	var d declared
	if err := json.Unmarshal([]byte(text), &d); err != nil {
		return engine.Definitions{}, fmt.Errorf("read the declarations: %w", err)
	}
	if len(d.Triggers) > maxTriggers || len(d.Providers) > maxProviders {
		return engine.Definitions{}, invalid("the code registers %d triggers and %d providers; at most %d of each are allowed",
			len(d.Triggers), len(d.Providers), maxTriggers)
	}
	out := engine.Definitions{Providers: unique(d.Providers)}
	equals := map[string]int{}
	for _, t := range d.Triggers {
		made := workflow.Declaration{
			Provider: t.Provider,
			Type:     t.Type,
			Input:    json.RawMessage(t.Input),
			Options: workflow.Options{
				Timeout:         time.Duration(min(t.Options.Timeout, maxTimeout.Seconds()) * float64(time.Second)),
				Concurrency:     t.Options.Concurrency,
				FailOnInterrupt: t.Options.OnInterrupt == "fail",
			},
		}
		if err := checkNames(made); err != nil {
			return engine.Definitions{}, err
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

func checkNames(d workflow.Declaration) error {
	for what, name := range map[string]string{"a provider's type": d.Provider.Type, "a provider's alias": d.Provider.Alias, "a trigger's type": d.Type} {
		if len(name) > maxName {
			return invalid("%s has %d bytes; at most %d are allowed", what, len(name), maxName)
		}
	}
	if len(d.Input) > maxInputBytes {
		return invalid("the input of a %s trigger has %d bytes of JSON; at most %d are allowed", d.Type, len(d.Input), maxInputBytes)
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
