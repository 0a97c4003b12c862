package store

import (
	"bytes"
	"context"
	"slices"
	"time"

	"github.com/usefloww/flowwd/internal/execution"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/workflow"
)

// maxSettled is how many executions that can no longer run one unit ends.
const maxSettled = 200

// bodyLost is the reason of an attempt whose event can't be read.
const bodyLost = "the event's body could not be read from disk"

// ClaimExecutions implements execution.Store.
func (s *Store) ClaimExecutions(ctx context.Context, incarnation id.ID, limit int, now time.Time) ([]execution.Claim, error) {
	var taken []claimed
	for more := true; more && len(taken) < limit; {
		var round []claimed
		err := s.do(ctx, s.claims, "claim executions", func(t *tx) (err error) {
			c := claiming{store: s, tx: t, incarnation: incarnation, now: now}
			more, err = c.fill(limit - len(taken))
			round = c.taken
			return err
		})
		if err != nil {
			if len(taken) > 0 {
				// What was claimed before must be run; the caller comes again.
				break
			}
			return nil, err
		}
		taken = append(taken, round...)
	}
	return s.loadClaims(ctx, taken, now)
}

// claimed is a claim whose event's body may still be on disk.
type claimed struct {
	execution.Claim
	event storedEvent
}

// loadClaims reads the large bodies, outside the writer. An execution whose
// body can't be read is interrupted, so that it comes again or fails in the end.
func (s *Store) loadClaims(ctx context.Context, taken []claimed, now time.Time) ([]execution.Claim, error) {
	claims := make([]execution.Claim, 0, len(taken))
	for _, c := range taken {
		if err := c.event.load(s.blobs); err != nil {
			s.cfg.Log.Error("an execution can't run without its event's body", "execution", c.ExecutionID, "error", err)
			// Its claim must not outlive the caller's context.
			_, err := s.InterruptExecution(context.WithoutCancel(ctx), c.Lease, execution.Interruption{Reason: bodyLost, EndedAt: now})
			if err != nil {
				s.cfg.Log.Error("an execution that can't run stays claimed", "execution", c.ExecutionID, "error", err)
			}
			continue
		}
		event := c.event.Event
		c.Event = &event
		claims = append(claims, c.Claim)
	}
	return claims, nil
}

// head is the oldest waiting execution of one trigger.
type head struct {
	trigger, execution id.ID
	// room is how many more of the trigger may start; negative for no limit.
	room int
}

// eligibleWaits reports whether anything waits that a free slot should take
// first.
func (s *Store) eligibleWaits(t *tx, now time.Time) (bool, error) {
	queued, err := t.counters.queued(t)
	if err != nil {
		return false, err
	}
	for _, c := range queued {
		if s.organizationFull(c) {
			continue
		}
		heads, err := waitingHeads(t, c.organization, now)
		if err != nil || len(heads) > 0 {
			return true, err
		}
	}
	return false, nil
}

// waitingHeads returns the oldest waiting execution of each trigger of an
// organization that may start one now. It steps from trigger to trigger in the
// index of what waits, so that a long queue behind one trigger costs nothing.
func waitingHeads(t *tx, organization id.ID, now time.Time) ([]head, error) {
	var heads []head
	err := t.each(`
		WITH RECURSIVE waiting (trigger_id) AS (
			SELECT (SELECT trigger_id FROM executions
				WHERE organization_id = ? AND state = 'received' ORDER BY trigger_id LIMIT 1)
			UNION ALL
			SELECT (SELECT e.trigger_id FROM executions e
				WHERE e.organization_id = ? AND e.state = 'received' AND e.trigger_id > waiting.trigger_id
				ORDER BY e.trigger_id LIMIT 1)
			FROM waiting WHERE waiting.trigger_id IS NOT NULL)
		SELECT waiting.trigger_id, t.concurrency,
			CASE WHEN t.concurrency > 0
				THEN (SELECT COUNT(*) FROM executions r WHERE r.trigger_id = waiting.trigger_id AND r.state = 'started')
				ELSE 0 END,
			(SELECT e.id FROM executions e
				WHERE e.organization_id = ? AND e.state = 'received' AND e.trigger_id = waiting.trigger_id
					AND (e.available_at IS NULL OR e.available_at <= ?)
				ORDER BY e.id LIMIT 1)
		FROM waiting JOIN triggers t ON t.id = waiting.trigger_id`,
		args{organization, organization, organization, now}, func(scan scanner) error {
			h := head{room: -1}
			var limit, running int
			if err := scan(&h.trigger, &limit, &running, &h.execution); err != nil {
				return err
			}
			if limit > 0 {
				h.room = max(limit-running, 0)
			}
			if h.room != 0 && !h.execution.IsZero() {
				heads = append(heads, h)
			}
			return nil
		})
	return heads, err
}

// runningOf counts the running executions of a trigger.
func runningOf(v *view, trigger id.ID) (n int, err error) {
	_, err = v.one(`SELECT COUNT(*) FROM executions WHERE trigger_id = ? AND state = 'started'`, args{trigger}, &n)
	return n, err
}

// claiming is one unit that fills free slots.
type claiming struct {
	store       *Store
	tx          *tx
	incarnation id.ID
	now         time.Time
	taken       []claimed
	settled     int
	heads       map[id.ID][]head
}

// fill takes up to limit executions: the organization whose turn is longest ago
// first, and of each the oldest. It reports whether there is more to do.
func (c *claiming) fill(limit int) (more bool, err error) {
	c.heads = make(map[id.ID][]head)
	if c.tx.conn.dialect.shared() {
		if more, err = c.reserve(limit); err != nil {
			return false, err
		}
	}
	for len(c.taken) < limit {
		if c.settled >= maxSettled {
			return true, nil
		}
		next, ok, err := c.next()
		if err != nil || !ok {
			return more && len(c.taken) > 0, err
		}
		if err := c.take(next); err != nil {
			return false, err
		}
	}
	return false, nil
}

// reserve locks the counters of the organizations whose turn it is, so that no
// other process claims for them before this claim is committed: that makes the
// limits exact. It reports whether it left some out.
func (c *claiming) reserve(limit int) (more bool, err error) {
	queued, err := c.tx.counters.queued(c.tx)
	if err != nil {
		return false, err
	}
	var eligible []id.ID
	for _, q := range queued {
		if len(eligible) == limit {
			more = true
			break
		}
		if c.store.organizationFull(q) {
			continue
		}
		heads, err := waitingHeads(c.tx, q.organization, c.now)
		if err != nil {
			return false, err
		}
		if len(heads) > 0 {
			eligible = append(eligible, q.organization)
		}
	}
	return more, c.tx.counters.lock(c.tx, eligible)
}

// candidate is the execution that is to be claimed next.
type candidate struct {
	organization id.ID
	head         *head
}

// next finds the execution whose turn it is.
func (c *claiming) next() (candidate, bool, error) {
	queued, err := c.tx.counters.queued(c.tx)
	if err != nil {
		return candidate{}, false, err
	}
	for _, q := range queued {
		if c.store.organizationFull(q) {
			continue
		}
		heads, known := c.heads[q.organization]
		if !known {
			if heads, err = waitingHeads(c.tx, q.organization, c.now); err != nil {
				return candidate{}, false, err
			}
			c.heads[q.organization] = heads
		}
		if oldest := oldestOf(heads); oldest != nil {
			return candidate{q.organization, oldest}, true, nil
		}
	}
	return candidate{}, false, nil
}

// oldestOf returns the head with the smallest id that may start; nil when there
// is none.
func oldestOf(heads []head) *head {
	var oldest *head
	for i := range heads {
		h := &heads[i]
		if h.room == 0 || h.execution.IsZero() {
			continue
		}
		if oldest == nil || bytes.Compare(h.execution[:], oldest.execution[:]) < 0 {
			oldest = h
		}
	}
	return oldest
}

// take claims a candidate, or ends it when its workflow can no longer run, and
// moves its trigger's head on.
func (c *claiming) take(next candidate) error {
	h := next.head
	row, err := readWaiting(c.tx, h.execution)
	if err != nil {
		return err
	}
	switch state, reason := row.refusal(); {
	case row.id.IsZero(): // another process is about to end it
	case reason != "":
		c.settled++
		err = row.end(c.tx, state, reason, c.now)
	default:
		h.room--
		err = c.start(row)
	}
	if err != nil {
		return err
	}
	var following id.ID
	_, err = c.tx.one(`
		SELECT id FROM executions
		WHERE organization_id = ? AND state = 'received' AND trigger_id = ? AND id > ?
			AND (available_at IS NULL OR available_at <= ?)
		ORDER BY id LIMIT 1`, args{next.organization, h.trigger, h.execution, c.now}, &following)
	h.execution = following
	return err
}

// start claims a waiting execution.
func (c *claiming) start(row *waitingRow) error {
	deployment, program := row.deploymentID, row.programHash
	if row.fixedDeployment != (id.ID{}) {
		deployment, program = row.fixedDeployment, row.fixedProgram
	}
	lease := execution.Lease{ExecutionID: row.id, Incarnation: c.incarnation, Attempt: row.attempt + 1}
	_, err := c.tx.exec(`
		UPDATE executions SET state = 'started', claimed_by = ?, attempt = ?, started_at = ?, available_at = NULL,
			deployment_id = ?, program_hash = ?
		WHERE id = ? AND state = 'received'`,
		lease.Incarnation, lease.Attempt, c.now, deployment, program, row.id)
	if err != nil {
		return err
	}
	if err := c.tx.counters.add(c.tx, row.organizationID, -1, 1); err != nil {
		return err
	}
	if err := c.tx.counters.took(c.tx, row.organizationID); err != nil {
		return err
	}
	event, err := readEvent(&c.tx.view, row.eventID)
	if err != nil {
		return err
	}
	c.tx.notices.executions[row.id] = true
	c.taken = append(c.taken, claimed{event: event, Claim: execution.Claim{
		Lease: lease, OrganizationID: row.organizationID, WorkflowID: row.workflowID,
		DeploymentID: deployment, ProgramHash: program, Trigger: row.declaration,
		ReceivedAt: row.receivedAt, StartedAt: millisecond(c.now),
	}})
	return nil
}

// waitingRow is a waiting execution with what decides whether it can run.
type waitingRow struct {
	runnable
	id, organizationID, workflowID, eventID id.ID
	fixedDeployment                         id.ID
	fixedProgram                            workflow.Hash
	attempt                                 int
	receivedAt                              time.Time
}

// readWaiting returns an empty row when the execution waits no more, or another
// process is changing it.
func readWaiting(t *tx, wanted id.ID) (*waitingRow, error) {
	var r waitingRow
	into := []any{
		&r.id, &r.organizationID, &r.workflowID, &r.eventID, &r.fixedDeployment, &r.fixedProgram, &r.attempt, &r.receivedAt,
	}
	_, err := t.one(`
		SELECT e.id, e.organization_id, e.workflow_id, e.event_id, e.deployment_id, e.program_hash, e.attempt, e.received_at,
			`+runnableColumns+` FROM executions e JOIN triggers t ON t.id = e.trigger_id`+runnableJoins+`
		WHERE e.id = ? AND e.state = 'received'`+t.conn.dialect.skip("e"),
		args{wanted}, slices.Concat(into, r.into())...)
	return &r, err
}

// refusal says why a waiting execution can't run, and the state it ends in.
// One that ran before keeps its deployment, whatever became of its workflow,
// unless that was deleted.
func (r *waitingRow) refusal() (execution.State, string) {
	if r.deletedAt != nil {
		return execution.Cancelled, workflowDeleted
	}
	if !r.fixedDeployment.IsZero() {
		return "", ""
	}
	return execution.NoDeployment, r.runnable.refusal()
}

// end ends a waiting execution.
func (r *waitingRow) end(t *tx, state execution.State, reason string, at time.Time) error {
	_, err := t.exec(`UPDATE executions SET state = ?, error = ?, completed_at = ?, available_at = NULL WHERE id = ? AND state = 'received'`,
		string(state), reason, at, r.id)
	if err != nil {
		return err
	}
	t.totals.ended(r.organizationID, r.workflowID, state, r.receivedAt, 0)
	return t.counters.add(t, r.organizationID, -1, 0)
}
