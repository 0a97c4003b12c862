package app

import (
	"context"

	"github.com/usefloww/flowwd/internal/dev"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/identity"
	"github.com/usefloww/flowwd/internal/realtime"
	"github.com/usefloww/flowwd/internal/trigger"
)

// presence tells who is subscribed to the channels of workflows.
type presence struct{ realtime.Transport }

// Here implements dev.Presence.
func (p presence) Here(workflow, developer id.ID) (present, known bool) {
	return p.Transport.Here(realtime.Channel(workflow), developer)
}

// Present implements dev.Presence.
func (p presence) Present(ctx context.Context, workflow, developer id.ID) (bool, error) {
	return p.Transport.Present(ctx, realtime.Channel(workflow), developer)
}

// development makes what takes events for those who run them on their machines.
func (s *Server) development(l *live, planner *trigger.Planner, routes *trigger.Routes) *dev.Service {
	return dev.New(dev.Config{
		Store: s.store, Presence: presence{l.transport}, Planner: planner, Executions: s.executions, Changed: routes.Changed,
		IDs: s.ids, Now: s.config.Now, Log: s.log,
	})
}

// devTokens makes what the code of runs on developers' machines shows to this
// server.
func devTokens(runs *identity.RunTokens) func(workflow, execution id.ID) (string, error) {
	return func(workflow, execution id.ID) (string, error) {
		return runs.Issue(identity.RunIdentity{WorkflowID: workflow, ExecutionID: execution}, maxRunTimeout)
	}
}
