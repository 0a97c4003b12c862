package realm

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
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
	maxTimezone   = 100
	// maxMemory is in megabytes; what an installation allows is less.
	maxMemory = 1 << 20
	// maxSecrets are read for each run.
	maxSecrets = 50
	maxFields  = 100
)

// declared is what the prelude's function of this name returns, as JSON.
type declared struct {
	Triggers  []declaredTrigger
	Providers []declaredProvider
}

// declaredProvider is a secret when it has fields, be it none.
type declaredProvider struct {
	Type, Alias string
	Secret      *[]string
}

type declaredTrigger struct {
	Provider workflow.ProviderRef
	Type     string
	Input    string
	Options  struct {
		Timeout     float64
		Memory      int64
		Concurrency int
		OnInterrupt string
		Retry       *declaredRetry
		Timezone    string
		Respond     string
	}
}

// declaredRetry is the option retry. Times are in seconds.
type declaredRetry struct {
	Attempts        float64
	Backoff         string
	Delay, MaxDelay *float64
	Jitter          *bool
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
	out := engine.Definitions{}
	if err := readProviders(d.Providers, &out); err != nil {
		return engine.Definitions{}, err
	}
	for _, p := range out.Providers {
		if err := checkNames(p.Type, p.Alias); err != nil {
			return engine.Definitions{}, err
		}
	}
	equals := map[string]int{}
	for _, t := range d.Triggers {
		made, err := t.declaration()
		if err != nil {
			return engine.Definitions{}, err
		}
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

func (t declaredTrigger) declaration() (workflow.Declaration, error) {
	retry, err := t.Options.Retry.retry()
	if err != nil {
		return workflow.Declaration{}, invalid("%s: %v", t.Type, err)
	}
	if len(t.Options.Timezone) > maxTimezone {
		return workflow.Declaration{}, invalid("%s: the timezone has %d bytes; at most %d are allowed", t.Type, len(t.Options.Timezone), maxTimezone)
	}
	seconds := min(max(t.Options.Timeout, 0), maxTimeout.Seconds())
	return workflow.Declaration{
		Provider: t.Provider,
		Type:     t.Type,
		Input:    json.RawMessage(t.Input),
		Options: workflow.Options{
			Timeout:         time.Duration(seconds * float64(time.Second)),
			Memory:          min(max(t.Options.Memory, 0), maxMemory) << 20,
			Concurrency:     max(t.Options.Concurrency, 0),
			FailOnInterrupt: t.Options.OnInterrupt == "fail",
			Retry:           retry,
			Timezone:        t.Options.Timezone,
			HandlerResponds: t.Options.Respond == "handler",
		},
	}, nil
}

// retry fills in what was left out.
func (d *declaredRetry) retry() (workflow.Retry, error) {
	if d == nil {
		return workflow.Retry{}, nil
	}
	if d.Attempts != math.Trunc(d.Attempts) {
		return workflow.Retry{}, fmt.Errorf("retry.attempts is %v; it must be a whole number", d.Attempts)
	}
	if d.Backoff != "" && d.Backoff != "exponential" && d.Backoff != "fixed" {
		return workflow.Retry{}, fmt.Errorf(`retry.backoff is %.40q; it must be "exponential" or "fixed"`, d.Backoff)
	}
	r := workflow.Retry{
		Attempts: int(min(max(d.Attempts, 0), math.MaxInt32)), Fixed: d.Backoff == "fixed",
		Delay: workflow.DefaultRetryDelay, Jitter: d.Jitter == nil || *d.Jitter,
	}
	if d.Delay != nil {
		r.Delay = duration(*d.Delay)
	}
	r.MaxDelay = max(workflow.DefaultMaxRetryDelay, min(r.Delay, workflow.MaxRetryDelay))
	if d.MaxDelay != nil {
		r.MaxDelay = duration(*d.MaxDelay)
	} else if r.Fixed {
		r.MaxDelay = r.Delay
	}
	if r.Attempts == 0 {
		return r, fmt.Errorf("retry.attempts must be 1 to %d", workflow.MaxRetryAttempts)
	}
	return r, r.Check()
}

// duration is a number of seconds, bounded to what makes a difference.
func duration(seconds float64) time.Duration {
	bound := 2 * workflow.MaxRetryDelay.Seconds()
	return time.Duration(min(max(seconds, -1), bound) * float64(time.Second))
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

// readProviders sorts secrets out. What asks twice for one asks for the fields
// of both.
func readProviders(declared []declaredProvider, out *engine.Definitions) error {
	at := map[workflow.ProviderRef]int{}
	for _, p := range declared {
		ref := workflow.ProviderRef{Type: p.Type, Alias: p.Alias}
		out.Providers = append(out.Providers, ref)
		if p.Secret == nil {
			continue
		}
		i, known := at[ref]
		if !known {
			i = len(out.Secrets)
			at[ref] = i
			out.Secrets = append(out.Secrets, engine.Secret{ProviderRef: ref})
		}
		if err := checkNames(*p.Secret...); err != nil {
			return err
		}
		if len(*p.Secret) > maxFields {
			return invalid("the secret %q has %d fields; at most %d are allowed", p.Type, len(*p.Secret), maxFields)
		}
		for _, field := range *p.Secret {
			if !slices.Contains(out.Secrets[i].Fields, field) {
				out.Secrets[i].Fields = append(out.Secrets[i].Fields, field)
			}
		}
	}
	if len(out.Secrets) > maxSecrets {
		return invalid("the code asks for %d secrets; at most %d are allowed", len(out.Secrets), maxSecrets)
	}
	out.Providers = unique(out.Providers)
	return nil
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
