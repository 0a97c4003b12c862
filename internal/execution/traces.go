package execution

import (
	"context"

	"github.com/usefloww/flowwd/internal/tracing"
)

// Names of what traces tell of executions.
const (
	traceExecution    = "floww.execution.id"
	traceWorkflow     = "floww.workflow.id"
	traceOrganization = "floww.organization.id"
	traceTrigger      = "floww.trigger.id"
	traceState        = "floww.execution.state"
	traceAttempt      = "floww.attempt"
)

// traceAcceptance begins to tell of an acceptance.
func (s *Service) traceAcceptance(ctx context.Context, a Acceptance) (context.Context, *tracing.Span) {
	ctx, span := s.Tracer.Accept(ctx, a.ExecutionID)
	span.ID(traceWorkflow, a.WorkflowID)
	span.ID(traceOrganization, a.OrganizationID)
	span.ID(traceTrigger, a.TriggerID)
	if !a.ReplayOf.IsZero() {
		span.Link(s.Tracer, a.ReplayOf)
	}
	return ctx, span
}

func (s *Service) endAcceptance(span *tracing.Span, accepted Accepted, err error) {
	if err == nil {
		span.ID(traceExecution, accepted.ExecutionID)
		span.Text(traceState, string(accepted.State))
	}
	if accepted.Repeated {
		span.Link(s.Tracer, accepted.ExecutionID)
	}
	span.End(err)
}

// traceRun begins to tell of an attempt, in the trace of its execution.
func (s *Service) traceRun(ctx context.Context, c *Claim) (context.Context, *tracing.Span) {
	ctx = s.Tracer.Of(ctx, c.ExecutionID)
	if c.Attempt == 1 {
		tracing.Past(ctx, "wait", c.ReceivedAt, c.StartedAt)
	}
	ctx, span := tracing.Start(ctx, "run")
	span.ID(traceExecution, c.ExecutionID)
	span.ID(traceWorkflow, c.WorkflowID)
	span.ID(traceOrganization, c.OrganizationID)
	span.ID(traceTrigger, c.TriggerID)
	span.Number(traceAttempt, c.Attempt)
	return ctx, span
}

// traceEnd tells what an attempt led to.
func traceEnd(ctx context.Context, e End) {
	span := tracing.Current(ctx)
	span.Text(traceState, string(e.State))
	if e.State != Completed {
		span.Failed("")
	}
}
