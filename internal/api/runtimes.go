package api

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/usefloww/flowwd/internal/access"
	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/identity"
	"github.com/usefloww/flowwd/internal/registry"
	"github.com/usefloww/flowwd/internal/route"
	"github.com/usefloww/flowwd/internal/runtimes"
)

const runtimesPath = "/api/runtimes"

func registerRuntimes(r *route.Router, d Deps) {
	o := runtimeOperations{d}
	const tag = "Runtimes"
	route.Operation(r, route.Spec{ // R1
		Method: http.MethodPost, Path: runtimesPath + "/push_token", Aliases: []string{runtimesPath + "/push-token"}, Policy: access.Requires(access.WriteRuntime),
		OperationID: "create-push-token", Summary: "Make a password for pushing one image", Tag: tag,
		Description: "The password opens this server's image registry for this organization and this image alone, for an hour. " +
			"409 says that the image is there already and needs no push.",
	}, route.NoObject(), d.pushToken)
	route.Operation(r, route.Spec{ // R2
		Method: http.MethodPost, Path: runtimesPath, Policy: access.Requires(access.WriteRuntime),
		OperationID: "create-runtime", Summary: "Make a runtime of an image that was pushed", Tag: tag,
		Description: "Answers at once; the runtime is ready when it is completed. One that failed or was removed is begun anew. " +
			"409 names one that there is already.",
	}, route.NoObject(), o.create)
	route.Operation(r, route.Spec{ // R4
		Method: http.MethodGet, Path: runtimesPath, Policy: access.Requires(access.ReadRuntime),
		OperationID: "list-runtimes", Summary: "List your runtimes, the newest first", Tag: tag,
	}, route.NoObject(), o.list)
	route.Operation(r, route.Spec{ // R3
		Method: http.MethodGet, Path: runtimesPath + "/{id}", Policy: access.Requires(access.ReadRuntime),
		OperationID: "get-runtime", Summary: "Show a runtime with what happened while it was made", Tag: tag,
	}, d.runtime(), func(_ context.Context, c route.Call[runtimes.Runtime], _ *struct{}) (*runtimeBody, error) {
		body := showRuntime(c.Object)
		return &body, nil
	})
	route.Operation(r, route.Spec{
		Method: http.MethodDelete, Path: runtimesPath + "/{id}", Policy: access.Requires(access.WriteRuntime),
		OperationID: "remove-runtime", Summary: "Remove a runtime that no deployment needs", Tag: tag,
	}, d.runtime(), func(ctx context.Context, c route.Call[runtimes.Runtime], _ *struct{}) (*done, error) {
		if err := d.Runtimes.Remove(ctx, c.Object.ID); err != nil {
			return nil, err
		}
		return &done{Message: "Runtime removed", Success: true}, nil
	})
}

func (d Deps) runtime() route.Object[runtimes.Runtime] {
	return route.Object[runtimes.Runtime]{
		What: "Runtime", Param: "id", Load: d.Runtimes.Get,
		Resource: func(r runtimes.Runtime) access.Resource { return access.Resource{OrganizationID: r.OrganizationID} },
	}
}

type runtimeOperations struct{ Deps }

func (o runtimeOperations) create(ctx context.Context, c route.Call[route.None], in *createRuntime) (*runtimeBody, error) {
	hash := cmp.Or(in.Body.Config.ImageHash, in.Body.Config.ImageHashOld)
	if !registry.IsTag(hash) {
		return nil, invalid("body.config.imageHash", "must be the tag of an image that was pushed")
	}
	organization, err := o.organizationFor(c.Principal, in.Body.OrganizationID, access.WriteRuntime)
	if err != nil {
		return nil, err
	}
	r, made, err := o.Runtimes.Create(ctx, organization, c.Principal.ID, hash)
	if err != nil {
		return nil, err
	}
	if !made {
		f := fault.New(fault.Conflict, "Runtime already exists")
		f.Detail = map[string]any{"message": f.Message, "runtime_id": r.ID}
		return nil, f
	}
	body := showRuntime(r)
	// As clients expect it of this answer alone: they wait for the small letters.
	body.CreationStatus, body.CreationStatusOld = strings.ToUpper(body.CreationStatus), strings.ToUpper(body.CreationStatusOld)
	return &body, nil
}

func (o runtimeOperations) list(ctx context.Context, c route.Call[route.None], in *listRuntimes) (*runtimeList, error) {
	f := runtimes.Filter{
		Organizations: access.OrganizationsFor(c.Principal, access.ReadRuntime), Status: runtimes.Status(strings.ToLower(in.Status)),
		Limit: in.Limit, Offset: in.Offset,
	}
	found, total, err := o.Runtimes.List(ctx, f)
	if err != nil {
		return nil, err
	}
	list := runtimeList{Results: make([]runtimeBody, len(found)), Total: total}
	for i, r := range found {
		list.Results[i] = showRuntime(r)
		list.Results[i].CreationStatus = strings.ToUpper(list.Results[i].CreationStatus)
		list.Results[i].CreationLogs, list.Results[i].CreationLogsOld = nil, nil
	}
	return &list, nil
}

func (d Deps) pushToken(ctx context.Context, c route.Call[route.None], in *pushRequest) (*pushBody, error) {
	hash := in.Body.ImageHash
	if !registry.IsTag(hash) {
		return nil, invalid("body.imageHash", "must be the tag of an image: up to 128 letters, digits, dots, dashes and underscores")
	}
	organization, err := d.organizationFor(c.Principal, in.Body.OrganizationID, access.WriteRuntime)
	if err != nil {
		return nil, err
	}
	_, err = d.Images.Registry.Digest(ctx, organization, hash)
	if err == nil {
		return nil, fault.New(fault.Conflict, "Image already exists in registry")
	}
	if !fault.Is(err, fault.NotFound) {
		return nil, err
	}
	text, _, err := d.Images.Tokens.Issue(registry.Grant{Organization: organization, Push: true, Only: hash}, registry.PushLife)
	if err != nil {
		return nil, err
	}
	public, err := url.Parse(d.PublicURL())
	if err != nil {
		return nil, err
	}
	address := public.Host + "/" + registry.Repository(organization)
	return &pushBody{
		Password: text, ExpiresIn: int(registry.PushLife.Seconds()), RegistryURL: address, RegistryURLNew: address,
		ImageTag: hash, ImageTagNew: hash, Username: "token",
	}, nil
}

// organizationFor returns the organization that a request names, or the only one
// where the principal may do action.
func (d Deps) organizationFor(p identity.Principal, named optional[string], action access.Action) (id.ID, error) {
	if named.Value != nil {
		organization, err := id.Parse(*named.Value)
		if err != nil {
			return id.ID{}, fault.New(fault.NotFound, "Organization not found")
		}
		return organization, access.Allow(p, action, access.Resource{OrganizationID: organization, What: "Organization"})
	}
	all := access.OrganizationsFor(p, action)
	if len(all) != 1 {
		return id.ID{}, invalid("body.organizationId", "is needed, for you are in several organizations; an API key belongs to one")
	}
	return all[0], nil
}
