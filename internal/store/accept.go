package store

import (
	"context"
	"crypto/sha256"
	"errors"
	"time"

	"github.com/usefloww/flowwd/internal/execution"
	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/workflow"
)

// Texts of executions that end without having run.
const (
	noDeployment     = "No active deployment found for this workflow"
	workflowInactive = "This workflow is inactive"
	workflowDeleted  = "The workflow was deleted"
	tenantDeleted    = "The organization was deleted"
	tenantDisabled   = "An administrator disabled the organization"
	sentToDev        = "Sent to dev: it runs on the machine of who develops this workflow"
	devAbsent        = "No deployment has this trigger, and who develops it was not connected"
)

// limitedRetry is the wait that a sender is asked to keep when too much waits.
const limitedRetry = 30 * time.Second

// AcceptExecution implements execution.Store.
func (s *Store) AcceptExecution(ctx context.Context, a execution.Acceptance) (execution.Accepted, error) {
	body, release, err := s.place(a.Event)
	if err != nil {
		return execution.Accepted{}, err
	}
	defer release()
	delivery := deliveryOf(a)
	var accepted execution.Accepted
	unit := func(t *tx) (err error) {
		accepted, err = s.accept(t, a, body, delivery)
		return err
	}
	err = s.write(ctx, "accept an execution", unit)
	if errors.Is(err, errRepeated) {
		err = s.write(ctx, "accept an execution", unit) // now it sees the other
	}
	if err != nil {
		return execution.Accepted{}, err
	}
	return accepted, nil
}

// accept is the unit of AcceptExecution.
func (s *Store) accept(t *tx, a execution.Acceptance, b body, d *delivery) (execution.Accepted, error) {
	origin, err := readRunnable(t, a)
	if fault.Is(err, fault.NotFound) && a.Turn != nil {
		_, err := moveOn(t, a)
		return execution.Accepted{Skipped: true}, err
	}
	if err == nil && origin.disabledAt != nil && a.Turn == nil {
		err = fault.New(fault.Denied, "This organization is disabled, and takes no events")
	}
	if err != nil {
		return execution.Accepted{}, err
	}
	if d != nil {
		if first, err := d.seen(t, a); err != nil || first.Repeated {
			return first, err
		}
	}
	if a.Turn != nil {
		if due, err := takeTurn(t, a); err != nil || !due || origin.disabledAt != nil || origin.refusal() != "" && a.Dev == nil {
			return execution.Accepted{Skipped: true}, err
		}
	}
	row := newRow{Acceptance: a, state: execution.Received}
	if a.Dev != nil && (a.Dev.Instead || origin.refusal() != "") {
		row.state, row.failure = execution.NoDeployment, sentToDev
	} else if reason := origin.refusal(); reason != "" {
		row.state, row.failure = execution.NoDeployment, reason
	} else if err := s.queue(t, &row, origin); err != nil {
		return execution.Accepted{}, err
	}
	if err := storeEvent(t, a.OrganizationID, a.Event, b); err != nil {
		return execution.Accepted{}, err
	}
	if err := row.insert(t, origin); err != nil {
		return execution.Accepted{}, err
	}
	if d != nil {
		if err := d.insert(t, a); err != nil {
			return execution.Accepted{}, err
		}
	}
	return execution.Accepted{ExecutionID: a.ExecutionID, State: row.state, Claim: row.claim(origin), Diverted: a.Dev != nil && a.Dev.Instead && origin.refusal() == ""}, nil
}

// runnable is what decides whether a trigger's execution can run, and with
// what.
type runnable struct {
	declaration    workflow.Declaration
	active         bool
	deletedAt      *time.Time // of the workflow or its organization
	disabledAt     *time.Time // of the organization
	deploymentID   id.ID      // the active one; zero when there is none
	programHash    workflow.Hash
	triggerDeleted *time.Time
	devOnly        bool
	// organizationID and workflowID are the trigger's; only readRunnable fills
	// them.
	organizationID, workflowID id.ID
}

// runnableJoins adds to a trigger t what runnableColumns names.
const runnableJoins = ` JOIN workflows w ON w.id = t.workflow_id JOIN organizations o ON o.id = w.organization_id
	LEFT JOIN deployments d ON d.id = w.active_deployment_id `

const runnableColumns = `w.active, COALESCE(w.deleted_at, o.deleted_at), o.disabled_at, t.deleted_at, t.dev_only, d.id, d.program_hash, ` + declarationColumns

func (r *runnable) into() []any {
	return append([]any{&r.active, &r.deletedAt, &r.disabledAt, &r.triggerDeleted, &r.devOnly, &r.deploymentID, &r.programHash},
		declarationInto(&r.declaration)...)
}

func readRunnable(t *tx, a execution.Acceptance) (*runnable, error) {
	r, known := t.runnables[a.TriggerID]
	if !known {
		r = new(runnable)
		found, err := t.one(`SELECT `+runnableColumns+`, t.organization_id, t.workflow_id FROM triggers t`+runnableJoins+`
			WHERE t.id = ?`, args{a.TriggerID}, append(r.into(), &r.organizationID, &r.workflowID)...)
		if err != nil {
			return nil, err
		}
		if found && t.runnables != nil {
			t.runnables[a.TriggerID] = r
		}
	}
	if r.triggerDeleted != nil || r.deletedAt != nil || r.workflowID != a.WorkflowID || r.organizationID != a.OrganizationID {
		return nil, fault.New(fault.NotFound, "Trigger not found")
	}
	return r, nil
}

// refusal says why a new execution can't run; empty when it can.
func (r *runnable) refusal() string {
	switch {
	case r.deletedAt != nil:
		return workflowDeleted
	case r.disabledAt != nil:
		return tenantDisabled
	case !r.active:
		return workflowInactive
	case r.deploymentID.IsZero():
		return noDeployment
	case r.devOnly:
		return devAbsent
	}
	return ""
}

// newRow is an execution about to be inserted.
type newRow struct {
	execution.Acceptance
	state   execution.State
	failure string
}

// postponed reports whether the execution waits for its time.
func (r *newRow) postponed() bool {
	return r.state == execution.Received && r.AvailableAt != nil && r.AvailableAt.After(r.ReceivedAt)
}

// queue decides whether a new execution waits or is born claimed, and counts
// it.
func (s *Store) queue(t *tx, row *newRow, origin *runnable) error {
	count, err := t.counters.of(t, row.OrganizationID)
	if err != nil {
		return err
	}
	most := row.MaxWaiting
	if most <= 0 {
		most = execution.MaxWaiting
	}
	if count.waiting >= most {
		limited := fault.New(fault.Limited, "too many executions of this organization wait (%d); try again later", count.waiting)
		limited.RetryAfter = limitedRetry
		return limited
	}
	claimed, err := s.mayClaim(t, row, origin)
	if err != nil {
		return err
	}
	if !claimed {
		t.notices.queue = !row.postponed() || t.notices.queue
		t.counters.add(row.OrganizationID, 1, 0)
		return nil
	}
	row.state = execution.Started
	t.counters.add(row.OrganizationID, 0, 1)
	return nil
}

// mayClaim reports whether a new execution can be born claimed: somebody wants
// it, its limits allow it, and nothing eligible waits before it.
func (s *Store) mayClaim(t *tx, row *newRow, origin *runnable) (bool, error) {
	if row.Claimant.IsZero() || row.postponed() {
		return false, nil
	}
	limit := origin.declaration.Options.Concurrency
	if t.conn.dialect.shared() && (limit > 0 || s.cfg.OrganizationLimit > 0) {
		// Only a claim, which locks, keeps a limit exactly.
		return false, nil
	}
	if full, err := s.organizationFull(t, row.OrganizationID); err != nil || full {
		return false, err
	}
	if limit > 0 {
		running, err := runningOf(&t.view, row.TriggerID)
		if err != nil || running >= limit {
			return false, err
		}
	}
	waiting, err := s.eligibleWaits(t)
	return !waiting, err
}

// organizationFull reports whether as many runs of an organization go on as may.
func (s *Store) organizationFull(t *tx, organization id.ID) (bool, error) {
	if s.cfg.OrganizationLimit <= 0 {
		return false, nil
	}
	running, err := t.counters.running(t, organization)
	return running >= s.cfg.OrganizationLimit, err
}

func (r *newRow) insert(t *tx, origin *runnable) error {
	values := make([]any, 0, 24)
	values = append(values,
		r.ExecutionID, r.OrganizationID, r.WorkflowID, r.TriggerID, r.Event.ID, string(r.state), r.ReceivedAt,
		r.Origin.ProviderType, r.Origin.ProviderAlias, r.Origin.TriggerType, r.Origin.Method, r.Origin.Path, r.failure,
		r.TriggeredByID, r.ReplayOf, r.PlannedAt, r.postponed(), r.availableAt(),
	)
	switch r.state {
	case execution.Started:
		values = append(values, origin.deploymentID, origin.programHash, 1, r.Claimant, r.ReceivedAt, nil)
	case execution.Received:
		values = append(values, nil, nil, 0, nil, nil, nil)
	default:
		values = append(values, nil, nil, 0, nil, nil, r.ReceivedAt)
		t.totals.ended(r.OrganizationID, r.WorkflowID, r.state, r.ReceivedAt, 0)
	}
	return t.later(`
		INSERT INTO executions (id, organization_id, workflow_id, trigger_id, event_id, state, received_at,
			provider_type, provider_alias, trigger_type, method, path, error,
			triggered_by_id, replay_of_id, planned_at, postponed, available_at,
			deployment_id, program_hash, attempt, claimed_by, started_at, completed_at, interruptions, stack)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, '')`, values...)
}

func (r *newRow) availableAt() *time.Time {
	if r.postponed() {
		return r.AvailableAt
	}
	return nil
}

// claim returns the claim of an execution that was born claimed, nil for one
// that was not.
func (r *newRow) claim(origin *runnable) *execution.Claim {
	if r.state != execution.Started {
		return nil
	}
	return &execution.Claim{
		Lease:          execution.Lease{ExecutionID: r.ExecutionID, Incarnation: r.Claimant, Attempt: 1},
		OrganizationID: r.OrganizationID, WorkflowID: r.WorkflowID, TriggerID: r.TriggerID,
		DeploymentID: origin.deploymentID, ProgramHash: origin.programHash, Trigger: origin.declaration,
		ReceivedAt: millisecond(r.ReceivedAt), StartedAt: millisecond(r.ReceivedAt),
	}
}

// millisecond is a time as the database keeps it.
func millisecond(at time.Time) time.Time { return time.UnixMilli(at.UnixMilli()).UTC() }

// delivery is a delivery that its sender named.
type delivery struct {
	key, body workflow.Hash
}

// deliveryOf returns nil for a delivery without a name.
func deliveryOf(a execution.Acceptance) *delivery {
	if a.DeliveryKey == "" {
		return nil
	}
	return &delivery{key: sha256.Sum256([]byte(a.DeliveryKey)), body: sha256.Sum256(a.Event.Body)}
}

// seen returns the answer to a delivery that came before: the first one's
// execution, or a conflict when it had another body.
func (d *delivery) seen(t *tx, a execution.Acceptance) (execution.Accepted, error) {
	var first struct {
		execution id.ID
		body      workflow.Hash
		at        time.Time
		state     execution.State
	}
	found, err := t.one(`
		SELECT d.execution_id, d.body_hash, d.received_at, COALESCE(e.state, 'received')
		FROM deliveries d LEFT JOIN executions e ON e.id = d.execution_id
		WHERE d.trigger_id = ? AND d.key = ?`,
		args{a.TriggerID, d.key}, &first.execution, &first.body, &first.at, &first.state)
	switch {
	case err != nil || !found || first.at.Before(a.ReceivedAt.Add(-execution.DeliveryTTL)):
		return execution.Accepted{}, err
	case first.body != d.body && !a.DeliveryVaries:
		return execution.Accepted{}, fault.New(fault.Conflict,
			"A delivery with this key but another body was accepted before, as execution %s", first.execution)
	}
	return execution.Accepted{ExecutionID: first.execution, State: first.state, Repeated: true}, nil
}

// errRepeated says that another process stored a delivery at the same time.
var errRepeated = errors.New("the delivery was stored by another process")

// insert remembers a delivery, in the place of one that is too old to count.
func (d *delivery) insert(t *tx, a execution.Acceptance) error {
	n, err := t.exec(`
		INSERT INTO deliveries (trigger_id, key, organization_id, execution_id, body_hash, received_at)
		VALUES (?, ?, ?, ?, ?, ?)
		ON CONFLICT (trigger_id, key) DO UPDATE SET
			execution_id = excluded.execution_id, body_hash = excluded.body_hash, received_at = excluded.received_at
			WHERE deliveries.received_at < ?`,
		a.TriggerID, d.key, a.OrganizationID, a.ExecutionID, d.body, a.ReceivedAt, a.ReceivedAt.Add(-execution.DeliveryTTL))
	if err == nil && n == 0 {
		err = errRepeated
	}
	return err
}
