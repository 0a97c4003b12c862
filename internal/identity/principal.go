package identity

import (
	"slices"
	"strings"
	"time"

	"github.com/usefloww/flowwd/internal/audit"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/tenant"
)

// Kind is the sort of principal.
type Kind string

// The kinds of principals. The zero kind is Anonymous.
const (
	Anonymous      Kind = ""
	ServiceAccount Kind = "service_account"
	Human          Kind = "human"
	// Run is the code of a run. It is a member of nothing, and may do what its
	// workflow may with what belongs to workflows.
	Run Kind = "run"
)

// Principal is whoever makes a request. The zero Principal is anonymous and is
// a member of nothing.
type Principal struct {
	Kind Kind
	ID   id.ID
	// Name is that of a service account.
	Name string
	// User is whom a Human principal stands for; zero for a service account.
	User        User
	CreatedAt   time.Time
	Memberships []tenant.Membership
	// Disabled are organizations of which p would be a member, were they not
	// disabled.
	Disabled []id.ID
	// Grants are roles on single resources inside of those organizations.
	Grants []tenant.ResourceRole
	// Scope narrows what the credential may do; nil for all that the principal
	// may.
	Scope *Scope
	// Admin says that this is an approved administrator of the installation.
	Admin bool
	// SessionID is the browser session behind the request; zero for other
	// credentials.
	SessionID id.ID
	// Slid says that this use has moved the session's expiry, so that the cookie
	// should live as long anew.
	Slid bool
	// FamilyID is the command line's login behind the request; zero for other
	// credentials.
	FamilyID id.ID
	// Run is the attempt that a Run principal stands for.
	Run RunIdentity
	// Ambient says that a browser sends the credential by itself, also when
	// another site made it send the request.
	Ambient bool
}

// Scope narrows a credential.
type Scope struct {
	// Actions are groups of actions; empty for all groups. Package access knows
	// what is in them.
	Actions []string
	// Type and ID name the only resource; zero for all.
	Type tenant.ResourceType
	ID   id.ID
}

// String says for people what a credential is made for.
func (s *Scope) String() string {
	switch {
	case s == nil:
		return "everything"
	case s.ID.IsZero():
		return strings.Join(s.Actions, ", ")
	case len(s.Actions) == 0:
		return "the " + string(s.Type) + " " + s.ID.String()
	default:
		return strings.Join(s.Actions, ", ") + " on the " + string(s.Type) + " " + s.ID.String()
	}
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

// Actor names p in the audit log.
func (p Principal) Actor() audit.Actor {
	switch p.Kind {
	case ServiceAccount:
		return audit.Actor{Kind: audit.KindServiceAccount, ID: p.ID, Name: p.Name}
	case Human:
		return audit.Actor{Kind: audit.KindUser, ID: p.ID, Name: p.User.Label()}
	case Run:
		return RunActor(p.Run.ExecutionID)
	default:
		return audit.Actor{Kind: audit.KindAnonymous}
	}
}

// RunActor names the code of a run in the audit log.
func RunActor(execution id.ID) audit.Actor {
	return audit.Actor{Kind: audit.KindRun, ID: execution, Name: "run " + execution.String()}
}
