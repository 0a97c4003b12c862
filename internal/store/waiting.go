package store

import (
	"slices"
	"time"

	"github.com/usefloww/flowwd/internal/execution"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/workflow"
)

// unclaimed is the condition that an execution waits, for statements that know
// its id. They don't name its state: PostgreSQL plans by what it has last counted,
// and where nothing waited then, it takes the index of what waits for the shortest
// way to an id and goes on to read all of it when the queue is long. What is
// claimed is started for the same reason, by the table's checks.
const unclaimed = `claimed_by IS NULL AND completed_at IS NULL`

// waitingRow is a waiting execution with what decides whether it can run, and with
// its event; without when that is missing.
type waitingRow struct {
	runnable
	event                                     storedEvent
	id, organizationID, workflowID, triggerID id.ID
	fixedDeployment                           id.ID
	fixedProgram                              workflow.Hash
	attempt, retries                          int
	receivedAt                                time.Time
}

// readWaiting returns the rows of candidates that wait still, and keeps others
// from changing them; those that another process is changing are left out.
func readWaiting(t *tx, chosen []candidate) (map[id.ID]*waitingRow, error) {
	wanted := make([]id.ID, len(chosen))
	for i, x := range chosen {
		wanted[i] = x.execution
	}
	list, values := in(wanted)
	rows := make(map[id.ID]*waitingRow, len(chosen))
	err := t.each(`
		SELECT e.id, e.organization_id, e.workflow_id, e.trigger_id, e.deployment_id, e.program_hash, e.attempt, e.received_at, e.retries,
			x.id, x.fields, COALESCE(x.has_body, false), x.content_type, x.body_hash, x.body,
			`+runnableColumns+` FROM executions e LEFT JOIN events x ON x.id = e.event_id JOIN triggers t ON t.id = e.trigger_id`+runnableJoins+`
		WHERE `+unclaimed+` AND e.id IN `+list+t.conn.dialect.skipLocked("e"), values, func(scan scanner) error {
		var r waitingRow
		into := []any{
			&r.id, &r.organizationID, &r.workflowID, &r.triggerID, &r.fixedDeployment, &r.fixedProgram, &r.attempt, &r.receivedAt, &r.retries,
		}
		err := scan(slices.Concat(into, r.event.into(), r.into())...)
		r.event.complete()
		rows[r.id] = &r
		return err
	})
	return rows, err
}

// refusal says why a waiting execution can't run, and the state it ends in.
// One that ran before keeps its deployment, whatever became of its workflow,
// unless that was deleted or its organization disabled.
func (r *waitingRow) refusal() (execution.State, string) {
	if r.deletedAt != nil {
		return execution.Cancelled, workflowDeleted
	}
	if r.disabledAt != nil {
		return execution.Cancelled, tenantDisabled
	}
	if !r.fixedDeployment.IsZero() {
		return "", ""
	}
	return execution.NoDeployment, r.runnable.refusal()
}

// ended is what to tell of one that the store ended.
func (r *waitingRow) ended(state execution.State, reason string, at time.Time) execution.Ended {
	return execution.Ended{
		Claim: execution.Claim{
			Lease:          execution.Lease{ExecutionID: r.id, Attempt: r.attempt},
			OrganizationID: r.organizationID, WorkflowID: r.workflowID, TriggerID: r.triggerID, DeploymentID: r.fixedDeployment, ReceivedAt: r.receivedAt,
		},
		End: execution.End{State: state, Error: reason, At: at},
	}
}

// end ends a waiting execution.
func (r *waitingRow) end(t *tx, state execution.State, reason string, at time.Time) error {
	_, err := t.exec(`UPDATE executions SET state = ?, error = ?, completed_at = ?, postponed = false, available_at = NULL WHERE id = ? AND `+unclaimed,
		string(state), reason, at, r.id)
	if err != nil {
		return err
	}
	t.totals.ended(r.organizationID, r.workflowID, state, r.receivedAt, 0)
	t.counters.add(r.organizationID, -1, 0)
	return nil
}
