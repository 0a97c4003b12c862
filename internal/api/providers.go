package api

import (
	"context"
	"crypto/sha256"
	"net/http"
	"strings"

	"github.com/usefloww/flowwd/internal/access"
	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/identity"
	"github.com/usefloww/flowwd/internal/route"
	"github.com/usefloww/flowwd/internal/secret"
	"github.com/usefloww/flowwd/internal/tenant"
)

// providerBody is something that code can name by a type and an alias. Existing
// command lines deploy nothing before all that the code names is listed.
type providerBody struct {
	ID             id.ID    `json:"id"`
	NamespaceID    id.ID    `json:"namespaceId"`
	NamespaceIDOld id.ID    `json:"namespace_id"`
	Type           string   `json:"type"`
	Alias          string   `json:"alias"`
	Config         struct{} `json:"config"`
}

type providerList struct {
	Results []providerBody `json:"results" nullable:"false"`
}

type listProviders struct {
	NamespaceID string `query:"namespaceId" doc:"Only those of this namespace"`
}

func registerProviders(r *route.Router, d Deps) {
	o := providerOperations{d}
	const tag = "Providers"
	route.Operation(r, route.Spec{ // P1
		Method: http.MethodGet, Path: "/api/providers", Policy: access.Requires(access.ReadSecret),
		OperationID: "list-providers", Summary: "List what code can name: what is built in, and secrets", Tag: tag,
	}, route.NoObject(), o.list)
	route.Operation(r, route.Spec{ // P2
		Method: http.MethodGet, Path: "/api/providers/{id}", Policy: access.Self(access.ReadSecret),
		OperationID: "get-provider", Summary: "Show one of them", Tag: tag,
	}, route.NoObject(), o.get)
}

type providerOperations struct{ Deps }

func (o providerOperations) list(ctx context.Context, c route.Call[route.None], in *listProviders) (*providerList, error) {
	all, err := o.all(ctx, c.Principal)
	if err != nil {
		return nil, err
	}
	list := providerList{Results: []providerBody{}}
	for _, p := range all {
		if in.NamespaceID == "" || strings.EqualFold(in.NamespaceID, p.NamespaceID.String()) {
			list.Results = append(list.Results, p)
		}
	}
	return &list, nil
}

func (o providerOperations) get(ctx context.Context, c route.Call[route.None], _ *struct{}) (*providerBody, error) {
	all, err := o.all(ctx, c.Principal)
	if err != nil {
		return nil, err
	}
	for _, p := range all {
		if strings.EqualFold(c.Param("id"), p.ID.String()) {
			return &p, nil
		}
	}
	return nil, fault.New(fault.NotFound, "Provider not found")
}

// all returns what the code of a caller's namespaces can name.
func (o providerOperations) all(ctx context.Context, p identity.Principal) ([]providerBody, error) {
	namespaces, err := o.Tenants.Namespaces(ctx, access.OrganizationsFor(p, access.ReadSecret))
	if err != nil {
		return nil, err
	}
	var all []providerBody
	for _, n := range namespaces {
		secrets, err := o.Secrets.List(ctx, secret.Filter{NamespaceID: n.ID})
		if err != nil {
			return nil, err
		}
		all = append(all, providersOf(n, secrets)...)
	}
	return all, nil
}

// providersOf lists what is built in, and each secret once, however many fields
// are stored on their own.
func providersOf(n tenant.Namespace, secrets []secret.Secret) []providerBody {
	var all []providerBody
	seen := map[string]bool{}
	add := func(kind, alias string) {
		if seen[kind+":"+alias] {
			return
		}
		seen[kind+":"+alias] = true
		all = append(all, providerBody{ID: providerID(n.ID, kind, alias), NamespaceID: n.ID, NamespaceIDOld: n.ID, Type: kind, Alias: alias})
	}
	add("builtin", "default")
	add("kvstore", "default")
	for _, s := range secrets {
		alias, _, _ := strings.Cut(s.Name, ":")
		add(s.Provider, alias)
	}
	return all
}

// providerID names a provider that has no row of its own, for good.
func providerID(namespace id.ID, kind, alias string) id.ID {
	sum := sha256.Sum256([]byte(namespace.String() + "\x00" + kind + "\x00" + alias))
	return id.ID(sum[:16])
}
