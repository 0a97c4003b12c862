package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/usefloww/flowwd/internal/client"
	"github.com/usefloww/flowwd/internal/config"
)

type loginCommand struct{ config.Remote }

// Run prints where to approve the login, waits for that, and keeps the login.
func (c *loginCommand) Run(ctx context.Context, t *terminal) error {
	api, err := client.New(c.Server, "", &http.Client{})
	if err != nil {
		return err
	}
	logins, err := t.logins()
	if err != nil {
		return err
	}
	name := "flowwd"
	if host, err := os.Hostname(); err == nil {
		name += " on " + host
	}
	login, err := api.LogIn(ctx, name, time.Now, func(w client.Waiting) {
		fmt.Fprintf(t.stdout, "Open this address in a browser, and approve the login when the page shows the code %s:\n\n  %s\n\n", w.Code, w.Page)
		fmt.Fprintf(t.stderr, "Waiting until %s …\n", w.ExpiresAt.Local().Format("15:04"))
	})
	if err != nil {
		return err
	}
	before, _, err := logins.Get(api.Server())
	if err != nil {
		return err
	}
	if err := logins.Put(ctx, api.Server(), login); err != nil {
		return err
	}
	fmt.Fprintf(t.stdout, "Logged in to %s as %s.\n", api.Server(), login.User)
	// Nothing uses the one before any more; it would only stand in a list.
	if err := api.LogOut(ctx, before); err != nil {
		fmt.Fprintf(t.stderr, "The login before could not be ended: %v\n", err)
	}
	return nil
}

type logoutCommand struct{ config.Remote }

// Run forgets the login first: that must work without the server, too.
func (c *logoutCommand) Run(ctx context.Context, t *terminal) error {
	api, err := client.New(c.Server, "", &http.Client{})
	if err != nil {
		return err
	}
	logins, err := t.logins()
	if err != nil {
		return err
	}
	login, ok, err := logins.Remove(ctx, api.Server())
	if err != nil {
		return err
	}
	if !ok {
		return fmt.Errorf("there is no login to %s; --server names another one", api.Server())
	}
	if err := api.LogOut(ctx, login); err != nil {
		return fmt.Errorf("the login to %s is forgotten here, but the server could not be told, where your account still shows it: %w", api.Server(), err)
	}
	fmt.Fprintf(t.stdout, "Logged out of %s.\n", api.Server())
	return nil
}

// logins is the file of the logins of whoever runs the command.
func (t *terminal) logins() (client.Logins, error) {
	if t.userDir == "" {
		return client.Logins{}, errors.New("there is no folder for logins: set XDG_CONFIG_HOME or HOME, or use an API key (FLOWW_TOKEN)")
	}
	return client.Logins{Path: filepath.Join(t.userDir, "flowwd", "logins.json"), Now: time.Now}, nil
}
