package store

import (
	"context"

	"github.com/usefloww/flowwd/internal/audit"
	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/identity"
	"github.com/usefloww/flowwd/internal/tenant"
)

const accountColumns = `a.id, a.organization_id, a.name, a.role, a.created_by_id, a.created_at`

func scanAccount(scan scanner) (identity.Account, error) {
	var a identity.Account
	var role string
	err := scan(&a.ID, &a.OrganizationID, &a.Name, &role, &a.CreatedByID, &a.CreatedAt)
	a.Role = tenant.RoleNamed(role)
	return a, err
}

func accountNotFound() error { return fault.New(fault.NotFound, "Service account not found") }

// accountEntry is the audit entry of what was done to a service account.
func accountEntry(action audit.Action, a identity.Account) audit.Entry {
	return audit.Entry{OrganizationID: a.OrganizationID, Action: action, Target: audit.Target{Type: "service_account", ID: a.ID.String()}}
}

func accountSnapshot(a identity.Account) map[string]any {
	return map[string]any{"name": a.Name, "role": a.Role.String()}
}

// CreateServiceAccount implements identity.AccountStore.
func (s *Store) CreateServiceAccount(ctx context.Context, a identity.Account, limit int) error {
	return s.write(ctx, "create a service account", func(t *tx) error {
		var n int
		if _, err := t.one(`SELECT COUNT(*) FROM service_accounts WHERE organization_id = ?`, args{a.OrganizationID}, &n); err != nil {
			return err
		}
		if limit > 0 && n >= limit {
			return fault.New(fault.Conflict, "the organization has %d service accounts, which is the limit; delete one first", n)
		}
		made, err := t.exec(`
			INSERT INTO service_accounts (id, organization_id, name, role, created_by_id, created_at)
			SELECT ?, o.id, ?, ?, ?, ? FROM organizations o WHERE o.id = ? AND o.deleted_at IS NULL`,
			a.ID, a.Name, a.Role.String(), a.CreatedByID, a.CreatedAt, a.OrganizationID)
		if err == nil && made == 0 {
			err = fault.New(fault.NotFound, "Organization not found")
		}
		if err != nil {
			return err
		}
		e := accountEntry(audit.CreateServiceAccount, a)
		e.After = audit.Snapshot(accountSnapshot(a))
		s.record(ctx, t, e)
		for _, k := range a.Keys {
			if err := checkScope(t, a.OrganizationID, k.Scope); err != nil {
				return err
			}
			if err := s.insertKey(ctx, t, k); err != nil {
				return err
			}
		}
		return nil
	})
}

// ServiceAccount implements identity.AccountStore.
func (s *Store) ServiceAccount(ctx context.Context, organizations []id.ID, account id.ID) (identity.Account, error) {
	var a identity.Account
	list, values := in(organizations, account)
	err := s.read(ctx, "read a service account", func(v *view) (err error) {
		a, err = readAccount(v, ` WHERE a.id = ? AND a.organization_id IN `+list, values)
		return err
	})
	return a, err
}

// readAccount reads an account with its keys.
func readAccount(v *view, where string, values args) (a identity.Account, err error) {
	found := false
	err = v.each(`SELECT `+accountColumns+` FROM service_accounts a`+where, values, func(scan scanner) (err error) {
		a, err = scanAccount(scan)
		found = true
		return err
	})
	if err == nil && !found {
		err = accountNotFound()
	}
	if err != nil {
		return identity.Account{}, err
	}
	all := []identity.Account{a}
	err = readAccountKeys(v, all)
	return all[0], err
}

// readAccountKeys fills in the keys of accounts.
func readAccountKeys(v *view, accounts []identity.Account) error {
	ids := make([]id.ID, len(accounts))
	at := make(map[id.ID]int, len(accounts))
	for i, a := range accounts {
		ids[i], at[a.ID] = a.ID, i
	}
	list, values := in(ids)
	return v.each(`SELECT `+keyColumns+` FROM api_keys WHERE service_account_id IN `+list+` ORDER BY id DESC`, values, func(scan scanner) error {
		k, err := scanKey(scan)
		if err == nil {
			a := &accounts[at[k.ServiceAccountID]]
			a.Keys = append(a.Keys, k)
		}
		return err
	})
}

// ServiceAccounts implements identity.AccountStore.
func (s *Store) ServiceAccounts(ctx context.Context, organization id.ID, limit, offset int) (identity.AccountPage, error) {
	var page identity.AccountPage
	err := s.read(ctx, "list service accounts", func(v *view) error {
		if _, err := v.one(`SELECT COUNT(*) FROM service_accounts WHERE organization_id = ?`, args{organization}, &page.Total); err != nil {
			return err
		}
		err := v.each(`SELECT `+accountColumns+` FROM service_accounts a WHERE a.organization_id = ? ORDER BY a.id LIMIT ? OFFSET ?`,
			args{organization, limit, offset}, func(scan scanner) error {
				a, err := scanAccount(scan)
				page.Accounts = append(page.Accounts, a)
				return err
			})
		if err != nil {
			return err
		}
		return readAccountKeys(v, page.Accounts)
	})
	return page, err
}

// ChangeServiceAccount implements identity.AccountStore.
func (s *Store) ChangeServiceAccount(ctx context.Context, account id.ID, c identity.AccountChange) (identity.Account, error) {
	var a identity.Account
	err := s.write(ctx, "change a service account", func(t *tx) error {
		before, err := lockAccount(t, account)
		if err != nil {
			return err
		}
		a = before
		if c.Name != nil {
			a.Name = *c.Name
		}
		if c.Role != nil {
			a.Role = *c.Role
		}
		if a.Name == before.Name && a.Role == before.Role {
			return nil
		}
		if _, err := t.exec(`UPDATE service_accounts SET name = ?, role = ? WHERE id = ?`, a.Name, a.Role.String(), account); err != nil {
			return err
		}
		t.notices.principals[account] = true
		e := accountEntry(audit.ChangeServiceAccount, a)
		e.Before, e.After = audit.Snapshot(accountSnapshot(before)), audit.Snapshot(accountSnapshot(a))
		s.record(ctx, t, e)
		return nil
	})
	return a, err
}

// lockAccount reads an account that the unit goes on to change.
func lockAccount(t *tx, account id.ID) (identity.Account, error) {
	return readAccount(&t.view, ` WHERE a.id = ?`+t.conn.dialect.lock("a"), args{account})
}

// DeleteServiceAccount implements identity.AccountStore.
func (s *Store) DeleteServiceAccount(ctx context.Context, account id.ID) error {
	return s.write(ctx, "delete a service account", func(t *tx) error {
		a, err := lockAccount(t, account)
		if err != nil {
			return err
		}
		for _, statement := range []string{
			`DELETE FROM api_keys WHERE service_account_id = ?`,
			grantsOfAccount,
			`DELETE FROM service_accounts WHERE id = ?`,
		} {
			if _, err := t.exec(statement, account); err != nil {
				return err
			}
		}
		t.notices.principals[account] = true
		keys := make([]string, len(a.Keys))
		for i, k := range a.Keys {
			keys[i] = k.ID.String()
		}
		before := accountSnapshot(a)
		before["apiKeys"] = keys
		e := accountEntry(audit.DeleteServiceAccount, a)
		e.Before = audit.Snapshot(before)
		s.record(ctx, t, e)
		return nil
	})
}
