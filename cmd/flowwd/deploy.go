package main

import (
	"context"
	"net/http"

	"github.com/usefloww/flowwd/internal/client"
	"github.com/usefloww/flowwd/internal/config"
)

type deployCommand struct {
	config.Client
	Dir string `arg:"" name:"DIR" help:"Project folder with a floww.yaml."`
}

// Run deploys the project and prints its webhooks.
func (c *deployCommand) Run(ctx context.Context, t *terminal) error {
	api, err := newClient(c.Client, t)
	if err != nil {
		return err
	}
	api.Docker, api.Progress = t.docker, t.stderr
	_, err = api.DeployProject(ctx, c.Dir, t.stdout)
	return err
}

// newClient returns a client with the API key or, without one, with the login
// that is kept for the server.
func newClient(settings config.Client, t *terminal) (*client.Client, error) {
	api, err := client.New(settings.Server, settings.Token, &http.Client{})
	if err != nil {
		return nil, err
	}
	api.Namespace = settings.Namespace
	if logins, err := t.logins(); err == nil {
		api.UseLogin(logins)
	}
	return api, nil
}
