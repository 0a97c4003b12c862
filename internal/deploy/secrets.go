package deploy

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"github.com/usefloww/flowwd/internal/engine"
	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/secret"
	"github.com/usefloww/flowwd/internal/workflow"
)

// Secrets tells which secrets there are.
type Secrets interface {
	// Fields returns a secret of a workflow's namespace; nil when there is none.
	Fields(ctx context.Context, workflow id.ID, r secret.Ref) (map[string]json.RawMessage, error)
}

// checkSecrets refuses code that asks for a secret that is missing, and one that
// the workflow does not use yet when whoever deploys may give it none.
func (s *Service) checkSecrets(ctx context.Context, r Request, asked []engine.Secret) error {
	var problems []string
	for _, one := range asked {
		if !r.MayUseSecrets && !uses(r.Workflow, one.ProviderRef) {
			return fault.New(fault.Denied, "the code asks for the secret with provider %q and name %q, which the workflow does not use yet; somebody who may use all secrets of the namespace must deploy it first", one.Type, one.Alias)
		}
		fields, err := s.Secrets.Fields(ctx, r.Workflow.ID, secret.Ref{Provider: one.Type, Alias: one.Alias})
		if err != nil {
			return err
		}
		if problem := missing(one, fields); problem != "" {
			problems = append(problems, problem)
		}
	}
	if len(problems) > 0 {
		return fault.New(fault.Invalid, "%s%s", refused, strings.Join(problems, "; "))
	}
	return nil
}

// uses reports whether the active deployment of a workflow asks for a secret.
func uses(w workflow.Workflow, ref workflow.ProviderRef) bool {
	return w.ActiveDeployment != nil && slices.Contains(w.ActiveDeployment.Providers, ref)
}

// missing says what a secret lacks; empty for nothing.
func missing(asked engine.Secret, fields map[string]json.RawMessage) string {
	name := "the secret with provider \"" + asked.Type + "\" and name \"" + asked.Alias + "\""
	if fields == nil {
		return name + " is missing; store it in the namespace of the workflow, then deploy again"
	}
	var lacks []string
	for _, field := range asked.Fields {
		if _, is := fields[field]; !is {
			lacks = append(lacks, field)
		}
	}
	if len(lacks) == 0 {
		return ""
	}
	return name + " lacks the fields " + strings.Join(lacks, ", ")
}

func refsOf(asked []engine.Secret) []workflow.ProviderRef {
	var refs []workflow.ProviderRef
	for _, one := range asked {
		refs = append(refs, one.ProviderRef)
	}
	return refs
}
