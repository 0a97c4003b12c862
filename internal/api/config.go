package api

import (
	"context"
	"net/http"

	"github.com/usefloww/flowwd/internal/access"
	"github.com/usefloww/flowwd/internal/route"
)

// configBody is what clients ask for before they log in: 2.1 of
// identity-realtime-admin.md. Its casing differs from part to part, as theirs
// does.
type configBody struct {
	Auth                 configAuth     `json:"auth"`
	WebsocketURL         string         `json:"websocket_url"`
	IsCloud              bool           `json:"is_cloud"`
	StripePublishableKey *string        `json:"stripe_publishable_key"`
	Features             configFeatures `json:"features"`
	Limits               configLimits   `json:"limits"`
	Version              string         `json:"version"`
}

type configAuth struct {
	Provider              string `json:"provider"`
	ClientID              string `json:"client_id"`
	DeviceURL             string `json:"device_authorization_endpoint" doc:"Where a command line begins to log in (RFC 8628); empty when it can't"`
	TokenURL              string `json:"token_endpoint" doc:"Takes device codes and refresh tokens"`
	AuthorizationEndpoint string `json:"authorization_endpoint"`
	Issuer                string `json:"issuer"`
	KeysURL               string `json:"jwks_uri"`
	Audience              string `json:"audience,omitempty"`
}

type configFeatures struct {
	Billing            bool `json:"billing"`
	SingleOrganization bool `json:"singleOrg"`
	Images             bool `json:"images" doc:"Whether code can run in images that are pushed"`
}

type configLimits struct {
	Workflows  *int `json:"maxWorkflows" doc:"null: there is no such limit"`
	Executions *int `json:"maxExecutionsPerMonth" doc:"null: there is no such limit"`
}

func registerConfig(r *route.Router, d Deps) {
	route.Operation(r, route.Spec{ // C1
		Method: http.MethodGet, Path: "/api/config", Policy: access.Public(access.ReadConfig), Quiet: true,
		OperationID: "get-config", Summary: "Show what a client needs to know before it logs in", Tag: "Identity",
	}, route.NoObject(), func(ctx context.Context, _ route.Call[route.None], _ *struct{}) (*configBody, error) {
		return &configBody{
			Auth: d.configAuth(ctx), WebsocketURL: d.WebsocketURL(), Version: d.Version,
			Features: configFeatures{SingleOrganization: d.SingleOrganization, Images: d.RunsImages},
		}, nil
	})
}

func (d Deps) configAuth(ctx context.Context) configAuth {
	c, own := d.Login.Client(ctx)
	if own {
		c.DeviceURL, c.TokenURL = d.PublicURL()+deviceAuthorizePath, d.PublicURL()+deviceTokenPath
	}
	return configAuth{
		Provider: d.Login.Provider(), ClientID: c.ClientID, DeviceURL: c.DeviceURL, TokenURL: c.TokenURL,
		AuthorizationEndpoint: c.AuthorizationURL, Issuer: c.Issuer, KeysURL: c.KeysURL, Audience: c.Audience,
	}
}
