package dashboard

import (
	"context"
	"time"

	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/web/ui"
)

// deployTimeout bounds compiling and activating.
const deployTimeout = time.Minute

func workflowPath(of id.ID) string { return workflowsPath + "/" + of.String() }

// tabsOf are the pages of a workflow, by the path of the first.
func tabsOf(path string) []ui.Link {
	return []ui.Link{{Path: path, Name: "Runs"}}
}

// firstCall is how the first webhook of a workflow is called; nil when it has
// none.
func (d Deps) firstCall(ctx context.Context, of id.ID) (*callView, error) {
	triggers, err := d.Deployments.Triggers(ctx, of)
	if err != nil {
		return nil, err
	}
	for _, t := range triggers {
		if t.Webhook != nil {
			v := d.callView(*t.Webhook)
			return &v, nil
		}
	}
	return nil, nil
}
