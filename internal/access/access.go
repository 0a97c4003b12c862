package access

import (
	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/identity"
	"github.com/usefloww/flowwd/internal/tenant"
)

// Action is something that a principal does to a resource.
type Action string

// The actions.
const (
	ReadNamespace    Action = "namespace.read"
	ReadWorkflow     Action = "workflow.read"
	WriteWorkflow    Action = "workflow.write"
	DeployWorkflow   Action = "workflow.deploy"
	ReadExecution    Action = "execution.read"
	ReadWhoami       Action = "whoami.read"
	ReceiveWebhook   Action = "webhook.receive"
	ReadDescription  Action = "description.read"
	ReadHealth       Action = "health.read"
	ReadMeasurements Action = "measurements.read"
)

// needs is the smallest role for each action inside an organization. An action
// that is missing here is allowed to nobody.
var needs = map[Action]tenant.Role{
	ReadNamespace:  tenant.RoleViewer,
	ReadWorkflow:   tenant.RoleViewer,
	WriteWorkflow:  tenant.RoleMember,
	DeployWorkflow: tenant.RoleMember,
	ReadExecution:  tenant.RoleViewer,
	ReadWhoami:     tenant.RoleViewer,
}

// Resource is what an action is done to. All that matters of it today is whose
// it is.
type Resource struct {
	OrganizationID id.ID
	// What names the resource in errors, such as "Workflow".
	What string
}

// Allow returns nil when p may do action to r, fault.NotFound when r belongs to
// an organization that p is no member of, and fault.Denied when p's role there
// is too small.
func Allow(p identity.Principal, action Action, r Resource) error {
	role := p.RoleIn(r.OrganizationID)
	if role == tenant.RoleNone {
		return fault.New(fault.NotFound, "%s not found", r.What)
	}
	least, known := needs[action]
	if !known || role < least {
		return fault.New(fault.Denied, "your role in this organization (%s) does not allow %s", role, action)
	}
	return nil
}

// Policy is who may use a route. The zero Policy allows nobody.
type Policy struct {
	action Action
	kind   policyKind
}

type policyKind uint8

const (
	denyAll policyKind = iota
	public
	authenticated
	operator
)

// Public lets everybody use a route; the action names why it is open.
func Public(action Action) Policy { return Policy{action: action, kind: public} }

// Requires lets a principal use a route that may do action to the object that
// the route names or, where it names none, to at least one organization.
func Requires(action Action) Policy { return Policy{action: action, kind: authenticated} }

// Operator lets the operator of the machine use a route: a caller that shows
// the metrics token, or one that comes from the machine itself.
func Operator(action Action) Policy { return Policy{action: action, kind: operator} }

// IsZero reports whether nobody declared the policy.
func (p Policy) IsZero() bool { return p.kind == denyAll }

// IsPublic reports whether no credential is needed.
func (p Policy) IsPublic() bool { return p.kind == public }

// IsOperator reports whether the route is for the machine's operator.
func (p Policy) IsOperator() bool { return p.kind == operator }

// Action returns what the route's user does.
func (p Policy) Action() Action { return p.action }

// String describes the policy, as it stands in the golden list of routes.
func (p Policy) String() string {
	switch p.kind {
	case public:
		return "public " + string(p.action)
	case authenticated:
		return "requires " + string(p.action)
	case operator:
		return "operator " + string(p.action)
	default:
		return "nobody"
	}
}

// AllowAnywhere returns nil when p may do action in at least one organization.
func AllowAnywhere(p identity.Principal, action Action) error {
	least, known := needs[action]
	for _, m := range p.Memberships {
		if known && m.Role >= least {
			return nil
		}
	}
	return fault.New(fault.Denied, "you are in no organization where your role allows %s", action)
}
