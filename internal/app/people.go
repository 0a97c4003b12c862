package app

import (
	"context"

	"github.com/usefloww/flowwd/internal/identity"
	"github.com/usefloww/flowwd/internal/mail"
	"github.com/usefloww/flowwd/internal/tenant"
)

// tenants manages organizations as the settings say.
func (s *Server) tenants() *tenant.Service {
	settings := s.config.Settings
	return &tenant.Service{
		Store:   s.store,
		Default: tenant.Draft{Name: settings.SingleOrgName, DisplayName: settings.SingleOrgDisplayName},
		Single:  settings.SingleOrg,
		Grace:   settings.OrganizationGrace(),
		IDs:     s.ids, Now: s.config.Now,
	}
}

// invitations invites people by mail where there is a mail server, and through
// the provider of identities where that keeps organizations.
func (s *Server) invitations(way identity.Way) (*tenant.Invitations, error) {
	settings := s.config.Settings
	i := &tenant.Invitations{
		Store: s.store, Single: settings.SingleOrg, PublicURL: s.URL, IDs: s.ids, Now: s.config.Now, Log: s.log,
	}
	if directory, ok := way.(tenant.Directory); ok {
		i.Directory = directory
	}
	if settings.SMTPURL == "" {
		return i, nil
	}
	sender, err := mail.New(mail.Config{URL: settings.SMTPURL, From: settings.MailFrom, Now: s.config.Now})
	if err != nil {
		return nil, err
	}
	i.Send = func(ctx context.Context, l tenant.Letter) error { return sender.Send(ctx, mail.Message(l)) }
	return i, nil
}
