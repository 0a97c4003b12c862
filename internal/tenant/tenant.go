package tenant

import (
	"strings"
	"time"

	"github.com/usefloww/flowwd/internal/id"
)

// Organization is a tenant: the border that no data crosses.
type Organization struct {
	ID id.ID
	// Name is unique among all organizations: a word that stands in addresses
	// and on the command line.
	Name        string
	DisplayName string
	// WorkOSID is the name that WorkOS knows it by; empty for none.
	WorkOSID string
	// Default marks the organization that the first start made.
	Default              bool
	CreatedAt, UpdatedAt time.Time
	// DeletedAt is when it was deleted; it can be restored until its grace time
	// is over.
	DeletedAt *time.Time
	// DisabledAt is when an administrator of the installation disabled it.
	DisabledAt *time.Time
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

// RoleNamed returns the role with a wire name, in either case; RoleNone when
// there is none.
func RoleNamed(name string) Role {
	for r := RoleViewer; r <= RoleOwner; r++ {
		if strings.EqualFold(r.String(), name) {
			return r
		}
	}
	return RoleNone
}

// Membership is a role in one organization.
type Membership struct {
	OrganizationID id.ID
	Role           Role
}

// DefaultOrganization is the display name of the organization that the first
// start creates.
const DefaultOrganization = "Default Organization"

// defaultName is its name.
const defaultName = "default"
