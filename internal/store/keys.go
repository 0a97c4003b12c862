package store

import (
	"context"
	"crypto/sha256"
	"strings"
	"time"

	"github.com/usefloww/flowwd/internal/access"
	"github.com/usefloww/flowwd/internal/audit"
	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/identity"
	"github.com/usefloww/flowwd/internal/tenant"
	"github.com/usefloww/flowwd/internal/workflow"
)

// useInterval is how often the use of an API key is noted at most.
const useInterval = time.Minute

const keyColumns = `id, service_account_id, organization_id, name, prefix, hash, created_by_id, created_at, last_used_at, expires_at,
	revoked_at, replaced_by_id, scope_actions, scope_type, scope_id`

// scanKey reads keyColumns and what follows them.
func scanKey(scan scanner, more ...any) (identity.APIKey, error) {
	var k identity.APIKey
	var c scopeColumns
	err := scan(append([]any{&k.ID, &k.ServiceAccountID, &k.OrganizationID, &k.Name, &k.Prefix, (*workflow.Hash)(&k.Hash), &k.CreatedByID,
		&k.CreatedAt, &k.LastUsedAt, &k.ExpiresAt, &k.RevokedAt, &k.ReplacedByID, &c.words, &c.kind, &c.id}, more...)...)
	k.Scope = c.scope()
	return k, err
}

// scopeColumns are the columns of a scope, all NULL for none.
type scopeColumns struct {
	words, kind string
	id          id.ID
}

func (c scopeColumns) scope() *identity.Scope {
	if c == (scopeColumns{}) {
		return nil
	}
	return &identity.Scope{Actions: strings.Fields(c.words), Type: tenant.ResourceType(c.kind), ID: c.id}
}

func keyNotFound() error { return fault.New(fault.NotFound, "API key not found") }

// keyEntry is the audit entry of what was done to a key.
func keyEntry(action audit.Action, k identity.APIKey) audit.Entry {
	return audit.Entry{OrganizationID: k.OrganizationID, Action: action, Target: audit.Target{Type: "api_key", ID: k.ID.String()}}
}

// keySnapshot is what the audit log says of a key.
func keySnapshot(k identity.APIKey) map[string]any {
	fields := map[string]any{"name": k.Name, "prefix": k.Prefix, "serviceAccountId": k.ServiceAccountID.String()}
	if k.ExpiresAt != nil {
		fields["expiresAt"] = k.ExpiresAt.UTC().Format(time.RFC3339)
	}
	if k.RevokedAt != nil {
		fields["revokedAt"] = k.RevokedAt.UTC().Format(time.RFC3339)
	}
	if k.Scope != nil {
		fields["scope"] = k.Scope.Actions
		if !k.Scope.ID.IsZero() {
			fields[string(k.Scope.Type)+"Id"] = k.Scope.ID.String()
		}
	}
	return fields
}

// insertKey stores a new key.
func (s *Store) insertKey(ctx context.Context, t *tx, k identity.APIKey) error {
	if err := insertKeyRow(t, k); err != nil {
		return err
	}
	e := keyEntry(audit.CreateKey, k)
	e.After = audit.Snapshot(keySnapshot(k))
	s.record(ctx, t, e)
	return nil
}

func insertKeyRow(t *tx, k identity.APIKey) error {
	var c scopeColumns
	if k.Scope != nil {
		c = scopeColumns{strings.Join(k.Scope.Actions, " "), string(k.Scope.Type), k.Scope.ID}
	}
	_, err := t.exec(`
		INSERT INTO api_keys (id, service_account_id, organization_id, name, prefix, hash, created_by_id, created_at, expires_at,
			scope_actions, scope_type, scope_id)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		k.ID, k.ServiceAccountID, k.OrganizationID, k.Name, k.Prefix, workflow.Hash(k.Hash), k.CreatedByID, k.CreatedAt, k.ExpiresAt,
		optionalText(c.words), optionalText(c.kind), c.id)
	if t.unique(err) {
		return fault.Because(err, fault.Conflict, "this API key exists already")
	}
	return err
}

// checkScope refuses a scope that names no workflow or folder of an organization.
// What is deleted later leaves keys that open nothing.
func checkScope(t *tx, organization id.ID, scope *identity.Scope) error {
	if scope == nil || scope.ID.IsZero() {
		return nil
	}
	return holdResource(t, organization, access.Link{Type: scope.Type, ID: scope.ID})
}

// AddKey implements identity.KeyStore.
func (s *Store) AddKey(ctx context.Context, key identity.APIKey, limit int) error {
	return s.write(ctx, "add an API key", func(t *tx) error {
		a, err := lockAccount(t, key.ServiceAccountID)
		if err != nil {
			return err
		}
		if err := makeRoom(t, a.Keys, limit, key.CreatedAt); err != nil {
			return err
		}
		if err := checkScope(t, a.OrganizationID, key.Scope); err != nil {
			return err
		}
		return s.insertKey(ctx, t, key)
	})
}

// makeRoom removes the key that ended first when there are limit keys.
func makeRoom(t *tx, keys []identity.APIKey, limit int, now time.Time) error {
	if len(keys) < limit {
		return nil
	}
	var first *identity.APIKey
	for i, k := range keys {
		if !k.Works(now) && (first == nil || k.EndedAt().Before(*first.EndedAt())) {
			first = &keys[i]
		}
	}
	if first == nil {
		return fault.New(fault.Conflict, "the service account has %d API keys that work, which is the limit; revoke one first", len(keys))
	}
	_, err := t.exec(`DELETE FROM api_keys WHERE id = ?`, first.ID)
	return err
}

// lockKey reads a key that the unit goes on to change, and all keys of its
// account.
func lockKey(t *tx, account, key id.ID) (identity.APIKey, []identity.APIKey, error) {
	a, err := lockAccount(t, account)
	if err != nil {
		return identity.APIKey{}, nil, err
	}
	for _, k := range a.Keys {
		if k.ID == key {
			return k, a.Keys, nil
		}
	}
	return identity.APIKey{}, nil, keyNotFound()
}

// RotateKey implements identity.KeyStore.
func (s *Store) RotateKey(ctx context.Context, r identity.Rotation) (old, next identity.APIKey, err error) {
	err = s.write(ctx, "rotate an API key", func(t *tx) error {
		before, keys, err := lockKey(t, r.AccountID, r.KeyID)
		if err != nil {
			return err
		}
		if old, next, err = r.Follow(before); err != nil {
			return err
		}
		if err := makeRoom(t, keys, identity.MaxAccountKeys, next.CreatedAt); err != nil {
			return err
		}
		if err := insertKeyRow(t, next); err != nil {
			return err
		}
		if _, err := t.exec(`UPDATE api_keys SET expires_at = ?, replaced_by_id = ? WHERE id = ?`, old.ExpiresAt, next.ID, old.ID); err != nil {
			return err
		}
		if !old.Works(next.CreatedAt) {
			t.notices.principals[old.ServiceAccountID] = true
		}
		after := keySnapshot(old)
		after["replacedBy"] = keySnapshot(next)
		after["replacedById"] = next.ID.String()
		e := keyEntry(audit.RotateKey, old)
		e.Before, e.After = audit.Snapshot(keySnapshot(before)), audit.Snapshot(after)
		s.record(ctx, t, e)
		return nil
	})
	return old, next, err
}

// RevokeKey implements identity.KeyStore.
func (s *Store) RevokeKey(ctx context.Context, account, key id.ID, at time.Time) (identity.APIKey, error) {
	var k identity.APIKey
	err := s.write(ctx, "revoke an API key", func(t *tx) (err error) {
		if k, _, err = lockKey(t, account, key); err != nil {
			return err
		}
		if k.RevokedAt != nil {
			return identity.ErrRevoked()
		}
		before := k
		k.RevokedAt = &at
		if _, err := t.exec(`UPDATE api_keys SET revoked_at = ? WHERE id = ?`, at, key); err != nil {
			return err
		}
		s.recordRevocation(ctx, t, before, k)
		return nil
	})
	return k, err
}

func (s *Store) recordRevocation(ctx context.Context, t *tx, before, after identity.APIKey) {
	t.notices.principals[after.ServiceAccountID] = true
	e := keyEntry(audit.RevokeKey, after)
	e.Before, e.After = audit.Snapshot(keySnapshot(before)), audit.Snapshot(keySnapshot(after))
	s.record(ctx, t, e)
}

// APIKeys implements identity.KeyStore.
func (s *Store) APIKeys(ctx context.Context, limit int) ([]identity.APIKey, error) {
	var found []identity.APIKey
	err := s.read(ctx, "list API keys", func(v *view) error {
		return v.each(`
			SELECT `+keyColumns+`, (SELECT a.role FROM service_accounts a WHERE a.id = service_account_id)
			FROM api_keys ORDER BY created_at DESC, id DESC LIMIT ?`,
			args{limit}, func(scan scanner) error {
				var role string
				k, err := scanKey(scan, &role)
				k.Role = tenant.RoleNamed(role)
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
		err := t.each(`
			UPDATE api_keys SET revoked_at = ?
			WHERE revoked_at IS NULL AND (id = ? OR name = ? OR hash = ?)
			RETURNING `+keyColumns, args{at, match.ID, name, hash}, func(scan scanner) error {
			k, err := scanKey(scan)
			revoked = append(revoked, k)
			return err
		})
		for _, k := range revoked {
			before := k
			before.RevokedAt = nil
			s.recordRevocation(ctx, t, before, k)
		}
		return err
	})
	return revoked, err
}

// PrincipalByKeyHash implements identity.KeyStore. Nothing is kept in memory
// between two requests: what is revoked, changed or deleted through any server
// is so for the next request to each of them.
func (s *Store) PrincipalByKeyHash(ctx context.Context, hash [sha256.Size]byte, now time.Time) (identity.Principal, error) {
	var (
		p             identity.Principal
		used, expires *time.Time
		c             scopeColumns
		found         bool
	)
	err := s.glance(ctx, "look up an API key", func(v *view) (err error) {
		p, found, err = readAccountPrincipal(v, `api_keys k JOIN service_accounts a ON a.id = k.service_account_id`, `k.hash = ? AND k.revoked_at IS NULL`,
			args{workflow.Hash(hash)}, &used, &expires, &c.words, &c.kind, &c.id)
		return err
	})
	switch {
	case err != nil:
		return identity.Principal{}, err
	case !found:
		return identity.Principal{}, keyNotFound()
	case expires != nil && !now.Before(*expires):
		return identity.Principal{}, fault.New(fault.Unauthenticated, "This API key has expired")
	}
	p.Scope = c.scope()
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
