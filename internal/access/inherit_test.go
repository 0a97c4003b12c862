package access_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/usefloww/flowwd/internal/access"
	"github.com/usefloww/flowwd/internal/identity"
	"github.com/usefloww/flowwd/internal/tenant"
)

func grantTo(p byte, kind tenant.ResourceType, of byte, word string) access.Grant {
	return access.Grant{
		ID: x(p + of), OrganizationID: x(home), Principal: access.PrincipalRef{Type: access.UserPrincipal, ID: x(p)},
		Resource: access.Link{Type: kind, ID: x(of)}, Role: access.GrantableRole(word),
	}
}

// Acceptance criteria 27 to 29 of the wire contract.
func TestListsOfGrants(t *testing.T) {
	t.Parallel()
	onFolder := grantTo(50, tenant.FolderResource, around, "owner")
	inside := func(l access.Link) []access.Link {
		switch l.ID {
		case x(around):
			return []access.Link{{Type: tenant.FolderResource, ID: x(folder)}}
		case x(folder):
			return []access.Link{{Type: tenant.WorkflowResource, ID: x(flow)}}
		}
		return nil
	}
	if got := access.ResourcesOf([]access.Grant{onFolder}, nil); len(got) != 1 || got[0].InheritedFrom != nil {
		t.Errorf("27, 28: %+v, want the folder alone", got)
	}
	got := access.ResourcesOf([]access.Grant{onFolder}, inside)
	if len(got) != 3 {
		t.Fatalf("28: %d resources, want 3", len(got))
	}
	for i, e := range got {
		if (i == 0) != (e.InheritedFrom == nil) || i > 0 && *e.InheritedFrom != onFolder.Resource || e.Role != onFolder.Role {
			t.Errorf("28: %+v", e)
		}
	}
	direct := grantTo(51, tenant.WorkflowResource, flow, "user")
	people := access.PrincipalsOn([]access.Grant{onFolder, direct}, nested.Chain)
	if len(people) != 2 || *people[0].InheritedFrom != onFolder.Resource || people[1].InheritedFrom != nil {
		t.Errorf("29: %+v", people)
	}
	for _, e := range people {
		if e.Resource != nested.Chain[0] {
			t.Errorf("29: it is about %v, want the workflow", e.Resource)
		}
	}
	// Something that holds itself must not hang the server.
	loop := func(l access.Link) []access.Link {
		return []access.Link{l, {Type: tenant.FolderResource, ID: x(folder)}}
	}
	if got := access.ResourcesOf([]access.Grant{onFolder}, loop); len(got) != 2 {
		t.Errorf("%d resources in a circle, want 2", len(got))
	}
}

// forest is folders and workflows inside each other: the parent of each, or -1.
type forest []int

func (f forest) link(i int) access.Link {
	kind := tenant.FolderResource
	if i%2 == 1 {
		kind = tenant.WorkflowResource
	}
	return access.Link{Type: kind, ID: x(byte(i + 1))}
}

func (f forest) chain(i int) (chain []access.Link) {
	for ; i >= 0; i = f[i] {
		chain = append(chain, f.link(i))
	}
	return chain
}

func (f forest) inside(of access.Link) (links []access.Link) {
	for i, parent := range f {
		if parent >= 0 && f.link(parent) == of {
			links = append(links, f.link(i))
		}
	}
	return links
}

// model is the greatest role by walking up from a resource.
func (f forest) model(grants []access.Grant, p access.PrincipalRef, i int) tenant.Role {
	if i < 0 {
		return tenant.RoleNone
	}
	role := f.model(grants, p, f[i])
	for _, g := range grants {
		if g.Principal == p && g.Resource == f.link(i) {
			role = max(role, g.Role)
		}
	}
	return role
}

// Decisions and both lists agree with a simple model on any tree and any grants.
func TestInheritanceIsLikeTheModel(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var f forest
		for i := range rapid.IntRange(1, 12).Draw(t, "resources") {
			// Only folders, which have even numbers, hold something.
			parent := rapid.IntRange(-1, i-1).Draw(t, "parent")
			if parent%2 != 0 {
				parent = -1
			}
			f = append(f, parent)
		}
		people := []access.PrincipalRef{{Type: access.UserPrincipal, ID: x(201)}, {Type: access.UserPrincipal, ID: x(202)}, {Type: access.AccountPrincipal, ID: x(201)}}
		var grants []access.Grant
		for i, p := range people {
			for j := range f {
				if word := rapid.SampledFrom([]string{"", "", "user", "owner"}).Draw(t, "role"); word != "" {
					grants = append(grants, access.Grant{ID: x(byte(i*20 + j + 1)), Principal: p, Resource: f.link(j), Role: access.GrantableRole(word)})
				}
			}
		}
		grants = rapid.Permutation(grants).Draw(t, "order")
		role := rapid.SampledFrom([]tenant.Role{tenant.RoleViewer, tenant.RoleMember, tenant.RoleAdmin}).Draw(t, "role in the organization")
		for _, p := range people {
			mine := slices.DeleteFunc(slices.Clone(grants), func(g access.Grant) bool { return g.Principal != p })
			var roles []tenant.ResourceRole
			for _, g := range mine {
				roles = append(roles, tenant.ResourceRole{Type: g.Resource.Type, ID: g.Resource.ID, Role: g.Role})
			}
			who := identity.Principal{Memberships: []tenant.Membership{{OrganizationID: x(home), Role: role}}, Grants: roles}
			want := map[access.Link]tenant.Role{}
			for i := range f {
				if r := f.model(grants, p, i); r != tenant.RoleNone {
					want[f.link(i)] = r
				}
				r := access.Resource{OrganizationID: x(home), Chain: f.chain(i)}
				for _, action := range access.Actions() {
					d := access.Decide(who, action, r)
					if d.Granted != f.model(grants, p, i) || d.Allowed != (max(role, d.Granted) >= d.Needs) {
						t.Fatalf("%v on %d: %+v", action, i, d)
					}
				}
				var listed tenant.Role
				for _, e := range access.PrincipalsOn(grants, f.chain(i)) {
					if e.Principal == p {
						listed = e.Role
					}
				}
				if listed != f.model(grants, p, i) {
					t.Fatalf("principals of %d: %v, want %v", i, listed, f.model(grants, p, i))
				}
			}
			got := map[access.Link]tenant.Role{}
			for _, e := range access.ResourcesOf(mine, f.inside) {
				got[e.Resource] = e.Role
				if e.InheritedFrom == nil && !slices.ContainsFunc(mine, func(g access.Grant) bool { return g.Resource == e.Resource && g.Role == e.Role }) {
					t.Fatalf("%+v is not granted", e)
				}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Fatalf("resources of %v: %s", p, diff)
			}
		}
	})
}
