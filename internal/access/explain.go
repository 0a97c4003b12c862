package access

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/identity"
	"github.com/usefloww/flowwd/internal/tenant"
)

// OrganizationResource names an organization where something is asked about it.
// No roles are granted on one: that is what membership is.
const OrganizationResource tenant.ResourceType = "organization"

// inResources are the actions that are done to single resources; all others are
// done to an organization as a whole.
var inResources = []Action{ReadWorkflow, WriteWorkflow, ReadFolder, WriteFolder, DeployWorkflow, RunWorkflow, ReadExecution, ReadAccess, GrantAccess}

// OnResource reports whether an action is done to single resources.
func OnResource(action Action) bool { return slices.Contains(inResources, action) }

// Question asks whether a principal may do something.
type Question struct {
	// Principal is zero for whoever asks.
	Principal PrincipalRef
	Action    Action
	Resource  Link
}

// Explanation answers a Question.
type Explanation struct {
	Decision
	Question
	// ByName is the name of By, when that is a folder.
	ByName string
	// Reasons are sentences that say why, those that count against it included.
	Reasons []string
}

// Actions returns what can be done inside an organization, in order.
func Actions() []Action { return slices.Sorted(maps.Keys(needs)) }

// Explain says whether a principal may do something, and why. Everybody may ask
// about themselves, with the credential that they ask with, and whoever may
// change the access to a resource about all who are in its organization.
func (s *Service) Explain(ctx context.Context, by identity.Principal, q Question) (Explanation, error) {
	r, err := s.asked(ctx, by, q)
	if err != nil {
		return Explanation{}, err
	}
	self := RefOf(by)
	if q.Principal == (PrincipalRef{}) || q.Principal == self {
		q.Principal = self
		return s.explain(ctx, by, q, r)
	}
	if err := checkPrincipalType(q.Principal.Type); err != nil {
		return Explanation{}, err
	}
	if err := Allow(by, GrantAccess, r); err != nil {
		return Explanation{}, err
	}
	p, err := s.Store.Member(ctx, r.OrganizationID, q.Principal)
	if err != nil {
		return Explanation{}, err
	}
	return s.explain(ctx, p, q, r)
}

// asked returns the resource of a question.
func (s *Service) asked(ctx context.Context, by identity.Principal, q Question) (Resource, error) {
	if _, known := needs[q.Action]; !known {
		all := make([]string, 0, len(needs))
		for _, a := range Actions() {
			all = append(all, string(a))
		}
		return Resource{}, fault.New(fault.Invalid, "%.40q is no action inside an organization; allowed: %s", string(q.Action), strings.Join(all, ", "))
	}
	if q.Resource.Type == OrganizationResource {
		if by.RoleIn(q.Resource.ID) == tenant.RoleNone {
			return Resource{}, fault.New(fault.NotFound, "Organization not found")
		}
		return Resource{OrganizationID: q.Resource.ID, What: "Organization"}, nil
	}
	if !OnResource(q.Action) {
		return Resource{}, fault.New(fault.Invalid, "%s is done to an organization as a whole; ask with the resource type %s", q.Action, OrganizationResource)
	}
	return s.find(ctx, by, q.Resource)
}

func (s *Service) explain(ctx context.Context, p identity.Principal, q Question, r Resource) (Explanation, error) {
	var folders []id.ID
	for _, link := range r.Chain {
		if link.Type == tenant.FolderResource {
			folders = append(folders, link.ID)
		}
	}
	var names map[id.ID]string
	if len(folders) > 0 {
		var err error
		if names, err = s.Store.FolderNames(ctx, r.OrganizationID, folders); err != nil {
			return Explanation{}, err
		}
	}
	return explain(p, q, r, names), nil
}

func explain(p identity.Principal, q Question, r Resource, names map[id.ID]string) Explanation {
	e := Explanation{Decision: Decide(p, q.Action, r), Question: q}
	e.ByName = names[e.By.ID]
	say := func(format string, values ...any) { e.Reasons = append(e.Reasons, fmt.Sprintf(format, values...)) }
	enough := func(role tenant.Role) string {
		if role >= e.Needs {
			return "which is enough"
		}
		return "which is too little"
	}
	say("%s needs the role %s in the organization or on the resource, or a greater one", q.Action, e.Needs)
	say("the role in the organization is %s, %s", e.Role, enough(e.Role))
	for i, link := range r.Chain {
		for _, g := range p.Grants {
			if g.Type != link.Type || g.ID != link.ID {
				continue
			}
			where := "the resource itself"
			if i > 0 {
				where = fmt.Sprintf("the %s %q (%s), which holds the resource", link.Type, names[link.ID], link.ID)
			}
			say("the role %s is granted on %s; there it stands for %s, %s", GrantWord(g.Role), where, g.Role, enough(g.Role))
		}
	}
	if p.Scope != nil {
		verdict := "which this is part of"
		if e.ScopeRefuses {
			verdict = "which this is no part of"
		}
		say("the API key is made for %s alone, %s", p.Scope, verdict)
	}
	if p.User.DisabledAt != nil {
		e.Allowed = false
		say("the account is disabled")
	}
	return e
}
