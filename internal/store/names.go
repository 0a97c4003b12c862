package store

import (
	"context"

	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/identity"
)

// Names implements access.Store.
func (s *Store) Names(ctx context.Context, organization id.ID, of []id.ID) (map[id.ID]string, error) {
	names := make(map[id.ID]string, len(of))
	err := s.read(ctx, "read the names of principals", func(v *view) error {
		clear(names)
		users, values := in(of)
		err := v.each(`SELECT u.id, `+userLabelColumns+` FROM users u WHERE u.id IN `+users, values, func(scan scanner) error {
			var u identity.User
			err := scan(append([]any{&u.ID}, userLabelTargets(&u)...)...)
			names[u.ID] = u.Label()
			return err
		})
		if err != nil {
			return err
		}
		accounts, values := in(of, organization)
		return v.each(`SELECT a.id, a.name FROM service_accounts a WHERE a.organization_id = ? AND a.id IN `+accounts, values, func(scan scanner) error {
			var account id.ID
			var name string
			err := scan(&account, &name)
			names[account] = name
			return err
		})
	})
	return names, err
}
