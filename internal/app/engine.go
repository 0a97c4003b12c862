package app

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/netip"

	"github.com/usefloww/flowwd/internal/config"
	"github.com/usefloww/flowwd/internal/engine"
	"github.com/usefloww/flowwd/internal/engine/choice"
	"github.com/usefloww/flowwd/internal/engine/docker"
	"github.com/usefloww/flowwd/internal/engine/embedded"
	"github.com/usefloww/flowwd/internal/engine/embedded/fetch"
	"github.com/usefloww/flowwd/internal/fault"
)

// RunnerCommand is the command that starts a process for user code: a flowwd
// binary with its hidden word.
func RunnerCommand(binary string) []string { return []string{binary, embedded.ChildWord} }

// addEngine makes the engine that runs user code. It starts before everything
// that needs it.
func (s *Server) addEngine() error {
	settings := s.config.Settings
	policy, err := fetch.ParsePolicy(settings.FetchAllow, settings.FetchDeny)
	if err != nil {
		return fmt.Errorf("FLOWW_FETCH_ALLOW or FLOWW_FETCH_DENY: %w", err)
	}
	s.fetchPolicy = policy
	if s.config.Engine != nil {
		s.engine = s.config.Engine
		return nil
	}
	e := embedded.New(embedded.Config{
		Command:        s.config.Runner,
		Runners:        settings.Runners,
		Spares:         s.config.Spares,
		Memory:         int64(settings.RunMemory),
		InsecureRunner: settings.InsecureRunner,
		Fetch:          fetch.Config{Policy: policy, Own: s.ownAddresses},
		Logger:         s.log,
		Now:            s.config.Now,
	})
	s.engine = e
	fetches := []func() (requests, refused int64){e.Fetches}
	s.parts.add(part{name: "the engine", share: 10, start: e.Start, stop: e.Stop})
	if settings.Runtime == config.RuntimeDocker {
		if err := s.addContainers(e); err != nil {
			return err
		}
		fetches = append(fetches, s.containers.Fetches)
	}
	s.countFetches(fetches)
	return nil
}

// addContainers has deployments that name an image run in containers.
func (s *Server) addContainers(plain engine.Engine) (err error) {
	settings := s.config.Settings
	s.containers, err = docker.New(docker.Config{
		Host: settings.DockerHost, Instance: s.Instance(), Relay: s.config.Runner[0],
		Slots: settings.Runners, Concurrency: settings.DockerConcurrency, RunMemory: int64(settings.RunMemory),
		Memory: int64(settings.DockerMemory), CPUs: settings.DockerCPUs, Pids: int64(settings.DockerPids), Tmp: int64(settings.DockerTmp),
		Default: s.defaultImage(), Network: settings.DockerNetwork, Spare: settings.DockerSpare, StopAfter: settings.DockerStopAfter, RemoveAfter: settings.DockerRemoveAfter,
		Fetch: fetch.Config{Policy: s.fetchPolicy, Own: s.ownAddresses},
		// The router is made later, and before anything runs.
		Backend:     http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.router.Handler().ServeHTTP(w, r) }),
		Credentials: pullCredentials{s},
		Traces:      s.tracer.Provider(),
		IDs:         s.ids, Logger: s.log, Now: s.config.Now,
	})
	if err != nil {
		return fmt.Errorf("DOCKER_HOST: %w", err)
	}
	s.engine = &choice.Engine{
		Engines: map[string]engine.Engine{embedded.Name: plain, docker.Name: s.containers}, Plain: embedded.Name, Images: docker.Name,
	}
	s.parts.add(part{name: "containers", share: 20, start: s.containers.Start, stop: s.containers.Stop})
	return nil
}

// defaultImage is what deployments run in that name no image; empty for this
// server's own processes.
func (s *Server) defaultImage() string {
	settings := s.config.Settings
	if s.config.Engine != nil || settings.Runtime != config.RuntimeDocker || settings.DefaultImage == config.DefaultEmbedded {
		return ""
	}
	return settings.DefaultImage
}

// hasDefault asks whether the default image is there.
func (s *Server) hasDefault(ctx context.Context) error {
	err := s.containers.HasDefault(ctx)
	if absent, ok := errors.AsType[*engine.Interrupted](err); ok {
		err = fault.Because(err, fault.Unavailable, "%s", absent.Message)
	}
	return err
}

// Instance tells the containers of this installation from those of others at the
// same daemon.
func (s *Server) Instance() string {
	sum := sha256.Sum256([]byte("containers of " + s.keys.MetricsToken))
	return hex.EncodeToString(sum[:16])
}

func (s *Server) countFetches(all []func() (requests, refused int64)) {
	s.metrics.counter("flowwd_fetch_requests_total", "Requests that workflows made.", func() (sum float64) {
		for _, fetches := range all {
			requests, _ := fetches()
			sum += float64(requests)
		}
		return sum
	})
	s.metrics.counter("flowwd_fetch_refused_total", "Requests of workflows to addresses that they must not reach.", func() (sum float64) {
		for _, fetches := range all {
			_, refused := fetches()
			sum += float64(refused)
		}
		return sum
	})
}

// ownAddresses are where the server listens; none before it does.
func (s *Server) ownAddresses() []netip.AddrPort {
	if own := s.own.Load(); own != nil {
		return *own
	}
	return nil
}
