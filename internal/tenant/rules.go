package tenant

import "github.com/usefloww/flowwd/internal/fault"

// Texts that existing clients and their tests look for.
const (
	textNeedsAdmin  = "Only organization owners and admins can perform this action"
	textNeedsOwner  = "Only organization owners can make somebody an owner, or change what an owner is"
	textDemoteLast  = "Cannot demote the last owner. Promote another member to owner first."
	textRemoveLast  = "Cannot remove the last owner from the organization. Promote another member to owner first."
	textSingle      = "Organization management is disabled in single-organization mode"
	textUnknownRole = "must be viewer, member, admin or owner"
)

// CheckChange says whether somebody with the role caller may change a member's
// role from before to after, where RoleNone is to be no member. Nobody gives or
// takes a role above their own. Last says that the member is the only owner who
// can log in: an organization without one could never get another.
func CheckChange(caller, before, after Role, last bool) error {
	switch {
	case caller < RoleAdmin:
		return fault.New(fault.Denied, textNeedsAdmin)
	case before > caller, after > caller:
		return fault.New(fault.Denied, textNeedsOwner)
	}
	return CheckLast(after, last)
}

// CheckLast refuses to take the role of owner from the last one who has it. It
// is all that is asked of members who leave.
func CheckLast(after Role, last bool) error {
	switch {
	case !last || after == RoleOwner:
		return nil
	case after == RoleNone:
		return fault.New(fault.Invalid, textRemoveLast)
	default:
		return fault.New(fault.Invalid, textDemoteLast)
	}
}

// errSingle refuses what would make the one organization one of several, or
// nobody's.
func errSingle() error { return fault.New(fault.Denied, textSingle) }
