package store

import (
	"context"
	"time"

	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/tenant"
)

// AddMember makes a user a member of an organization.
func (s *Store) AddMember(ctx context.Context, organization, user id.ID, role tenant.Role, at time.Time) error {
	return s.write(ctx, "add a member", func(t *tx) error { return s.join(ctx, t, organization, user, role, at) })
}
