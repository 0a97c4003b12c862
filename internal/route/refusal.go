package route

import (
	"context"

	"github.com/usefloww/flowwd/internal/access"
	"github.com/usefloww/flowwd/internal/audit"
	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
)

// Refusal is a request that somebody known may not make: its policy refused it,
// or a rule further in.
type Refusal struct {
	Action access.Action
	// Method and Pattern are those of the route.
	Method, Pattern string
	// OrganizationID is the one of the object that the path names; zero where it
	// names none.
	OrganizationID id.ID
	// Reason is a fault.Denied.
	Reason error
}

// tellRefusal tells Config.Refused. The client may be gone by now, which must
// not keep what it tried from being known.
func (rt *Router) tellRefusal(ctx context.Context, q *request, err error) {
	if rt.config.Refused == nil || q.principal.ID.IsZero() || !fault.Is(err, fault.Denied) {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), rt.config.Limits.Timeout)
	defer cancel()
	leaf := q.match.leaf
	rt.config.Refused(audit.WithActor(ctx, q.actor()), Refusal{
		Action: leaf.entry.spec.Policy.Action(), Method: leaf.entry.spec.Method, Pattern: leaf.pattern,
		OrganizationID: q.organization, Reason: err,
	})
}

// actor is who makes the request, for the audit log.
func (q *request) actor() audit.Actor {
	a := q.principal.Actor()
	a.Address, a.RequestID = q.address, q.id
	return a
}
