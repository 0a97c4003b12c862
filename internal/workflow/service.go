package workflow

import (
	"context"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
)

// Bounds of a workflow's texts and listings.
const (
	MaxName        = 255
	MaxDescription = 10_000
	MaxPage        = 100
	DefaultPage    = 50
)

// Store keeps workflows. Each method is one atomic unit.
type Store interface {
	// CreateWorkflow stores a workflow; fault.Conflict when the namespace has
	// one of this name, fault.NotFound when the namespace or the folder is gone.
	CreateWorkflow(ctx context.Context, w Workflow) error
	// Workflow returns a workflow that one of the organizations owns;
	// fault.NotFound otherwise.
	Workflow(ctx context.Context, organizations []id.ID, workflow id.ID) (Workflow, error)
	// Workflows returns a page, the one changed last first.
	Workflows(ctx context.Context, filter ListFilter) (Page, error)
	// ChangeWorkflow applies a partial update and returns the result;
	// fault.Conflict when the new name is taken or a place is no longer what was
	// decided about, fault.Denied when the move changes what others may do,
	// fault.NotFound when the workflow or the folder is gone.
	ChangeWorkflow(ctx context.Context, workflow id.ID, change Change, at time.Time) (Workflow, error)
	// DeleteWorkflow hides a workflow, ends its waiting runs as cancelled and
	// removes its triggers; what it leaves is removed by retention.
	// fault.NotFound when it is gone already.
	DeleteWorkflow(ctx context.Context, workflow id.ID, at time.Time) error
}

// Service creates, changes and deletes workflows.
type Service struct {
	Store Store
	IDs   *id.Source
	Now   func() time.Time
	// Changed is told after the triggers or the state of a workflow changed.
	Changed func(workflow id.ID)
}

// Create stores a new workflow in a namespace of an organization.
func (s *Service) Create(ctx context.Context, w Workflow) (Workflow, error) {
	w.Name = strings.TrimSpace(w.Name)
	if err := checkName(w.Name); err != nil {
		return Workflow{}, err
	}
	if err := checkDescription(w.Description); err != nil {
		return Workflow{}, err
	}
	now := s.Now()
	w.ID, w.CreatedAt, w.UpdatedAt, w.Active, w.Version = s.IDs.New(), now, now, true, 1
	if err := s.Store.CreateWorkflow(ctx, w); err != nil {
		return Workflow{}, err
	}
	return w, nil
}

// Workflow returns a workflow of one of the organizations.
func (s *Service) Workflow(ctx context.Context, organizations []id.ID, workflow id.ID) (Workflow, error) {
	return s.Store.Workflow(ctx, organizations, workflow)
}

// List returns a page of workflows.
func (s *Service) List(ctx context.Context, filter ListFilter) (Page, error) {
	return s.Store.Workflows(ctx, filter)
}

// Update applies a partial update.
func (s *Service) Update(ctx context.Context, workflow id.ID, change Change) (Workflow, error) {
	if change.Name != nil {
		name := strings.TrimSpace(*change.Name)
		if err := checkName(name); err != nil {
			return Workflow{}, err
		}
		change.Name = &name
	}
	if change.Description != nil {
		if err := checkDescription(*change.Description); err != nil {
			return Workflow{}, err
		}
	}
	w, err := s.Store.ChangeWorkflow(ctx, workflow, change, s.Now())
	if err != nil {
		return Workflow{}, err
	}
	s.Changed(workflow)
	return w, nil
}

// Delete removes a workflow with all that belongs to it.
func (s *Service) Delete(ctx context.Context, workflow id.ID) error {
	if err := s.Store.DeleteWorkflow(ctx, workflow, s.Now()); err != nil {
		return err
	}
	s.Changed(workflow)
	return nil
}

func checkName(name string) error {
	switch n := utf8.RuneCountInString(name); {
	case n == 0:
		return fault.New(fault.Invalid, "name must not be empty")
	case n > MaxName:
		return fault.New(fault.Invalid, "name has %d characters; at most %d are allowed", n, MaxName)
	case strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r == 0x7f }):
		return fault.New(fault.Invalid, "name must not contain control characters")
	}
	return nil
}

func checkDescription(text *string) error {
	if text != nil && len(*text) > MaxDescription {
		return fault.New(fault.Invalid, "description has %d bytes; at most %d are allowed", len(*text), MaxDescription)
	}
	return nil
}
