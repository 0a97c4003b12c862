package access

import (
	"context"
	"time"

	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/identity"
	"github.com/usefloww/flowwd/internal/tenant"
)

// Service gives roles on resources, takes them back, and says who has which.
type Service struct {
	Store Store
	IDs   *id.Source
	Now   func() time.Time
}

// Grant gives a principal a role on a resource, in place of the one that it has
// there. Whoever gives it must be an owner of the resource: nobody gives more
// than he has.
func (s *Service) Grant(ctx context.Context, by identity.Principal, to PrincipalRef, on Link, role tenant.Role) (Grant, error) {
	if role != GrantableRole(GrantWord(role)) {
		return Grant{}, fault.New(fault.Invalid, "the role that is granted must be %s or %s", OwnerWord, UserWord)
	}
	r, err := s.owned(ctx, by, on, "grant")
	if err != nil {
		return Grant{}, err
	}
	if err := checkPrincipalType(to.Type); err != nil {
		return Grant{}, err
	}
	if d := Decide(by, GrantAccess, r); role > max(d.Role, d.Granted) {
		return Grant{}, fault.New(fault.Denied, "you can't grant more than you have")
	}
	return s.Store.SaveGrant(ctx, Grant{
		ID: s.IDs.New(), OrganizationID: r.OrganizationID, Principal: to, Resource: on, Role: role,
		CreatedByID: by.ID, CreatedAt: s.Now(),
	})
}

// Revoke takes back what a principal was granted on a resource.
func (s *Service) Revoke(ctx context.Context, by identity.Principal, from PrincipalRef, on Link) error {
	r, err := s.owned(ctx, by, on, "revoke")
	if err != nil {
		return err
	}
	if err := checkPrincipalType(from.Type); err != nil {
		return err
	}
	return s.Store.DeleteGrant(ctx, r.OrganizationID, from, on)
}

// Principals returns who was granted a role on a resource or on what holds it.
func (s *Service) Principals(ctx context.Context, by identity.Principal, on Link) ([]Entry, error) {
	r, err := s.find(ctx, by, on)
	if err != nil {
		return nil, err
	}
	if err := Allow(by, ReadAccess, r); err != nil {
		return nil, err
	}
	grants, err := s.Store.GrantsOn(ctx, r.OrganizationID, r.Chain, MaxGrantsOn*len(r.Chain))
	if err != nil {
		return nil, err
	}
	return PrincipalsOn(grants, r.Chain), nil
}

// Names returns how people know those who did something in an organization. Who is
// gone has none.
func (s *Service) Names(ctx context.Context, organization id.ID, principals []id.ID) (map[id.ID]string, error) {
	return s.Store.Names(ctx, organization, principals)
}

// Resources returns what a principal was granted in the organizations that by
// may see into; kind, unless empty, is the only type of resource. Expanded, what
// is inside of folders is listed, too.
func (s *Service) Resources(ctx context.Context, by identity.Principal, of PrincipalRef, kind tenant.ResourceType, expand bool) ([]Entry, error) {
	if err := checkPrincipalType(of.Type); err != nil {
		return nil, err
	}
	organizations := OrganizationsFor(by, ReadAccess)
	grants, err := s.Store.GrantsOf(ctx, organizations, of, MaxGrantsOf*max(1, len(organizations)))
	if err != nil {
		return nil, err
	}
	var inside func(Link) []Link
	if expand {
		held, err := s.Store.Inside(ctx, organizations, foldersOf(grants), MaxInside)
		if err != nil {
			return nil, err
		}
		inside = func(l Link) []Link { return held[l] }
	}
	var found []Entry
	for _, e := range ResourcesOf(grants, inside) {
		if kind == "" || e.Resource.Type == kind {
			found = append(found, e)
		}
	}
	return found, nil
}

func foldersOf(grants []Grant) []id.ID {
	var folders []id.ID
	for _, g := range grants {
		if g.Resource.Type == tenant.FolderResource {
			folders = append(folders, g.Resource.ID)
		}
	}
	return folders
}

// owned returns a resource whose access by may change. The texts are those of
// 3.2 of identity-realtime-admin.md of the wire contract.
func (s *Service) owned(ctx context.Context, by identity.Principal, on Link, verb string) (Resource, error) {
	r, err := s.find(ctx, by, on)
	if err != nil {
		return Resource{}, err
	}
	err = Allow(by, GrantAccess, r)
	if fault.Is(err, fault.Denied) {
		err = fault.New(fault.Denied, "You must be an owner of the resource to %s access: %s", verb, Decide(by, GrantAccess, r).Reason(GrantAccess))
	}
	return r, err
}

// find returns a resource of an organization of by.
func (s *Service) find(ctx context.Context, by identity.Principal, on Link) (Resource, error) {
	switch on.Type {
	case tenant.WorkflowResource, tenant.FolderResource:
		return s.Store.Resource(ctx, by.Organizations(), on)
	default:
		return Resource{}, fault.New(fault.Invalid, "%.40q is nothing that roles can be granted on; the type of the resource must be %s or %s",
			string(on.Type), tenant.WorkflowResource, tenant.FolderResource)
	}
}

func checkPrincipalType(t PrincipalType) error {
	if t == UserPrincipal || t == AccountPrincipal {
		return nil
	}
	return fault.New(fault.Invalid, "%.40q is nothing that roles can be granted to; the type of the principal must be %s or %s", string(t), UserPrincipal, AccountPrincipal)
}
