package access

import (
	"context"
	"strings"
	"time"

	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/identity"
	"github.com/usefloww/flowwd/internal/tenant"
)

const (
	// MaxGrantsOf is how many resources one principal can have a role on: they
	// are read with each of its requests.
	MaxGrantsOf = 200
	// MaxGrantsOn is how many principals can have a role on one resource.
	MaxGrantsOn = 500
	// MaxInside is how many folders, and how many workflows, are listed with the
	// folders that hold them.
	MaxInside = 1000
)

// PrincipalType is a sort of principal that roles can be granted to.
type PrincipalType string

// The principal types.
const (
	UserPrincipal    PrincipalType = "user"
	AccountPrincipal PrincipalType = "service_account"
)

// PrincipalRef names a principal.
type PrincipalRef struct {
	Type PrincipalType
	ID   id.ID
}

// RefOf names the principal of a request; zero for an anonymous one.
func RefOf(p identity.Principal) PrincipalRef {
	switch p.Kind {
	case identity.Human:
		return PrincipalRef{UserPrincipal, p.ID}
	case identity.ServiceAccount:
		return PrincipalRef{AccountPrincipal, p.ID}
	default:
		return PrincipalRef{}
	}
}

// Grant is a role of a principal on one resource and on what is inside it. It
// adds to the role in the organization, and principals inherit nothing from
// each other.
//
// Who makes a workflow is granted nothing: only members make some, and a member
// may do everything to all of them but give others access.
type Grant struct {
	ID             id.ID
	OrganizationID id.ID
	Principal      PrincipalRef
	// PrincipalName is for people, where grants are listed.
	PrincipalName string
	Resource      Link
	// Role is one that GrantableRole returns.
	Role        tenant.Role
	CreatedByID id.ID
	CreatedAt   time.Time
}

// The words for the roles that can be granted: 3.5 of identity-realtime-admin.md
// of the wire contract.
const (
	OwnerWord = "owner"
	UserWord  = "user"
)

// GrantableRole returns what a word makes of somebody on the resource, in either
// case: an owner may do what an admin of the organization may do to it, and a
// user what a member may; RoleNone for any other word.
func GrantableRole(word string) tenant.Role {
	switch {
	case strings.EqualFold(word, OwnerWord):
		return tenant.RoleAdmin
	case strings.EqualFold(word, UserWord):
		return tenant.RoleMember
	default:
		return tenant.RoleNone
	}
}

// GrantWord is the word for a granted role.
func GrantWord(role tenant.Role) string {
	if role >= tenant.RoleAdmin {
		return OwnerWord
	}
	return UserWord
}

// Entry is a grant in a list, with the resource that it reaches.
type Entry struct {
	Grant
	// InheritedFrom is the resource that the role was granted on, when that is
	// one around the resource of the entry.
	InheritedFrom *Link
}

// Resolve returns the greatest of the roles on the resources of a chain, and the
// nearest link that it was granted on.
func Resolve(roles []tenant.ResourceRole, chain []Link) (greatest tenant.Role, by Link) {
	for _, link := range chain {
		for _, g := range roles {
			if g.Type == link.Type && g.ID == link.ID && g.Role > greatest {
				greatest, by = g.Role, link
			}
		}
	}
	return greatest, by
}

// PrincipalsOn returns who has a role on the first resource of a chain, each
// once with the greatest role, in the order of the grants.
func PrincipalsOn(grants []Grant, chain []Link) []Entry {
	var order []PrincipalRef
	roles := make(map[PrincipalRef][]tenant.ResourceRole)
	at := make(map[PrincipalRef]map[Link]Grant)
	for _, g := range grants {
		if at[g.Principal] == nil {
			order, at[g.Principal] = append(order, g.Principal), make(map[Link]Grant)
		}
		roles[g.Principal] = append(roles[g.Principal], tenant.ResourceRole{Type: g.Resource.Type, ID: g.Resource.ID, Role: g.Role})
		at[g.Principal][g.Resource] = g
	}
	var found []Entry
	for _, p := range order {
		if role, by := Resolve(roles[p], chain); role != tenant.RoleNone {
			found = append(found, reach(at[p][by], chain[0]))
		}
	}
	return found
}

// ResourcesOf returns what the grants of one principal reach, each resource once
// with the greatest role. Inside returns what is directly inside a resource; nil
// lists the resources of the grants alone.
func ResourcesOf(grants []Grant, inside func(Link) []Link) []Entry {
	var found []Entry
	at := make(map[Link]int)
	for _, g := range grants {
		seen := map[Link]bool{}
		for next := []Link{g.Resource}; len(next) > 0; next = next[1:] {
			link := next[0]
			if seen[link] {
				continue
			}
			seen[link] = true
			if inside != nil {
				next = append(next, inside(link)...)
			}
			e := reach(g, link)
			i, known := at[link]
			switch {
			case !known:
				at[link] = len(found)
				found = append(found, e)
			case e.Role > found[i].Role, e.Role == found[i].Role && e.InheritedFrom == nil:
				found[i] = e
			}
		}
	}
	return found
}

// reach is a grant as it is seen from a resource.
func reach(g Grant, resource Link) Entry {
	e := Entry{Grant: g}
	if g.Resource != resource {
		from := g.Resource
		e.InheritedFrom, e.Resource = &from, resource
	}
	return e
}

// Store keeps grants. Each method is one atomic unit.
type Store interface {
	// SaveGrant stores a grant, or gives its role to the one that its principal
	// has on the resource already, and returns what is stored then.
	// fault.NotFound when the resource is gone or the principal is not in the
	// organization, fault.Conflict when there are MaxGrantsOf or MaxGrantsOn.
	SaveGrant(ctx context.Context, g Grant) (Grant, error)
	// DeleteGrant removes what a principal has on a resource of an organization;
	// fault.NotFound when that is nothing.
	DeleteGrant(ctx context.Context, organization id.ID, p PrincipalRef, on Link) error
	// GrantsOn returns the grants on the resources of a chain in an organization,
	// oldest first, at most limit.
	GrantsOn(ctx context.Context, organization id.ID, chain []Link, limit int) ([]Grant, error)
	// GrantsOf returns the grants of a principal in those of the organizations
	// that it is a member of, oldest first, at most limit; fault.NotFound when it
	// is a member of none.
	GrantsOf(ctx context.Context, organizations []id.ID, p PrincipalRef, limit int) ([]Grant, error)
	// Member returns a principal of an organization with all that decides what it
	// may do, as with a credential without a scope; fault.NotFound when it is no
	// member. One that is disabled is returned too.
	Member(ctx context.Context, organization id.ID, p PrincipalRef) (identity.Principal, error)
	// Resource returns the resource that a link names, when one of the
	// organizations owns it; fault.NotFound otherwise.
	Resource(ctx context.Context, organizations []id.ID, link Link) (Resource, error)
	// Inside returns what is in folders of the organizations, however deep: for
	// each folder what is directly in it, at most limit folders and as many
	// workflows.
	Inside(ctx context.Context, organizations, folders []id.ID, limit int) (map[Link][]Link, error)
	// FolderNames returns the names of those of the folders that an organization
	// owns.
	FolderNames(ctx context.Context, organization id.ID, folders []id.ID) (map[id.ID]string, error)
	// Names returns how people know those of the principals that there are: users,
	// and service accounts of an organization.
	Names(ctx context.Context, organization id.ID, principals []id.ID) (map[id.ID]string, error)
}
