package main

import (
	"fmt"

	"github.com/usefloww/flowwd/internal/app"
	"github.com/usefloww/flowwd/internal/config"
)

type centrifugoCommand struct {
	Config centrifugoConfig `cmd:"" help:"Print a configuration of Centrifugo 6 for this installation. It holds secrets."`
}

type centrifugoConfig struct {
	config.Settings
	ClientPort int `name:"client-port" default:"8000" placeholder:"PORT" help:"Port at which Centrifugo takes clients."`
}

// Run prints the configuration and nothing else.
func (c *centrifugoConfig) Run(t *terminal) error {
	text, err := app.CentrifugoConfiguration(c.Settings, c.ClientPort)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(t.stdout, string(text))
	return err
}
