package tenant

import (
	"time"

	"github.com/usefloww/flowwd/internal/id"
)

// Organization is a tenant: the border that no data crosses.
type Organization struct {
	ID          id.ID
	DisplayName string
	CreatedAt   time.Time
}

// Namespace holds workflows whose names are unique within it.
type Namespace struct {
	ID             id.ID
	OrganizationID id.ID
	CreatedAt      time.Time
	// Organization is filled where a caller shows the owner beside the
	// namespace.
	Organization Organization
}

// Role is what a member is in an organization. A greater role may do all that a
// smaller one may.
type Role uint8

// The roles, smallest first. The zero role may do nothing.
const (
	RoleNone Role = iota
	RoleViewer
	RoleMember
	RoleAdmin
	RoleOwner
)

// String returns the role's wire name.
func (r Role) String() string {
	switch r {
	case RoleViewer:
		return "viewer"
	case RoleMember:
		return "member"
	case RoleAdmin:
		return "admin"
	case RoleOwner:
		return "owner"
	default:
		return "none"
	}
}

// Membership is a role in one organization.
type Membership struct {
	OrganizationID id.ID
	Role           Role
}

// DefaultOrganization is the display name of the organization that the first
// start creates.
const DefaultOrganization = "Default Organization"
