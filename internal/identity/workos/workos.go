package workos

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/usefloww/flowwd/internal/identity"
	"github.com/usefloww/flowwd/internal/identity/issuer"
)

// Name is the value of AUTH_TYPE.
const Name = "workos"

// Config describes an environment of WorkOS.
type Config struct {
	// URL is the address of the API.
	URL              string
	ClientID, APIKey string
	// Issuer is how tokens name their issuer; empty for what WorkOS does by
	// itself.
	Issuer string
	Device identity.DeviceLogin
	HTTP   *http.Client
	Now    func() time.Time
}

// Way logs people in at WorkOS.
type Way struct {
	directory
	config   Config
	api      *client
	tokens   *issuer.Verifier
	profiles profiles
}

var (
	_ identity.Browser  = (*Way)(nil)
	_ identity.Profiler = (*Way)(nil)
)

// New returns a Way. It asks WorkOS for nothing yet, so that a server starts
// while WorkOS is down.
func New(c Config) *Way {
	c.URL = strings.TrimRight(c.URL, "/")
	c.Issuer = cmp.Or(c.Issuer, c.URL+"/user_management/"+c.ClientID)
	api := newClient(c)
	w := &Way{config: c, api: api, directory: directory{api: api}}
	w.profiles = profiles{now: c.Now, until: issuer.NewRecent[string, time.Time](maxUnknown)}
	w.tokens = issuer.New(issuer.Config{
		Shapes: []issuer.Shape{
			{Issuer: c.Issuer, Audiences: []string{c.ClientID}, AudienceOptional: true},
			{Issuer: c.URL, Audiences: []string{c.ClientID}},
		},
		Algorithms: []string{"RS256"},
		KeysURL:    func(context.Context) (string, error) { return w.keysURL(), nil },
		HTTP:       c.HTTP, Now: c.Now,
	})
	return w
}

func (w *Way) keysURL() string {
	return w.config.URL + "/sso/jwks/" + url.PathEscape(w.config.ClientID)
}

// Name implements identity.Way.
func (*Way) Name() string { return Name }

// Verify implements identity.Way.
func (w *Way) Verify(ctx context.Context, bearer string) (identity.Identity, error) {
	claims, err := w.tokens.Verify(ctx, bearer)
	if err != nil {
		return identity.Identity{}, err
	}
	return identity.Identity{Provider: Name, Subject: claims.Subject, Profile: claims.Profile, At: claims.IssuedAt}, nil
}

// Client implements identity.Way.
func (w *Way) Client(context.Context) identity.ClientConfig {
	base := w.config.URL + "/user_management"
	c := identity.ClientConfig{
		ClientID: w.config.ClientID, Issuer: w.config.Issuer, KeysURL: w.keysURL(), AuthorizationURL: base + "/authorize",
	}
	if w.config.Device != identity.DeviceOwn {
		c.DeviceURL, c.TokenURL = base+"/authorize/device", base+"/authenticate"
	}
	return c
}
