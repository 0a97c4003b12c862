package api

import (
	"context"
	"fmt"
	"net/http"
	"slices"

	"github.com/usefloww/flowwd/internal/access"
	"github.com/usefloww/flowwd/internal/route"
	"github.com/usefloww/flowwd/internal/tenant"
)

func registerDirectory(r *route.Router, d Deps) {
	o := directoryOperations{d}
	const tag = "Organizations"
	route.Operation(r, route.Spec{ // O10
		Method: http.MethodPost, Path: organizationPath + "/sync-users", Policy: access.Requires(access.WriteMember),
		OperationID: "sync-members", Summary: "Make those members whom the provider of identities says are; nobody is removed", Tag: tag,
	}, d.organization(), o.sync)
	route.Operation(r, route.Spec{ // O14
		Method: http.MethodPost, Path: organizationPath + "/sso/setup", Policy: access.Requires(access.WriteOrganization),
		OperationID: "set-up-sso", Summary: "Get a link to where single sign-on is set up at the provider of identities", Tag: tag,
	}, d.organization(), o.portal)
}

type directoryOperations struct{ Deps }

type syncBody struct {
	Message   string `json:"message"`
	Synced    int    `json:"syncedCount" doc:"How many became members"`
	SyncedOld int    `json:"synced_count"`
}

type setUpPortal struct {
	Body struct {
		ReturnURL  string   `json:"returnUrl,omitempty" maxLength:"2000"`
		SuccessURL string   `json:"successUrl,omitempty" maxLength:"2000"`
		Features   []string `json:"features,omitempty" maxItems:"10" doc:"The first one is used: sso or domain_verification"`
	}
}

// portalBody is what existing clients read: they know these spellings alone.
type portalBody struct {
	Link      string   `json:"admin_portal_link" doc:"Empty without a provider that has such a page"`
	Connected bool     `json:"has_workos_org"`
	Features  []string `json:"features_available" nullable:"false"`
}

func (o directoryOperations) sync(ctx context.Context, c route.Call[tenant.Organization], _ *struct{}) (*syncBody, error) {
	n, err := o.Invitations.Sync(ctx, c.Object)
	if err != nil {
		return nil, err
	}
	text := fmt.Sprintf("%d people became members", n)
	if !o.Invitations.HasDirectory() {
		text = "The provider of identities keeps no members; invite people instead"
	}
	return &syncBody{Message: text, Synced: n, SyncedOld: n}, nil
}

func (o directoryOperations) portal(ctx context.Context, c route.Call[tenant.Organization], in *setUpPortal) (*portalBody, error) {
	r := tenant.PortalRequest{Feature: tenant.PortalFeatures()[0], ReturnURL: in.Body.ReturnURL, SuccessURL: in.Body.SuccessURL}
	for _, f := range in.Body.Features {
		if !slices.Contains(tenant.PortalFeatures(), f) {
			return nil, invalid("body.features", "must be sso or domain_verification")
		}
	}
	if len(in.Body.Features) > 0 {
		r.Feature = in.Body.Features[0]
	}
	link, err := o.Invitations.Portal(ctx, c.Object, r)
	if err != nil {
		return nil, err
	}
	body := portalBody{Link: link, Features: []string{}}
	if o.Invitations.HasDirectory() {
		body.Connected, body.Features = true, tenant.PortalFeatures()
	}
	return &body, nil
}
