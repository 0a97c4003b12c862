package store

import (
	"context"

	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/trigger"
	"github.com/usefloww/flowwd/internal/workflow"
)

const declarationColumns = `t.provider_type, t.provider_alias, t.type, t.input, t.ordinal, t.timeout_ms, t.memory_bytes, t.concurrency, t.fail_on_interrupt,
	t.retry, t.timezone, t.respond`

// declarationInto returns the destinations of declarationColumns.
func declarationInto(d *workflow.Declaration) []any {
	return []any{
		&d.Provider.Type, &d.Provider.Alias, &d.Type, &d.Input, &d.Ordinal,
		&d.Options.Timeout, &d.Options.Memory, &d.Options.Concurrency, &d.Options.FailOnInterrupt,
		(*retryColumn)(&d.Options.Retry), &d.Options.Timezone, (*respondColumn)(&d.Options.HandlerResponds),
	}
}

const triggerColumns = `t.id, t.organization_id, t.workflow_id, t.created_at, h.id, h.method, h.path, s.next_at, t.dev_only, ` + declarationColumns

// scanTrigger reads triggerColumns and what follows them.
func scanTrigger(scan scanner, more ...any) (workflow.Trigger, error) {
	var t workflow.Trigger
	var h workflow.Webhook
	err := scan(append([]any{&t.ID, &t.OrganizationID, &t.WorkflowID, &t.CreatedAt, &h.ID, &h.Method, &h.Path, &t.NextAt, &t.DevOnly},
		append(declarationInto(&t.Declaration), more...)...)...)
	if !h.ID.IsZero() {
		t.Webhook = &h
	}
	return t, err
}

// Triggers implements trigger.Store.
func (s *Store) Triggers(ctx context.Context, of id.ID) ([]workflow.Trigger, error) {
	var found []workflow.Trigger
	err := s.read(ctx, "list triggers", func(v *view) error {
		return v.each(`SELECT `+triggerColumns+`
			FROM triggers t JOIN organizations o ON o.id = t.organization_id LEFT JOIN webhooks h ON h.trigger_id = t.id LEFT JOIN schedules s ON s.trigger_id = t.id
			WHERE t.workflow_id = ? AND t.deleted_at IS NULL AND o.deleted_at IS NULL ORDER BY t.id`, args{of}, func(scan scanner) error {
			t, err := scanTrigger(scan)
			found = append(found, t)
			return err
		})
	})
	return found, err
}

// Trigger implements trigger.Store.
func (s *Store) Trigger(ctx context.Context, organizations []id.ID, wanted id.ID) (workflow.Trigger, error) {
	list, values := in(organizations, wanted)
	var x workflow.Trigger
	found := false
	err := s.read(ctx, "read a trigger", func(v *view) error {
		return v.each(`SELECT `+triggerColumns+`, f.path
			FROM triggers t JOIN organizations o ON o.id = t.organization_id JOIN workflows w ON w.id = t.workflow_id
			LEFT JOIN webhooks h ON h.trigger_id = t.id LEFT JOIN schedules s ON s.trigger_id = t.id`+inFolder+`
			WHERE t.id = ? AND t.organization_id IN `+list+` AND t.deleted_at IS NULL AND o.deleted_at IS NULL`, values, func(scan scanner) (err error) {
			found = true
			var folders pathColumn
			x, err = scanTrigger(scan, &folders)
			x.Folders = folders
			return err
		})
	})
	if err == nil && !found {
		err = fault.New(fault.NotFound, "Trigger not found")
	}
	return x, err
}

// TriggerRuns implements trigger.Store.
func (s *Store) TriggerRuns(ctx context.Context, of id.ID, most int) (map[id.ID]int, error) {
	counts := make(map[id.ID]int)
	err := s.read(ctx, "count the executions of triggers", func(v *view) error {
		clear(counts)
		return v.each(`
			SELECT trigger_id, COUNT(*) FROM (SELECT trigger_id FROM executions WHERE workflow_id = ? ORDER BY id DESC LIMIT ?) AS latest
			GROUP BY trigger_id`, args{of, most}, func(scan scanner) error {
			var trigger id.ID
			var n int
			err := scan(&trigger, &n)
			counts[trigger] = n
			return err
		})
	})
	return counts, err
}

// WebhookWorkflow implements trigger.Store.
func (s *Store) WebhookWorkflow(ctx context.Context, path string) (of id.ID, err error) {
	err = s.read(ctx, "look for a webhook", func(v *view) error {
		_, err := v.one(`
			SELECT h.workflow_id FROM webhooks h JOIN organizations o ON o.id = h.organization_id
			WHERE h.method IN ('DELETE', 'GET', 'PATCH', 'POST', 'PUT') AND h.path = ? AND o.deleted_at IS NULL LIMIT 1`, args{path}, &of)
		return err
	})
	return of, err
}

// WebhookPatterns implements trigger.Store.
func (s *Store) WebhookPatterns(ctx context.Context, workflow id.ID) (paths []string, err error) {
	err = s.read(ctx, "look for webhooks with parameters", func(v *view) error {
		paths = nil
		return v.each(`
			SELECT h.path FROM webhooks h JOIN organizations o ON o.id = h.organization_id
			WHERE h.workflow_id = ? AND h.path LIKE '%/:%' AND o.deleted_at IS NULL LIMIT ?`,
			args{workflow, trigger.MaxPerDeployment}, func(scan scanner) error {
				var path string
				err := scan(&path)
				paths = append(paths, path)
				return err
			})
	})
	return paths, err
}
