package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/usefloww/flowwd/internal/audit"
	"github.com/usefloww/flowwd/internal/certificate"
	"github.com/usefloww/flowwd/internal/config"
	"github.com/usefloww/flowwd/internal/engine"
	"github.com/usefloww/flowwd/internal/engine/docker"
	"github.com/usefloww/flowwd/internal/engine/embedded/fetch"
	"github.com/usefloww/flowwd/internal/execution"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/identity"
	"github.com/usefloww/flowwd/internal/registry"
	"github.com/usefloww/flowwd/internal/registry/upstream"
	"github.com/usefloww/flowwd/internal/route"
	"github.com/usefloww/flowwd/internal/secret"
	"github.com/usefloww/flowwd/internal/store"
	"github.com/usefloww/flowwd/internal/tracing"
)

// Config is what a server is made of.
type Config struct {
	Settings config.Settings
	// Runner is the command that starts a process for user code: this binary
	// and its hidden word.
	Runner []string
	// Engine takes the place of the embedded engine; nil for that one.
	Engine engine.Engine
	// Way takes the place of the way to log in that the settings choose; nil for
	// that one.
	Way identity.Way
	// Spares takes the place of the embedded engine's own number of processes that
	// are started ahead; zero for that one, -1 for none.
	Spares int
	// Retention takes the place of the one that the settings say; zero for that one.
	Retention time.Duration
	Log       *slog.Logger
	Now       func() time.Time
	// Version stands in the API description.
	Version string
	// Sources say where the settings come from; nil when nobody knows.
	Sources config.Sources
}

// Server is a flowwd server. Open makes one, Start lets it work, Stop ends it.
type Server struct {
	config  Config
	log     *slog.Logger
	ids     *id.Source
	lock    *config.Lock
	keys    config.Keys
	keyring *secret.Keyring
	store   *store.Store
	// recorder puts into the audit log what changes nothing.
	recorder *audit.Recorder
	metrics  *metrics
	// tracer is nil where traces are sent nowhere.
	tracer *tracing.Tracer
	engine engine.Engine
	// containers is the engine for images; nil without one.
	containers *docker.Engine
	images     *registry.Registry
	// upstream keeps the images; nil where the data folder does.
	upstream *upstream.Storage
	parts    parts
	// fetchPolicy says what workflows may reach.
	fetchPolicy fetch.Policy

	// started is when the server was opened.
	started    time.Time
	executions *execution.Service
	router     *route.Router
	listener   net.Listener
	// certificates are those of the domains; nil without one. encrypted and plain
	// are where they are listened for.
	certificates     *certificate.Service
	encrypted, plain net.Addr
	// debug is the address of profiles and figures of the process; nil for none.
	debug net.Addr
	// own are the listeners' addresses, for runs to be kept from them.
	own    atomic.Pointer[[]netip.AddrPort]
	failed chan error
}

// Open takes the data folder, opens the database and connects all parts. Close
// or Stop gives everything back.
func Open(ctx context.Context, c Config) (*Server, error) {
	s := &Server{config: c, log: c.Log, ids: id.NewSource(c.Now), metrics: newMetrics(), started: c.Now(), failed: make(chan error, 1)}
	s.parts.log = c.Log
	if err := s.open(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func (s *Server) open(ctx context.Context) (err error) {
	dir := config.DataDir(s.config.Settings.DataDir)
	if err := dir.Make(); err != nil {
		return err
	}
	if s.lock, err = dir.Acquire(); err != nil {
		return err
	}
	c := storeConfig(s.config.Settings.Data, s.config.Now, s.log)
	c.Blobs, c.OrganizationLimit = dir.Blobs(), s.config.Settings.OrganizationRuns
	c.OrganizationGrace, c.AuditRetention = s.config.Settings.OrganizationGrace(), s.config.Settings.AuditRetention()
	s.store, err = store.Open(ctx, c)
	if err != nil {
		return err
	}
	// After the database, which may be refused: a folder that is still to be
	// filled gets its keys from elsewhere.
	if s.keys, err = dir.LoadKeys(); err != nil {
		return err
	}
	if err := s.openKeyring(ctx); err != nil {
		return err
	}
	s.recorder = &audit.Recorder{Store: s.store, Now: s.config.Now, Log: s.log}
	return s.connect(ctx)
}

// openKeyring takes the encryption key of the settings, or the one in the data
// folder, and refuses one that the database was not begun with: what is stored
// could not be read.
func (s *Server) openKeyring(ctx context.Context) (err error) {
	if s.keyring, err = s.readKeyring(); err != nil {
		return err
	}
	known, err := s.store.CheckEncryptionKey(ctx, s.keyring.Digests())
	if err != nil {
		return err
	}
	if !known {
		return errWrongKey()
	}
	return nil
}

func errWrongKey() error {
	return errors.New("the database was begun with another encryption key: give the same ENCRYPTION_KEY to all servers that share it, or bring the file encryption-key from the folder keys of the data folder that it was begun with")
}

// readKeyring reads the encryption key of the settings, or the one in the data
// folder.
func (s *Server) readKeyring() (*secret.Keyring, error) {
	text := s.config.Settings.EncryptionKey
	if text == "" {
		text = s.keys.Encryption
	}
	ring, err := secret.ParseKeyring(text)
	if err != nil {
		return nil, fmt.Errorf("ENCRYPTION_KEY: %w", err)
	}
	return ring, nil
}

// Start starts all parts. When it fails, Stop must still be called.
func (s *Server) Start(ctx context.Context) error { return s.parts.start(ctx) }

// Stop ends all parts in reverse, within the stop timeout of the settings, and
// closes what Open opened.
func (s *Server) Stop(ctx context.Context) error {
	return errors.Join(s.parts.stop(ctx, s.config.Settings.StopTimeout), s.Close())
}

// Close closes what Open opened. It is enough for a server that never started.
func (s *Server) Close() error {
	var failed []error
	if s.store != nil {
		failed = append(failed, s.store.Close())
		s.store = nil
	}
	if s.lock != nil {
		failed = append(failed, s.lock.Release())
		s.lock = nil
	}
	return errors.Join(failed...)
}

// Run starts the server, waits until ctx ends or the server can't go on, and
// stops it.
func (s *Server) Run(ctx context.Context) error {
	err := s.Start(ctx)
	if err == nil {
		s.log.Info("flowwd is ready", "url", s.URL(), "data", s.config.Settings.DataDir)
		select {
		case <-ctx.Done():
			s.log.Info("stopping; runs that are under way get time to end", "timeout", s.config.Settings.StopTimeout)
		case err = <-s.failed:
		}
	}
	return errors.Join(err, s.Stop(context.WithoutCancel(ctx)))
}

// Addr is the address the server listens on; nil before Start.
func (s *Server) Addr() net.Addr {
	if s.listener == nil {
		return nil
	}
	return s.listener.Addr()
}

// Domains are the addresses that the server listens on for its domains, with
// encryption and without; nil where it has none.
func (s *Server) Domains() (encrypted, plain net.Addr) { return s.encrypted, s.plain }

// Debug is the address of profiles and figures of the process; nil for none.
func (s *Server) Debug() net.Addr { return s.debug }

// URL is the address under which the outside reaches the server, without a
// slash at its end; empty before Start.
func (s *Server) URL() string {
	if s.listener == nil {
		return ""
	}
	return s.config.Settings.BaseURL(s.listener.Addr())
}

// Routes lists every route of the server.
func (s *Server) Routes() []route.Info { return s.router.Routes() }
