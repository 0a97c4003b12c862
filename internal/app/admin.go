package app

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/usefloww/flowwd/internal/config"
	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/identity"
	"github.com/usefloww/flowwd/internal/store"
	"github.com/usefloww/flowwd/internal/tenant"
)

// Admin manages the API keys of an installation, beside a server or without one.
// A running server sees the changes at once.
type Admin struct {
	store    *store.Store
	tenants  *tenant.Service
	identity *identity.Service
}

// OpenAdmin opens the database of a data folder, which must exist unless create
// is set, or the one that takes its place.
func OpenAdmin(ctx context.Context, data config.Data, create bool, log *slog.Logger) (*Admin, error) {
	dir := config.DataDir(data.DataDir)
	prepare := dir.Check
	if create {
		prepare = dir.Make
	}
	if !data.Shared() {
		if err := prepare(); err != nil {
			return nil, err
		}
	}
	s, err := store.Open(ctx, storeConfig(data, time.Now, log))
	if err != nil {
		return nil, err
	}
	ids := id.NewSource(time.Now)
	return &Admin{
		store:    s,
		tenants:  &tenant.Service{Store: s, IDs: ids, Now: time.Now},
		identity: &identity.Service{Keys: s, IDs: ids, Now: time.Now},
	}, nil
}

// Close closes the database.
func (a *Admin) Close() error { return a.store.Close() }

// CreateKey makes an API key for the default organization and returns its
// text, which is not kept.
func (a *Admin) CreateKey(ctx context.Context, name string) (string, error) {
	namespace, err := a.tenants.EnsureDefault(asOperator(ctx))
	if err != nil {
		return "", err
	}
	if namespace.Organization.DeletedAt != nil {
		return "", fault.New(fault.Conflict, "the default organization %s was deleted; its owners can restore it, and when its grace time is over the next start makes another", namespace.Organization.Name)
	}
	text, _, err := a.identity.CreateKey(asOperator(ctx), namespace.OrganizationID, name)
	return text, err
}

// Keys returns all API keys, newest first.
func (a *Admin) Keys(ctx context.Context) ([]identity.APIKey, error) {
	keys, err := a.identity.ListKeys(ctx)
	if err != nil {
		return nil, fmt.Errorf("list the API keys: %w", err)
	}
	return keys, nil
}

// RevokeKeys revokes the keys with this id, name or text and returns them.
func (a *Admin) RevokeKeys(ctx context.Context, ref string) ([]identity.APIKey, error) {
	return a.identity.RevokeKeys(asOperator(ctx), ref)
}
