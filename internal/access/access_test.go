package access_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/usefloww/flowwd/internal/access"
	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/identity"
	"github.com/usefloww/flowwd/internal/tenant"
)

// x makes an id.
func x(n byte) id.ID { return id.ID{15: n} }

const (
	home = iota + 1
	abroad
	flow
	folder
	around
)

// somebody is an account with a role at home.
func somebody(role tenant.Role, grants ...tenant.ResourceRole) identity.Principal {
	p := identity.Principal{Kind: identity.ServiceAccount, ID: x(100), Grants: grants}
	if role != tenant.RoleNone {
		p.Memberships = []tenant.Membership{{OrganizationID: x(home), Role: role}}
	}
	return p
}

func on(kind tenant.ResourceType, of byte, role tenant.Role) tenant.ResourceRole {
	return tenant.ResourceRole{Type: kind, ID: x(of), Role: role}
}

// nested is a workflow in a folder in a folder.
var nested = access.Resource{OrganizationID: x(home), What: "Workflow", Chain: []access.Link{
	{Type: tenant.WorkflowResource, ID: x(flow)}, {Type: tenant.FolderResource, ID: x(folder)}, {Type: tenant.FolderResource, ID: x(around)},
}}

// Acceptance criteria 26 and 30 of the wire contract.
func TestTheGreaterRoleWins(t *testing.T) {
	t.Parallel()
	if access.GrantableRole("OWNER") <= access.GrantableRole("user") || access.GrantableRole("user") <= tenant.RoleNone || access.GrantableRole("editor") != tenant.RoleNone {
		t.Error("26: an owner must outrank a user, and a user nobody")
	}
	owner, user := access.GrantableRole("owner"), access.GrantableRole("user")
	for name, c := range map[string]struct {
		grants []tenant.ResourceRole
		want   tenant.Role
		by     byte
	}{
		"none":                         {nil, tenant.RoleNone, 0},
		"direct":                       {[]tenant.ResourceRole{on(tenant.WorkflowResource, flow, user)}, user, flow},
		"user and folder's owner":      {[]tenant.ResourceRole{on(tenant.WorkflowResource, flow, user), on(tenant.FolderResource, folder, owner)}, owner, folder},
		"owner and folder's user":      {[]tenant.ResourceRole{on(tenant.FolderResource, folder, user), on(tenant.WorkflowResource, flow, owner)}, owner, flow},
		"through two folders":          {[]tenant.ResourceRole{on(tenant.FolderResource, around, owner)}, owner, around},
		"equal ones: the nearest":      {[]tenant.ResourceRole{on(tenant.FolderResource, around, user), on(tenant.WorkflowResource, flow, user)}, user, flow},
		"the id of another type":       {[]tenant.ResourceRole{on(tenant.ProviderResource, flow, owner)}, tenant.RoleNone, 0},
		"a folder that is not above":   {[]tenant.ResourceRole{on(tenant.FolderResource, 99, owner)}, tenant.RoleNone, 0},
		"a workflow is no folder's id": {[]tenant.ResourceRole{on(tenant.WorkflowResource, folder, owner)}, tenant.RoleNone, 0},
	} {
		d := access.Decide(somebody(tenant.RoleViewer, c.grants...), access.ReadWorkflow, nested)
		if d.Granted != c.want || c.by != 0 && d.By.ID != x(c.by) {
			t.Errorf("%s: %s by %v, want %s by %d", name, d.Granted, d.By, c.want, c.by)
		}
	}
}

func TestDecide(t *testing.T) {
	t.Parallel()
	owner, user := access.GrantableRole("owner"), access.GrantableRole("user")
	whole := access.Resource{OrganizationID: x(home), What: "Organization"}
	foreign := access.Resource{OrganizationID: x(abroad), What: "Workflow", Chain: nested.Chain}
	scoped := func(role tenant.Role, of byte, words ...string) identity.Principal {
		p := somebody(role)
		p.Scope = &identity.Scope{Actions: words}
		if of != 0 {
			p.Scope.Type, p.Scope.ID = tenant.WorkflowResource, x(of)
		}
		return p
	}
	for name, c := range map[string]struct {
		p      identity.Principal
		action access.Action
		r      access.Resource
		want   fault.Kind // 0 for allowed
	}{
		"a viewer reads":                           {somebody(tenant.RoleViewer), access.ReadWorkflow, nested, 0},
		"a viewer does not deploy":                 {somebody(tenant.RoleViewer), access.DeployWorkflow, nested, fault.Denied},
		"a viewer with a role deploys":             {somebody(tenant.RoleViewer, on(tenant.FolderResource, around, user)), access.DeployWorkflow, nested, 0},
		"a user does not grant":                    {somebody(tenant.RoleMember, on(tenant.WorkflowResource, flow, user)), access.GrantAccess, nested, fault.Denied},
		"an owner of it grants":                    {somebody(tenant.RoleViewer, on(tenant.WorkflowResource, flow, owner)), access.GrantAccess, nested, 0},
		"a role does not reach the organization":   {somebody(tenant.RoleViewer, on(tenant.WorkflowResource, flow, owner)), access.WriteMember, whole, fault.Denied},
		"a role never takes away":                  {somebody(tenant.RoleOwner, on(tenant.WorkflowResource, flow, user)), access.GrantAccess, nested, 0},
		"a stranger finds nothing":                 {somebody(tenant.RoleNone), access.ReadWorkflow, nested, fault.NotFound},
		"a role without a membership is nothing":   {somebody(tenant.RoleNone, on(tenant.WorkflowResource, flow, owner)), access.ReadWorkflow, nested, fault.NotFound},
		"nor is one abroad":                        {somebody(tenant.RoleOwner, on(tenant.WorkflowResource, flow, owner)), access.ReadWorkflow, foreign, fault.NotFound},
		"an unknown action is allowed to nobody":   {somebody(tenant.RoleOwner), "workflow.melt", nested, fault.Denied},
		"a key for deploying deploys":              {scoped(tenant.RoleMember, 0, "deploy"), access.DeployWorkflow, nested, 0},
		"and does not read runs":                   {scoped(tenant.RoleMember, 0, "deploy"), access.ReadExecution, nested, fault.Denied},
		"a scope gives nothing":                    {scoped(tenant.RoleViewer, 0, "deploy"), access.DeployWorkflow, nested, fault.Denied},
		"a key for the workflow deploys it":        {scoped(tenant.RoleMember, flow), access.DeployWorkflow, nested, 0},
		"and no other":                             {scoped(tenant.RoleMember, 99), access.DeployWorkflow, nested, fault.Denied},
		"and nothing of the organization":          {scoped(tenant.RoleOwner, flow), access.ReadMember, whole, fault.Denied},
		"a narrow key gives no access":             {scoped(tenant.RoleOwner, flow), access.GrantAccess, nested, fault.Denied},
		"and makes no keys":                        {scoped(tenant.RoleOwner, 0, "read", "deploy", "invoke"), access.WriteServiceAccount, whole, fault.Denied},
		"an unknown word of a scope is for nobody": {scoped(tenant.RoleOwner, 0, "everything"), access.ReadWorkflow, nested, fault.Denied},
		"a strange key finds nothing":              {scoped(tenant.RoleNone, flow), access.ReadWorkflow, nested, fault.NotFound},
	} {
		err := access.Allow(c.p, c.action, c.r)
		if (err != nil) != (c.want != 0) || err != nil && fault.KindOf(err) != c.want {
			t.Errorf("%s: got %v (%v), want %v", name, err, fault.KindOf(err), c.want)
		}
		if d := access.Decide(c.p, c.action, c.r); d.Allowed != (c.want == 0) || d.Reason(c.action) == "" {
			t.Errorf("%s: decision %+v", name, d)
		}
	}
}

func TestWhatIsOnesOwnWithANarrowKey(t *testing.T) {
	t.Parallel()
	for name, scope := range map[string]*identity.Scope{
		"read": {Actions: []string{"read"}}, "deploy": {Actions: []string{"deploy"}}, "a workflow": {Type: tenant.WorkflowResource, ID: x(flow)},
	} {
		p := somebody(tenant.RoleAdmin)
		p.Scope = scope
		for action, want := range map[access.Action]bool{
			access.ReadWhoami: true, access.ExplainAccess: true, access.WriteSelf: false, access.CreateOrganization: false,
			access.JoinOrganization: false, access.ApproveDevice: false, access.ListServiceAccounts: false,
		} {
			if err := access.AllowSelf(p, action); (err == nil) != want {
				t.Errorf("a key for %s and %s: %v, want allowed %t", name, action, err, want)
			}
		}
		if access.AllowAdmin(p) == nil {
			t.Errorf("a key for %s opens the pages of administrators", name)
		}
	}
}

func TestAListShowsWhatIsAllowedEverywhereAlone(t *testing.T) {
	t.Parallel()
	p := somebody(tenant.RoleMember, on(tenant.WorkflowResource, flow, tenant.RoleAdmin))
	p.Memberships = append(p.Memberships, tenant.Membership{OrganizationID: x(abroad), Role: tenant.RoleAdmin})
	if got := access.OrganizationsFor(p, access.WriteMember); !cmp.Equal(got, []id.ID{x(abroad)}) {
		t.Errorf("organizations %v", got)
	}
	p.Scope = &identity.Scope{Type: tenant.WorkflowResource, ID: x(flow)}
	if got := access.OrganizationsFor(p, access.ReadWorkflow); len(got) > 0 {
		t.Errorf("organizations of a key for a workflow: %v", got)
	}
	for _, c := range []struct {
		p      identity.Principal
		action access.Action
		want   bool
	}{
		{somebody(tenant.RoleViewer), access.DeployWorkflow, false},
		{somebody(tenant.RoleViewer, on(tenant.WorkflowResource, flow, tenant.RoleMember)), access.DeployWorkflow, true},
		{somebody(tenant.RoleNone, on(tenant.WorkflowResource, flow, tenant.RoleMember)), access.DeployWorkflow, false},
		{somebody(tenant.RoleOwner), "workflow.melt", false},
	} {
		if err := access.AllowAnywhere(c.p, c.action); (err == nil) != c.want {
			t.Errorf("%v anywhere: %v, want allowed %t", c.action, err, c.want)
		}
	}
}

func TestParseScope(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		words []string
		alone access.Link
		want  *identity.Scope
	}{
		"nothing":       {nil, access.Link{}, nil},
		"in order":      {[]string{"INVOKE", "read", "Read"}, access.Link{}, &identity.Scope{Actions: []string{"read", "invoke"}}},
		"for one alone": {nil, access.Link{Type: tenant.WorkflowResource, ID: x(flow)}, &identity.Scope{Type: tenant.WorkflowResource, ID: x(flow)}},
		"for a folder":  {nil, access.Link{Type: tenant.FolderResource, ID: x(folder)}, &identity.Scope{Type: tenant.FolderResource, ID: x(folder)}},
	} {
		got, err := access.ParseScope(c.words, c.alone)
		if diff := cmp.Diff(c.want, got); err != nil || diff != "" {
			t.Errorf("%s: %v %s", name, err, diff)
		}
	}
	for _, word := range []string{"", "admin", "read,deploy", " read"} {
		if _, err := access.ParseScope([]string{"read", word}, access.Link{}); !fault.Is(err, fault.Invalid) {
			t.Errorf("%q: got %v", word, err)
		}
	}
}
