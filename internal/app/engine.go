package app

import (
	"fmt"
	"net/netip"

	"github.com/usefloww/flowwd/internal/engine/embedded"
	"github.com/usefloww/flowwd/internal/engine/embedded/fetch"
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
		Memory:         int64(settings.RunMemory),
		InsecureRunner: settings.InsecureRunner,
		Fetch:          fetch.Config{Policy: policy, Own: s.ownAddresses},
		Logger:         s.log,
		Now:            s.config.Now,
	})
	s.engine = e
	s.metrics.counter("flowwd_fetch_requests_total", "Requests that workflows made.", func() float64 {
		requests, _ := e.Fetches()
		return float64(requests)
	})
	s.metrics.counter("flowwd_fetch_refused_total", "Requests of workflows to addresses that they must not reach.", func() float64 {
		_, refused := e.Fetches()
		return float64(refused)
	})
	s.parts.add(part{name: "the engine", share: 10, start: e.Start, stop: e.Stop})
	return nil
}

// ownAddresses are where the server listens; none before it does.
func (s *Server) ownAddresses() []netip.AddrPort {
	if own := s.own.Load(); own != nil {
		return []netip.AddrPort{*own}
	}
	return nil
}
