package app

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/usefloww/flowwd/internal/access"
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
	c := storeConfig(data, time.Now, log)
	c.Readers = 1 // one thing is done after the other
	s, err := store.Open(ctx, c)
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

// KeyOptions are what an API key is asked to be.
type KeyOptions struct {
	Name string
	// Role is the one of the key's service account; empty for admin.
	Role string
	// Scope are words of access.ScopeWords, and Workflow the id of the only
	// workflow; empty for all.
	Scope    []string
	Workflow string
	// Lifetime is 0 for a key that does not end.
	Lifetime time.Duration
}

func (o KeyOptions) request(now time.Time) (role tenant.Role, r identity.KeyRequest, err error) {
	role, r.Name = tenant.RoleAdmin, o.Name
	if o.Role != "" {
		role = tenant.RoleNamed(o.Role)
	}
	var workflow id.ID
	if o.Workflow != "" {
		if workflow, err = id.Parse(o.Workflow); err != nil {
			return role, r, fault.New(fault.Invalid, "%.40q is no id of a workflow", o.Workflow)
		}
	}
	if o.Lifetime != 0 {
		ends := now.Add(o.Lifetime)
		r.ExpiresAt = &ends
	}
	r.Scope, err = access.ParseScope(o.Scope, access.Link{Type: tenant.WorkflowResource, ID: workflow})
	return role, r, err
}

// CreateKey makes an API key for the default organization and returns its
// text, which is not kept.
func (a *Admin) CreateKey(ctx context.Context, o KeyOptions) (string, error) {
	role, request, err := o.request(time.Now())
	if err != nil {
		return "", err
	}
	namespace, err := a.tenants.EnsureDefault(asOperator(ctx))
	if err != nil {
		return "", err
	}
	if namespace.Organization.DeletedAt != nil {
		return "", fault.New(fault.Conflict, "the default organization %s was deleted; its owners can restore it, and when its grace time is over the next start makes another", namespace.Organization.Name)
	}
	text, _, err := a.identity.CreateKey(asOperator(ctx), namespace.OrganizationID, role, request)
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
