package api

import (
	"context"
	"net/http"

	"github.com/usefloww/flowwd/internal/access"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/route"
	"github.com/usefloww/flowwd/internal/tenant"
)

type namespaceBody struct {
	ID           id.ID            `json:"id"`
	Organization organizationBody `json:"organization"`
	CreatedAt    timestamp        `json:"createdAt"`
}

type organizationBody struct {
	ID          id.ID  `json:"id"`
	DisplayName string `json:"displayName"`
}

type namespaceList struct {
	Results []namespaceBody `json:"results" nullable:"false"`
	Total   int             `json:"total"`
}

func showNamespace(n tenant.Namespace) namespaceBody {
	return namespaceBody{
		ID:           n.ID,
		Organization: organizationBody{ID: n.OrganizationID, DisplayName: n.Organization.DisplayName},
		CreatedAt:    timestamp(n.CreatedAt),
	}
}

func registerNamespaces(r *route.Router, d Deps) {
	// C6
	route.Operation(r, route.Spec{
		Method: http.MethodGet, Path: "/api/namespaces", Policy: access.Requires(access.ReadNamespace),
		OperationID: "list-namespaces", Summary: "List your namespaces", Tag: "Namespaces",
	}, route.NoObject(), func(ctx context.Context, c route.Call[route.None], _ *struct{}) (*namespaceList, error) {
		all, err := d.Tenants.Namespaces(ctx, organizationsFor(c.Principal, access.ReadNamespace))
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
