package deploy

import (
	"context"
	"errors"
	"fmt"

	"github.com/usefloww/flowwd/internal/engine"
	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/workflow"
)

// refused begins the text of every deployment that the user's code is the
// reason to refuse: workflows-runtime.md 1.3.3 of the wire contract.
const refused = "Deployment validation failed: "

// build compiles a source and extracts what it declares.
func (s *Service) build(ctx context.Context, organization id.ID, source workflow.Source) (*workflow.Program, engine.Definitions, error) {
	select {
	case s.compiling <- struct{}{}:
		defer func() { <-s.compiling }()
	case <-ctx.Done():
		return nil, engine.Definitions{}, fault.New(fault.Unavailable, "too many deployments are being compiled; try again")
	}
	program, err := s.Engine.Compile(ctx, source)
	if err != nil {
		return nil, engine.Definitions{}, compileFault(err)
	}
	definitions, err := s.Engine.Define(ctx, organization, program)
	if err != nil {
		return nil, engine.Definitions{}, failureFault(err, "extract the definitions")
	}
	return program, definitions, nil
}

func compileFault(err error) error {
	var failed *engine.CompileError
	if !errors.As(err, &failed) {
		return failureFault(err, "compile the code")
	}
	f := fault.Because(nil, fault.Invalid, "%s%s", refused, failed.Error())
	for _, p := range failed.Problems {
		f.Fields = append(f.Fields, fault.Field{Location: location(p), Message: p.Text})
	}
	return f
}

func location(p engine.Problem) string {
	switch {
	case p.File == "":
		return "body.code"
	case p.Line == 0:
		return "body.code.files." + p.File
	default:
		return fmt.Sprintf("body.code.files.%s:%d:%d", p.File, p.Line, p.Column)
	}
}

// failureFault refuses code that failed while it was looked at: it threw, or
// took more time or memory than it may.
func failureFault(err error, doing string) error {
	var failed *engine.Failure
	if !errors.As(err, &failed) {
		return buildFault(err, doing)
	}
	text := failed.Message
	if failed.Stack != "" {
		text += "\n" + failed.Stack
	}
	return fault.New(fault.Invalid, "%s%s", refused, text)
}

// buildFault classifies an error that is not the code's: the engine was
// interrupted, or failed itself.
func buildFault(err error, doing string) error {
	var stopped *engine.Interrupted
	if errors.As(err, &stopped) {
		return fault.Because(err, fault.Unavailable, "the code could not be checked, deploy again: %s", stopped.Message)
	}
	return fmt.Errorf("%s: %w", doing, err)
}
