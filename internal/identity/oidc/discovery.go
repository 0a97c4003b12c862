package oidc

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"golang.org/x/oauth2"

	"github.com/usefloww/flowwd/internal/identity/issuer"
)

const discoveryLifetime = time.Hour

// metadata is what a provider says of itself (OpenID Connect Discovery, 3).
type metadata struct {
	Issuer           string   `json:"issuer"`
	AuthorizationURL string   `json:"authorization_endpoint"`
	TokenURL         string   `json:"token_endpoint"`
	KeysURL          string   `json:"jwks_uri"`
	UserInfoURL      string   `json:"userinfo_endpoint"`
	DeviceURL        string   `json:"device_authorization_endpoint"`
	EndURL           string   `json:"end_session_endpoint"`
	RevocationURL    string   `json:"revocation_endpoint"`
	Scopes           []string `json:"scopes_supported"`
	Grants           []string `json:"grant_types_supported"`
	TokenAuth        []string `json:"token_endpoint_auth_methods_supported"`
	// NamesItself says that answers of the authorization endpoint name the issuer
	// (RFC 9207).
	NamesItself bool `json:"authorization_response_iss_parameter_supported"`
}

// discover reads the provider's description, and refuses one that is another
// provider's: its keys would open this server to that one's users.
func (w *Way) discover(ctx context.Context) (metadata, error) {
	var m metadata
	address := w.config.IssuerURL + "/.well-known/openid-configuration"
	if err := issuer.GetJSON(ctx, w.config.HTTP, address, "", &m); err != nil {
		return metadata{}, err
	}
	if strings.TrimRight(m.Issuer, "/") != w.config.IssuerURL {
		return metadata{}, fmt.Errorf("%s says that its issuer is %q: AUTH_ISSUER_URL must be that", address, m.Issuer)
	}
	for _, endpoint := range []struct {
		address  string
		required bool
	}{{m.AuthorizationURL, true}, {m.TokenURL, true}, {m.KeysURL, true}, {m.UserInfoURL, false}, {m.DeviceURL, false}, {m.EndURL, false}, {m.RevocationURL, false}} {
		if endpoint.address == "" && !endpoint.required {
			continue
		}
		if err := issuer.CheckEndpoint(w.config.IssuerURL, endpoint.address); err != nil {
			return metadata{}, fmt.Errorf("%s names an endpoint that can't be used: %w", address, err)
		}
	}
	return m, nil
}

// oauth returns the client for the provider's endpoints.
func (w *Way) oauth(m metadata, callback string) *oauth2.Config {
	scopes := []string{"openid", "profile", "email"}
	if slices.Contains(m.Scopes, "offline_access") {
		scopes = append(scopes, "offline_access")
	}
	return &oauth2.Config{
		ClientID: w.config.ClientID, ClientSecret: w.config.ClientSecret, RedirectURL: callback, Scopes: scopes,
		Endpoint: oauth2.Endpoint{AuthURL: m.AuthorizationURL, TokenURL: m.TokenURL, AuthStyle: w.authStyle(m)},
	}
}

// authStyle returns how the provider is shown the client's secret.
func (*Way) authStyle(m metadata) oauth2.AuthStyle {
	if slices.Contains(m.TokenAuth, "client_secret_post") {
		return oauth2.AuthStyleInParams
	}
	return oauth2.AuthStyleInHeader
}

// with returns a context in which package oauth2 uses the way's client.
func (w *Way) with(ctx context.Context) context.Context {
	return context.WithValue(ctx, oauth2.HTTPClient, w.config.HTTP)
}
