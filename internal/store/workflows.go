package store

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"github.com/usefloww/flowwd/internal/audit"
	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/workflow"
)

const workflowColumns = `
	w.id, w.organization_id, w.namespace_id, w.name, w.description, w.active, w.created_by_id,
	w.created_at, w.updated_at, w.version, d.id, d.deployed_at, d.providers, f.path`

const workflowTables = ` workflows w LEFT JOIN deployments d ON d.id = w.active_deployment_id LEFT JOIN folders f ON f.id = w.folder_id `

func scanWorkflow(scan scanner) (workflow.Workflow, error) {
	var (
		w         workflow.Workflow
		active    workflow.ActiveDeployment
		providers string
	)
	err := scan(&w.ID, &w.OrganizationID, &w.NamespaceID, &w.Name, &w.Description, &w.Active, &w.CreatedByID,
		&w.CreatedAt, &w.UpdatedAt, &w.Version, &active.ID, &active.DeployedAt, &providers, (*pathColumn)(&w.Folders))
	if err != nil || active.ID.IsZero() {
		return w, err
	}
	w.ActiveDeployment = &active
	active.Providers, err = decodeProviders(providers)
	return w, err
}

func workflowNotFound() error { return fault.New(fault.NotFound, "Workflow not found") }

func nameTaken(cause error) error {
	return fault.Because(cause, fault.Conflict, "A workflow with this name already exists")
}

// CreateWorkflow implements workflow.Store.
func (s *Store) CreateWorkflow(ctx context.Context, w workflow.Workflow) error {
	return s.write(ctx, "create a workflow", func(t *tx) error {
		if err := stands(t, w.NamespaceID, w.Folders); err != nil {
			return err
		}
		n, err := t.exec(`
			INSERT INTO workflows (id, organization_id, namespace_id, folder_id, name, name_folded, description, active,
				created_by_id, created_at, updated_at, version)
			SELECT ?, n.organization_id, n.id, ?, ?, ?, ?, ?, ?, ?, ?, ? FROM namespaces n WHERE n.id = ? AND n.organization_id = ?`,
			w.ID, w.FolderID(), w.Name, strings.ToLower(w.Name), w.Description, w.Active,
			w.CreatedByID, w.CreatedAt, w.UpdatedAt, w.Version, w.NamespaceID, w.OrganizationID)
		switch {
		case t.unique(err):
			return nameTaken(err)
		case err == nil && n == 0:
			return fault.New(fault.NotFound, "Namespace not found")
		}
		s.record(ctx, t, audit.Entry{
			OrganizationID: w.OrganizationID, Action: audit.CreateWorkflow, Target: audit.Target{Type: "workflow", ID: w.ID.String()},
			After: auditedWorkflow(w),
		})
		return err
	})
}

// auditedWorkflow is what the audit log shows of a workflow.
func auditedWorkflow(w workflow.Workflow) json.RawMessage {
	fields := map[string]any{"name": w.Name, "active": w.Active, "description": nil, "folder": idOrNil(w.FolderID())}
	if w.Description != nil {
		fields["description"] = audit.Brief(*w.Description)
	}
	return audit.Snapshot(fields)
}

// Workflow implements workflow.Store.
func (s *Store) Workflow(ctx context.Context, organizations []id.ID, wanted id.ID) (workflow.Workflow, error) {
	var found []workflow.Workflow
	list, values := in(organizations, wanted)
	err := s.read(ctx, "read a workflow", func(v *view) error {
		return v.each(`SELECT `+workflowColumns+` FROM `+workflowTables+`
			WHERE w.id = ? AND w.deleted_at IS NULL AND w.organization_id IN `+list, values, func(scan scanner) error {
			w, err := scanWorkflow(scan)
			found = append(found, w)
			return err
		})
	})
	if err == nil && len(found) == 0 {
		err = workflowNotFound()
	}
	if err != nil {
		return workflow.Workflow{}, err
	}
	return found[0], nil
}

// Workflows implements workflow.Store.
func (s *Store) Workflows(ctx context.Context, f workflow.ListFilter) (workflow.Page, error) {
	list, values := in(f.Organizations)
	where := ` WHERE w.deleted_at IS NULL AND w.organization_id IN ` + list
	if !f.NamespaceID.IsZero() {
		where += ` AND w.namespace_id = ?`
		values = append(values, f.NamespaceID)
	}
	if !f.FolderID.IsZero() {
		where += ` AND w.folder_id = ?`
		values = append(values, f.FolderID)
	}
	if f.Root {
		where += ` AND w.folder_id IS NULL`
	}
	if f.Search != "" {
		where += ` AND w.name_folded LIKE ? ESCAPE '\'`
		values = append(values, "%"+escapeLike(strings.ToLower(f.Search))+"%")
	}
	var page workflow.Page
	err := s.read(ctx, "list workflows", func(v *view) error {
		if _, err := v.one(`SELECT COUNT(*) FROM workflows w`+where, values, &page.Total); err != nil {
			return err
		}
		// The page is chosen by the index alone, and its workflows alone are read.
		return v.each(`SELECT `+workflowColumns+` FROM `+workflowTables+` WHERE w.id IN (
				SELECT w.id FROM workflows w`+where+` ORDER BY w.updated_at DESC, w.id DESC LIMIT ? OFFSET ?)
			ORDER BY w.updated_at DESC, w.id DESC`,
			append(values, f.Limit, f.Offset), func(scan scanner) error {
				w, err := scanWorkflow(scan)
				page.Workflows = append(page.Workflows, w)
				return err
			})
	})
	return page, err
}

// escapeLike makes a text match itself in LIKE … ESCAPE '\'.
func escapeLike(text string) string {
	return strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(text)
}

// ChangeWorkflow implements workflow.Store.
func (s *Store) ChangeWorkflow(ctx context.Context, changed id.ID, c workflow.Change, at time.Time) (workflow.Workflow, error) {
	set, values := `updated_at = ?`, []any{at}
	if c.Name != nil {
		set += `, name = ?, name_folded = ?`
		values = append(values, *c.Name, strings.ToLower(*c.Name))
	}
	if c.Description != nil {
		set += `, description = ?`
		values = append(values, *c.Description)
	}
	if c.Active != nil {
		set += `, active = ?`
		values = append(values, *c.Active)
	}
	if c.Move != nil {
		set += `, folder_id = ?`
		values = append(values, c.Move.FolderID())
	}
	var w workflow.Workflow
	err := s.writeWorkflows(ctx, "change a workflow", func(t *tx) error {
		t.notices.workflows[changed] = true
		if c.Move != nil {
			// Before the workflow, as whatever moves folders does.
			if err := holdNamespaceOf(t, changed); err != nil {
				return err
			}
		}
		before, found, err := oneWorkflow(&t.view, changed, t.conn.dialect.lock("w"))
		if err == nil && !found {
			err = workflowNotFound()
		}
		if err == nil && c.Move != nil {
			err = moves(t, before.NamespaceID, before.Folders, *c.Move)
		}
		if err != nil {
			return err
		}
		_, err = t.exec(`UPDATE workflows SET `+set+` WHERE id = ? AND deleted_at IS NULL`, append(values, changed)...)
		if t.unique(err) {
			return nameTaken(err)
		}
		if err == nil {
			w, _, err = oneWorkflow(&t.view, changed, "")
		}
		s.record(ctx, t, audit.Entry{
			OrganizationID: w.OrganizationID, Action: audit.ChangeWorkflow, Target: audit.Target{Type: "workflow", ID: changed.String()},
			Before: auditedWorkflow(before), After: auditedWorkflow(w),
		})
		return err
	})
	return w, err
}

// oneWorkflow reads a workflow that is not deleted; lock ends the statement.
func oneWorkflow(v *view, wanted id.ID, lock string) (w workflow.Workflow, found bool, err error) {
	err = v.each(`SELECT `+workflowColumns+` FROM `+workflowTables+` WHERE w.id = ? AND w.deleted_at IS NULL`+lock, args{wanted},
		func(scan scanner) (err error) {
			found = true
			w, err = scanWorkflow(scan)
			return err
		})
	return w, found, err
}
