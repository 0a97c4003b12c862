package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"time"

	"github.com/usefloww/flowwd/internal/api"
	"github.com/usefloww/flowwd/internal/config"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/identity"
	"github.com/usefloww/flowwd/internal/registry"
	"github.com/usefloww/flowwd/internal/registry/local"
	"github.com/usefloww/flowwd/internal/registry/upstream"
	"github.com/usefloww/flowwd/internal/runtimes"
	"github.com/usefloww/flowwd/internal/secret"
	"github.com/usefloww/flowwd/internal/token"
)

// addImages makes the registry of container images, and what makes runtimes of
// them.
func (s *Server) addImages(users *identity.Service) (api.Images, *runtimes.Service, error) {
	now := s.config.Now
	kept, err := s.imageStorage()
	if err != nil {
		return api.Images{}, nil, err
	}
	images := registry.New(registry.Config{Storage: kept, Limit: int64(s.config.Settings.RegistryLimit), Remedy: s.imageRemedy(), Log: s.log})
	s.images = images
	made := runtimes.New(runtimes.Config{Store: s.store, Images: images, Reference: s.imageName, IDs: s.ids, Now: now, Log: s.log})
	if s.containers != nil {
		made.Prepare = s.containers.Prepare
	}
	s.parts.add(part{name: "the image registry", share: 1, start: s.askUpstream, stop: images.Stop})
	return api.Images{Registry: images, Tokens: s.registryTokens(), Authenticate: users.Authenticate}, made, nil
}

// imageStorage is where images are kept: the data folder, or the registry of the
// settings.
func (s *Server) imageStorage() (registry.Storage, error) {
	settings, now := s.config.Settings, s.config.Now
	if settings.RegistryURL == "" {
		return local.Open(local.Config{
			Folder: config.DataDir(settings.DataDir).Images(), Secret: s.derived(secret.RegistryUploads), Now: now,
		})
	}
	made, err := openUpstream(settings, s.config.Version, now, s.log)
	if err != nil {
		return nil, err
	}
	made.Sealer = s.keyring.For(secret.RegistryUpstream)
	s.upstream = made
	return made, nil
}

// openUpstream makes what asks the registry of the settings, without the keys
// that uploads need.
func openUpstream(settings config.Settings, version string, now func() time.Time, log *slog.Logger) (*upstream.Storage, error) {
	address, err := url.Parse(settings.RegistryURL)
	if err != nil {
		return nil, fmt.Errorf("REGISTRY_URL: %w", err)
	}
	return upstream.New(upstream.Config{
		URL: &url.URL{Scheme: address.Scheme, Host: address.Host}, Name: settings.RegistryName,
		User: settings.RegistryUser, Password: settings.RegistryPassword, Agent: "flowwd/" + version, Now: now, Log: log,
	}), nil
}

// checkUpstream returns what is wrong with the registry of the settings.
func checkUpstream(ctx context.Context, settings config.Settings) []error {
	if settings.RegistryURL == "" {
		return nil
	}
	asked, err := openUpstream(settings, "doctor", time.Now, slog.New(slog.DiscardHandler))
	if err == nil {
		ctx, cancel := context.WithTimeout(ctx, upstreamTime)
		defer cancel()
		err = errors.Join(asked.Healthy(ctx), asked.Close())
	}
	if err != nil {
		return []error{fmt.Errorf("container images can be neither pushed nor pulled: %w", err)}
	}
	return nil
}

// imageRemedy is what to do about images that take too much.
func (s *Server) imageRemedy() string {
	if s.config.Settings.RegistryURL != "" {
		return "whoever runs this server can remove some from the registry behind it"
	}
	return "remove runtimes that are not needed"
}

// upstreamTime bounds the question of a start.
const upstreamTime = 5 * time.Second

// askUpstream says at the start what is wrong with the registry behind this one.
// The server is of use without it.
func (s *Server) askUpstream(ctx context.Context) error {
	if s.upstream == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, upstreamTime)
	defer cancel()
	if err := s.upstream.Healthy(ctx); err != nil {
		s.log.ErrorContext(ctx, "images can be neither pushed nor pulled", "registry", s.upstream.URL.Host, "error", err)
	}
	return nil
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

// imageUsage is how much an organization keeps in the registry; known is false when
// it can't be counted now.
func (s *Server) imageUsage(ctx context.Context, organization id.ID) (bytes int64, known bool) {
	bytes, err := s.images.Storage.Usage(ctx, organization)
	if err != nil {
		s.log.ErrorContext(ctx, "the images of an organization can't be counted", "organization", organization.String(), "error", err)
	}
	return bytes, err == nil
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
