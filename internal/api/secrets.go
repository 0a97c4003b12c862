package api

import (
	"context"
	"net/http"

	"github.com/usefloww/flowwd/internal/access"
	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/objects"
	"github.com/usefloww/flowwd/internal/route"
	"github.com/usefloww/flowwd/internal/secret"
)

// Secrets keeps values that only code gets.
type Secrets interface {
	Create(ctx context.Context, s secret.Secret, value string) (secret.Secret, error)
	Put(ctx context.Context, s secret.Secret, value string) (stored secret.Secret, updated bool, err error)
	Change(ctx context.Context, old secret.Secret, provider, value *string) (secret.Secret, error)
	Get(ctx context.Context, organizations []id.ID, secret id.ID) (secret.Secret, error)
	List(ctx context.Context, f secret.Filter) ([]secret.Secret, error)
	Masked(s secret.Secret) string
	Delete(ctx context.Context, secret id.ID) error
}

const secretsPath = "/api/secrets"

func registerSecrets(r *route.Router, d Deps) {
	o := secretOperations{d}
	const tag = "Secrets"
	reads, writes := access.Requires(access.ReadSecret), access.Requires(access.WriteSecret)
	route.Operation(r, route.Spec{ // S6
		Method: http.MethodGet, Path: secretsPath, Policy: reads,
		OperationID: "list-secrets", Summary: "List the secrets of a namespace, without their values", Tag: tag,
	}, route.NoObject(), o.list)
	route.Operation(r, route.Spec{ // S2
		Method: http.MethodGet, Path: secretsPath + "/namespace/{id}", Policy: access.Self(access.ReadSecret),
		OperationID: "list-namespace-secrets", Summary: "List the secrets of a namespace as a bare array, which is empty for namespaces of others", Tag: tag,
	}, route.NoObject(), o.listNamespace)
	route.Operation(r, route.Spec{ // S8, and with a slash at the end S1
		Method: http.MethodPost, Path: secretsPath, Policy: writes, Status: http.StatusCreated,
		OperationID: "put-secret", Summary: "Store a secret, in place of the one of its provider and name", Tag: tag,
		Description: "With a slash at the end of the address an existing secret is not replaced, but answered with 409.",
	}, route.NoObject(), o.put)
	route.Operation(r, route.Spec{ // S3, S7
		Method: http.MethodGet, Path: secretsPath + "/{id}", Policy: reads,
		OperationID: "get-secret", Summary: "Show a secret and which fields it has; what is in them is never shown", Tag: tag,
	}, d.secret(), o.get)
	route.Operation(r, route.Spec{ // S4
		Method: http.MethodPatch, Path: secretsPath + "/{id}", Policy: writes,
		OperationID: "change-secret", Summary: "Give a secret another value or provider", Tag: tag,
	}, d.secret(), o.change)
	route.Operation(r, route.Spec{ // S5, S9
		Method: http.MethodDelete, Path: secretsPath + "/{id}", Policy: writes, Status: http.StatusNoContent,
		OperationID: "delete-secret", Summary: "Delete a secret; runs that ask for it fail from then on", Tag: tag,
	}, d.secret(), o.delete)
}

func (d Deps) secret() route.Object[secret.Secret] {
	return objects.Secret(d.Secrets.Get)
}

type secretOperations struct{ Deps }

func (o secretOperations) list(ctx context.Context, c route.Call[route.None], in *listSecrets) (*secretList, error) {
	n, err := o.findNamespace(ctx, c.Principal, in.NamespaceID, access.ReadSecret)
	if err != nil {
		return nil, err
	}
	all, err := o.Secrets.List(ctx, secret.Filter{NamespaceID: n.ID, Provider: in.Provider, Name: in.Name})
	if err != nil {
		return nil, err
	}
	return &secretList{Results: showSecrets(all)}, nil
}

func showSecrets(all []secret.Secret) []secretBody {
	list := make([]secretBody, len(all))
	for i, s := range all {
		list[i] = showSecret(s)
	}
	return list
}

func (o secretOperations) listNamespace(ctx context.Context, c route.Call[route.None], in *namespaceSecrets) (*[]secretBody, error) {
	n, err := o.findNamespace(ctx, c.Principal, c.Param("id"), access.ReadSecret)
	if fault.Is(err, fault.NotFound) {
		return &[]secretBody{}, nil
	}
	if err != nil {
		return nil, err
	}
	all, err := o.Secrets.List(ctx, secret.Filter{NamespaceID: n.ID, Provider: in.Provider, Name: in.Name})
	if err != nil {
		return nil, err
	}
	list := showSecrets(all)
	return &list, nil
}

func (o secretOperations) put(ctx context.Context, c route.Call[route.None], in *createSecret) (*storedSecret, error) {
	n, err := o.findNamespace(ctx, c.Principal, in.Body.NamespaceID, access.WriteSecret)
	if fault.Is(err, fault.NotFound) {
		return nil, invalid("body.namespaceId", "namespace not found")
	}
	if err != nil {
		return nil, err
	}
	wanted := secret.Secret{
		OrganizationID: n.OrganizationID, NamespaceID: n.ID, Name: in.Body.Name, Provider: in.Body.Provider, CreatedByID: c.Principal.ID,
	}
	if wanted.Provider == "" {
		wanted.Provider = secret.CustomProvider
	}
	var stored secret.Secret
	var updated bool
	if c.Slash() {
		stored, err = o.Secrets.Create(ctx, wanted, in.Body.Value)
	} else {
		stored, updated, err = o.Secrets.Put(ctx, wanted, in.Body.Value)
	}
	if err != nil {
		return nil, err
	}
	return &storedSecret{secretBody: showSecret(stored), Updated: updated}, nil
}

func (o secretOperations) get(_ context.Context, c route.Call[secret.Secret], _ *struct{}) (*secretBody, error) {
	body, value := showSecret(c.Object), o.Secrets.Masked(c.Object)
	body.Value = &value
	return &body, nil
}

func (o secretOperations) change(ctx context.Context, c route.Call[secret.Secret], in *changeSecret) (*secretBody, error) {
	if in.Body.Provider == nil && in.Body.Value == nil {
		body := showSecret(c.Object)
		return &body, nil
	}
	changed, err := o.Secrets.Change(ctx, c.Object, in.Body.Provider, in.Body.Value)
	if err != nil {
		return nil, err
	}
	body := showSecret(changed)
	return &body, nil
}

func (o secretOperations) delete(ctx context.Context, c route.Call[secret.Secret], _ *struct{}) (*nothing, error) {
	return &nothing{}, o.Secrets.Delete(ctx, c.Object.ID)
}
