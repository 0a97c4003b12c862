package app

import (
	"github.com/usefloww/flowwd/internal/engine/embedded"
)

// RunnerCommand is the command that starts a process for user code: a flowwd
// binary with its hidden word.
func RunnerCommand(binary string) []string { return []string{binary, embedded.ChildWord} }

// addEngine makes the engine that runs user code. It starts before everything
// that needs it.
func (s *Server) addEngine() error {
	if s.config.Engine != nil {
		s.engine = s.config.Engine
		return nil
	}
	settings := s.config.Settings
	e := embedded.New(embedded.Config{
		Command:        s.config.Runner,
		Runners:        settings.Runners,
		Memory:         int64(settings.RunMemory),
		InsecureRunner: settings.InsecureRunner,
		Logger:         s.log,
		Now:            s.config.Now,
	})
	s.engine = e
	s.parts.add(part{name: "the engine", share: 10, start: e.Start, stop: e.Stop})
	return nil
}
