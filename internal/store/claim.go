package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"syscall"
	"time"

	"github.com/usefloww/flowwd/internal/execution"
	"github.com/usefloww/flowwd/internal/id"
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
		if err := s.loadBody(ctx, &c.event); err != nil {
			s.cfg.Log.Error("an execution can't run without its event's body", "execution", c.ExecutionID, "error", err)
			// Its claim must not outlive the caller's context.
			_, err := s.InterruptExecution(context.WithoutCancel(ctx), c.Lease, execution.Interruption{Reason: bodyLost, EndedAt: now, Unknown: true})
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

// loadBody reads a large body. While the process has no descriptor left for it,
// it waits for one until ctx ends: that is nothing the execution is to blame for.
func (s *Store) loadBody(ctx context.Context, e *storedEvent) error {
	for wait := 10 * time.Millisecond; ; wait = min(2*wait, time.Second) {
		err := e.load(s.blobs)
		if !errors.Is(err, syscall.EMFILE) && !errors.Is(err, syscall.ENFILE) {
			return err
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return err
		}
	}
}

// head is the oldest waiting execution of one trigger.
type head struct {
	trigger, execution id.ID
	// following are the next ones, oldest first, as far as they were read; all
	// when complete.
	following []id.ID
	complete  bool
	// room is how many more of the trigger may start; negative for no limit.
	room int
}

// eligibleWaits reports whether anything waits that a free slot should take
// first. Once it does, it does for the whole batch: that a claim of the same batch
// may have taken it costs those that come after it a claim of their own.
func (s *Store) eligibleWaits(t *tx) (waits bool, err error) {
	if !t.waits {
		t.waits, err = s.findEligible(t)
	}
	return t.waits, err
}

func (s *Store) findEligible(t *tx) (bool, error) {
	queued, err := t.counters.queued(t)
	if err != nil {
		return false, err
	}
	for _, c := range queued {
		full, err := s.organizationFull(t, c.organization)
		if err != nil {
			return false, err
		}
		if full {
			continue
		}
		heads, err := waitingHeads(t, c.organization)
		if err != nil || len(heads) > 0 {
			return err == nil, err
		}
	}
	return false, nil
}

// waitingHeads returns the oldest waiting execution of each trigger of an
// organization that may start one now. It steps from trigger to trigger in the
// index of what waits, so that a long queue behind one trigger costs nothing.
func waitingHeads(t *tx, organization id.ID) ([]head, error) {
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
				WHERE e.organization_id = ? AND e.state = 'received' AND e.trigger_id = waiting.trigger_id AND e.postponed = false
				ORDER BY e.id LIMIT 1)
		FROM waiting JOIN triggers t ON t.id = waiting.trigger_id`,
		args{organization, organization, organization}, func(scan scanner) error {
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
	// last was chosen last; its head is moved on when another is needed.
	last candidate
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
	for len(c.taken) < limit && c.settled < maxSettled {
		chosen, err := c.choose(limit - len(c.taken))
		if err != nil {
			return false, err
		}
		if len(chosen) == 0 {
			return more && len(c.taken) > 0, nil
		}
		if err := c.take(chosen); err != nil {
			return false, err
		}
	}
	return len(c.taken) < limit, nil
}

// reserve looks for the organizations whose turn it is. Where there is a limit it
// locks their counters, so that no other process claims for them before this claim
// is committed: that makes limits exact. It reports whether it left some out.
func (c *claiming) reserve(limit int) (more bool, err error) {
	queued, err := c.tx.counters.queued(c.tx)
	if err != nil {
		return false, err
	}
	limited := c.store.cfg.OrganizationLimit > 0
	var eligible []id.ID
	for _, q := range queued {
		if len(eligible) == limit {
			more = true
			break
		}
		full, err := c.store.organizationFull(c.tx, q.organization)
		if err != nil {
			return false, err
		}
		if full {
			continue
		}
		heads, err := waitingHeads(c.tx, q.organization)
		if err != nil {
			return false, err
		}
		c.heads[q.organization] = heads
		if len(heads) > 0 {
			eligible = append(eligible, q.organization)
		}
		limited = limited || slices.ContainsFunc(heads, func(h head) bool { return h.room > 0 })
	}
	if !limited {
		c.tx.counters.only(eligible)
		return more, nil
	}
	clear(c.heads)
	return more, c.tx.counters.lock(c.tx, eligible)
}

// candidate is an execution that is to be claimed.
type candidate struct {
	organization, execution id.ID
	head                    *head
}

// choose returns up to limit executions in the order of their turns, and counts
// them as running.
func (c *claiming) choose(limit int) ([]candidate, error) {
	var chosen []candidate
	for len(chosen) < limit {
		if err := c.advance(limit); err != nil {
			return nil, err
		}
		next, err := c.next()
		if err != nil || next.head == nil {
			return chosen, err
		}
		c.last = next
		chosen = append(chosen, next)
		next.head.room--
		c.tx.counters.add(next.organization, -1, 1)
		if err := c.tx.counters.took(c.tx, next.organization); err != nil {
			return nil, err
		}
	}
	return chosen, nil
}

// next finds the execution whose turn it is; one without a head when there is
// none.
func (c *claiming) next() (candidate, error) {
	queued, err := c.tx.counters.queued(c.tx)
	if err != nil {
		return candidate{}, err
	}
	for _, q := range queued {
		full, err := c.store.organizationFull(c.tx, q.organization)
		if err != nil {
			return candidate{}, err
		}
		if full {
			continue
		}
		heads, known := c.heads[q.organization]
		if !known {
			if heads, err = waitingHeads(c.tx, q.organization); err != nil {
				return candidate{}, err
			}
			c.heads[q.organization] = heads
		}
		if oldest := oldestOf(heads); oldest != nil {
			return candidate{q.organization, oldest.execution, oldest}, nil
		}
	}
	return candidate{}, nil
}

// advance moves the head on that was chosen last. It reads several of the following
// at once, two at least: SQLite plans a query anew when its limit changes to or
// from one.
func (c *claiming) advance(most int) error {
	organization, h, last := c.last.organization, c.last.head, c.last.execution
	if h == nil {
		return nil
	}
	c.last = candidate{}
	most = max(most, 2)
	if len(h.following) == 0 && !h.complete {
		var err error
		h.following, err = c.tx.ids(`
			SELECT id FROM executions
			WHERE organization_id = ? AND state = 'received' AND trigger_id = ? AND postponed = false AND id > ?
			ORDER BY id LIMIT ?`, args{organization, h.trigger, last, most})
		if err != nil {
			return err
		}
		h.complete = len(h.following) < most
	}
	h.execution = id.ID{}
	if len(h.following) > 0 {
		h.execution, h.following = h.following[0], h.following[1:]
	}
	return nil
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

// take claims what was chosen, or ends it when its workflow can no longer run.
// What another process is about to change is left alone.
func (c *claiming) take(chosen []candidate) error {
	rows, err := readWaiting(c.tx, chosen)
	if err != nil {
		return err
	}
	for _, x := range chosen {
		row := rows[x.execution]
		if row == nil {
			c.release(x)
			continue
		}
		if state, reason := row.refusal(); reason != "" {
			c.settled++
			c.release(x)
			if err := row.end(c.tx, state, reason, c.now); err != nil {
				return err
			}
			c.tx.tell(row.ended(state, reason, c.now))
			continue
		}
		if row.event.ID.IsZero() {
			return fmt.Errorf("the event of execution %s is missing", row.id)
		}
		if err := c.start(row); err != nil {
			return err
		}
	}
	return nil
}

// release counts a candidate as waiting again.
func (c *claiming) release(x candidate) {
	x.head.room++
	c.tx.counters.add(x.organization, 1, -1)
}

// start claims a waiting execution.
func (c *claiming) start(row *waitingRow) error {
	deployment, program := row.deploymentID, row.programHash
	if row.fixedDeployment != (id.ID{}) {
		deployment, program = row.fixedDeployment, row.fixedProgram
	}
	lease := execution.Lease{ExecutionID: row.id, Incarnation: c.incarnation, Attempt: row.attempt + 1}
	err := c.tx.later(`
		UPDATE executions SET state = 'started', claimed_by = ?, attempt = ?, started_at = ?,
			deployment_id = ?, program_hash = ?
		WHERE id = ? AND `+unclaimed,
		lease.Incarnation, lease.Attempt, c.now, deployment, program, row.id)
	if err != nil {
		return err
	}
	c.tx.notices.executions[row.id] = true
	c.taken = append(c.taken, claimed{event: row.event, Claim: execution.Claim{
		Lease: lease, OrganizationID: row.organizationID, WorkflowID: row.workflowID, TriggerID: row.triggerID,
		DeploymentID: deployment, ProgramHash: program, Trigger: row.declaration,
		ReceivedAt: row.receivedAt, StartedAt: millisecond(c.now),
		Retries: row.retries,
	}})
	return nil
}
