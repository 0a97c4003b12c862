package deploy

import (
	"context"
	"slices"

	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/workflow"
)

// Get returns a deployment of one of the organizations.
func (s *Service) Get(ctx context.Context, organizations []id.ID, deployment id.ID) (workflow.Deployment, error) {
	return s.Store.Deployment(ctx, organizations, deployment)
}

// List returns a page of a workflow's deployments, newest first, and the number
// of all.
func (s *Service) List(ctx context.Context, workflow id.ID, limit, offset int) ([]workflow.Deployment, int, error) {
	return s.Store.Deployments(ctx, workflow, limit, offset)
}

// Source returns a deployment's source.
func (s *Service) Source(ctx context.Context, deployment id.ID) (workflow.Source, error) {
	return s.Store.Source(ctx, deployment)
}

// Triggers returns the triggers that a workflow has by its deployments.
func (s *Service) Triggers(ctx context.Context, of id.ID) ([]workflow.Trigger, error) {
	all, err := s.Existing.Triggers(ctx, of)
	return slices.DeleteFunc(all, func(t workflow.Trigger) bool { return t.DevOnly }), err
}

// SetStatus makes a deployment the active one, with the triggers that it
// declares, or sets it inactive.
func (s *Service) SetStatus(ctx context.Context, d workflow.Deployment, status workflow.Status) (workflow.Deployment, error) {
	switch {
	case status == d.Status:
		return d, nil
	case status == workflow.StatusActive:
		w, err := s.Workflows.Workflow(ctx, []id.ID{d.OrganizationID}, d.WorkflowID)
		if err != nil {
			return workflow.Deployment{}, err
		}
		if _, err := s.activate(ctx, w, d, nil, nil); err != nil {
			return workflow.Deployment{}, err
		}
	case status == workflow.StatusInactive:
		if err := s.Store.DeactivateDeployment(ctx, d.ID, s.Now()); err != nil {
			return workflow.Deployment{}, err
		}
		s.Changed(d.WorkflowID)
	default:
		return workflow.Deployment{}, fault.New(fault.Invalid, "status %.20q can't be set; set ACTIVE or INACTIVE", status)
	}
	d.Status = status
	return d, nil
}

// Preview is what activating a deployment would do to the triggers of its
// workflow.
type Preview struct {
	// Keep stay with their addresses, Add are new, and Remove go.
	Keep, Add, Remove []workflow.Trigger
}

// Preview says what SetStatus would do to make a deployment the active one.
func (s *Service) Preview(ctx context.Context, d workflow.Deployment) (Preview, error) {
	w, err := s.Workflows.Workflow(ctx, []id.ID{d.OrganizationID}, d.WorkflowID)
	if err != nil {
		return Preview{}, err
	}
	plan, existing, err := s.plan(ctx, w, d)
	p := Preview{Keep: plan.Keep, Add: plan.Add}
	for _, t := range existing {
		if slices.Contains(plan.Remove, t.ID) {
			p.Remove = append(p.Remove, t)
		}
	}
	return p, err
}

// SetNote stores a note on a deployment; nil removes it.
func (s *Service) SetNote(ctx context.Context, d workflow.Deployment, note *string) (workflow.Deployment, error) {
	if err := checkNote(note); err != nil {
		return workflow.Deployment{}, err
	}
	if err := s.Store.SetDeploymentNote(ctx, d.ID, note); err != nil {
		return workflow.Deployment{}, err
	}
	d.Note = note
	return d, nil
}

// Delete removes a deployment that is not active.
func (s *Service) Delete(ctx context.Context, d workflow.Deployment) error {
	return s.Store.DeleteDeployment(ctx, d.ID, s.Now())
}
