package realtime

import (
	"context"
	"fmt"

	"github.com/usefloww/flowwd/internal/access"
	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/identity"
	"github.com/usefloww/flowwd/internal/workflow"
)

// Gate decides who may connect and who may subscribe to what, each time anew by
// the credential.
type Gate struct {
	Authenticate func(ctx context.Context, c identity.Credential) (identity.Principal, error)
	// Workflow returns a workflow that one of the organizations owns.
	Workflow func(ctx context.Context, organizations []id.ID, workflow id.ID) (workflow.Workflow, error)
}

// Connect returns who a connection belongs to. A fault.Unauthenticated or
// fault.Denied is final; everything else may pass.
func (g *Gate) Connect(ctx context.Context, c identity.Credential) (identity.Principal, error) {
	p, err := g.Authenticate(ctx, c)
	if err == nil && p.Kind == identity.Run {
		return identity.Principal{}, fault.New(fault.Denied, "the token of a run opens the key-value store alone")
	}
	return p, err
}

// ErrChannel refuses a channel. It does not tell a foreign workflow from none;
// the text is the one of 4.4 of identity-realtime-admin.md.
func ErrChannel() error { return fault.New(fault.Denied, "Access denied to this channel") }

// Subscribe returns the workflow whose channel p may subscribe to; the zero id
// for the channel that everybody may and nobody publishes to. A fault.Denied is
// final.
func (g *Gate) Subscribe(ctx context.Context, p identity.Principal, channel string) (id.ID, error) {
	if channel == EventsChannel {
		return id.ID{}, nil
	}
	named, ok := ParseChannel(channel)
	if !ok {
		return id.ID{}, ErrChannel()
	}
	w, err := g.Workflow(ctx, p.Organizations(), named)
	if fault.Is(err, fault.NotFound) {
		return id.ID{}, ErrChannel()
	}
	if err != nil {
		return id.ID{}, fmt.Errorf("look for the workflow of a channel: %w", err)
	}
	if access.Allow(p, access.ReadExecution, access.InWorkflow(w.OrganizationID, w.ID, w.Folders, "Workflow")) != nil {
		return id.ID{}, ErrChannel()
	}
	return w.ID, nil
}

// Final reports whether a refusal stays one when the client asks again.
func Final(err error) bool {
	return fault.Is(err, fault.Denied) || fault.Is(err, fault.Unauthenticated) || fault.Is(err, fault.Invalid)
}
