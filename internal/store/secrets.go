package store

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"github.com/usefloww/flowwd/internal/audit"
	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/secret"
)

const secretColumns = `s.id, s.organization_id, s.namespace_id, s.provider, s.name, s.sealed, s.created_by_id, s.created_at, s.updated_at`

func scanSecret(scan scanner) (secret.Secret, error) {
	var x secret.Secret
	err := scan(&x.ID, &x.OrganizationID, &x.NamespaceID, &x.Provider, &x.Name, &x.Sealed, &x.CreatedByID, &x.CreatedAt, &x.UpdatedAt)
	return x, err
}

func secretNotFound() error { return fault.New(fault.NotFound, "Secret not found") }

func secretTaken(cause error, provider, name string) error {
	return fault.Because(cause, fault.Conflict, "A secret %q of the provider %q already exists in this namespace", name, provider)
}

// CreateSecret implements secret.Store.
func (s *Store) CreateSecret(ctx context.Context, x secret.Secret) error {
	return s.write(ctx, "create a secret", func(t *tx) error {
		n := 0
		if _, err := t.one(`SELECT COUNT(*) FROM secrets WHERE namespace_id = ?`, args{x.NamespaceID}, &n); err != nil {
			return err
		}
		if n >= secret.MaxSecrets {
			return fault.New(fault.Conflict, "The namespace has %d secrets, which is the limit", n)
		}
		made, err := t.exec(`
			INSERT INTO secrets (id, organization_id, namespace_id, provider, name, sealed, created_by_id, created_at, updated_at)
			SELECT ?, n.organization_id, n.id, ?, ?, ?, ?, ?, ? FROM namespaces n WHERE n.id = ? AND n.organization_id = ?`,
			x.ID, x.Provider, x.Name, x.Sealed, x.CreatedByID, x.CreatedAt, x.UpdatedAt, x.NamespaceID, x.OrganizationID)
		if t.unique(err) {
			return secretTaken(err, x.Provider, x.Name)
		}
		if err == nil && made == 0 {
			err = fault.New(fault.NotFound, "Namespace not found")
		}
		if err != nil {
			return err
		}
		s.recordSecret(ctx, t, audit.CreateSecret, nil, &x)
		return nil
	})
}

// recordSecret notes what became of a secret; nil stands for none. Values are
// in no form a part of it.
func (s *Store) recordSecret(ctx context.Context, t *tx, action audit.Action, before, after *secret.Secret) {
	e := audit.Entry{Action: action}
	for _, side := range []struct {
		secret *secret.Secret
		into   *json.RawMessage
	}{{before, &e.Before}, {after, &e.After}} {
		if x := side.secret; x != nil {
			e.OrganizationID, e.Target = x.OrganizationID, audit.Target{Type: "secret", ID: x.ID.String()}
			*side.into = audit.Snapshot(map[string]any{"provider": x.Provider, "name": x.Name, "updatedAt": x.UpdatedAt.UTC().Format(time.RFC3339Nano)})
		}
	}
	s.record(ctx, t, e)
}

// Secret implements secret.Store.
func (s *Store) Secret(ctx context.Context, organizations []id.ID, wanted id.ID) (secret.Secret, error) {
	var x secret.Secret
	found := false
	list, values := in(organizations, wanted)
	err := s.read(ctx, "read a secret", func(v *view) error {
		return v.each(`SELECT `+secretColumns+` FROM secrets s WHERE s.id = ? AND s.organization_id IN `+list, values, func(scan scanner) (err error) {
			found = true
			x, err = scanSecret(scan)
			return err
		})
	})
	if err == nil && !found {
		err = secretNotFound()
	}
	return x, err
}

// Secrets implements secret.Store.
func (s *Store) Secrets(ctx context.Context, f secret.Filter) ([]secret.Secret, error) {
	where, values := ` WHERE s.namespace_id = ?`, args{f.NamespaceID}
	if f.Provider != "" {
		where += ` AND s.provider = ?`
		values = append(values, f.Provider)
	}
	if f.Name != "" {
		where += ` AND s.name = ?`
		values = append(values, f.Name)
	}
	return s.secrets(ctx, ` FROM secrets s`+where+` ORDER BY s.provider, s.name LIMIT ?`, append(values, secret.MaxSecrets))
}

// SecretsFor implements secret.Store. The names of fields are in the order of
// bytes between "alias:" and "alias;".
func (s *Store) SecretsFor(ctx context.Context, workflow id.ID, r secret.Ref) ([]secret.Secret, error) {
	return s.secrets(ctx, `
		FROM workflows w JOIN secrets s ON s.namespace_id = w.namespace_id
		WHERE w.id = ? AND s.provider = ? AND (s.name = ? OR s.name > ? AND s.name < ?) ORDER BY s.name LIMIT ?`,
		args{workflow, r.Provider, r.Alias, r.Alias + ":", r.Alias + ";", secret.MaxSecrets})
}

func (s *Store) secrets(ctx context.Context, from string, values args) ([]secret.Secret, error) {
	var found []secret.Secret
	err := s.read(ctx, "list secrets", func(v *view) error {
		return v.each(`SELECT `+secretColumns+from, values, func(scan scanner) error {
			x, err := scanSecret(scan)
			found = append(found, x)
			return err
		})
	})
	return found, err
}

// FindSecrets implements secret.Store.
func (s *Store) FindSecrets(ctx context.Context, organizations []id.ID, contains string, limit int) ([]secret.Secret, error) {
	pattern := "%" + escapeLike(strings.ToLower(contains)) + "%"
	list, values := in(organizations)
	return s.secrets(ctx, `
		FROM secrets s WHERE s.organization_id IN `+list+` AND (LOWER(s.name) LIKE ? ESCAPE '\' OR LOWER(s.provider) LIKE ? ESCAPE '\')
		ORDER BY s.provider, s.name, s.id LIMIT ?`, append(values, pattern, pattern, limit))
}

// lockedSecret reads a secret for the unit to change.
func lockedSecret(t *tx, wanted id.ID) (x secret.Secret, err error) {
	found := false
	err = t.each(`SELECT `+secretColumns+` FROM secrets s WHERE s.id = ?`+t.conn.dialect.lock("s"), args{wanted}, func(scan scanner) (err error) {
		found = true
		x, err = scanSecret(scan)
		return err
	})
	if err == nil && !found {
		err = secretNotFound()
	}
	return x, err
}

// ChangeSecret implements secret.Store.
func (s *Store) ChangeSecret(ctx context.Context, changed id.ID, c secret.Change) (secret.Secret, error) {
	var after secret.Secret
	err := s.write(ctx, "change a secret", func(t *tx) error {
		before, err := lockedSecret(t, changed)
		if err != nil {
			return err
		}
		after = before
		after.UpdatedAt = c.At
		if c.Provider != nil {
			after.Provider = *c.Provider
		}
		if c.Sealed != nil {
			after.Sealed = c.Sealed
		}
		_, err = t.exec(`UPDATE secrets SET provider = ?, sealed = ?, updated_at = ? WHERE id = ?`, after.Provider, after.Sealed, after.UpdatedAt, changed)
		if t.unique(err) {
			return secretTaken(err, after.Provider, after.Name)
		}
		if err == nil {
			s.recordSecret(ctx, t, audit.ChangeSecret, &before, &after)
		}
		return err
	})
	return after, err
}

// DeleteSecret implements secret.Store.
func (s *Store) DeleteSecret(ctx context.Context, deleted id.ID) error {
	return s.write(ctx, "delete a secret", func(t *tx) error {
		before, err := lockedSecret(t, deleted)
		if err != nil {
			return err
		}
		if _, err := t.exec(`DELETE FROM secrets WHERE id = ?`, deleted); err != nil {
			return err
		}
		s.recordSecret(ctx, t, audit.DeleteSecret, &before, nil)
		return nil
	})
}
