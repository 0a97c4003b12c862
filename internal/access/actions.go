package access

import (
	"slices"
	"strings"

	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/identity"
	"github.com/usefloww/flowwd/internal/tenant"
)

// Action is something that a principal does to a resource.
type Action string

// Actions inside an organization.
const (
	ReadNamespace Action = "namespace.read"
	ReadWorkflow  Action = "workflow.read"
	WriteWorkflow Action = "workflow.write"
	ReadFolder    Action = "folder.read"
	// WriteFolder is to make, rename, move and delete folders.
	WriteFolder      Action = "folder.write"
	DeployWorkflow   Action = "workflow.deploy"
	RunWorkflow      Action = "workflow.run"
	ReadExecution    Action = "execution.read"
	ReadOrganization Action = "organization.read"
	// WriteOrganization renames it.
	WriteOrganization  Action = "organization.write"
	DeleteOrganization Action = "organization.delete"
	LeaveOrganization  Action = "organization.leave"
	ReadMember         Action = "member.read"
	WriteMember        Action = "member.write"
	WriteInvitation    Action = "invitation.write"
	// WriteServiceAccount is reading as well: who sees them may make keys.
	WriteServiceAccount Action = "service_account.write"
	// ReadAccess is to see who may do what.
	ReadAccess Action = "access.read"
	// GrantAccess is to give others a role on a resource, and to ask what they
	// may do to it.
	GrantAccess Action = "access.grant"
	ReadAudit   Action = "audit.read"
	// ReadSecret is to see which secrets there are; their values nobody sees.
	ReadSecret  Action = "secret.read"
	WriteSecret Action = "secret.write"
	// UseSecret is to deploy code that asks for a secret which its workflow does
	// not use yet.
	UseSecret Action = "secret.use"
	// ReadKV and WriteKV are for runs too, by the permissions of their workflow.
	ReadKV  Action = "kv.read"
	WriteKV Action = "kv.write"
	// ReadRuntime is to see runtimes and to pull their images, WriteRuntime to
	// push images and to make and remove runtimes.
	ReadRuntime  Action = "runtime.read"
	WriteRuntime Action = "runtime.write"
)

// Actions on what is one's own, for everybody who is logged in.
const (
	ReadWhoami         Action = "whoami.read"
	WriteSelf          Action = "self.write"
	CreateOrganization Action = "organization.create"
	ListOrganizations  Action = "organization.list"
	JoinOrganization   Action = "organization.join"
	// RestoreOrganization is for its owners, whom a deleted organization does not
	// list any more.
	RestoreOrganization Action = "organization.restore"
	ApproveDevice       Action = "device.approve"
	// ListServiceAccounts shows those of the organizations where one may change
	// them; existing clients of everybody else expect an empty list.
	ListServiceAccounts Action = "service_account.list"
	// ExplainAccess is to ask what one may do oneself.
	ExplainAccess Action = "access.explain"
)

// Actions that are open, for a reason of their own each.
const (
	ReceiveWebhook  Action = "webhook.receive"
	ReadDescription Action = "description.read"
	ReadHealth      Action = "health.read"
	ReadConfig      Action = "config.read"
	// LogIn needs no credential: it is how one gets one.
	LogIn      Action = "login"
	ReadAssets Action = "assets.read"
	// AskRealtime is what a Centrifugo server does, by a secret of its own.
	AskRealtime Action = "realtime.ask"
	// ConnectRealtime is decided about inside of the connection.
	ConnectRealtime Action = "realtime.connect"
	// UseRegistry is decided about by the credential that a request carries in
	// the way of container tools.
	UseRegistry Action = "registry.use"
)

// ReadMeasurements is the operator's.
const ReadMeasurements Action = "measurements.read"

// Actions of the installation's administrators.
const (
	Administer Action = "admin"
)

// needs is the smallest role for each action inside an organization. An action
// that is missing here is allowed to nobody.
var needs = map[Action]tenant.Role{
	ReadNamespace:       tenant.RoleViewer,
	ReadWorkflow:        tenant.RoleViewer,
	WriteWorkflow:       tenant.RoleMember,
	ReadFolder:          tenant.RoleViewer,
	WriteFolder:         tenant.RoleMember,
	DeployWorkflow:      tenant.RoleMember,
	RunWorkflow:         tenant.RoleMember,
	ReadExecution:       tenant.RoleViewer,
	ReadOrganization:    tenant.RoleViewer,
	WriteOrganization:   tenant.RoleAdmin,
	DeleteOrganization:  tenant.RoleOwner,
	LeaveOrganization:   tenant.RoleViewer,
	ReadMember:          tenant.RoleViewer,
	WriteMember:         tenant.RoleAdmin,
	WriteInvitation:     tenant.RoleAdmin,
	WriteServiceAccount: tenant.RoleAdmin,
	ReadAccess:          tenant.RoleViewer,
	GrantAccess:         tenant.RoleAdmin,
	ReadAudit:           tenant.RoleAdmin,
	ReadSecret:          tenant.RoleViewer,
	WriteSecret:         tenant.RoleMember,
	UseSecret:           tenant.RoleMember,
	ReadKV:              tenant.RoleViewer,
	WriteKV:             tenant.RoleMember,
	ReadRuntime:         tenant.RoleViewer,
	WriteRuntime:        tenant.RoleMember,
}

// The groups of actions that a credential's scope can be made of.
const (
	ScopeRead   = "read"
	ScopeDeploy = "deploy"
	ScopeInvoke = "invoke"
)

// groups are what the words of a scope allow. Whoever deploys or invokes must
// find what it is done to. What gives others access, which moving folders does as
// well, is in no group: a credential that is made for less must not be the way to
// one that is not.
var groups = map[string][]Action{
	ScopeRead:   {ReadNamespace, ReadWorkflow, ReadFolder, ReadExecution, ReadOrganization, ReadWhoami, ExplainAccess, ListOrganizations, ReadMember, ReadAccess, ReadKV, ReadSecret, ReadRuntime},
	ScopeDeploy: {ReadNamespace, ReadWorkflow, ReadFolder, WriteWorkflow, DeployWorkflow, ReadSecret, UseSecret, ReadRuntime, WriteRuntime, ReadWhoami, ExplainAccess},
	ScopeInvoke: {ReadNamespace, ReadWorkflow, ReadFolder, RunWorkflow, ReadWhoami, ExplainAccess},
}

// ScopeWords are the words that a scope can be made of.
func ScopeWords() []string { return []string{ScopeRead, ScopeDeploy, ScopeInvoke} }

// ParseScope makes a scope of words and of the only workflow or folder, if there
// is one. None of both is no scope.
func ParseScope(words []string, alone Link) (*identity.Scope, error) {
	if len(words) == 0 && alone.ID.IsZero() {
		return nil, nil
	}
	s := &identity.Scope{}
	for _, word := range words {
		if !slices.Contains(ScopeWords(), strings.ToLower(word)) {
			return nil, fault.New(fault.Invalid, "%.40q is nothing that an API key can be made for; allowed: %s", word, strings.Join(ScopeWords(), ", "))
		}
	}
	for _, word := range ScopeWords() {
		if slices.ContainsFunc(words, func(w string) bool { return strings.EqualFold(w, word) }) {
			s.Actions = append(s.Actions, word)
		}
	}
	if !alone.ID.IsZero() {
		s.Type, s.ID = alone.Type, alone.ID
	}
	return s, nil
}

// inScope reports whether one of the words allows an action; no words are all of
// them.
func inScope(words []string, action Action) bool {
	if len(words) == 0 {
		words = ScopeWords()
	}
	return slices.ContainsFunc(words, func(w string) bool { return slices.Contains(groups[w], action) })
}
