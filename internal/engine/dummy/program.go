package dummy

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/usefloww/flowwd/internal/engine"
	"github.com/usefloww/flowwd/internal/workflow"
)

// behaviourFile is the file that is the program, when a source has it.
const behaviourFile = "behaviour"

// program is a parsed behaviour.
type program struct {
	triggers  []workflow.Declaration
	providers []workflow.ProviderRef
	steps     []step
}

// step is one line that does something.
type step struct{ word, rest string }

// parse reads a behaviour and checks it as far as that is possible before it
// runs.
func parse(file, text string) (program, []engine.Problem) {
	var p program
	var problems []engine.Problem
	n := 0
	for line := range strings.Lines(text) {
		n++
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		word, rest, _ := strings.Cut(line, " ")
		if err := p.add(word, strings.TrimSpace(rest)); err != nil {
			problems = append(problems, engine.Problem{File: file, Line: n, Column: 1, Text: err.Error()})
		}
	}
	if len(p.triggers) == 0 {
		p.triggers = []workflow.Declaration{declaration("onWebhook", "{}")}
	}
	return p, problems
}

func declaration(kind, input string) workflow.Declaration {
	return workflow.Declaration{
		Provider: workflow.ProviderRef{Type: "builtin", Alias: "default"},
		Type:     kind,
		Input:    json.RawMessage(input),
	}
}

func (p *program) add(word, rest string) error {
	switch word {
	case "trigger":
		return p.addTrigger(rest)
	case "options":
		return p.addOptions(rest)
	case "provider":
		kind, alias, ok := strings.Cut(rest, " ")
		if !ok {
			return fmt.Errorf("provider needs a type and an alias")
		}
		p.providers = append(p.providers, workflow.ProviderRef{Type: kind, Alias: alias})
		return nil
	case "return":
		if !json.Valid([]byte(rest)) {
			return fmt.Errorf("return needs JSON")
		}
	case "sleep":
		if _, err := time.ParseDuration(rest); err != nil {
			return fmt.Errorf("sleep needs a duration such as 50ms")
		}
	case "log", "log.debug", "log.info", "log.warn", "log.error", "flood", "huge", "fail", "echo", "attempt",
		"out-of-memory", "crash", "never-settles", "interrupt", "broken", "hang":
	default:
		return fmt.Errorf("%q is no step", word)
	}
	p.steps = append(p.steps, step{word, rest})
	return nil
}

func (p *program) addTrigger(rest string) error {
	kind, input, _ := strings.Cut(rest, " ")
	if input == "" {
		input = "{}"
	}
	if kind == "" || !json.Valid([]byte(input)) {
		return fmt.Errorf("trigger needs a type and JSON")
	}
	p.triggers = append(p.triggers, declaration(kind, input))
	return nil
}

func (p *program) addOptions(rest string) error {
	if len(p.triggers) == 0 {
		return fmt.Errorf("options belong to the trigger before them; there is none")
	}
	var o struct {
		Timeout     float64
		Memory      int64
		Concurrency int
		OnInterrupt string
		Retry       struct {
			Attempts int
			Delay    float64
		}
	}
	if err := json.Unmarshal([]byte(rest), &o); err != nil {
		return fmt.Errorf("options need a JSON object: %w", err)
	}
	p.triggers[len(p.triggers)-1].Options = workflow.Options{
		Timeout:         time.Duration(o.Timeout * float64(time.Second)),
		Memory:          o.Memory << 20,
		Concurrency:     o.Concurrency,
		FailOnInterrupt: o.OnInterrupt == "fail",
	}
	if o.Retry.Attempts > 0 {
		wait := time.Duration(o.Retry.Delay * float64(time.Second))
		p.triggers[len(p.triggers)-1].Options.Retry = workflow.Retry{Attempts: o.Retry.Attempts, Fixed: true, Delay: wait, MaxDelay: wait}
	}
	return nil
}

// definitions counts the ordinals of equal triggers.
func (p *program) definitions() (engine.Definitions, error) {
	equals := map[string]int{}
	out := engine.Definitions{Providers: p.providers}
	for _, t := range p.triggers {
		identity, err := t.Identity()
		if err != nil {
			return out, fmt.Errorf("identify a trigger: %w", err)
		}
		t.Ordinal = equals[identity]
		equals[identity]++
		out.Triggers = append(out.Triggers, t)
	}
	return out, nil
}

// declares returns an *engine.Failure when no trigger of the program is the
// given one.
func (p *program) declares(trigger workflow.Declaration) error {
	want, err := trigger.Identity()
	if err != nil {
		return fmt.Errorf("identify the trigger: %w", err)
	}
	declared, err := p.definitions()
	if err != nil {
		return err
	}
	for _, t := range declared.Triggers {
		if got, err := t.Identity(); err == nil && got == want {
			return nil
		}
	}
	return &engine.Failure{Reason: engine.NoHandler, Message: "the program declares no such trigger"}
}

// ordered returns the behaviour that an event asks for.
func ordered(e engine.Event) (string, bool) {
	var body struct{ Behaviour string }
	if !e.HasBody || json.Unmarshal(e.Body, &body) != nil || body.Behaviour == "" {
		return "", false
	}
	return body.Behaviour, true
}
