package store

import (
	"context"
	"time"

	"github.com/usefloww/flowwd/internal/audit"
	"github.com/usefloww/flowwd/internal/execution"
	"github.com/usefloww/flowwd/internal/id"
)

// maxCancelled is how many waiting executions the unit that deletes a workflow
// ends; a claim or the next purge ends the rest.
const maxCancelled = 1000

// DeleteWorkflow implements workflow.Store.
func (s *Store) DeleteWorkflow(ctx context.Context, deleted id.ID, at time.Time) error {
	return s.writeWorkflows(ctx, "delete a workflow", func(t *tx) error { return s.deleteWorkflow(ctx, t, deleted, at) })
}

func (s *Store) deleteWorkflow(ctx context.Context, t *tx, deleted id.ID, at time.Time) error {
	before, found, err := oneWorkflow(&t.view, deleted, t.conn.dialect.lock("w"))
	if err == nil && !found {
		err = workflowNotFound()
	}
	if err != nil {
		return err
	}
	if _, err := t.exec(`UPDATE workflows SET deleted_at = ?, updated_at = ?, version = version + 1 WHERE id = ?`, at, at, deleted); err != nil {
		return err
	}
	s.record(ctx, t, audit.Entry{
		OrganizationID: before.OrganizationID, Action: audit.DeleteWorkflow, Target: audit.Target{Type: "workflow", ID: deleted.String()},
		Before: auditedWorkflow(before),
	})
	t.notices.workflows[deleted] = true
	for _, statement := range []string{grantsOnWorkflow, `DELETE FROM dev_triggers WHERE workflow_id = ?`, `DELETE FROM dev_sessions WHERE workflow_id = ?`,
		`DELETE FROM schedules WHERE workflow_id = ?`, `DELETE FROM alerts WHERE workflow_id = ?`, `DELETE FROM webhooks WHERE workflow_id = ?`,
		`DELETE FROM provider_uses WHERE workflow_id = ?`} {
		if _, err := t.exec(statement, deleted); err != nil {
			return err
		}
	}
	if _, err := t.exec(`UPDATE triggers SET deleted_at = ? WHERE workflow_id = ? AND deleted_at IS NULL`, at, deleted); err != nil {
		return err
	}
	_, err = cancelWaiting(t, workflowDeleted, at, waitingOfWorkflow, deleted, maxCancelled)
	return err
}

// The waiting executions e of a workflow, and of an organization, there beyond the
// zero id of a trigger, which keeps SQLite to the index of what waits. The last
// placeholder is a limit.
const (
	waitingOfWorkflow = ` FROM triggers t JOIN executions e
			ON e.organization_id = t.organization_id AND e.trigger_id = t.id AND e.state = 'received'
		WHERE t.workflow_id = ? LIMIT ?`
	waitingOfOrganization = ` FROM executions e WHERE e.organization_id = ? AND e.state = 'received' AND e.trigger_id > ? LIMIT ?`
)

// cancelWaitingOf ends waiting executions of an organization. What is above the
// limit ends when its turn comes.
func cancelWaitingOf(t *tx, organization id.ID, reason string, at time.Time) error {
	_, err := cancelWaiting(t, reason, at, waitingOfOrganization, organization, edge(id.ID{}), maxCancelled)
	return err
}

// cancelWaiting ends waiting executions of something that was deleted and
// returns how many.
func cancelWaiting(t *tx, reason string, at time.Time, which string, values ...any) (int, error) {
	var waiting []waitingRow
	err := t.each(`
		SELECT e.id, e.organization_id, e.workflow_id, e.trigger_id, e.deployment_id, e.attempt, e.received_at`+which+t.conn.dialect.skipLocked("e"), values, func(scan scanner) error {
		var r waitingRow
		err := scan(&r.id, &r.organizationID, &r.workflowID, &r.triggerID, &r.fixedDeployment, &r.attempt, &r.receivedAt)
		waiting = append(waiting, r)
		return err
	})
	if err != nil {
		return 0, err
	}
	for i := range waiting {
		if err := waiting[i].end(t, execution.Cancelled, reason, at); err != nil {
			return 0, err
		}
		t.notices.executions[waiting[i].id] = true
		t.tell(waiting[i].ended(execution.Cancelled, reason, at))
	}
	return len(waiting), nil
}
