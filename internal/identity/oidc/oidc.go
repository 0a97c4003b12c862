package oidc

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/usefloww/flowwd/internal/identity"
	"github.com/usefloww/flowwd/internal/identity/issuer"
)

// Name is the value of AUTH_TYPE.
const Name = "oidc"

// Config describes a provider and this server as its client.
type Config struct {
	// IssuerURL is the provider's address, as its tokens name it but for a slash
	// at the end.
	IssuerURL              string
	ClientID, ClientSecret string
	// Audience is accepted beside the client id, and asked for by command lines;
	// empty for none.
	Audience string
	Device   identity.DeviceLogin
	HTTP     *http.Client
	Now      func() time.Time
}

// Way logs people in at a provider of OpenID Connect.
type Way struct {
	config   Config
	metadata *issuer.Document[metadata]
	tokens   *issuer.Verifier
}

var _ identity.Browser = (*Way)(nil)

// New returns a Way. It asks the provider for nothing yet, so that a server
// starts while the provider is down.
func New(c Config) *Way {
	c.IssuerURL = strings.TrimRight(c.IssuerURL, "/")
	w := &Way{config: c}
	w.metadata = &issuer.Document[metadata]{Fetch: w.discover, Lifetime: discoveryLifetime, Now: c.Now}
	audiences := []string{c.ClientID}
	if c.Audience != "" {
		audiences = append(audiences, c.Audience)
	}
	w.tokens = issuer.New(issuer.Config{
		Shapes: []issuer.Shape{
			{Issuer: c.IssuerURL, Audiences: audiences},
			{Issuer: c.IssuerURL + "/", Audiences: audiences},
		},
		Algorithms: issuer.Algorithms(),
		KeysURL: func(ctx context.Context) (string, error) {
			m, err := w.metadata.Get(ctx)
			return m.KeysURL, err
		},
		HTTP: c.HTTP, Now: c.Now,
	})
	return w
}

// Name implements identity.Way.
func (*Way) Name() string { return Name }

// Verify implements identity.Way.
func (w *Way) Verify(ctx context.Context, bearer string) (identity.Identity, error) {
	claims, err := w.tokens.Verify(ctx, bearer)
	if err != nil {
		return identity.Identity{}, err
	}
	return identityOf(claims), nil
}

func identityOf(c issuer.Claims) identity.Identity {
	return identity.Identity{Provider: Name, Subject: c.Subject, Profile: c.Profile, At: c.IssuedAt}
}

// Client implements identity.Way. What the provider does not answer is left out.
func (w *Way) Client(ctx context.Context) identity.ClientConfig {
	c := identity.ClientConfig{ClientID: w.config.ClientID, Issuer: w.config.IssuerURL, Audience: w.config.Audience}
	m, err := w.metadata.Get(ctx)
	if err != nil {
		return c
	}
	c.Issuer, c.KeysURL, c.AuthorizationURL = m.Issuer, m.KeysURL, m.AuthorizationURL
	if w.config.Device == identity.DeviceProvider || w.config.Device == identity.DeviceAuto && m.letsDevicesIn() {
		c.DeviceURL, c.TokenURL = m.DeviceURL, m.TokenURL
	}
	return c
}

// letsDevicesIn reports whether a command line, which keeps no secret, can log
// in at the provider by itself.
func (m metadata) letsDevicesIn() bool {
	return m.DeviceURL != "" && slices.Contains(m.TokenAuth, "none") &&
		(len(m.Grants) == 0 || slices.Contains(m.Grants, "urn:ietf:params:oauth:grant-type:device_code"))
}
