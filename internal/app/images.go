package app

import (
	"context"
	"net/url"
	"strings"

	"github.com/usefloww/flowwd/internal/api"
	"github.com/usefloww/flowwd/internal/config"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/identity"
	"github.com/usefloww/flowwd/internal/registry"
	"github.com/usefloww/flowwd/internal/runtimes"
	"github.com/usefloww/flowwd/internal/secret"
	"github.com/usefloww/flowwd/internal/token"
)

// addImages makes the registry of container images, and what makes runtimes of
// them.
func (s *Server) addImages(users *identity.Service) (api.Images, *runtimes.Service, error) {
	settings, now := s.config.Settings, s.config.Now
	images, err := registry.New(registry.Config{
		Folder: config.DataDir(settings.DataDir).Images(), Secret: s.derived(secret.RegistryUploads),
		Limit: int64(settings.RegistryLimit), Log: s.log, Now: now,
	})
	if err != nil {
		return api.Images{}, nil, err
	}
	s.images = images
	made := runtimes.New(runtimes.Config{Store: s.store, Images: images, Reference: s.imageName, IDs: s.ids, Now: now, Log: s.log})
	if s.containers != nil {
		made.Prepare = s.containers.Prepare
	}
	s.parts.add(part{name: "the image registry", share: 1, start: func(context.Context) error { return nil }, stop: images.Stop})
	return api.Images{Registry: images, Tokens: s.registryTokens(), Authenticate: users.Authenticate}, made, nil
}

func (s *Server) registryTokens() *registry.Tokens {
	now := s.config.Now
	return &registry.Tokens{Signer: token.New(registry.TokenIssuer, registry.TokenAudience, s.keyring.Derive(secret.RegistryTokens), now), IDs: s.ids, Now: now}
}

// registryHost is where the container engine reaches this server's registry.
func (s *Server) registryHost() string {
	if host := s.config.Settings.RegistryHost; host != "" {
		return host
	}
	u, err := url.Parse(s.URL())
	if err != nil {
		return "" // the address was made here
	}
	return u.Host
}

// imageName names an image of this server's registry for the container engine.
func (s *Server) imageName(organization id.ID, digest string) string {
	return s.registryHost() + "/" + registry.Repository(organization) + "@" + digest
}

// pullCredentials open an organization's images to the container engine that
// pulls them.
type pullCredentials struct{ s *Server }

// Credentials implements docker.Credentials.
func (c pullCredentials) Credentials(_ context.Context, image string) (user, password string, err error) {
	name, ours := strings.CutPrefix(image, c.s.registryHost()+"/")
	organization, known := registry.OwnerOf(name)
	if !ours || !known {
		return "", "", nil
	}
	password, _, err = c.s.registryTokens().Issue(registry.Grant{Organization: organization, Pull: true}, registry.PullLife)
	return "token", password, err
}
