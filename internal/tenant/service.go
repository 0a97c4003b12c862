package tenant

import (
	"context"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
)

const (
	// MaxNamespaces bounds a listing of namespaces.
	MaxNamespaces = 500
	// MaxDisplayName is the length of an organization's name in characters.
	MaxDisplayName = 255
)

// Store keeps organizations and namespaces. Each method is one atomic unit.
type Store interface {
	// EnsureDefaultOrganization returns the oldest organization with its
	// oldest namespace, and stores the given pair first when there is none.
	// Concurrent callers get the same pair.
	EnsureDefaultOrganization(ctx context.Context, o Organization, n Namespace) (Namespace, error)
	// CreateOrganization stores an organization with its first namespace.
	CreateOrganization(ctx context.Context, o Organization, n Namespace) error
	// Organizations returns those among ids that exist, oldest first.
	Organizations(ctx context.Context, ids []id.ID) ([]Organization, error)
	// Namespaces returns the namespaces of the given organizations, oldest
	// first, at most limit, each with its Organization.
	Namespaces(ctx context.Context, organizations []id.ID, limit int) ([]Namespace, error)
	// Namespace returns one namespace with its Organization, when one of the
	// given organizations owns it; fault.NotFound otherwise.
	Namespace(ctx context.Context, organizations []id.ID, namespace id.ID) (Namespace, error)
}

// Service answers questions about organizations and namespaces.
type Service struct {
	Store Store
	IDs   *id.Source
	Now   func() time.Time
}

// EnsureDefault returns the namespace that a fresh installation starts with,
// and makes it and its organization when there are none.
func (s *Service) EnsureDefault(ctx context.Context) (Namespace, error) {
	fresh := s.Fresh(DefaultOrganization)
	got, err := s.Store.EnsureDefaultOrganization(ctx, fresh.Organization, fresh)
	if err != nil {
		return Namespace{}, fmt.Errorf("ensure the default organization: %w", err)
	}
	return got, nil
}

// Create makes an organization with its first namespace, and returns that.
func (s *Service) Create(ctx context.Context, displayName string) (Namespace, error) {
	displayName = strings.TrimSpace(displayName)
	if n := utf8.RuneCountInString(displayName); n == 0 || n > MaxDisplayName {
		return Namespace{}, fault.New(fault.Invalid, "the name of an organization must have 1 to %d characters", MaxDisplayName)
	}
	fresh := s.Fresh(displayName)
	if err := s.Store.CreateOrganization(ctx, fresh.Organization, fresh); err != nil {
		return Namespace{}, fmt.Errorf("create an organization: %w", err)
	}
	return fresh, nil
}

// Fresh returns a new organization with its first namespace, not yet stored.
func (s *Service) Fresh(displayName string) Namespace {
	now := s.Now()
	org := Organization{ID: s.IDs.New(), DisplayName: displayName, CreatedAt: now, UpdatedAt: now}
	org.Name = NameFor(displayName, org.ID)
	return Namespace{ID: s.IDs.New(), OrganizationID: org.ID, CreatedAt: now, Organization: org}
}

// Namespaces lists the namespaces of the given organizations, oldest first.
func (s *Service) Namespaces(ctx context.Context, organizations []id.ID) ([]Namespace, error) {
	return s.Store.Namespaces(ctx, organizations, MaxNamespaces)
}

// Namespace returns a namespace that one of the given organizations owns.
func (s *Service) Namespace(ctx context.Context, organizations []id.ID, namespace id.ID) (Namespace, error) {
	return s.Store.Namespace(ctx, organizations, namespace)
}

// Organizations returns those among ids that exist, oldest first.
func (s *Service) Organizations(ctx context.Context, ids []id.ID) ([]Organization, error) {
	return s.Store.Organizations(ctx, ids)
}
