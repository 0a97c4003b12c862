package identity

import (
	"slices"
	"time"

	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/tenant"
)

// Kind is the sort of principal.
type Kind string

// The kinds of principals. The zero kind is Anonymous.
const (
	Anonymous      Kind = ""
	ServiceAccount Kind = "service_account"
)

// Principal is whoever makes a request. The zero Principal is anonymous and is
// a member of nothing.
type Principal struct {
	Kind        Kind
	ID          id.ID
	Name        string
	CreatedAt   time.Time
	Memberships []tenant.Membership
}

// Organizations returns the organizations that p is a member of.
func (p Principal) Organizations() []id.ID {
	ids := make([]id.ID, len(p.Memberships))
	for i, m := range p.Memberships {
		ids[i] = m.OrganizationID
	}
	return ids
}

// RoleIn returns p's role in an organization, RoleNone when it has none.
func (p Principal) RoleIn(organization id.ID) tenant.Role {
	i := slices.IndexFunc(p.Memberships, func(m tenant.Membership) bool { return m.OrganizationID == organization })
	if i < 0 {
		return tenant.RoleNone
	}
	return p.Memberships[i].Role
}
