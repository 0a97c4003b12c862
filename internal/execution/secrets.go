package execution

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/usefloww/flowwd/internal/engine"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/secret"
	"github.com/usefloww/flowwd/internal/workflow"
)

// Secrets gives code what it asks for.
type Secrets interface {
	// Fields returns a secret of a workflow's namespace; nil when there is none.
	Fields(ctx context.Context, workflow id.ID, r secret.Ref) (map[string]json.RawMessage, error)
}

// secrets returns what a program asks for, for the engine, and what takes it out
// of all that the run says. A program that asks for nothing costs nothing.
func (s *Service) secrets(ctx context.Context, c *Claim, program *workflow.Program) (json.RawMessage, secret.Redactor, error) {
	if len(program.Secrets) == 0 {
		return nil, secret.Redactor{}, nil
	}
	given := make(map[string]map[string]json.RawMessage, len(program.Secrets))
	var all []map[string]json.RawMessage
	for _, ref := range program.Secrets {
		fields, err := s.Secrets.Fields(ctx, c.WorkflowID, secret.Ref{Provider: ref.Type, Alias: ref.Alias})
		if err != nil {
			return nil, secret.Redactor{}, fmt.Errorf("read the secret %q of %q: %w", ref.Alias, ref.Type, err)
		}
		if fields == nil {
			return nil, secret.Redactor{}, &engine.Failure{
				Reason:  engine.NoSecret,
				Message: fmt.Sprintf("the secret with provider %q and name %q is missing; it was there when this was deployed", ref.Type, ref.Alias),
			}
		}
		given[ref.Type+":"+ref.Alias] = fields
		all = append(all, fields)
	}
	text, err := json.Marshal(given)
	return text, secret.NewRedactor(all...), err
}

// redacted passes lines on without secrets.
func redacted(r secret.Redactor, sink func([]engine.LogLine)) func([]engine.LogLine) {
	return func(lines []engine.LogLine) {
		for i := range lines {
			lines[i].Message = r.Text(lines[i].Message)
		}
		sink(lines)
	}
}

// redactEnd takes secrets out of how a run ended.
func redactEnd(r secret.Redactor, result engine.Result, err error) (engine.Result, error) {
	result.Value = r.JSON(result.Value)
	if failure, is := err.(*engine.Failure); is {
		clean := *failure
		clean.Message, clean.Stack = r.Text(failure.Message), r.Text(failure.Stack)
		return result, &clean
	}
	return result, err
}
