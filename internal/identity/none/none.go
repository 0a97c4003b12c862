package none

import (
	"context"
	"net"
	"net/netip"
	"net/url"
	"strings"

	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/identity"
)

// Name is the value of AUTH_TYPE.
const Name = "none"

// Way lets everybody in as one person.
type Way struct {
	// PublicURL returns the address that people know the server by, asked for at
	// every request.
	PublicURL func() string
}

var _ identity.Open = (*Way)(nil)

// Name implements identity.Way.
func (*Way) Name() string { return Name }

// Verify implements identity.Way: there is no credential but API keys.
func (*Way) Verify(context.Context, string) (identity.Identity, error) {
	return identity.Identity{}, fault.New(fault.Unauthenticated, "Nobody logs in to this server: leave the credential out, or use an API key, which begins with %s", identity.KeyPrefix)
}

// Client implements identity.Way.
func (*Way) Client(context.Context) identity.ClientConfig { return identity.ClientConfig{} }

// Anyone implements identity.Open.
func (w *Way) Anyone(c identity.Credential) (identity.Identity, error) {
	if !w.ownHost(c.Host) {
		return identity.Identity{}, fault.New(fault.Denied, "This server was asked for under the name %q, which is not its own, so the request is refused; open it as localhost, or set PUBLIC_API_URL to the address you use", c.Host)
	}
	return identity.Identity{Provider: Name, Subject: "anonymous", Profile: identity.Profile{
		Email: "anonymous@floww.local", FirstName: "Anonymous", LastName: "User",
	}}, nil
}

// ownHost reports whether a host can't be another site's: a number names the
// machine itself, and every other name must be known.
func (w *Way) ownHost(asked string) bool {
	host := hostname(asked)
	if _, err := netip.ParseAddr(host); err == nil || strings.EqualFold(host, "localhost") {
		return true
	}
	public, err := url.Parse(w.PublicURL())
	return err == nil && host != "" && strings.EqualFold(host, public.Hostname())
}

func hostname(asked string) string {
	if host, _, err := net.SplitHostPort(asked); err == nil {
		return host
	}
	return strings.TrimSuffix(strings.TrimPrefix(asked, "["), "]")
}
