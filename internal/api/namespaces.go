package api

import (
	"context"
	"net/http"

	"github.com/usefloww/flowwd/internal/access"
	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/identity"
	"github.com/usefloww/flowwd/internal/route"
	"github.com/usefloww/flowwd/internal/tenant"
)

type namespaceBody struct {
	ID           id.ID          `json:"id"`
	Name         string         `json:"name" doc:"The name of its organization"`
	Organization namespaceOwner `json:"organization"`
	CreatedAt    timestamp      `json:"createdAt"`
	CreatedAtOld timestamp      `json:"created_at"`
}

type namespaceOwner struct {
	ID             id.ID  `json:"id"`
	Name           string `json:"name"`
	DisplayName    string `json:"displayName"`
	DisplayNameOld string `json:"display_name"`
}

type namespaceList struct {
	Results []namespaceBody `json:"results" nullable:"false"`
	Total   int             `json:"total"`
}

func showNamespace(n tenant.Namespace) namespaceBody {
	return namespaceBody{
		ID: n.ID, Name: n.Organization.Name, CreatedAt: timestamp(n.CreatedAt), CreatedAtOld: timestamp(n.CreatedAt),
		Organization: namespaceOwner{
			ID: n.OrganizationID, Name: n.Organization.Name,
			DisplayName: n.Organization.DisplayName, DisplayNameOld: n.Organization.DisplayName,
		},
	}
}

func registerNamespaces(r *route.Router, d Deps) {
	// C6
	route.Operation(r, route.Spec{
		Method: http.MethodGet, Path: "/api/namespaces", Policy: access.Requires(access.ReadNamespace),
		OperationID: "list-namespaces", Summary: "List your namespaces", Tag: "Namespaces",
	}, route.NoObject(), func(ctx context.Context, c route.Call[route.None], _ *struct{}) (*namespaceList, error) {
		all, err := d.Tenants.Namespaces(ctx, access.OrganizationsFor(c.Principal, access.ReadNamespace))
		if err != nil {
			return nil, err
		}
		list := namespaceList{Results: make([]namespaceBody, len(all)), Total: len(all)}
		for i, n := range all {
			list.Results[i] = showNamespace(n)
		}
		return &list, nil
	})
	route.Operation(r, route.Spec{
		Method: http.MethodGet, Path: "/api/namespaces/{id}", Policy: access.Requires(access.ReadNamespace),
		OperationID: "get-namespace", Summary: "Show a namespace", Tag: "Namespaces",
	}, d.namespace(), func(_ context.Context, c route.Call[tenant.Namespace], _ *struct{}) (*namespaceBody, error) {
		body := showNamespace(c.Object)
		return &body, nil
	})
}

// findNamespace returns the namespace that a query names, where the principal may
// do action.
func (d Deps) findNamespace(ctx context.Context, p identity.Principal, text string, action access.Action) (tenant.Namespace, error) {
	named, err := id.Parse(text)
	if err != nil {
		return tenant.Namespace{}, fault.New(fault.NotFound, "Namespace not found")
	}
	n, err := d.Tenants.Namespace(ctx, p.Organizations(), named)
	if err != nil {
		return n, err
	}
	return n, access.Allow(p, action, access.Resource{OrganizationID: n.OrganizationID, What: "Namespace"})
}
