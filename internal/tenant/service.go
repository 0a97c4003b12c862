package tenant

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
)

const (
	// MaxNamespaces bounds a listing of namespaces.
	MaxNamespaces = 500
	// MaxDisplayName is the length of an organization's display name in
	// characters, maxName the one of its name.
	MaxDisplayName = 255
	maxName        = 255
	// MaxOwned is how many organizations somebody may own.
	MaxOwned = 50
	// MaxMembers bounds a page of members.
	MaxMembers = 1000
)

// Store keeps organizations and namespaces. Each method is one atomic unit.
type Store interface {
	// EnsureDefaultOrganization returns the oldest organization with its
	// oldest namespace, and stores the given pair first when there is none.
	// Concurrent callers get the same pair.
	EnsureDefaultOrganization(ctx context.Context, o Organization, n Namespace) (Namespace, error)
	// CreateOrganization stores an organization with its first namespace.
	CreateOrganization(ctx context.Context, o Organization, n Namespace) error
	// FoundOrganization does the same for somebody who becomes the owner;
	// fault.Limited when that is one too many.
	FoundOrganization(ctx context.Context, n Namespace, by Founder) error
	// ChangeOrganization applies a partial update; fault.Conflict when another
	// has the name.
	ChangeOrganization(ctx context.Context, organization id.ID, c OrganizationChange, at time.Time) (Organization, error)
	// OrganizationRemoval counts what belongs to an organization.
	OrganizationRemoval(ctx context.Context, organization id.ID) (Removal, error)
	// DeleteOrganization hides an organization from everybody at once: members,
	// keys, webhooks, waiting runs, which end as cancelled.
	DeleteOrganization(ctx context.Context, organization id.ID, at time.Time) error
	// DisableOrganization disables or enables an organization. Of a disabled one
	// nobody is let in, and nothing begins to run; what waits ends as cancelled.
	DisableOrganization(ctx context.Context, organization id.ID, disabled bool, at time.Time) (Organization, error)
	// DeletedOrganizations returns up to limit organizations that were deleted
	// after since and that the user owns.
	DeletedOrganizations(ctx context.Context, user id.ID, since time.Time, limit int) ([]Organization, error)
	// RestoreOrganization undoes a deletion after since for an owner;
	// fault.NotFound for everybody else.
	RestoreOrganization(ctx context.Context, organization, owner id.ID, since, at time.Time) (Organization, error)

	// Members returns a page of the people of an organization, who came last
	// first.
	Members(ctx context.Context, organization id.ID, limit, offset int) ([]Member, error)
	// FindMembers returns people of organizations whose e-mail or name has a part,
	// in whichever case.
	FindMembers(ctx context.Context, organizations []id.ID, contains string, limit int) ([]Member, error)
	// AdmitMember makes a user a member; fault.NotFound when the caller shares
	// no organization with the user.
	AdmitMember(ctx context.Context, c MemberChange) (Member, error)
	// ChangeMember changes or ends a membership.
	ChangeMember(ctx context.Context, c MemberChange) (Member, error)
	// Organizations returns those among ids that exist, oldest first.
	Organizations(ctx context.Context, ids []id.ID) ([]Organization, error)
	// Namespaces returns the namespaces of the given organizations, oldest
	// first, at most limit, each with its Organization.
	Namespaces(ctx context.Context, organizations []id.ID, limit int) ([]Namespace, error)
	// Namespace returns one namespace with its Organization, when one of the
	// given organizations owns it; fault.NotFound otherwise.
	Namespace(ctx context.Context, organizations []id.ID, namespace id.ID) (Namespace, error)
}

// Service manages organizations with their namespaces and members.
type Service struct {
	Store Store
	// Default is what the first start calls the organization that it makes.
	// Empty texts stand for "default" and "Default Organization".
	Default Draft
	// Single says that there is only the default organization, which everybody
	// joins.
	Single bool
	// Grace is how long a deleted organization can be restored.
	Grace time.Duration
	// Changed is told after the webhooks of a whole organization came or went;
	// nil for nobody.
	Changed func()
	IDs     *id.Source
	Now     func() time.Time
}

// EnsureDefault returns the namespace that a fresh installation starts with,
// and makes it and its organization when there are none.
func (s *Service) EnsureDefault(ctx context.Context) (Namespace, error) {
	derived := s.Fresh(cmp.Or(s.Default.DisplayName, DefaultOrganization))
	named := derived
	named.Organization.Name = cmp.Or(s.Default.Name, defaultName)
	got, err := s.Store.EnsureDefaultOrganization(ctx, named.Organization, named)
	if fault.Is(err, fault.Conflict) {
		// Somebody gave another organization that name.
		got, err = s.Store.EnsureDefaultOrganization(ctx, derived.Organization, derived)
	}
	if err != nil {
		return Namespace{}, fmt.Errorf("ensure the default organization: %w", err)
	}
	return got, nil
}

// Create makes an organization with its first namespace, and returns that.
func (s *Service) Create(ctx context.Context, displayName string) (Namespace, error) {
	displayName, err := checkDisplayName(displayName)
	if err != nil {
		return Namespace{}, err
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
