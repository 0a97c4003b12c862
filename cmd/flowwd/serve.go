package main

import (
	"context"
	"time"

	"github.com/usefloww/flowwd/internal/app"
	"github.com/usefloww/flowwd/internal/config"
	"github.com/usefloww/flowwd/internal/engine/embedded"
)

type serveCommand struct{ config.Settings }

// Run serves until the context ends.
func (c *serveCommand) Run(ctx context.Context, t *terminal) error {
	runner, err := embedded.SelfCommand()
	if err != nil {
		return err
	}
	server, err := app.Open(ctx, app.Config{
		Settings: c.Settings,
		Runner:   runner,
		Log:      c.Logger(t.stderr),
		Now:      time.Now,
		Version:  buildInfo().version,
		Sources:  t.sources,
	})
	if err != nil {
		return err
	}
	return server.Run(ctx)
}
