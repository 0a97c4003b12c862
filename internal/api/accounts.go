package api

import (
	"context"
	"net/http"
	"time"

	"github.com/usefloww/flowwd/internal/access"
	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/identity"
	"github.com/usefloww/flowwd/internal/objects"
	"github.com/usefloww/flowwd/internal/route"
	"github.com/usefloww/flowwd/internal/tenant"
)

const (
	accountsPath  = "/api/service_accounts"
	accountsAlias = "/api/service-accounts"
)

// accountSpec is a route below one service account, in both spellings.
func accountSpec(method, below, belowAlias string) route.Spec {
	return route.Spec{
		Method: method, Path: accountsPath + "/{id}" + below, Aliases: []string{accountsAlias + "/{id}" + belowAlias},
		Policy: access.Requires(access.WriteServiceAccount), Tag: "Service accounts",
	}
}

func registerAccounts(r *route.Router, d Deps) {
	o := accountOperations{d}
	route.Operation(r, route.Spec{ // S1
		Method: http.MethodPost, Path: accountsPath, Aliases: []string{accountsAlias}, Policy: access.Requires(access.WriteServiceAccount),
		OperationID: "create-service-account", Summary: "Create a service account, without keys", Tag: "Service accounts",
	}, route.NoObject(), o.create)
	route.Operation(r, route.Spec{ // S2
		Method: http.MethodGet, Path: accountsPath, Aliases: []string{accountsAlias}, Policy: access.Self(access.ListServiceAccounts),
		OperationID: "list-service-accounts", Summary: "List an organization's service accounts with their keys, oldest first", Tag: "Service accounts",
		Description: "Whoever may not change them sees an empty list.",
	}, route.NoObject(), o.list)
	s := accountSpec(http.MethodGet, "", "") // S3
	s.OperationID, s.Summary = "get-service-account", "Show a service account with its keys, also those that have ended"
	route.Operation(r, s, d.account(), o.get)
	s = accountSpec(http.MethodPatch, "", "") // S4
	s.OperationID, s.Summary = "change-service-account", "Rename a service account or change its role"
	route.Operation(r, s, d.account(), o.change)
	s = accountSpec(http.MethodDelete, "", "") // S5
	s.OperationID, s.Summary = "delete-service-account", "Delete a service account with its keys, which stop working at once"
	route.Operation(r, s, d.account(), o.delete)

	const keys, keysAlias = "/api_keys", "/api-keys"
	s = accountSpec(http.MethodPost, keys, keysAlias) // S6
	s.OperationID, s.Summary = "create-api-key", "Make an API key, whose text is shown this once"
	route.Operation(r, s, d.account(), o.createKey)
	s = accountSpec(http.MethodPost, keys+"/{keyId}/revoke", keysAlias+"/{keyId}/revoke") // S7
	s.OperationID, s.Summary = "revoke-api-key", "Have an API key stop working at once"
	route.Operation(r, s, d.accountWithKey(), o.revokeKey)
	s = accountSpec(http.MethodPost, keys+"/{keyId}/rotate", keysAlias+"/{keyId}/rotate")
	s.OperationID, s.Summary = "rotate-api-key", "Make an API key that follows another one, which works a while longer"
	s.Description = "The new key has the name, the scope and the end of the old one. Its text is shown this once."
	route.Operation(r, s, d.accountWithKey(), o.rotateKey)
}

func (d Deps) account() route.Object[identity.Account] {
	return objects.Account(d.Accounts.Account, "")
}

func (d Deps) accountWithKey() route.Object[identity.Account] {
	return objects.Account(d.Accounts.Account, "keyId")
}

type accountOperations struct{ Deps }

func (o accountOperations) create(ctx context.Context, c route.Call[route.None], in *createAccount) (*accountBody, error) {
	organization, err := id.Parse(in.Body.OrganizationID)
	if err != nil {
		return nil, fault.New(fault.NotFound, "Organization not found")
	}
	err = access.Allow(c.Principal, access.WriteServiceAccount, access.Resource{OrganizationID: organization, What: "Organization"})
	if err != nil {
		return nil, err
	}
	role := tenant.RoleMember
	if in.Body.Role.Value != nil {
		role = tenant.RoleNamed(*in.Body.Role.Value)
	}
	a, err := o.Accounts.CreateAccount(ctx, c.Principal, organization, in.Body.Name, role)
	if err != nil {
		return nil, err
	}
	return showAccount(a), nil
}

func (o accountOperations) list(ctx context.Context, c route.Call[route.None], in *listAccounts) (*accountList, error) {
	list := accountList{Results: []accountBody{}}
	organization, err := id.Parse(in.OrganizationID)
	if err != nil {
		return nil, invalid("query.organizationId", "must be a UUID")
	}
	if !access.Decide(c.Principal, access.WriteServiceAccount, access.Resource{OrganizationID: organization}).Allowed {
		return &list, nil
	}
	page, err := o.Accounts.Accounts(ctx, organization, in.Limit, in.Offset)
	if err != nil {
		return nil, err
	}
	list.Total = page.Total
	for _, a := range page.Accounts {
		list.Results = append(list.Results, *showAccount(a))
	}
	return &list, nil
}

func (o accountOperations) get(_ context.Context, c route.Call[identity.Account], _ *struct{}) (*accountBody, error) {
	return showAccount(c.Object), nil
}

func (o accountOperations) change(ctx context.Context, c route.Call[identity.Account], in *changeAccount) (*accountBody, error) {
	change := identity.AccountChange{Name: in.Body.Name.Value}
	if in.Body.Role.Value != nil {
		role := tenant.RoleNamed(*in.Body.Role.Value)
		change.Role = &role
	}
	a, err := o.Accounts.ChangeAccount(ctx, c.Principal, c.Object, change)
	if err != nil {
		return nil, err
	}
	return showAccount(a), nil
}

func (o accountOperations) delete(ctx context.Context, c route.Call[identity.Account], _ *struct{}) (*deleted, error) {
	if err := o.Accounts.DeleteAccount(ctx, c.Object.ID); err != nil {
		return nil, err
	}
	return &deleted{ID: c.Object.ID, Message: "Service account " + c.Object.ID.String() + " deleted", Success: true}, nil
}

func (o accountOperations) createKey(ctx context.Context, c route.Call[identity.Account], in *createKey) (*keyBody, error) {
	request, err := in.request()
	if err != nil {
		return nil, err
	}
	text, key, err := o.Accounts.AddKey(ctx, c.Principal, c.Object, request)
	if err != nil {
		return nil, scopeFault(err, request.Scope)
	}
	body := showKey(key)
	body.Text, body.TextOld = text, text
	return &body, nil
}

// request reads what the key is asked to be.
func (in *createKey) request() (identity.KeyRequest, error) {
	r := identity.KeyRequest{Name: in.Body.Name, ExpiresAt: in.Body.ExpiresAt.Value}
	var words []string
	if given := in.Body.Scope.Value; given != nil {
		if words = *given; len(words) == 0 {
			return r, invalid("body.scope", "must not be empty; leave it out for a key that may do all that its account may")
		}
	}
	alone, err := in.alone()
	if err != nil {
		return r, err
	}
	scope, err := access.ParseScope(words, alone)
	if err != nil {
		return r, invalid("body.scope", err.Error())
	}
	r.Scope = scope
	return r, nil
}

// alone reads the only resource that the key is for.
func (in *createKey) alone() (access.Link, error) {
	kind, given := tenant.WorkflowResource, in.Body.WorkflowID.Value
	if folder := in.Body.FolderID.Value; folder != nil {
		if given != nil {
			return access.Link{}, invalid("body.folderId", "must not be there beside workflowId: a key is made for one of them alone")
		}
		kind, given = tenant.FolderResource, folder
	}
	if given == nil {
		return access.Link{}, nil
	}
	named, err := id.Parse(*given)
	if err != nil {
		return access.Link{}, errNotAlone(kind)
	}
	return access.Link{Type: kind, ID: named}, nil
}

func errNotAlone(kind tenant.ResourceType) error {
	if kind == tenant.FolderResource {
		f := fault.New(fault.Invalid, "Folder not found")
		f.Fields = []fault.Field{{Location: "body.folderId", Message: "is no folder of the account's organization"}}
		return f
	}
	return errNoWorkflow()
}

// scopeFault says that the workflow or folder of a key's scope is not there: a
// wrong request and no missing page.
func scopeFault(err error, scope *identity.Scope) error {
	if fault.Is(err, fault.NotFound) && scope != nil && !scope.ID.IsZero() {
		return errNotAlone(scope.Type)
	}
	return err
}

func (o accountOperations) revokeKey(ctx context.Context, c route.Call[identity.Account], _ *struct{}) (*keyBody, error) {
	key, err := o.Accounts.RevokeKey(ctx, c.Object.ID, c.Child)
	if err != nil {
		return nil, err
	}
	body := showKey(key)
	return &body, nil
}

func (o accountOperations) rotateKey(ctx context.Context, c route.Call[identity.Account], in *rotateKey) (*keyBody, error) {
	overlap, ends := identity.DefaultOverlap, (*time.Time)(nil)
	if in.Body != nil {
		ends = in.Body.ExpiresAt.Value
		if given := in.Body.OverlapSeconds.Value; given != nil {
			// What is out of bounds stays so when it is multiplied.
			overlap = time.Duration(min(max(*given, -1), int64(identity.MaxOverlap/time.Second)+1)) * time.Second
		}
	}
	text, old, next, err := o.Accounts.Rotate(ctx, c.Principal, c.Object, c.Child, overlap, ends)
	if err != nil {
		return nil, err
	}
	body, previous := showKey(next), showKey(old)
	body.Text, body.TextOld, body.Previous = text, text, &previous
	return &body, nil
}
