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

// Draft is what somebody wants a new organization to be called. Without a Name
// one is derived from the DisplayName.
type Draft struct{ Name, DisplayName string }

// OrganizationChange is a partial update; nil fields stay.
type OrganizationChange struct{ Name, DisplayName *string }

// Removal is how much goes with an organization.
type Removal struct {
	Namespaces, Workflows, Members, Invitations, ServiceAccounts, APIKeys int
	// Executions are all that are kept, those waiting and running included.
	Executions int
	// RestorableUntil is until when its owners could bring it back, were it
	// deleted now.
	RestorableUntil time.Time
}

// Founder is who makes an organization and becomes its owner.
type Founder struct {
	UserID id.ID
	// Most is how many organizations the founder may own, deleted ones that can
	// be restored included.
	Most int
}

// Found makes an organization that a user owns, and returns its namespace.
func (s *Service) Found(ctx context.Context, user id.ID, d Draft) (Namespace, error) {
	if s.Single {
		return Namespace{}, errSingle()
	}
	displayName, err := checkDisplayName(d.DisplayName)
	if err != nil {
		return Namespace{}, err
	}
	fresh := s.Fresh(displayName)
	if d.Name != "" {
		if err := checkName(d.Name); err != nil {
			return Namespace{}, err
		}
		fresh.Organization.Name = d.Name
	}
	if err := s.Store.FoundOrganization(ctx, fresh, Founder{UserID: user, Most: MaxOwned}); err != nil {
		return Namespace{}, fmt.Errorf("found an organization: %w", err)
	}
	return fresh, nil
}

// Organization returns an organization when it is among those given.
func (s *Service) Organization(ctx context.Context, among []id.ID, organization id.ID) (Organization, error) {
	for _, x := range among {
		if x != organization {
			continue
		}
		found, err := s.Store.Organizations(ctx, []id.ID{x})
		if err != nil {
			return Organization{}, err
		}
		if len(found) == 1 && found[0].DeletedAt == nil {
			return found[0], nil
		}
	}
	return Organization{}, fault.New(fault.NotFound, "Organization not found")
}

// Change renames an organization.
func (s *Service) Change(ctx context.Context, c Caller, organization id.ID, change OrganizationChange) (Organization, error) {
	if s.Single && c.Role < RoleOwner {
		return Organization{}, errSingle()
	}
	if change.DisplayName != nil {
		text, err := checkDisplayName(*change.DisplayName)
		if err != nil {
			return Organization{}, err
		}
		change.DisplayName = &text
	}
	if change.Name != nil {
		if err := checkName(*change.Name); err != nil {
			return Organization{}, err
		}
	}
	return s.Store.ChangeOrganization(ctx, organization, change, s.Now())
}

// Removal says what a deletion of an organization would remove.
func (s *Service) Removal(ctx context.Context, organization id.ID) (Removal, error) {
	r, err := s.Store.OrganizationRemoval(ctx, organization)
	r.RestorableUntil = s.Now().Add(s.Grace)
	return r, err
}

// Delete hides an organization with all that is in it, and returns until when
// it can be restored. It may be the last one of its owners: they still can log
// in, restore it or found another.
func (s *Service) Delete(ctx context.Context, organization id.ID) (until time.Time, err error) {
	if s.Single {
		return time.Time{}, errSingle()
	}
	now := s.Now()
	if err := s.Store.DeleteOrganization(ctx, organization, now); err != nil {
		return time.Time{}, err
	}
	s.changed()
	return now.Add(s.Grace), nil
}

// SetDisabled has the people, keys and triggers of an organization refused, or let
// in again. What runs goes on to its end, and what is there stays.
func (s *Service) SetDisabled(ctx context.Context, organization id.ID, disabled bool) (Organization, error) {
	return s.Store.DisableOrganization(ctx, organization, disabled, s.Now())
}

// Deleted returns the deleted organizations that a user owned and can restore,
// the one deleted last first.
func (s *Service) Deleted(ctx context.Context, user id.ID) ([]Organization, error) {
	return s.Store.DeletedOrganizations(ctx, user, s.Now().Add(-s.Grace), MaxOwned)
}

// Restore brings a deleted organization back for a user who owned it. When
// another took its name meanwhile it gets a new one.
func (s *Service) Restore(ctx context.Context, user, organization id.ID) (Organization, error) {
	if s.Single {
		return Organization{}, errSingle()
	}
	now := s.Now()
	o, err := s.Store.RestoreOrganization(ctx, organization, user, now.Add(-s.Grace), now)
	if err != nil {
		return Organization{}, err
	}
	s.changed()
	return o, nil
}

// RestorableUntil is until when a deleted organization can be restored.
func (s *Service) RestorableUntil(deletedAt time.Time) time.Time { return deletedAt.Add(s.Grace) }

// changed tells that many webhooks came or went.
func (s *Service) changed() {
	if s.Changed != nil {
		s.Changed()
	}
}

func checkDisplayName(text string) (string, error) {
	text = strings.TrimSpace(text)
	if n := utf8.RuneCountInString(text); n == 0 || n > MaxDisplayName {
		return "", fault.New(fault.Invalid, "the display name of an organization must have 1 to %d characters", MaxDisplayName)
	}
	if strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return "", fault.New(fault.Invalid, "the display name of an organization must not contain control characters")
	}
	return text, nil
}

func checkName(name string) error {
	if len(name) == 0 || len(name) > maxName {
		return fault.New(fault.Invalid, "the name of an organization must have 1 to %d characters", maxName)
	}
	for i, r := range name {
		letter := 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9'
		if !letter && (i == 0 || r != '-' && r != '_' && r != '.') {
			return fault.New(fault.Invalid, "the name of an organization must begin with a letter or digit and have only letters, digits, -, _ and .; the display name has no such bounds")
		}
	}
	return nil
}
