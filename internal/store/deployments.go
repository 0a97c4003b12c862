package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/usefloww/flowwd/internal/audit"
	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/workflow"
)

func deploymentNotFound() error { return fault.New(fault.NotFound, "Deployment not found") }

const deploymentColumns = `
	d.id, d.organization_id, d.workflow_id, d.status, d.source_hash, d.program_hash, d.entrypoint,
	d.client_sdk_version, d.providers, d.triggers, d.provider_mappings, d.deployed_by_id, d.deployed_at, d.note, d.runtime_id`

// liveDeployments leaves out deployments that are hidden, alone or with their
// workflow.
const liveDeployments = ` deployments d JOIN workflows w ON w.id = d.workflow_id AND w.deleted_at IS NULL AND d.deleted_at IS NULL `

// scanDeployment reads deploymentColumns and what follows them.
func scanDeployment(scan scanner, more ...any) (workflow.Deployment, error) {
	var d workflow.Deployment
	var providers, triggers string
	err := scan(append([]any{&d.ID, &d.OrganizationID, &d.WorkflowID, &d.Status, &d.SourceHash, &d.ProgramHash, &d.Entrypoint,
		&d.ClientSDKVersion, &providers, &triggers, &d.ProviderMappings, &d.DeployedByID, &d.DeployedAt, &d.Note, &d.RuntimeID}, more...)...)
	if err != nil {
		return d, err
	}
	if d.Providers, err = decodeProviders(providers); err != nil {
		return d, err
	}
	d.Triggers, err = decodeDeclarations(triggers)
	return d, err
}

// Deployment implements deploy.Store.
func (s *Store) Deployment(ctx context.Context, organizations []id.ID, wanted id.ID) (workflow.Deployment, error) {
	var found []workflow.Deployment
	list, values := in(organizations, wanted)
	err := s.read(ctx, "read a deployment", func(v *view) error {
		return v.each(`SELECT `+deploymentColumns+`, f.path FROM`+liveDeployments+inFolder+` WHERE d.id = ? AND d.organization_id IN `+list,
			values, func(scan scanner) error {
				var folders pathColumn
				d, err := scanDeployment(scan, &folders)
				d.Folders = folders
				found = append(found, d)
				return err
			})
	})
	if err == nil && len(found) == 0 {
		err = deploymentNotFound()
	}
	if err != nil {
		return workflow.Deployment{}, err
	}
	return found[0], nil
}

// Deployments implements deploy.Store.
func (s *Store) Deployments(ctx context.Context, of id.ID, limit, offset int) (found []workflow.Deployment, total int, err error) {
	err = s.read(ctx, "list deployments", func(v *view) error {
		if _, err := v.one(`SELECT COUNT(*) FROM`+liveDeployments+`WHERE d.workflow_id = ?`, args{of}, &total); err != nil {
			return err
		}
		return v.each(`SELECT `+deploymentColumns+` FROM`+liveDeployments+`WHERE d.workflow_id = ?
			ORDER BY d.deployed_at DESC, d.id DESC LIMIT ? OFFSET ?`, args{of, limit, offset}, func(scan scanner) error {
			d, err := scanDeployment(scan)
			found = append(found, d)
			return err
		})
	})
	return found, total, err
}

// Source implements deploy.Store.
func (s *Store) Source(ctx context.Context, deployment id.ID) (workflow.Source, error) {
	var source workflow.Source
	var files json.RawMessage
	var found bool
	err := s.read(ctx, "read a deployment's source", func(v *view) (err error) {
		found, err = v.one(`
			SELECT s.entrypoint, s.files FROM`+liveDeployments+`JOIN deployment_sources s ON s.deployment_id = d.id
			WHERE d.id = ?`, args{deployment}, &source.Entrypoint, &files)
		return err
	})
	if err == nil && !found {
		err = deploymentNotFound()
	}
	if err != nil {
		return workflow.Source{}, err
	}
	if err := json.Unmarshal(files, &source.Files); err != nil {
		return workflow.Source{}, fmt.Errorf("read the source of deployment %s: %w", deployment, err)
	}
	return source, nil
}

// Program implements deploy.Store and execution.Store.
func (s *Store) Program(ctx context.Context, hash workflow.Hash) (*workflow.Program, error) {
	var p workflow.Program
	var found bool
	var secrets string
	err := s.read(ctx, "read a program", func(v *view) (err error) {
		found, err = v.one(`
			SELECT hash, engine, engine_version, sdk_version, bridge, bundle, source_map, bytecode, secrets FROM programs WHERE hash = ?`,
			args{hash}, &p.Hash, &p.Engine, &p.EngineVersion, &p.SDKVersion, &p.Bridge, &p.Bundle, &p.SourceMap, &p.Bytecode, &secrets)
		return err
	})
	if err == nil && !found {
		err = fault.New(fault.NotFound, "Program not found")
	}
	if err == nil && secrets != "" {
		p.Secrets, err = decodeProviders(secrets)
	}
	if err != nil {
		return nil, err
	}
	return &p, nil
}

func deploymentTarget(deployment id.ID) audit.Target {
	return audit.Target{Type: "deployment", ID: deployment.String()}
}

// DeactivateDeployment implements deploy.Store.
func (s *Store) DeactivateDeployment(ctx context.Context, deployment id.ID, at time.Time) error {
	return s.writeWorkflows(ctx, "deactivate a deployment", func(t *tx) error {
		d, err := lockDeployment(t, deployment)
		if err != nil || d.Status != workflow.StatusActive {
			return err
		}
		if _, err := t.exec(`UPDATE deployments SET status = 'inactive' WHERE id = ?`, deployment); err != nil {
			return err
		}
		t.notices.workflows[d.WorkflowID] = true
		s.recordDeployment(ctx, t, d, audit.ChangeDeployment, "status", d.Status, workflow.StatusInactive)
		_, err = t.exec(`
			UPDATE workflows SET active_deployment_id = NULL, version = version + 1, updated_at = ?
			WHERE id = ? AND active_deployment_id = ?`, at, d.WorkflowID, deployment)
		if err != nil {
			return err
		}
		return storeUses(t, d.WorkflowID)
	})
}

// DeleteDeployment implements deploy.Store.
func (s *Store) DeleteDeployment(ctx context.Context, deployment id.ID, at time.Time) error {
	return s.writeWorkflows(ctx, "delete a deployment", func(t *tx) error {
		d, err := lockDeployment(t, deployment)
		if err != nil {
			return err
		}
		if d.Status == workflow.StatusActive {
			return fault.New(fault.Conflict, "This deployment is active; set it inactive before deleting it")
		}
		s.recordDeployment(ctx, t, d, audit.DeleteDeployment, "status", d.Status, nil)
		_, err = t.exec(`UPDATE deployments SET deleted_at = ? WHERE id = ?`, at, deployment)
		return err
	})
}

// SetDeploymentNote implements deploy.Store.
func (s *Store) SetDeploymentNote(ctx context.Context, deployment id.ID, note *string) error {
	return s.write(ctx, "set a deployment's note", func(t *tx) error {
		d, err := lockDeployment(t, deployment)
		if err != nil {
			return err
		}
		s.recordDeployment(ctx, t, d, audit.ChangeDeployment, "note", briefOrNull(d.Note), briefOrNull(note))
		_, err = t.exec(`UPDATE deployments SET note = ? WHERE id = ?`, note, deployment)
		return err
	})
}

// recordDeployment records that a member of a deployment changed; nil after is
// nothing.
func (s *Store) recordDeployment(ctx context.Context, t *tx, d workflow.Deployment, action audit.Action, member string, before, after any) {
	e := audit.Entry{
		OrganizationID: d.OrganizationID, Action: action, Target: deploymentTarget(d.ID),
		Before: audit.Snapshot(map[string]any{"workflow": d.WorkflowID, member: before}),
	}
	if action != audit.DeleteDeployment {
		e.After = audit.Snapshot(map[string]any{"workflow": d.WorkflowID, member: after})
	}
	s.record(ctx, t, e)
}

func briefOrNull(text *string) any {
	if text == nil {
		return nil
	}
	return audit.Brief(*text)
}

// lockDeployment reads what changes of a deployment are decided by.
func lockDeployment(t *tx, deployment id.ID) (workflow.Deployment, error) {
	d := workflow.Deployment{ID: deployment}
	found, err := t.one(`SELECT d.organization_id, d.workflow_id, d.status, d.note FROM`+liveDeployments+`WHERE d.id = ?`+t.conn.dialect.lock("d"),
		args{deployment}, &d.OrganizationID, &d.WorkflowID, &d.Status, &d.Note)
	if err == nil && !found {
		err = deploymentNotFound()
	}
	return d, err
}
