package app

import (
	"context"

	"github.com/usefloww/flowwd/internal/api"
	"github.com/usefloww/flowwd/internal/config"
	"github.com/usefloww/flowwd/internal/identity"
	"github.com/usefloww/flowwd/internal/registry"
	"github.com/usefloww/flowwd/internal/secret"
	"github.com/usefloww/flowwd/internal/token"
)

// addImages makes the registry of container images.
func (s *Server) addImages(users *identity.Service) (api.Images, error) {
	settings, now := s.config.Settings, s.config.Now
	images, err := registry.New(registry.Config{
		Folder: config.DataDir(settings.DataDir).Images(), Secret: s.derived(secret.RegistryUploads),
		Limit: int64(settings.RegistryLimit), Log: s.log, Now: now,
	})
	if err != nil {
		return api.Images{}, err
	}
	s.parts.add(part{name: "the image registry", share: 1, start: func(context.Context) error { return nil }, stop: images.Stop})
	return api.Images{
		Registry:     images,
		Tokens:       &registry.Tokens{Signer: token.New(registry.TokenIssuer, registry.TokenAudience, s.keyring.Derive(secret.RegistryTokens), now), IDs: s.ids, Now: now},
		Authenticate: users.Authenticate,
	}, nil
}
