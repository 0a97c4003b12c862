package app

import (
	"context"
	"fmt"

	"github.com/usefloww/flowwd/internal/api"
	"github.com/usefloww/flowwd/internal/identity"
	"github.com/usefloww/flowwd/internal/identity/password"
	"github.com/usefloww/flowwd/internal/secret"
	"github.com/usefloww/flowwd/internal/tenant"
	"github.com/usefloww/flowwd/internal/web"
)

// sessions keeps browsers logged in.
func (s *Server) sessions(way identity.Way) *identity.Sessions {
	browser, _ := way.(identity.Browser)
	return &identity.Sessions{Store: s.store, Browser: browser, Sealer: s.keyring, IDs: s.ids, Now: s.config.Now, Log: s.log}
}

// passwords keeps passwords; nil when people log in in another way.
func (s *Server) passwords(way identity.Way, users identity.UserStore, fresh func(string) tenant.Namespace) *password.Service {
	if _, ok := way.(password.Way); !ok {
		return nil
	}
	return password.New(password.Config{
		Store: s.store, Users: users, Recorder: s.recorder, Fresh: fresh,
		SingleOrganization: s.config.Settings.SingleOrg, IDs: s.ids, Now: s.config.Now,
	})
}

// accounts are what the API makes of passwords. A nil pointer in an interface
// would not be nil.
func accounts(passwords *password.Service) api.Passwords {
	if passwords == nil {
		return nil
	}
	return passwords
}

// pages are the web pages, without what connect makes.
func (s *Server) pages(users *identity.Service, passwords *password.Service, tenants web.Tenants) web.Deps {
	return web.Deps{
		Way: users.Way, Logins: users, Sessions: users.Sessions, Passwords: passwords, Flows: s.keyring.For(secret.LoginFlow),
		Devices: users.Devices, Tenants: tenants, Recorder: s.recorder, PublicURL: s.URL, Logger: s.log, Now: s.config.Now,
	}
}

// firstAccount makes the first account that the settings name, or prints the
// link that makes one, where there is none.
func (s *Server) firstAccount(passwords *password.Service) part {
	return part{name: "first account", start: func(ctx context.Context) error {
		if passwords == nil {
			return nil
		}
		if email := s.config.Settings.AdminEmail; email != "" {
			made, err := passwords.EnsureFirst(ctx, password.Account{Login: email}, s.config.Settings.AdminPassword)
			if err != nil {
				return fmt.Errorf("make the account of FLOWW_ADMIN_EMAIL: %w", err)
			}
			if made {
				s.log.Info("the first account is made", "login", email)
			}
			return nil
		}
		token, err := passwords.SetUpToken(ctx)
		if err != nil {
			return fmt.Errorf("make a link for the first account: %w", err)
		}
		if token != "" {
			// A warning, for somebody must do something about it.
			s.log.Warn("nobody can log in yet: open this link to make the first account; it works once, for a day",
				"url", s.URL()+"/auth/setup?token="+token)
		}
		return nil
	}, stop: func(context.Context) error { return nil }}
}
