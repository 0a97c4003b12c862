package store

import (
	"context"
	"slices"

	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/secret"
	"github.com/usefloww/flowwd/internal/workflow"
)

// storeUses notes what the code of a workflow's active deployment names. The unit
// has changed which one that is, so that no other does so too.
func storeUses(t *tx, of id.ID) error {
	if _, err := t.exec(`DELETE FROM provider_uses WHERE workflow_id = ?`, of); err != nil {
		return err
	}
	var namespace id.ID
	var text string
	found, err := t.one(`SELECT w.namespace_id, d.providers FROM workflows w JOIN deployments d ON d.id = w.active_deployment_id WHERE w.id = ?`,
		args{of}, &namespace, &text)
	if err != nil || !found {
		return err
	}
	named, err := decodeProviders(text)
	if err != nil {
		return err
	}
	slices.SortFunc(named, workflow.ProviderRef.Compare)
	for _, ref := range slices.Compact(named) {
		if max(len(ref.Type), len(ref.Alias)) > secret.MaxName || clean(ref.Type+ref.Alias) != ref.Type+ref.Alias {
			continue // no secret has such a name
		}
		_, err := t.exec(`INSERT INTO provider_uses (namespace_id, provider, alias, workflow_id) VALUES (?, ?, ?, ?)`, namespace, ref.Type, ref.Alias, of)
		if err != nil {
			return err
		}
	}
	return nil
}

// SecretUses implements secret.Store.
func (s *Store) SecretUses(ctx context.Context, namespace id.ID, limit, shown int) ([]secret.Use, error) {
	var found []secret.Use
	err := s.read(ctx, "list uses of secrets", func(v *view) error {
		found = nil
		err := v.each(`
			SELECT provider, alias, COUNT(*) FROM provider_uses WHERE namespace_id = ? GROUP BY provider, alias ORDER BY provider, alias LIMIT ?`,
			args{namespace, limit}, func(scan scanner) error {
				var u secret.Use
				err := scan(&u.Ref.Provider, &u.Ref.Alias, &u.Count)
				found = append(found, u)
				return err
			})
		for i := 0; i < len(found) && err == nil; i++ {
			found[i].Workflows, err = usersOf(v, namespace, found[i].Ref, shown)
		}
		return err
	})
	return found, err
}

// usersOf returns workflows that name something, those first that were made first:
// that is the order of the index.
func usersOf(v *view, namespace id.ID, ref secret.Ref, limit int) (found []secret.User, err error) {
	err = v.each(`
		SELECT w.id, w.name FROM provider_uses u JOIN workflows w ON w.id = u.workflow_id
		WHERE u.namespace_id = ? AND u.provider = ? AND u.alias = ? ORDER BY u.workflow_id LIMIT ?`,
		args{namespace, ref.Provider, ref.Alias, limit}, func(scan scanner) error {
			var w secret.User
			err := scan(&w.WorkflowID, &w.Name)
			found = append(found, w)
			return err
		})
	return found, err
}
