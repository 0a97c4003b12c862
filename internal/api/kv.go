package api

import (
	"context"
	"net/http"

	"github.com/usefloww/flowwd/internal/access"
	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/identity"
	"github.com/usefloww/flowwd/internal/kv"
	"github.com/usefloww/flowwd/internal/route"
)

// KV keeps values of workflows.
type KV interface {
	Tables(ctx context.Context, c kv.Caller, store string) ([]string, error)
	List(ctx context.Context, c kv.Caller, l kv.Listing) (kv.Page, error)
	Get(ctx context.Context, c kv.Caller, t kv.Table, key string) (kv.Item, error)
	Put(ctx context.Context, c kv.Caller, p kv.Put) (kv.Item, error)
	Add(ctx context.Context, c kv.Caller, a kv.Addition) (kv.Item, error)
	Delete(ctx context.Context, c kv.Caller, t kv.Table, key string, ifVersion *int64) error
	Permissions(ctx context.Context, c kv.Caller, t kv.Table) ([]kv.Permission, error)
	Grant(ctx context.Context, c kv.Caller, t kv.Table, p kv.Permission) (kv.Permission, error)
	Revoke(ctx context.Context, c kv.Caller, t kv.Table, workflow id.ID) error
}

const (
	kvPath = "/api/kv/{provider}"
	// kvBody is for the largest value, in any spelling.
	kvBody = 8 << 20
)

func registerKV(r *route.Router, d Deps) {
	o := kvOperations{d}
	reads, writes := access.Self(access.ReadKV), access.Self(access.WriteKV)
	const tag, table, key, permissions = "Key-value store", kvPath + "/{table}", kvPath + "/{table}/{key}", kvPath + "/permissions/{table}"
	route.Operation(r, route.Spec{ // K1
		Method: http.MethodGet, Path: kvPath, Policy: reads,
		OperationID: "list-kv-tables", Summary: "List tables", Tag: tag,
	}, route.NoObject(), o.tables)
	route.Operation(r, route.Spec{ // K2
		Method: http.MethodGet, Path: table, Policy: reads,
		OperationID: "list-kv", Summary: "List the keys of a table, in their order", Tag: tag,
	}, route.NoObject(), o.list)
	route.Operation(r, route.Spec{ // K3
		Method: http.MethodGet, Path: key, Policy: reads,
		OperationID: "get-kv", Summary: "Show a value", Tag: tag,
	}, route.NoObject(), o.get)
	route.Operation(r, route.Spec{ // K4
		Method: http.MethodPut, Path: key, Policy: writes, BodyLimit: kvBody,
		OperationID: "put-kv", Summary: "Store a value", Tag: tag,
	}, route.NoObject(), o.put)
	route.Operation(r, route.Spec{ // K5
		Method: http.MethodDelete, Path: key, Policy: writes,
		OperationID: "delete-kv", Summary: "Delete a key", Tag: tag,
	}, route.NoObject(), o.delete)
	route.Operation(r, route.Spec{
		Method: http.MethodPost, Path: key + "/increment", Policy: writes,
		OperationID: "increment-kv", Summary: "Add to a number; a key without a value counts as 0", Tag: tag,
	}, route.NoObject(), o.add)
	route.Operation(r, route.Spec{ // K6
		Method: http.MethodGet, Path: permissions, Policy: reads,
		OperationID: "list-kv-permissions", Summary: "List which workflows may use a table", Tag: tag,
	}, route.NoObject(), o.permissions)
	route.Operation(r, route.Spec{ // K7
		Method: http.MethodPost, Path: permissions, Policy: writes,
		OperationID: "grant-kv", Summary: "Let a workflow use a table", Tag: tag,
	}, route.NoObject(), o.grant)
	route.Operation(r, route.Spec{ // K8
		Method: http.MethodDelete, Path: permissions + "/{workflowId}", Policy: writes,
		OperationID: "revoke-kv", Summary: "Take a workflow's permission on a table back", Tag: tag,
	}, route.NoObject(), o.revoke)
}

type kvOperations struct{ Deps }

// caller says who asks: a run by itself, people as the owners of a namespace or
// as one of its workflows. A role or a key that reaches no further than one
// workflow makes nobody an owner.
func (o kvOperations) caller(ctx context.Context, p identity.Principal, scope KVScope, action access.Action) (kv.Caller, error) {
	if p.Kind == identity.Run {
		return kv.Caller{Run: kv.Run{ExecutionID: p.Run.ExecutionID, Incarnation: p.Run.Incarnation, Attempt: p.Run.Attempt}}, nil
	}
	if scope.WorkflowID != "" {
		w, err := o.findWorkflow(ctx, p, scope.WorkflowID, action)
		return kv.Caller{OrganizationID: w.OrganizationID, NamespaceID: w.NamespaceID, WorkflowID: w.ID}, err
	}
	if scope.NamespaceID != "" {
		n, err := o.findNamespace(ctx, p, scope.NamespaceID, action)
		return kv.Caller{OrganizationID: n.OrganizationID, NamespaceID: n.ID}, err
	}
	organizations := access.OrganizationsFor(p, action)
	if len(organizations) == 0 {
		return kv.Caller{}, fault.New(fault.Denied, "you are in no organization where your role allows %s to all tables; name a workflow to act as with workflow_id", action)
	}
	all, err := o.Tenants.Namespaces(ctx, organizations)
	if err != nil {
		return kv.Caller{}, err
	}
	if len(all) != 1 {
		return kv.Caller{}, invalid("query.namespaceId", "you have several namespaces; say which one's tables are meant")
	}
	return kv.Caller{OrganizationID: all[0].OrganizationID, NamespaceID: all[0].ID}, nil
}

func kvTable(c route.Call[route.None]) kv.Table {
	return kv.Table{Store: c.Param("provider"), Name: c.Param("table")}
}

func (o kvOperations) tables(ctx context.Context, c route.Call[route.None], in *KVScope) (*kvTables, error) {
	who, err := o.caller(ctx, c.Principal, *in, access.ReadKV)
	if err != nil {
		return nil, err
	}
	names, err := o.KV.Tables(ctx, who, c.Param("provider"))
	if err != nil {
		return nil, err
	}
	return &kvTables{Tables: append([]string{}, names...)}, nil
}

func (o kvOperations) list(ctx context.Context, c route.Call[route.None], in *listKV) (*kvPage, error) {
	who, err := o.caller(ctx, c.Principal, in.KVScope, access.ReadKV)
	if err != nil {
		return nil, err
	}
	page, err := o.KV.List(ctx, who, kv.Listing{Table: kvTable(c), Prefix: in.Prefix, After: in.Cursor, Limit: in.Limit, Values: in.IncludeValues})
	if err != nil {
		return nil, err
	}
	return showKVPage(page, in.IncludeValues), nil
}

func (o kvOperations) get(ctx context.Context, c route.Call[route.None], in *KVScope) (*kvItem, error) {
	who, err := o.caller(ctx, c.Principal, *in, access.ReadKV)
	if err != nil {
		return nil, err
	}
	item, err := o.KV.Get(ctx, who, kvTable(c), c.Param("key"))
	if err != nil {
		return nil, err
	}
	return showKV(item), nil
}

func (o kvOperations) put(ctx context.Context, c route.Call[route.None], in *putKV) (*kvItem, error) {
	who, err := o.caller(ctx, c.Principal, in.KVScope, access.WriteKV)
	if err != nil {
		return nil, err
	}
	item, err := o.KV.Put(ctx, who, kv.Put{Table: kvTable(c), Key: c.Param("key"), Value: in.Body.Value, IfVersion: in.Body.IfVersion})
	if err != nil {
		return nil, err
	}
	return showKV(item), nil
}

func (o kvOperations) add(ctx context.Context, c route.Call[route.None], in *addKV) (*kvItem, error) {
	who, err := o.caller(ctx, c.Principal, in.KVScope, access.WriteKV)
	if err != nil {
		return nil, err
	}
	by := 1.0
	if in.Body != nil && in.Body.By != nil {
		by = *in.Body.By
	}
	item, err := o.KV.Add(ctx, who, kv.Addition{Table: kvTable(c), Key: c.Param("key"), By: by})
	if err != nil {
		return nil, err
	}
	return showKV(item), nil
}

func (o kvOperations) delete(ctx context.Context, c route.Call[route.None], in *deleteKV) (*kvDeleted, error) {
	who, err := o.caller(ctx, c.Principal, in.KVScope, access.WriteKV)
	if err != nil {
		return nil, err
	}
	var version *int64
	if in.IfVersion > 0 {
		version = &in.IfVersion
	}
	t, key := kvTable(c), c.Param("key")
	if err := o.KV.Delete(ctx, who, t, key, version); err != nil {
		return nil, err
	}
	return &kvDeleted{Message: "Key deleted successfully", Key: key, Table: t.Name}, nil
}

func (o kvOperations) permissions(ctx context.Context, c route.Call[route.None], in *KVScope) (*[]kvPermission, error) {
	who, err := o.caller(ctx, c.Principal, *in, access.ReadKV)
	if err != nil {
		return nil, err
	}
	all, err := o.KV.Permissions(ctx, who, kvTable(c))
	if err != nil {
		return nil, err
	}
	list := make([]kvPermission, len(all))
	for i, p := range all {
		list[i] = showKVPermission(p)
	}
	return &list, nil
}

func (o kvOperations) grant(ctx context.Context, c route.Call[route.None], in *grantKV) (*kvPermission, error) {
	who, err := o.caller(ctx, c.Principal, in.KVScope, access.WriteKV)
	if err != nil {
		return nil, err
	}
	workflow, err := kvGrantee(in.Body.WorkflowID)
	if err != nil {
		return nil, err
	}
	p, err := o.KV.Grant(ctx, who, kvTable(c), kv.Permission{
		WorkflowID: workflow, CanRead: in.Body.CanRead == nil || *in.Body.CanRead, CanWrite: in.Body.CanWrite != nil && *in.Body.CanWrite,
	})
	if err != nil {
		return nil, err
	}
	shown := showKVPermission(p)
	return &shown, nil
}

func kvGrantee(text string) (id.ID, error) {
	workflow, err := id.Parse(text)
	if err != nil {
		return id.ID{}, fault.New(fault.NotFound, "Workflow %.60s not found in this namespace", text)
	}
	return workflow, nil
}

func (o kvOperations) revoke(ctx context.Context, c route.Call[route.None], in *KVScope) (*kvRevoked, error) {
	who, err := o.caller(ctx, c.Principal, *in, access.WriteKV)
	if err != nil {
		return nil, err
	}
	workflow, err := kvGrantee(c.Param("workflowId"))
	if err != nil {
		return nil, err
	}
	t := kvTable(c)
	if err := o.KV.Revoke(ctx, who, t, workflow); err != nil {
		return nil, err
	}
	return &kvRevoked{Message: "Permission revoked successfully", Table: t.Name, WorkflowID: workflow}, nil
}
