package access

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
	self
	operator
	admin
)

// Public lets everybody use a route; the action names why it is open.
func Public(action Action) Policy { return Policy{action: action, kind: public} }

// Requires lets a principal use a route that may do action to the object that
// the route names or, where it names none, in at least one organization.
func Requires(action Action) Policy { return Policy{action: action, kind: authenticated} }

// Self lets everybody who is logged in use a route, for what is their own.
func Self(action Action) Policy { return Policy{action: action, kind: self} }

// Operator lets the operator of the machine use a route: a caller that shows
// the metrics token, or one that comes from the machine itself.
func Operator(action Action) Policy { return Policy{action: action, kind: operator} }

// Admin lets approved administrators of the installation use a route.
func Admin(action Action) Policy { return Policy{action: action, kind: admin} }

// IsZero reports whether nobody declared the policy.
func (p Policy) IsZero() bool { return p.kind == denyAll }

// IsPublic reports whether no credential is needed.
func (p Policy) IsPublic() bool { return p.kind == public }

// IsRequires reports whether a role inside an organization is needed.
func (p Policy) IsRequires() bool { return p.kind == authenticated }

// IsSelf reports whether it is enough to be logged in.
func (p Policy) IsSelf() bool { return p.kind == self }

// IsOperator reports whether the route is for the machine's operator.
func (p Policy) IsOperator() bool { return p.kind == operator }

// IsAdmin reports whether the route is for approved administrators.
func (p Policy) IsAdmin() bool { return p.kind == admin }

// Action returns what the route's user does.
func (p Policy) Action() Action { return p.action }

// String describes the policy, as it stands in the golden list of routes.
func (p Policy) String() string {
	switch p.kind {
	case public:
		return "public " + string(p.action)
	case authenticated:
		return "requires " + string(p.action)
	case self:
		return "self " + string(p.action)
	case operator:
		return "operator " + string(p.action)
	case admin:
		return "admin " + string(p.action)
	default:
		return "nobody"
	}
}
