package trigger

import (
	"context"
	"time"

	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/workflow"
)

// Store keeps triggers and their webhooks.
type Store interface {
	// Triggers returns the triggers of a workflow in the order of their ids,
	// those removed left out.
	Triggers(ctx context.Context, workflow id.ID) ([]workflow.Trigger, error)
	// Trigger returns a trigger of one of the organizations; fault.NotFound
	// otherwise.
	Trigger(ctx context.Context, organizations []id.ID, trigger id.ID) (workflow.Trigger, error)
	// TriggerRuns counts the executions of each trigger among the latest of a
	// workflow, at most so many.
	TriggerRuns(ctx context.Context, workflow id.ID, most int) (map[id.ID]int, error)
	// DueSchedules returns the triggers whose schedule's time has come, the
	// longest due first, at most limit, and when the next one's time comes; zero
	// when there is none.
	DueSchedules(ctx context.Context, now time.Time, limit int) (due []workflow.Trigger, next time.Time, err error)
	// NextSchedules returns when the first schedule of each of the workflows that
	// has one fires next.
	NextSchedules(ctx context.Context, workflows []id.ID) (map[id.ID]time.Time, error)
	// WebhookWorkflow returns the workflow that has a webhook at a path, of
	// whatever method; zero when there is none.
	WebhookWorkflow(ctx context.Context, path string) (id.ID, error)
	// WebhookPatterns returns the paths with parameters that a workflow has, at
	// most MaxPerDeployment.
	WebhookPatterns(ctx context.Context, workflow id.ID) ([]string, error)
}
