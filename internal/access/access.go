package access

import (
	"fmt"
	"slices"

	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/identity"
	"github.com/usefloww/flowwd/internal/tenant"
)

// Resource is what an action is done to: something inside an organization, or
// the organization itself.
type Resource struct {
	OrganizationID id.ID
	// What names the resource in errors, such as "Workflow".
	What string
	// Chain are the resources that roles can be granted on and that hold this
	// one, itself first: a workflow and the folders around it. Empty for what
	// belongs to the organization as a whole.
	Chain []Link
}

// Link is one resource of a chain.
type Link struct {
	Type tenant.ResourceType
	ID   id.ID
}

// InWorkflow is the resource of something that belongs to a workflow, or of the
// workflow itself. Folders are those around it, the nearest first.
func InWorkflow(organization, workflow id.ID, folders []id.ID, what string) Resource {
	return Resource{OrganizationID: organization, What: what, Chain: append([]Link{{tenant.WorkflowResource, workflow}}, links(folders)...)}
}

// InFolder is the resource of a place inside of folders, the nearest first, or of
// the first of them itself; of the root when there are none.
func InFolder(organization id.ID, folders []id.ID, what string) Resource {
	return Resource{OrganizationID: organization, What: what, Chain: links(folders)}
}

func links(folders []id.ID) []Link {
	chain := make([]Link, len(folders))
	for i, f := range folders {
		chain[i] = Link{tenant.FolderResource, f}
	}
	return chain
}

// Decision is whether a principal may do an action to a resource, and why.
type Decision struct {
	Allowed bool
	// Member is false when the resource belongs to an organization that the
	// principal is no member of: to it, the resource is not there.
	Member bool
	// Needs is the smallest role for the action; RoleNone when nobody may do it.
	Needs tenant.Role
	// Role is the one in the organization, Granted the greatest one granted on
	// the resource or on what holds it, and By the link that it was granted on.
	Role, Granted tenant.Role
	By            Link
	// ScopeRefuses says that the credential is made for less.
	ScopeRefuses bool
}

// Decide says whether p may do action to r. A granted role counts only inside
// organizations that p is a member of.
func Decide(p identity.Principal, action Action, r Resource) Decision {
	d := Decision{Role: p.RoleIn(r.OrganizationID), Needs: needs[action]}
	d.Member = d.Role != tenant.RoleNone
	if !d.Member {
		return d
	}
	d.Granted, d.By = Resolve(p.Grants, r.Chain)
	d.ScopeRefuses = !scopeAllows(p.Scope, action, r)
	d.Allowed = d.Needs != tenant.RoleNone && max(d.Role, d.Granted) >= d.Needs && !d.ScopeRefuses
	return d
}

// scopeAllows reports whether a credential is made for action on r.
func scopeAllows(s *identity.Scope, action Action, r Resource) bool {
	if s == nil {
		return true
	}
	if !inScope(s.Actions, action) {
		return false
	}
	return s.ID.IsZero() || slices.Contains(r.Chain, Link{s.Type, s.ID})
}

// Allow returns nil when p may do action to r, fault.NotFound when r belongs to
// an organization that p is no member of, and fault.Denied when p's role there
// is too small or its credential made for less.
func Allow(p identity.Principal, action Action, r Resource) error {
	d := Decide(p, action, r)
	switch {
	case d.Allowed:
		return nil
	case !d.Member:
		return fault.New(fault.NotFound, "%s not found", r.What)
	default:
		return fault.New(fault.Denied, "%s", d.Reason(action))
	}
}

// Reason says in a sentence why the decision is what it is.
func (d Decision) Reason(action Action) string {
	switch {
	case !d.Member:
		return "you are no member of the organization"
	case d.Needs == tenant.RoleNone:
		return fmt.Sprintf("no role allows %s", action)
	case d.ScopeRefuses:
		return fmt.Sprintf("this API key is made for less than %s here", action)
	case d.Allowed && d.Granted > d.Role:
		return fmt.Sprintf("a role granted on the %s %s (%s) allows %s", d.By.Type, d.By.ID, d.Granted, action)
	case d.Allowed:
		return fmt.Sprintf("your role in this organization (%s) allows %s", d.Role, action)
	case d.Needs == tenant.RoleAdmin:
		return fmt.Sprintf("your role in this organization (%s) does not allow %s: Only organization owners and admins can perform this action", d.Role, action)
	case d.Needs == tenant.RoleOwner:
		return fmt.Sprintf("your role in this organization (%s) does not allow %s: Only organization owners can perform this action", d.Role, action)
	default:
		return fmt.Sprintf("your role in this organization (%s) does not allow %s", d.Role, action)
	}
}

// AllowAnywhere returns nil when p may do action in at least one organization,
// or on at least one resource of one. Where the request then names the
// resource, Allow decides about it.
func AllowAnywhere(p identity.Principal, action Action) error {
	least, known := needs[action]
	if p.Scope != nil && !inScope(p.Scope.Actions, action) {
		return fault.New(fault.Denied, "this API key is not made for %s", action)
	}
	for _, m := range p.Memberships {
		if known && m.Role >= least {
			return nil
		}
	}
	for _, g := range p.Grants {
		if known && len(p.Memberships) > 0 && g.Role >= least {
			return nil
		}
	}
	if len(p.Memberships) == 0 && len(p.Disabled) > 0 {
		return ErrDisabled()
	}
	return fault.New(fault.Denied, "you are in no organization where your role allows %s", action)
}

// AllowSelf returns nil when p may do action to what is its own.
func AllowSelf(p identity.Principal, action Action) error {
	if p.Kind == identity.Anonymous {
		return fault.New(fault.Unauthenticated, "No credentials provided")
	}
	if p.Kind == identity.Run && action != ReadKV && action != WriteKV {
		return fault.New(fault.Denied, "the token of a run opens the key-value store alone")
	}
	if p.Scope != nil && !inScope(p.Scope.Actions, action) {
		return fault.New(fault.Denied, "this API key is not made for %s", action)
	}
	return nil
}

// OrganizationsFor returns the organizations where p may do action to
// everything. A credential that is made for one resource may do so nowhere.
func OrganizationsFor(p identity.Principal, action Action) []id.ID {
	var allowed []id.ID
	for _, organization := range p.Organizations() {
		if Decide(p, action, Resource{OrganizationID: organization}).Allowed {
			allowed = append(allowed, organization)
		}
	}
	return allowed
}

// ErrDisabled refuses what belongs to an organization that is disabled.
func ErrDisabled() error {
	return fault.New(fault.Denied, "This organization is disabled; an administrator of the installation can enable it again")
}

// ErrNotAdmin refuses everybody who is no approved administrator. The text is
// the one of 5.2 of identity-realtime-admin.md of the wire contract.
func ErrNotAdmin() error {
	return fault.New(fault.Denied, "Access denied: Admin permissions required")
}

// AllowAdmin returns nil when p is an approved administrator of the
// installation. Service accounts never are.
func AllowAdmin(p identity.Principal) error {
	if p.Kind == identity.Human && p.Admin && p.Scope == nil {
		return nil
	}
	return ErrNotAdmin()
}
