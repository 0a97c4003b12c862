package store

import (
	"context"

	"github.com/usefloww/flowwd/internal/audit"
	"github.com/usefloww/flowwd/internal/execution"
	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
)

// CancelExecution implements execution.Store.
func (s *Store) CancelExecution(ctx context.Context, cancelled id.ID, c execution.Cancellation) (execution.State, error) {
	var state execution.State
	err := s.write(ctx, "cancel an execution", func(t *tx) (err error) {
		var organization id.ID
		if state, organization, err = cancel(t, cancelled, c); err == nil && !organization.IsZero() {
			s.record(ctx, t, audit.Entry{OrganizationID: organization, Action: audit.CancelExecution, Target: audit.Target{Type: "execution", ID: cancelled.String()}})
		}
		return err
	})
	return state, err
}

// cancel returns whose execution it has cancelled, or asked to end; zero when that
// was so before.
func cancel(t *tx, cancelled id.ID, c execution.Cancellation) (state execution.State, organization id.ID, err error) {
	row := waitingRow{id: cancelled}
	var asked bool
	found, err := t.one(`
		SELECT e.state, e.cancel_reason IS NOT NULL, e.organization_id, e.workflow_id, e.received_at FROM executions e
		WHERE e.id = ?`+t.conn.dialect.lock("e"), args{cancelled}, &state, &asked, &row.organizationID, &row.workflowID, &row.receivedAt)
	switch {
	case err != nil:
		return "", organization, err
	case !found:
		return "", organization, fault.New(fault.NotFound, "Execution not found")
	case state.Final():
		return state, organization, nil
	case state == execution.Received:
		t.notices.executions[cancelled] = true
		return execution.Cancelled, row.organizationID, row.end(t, execution.Cancelled, c.Reason, c.At)
	}
	// Said again to those who may not have heard it.
	t.notices.cancelled[cancelled] = true
	if asked {
		return state, organization, nil
	}
	t.notices.executions[cancelled] = true
	_, err = t.exec(`UPDATE executions SET cancel_reason = ? WHERE id = ?`, c.Reason, cancelled)
	return state, row.organizationID, err
}
