package store

import (
	"context"
	"encoding/json"

	"github.com/usefloww/flowwd/internal/execution"
	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
)

// Why a received execution waits.
const (
	waitsForSlot         = "slot"
	waitsForTrigger      = "trigger limit"
	waitsForOrganization = "organization limit"
	waitsForRetry        = "retry at "
	waitsForSchedule     = "scheduled for "
)

const executionColumns = listedColumns + `, e.stack, e.result`

// listedColumns are those that are short.
const listedColumns = `
	e.id, e.organization_id, e.workflow_id, e.trigger_id, e.deployment_id, e.event_id, e.state, e.received_at,
	e.postponed, e.available_at, e.started_at, e.completed_at, e.duration_ms, e.attempt, e.interruptions,
	e.retries, e.cancel_reason, e.replay_of_id, e.triggered_by_id, e.planned_at,
	e.provider_type, e.provider_alias, e.trigger_type, e.method, e.path, e.error`

// listedExecution is an execution with what its reason to wait depends on.
type listedExecution struct {
	execution.Execution
	postponed bool
}

// scanExecution reads executionColumns and what follows them.
func scanExecution(scan scanner, more ...any) (listedExecution, error) {
	var stack string
	var result json.RawMessage
	e, err := scanListed(scan, append([]any{&stack, &result}, more...)...)
	e.Stack, e.Result = stack, result
	return e, err
}

// scanListed reads listedColumns and what follows them.
func scanListed(scan scanner, more ...any) (listedExecution, error) {
	var e listedExecution
	err := scan(append([]any{&e.ID, &e.OrganizationID, &e.WorkflowID, &e.TriggerID, &e.DeploymentID, &e.EventID, &e.State, &e.ReceivedAt,
		&e.postponed, &e.AvailableAt, &e.StartedAt, &e.CompletedAt, &e.Duration, &e.Attempt, &e.Interruptions,
		&e.Retries, &e.CancelReason, &e.ReplayOf, &e.TriggeredByID, &e.PlannedAt,
		&e.Origin.ProviderType, &e.Origin.ProviderAlias, &e.Origin.TriggerType, &e.Origin.Method, &e.Origin.Path,
		&e.Error}, more...)...)
	return e, err
}

// Execution implements execution.Store.
func (s *Store) Execution(ctx context.Context, organizations []id.ID, wanted id.ID) (execution.Execution, error) {
	var found []execution.Execution
	list, values := in(organizations, wanted)
	err := s.read(ctx, "read an execution", func(v *view) (err error) {
		var folders pathColumn
		found, err = s.executions(v, `, f.path
			FROM executions e JOIN workflows w ON w.id = e.workflow_id AND w.deleted_at IS NULL`+inFolder+`
			WHERE e.id = ? AND e.organization_id IN `+list, values, &folders)
		for i := range found {
			found[i].Folders = folders
		}
		return err
	})
	if err == nil && len(found) == 0 {
		err = fault.New(fault.NotFound, "Execution not found")
	}
	if err != nil {
		return execution.Execution{}, err
	}
	return found[0], nil
}

// executions reads executions with their reasons to wait. More are where columns
// go that tail begins with.
func (s *Store) executions(v *view, tail string, values args, more ...any) ([]execution.Execution, error) {
	var listed []listedExecution
	err := v.each(`SELECT `+executionColumns+tail, values, func(scan scanner) error {
		e, err := scanExecution(scan, more...)
		listed = append(listed, e)
		return err
	})
	if err != nil {
		return nil, err
	}
	return s.withReasons(v, listed)
}

// withReasons says of executions why they wait.
func (s *Store) withReasons(v *view, listed []listedExecution) ([]execution.Execution, error) {
	reasons := waitReasons{store: s, view: v, triggerFull: make(map[id.ID]bool), organizationFull: make(map[id.ID]bool)}
	found := make([]execution.Execution, len(listed))
	for i, e := range listed {
		if e.State == execution.Received {
			var err error
			if e.Waiting, err = reasons.of(e); err != nil {
				return nil, err
			}
		}
		found[i] = e.Execution
	}
	return found, nil
}

// waitReasons finds out why executions wait, asking once for each trigger and
// organization.
type waitReasons struct {
	store                         *Store
	view                          *view
	triggerFull, organizationFull map[id.ID]bool
}

func (r *waitReasons) of(e listedExecution) (string, error) {
	if e.postponed && e.AvailableAt != nil {
		reason := waitsForRetry
		if e.Attempt == 0 {
			reason = waitsForSchedule
		}
		return reason + e.AvailableAt.Format("2006-01-02T15:04:05.000Z"), nil
	}
	full, known := r.triggerFull[e.TriggerID]
	if !known {
		limit := 0
		if _, err := r.view.one(`SELECT concurrency FROM triggers WHERE id = ?`, args{e.TriggerID}, &limit); err != nil {
			return "", err
		}
		if limit > 0 {
			running, err := runningOf(r.view, e.TriggerID)
			if err != nil {
				return "", err
			}
			full = running >= limit
		}
		r.triggerFull[e.TriggerID] = full
	}
	if full {
		return waitsForTrigger, nil
	}
	if full, known = r.organizationFull[e.OrganizationID]; !known {
		if limit := r.store.cfg.OrganizationLimit; limit > 0 {
			running, err := runningIn(r.view, []id.ID{e.OrganizationID})
			if err != nil {
				return "", err
			}
			full = running >= limit
		}
		r.organizationFull[e.OrganizationID] = full
	}
	if full {
		return waitsForOrganization, nil
	}
	return waitsForSlot, nil
}
