package store

import (
	"context"
	"encoding/binary"
	"time"

	"github.com/usefloww/flowwd/internal/execution"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/workflow"
)

const (
	// purgeBatch is how many executions one unit removes: few enough that
	// accepting events hardly waits for it.
	purgeBatch = 100
	// totalsKept is how long daily totals stay after their executions are gone;
	// summaries look back a year.
	totalsKept = 400 * 24 * time.Hour
	// vacuumPages is how many free pages one purge gives back to the system.
	vacuumPages = 1000
)

// PurgeExpired implements execution.Store.
func (s *Store) PurgeExpired(ctx context.Context, cutoff, now time.Time, limit int) (int, error) {
	p := purge{store: s, ctx: ctx, cutoff: cutoff, now: now, left: limit}
	for _, step := range []func() error{
		p.expiredExecutions, p.deliveries, p.batches, p.removedRuntimes, p.deletedOrganizations, p.deletedWorkflows, p.deletedDeployments, p.programs,
		p.deletedTriggers, p.totals, p.hours, p.logins, p.invitations, p.audits, p.deviceCodes, p.refreshTokens, p.devices,
	} {
		if p.left <= 0 {
			break
		}
		if err := step(); err != nil {
			return limit - p.left, err
		}
	}
	if p.left == limit {
		if err := p.bodies(); err != nil {
			return limit - p.left, err
		}
	}
	return limit - p.left, p.vacuum()
}

// purge is one call of PurgeExpired. Its steps are units of their own, so that
// the writer is never held for long; each leaves a state that the next call
// goes on from.
type purge struct {
	store       *Store
	ctx         context.Context
	cutoff, now time.Time
	left        int // how many more rows may be removed
}

// unit runs a unit that returns how many rows it removed.
func (p *purge) unit(what string, run func(*tx) (int, error)) (int, error) {
	removed := 0
	err := p.store.writeWorkflows(p.ctx, what, func(t *tx) (err error) {
		removed, err = run(t)
		return err
	})
	if err == nil {
		p.left -= removed
	}
	return removed, err
}

// repeat runs a unit until it removes less than it may.
func (p *purge) repeat(what string, run func(t *tx, limit int) (int, error)) error {
	for p.left > 0 {
		limit := min(p.left, purgeBatch)
		removed, err := p.unit(what, func(t *tx) (int, error) { return run(t, limit) })
		if err != nil || removed < limit {
			return err
		}
	}
	return nil
}

// delete removes rows by one statement whose last placeholder is a limit.
func (p *purge) delete(what, statement string, values ...any) error {
	return p.repeat(what, func(t *tx, limit int) (int, error) {
		n, err := t.exec(statement, append(values[:len(values):len(values)], limit)...)
		return int(n), err
	})
}

// expiredExecutions goes by the ids, which begin with the time of acceptance,
// so that ended executions need no index of their own.
func (p *purge) expiredExecutions() error {
	bound := firstID(p.cutoff)
	return p.repeat("purge executions", func(t *tx, limit int) (int, error) {
		return removeExecutions(t, `e.id < ? AND e.completed_at < ? ORDER BY e.id LIMIT ?`, edge(bound), p.cutoff, limit)
	})
}

// firstID is not greater than any id made at a time or later.
func firstID(at time.Time) id.ID {
	var x id.ID
	var ms [8]byte
	binary.BigEndian.PutUint64(ms[:], uint64(max(at.UnixMilli(), 0)))
	copy(x[:6], ms[2:])
	return x
}

// removeExecutions removes ended executions with all that belongs to them.
func removeExecutions(t *tx, where string, values ...any) (int, error) {
	type row struct {
		id, event, organization, namespace, workflow id.ID
		state                                        execution.State
		received                                     time.Time
	}
	var rows []row
	err := t.each(`
		SELECT e.id, e.event_id, e.organization_id, (SELECT w.namespace_id FROM workflows w WHERE w.id = e.workflow_id),
			e.workflow_id, e.state, e.received_at FROM executions e WHERE `+where+t.conn.dialect.skipLocked("e"),
		values, func(scan scanner) error {
			var r row
			err := scan(&r.id, &r.event, &r.organization, &r.namespace, &r.workflow, &r.state, &r.received)
			rows = append(rows, r)
			return err
		})
	if err != nil {
		return 0, err
	}
	for _, r := range rows {
		for _, statement := range []string{
			`DELETE FROM log_chunks WHERE execution_id = ?`,
			`DELETE FROM attempts WHERE execution_id = ?`,
			`DELETE FROM executions WHERE id = ?`,
		} {
			if _, err := t.exec(statement, r.id); err != nil {
				return 0, err
			}
		}
		if _, err := t.exec(`DELETE FROM events WHERE id = ?`, r.event); err != nil {
			return 0, err
		}
		t.totals.purged(r.organization, r.namespace, r.workflow, r.state, r.received)
	}
	return len(rows), nil
}

func (p *purge) deliveries() error {
	return p.delete("purge deliveries", `
		DELETE FROM deliveries WHERE (trigger_id, key) IN (
			SELECT trigger_id, key FROM deliveries WHERE received_at < ? ORDER BY received_at LIMIT ?)`,
		p.now.Add(-execution.DeliveryTTL))
}

// batches removes those that ended before the cutoff.
func (p *purge) batches() error {
	return p.delete("purge batches", `
		DELETE FROM batches WHERE id IN (SELECT id FROM batches WHERE ended_at < ? ORDER BY ended_at LIMIT ?)`, p.cutoff)
}

// removedRuntimes removes those that were removed before the cutoff and that no
// deployment points to any more.
func (p *purge) removedRuntimes() error {
	return p.delete("purge runtimes", `
		DELETE FROM runtimes WHERE id IN (SELECT r.id FROM runtimes r WHERE r.status = 'removed' AND r.changed_at < ?
			AND NOT EXISTS (SELECT 1 FROM deployments d WHERE d.runtime_id = r.id) ORDER BY r.changed_at LIMIT ?)`, p.cutoff)
}

// deletedWorkflows removes what deleted workflows leave, without regard to the
// cutoff: first their executions, then, when none is left, all the rest.
func (p *purge) deletedWorkflows() error {
	var deleted []id.ID
	err := p.store.read(p.ctx, "find deleted workflows", func(v *view) error {
		return v.each(`SELECT id FROM workflows WHERE deleted_at IS NOT NULL ORDER BY deleted_at LIMIT ?`,
			args{purgeBatch}, func(scan scanner) error {
				var x id.ID
				err := scan(&x)
				deleted = append(deleted, x)
				return err
			})
	})
	if err != nil {
		return err
	}
	for _, workflow := range deleted {
		if p.left <= 0 {
			return nil
		}
		if err := p.deletedWorkflow(workflow); err != nil {
			return err
		}
	}
	return nil
}

func (p *purge) deletedWorkflow(workflow id.ID) error {
	err := p.repeat("purge executions of a deleted workflow", func(t *tx, limit int) (int, error) {
		if _, err := cancelWaiting(t, workflowDeleted, p.now, waitingOfWorkflow, workflow, limit); err != nil {
			return 0, err
		}
		return removeExecutions(t, `e.workflow_id = ? AND e.completed_at IS NOT NULL LIMIT ?`, workflow, limit)
	})
	if err != nil || p.left <= 0 {
		return err
	}
	var one int
	running := false
	err = p.store.read(p.ctx, "look for runs of a deleted workflow", func(v *view) (err error) {
		running, err = v.one(`SELECT 1 FROM executions WHERE workflow_id = ? LIMIT 1`, args{workflow}, &one)
		return err
	})
	if err != nil || running {
		return err
	}
	// Nothing new can come to a deleted workflow without executions, so the
	// rest may go in pieces.
	err = p.repeat("purge totals of a deleted workflow", func(t *tx, limit int) (int, error) { return unfold(t, workflow, limit) })
	if err != nil {
		return err
	}
	for _, statement := range workflowLeftovers {
		if p.left <= 0 {
			return nil
		}
		if err := p.delete("purge a deleted workflow", statement, workflow); err != nil {
			return err
		}
	}
	return nil
}

// workflowLeftovers remove what a workflow without executions leaves, those
// that point to others first and the workflow itself last.
var workflowLeftovers = [...]string{
	`DELETE FROM deliveries WHERE (trigger_id, key) IN (
		SELECT d.trigger_id, d.key FROM triggers t JOIN deliveries d ON d.trigger_id = t.id WHERE t.workflow_id = ? LIMIT ?)`,
	`DELETE FROM dev_triggers WHERE (session_id, trigger_id) IN (SELECT session_id, trigger_id FROM dev_triggers WHERE workflow_id = ? LIMIT ?)`,
	`DELETE FROM dev_sessions WHERE id IN (SELECT id FROM dev_sessions WHERE workflow_id = ? LIMIT ?)`,
	`DELETE FROM alerts WHERE (workflow_id, kind) IN (SELECT workflow_id, kind FROM alerts WHERE workflow_id = ? LIMIT ?)`,
	`DELETE FROM batches WHERE id IN (SELECT id FROM batches WHERE workflow_id = ? LIMIT ?)`,
	`DELETE FROM schedules WHERE trigger_id IN (SELECT trigger_id FROM schedules WHERE workflow_id = ? LIMIT ?)`,
	`DELETE FROM webhooks WHERE id IN (SELECT id FROM webhooks WHERE workflow_id = ? LIMIT ?)`,
	`DELETE FROM triggers WHERE id IN (SELECT id FROM triggers WHERE workflow_id = ? LIMIT ?)`,
	`DELETE FROM deployment_sources WHERE deployment_id IN (
		SELECT s.deployment_id FROM deployments d JOIN deployment_sources s ON s.deployment_id = d.id WHERE d.workflow_id = ? LIMIT ?)`,
	`DELETE FROM deployments WHERE id IN (SELECT id FROM deployments WHERE workflow_id = ? LIMIT ?)`,
	`DELETE FROM kv_permissions WHERE (table_id, workflow_id) IN (
		SELECT table_id, workflow_id FROM kv_permissions WHERE workflow_id = ? LIMIT ?)`,
	`DELETE FROM hourly_totals WHERE (workflow_id, hour, state, step) IN (
		SELECT workflow_id, hour, state, step FROM hourly_totals WHERE workflow_id = ? LIMIT ?)`,
	`DELETE FROM workflows WHERE id IN (SELECT id FROM workflows WHERE id = ? LIMIT ?)`,
}

// noOpenRuns is the condition that no execution that may still run needs d, a
// deployment.
const noOpenRuns = ` NOT EXISTS (
	SELECT 1 FROM triggers t JOIN executions e ON e.organization_id = t.organization_id AND e.trigger_id = t.id
		AND e.state = 'received' AND e.deployment_id = d.id WHERE t.workflow_id = d.workflow_id)
	AND NOT EXISTS (
	SELECT 1 FROM executions e WHERE e.state = 'started' AND e.deployment_id = d.id) `

// deletedDeployments removes deployments that were deleted before the cutoff,
// with their sources.
func (p *purge) deletedDeployments() error {
	return p.repeat("purge deployments", func(t *tx, limit int) (int, error) {
		var deleted []id.ID
		err := t.each(`
			SELECT d.id FROM deployments d WHERE d.deleted_at < ? AND`+noOpenRuns+`ORDER BY d.deleted_at LIMIT ?`,
			args{p.cutoff, limit}, func(scan scanner) error {
				var x id.ID
				err := scan(&x)
				deleted = append(deleted, x)
				return err
			})
		if err != nil {
			return 0, err
		}
		for _, x := range deleted {
			if _, err := t.exec(`DELETE FROM deployment_sources WHERE deployment_id = ?`, x); err != nil {
				return 0, err
			}
			if _, err := t.exec(`DELETE FROM deployments WHERE id = ?`, x); err != nil {
				return 0, err
			}
		}
		return len(deleted), nil
	})
}

// programs removes programs that no deployment uses.
func (p *purge) programs() error {
	return p.delete("purge programs", `
		DELETE FROM programs WHERE hash IN (
			SELECT p.hash FROM programs p WHERE NOT EXISTS (SELECT 1 FROM deployments d WHERE d.program_hash = p.hash) LIMIT ?)`)
}

// deletedTriggers removes triggers that were removed before the cutoff and that
// nothing waits or runs for.
func (p *purge) deletedTriggers() error {
	return p.repeat("purge triggers", func(t *tx, limit int) (int, error) {
		var deleted []id.ID
		err := t.each(`
			SELECT t.id FROM triggers t WHERE t.deleted_at < ?
				AND NOT EXISTS (SELECT 1 FROM executions e
					WHERE e.organization_id = t.organization_id AND e.trigger_id = t.id AND e.state = 'received')
				AND NOT EXISTS (SELECT 1 FROM executions e WHERE e.trigger_id = t.id AND e.state = 'started')
			ORDER BY t.deleted_at LIMIT ?`, args{p.cutoff, limit}, func(scan scanner) error {
			var x id.ID
			err := scan(&x)
			deleted = append(deleted, x)
			return err
		})
		if err != nil {
			return 0, err
		}
		for _, x := range deleted {
			if _, err := t.exec(`DELETE FROM deliveries WHERE trigger_id = ?`, x); err != nil {
				return 0, err
			}
			if _, err := t.exec(`DELETE FROM triggers WHERE id = ?`, x); err != nil {
				return 0, err
			}
		}
		return len(deleted), nil
	})
}

// totals removes those of which nothing is left, so that what is left stays the
// sum of them; of a workflow's its namespace's must know that.
func (p *purge) totals() error {
	last := dayOf(p.now.Add(-totalsKept))
	err := p.delete("purge totals", `
		DELETE FROM daily_totals WHERE (workflow_id, day, state) IN (
			SELECT workflow_id, day, state FROM daily_totals WHERE day < ? AND purged = count AND folded = count LIMIT ?)`, last)
	if err != nil {
		return err
	}
	return p.delete("purge totals of namespaces", `
		DELETE FROM namespace_totals WHERE (namespace_id, day, state) IN (
			SELECT namespace_id, day, state FROM namespace_totals WHERE day < ? AND purged = count LIMIT ?)`, last)
}

func (p *purge) hours() error {
	return p.delete("purge totals of hours", `
		DELETE FROM hourly_totals WHERE (workflow_id, hour, state, step) IN (
			SELECT workflow_id, hour, state, step FROM hourly_totals WHERE hour < ? LIMIT ?)`,
		hourOf(p.now.Add(-execution.HoursKept)))
}

// bodies removes files that no event names.
func (p *purge) bodies() error {
	b := p.store.blobs
	var failed error
	err := b.sweep(func(hash workflow.Hash) bool {
		var removed bool
		removed, failed = b.removeUnless(hash, func() (bool, error) { return p.named(hash) })
		if removed {
			p.left--
		}
		return failed == nil && p.left > 0
	})
	if err != nil {
		return err
	}
	return failed
}

func (p *purge) named(hash workflow.Hash) (named bool, err error) {
	err = p.store.read(p.ctx, "look for a body's event", func(v *view) (err error) {
		var one int
		named, err = v.one(`SELECT 1 FROM events WHERE body_hash = ? LIMIT 1`, args{hash}, &one)
		return err
	})
	return named, err
}

// vacuum gives free pages back to the system.
func (p *purge) vacuum() error {
	_, err := p.unit("vacuum", func(t *tx) (int, error) { return 0, t.conn.dialect.vacuum(t, vacuumPages) })
	return err
}
