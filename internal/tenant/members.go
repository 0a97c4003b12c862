package tenant

import (
	"context"
	"time"

	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
)

// Caller is who asks for something inside an organization.
type Caller struct {
	// ID is a user's or a service account's.
	ID id.ID
	// Role is the one that the door saw. What depends on it exactly is decided
	// by the one that is stored.
	Role Role
}

// MemberChange gives a user a role in an organization, or takes it.
type MemberChange struct {
	OrganizationID, UserID id.ID
	CallerID               id.ID
	// Role is the new one; RoleNone ends the membership.
	Role Role
	// Leaves says that the member goes of its own will, whatever its role.
	Leaves bool
	At     time.Time
}

// Check says whether the change may be made. It is asked while nobody else can
// change who is a member.
func (c MemberChange) Check(caller, before Role, last bool) error {
	if c.Leaves {
		return CheckLast(c.Role, last)
	}
	return CheckChange(caller, before, c.Role, last)
}

// Members lists the people of an organization, who came last first.
func (s *Service) Members(ctx context.Context, organization id.ID, limit, offset int) ([]Member, error) {
	return s.Store.Members(ctx, organization, limit, offset)
}

// FindMembers returns people of organizations whose e-mail or name has a part.
func (s *Service) FindMembers(ctx context.Context, organizations []id.ID, contains string, limit int) ([]Member, error) {
	return s.Store.FindMembers(ctx, organizations, contains, limit)
}

// AddMember makes a user a member. Ids are random: whoever has one was given it,
// as the address of an invitation is.
func (s *Service) AddMember(ctx context.Context, c Caller, organization, user id.ID, role Role) (Member, error) {
	if s.Single {
		return Member{}, errSingle()
	}
	return s.Store.AdmitMember(ctx, MemberChange{
		OrganizationID: organization, UserID: user, CallerID: c.ID, Role: role, At: s.Now(),
	})
}

// ChangeMember gives a member another role.
func (s *Service) ChangeMember(ctx context.Context, c Caller, organization, user id.ID, role Role) (Member, error) {
	if role == RoleNone {
		return Member{}, fault.New(fault.Invalid, "role: "+textUnknownRole)
	}
	return s.change(ctx, c, MemberChange{OrganizationID: organization, UserID: user, Role: role})
}

// RemoveMember ends a membership.
func (s *Service) RemoveMember(ctx context.Context, c Caller, organization, user id.ID) error {
	_, err := s.change(ctx, c, MemberChange{OrganizationID: organization, UserID: user})
	return err
}

// change is allowed to owners in single-organization mode too: nobody else could
// ever make a second admin.
func (s *Service) change(ctx context.Context, c Caller, change MemberChange) (Member, error) {
	if s.Single && c.Role < RoleOwner {
		return Member{}, errSingle()
	}
	change.CallerID, change.At = c.ID, s.Now()
	return s.Store.ChangeMember(ctx, change)
}

// Leave ends a user's own membership.
func (s *Service) Leave(ctx context.Context, user, organization id.ID) error {
	if s.Single {
		return errSingle()
	}
	_, err := s.Store.ChangeMember(ctx, MemberChange{
		OrganizationID: organization, UserID: user, CallerID: user, Leaves: true, At: s.Now(),
	})
	return err
}
