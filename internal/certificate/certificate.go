package certificate

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/crypto/acme"
	"golang.org/x/crypto/acme/autocert"
)

const (
	// firstWait is how long it is until a certificate that was not given is ordered
	// again, and mostWait how long at most. Let's Encrypt takes five failed
	// validations of a name in an hour.
	firstWait = time.Minute
	mostWait  = time.Hour
	// requestTimeout bounds a request to the authority; the library bounds an order by
	// five minutes.
	requestTimeout = 30 * time.Second
)

// Config is what a Service is made of. All fields but Email are required.
type Config struct {
	// Domains are the names that the server has certificates for, in lower case.
	Domains []string
	// Email is where the authority writes to when something is wrong.
	Email string
	// Directory is the address of the authority's ACME directory.
	Directory string
	Store     Store
	Ring      Sealer
	// UserAgent names this program to the authority.
	UserAgent string
	Now       func() time.Time
	Log       *slog.Logger
}

// Service gets, renews and shows certificates.
type Service struct {
	Config
	manager *autocert.Manager
	// there are the domains that have a certificate, with when it ends, as seconds.
	there map[string]*atomic.Int64
	work  sync.WaitGroup
	stop  context.CancelFunc
}

// New returns a Service that must be started.
func New(c Config) *Service {
	s := &Service{Config: c, there: map[string]*atomic.Int64{}, stop: func() {}}
	for _, name := range c.Domains {
		s.there[name] = &atomic.Int64{}
	}
	s.manager = &autocert.Manager{
		// The terms are agreed to by who names a domain, as docs/https.md says.
		Prompt:     autocert.AcceptTOS,
		HostPolicy: autocert.HostWhitelist(c.Domains...),
		Email:      c.Email,
		Cache:      cache{store: c.Store, ring: c.Ring, now: c.Now},
		Client:     &acme.Client{DirectoryURL: c.Directory, UserAgent: c.UserAgent, HTTPClient: &http.Client{Timeout: requestTimeout}},
	}
	return s
}

// TLS is how a listener answers handshakes.
func (s *Service) TLS() *tls.Config {
	return &tls.Config{
		MinVersion:     tls.VersionTLS12,
		NextProtos:     []string{"h2", "http/1.1", acme.ALPNProto},
		GetCertificate: s.certificate,
	}
}

// Challenges answers the authority's questions over plain HTTP, and passes on all
// others to next.
func (s *Service) Challenges(next http.Handler) http.Handler { return s.manager.HTTPHandler(next) }

// Expires returns when a domain's certificate ends; zero when it has none.
func (s *Service) Expires(domain string) time.Time {
	if at := s.there[domain]; at != nil && at.Load() != 0 {
		return time.Unix(at.Load(), 0)
	}
	return time.Time{}
}

// Covers reports whether a host, with or without a port, is one of the domains.
func (s *Service) Covers(host string) bool {
	name, _, _ := strings.Cut(strings.ToLower(host), ":")
	return slices.Contains(s.Domains, name)
}

// errNotYet ends handshakes until there is a certificate.
var errNotYet = errors.New("there is no certificate for this name yet")

// certificate answers a handshake. It never orders: that is the loop's part.
func (s *Service) certificate(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	if slices.Contains(hello.SupportedProtos, acme.ALPNProto) {
		return s.manager.GetCertificate(hello) // the authority asks
	}
	name := strings.ToLower(strings.TrimSuffix(hello.ServerName, "."))
	at := s.there[name]
	if at == nil {
		return nil, fmt.Errorf("this server has no certificate for %q", hello.ServerName)
	}
	if at.Load() == 0 {
		return nil, errNotYet
	}
	return s.get(name)
}

// get returns a domain's certificate, which is ordered when there is none. All are
// ECDSA ones, whatever a visitor would like: two of a domain would be twice the
// orders.
func (s *Service) get(name string) (*tls.Certificate, error) {
	got, err := s.manager.GetCertificate(&tls.ClientHelloInfo{
		ServerName:       name,
		SignatureSchemes: []tls.SignatureScheme{tls.ECDSAWithP256AndSHA256},
		SupportedCurves:  []tls.CurveID{tls.CurveP256},
		CipherSuites:     []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256},
	})
	if err == nil && got.Leaf != nil {
		s.there[name].Store(got.Leaf.NotAfter.Unix())
	}
	return got, err
}

// Start begins to get certificates.
func (s *Service) Start(ctx context.Context) error {
	ctx, s.stop = context.WithCancel(context.WithoutCancel(ctx))
	for _, name := range s.Domains {
		s.work.Go(func() { s.obtain(ctx, name) })
	}
	return nil
}

// Stop ends what waits. An order that is under way ends by itself.
func (s *Service) Stop(context.Context) error {
	s.stop()
	return nil
}

// obtain gets a domain's first certificate; the manager renews it from then on.
func (s *Service) obtain(ctx context.Context, name string) {
	for wait := firstWait; ; wait = min(2*wait, mostWait) {
		got, err := s.get(name)
		if err == nil {
			s.Log.Info("the certificate is there", "domain", name, "ends", got.Leaf.NotAfter)
			return
		}
		s.Log.Error("the certificate was not given; asking again later. The domain must lead to this server, and ports 80 or 443 of it reach the authority's questions", "domain", name, "in", wait, "error", err)
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
	}
}
