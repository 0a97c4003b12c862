package api

import (
	"context"
	"net/http"
	"net/url"

	"github.com/usefloww/flowwd/internal/access"
	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/identity"
	"github.com/usefloww/flowwd/internal/registry"
	"github.com/usefloww/flowwd/internal/route"
)

const runtimesPath = "/api/runtimes"

type pushRequest struct {
	Body struct {
		ImageHash      string           `json:"imageHash" doc:"Names the image: what it is pushed as a tag under"`
		OrganizationID optional[string] `json:"organizationId,omitempty" doc:"Whose image it is; needed by those who are in several organizations"`
	}
}

// pushBody answers both generations of clients.
type pushBody struct {
	Password       string `json:"password" doc:"For docker login, with any user name"`
	ExpiresIn      int    `json:"expires_in" doc:"In seconds"`
	RegistryURL    string `json:"registry_url" doc:"Host and repository, what the image is tagged with before the colon"`
	RegistryURLNew string `json:"registryUrl"`
	ImageTag       string `json:"image_tag"`
	ImageTagNew    string `json:"imageTag"`
	Username       string `json:"username"`
}

func registerRuntimes(r *route.Router, d Deps) {
	route.Operation(r, route.Spec{ // R1
		Method: http.MethodPost, Path: runtimesPath + "/push_token", Aliases: []string{runtimesPath + "/push-token"}, Policy: access.Requires(access.WriteRuntime),
		OperationID: "create-push-token", Summary: "Make a password for pushing one image", Tag: "Runtimes",
		Description: "The password opens this server's image registry for this organization and this image alone, for an hour. " +
			"409 says that the image is there already and needs no push.",
	}, route.NoObject(), d.pushToken)
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
