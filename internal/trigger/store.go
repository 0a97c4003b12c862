package trigger

import (
	"context"

	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/workflow"
)

// Store keeps triggers and their webhooks.
type Store interface {
	// Triggers returns the triggers of a workflow in the order of their ids,
	// those removed left out.
	Triggers(ctx context.Context, workflow id.ID) ([]workflow.Trigger, error)
	// WebhookTriggers returns up to limit triggers that have a webhook, with
	// ids greater than after, in the order of their ids.
	WebhookTriggers(ctx context.Context, after id.ID, limit int) ([]workflow.Trigger, error)
	// WebhookWorkflow returns the workflow whose webhook has an address; zero
	// when there is none.
	WebhookWorkflow(ctx context.Context, method, path string) (id.ID, error)
}
