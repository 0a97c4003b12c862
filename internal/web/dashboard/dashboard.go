package dashboard

import (
	"context"
	"errors"

	"github.com/usefloww/flowwd/internal/execution"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/identity"
	"github.com/usefloww/flowwd/internal/route"
	"github.com/usefloww/flowwd/internal/web/ui"
	"github.com/usefloww/flowwd/internal/workflow"
)

// Deps is what the pages work with. All fields but Centrifugo are required.
type Deps struct {
	// Frame is what is around a page.
	Frame func(title string, p identity.Principal) ui.Frame
	// Workflows and Executions are what pages show and follow.
	Workflows  Workflows
	Executions Executions
	// Centrifugo returns where pages connect when they don't at this server; nil
	// when they do.
	Centrifugo func() string
}

// Workflows finds workflows.
type Workflows interface {
	Workflow(ctx context.Context, organizations []id.ID, workflow id.ID) (workflow.Workflow, error)
	List(ctx context.Context, filter workflow.ListFilter) (workflow.Page, error)
}

// Executions shows what ran.
type Executions interface {
	Get(ctx context.Context, organizations []id.ID, execution id.ID) (execution.Execution, error)
	List(ctx context.Context, filter execution.ListFilter) (execution.Page, error)
	Logs(ctx context.Context, execution id.ID, after execution.Cursor, limit int) ([]execution.LogEntry, error)
}

// Register registers all pages. The error says what is wrong with them or
// missing in d; a server must not start then.
func Register(r *route.Router, d Deps) error {
	if d.Frame == nil || d.Workflows == nil || d.Executions == nil {
		return errors.New("dashboard: a required field of Deps is missing")
	}
	registerWorkflows(r, d)
	registerRuns(r, d)
	return r.Err()
}

// frame is the one of a page about workflows.
func (d Deps) frame(title string, p identity.Principal) ui.Frame {
	f := d.Frame(title, p)
	f.Here = ui.Workflows
	return f
}
