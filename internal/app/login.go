package app

import (
	"github.com/usefloww/flowwd/internal/config"
	"github.com/usefloww/flowwd/internal/identity"
	"github.com/usefloww/flowwd/internal/identity/issuer"
	"github.com/usefloww/flowwd/internal/identity/none"
	"github.com/usefloww/flowwd/internal/identity/oidc"
	"github.com/usefloww/flowwd/internal/identity/password"
	"github.com/usefloww/flowwd/internal/identity/workos"
)

// way returns how people log in. No way asks its provider for anything before
// somebody does.
func (s *Server) way() identity.Way {
	if s.config.Way != nil {
		return s.config.Way
	}
	settings := s.config.Settings
	client, secret := settings.OAuthClient()
	switch settings.AuthType {
	case config.AuthWorkOS:
		return workos.New(workos.Config{
			URL: settings.WorkOSURL, ClientID: client, APIKey: secret, Issuer: settings.IssuerURL,
			Device: identity.DeviceLogin(settings.Device), HTTP: issuer.NewClient(), Now: s.config.Now,
		})
	case config.AuthOIDC:
		return oidc.New(oidc.Config{
			IssuerURL: settings.IssuerURL, ClientID: client, ClientSecret: secret, Audience: settings.Audience,
			Device: identity.DeviceLogin(settings.Device), HTTP: issuer.NewClient(), Now: s.config.Now,
		})
	case config.AuthNone:
		return &none.Way{PublicURL: s.URL}
	}
	return password.Way{}
}
