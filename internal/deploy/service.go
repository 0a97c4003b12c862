package deploy

import (
	"context"
	"encoding/json"
	"time"

	"github.com/usefloww/flowwd/internal/engine"
	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/trigger"
	"github.com/usefloww/flowwd/internal/workflow"
)

// Bounds of what a client says beside the source.
const (
	maxNote       = 10_000
	maxSDKVersion = 100
	maxMappings   = 64 << 10
)

// TriggerStore reads the triggers that exist.
type TriggerStore interface {
	Triggers(ctx context.Context, workflow id.ID) ([]workflow.Trigger, error)
}

// WorkflowStore reads workflows.
type WorkflowStore interface {
	Workflow(ctx context.Context, organizations []id.ID, workflow id.ID) (workflow.Workflow, error)
}

// Config is what a Service is made of. All fields but DefaultImage are required.
type Config struct {
	Store     Store
	Workflows WorkflowStore
	Existing  TriggerStore
	Engine    engine.Engine
	Planner   *trigger.Planner
	Secrets   Secrets
	IDs       *id.Source
	Now       func() time.Time
	// Changed is told after the triggers of a workflow changed.
	Changed func(workflow id.ID)
	// DefaultImage is where sources run that name no image; empty for the embedded
	// engine.
	DefaultImage string
	// MaxTimeout is the longest that a trigger may give its runs; 0 for no bound.
	MaxTimeout time.Duration
	// MaxMemory is the most that a trigger may give its runs, in bytes; 0 for no
	// bound.
	MaxMemory int64
	// MaxCompiling is how many sources are compiled at once.
	MaxCompiling int
}

// Service makes and manages deployments.
type Service struct {
	Config
	compiling chan struct{}
}

// New returns a Service.
func New(c Config) *Service {
	return &Service{Config: c, compiling: make(chan struct{}, max(1, c.MaxCompiling))}
}

// Request is an upload of source for a workflow.
type Request struct {
	Workflow         workflow.Workflow
	Source           workflow.Source
	ClientSDKVersion string
	ProviderMappings json.RawMessage
	DeployedByID     id.ID
	// MayUseSecrets says that whoever deploys may have code ask for secrets that
	// the workflow does not use yet.
	MayUseSecrets bool
	Note          *string
	// Runtime is the runtime of an image that is ready, and Source.Image its
	// image; zero for the default one.
	Runtime id.ID
}

func (r Request) check() error {
	switch {
	case len(r.ClientSDKVersion) > maxSDKVersion:
		return fault.New(fault.Invalid, "sdkVersion has %d bytes; at most %d are allowed", len(r.ClientSDKVersion), maxSDKVersion)
	case len(r.ProviderMappings) > maxMappings:
		return fault.New(fault.Invalid, "providerMappings has %d bytes; at most %d are allowed", len(r.ProviderMappings), maxMappings)
	}
	if err := checkNote(r.Note); err != nil {
		return err
	}
	return r.Source.Check()
}

func checkNote(note *string) error {
	if note != nil && len(*note) > maxNote {
		return fault.New(fault.Invalid, "note has %d bytes; at most %d are allowed", len(*note), maxNote)
	}
	return nil
}

// Deploy makes a source the active deployment of its workflow and returns it
// with the triggers that the workflow has then. Equal content answers the
// deployment that is active already.
func (s *Service) Deploy(ctx context.Context, r Request) (workflow.Deployment, []workflow.Trigger, error) {
	if err := r.check(); err != nil {
		return workflow.Deployment{}, nil, err
	}
	if r.Source.Image == "" {
		r.Source.Image = s.DefaultImage
	}
	if d, triggers, err := s.unchanged(ctx, r); err != nil || triggers != nil {
		return d, triggers, err
	}
	program, definitions, err := s.build(ctx, r.Workflow.OrganizationID, r.Source)
	if err != nil {
		return workflow.Deployment{}, nil, err
	}
	if err := s.checkLimits(definitions.Triggers); err != nil {
		return workflow.Deployment{}, nil, err
	}
	if err := s.checkSecrets(ctx, r, definitions.Secrets); err != nil {
		return workflow.Deployment{}, nil, err
	}
	program.Secrets = refsOf(definitions.Secrets)
	d := workflow.Deployment{
		ID:               s.IDs.New(),
		OrganizationID:   r.Workflow.OrganizationID,
		WorkflowID:       r.Workflow.ID,
		Status:           workflow.StatusActive,
		SourceHash:       r.Source.Hash(),
		ProgramHash:      program.Hash,
		Entrypoint:       r.Source.Entrypoint,
		ClientSDKVersion: r.ClientSDKVersion,
		Providers:        definitions.Providers,
		Triggers:         definitions.Triggers,
		ProviderMappings: r.ProviderMappings,
		DeployedByID:     r.DeployedByID,
		DeployedAt:       s.Now(),
		Note:             r.Note,
		RuntimeID:        r.Runtime,
	}
	triggers, err := s.activate(ctx, r.Workflow, d, &r.Source, program)
	if err != nil {
		return workflow.Deployment{}, nil, err
	}
	return d, triggers, nil
}

// checkLimits refuses what no run could have.
func (s *Service) checkLimits(declared []workflow.Declaration) error {
	for _, d := range declared {
		if asked := d.Options.Timeout; s.MaxTimeout > 0 && asked > s.MaxTimeout {
			return fault.New(fault.Invalid, "A trigger %s asks for a timeout of %v seconds; at most %v are allowed", d.Type, asked.Seconds(), s.MaxTimeout.Seconds())
		}
		if asked := d.Options.Memory; s.MaxMemory > 0 && asked > s.MaxMemory {
			return fault.New(fault.Invalid, "A trigger %s asks for %d MB of memory; at most %d are allowed (the setting FLOWW_RUN_MEMORY_MAX)", d.Type, asked>>20, s.MaxMemory>>20)
		}
	}
	return nil
}

// unchanged returns the active deployment with its triggers when its content is
// the request's; triggers is nil otherwise.
func (s *Service) unchanged(ctx context.Context, r Request) (workflow.Deployment, []workflow.Trigger, error) {
	active := r.Workflow.ActiveDeployment
	if active == nil {
		return workflow.Deployment{}, nil, nil
	}
	d, err := s.Store.Deployment(ctx, []id.ID{r.Workflow.OrganizationID}, active.ID)
	if err != nil {
		return workflow.Deployment{}, nil, err
	}
	if d.SourceHash != r.Source.Hash() || d.RuntimeID != r.Runtime || d.ClientSDKVersion != r.ClientSDKVersion || string(d.ProviderMappings) != string(r.ProviderMappings) {
		return workflow.Deployment{}, nil, nil
	}
	triggers, err := s.Triggers(ctx, r.Workflow.ID)
	if err != nil {
		return workflow.Deployment{}, nil, err
	}
	if triggers == nil {
		triggers = []workflow.Trigger{}
	}
	return d, triggers, nil
}

// activate plans the triggers and stores everything in one unit.
func (s *Service) activate(ctx context.Context, w workflow.Workflow, d workflow.Deployment, source *workflow.Source, program *workflow.Program) ([]workflow.Trigger, error) {
	plan, _, err := s.plan(ctx, w, d)
	if err != nil {
		return nil, err
	}
	err = s.Store.ActivateDeployment(ctx, Activation{
		Deployment: d, Source: source, Program: program, Version: w.Version,
		Keep: plan.Keep, Add: plan.Add, Remove: plan.Remove, At: s.Now(),
	})
	if err != nil {
		return nil, err
	}
	s.Changed(w.ID)
	return append(plan.Keep, plan.Add...), nil
}

// plan returns what a deployment changes about the triggers of its workflow, and
// those that it has now.
func (s *Service) plan(ctx context.Context, w workflow.Workflow, d workflow.Deployment) (trigger.Plan, []workflow.Trigger, error) {
	existing, err := s.Existing.Triggers(ctx, w.ID)
	if err != nil {
		return trigger.Plan{}, nil, err
	}
	plan, refusals, err := s.Planner.Plan(w, existing, d.Triggers)
	if err == nil && len(refusals) > 0 {
		err = trigger.RefusalFault(refusals)
	}
	return plan, existing, err
}
