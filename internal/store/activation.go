package store

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"github.com/usefloww/flowwd/internal/audit"
	"github.com/usefloww/flowwd/internal/deploy"
	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/workflow"
)

// ActivateDeployment implements deploy.Store.
func (s *Store) ActivateDeployment(ctx context.Context, a deploy.Activation) error {
	rows, err := encodeActivation(a)
	if err != nil {
		return fmt.Errorf("activate a deployment: %w", err)
	}
	return s.writeWorkflows(ctx, "activate a deployment", func(t *tx) error {
		t.notices.workflows[a.Deployment.WorkflowID] = true
		if err := advanceWorkflow(t, a); err != nil {
			return err
		}
		if _, err := t.exec(`UPDATE deployments SET status = 'inactive' WHERE workflow_id = ? AND status = 'active' AND id <> ?`,
			a.Deployment.WorkflowID, a.Deployment.ID); err != nil {
			return err
		}
		made, err := storeDeployment(t, a, rows)
		if err != nil {
			return err
		}
		s.recordActivation(ctx, t, a, made)
		if err := storeUses(t, a.Deployment.WorkflowID); err != nil {
			return err
		}
		return changeTriggers(t, a)
	})
}

// activationRows are the texts of an Activation, made before the writer's turn.
type activationRows struct {
	providers, triggers, files string
}

func encodeActivation(a deploy.Activation) (rows activationRows, err error) {
	if rows.providers, err = encodeProviders(a.Deployment.Providers); err != nil {
		return rows, err
	}
	if rows.triggers, err = encodeDeclarations(a.Deployment.Triggers); err != nil {
		return rows, err
	}
	if a.Source == nil {
		return rows, nil
	}
	files, err := json.Marshal(a.Source.Files)
	rows.files = string(files)
	return rows, err
}

// advanceWorkflow points a workflow to its new deployment, when it is still the
// version that the activation was planned for.
func advanceWorkflow(t *tx, a deploy.Activation) error {
	n, err := t.exec(`
		UPDATE workflows SET active_deployment_id = ?, version = version + 1, updated_at = ?
		WHERE id = ? AND organization_id = ? AND version = ? AND deleted_at IS NULL`,
		a.Deployment.ID, a.At, a.Deployment.WorkflowID, a.Deployment.OrganizationID, a.Version)
	if err != nil || n == 1 {
		return err
	}
	var version int64
	found, err := t.one(`SELECT version FROM workflows WHERE id = ? AND organization_id = ? AND deleted_at IS NULL`,
		args{a.Deployment.WorkflowID, a.Deployment.OrganizationID}, &version)
	if err != nil {
		return err
	}
	if !found {
		return workflowNotFound()
	}
	return fault.New(fault.Conflict, "Another deployment of this workflow was made at the same time; deploy again")
}

// recordActivation records a deployment that was made, or made active again.
func (s *Store) recordActivation(ctx context.Context, t *tx, a deploy.Activation, made bool) {
	d := a.Deployment
	e := audit.Entry{
		OrganizationID: d.OrganizationID, Action: audit.ChangeDeployment, Target: deploymentTarget(d.ID),
		After: audit.Snapshot(map[string]any{"workflow": d.WorkflowID, "status": workflow.StatusActive}),
	}
	if made {
		e.Action = audit.Deploy
		e.After = audit.Snapshot(map[string]any{
			"workflow": d.WorkflowID, "status": workflow.StatusActive,
			"source": hex.EncodeToString(d.SourceHash[:]), "program": hex.EncodeToString(d.ProgramHash[:]),
		})
	}
	s.record(ctx, t, e)
}

// storeDeployment makes a deployment active, and reports whether it was new.
func storeDeployment(t *tx, a deploy.Activation, rows activationRows) (made bool, err error) {
	d := a.Deployment
	n, err := t.exec(`UPDATE deployments SET status = 'active' WHERE id = ? AND workflow_id = ? AND deleted_at IS NULL`,
		d.ID, d.WorkflowID)
	if err != nil || n == 1 {
		return false, err
	}
	if a.Source == nil || a.Program == nil {
		return false, deploymentNotFound()
	}
	if err := readyRuntime(t, d.OrganizationID, d.RuntimeID); err != nil {
		return false, err
	}
	if err := storeProgram(t, a.Program); err != nil {
		return false, err
	}
	_, err = t.exec(`
		INSERT INTO deployments (id, organization_id, workflow_id, status, source_hash, program_hash, entrypoint,
			client_sdk_version, providers, triggers, provider_mappings, deployed_by_id, deployed_at, note, runtime_id)
		VALUES (?, ?, ?, 'active', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		d.ID, d.OrganizationID, d.WorkflowID, d.SourceHash, d.ProgramHash, d.Entrypoint,
		d.ClientSDKVersion, rows.providers, rows.triggers, d.ProviderMappings, d.DeployedByID, d.DeployedAt, d.Note, d.RuntimeID)
	if t.unique(err) {
		return false, fault.Because(err, fault.Conflict, "This deployment exists already")
	}
	if err != nil {
		return false, err
	}
	_, err = t.exec(`INSERT INTO deployment_sources (deployment_id, entrypoint, files) VALUES (?, ?, ?)`,
		d.ID, a.Source.Entrypoint, rows.files)
	return true, err
}

// storeProgram keeps the program that is stored under the hash already, except
// for its bytecode when another version of the engine made this one.
func storeProgram(t *tx, p *workflow.Program) error {
	var secrets *string
	if len(p.Secrets) > 0 {
		text, err := encodeProviders(p.Secrets)
		if err != nil {
			return err
		}
		secrets = &text
	}
	_, err := t.exec(`
		INSERT INTO programs (hash, engine, engine_version, sdk_version, bridge, bundle, source_map, bytecode, secrets)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (hash) DO UPDATE SET
			engine = excluded.engine, engine_version = excluded.engine_version, bytecode = excluded.bytecode
			WHERE programs.engine <> excluded.engine OR programs.engine_version <> excluded.engine_version`,
		p.Hash, p.Engine, p.EngineVersion, p.SDKVersion, p.Bridge, notNull(p.Bundle), p.SourceMap, p.Bytecode, secrets)
	return err
}

// notNull makes an absent byte string an empty one.
func notNull(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}

// changeTriggers removes before it adds, so that a new trigger can take over an
// address.
func changeTriggers(t *tx, a deploy.Activation) error {
	for _, removed := range a.Remove {
		var one int
		used, err := t.one(`SELECT 1 FROM dev_triggers WHERE trigger_id = ? LIMIT 1`, args{removed}, &one)
		if err != nil {
			return err
		}
		if used {
			// Somebody develops it still; it goes with the session.
			if _, err := t.exec(`UPDATE triggers SET dev_only = true WHERE id = ? AND workflow_id = ?`, removed, a.Deployment.WorkflowID); err != nil {
				return err
			}
			continue
		}
		if _, err := t.exec(`DELETE FROM webhooks WHERE trigger_id = ? AND workflow_id = ?`, removed, a.Deployment.WorkflowID); err != nil {
			return err
		}
		if _, err := t.exec(`DELETE FROM schedules WHERE trigger_id = ? AND workflow_id = ?`, removed, a.Deployment.WorkflowID); err != nil {
			return err
		}
		if _, err := t.exec(`UPDATE triggers SET deleted_at = ? WHERE id = ? AND workflow_id = ? AND deleted_at IS NULL`,
			a.At, removed, a.Deployment.WorkflowID); err != nil {
			return err
		}
	}
	for _, kept := range a.Keep {
		o := kept.Options
		n, err := t.exec(`
			UPDATE triggers SET input = ?, timeout_ms = ?, memory_bytes = ?, concurrency = ?, fail_on_interrupt = ?, retry = ?, timezone = ?, respond = ?,
				dev_only = false
			WHERE id = ? AND workflow_id = ? AND deleted_at IS NULL`,
			kept.Input, o.Timeout, o.Memory, o.Concurrency, o.FailOnInterrupt, retryText(o.Retry), o.Timezone, respondText(o.HandlerResponds), kept.ID, a.Deployment.WorkflowID)
		if err != nil {
			return err
		}
		if n == 0 {
			return fault.New(fault.Conflict, "A trigger of this workflow was removed at the same time; deploy again")
		}
		if err := setSchedule(t, kept); err != nil {
			return err
		}
	}
	for _, added := range a.Add {
		if err := takeAddress(t, added); err != nil {
			return err
		}
		if err := addTrigger(t, added); err != nil {
			return err
		}
	}
	return nil
}

// takeAddress takes the address of a new trigger from one that is there for
// development alone.
func takeAddress(t *tx, added workflow.Trigger) error {
	if added.Webhook == nil {
		return nil
	}
	_, err := t.exec(`
		DELETE FROM webhooks WHERE method = ? AND path = ? AND workflow_id = ?
			AND EXISTS (SELECT 1 FROM triggers t WHERE t.id = webhooks.trigger_id AND t.dev_only)`,
		added.Webhook.Method, added.Webhook.Path, added.WorkflowID)
	return err
}

func addTrigger(t *tx, added workflow.Trigger) error {
	identity, err := identityHash(added.Declaration)
	if err != nil {
		return err
	}
	o := added.Options
	_, err = t.exec(`
		INSERT INTO triggers (id, organization_id, workflow_id, identity, provider_type, provider_alias, type, input,
			ordinal, timeout_ms, memory_bytes, concurrency, fail_on_interrupt, retry, timezone, respond, created_at, dev_only)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		added.ID, added.OrganizationID, added.WorkflowID, identity, added.Provider.Type, added.Provider.Alias, added.Type,
		added.Input, added.Ordinal, o.Timeout, o.Memory, o.Concurrency, o.FailOnInterrupt,
		retryText(o.Retry), o.Timezone, respondText(o.HandlerResponds), added.CreatedAt, added.DevOnly)
	if t.unique(err) {
		return fault.Because(err, fault.Conflict, "This workflow has a %s trigger with the same input already", added.Type)
	}
	if err != nil {
		return err
	}
	if err := setSchedule(t, added); err != nil || added.Webhook == nil {
		return err
	}
	return addWebhook(t, added)
}

// maxWebhookPath is what an index of every database takes, in bytes.
const maxWebhookPath = 2000

func addWebhook(t *tx, added workflow.Trigger) error {
	h := added.Webhook
	if len(h.Path) > maxWebhookPath {
		return fault.New(fault.Invalid, "the path of a webhook has %d bytes; at most %d are allowed", len(h.Path), maxWebhookPath)
	}
	_, err := t.exec(`INSERT INTO webhooks (id, organization_id, workflow_id, trigger_id, method, path) VALUES (?, ?, ?, ?, ?, ?)`,
		h.ID, added.OrganizationID, added.WorkflowID, added.ID, h.Method, h.Path)
	if t.unique(err) {
		return fault.Because(err, fault.Conflict, "The webhook address %s %s is taken by another trigger", h.Method, h.Path)
	}
	return err
}
