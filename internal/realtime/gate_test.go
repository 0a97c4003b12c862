package realtime

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/identity"
	"github.com/usefloww/flowwd/internal/tenant"
	"github.com/usefloww/flowwd/internal/workflow"
)

// The gate's tests have two tenants with a workflow each.
var (
	home, abroad = id.ID{0: 1}, id.ID{0: 2}
	flow         = id.ID{0: 0x0a, 15: 0xbc}
	foreign      = id.ID{0: 4}
)

// gateOf answers for those two.
func gateOf(trouble error) *Gate {
	owners := map[id.ID]id.ID{flow: home, foreign: abroad}
	return &Gate{
		Authenticate: func(_ context.Context, c identity.Credential) (identity.Principal, error) {
			switch c.Bearer {
			case "a run":
				return identity.Principal{Kind: identity.Run}, nil
			case "bad":
				return identity.Principal{}, fault.New(fault.Unauthenticated, "no")
			case "trouble":
				return identity.Principal{}, errors.New("the database is gone")
			}
			return identity.Principal{Kind: identity.ServiceAccount, ID: id.ID{9}}, nil
		},
		Workflow: func(_ context.Context, organizations []id.ID, named id.ID) (workflow.Workflow, error) {
			if trouble != nil {
				return workflow.Workflow{}, trouble
			}
			owner, found := owners[named]
			if !found || !slices.Contains(organizations, owner) {
				return workflow.Workflow{}, fault.New(fault.NotFound, "Workflow not found")
			}
			return workflow.Workflow{ID: named, OrganizationID: owner}, nil
		},
	}
}

func TestWhoMayConnect(t *testing.T) {
	t.Parallel()
	for bearer, want := range map[string]struct {
		kind  fault.Kind
		final bool
	}{"good": {0, false}, "a run": {fault.Denied, true}, "bad": {fault.Unauthenticated, true}, "trouble": {fault.Internal, false}} {
		_, err := gateOf(nil).Connect(t.Context(), identity.Credential{Bearer: bearer})
		if (err == nil) != (bearer == "good") || err != nil && (fault.KindOf(err) != want.kind || Final(err) != want.final) {
			t.Errorf("%s: %v, want %v, final: %v", bearer, err, want.kind, want.final)
		}
	}
}

func TestWhoMaySubscribe(t *testing.T) {
	t.Parallel()
	member := identity.Principal{Kind: identity.ServiceAccount, Memberships: []tenant.Membership{{OrganizationID: home, Role: tenant.RoleViewer}}}
	narrow := func(of id.ID, actions ...string) identity.Principal {
		p := member
		p.Scope = &identity.Scope{Actions: actions}
		if !of.IsZero() {
			p.Scope.Type, p.Scope.ID = tenant.WorkflowResource, of
		}
		return p
	}
	stranger := identity.Principal{Kind: identity.Human, Memberships: []tenant.Membership{{OrganizationID: abroad, Role: tenant.RoleOwner}}}
	administrator := identity.Principal{Kind: identity.Human, Admin: true}
	own := Channel(flow)
	for name, c := range map[string]struct {
		p       identity.Principal
		channel string
		opens   bool
		of      id.ID
	}{
		"a viewer":                        {member, own, true, flow},
		"a stranger":                      {stranger, own, false, id.ID{}},
		"an administrator":                {administrator, own, false, id.ID{}},
		"nobody":                          {identity.Principal{}, own, false, id.ID{}},
		"a key for the workflow":          {narrow(flow), own, true, flow},
		"a key for another":               {narrow(foreign), own, false, id.ID{}},
		"a key for reading":               {narrow(id.ID{}, "read"), own, true, flow},
		"a key for deploying":             {narrow(id.ID{}, "deploy"), own, false, id.ID{}},
		"a foreign workflow":              {member, Channel(foreign), false, id.ID{}},
		"no workflow":                     {member, Channel(id.ID{0: 7}), false, id.ID{}},
		"everybody's channel":             {member, EventsChannel, true, id.ID{}},
		"everybody's channel, a stranger": {stranger, EventsChannel, true, id.ID{}},
		"capitals":                        {member, strings.ToUpper(own), false, id.ID{}},
		"an id in capitals":               {member, "workflow:" + strings.ToUpper(flow.String()), false, id.ID{}},
		"an id without lines":             {member, "workflow:" + strings.ReplaceAll(flow.String(), "-", ""), false, id.ID{}},
		"an id in braces":                 {member, "workflow:{" + flow.String() + "}", false, id.ID{}},
		"a space behind":                  {member, own + " ", false, id.ID{}},
		"a zero byte behind":              {member, own + "\x00", false, id.ID{}},
		"a line behind":                   {member, own + "\n", false, id.ID{}},
		"a part behind":                   {member, own + ":x", false, id.ID{}},
		"users behind":                    {member, own + "#1,2", false, id.ID{}},
		"two prefixes":                    {member, "workflow:" + own, false, id.ID{}},
		"another namespace":               {member, "execution:" + flow.String(), false, id.ID{}},
		"no namespace":                    {member, flow.String(), false, id.ID{}},
		"a private channel":               {member, "$" + own, false, id.ID{}},
		"the id of nothing":               {member, Channel(id.ID{}), false, id.ID{}},
		"a pattern":                       {member, "workflow:*", false, id.ID{}},
		"nothing":                         {member, "", false, id.ID{}},
		"the prefix alone":                {member, "workflow:", false, id.ID{}},
		"everybody's channel and more":    {member, EventsChannel + "2", false, id.ID{}},
	} {
		of, err := gateOf(nil).Subscribe(t.Context(), c.p, c.channel)
		if (err == nil) != c.opens || of != c.of {
			t.Errorf("%s: %v %v, want it open: %v", name, of, err, c.opens)
		}
		// Nobody learns from a refusal what there is.
		if err != nil && (err.Error() != ErrChannel().Error() || !Final(err)) {
			t.Errorf("%s: refused with %q", name, err)
		}
	}
}

// What may pass is no refusal, or clients would give up for good.
func TestTroubleIsNotFinal(t *testing.T) {
	t.Parallel()
	for _, trouble := range []error{errors.New("the database is gone"), fault.New(fault.Unavailable, "too much waits"), context.DeadlineExceeded} {
		if _, err := gateOf(trouble).Subscribe(t.Context(), identity.Principal{}, Channel(flow)); err == nil || Final(err) {
			t.Errorf("%v: %v", trouble, err)
		}
	}
}
