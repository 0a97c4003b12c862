package upstream

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net/http"
	"net/url"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/registry"
)

// Sealer closes what clients carry from one request of an upload to the next.
type Sealer interface {
	Seal(text []byte) ([]byte, error)
	Open(sealed []byte) ([]byte, error)
}

// Config is what a Storage is made of. All fields but User and Password are
// required.
type Config struct {
	// URL is where the registry is, without a path.
	URL *url.URL
	// Name is what the names of repositories begin with there.
	Name           string
	User, Password string
	Sealer         Sealer
	// Agent is what this server calls itself.
	Agent string
	Now   func() time.Time
	Log   *slog.Logger
}

// Storage keeps images at another registry.
type Storage struct {
	Config
	transport *http.Transport
	times     times
	login     login
	health    health

	counting singleflight.Group
	mu       sync.Mutex
	// counts are what organizations keep, as far as this server knows.
	counts map[id.ID]*count
}

var _ registry.Storage = (*Storage)(nil)

// times are how long the upstream is waited for.
type times struct {
	// patience is how long an answer that is small may take.
	patience time.Duration
	// idle is how long nothing may happen on a body.
	idle time.Duration
	// finishing is how long an upload may take to be answered once it was sent:
	// some registries copy it then.
	finishing time.Duration
}

var usual = times{patience: 30 * time.Second, idle: time.Minute, finishing: 5 * time.Minute}

// headers bounds those of an answer.
const headers = 64 << 10

// New returns a Storage. It asks nothing yet. Close must be called.
func New(c Config) *Storage {
	transport := &http.Transport{
		Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12},
		IdleConnTimeout:     90 * time.Second,
		MaxIdleConnsPerHost: 16, MaxResponseHeaderBytes: headers,
		// Layers are sent as they are, and are what their digests say.
		DisableCompression: true,
	}
	return &Storage{
		Config: c, transport: transport, times: usual, counts: map[id.ID]*count{},
		login: login{tokens: map[string]issued{}},
	}
}

// Close closes the connections that nobody uses.
func (s *Storage) Close() error {
	s.transport.CloseIdleConnections()
	return nil
}

// Sweep removes nothing: the upstream says neither when an image was pushed nor
// which layers a push relies on, so that what must stay can't be told from here.
func (s *Storage) Sweep(context.Context, registry.Needed) error { return nil }

// repository is the name of an organization's repository at the upstream.
func (s *Storage) repository(organization id.ID) string {
	return s.Name + "/" + organization.String()
}

// at is the address of something of an organization at the upstream.
func (s *Storage) at(organization id.ID, rest string) *url.URL {
	return s.URL.JoinPath(registry.Path, s.repository(organization), rest)
}
