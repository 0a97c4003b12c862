package store

import (
	"context"
	"strings"
	"time"

	"github.com/usefloww/flowwd/internal/audit"
	"github.com/usefloww/flowwd/internal/execution"
	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
)

const batchColumns = `b.id, b.organization_id, b.workflow_id, b.action, b.states, b.trigger_id, b.since, b.until, b.created_by_id, b.created_by,
	b.created_at, b.total, b.done, b.skipped, b.reached_id, b.ended_at, b.problem`

// scanBatch reads batchColumns and what follows them.
func scanBatch(scan scanner, more ...any) (execution.Batch, error) {
	var b execution.Batch
	var action, states string
	err := scan(append([]any{&b.ID, &b.OrganizationID, &b.Filter.WorkflowID, &action, &states, &b.Filter.TriggerID, &b.Filter.Since, &b.Filter.Until,
		&b.CreatedByID, &b.CreatedBy, &b.CreatedAt, &b.Total, &b.Done, &b.Skipped, &b.Reached, &b.EndedAt, &b.Problem}, more...)...)
	b.Action = execution.BatchAction(action)
	for state := range strings.SplitSeq(states, ",") {
		b.Filter.States = append(b.Filter.States, execution.State(state))
	}
	return b, err
}

// meant is the condition on executions e that a filter is about, behind one.
func meant(f execution.BatchFilter, after id.ID) (string, args) {
	if f.Since != nil && after.IsZero() {
		after = firstID(*f.Since)
	}
	values := args{f.WorkflowID, edge(after), edge(firstID(f.Until))}
	where := ` e.workflow_id = ? AND e.id > ? AND e.id < ? AND e.state IN (?` + strings.Repeat(", ?", len(f.States)-1) + `)`
	for _, state := range f.States {
		values = append(values, string(state))
	}
	if !f.TriggerID.IsZero() {
		where += ` AND e.trigger_id = ?`
		values = append(values, f.TriggerID)
	}
	return where, values
}

// CountBatch implements execution.Store.
func (s *Store) CountBatch(ctx context.Context, f execution.BatchFilter, most int) (n int, err error) {
	err = s.read(ctx, "count executions", func(v *view) error {
		n = 0
		for _, state := range f.States {
			from, values := meantIn(f, state)
			one := 0
			if _, err := v.one(`SELECT COUNT(*) FROM (SELECT e.id`+from+` LIMIT ?) counted`, append(values, most), &one); err != nil {
				return err
			}
			n = min(n+one, most)
		}
		return nil
	})
	return n, err
}

// meantIn are the executions e in one state that a filter is about, found by the
// index of that state: only what completed is looked for in the whole history.
func meantIn(f execution.BatchFilter, state execution.State) (from string, values args) {
	since := id.ID{}
	if f.Since != nil {
		since = firstID(*f.Since)
	}
	values = args{f.WorkflowID, edge(since), edge(firstID(f.Until)), string(state)}
	const bounds = ` AND e.id > ? AND e.id < ? AND e.state = ?`
	switch state {
	case execution.Received:
		// The two values of the third column keep SQLite to the index.
		from = ` FROM triggers t JOIN executions e ON ` + ofTrigger(state) + ` AND e.postponed IN (true, false) WHERE t.workflow_id = ?` + bounds
	case execution.Started:
		from = ` FROM triggers t JOIN executions e ON ` + ofTrigger(state) + ` WHERE t.workflow_id = ?` + bounds
	case execution.Completed:
		from = ` FROM executions e WHERE e.workflow_id = ?` + bounds
	default:
		from = ` FROM executions e WHERE e.workflow_id = ?` + bounds + ` AND ` + isRare("e")
	}
	if !f.TriggerID.IsZero() {
		from += ` AND e.trigger_id = ?`
		values = append(values, f.TriggerID)
	}
	return from, values
}

// CreateBatch implements execution.Store.
func (s *Store) CreateBatch(ctx context.Context, b execution.Batch) error {
	states := make([]string, len(b.Filter.States))
	for i, state := range b.Filter.States {
		states[i] = string(state)
	}
	return s.write(ctx, "create a batch", func(t *tx) error {
		var one int
		found, err := t.one(`SELECT 1 FROM workflows WHERE id = ? AND deleted_at IS NULL`, args{b.Filter.WorkflowID}, &one)
		if err == nil && !found {
			err = workflowNotFound()
		}
		if err != nil {
			return err
		}
		_, err = t.exec(`
			INSERT INTO batches (id, organization_id, workflow_id, action, states, trigger_id, since, until, created_by_id, created_by, created_at,
				total, done, skipped, problem)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, 0, '')`,
			b.ID, b.OrganizationID, b.Filter.WorkflowID, string(b.Action), strings.Join(states, ","), b.Filter.TriggerID, b.Filter.Since, b.Filter.Until,
			b.CreatedByID, b.CreatedBy, b.CreatedAt, b.Total)
		s.record(ctx, t, audit.Entry{
			OrganizationID: b.OrganizationID, Action: audit.BeginBatch, Target: batchTarget(b.ID),
			After: audit.Snapshot(map[string]any{"action": b.Action, "workflow": b.Filter.WorkflowID, "statuses": states, "total": b.Total}),
		})
		return err
	})
}

func batchTarget(batch id.ID) audit.Target { return audit.Target{Type: "batch", ID: batch.String()} }

// Batch implements execution.Store.
func (s *Store) Batch(ctx context.Context, organizations []id.ID, batch id.ID) (b execution.Batch, err error) {
	list, values := in(organizations, batch)
	found := false
	err = s.read(ctx, "read a batch", func(v *view) error {
		return v.each(`SELECT `+batchColumns+`, f.path FROM batches b JOIN workflows w ON w.id = b.workflow_id`+inFolder+`
			WHERE b.id = ? AND w.deleted_at IS NULL AND b.organization_id IN `+list, values, func(scan scanner) (err error) {
			found = true
			var folders pathColumn
			b, err = scanBatch(scan, &folders)
			b.Folders = folders
			return err
		})
	})
	if err == nil && !found {
		err = fault.New(fault.NotFound, "Batch not found")
	}
	return b, err
}

// Batches implements execution.Store.
func (s *Store) Batches(ctx context.Context, workflow id.ID, limit int) ([]execution.Batch, error) {
	return s.batches(ctx, `WHERE b.workflow_id = ? ORDER BY b.id DESC LIMIT ?`, workflow, limit)
}

// OpenBatches implements execution.Store.
func (s *Store) OpenBatches(ctx context.Context, limit int) ([]execution.Batch, error) {
	return s.batches(ctx, `WHERE b.ended_at IS NULL ORDER BY b.id LIMIT ?`, limit)
}

func (s *Store) batches(ctx context.Context, tail string, values ...any) (found []execution.Batch, err error) {
	err = s.read(ctx, "list batches", func(v *view) error {
		found = nil
		return v.each(`SELECT `+batchColumns+` FROM batches b `+tail, values, func(scan scanner) error {
			b, err := scanBatch(scan)
			found = append(found, b)
			return err
		})
	})
	return found, err
}

// StopBatch implements execution.Store.
func (s *Store) StopBatch(ctx context.Context, batch id.ID, problem string, at time.Time) (stopped execution.Batch, err error) {
	err = s.write(ctx, "stop a batch", func(t *tx) error {
		n, err := t.exec(`UPDATE batches SET ended_at = ?, problem = ? WHERE id = ? AND ended_at IS NULL`, at, problem, batch)
		if err != nil {
			return err
		}
		err = t.each(`SELECT `+batchColumns+` FROM batches b WHERE b.id = ?`, args{batch}, func(scan scanner) (err error) {
			stopped, err = scanBatch(scan)
			return err
		})
		if n > 0 {
			s.record(ctx, t, audit.Entry{OrganizationID: stopped.OrganizationID, Action: audit.StopBatch, Target: batchTarget(batch)})
		}
		return err
	})
	return stopped, err
}

// StepBatch implements execution.Store. What comes next is looked for outside
// of the writer, for a long history between two executions must not hold it.
func (s *Store) StepBatch(ctx context.Context, b execution.Batch, ids []id.ID, now time.Time) (execution.BatchStep, error) {
	limit := len(ids) / 2
	where, values := meant(b.Filter, b.Reached)
	var next []id.ID
	err := s.read(ctx, "look for executions", func(v *view) (err error) {
		next, err = v.ids(`SELECT e.id FROM executions e WHERE`+where+` ORDER BY e.id LIMIT ?`, append(values, limit))
		return err
	})
	if err != nil {
		return execution.BatchStep{}, err
	}
	var step batchStep
	err = s.write(ctx, "go on with a batch", func(t *tx) error {
		step = batchStep{store: s, tx: t, batch: b, ids: ids, now: now}
		return step.run(next, len(next) < limit)
	})
	return step.BatchStep, err
}

// batchStep is one step of a batch.
type batchStep struct {
	execution.BatchStep
	store         *Store
	tx            *tx
	batch         execution.Batch
	ids           []id.ID
	now           time.Time
	done, skipped int
}

func (s *batchStep) run(next []id.ID, last bool) error {
	reached, endedAt := s.batch.Reached, (*time.Time)(nil)
	if len(next) > 0 {
		reached = next[len(next)-1]
	}
	if last {
		endedAt = &s.now
	}
	// First, so that of several processes one does the step.
	n, err := s.tx.exec(`UPDATE batches SET reached_id = ?, ended_at = ? WHERE id = ? AND ended_at IS NULL AND COALESCE(reached_id, ?) = ?`,
		reached, endedAt, s.batch.ID, edge(id.ID{}), edge(s.batch.Reached))
	s.Over = last || n == 0
	if err != nil || n == 0 {
		return err
	}
	for i, x := range next {
		did, err := s.one(x, s.ids[2*i], s.ids[2*i+1])
		if err != nil {
			return err
		}
		if did {
			s.done++
		} else {
			s.skipped++
		}
	}
	_, err = s.tx.exec(`UPDATE batches SET done = done + ?, skipped = skipped + ? WHERE id = ?`, s.done, s.skipped, s.batch.ID)
	return err
}

// one acts on an execution and reports whether it could.
func (s *batchStep) one(x, newExecution, newEvent id.ID) (bool, error) {
	if s.batch.Action == execution.CancelEach {
		return s.cancel(x)
	}
	return s.replay(x, newExecution, newEvent)
}

func (s *batchStep) cancel(x id.ID) (bool, error) {
	reason := "Cancelled by " + s.batch.CreatedBy
	row := waitingRow{id: x}
	found, err := s.tx.one(`SELECT e.organization_id, e.workflow_id, e.trigger_id, e.deployment_id, e.attempt, e.received_at FROM executions e WHERE e.id = ?`,
		args{x}, &row.organizationID, &row.workflowID, &row.triggerID, &row.fixedDeployment, &row.attempt, &row.receivedAt)
	if err != nil || !found {
		return false, err
	}
	state, _, err := cancel(s.tx, x, execution.Cancellation{Reason: reason, At: s.now})
	switch {
	case fault.Is(err, fault.NotFound):
		return false, nil
	case err != nil:
		return false, err
	case state == execution.Started:
		s.Running = append(s.Running, x)
		return true, nil
	case state != execution.Cancelled:
		return false, nil
	}
	s.Cancelled = append(s.Cancelled, row.ended(state, reason, s.now))
	return true, nil
}

// replay accepts an execution's event again.
func (s *batchStep) replay(x, newExecution, newEvent id.ID) (bool, error) {
	a := execution.Acceptance{
		ExecutionID: newExecution, OrganizationID: s.batch.OrganizationID, WorkflowID: s.batch.Filter.WorkflowID,
		ReceivedAt: s.now, TriggeredByID: s.batch.CreatedByID, ReplayOf: x, Event: execution.Event{ID: newEvent},
	}
	var event id.ID
	found, err := s.tx.one(`
		SELECT e.trigger_id, e.event_id, e.provider_type, e.provider_alias, e.trigger_type, e.method, e.path FROM executions e WHERE e.id = ?`,
		args{x}, &a.TriggerID, &event, &a.Origin.ProviderType, &a.Origin.ProviderAlias, &a.Origin.TriggerType, &a.Origin.Method, &a.Origin.Path)
	if err != nil || !found {
		return false, err
	}
	origin, err := readRunnable(s.tx, a)
	if fault.Is(err, fault.NotFound) {
		return false, nil
	}
	if err != nil || origin.refusal() != "" {
		return false, err
	}
	n, err := s.tx.exec(`
		INSERT INTO events (id, organization_id, fields, has_body, content_type, body_hash, body)
		SELECT ?, v.organization_id, v.fields, v.has_body, v.content_type, v.body_hash, v.body FROM events v WHERE v.id = ?`, newEvent, event)
	if err != nil || n == 0 {
		return false, err
	}
	row := newRow{Acceptance: a, state: execution.Received}
	if err := s.store.queue(s.tx, &row, origin); err != nil {
		return false, err
	}
	s.Replays = append(s.Replays, a)
	return true, row.insert(s.tx, origin)
}
