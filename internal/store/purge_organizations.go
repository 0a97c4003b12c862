package store

import (
	"github.com/usefloww/flowwd/internal/audit"
	"github.com/usefloww/flowwd/internal/id"
)

// deletedOrganizations removes organizations whose grace time is over. It
// deletes their workflows, which the step after it removes, and goes on with
// an organization when none is left.
func (p *purge) deletedOrganizations() error {
	var deleted []id.ID
	err := p.store.read(p.ctx, "find deleted organizations", func(v *view) error {
		return v.each(`SELECT id FROM organizations WHERE deleted_at <= ? ORDER BY deleted_at LIMIT ?`,
			args{p.now.Add(-p.store.cfg.OrganizationGrace), purgeBatch}, func(scan scanner) error {
				var x id.ID
				err := scan(&x)
				deleted = append(deleted, x)
				return err
			})
	})
	if err != nil {
		return err
	}
	for _, x := range deleted {
		if p.left <= 0 {
			return nil
		}
		if err := p.deletedOrganization(x); err != nil {
			return err
		}
	}
	return nil
}

func (p *purge) deletedOrganization(of id.ID) error {
	// Without owners nobody can restore it any more.
	err := p.delete("take an organization from its owners", `
		DELETE FROM organization_members WHERE (organization_id, user_id) IN (
			SELECT organization_id, user_id FROM organization_members WHERE organization_id = ? AND role = 'owner' LIMIT ?)`, of)
	if err == nil {
		err = p.workflowsOf(of)
	}
	if err != nil || p.left <= 0 {
		return err
	}
	var one int
	left := false
	err = p.store.read(p.ctx, "look for workflows of a deleted organization", func(v *view) (err error) {
		left, err = v.one(`SELECT 1 FROM workflows WHERE organization_id = ? LIMIT 1`, args{of}, &one)
		return err
	})
	if err != nil || left {
		return err
	}
	for _, statement := range organizationLeftovers {
		if p.left <= 0 {
			return nil
		}
		if err := p.delete("purge a deleted organization", statement, of); err != nil {
			return err
		}
	}
	if p.left <= 0 {
		return nil
	}
	_, err = p.unit("purge a deleted organization", func(t *tx) (int, error) {
		// Together: the default organization is known by its namespace.
		if _, err := t.exec(`DELETE FROM namespaces WHERE organization_id = ?`, of); err != nil {
			return 0, err
		}
		n, err := t.exec(`DELETE FROM organizations WHERE id = ?`, of)
		if n > 0 {
			p.store.record(p.ctx, t, audit.Entry{OrganizationID: of, Action: audit.PurgeOrganization, Target: organizationTarget(of)})
		}
		return int(n), err
	})
	return err
}

// workflowsOf deletes the workflows of an organization.
func (p *purge) workflowsOf(of id.ID) error {
	return p.repeat("delete the workflows of a deleted organization", func(t *tx, limit int) (int, error) {
		var live []id.ID
		err := t.each(`SELECT id FROM workflows WHERE organization_id = ? AND deleted_at IS NULL LIMIT ?`,
			args{of, limit}, func(scan scanner) error {
				var x id.ID
				err := scan(&x)
				live = append(live, x)
				return err
			})
		if err != nil {
			return 0, err
		}
		for _, x := range live {
			if err := p.store.deleteWorkflow(p.ctx, t, x, p.now); err != nil {
				return 0, err
			}
		}
		return len(live), nil
	})
}

// organizationLeftovers remove what an organization without workflows leaves,
// those that point to others first.
var organizationLeftovers = [...]string{
	`DELETE FROM kv_items WHERE (table_id, key) IN (
		SELECT i.table_id, i.key FROM kv_tables t JOIN kv_items i ON i.table_id = t.id WHERE t.organization_id = ? LIMIT ?)`,
	`DELETE FROM kv_tables WHERE id IN (SELECT id FROM kv_tables WHERE organization_id = ? LIMIT ?)`,
	`DELETE FROM runtimes WHERE id IN (SELECT id FROM runtimes WHERE organization_id = ? LIMIT ?)`,
	`DELETE FROM namespace_totals WHERE (namespace_id, day, state) IN (
		SELECT namespace_id, day, state FROM namespace_totals WHERE organization_id = ? LIMIT ?)`,
	`DELETE FROM secrets WHERE id IN (SELECT id FROM secrets WHERE organization_id = ? LIMIT ?)`,
	`DELETE FROM folders WHERE id IN (SELECT id FROM folders WHERE organization_id = ? LIMIT ?)`,
	`DELETE FROM invitations WHERE id IN (SELECT id FROM invitations WHERE organization_id = ? LIMIT ?)`,
	`DELETE FROM grants WHERE id IN (SELECT id FROM grants WHERE organization_id = ? LIMIT ?)`,
	`DELETE FROM api_keys WHERE id IN (SELECT id FROM api_keys WHERE organization_id = ? LIMIT ?)`,
	`DELETE FROM service_accounts WHERE id IN (SELECT id FROM service_accounts WHERE organization_id = ? LIMIT ?)`,
	`DELETE FROM organization_members WHERE (organization_id, user_id) IN (
		SELECT organization_id, user_id FROM organization_members WHERE organization_id = ? LIMIT ?)`,
	`DELETE FROM queue_counters WHERE organization_id IN (SELECT organization_id FROM queue_counters WHERE organization_id = ? LIMIT ?)`,
}

// invitations removes those whose time was over before the cutoff, whatever
// became of them.
func (p *purge) invitations() error {
	return p.delete("purge invitations", `
		DELETE FROM invitations WHERE id IN (SELECT id FROM invitations WHERE expires_at < ? ORDER BY expires_at LIMIT ?)`, p.cutoff)
}
