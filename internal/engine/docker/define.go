package docker

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/usefloww/flowwd/internal/engine"
	"github.com/usefloww/flowwd/internal/engine/embedded/realm"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/workflow"
)

// maxDefined bounds what a program declares, in bytes.
const maxDefined = 4 << 20

// Define has the container load the program once. See engine.Engine.
func (e *Engine) Define(ctx context.Context, organization id.ID, program *workflow.Program) (engine.Definitions, error) {
	e.runs.Add(1)
	defer e.runs.Done()
	parsed, err := e.bundles.of(program)
	if err != nil {
		return engine.Definitions{}, err
	}
	if err := e.slot(ctx); err != nil {
		return engine.Definitions{}, err
	}
	defer func() { <-e.slots }()
	p := e.use(podKey{organization, parsed.Image})
	defer e.release(p)
	in, leave, err := e.within(ctx, p)
	if err != nil {
		return engine.Definitions{}, err
	}
	defer leave()
	x := e.newExchange(ctx, in, e.config.DefineTimeout)
	defer x.stop()
	declared, err := x.define(request{
		Type: typeDefine, UserCode: &userCode{parsed.Files, parsed.Entrypoint}, ProviderConfigs: json.RawMessage("{}"),
	}, program.Hash)
	if err != nil {
		return engine.Definitions{}, x.outcome(err)
	}
	definitions, err := realm.Definitions(declared)
	if _, ok := errors.AsType[*engine.Failure](err); err != nil && !ok {
		return definitions, x.outcome(fmt.Errorf("%w: %w", errBroken, err))
	}
	return definitions, err
}

// define returns what the code registers, as realm.Definitions takes it.
func (x *exchange) define(r request, program workflow.Hash) (json.RawMessage, error) {
	if !x.in.streams {
		return x.definePlain(r)
	}
	r.ProgramHash = hex.EncodeToString(program[:])
	var declared json.RawMessage
	err := x.stream(r, program, maxDefined, func(line eventLine) error {
		switch {
		case line.Failed != nil:
			return x.failure(*line.Failed)
		case line.Defined != nil:
			declared = line.Defined
		}
		return nil // what the top level logs is nobody's
	})
	if err == nil && declared == nil {
		err = fmt.Errorf("%w: its answer ends without definitions", errBroken)
	}
	return declared, err
}

// ownProviders are the types of providers that are the server's own and take no
// config.
var ownProviders = []string{"builtin", "kvstore"}

// definePlain asks an image that knows only the contract.
func (x *exchange) definePlain(r request) (json.RawMessage, error) {
	a, ok, err := x.ask(r)
	if err != nil {
		return nil, err
	}
	if !ok {
		message, stack := a.complaint()
		return nil, &engine.Failure{Reason: engine.Threw, Message: bounded(orText(message, "the code can't be loaded")), Stack: bounded(stack), Duration: x.took()}
	}
	if a.Triggers == nil {
		return nil, fmt.Errorf("%w: it answers get_definitions without triggers", errBroken)
	}
	type trigger struct {
		Provider providerWire
		Type     string
		Input    string
	}
	type provider struct {
		providerWire
		Secret *[]string `json:",omitempty"`
	}
	var declared struct {
		Triggers  []trigger
		Providers []provider
	}
	for _, p := range a.Providers {
		made := provider{providerWire: p}
		if !slices.Contains(ownProviders, p.Type) {
			// It does not say which fields of its config it needs.
			made.Secret = &[]string{}
		}
		declared.Providers = append(declared.Providers, made)
	}
	for _, t := range a.Triggers {
		declared.Triggers = append(declared.Triggers, trigger{t.Provider, t.TriggerType, string(triggerOf(workflow.Declaration{Input: t.Input}).Input)})
	}
	return json.Marshal(declared)
}
