package store

import (
	"context"
	"crypto/sha256"
	"time"

	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/identity"
	"github.com/usefloww/flowwd/internal/tenant"
	"github.com/usefloww/flowwd/internal/workflow"
)

// useInterval is how often the use of an API key is noted at most.
const useInterval = time.Minute

// CreateAPIKey implements identity.KeyStore.
func (s *Store) CreateAPIKey(ctx context.Context, key identity.APIKey) error {
	return s.write(ctx, "create an API key", func(t *tx) error {
		_, err := t.exec(`INSERT INTO service_accounts (id, organization_id, name, role, created_at) VALUES (?, ?, ?, ?, ?)`,
			key.ServiceAccountID, key.OrganizationID, key.Name, tenant.RoleAdmin.String(), key.CreatedAt)
		if t.foreign(err) {
			return fault.Because(err, fault.NotFound, "Organization not found")
		}
		if err != nil {
			return err
		}
		_, err = t.exec(`
			INSERT INTO api_keys (id, service_account_id, organization_id, name, prefix, hash, created_at)
			VALUES (?, ?, ?, ?, ?, ?, ?)`,
			key.ID, key.ServiceAccountID, key.OrganizationID, key.Name, key.Prefix, workflow.Hash(key.Hash), key.CreatedAt)
		if t.unique(err) {
			return fault.Because(err, fault.Conflict, "this API key exists already")
		}
		return err
	})
}

const keyColumns = `id, service_account_id, organization_id, name, prefix, hash, created_at, last_used_at, revoked_at`

func scanKey(scan scanner) (identity.APIKey, error) {
	var k identity.APIKey
	err := scan(&k.ID, &k.ServiceAccountID, &k.OrganizationID, &k.Name, &k.Prefix, (*workflow.Hash)(&k.Hash),
		&k.CreatedAt, &k.LastUsedAt, &k.RevokedAt)
	return k, err
}

// APIKeys implements identity.KeyStore.
func (s *Store) APIKeys(ctx context.Context, limit int) ([]identity.APIKey, error) {
	var found []identity.APIKey
	err := s.read(ctx, "list API keys", func(v *view) error {
		return v.each(`SELECT `+keyColumns+` FROM api_keys ORDER BY created_at DESC, id DESC LIMIT ?`,
			args{limit}, func(scan scanner) error {
				k, err := scanKey(scan)
				found = append(found, k)
				return err
			})
	})
	return found, err
}

// RevokeAPIKeys implements identity.KeyStore.
func (s *Store) RevokeAPIKeys(ctx context.Context, match identity.KeyMatch, at time.Time) ([]identity.APIKey, error) {
	var revoked []identity.APIKey
	var hash []byte // NULL, which equals nothing, unless asked for
	if match.Hash != [sha256.Size]byte{} {
		hash = match.Hash[:]
	}
	var name *string
	if match.Name != "" {
		name = &match.Name
	}
	err := s.write(ctx, "revoke API keys", func(t *tx) error {
		revoked = nil
		if err := t.save(); err != nil {
			return err
		}
		return t.each(`
			UPDATE api_keys SET revoked_at = ?
			WHERE revoked_at IS NULL AND (id = ? OR name = ? OR hash = ?)
			RETURNING `+keyColumns, args{at, match.ID, name, hash}, func(scan scanner) error {
			k, err := scanKey(scan)
			revoked = append(revoked, k)
			return err
		})
	})
	return revoked, err
}

// PrincipalByKeyHash implements identity.KeyStore.
func (s *Store) PrincipalByKeyHash(ctx context.Context, hash [sha256.Size]byte, now time.Time) (identity.Principal, error) {
	var (
		p     = identity.Principal{Kind: identity.ServiceAccount}
		m     tenant.Membership
		role  string
		used  *time.Time
		found bool
	)
	err := s.read(ctx, "look up an API key", func(v *view) (err error) {
		found, err = v.one(`
			SELECT a.id, a.name, a.created_at, a.organization_id, a.role, k.last_used_at
			FROM api_keys k JOIN service_accounts a ON a.id = k.service_account_id
			JOIN organizations o ON o.id = a.organization_id
			WHERE k.hash = ? AND k.revoked_at IS NULL AND o.deleted_at IS NULL`,
			args{workflow.Hash(hash)}, &p.ID, &p.Name, &p.CreatedAt, &m.OrganizationID, &role, &used)
		return err
	})
	if err != nil {
		return identity.Principal{}, err
	}
	if !found {
		return identity.Principal{}, fault.New(fault.NotFound, "API key not found")
	}
	m.Role = tenant.RoleNamed(role)
	p.Memberships = []tenant.Membership{m}
	if used == nil || !used.After(now.Add(-useInterval)) {
		s.noteUse(ctx, "note the use of an API key",
			`UPDATE api_keys SET last_used_at = ? WHERE hash = ? AND (last_used_at IS NULL OR last_used_at <= ?)`,
			now, workflow.Hash(hash), now.Add(-useInterval))
	}
	return p, nil
}

// noteUse stores when a credential was used. It stays valid when that fails, for
// the note only serves people who look for what is unused, so the failure is
// logged and the caller goes on.
func (s *Store) noteUse(ctx context.Context, what, statement string, values ...any) {
	if s.cfg.ReadOnly {
		return
	}
	err := s.write(ctx, what, func(t *tx) error {
		_, err := t.exec(statement, values...)
		return err
	})
	if err != nil {
		s.cfg.Log.Warn("the use of a credential was not noted", "error", err)
	}
}
