package app

import (
	"context"
	"os"

	"github.com/usefloww/flowwd/internal/dev"
	"github.com/usefloww/flowwd/internal/execution"
	"github.com/usefloww/flowwd/internal/trigger"
)

// hostname names this server in the list of nodes; empty when the machine has no
// name.
func hostname() string {
	name, err := os.Hostname()
	if err != nil {
		return ""
	}
	return name
}

// addFollower passes on what was stored: by other servers in a shared database,
// and by this one where it concerns what people may see.
func (s *Server) addFollower(routes *trigger.Routes, l *live, development *dev.Service) {
	var stop context.CancelFunc
	done := make(chan struct{})
	start := func(ctx context.Context) error {
		ctx, stop = context.WithCancel(context.WithoutCancel(ctx))
		go func() {
			defer close(done)
			s.store.Follow(ctx, func(n execution.Notice) {
				if s.store.Shared() {
					s.executions.Hear(n)
					routes.Hear(n)
				}
				development.Hear(n)
				l.recheck.Hear(n.Principals, n.Anything)
			})
		}()
		return nil
	}
	s.parts.add(part{name: "notices", share: 5, start: start, stop: func(context.Context) error {
		stop()
		<-done
		return nil
	}})
}
