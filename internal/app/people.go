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
func (s *Server) invitations(way identity.Way, sender *mail.Sender) *tenant.Invitations {
	i := &tenant.Invitations{
		Store: s.store, Single: s.config.Settings.SingleOrg, PublicURL: s.URL, IDs: s.ids, Now: s.config.Now, Log: s.log,
	}
	if directory, ok := way.(tenant.Directory); ok {
		i.Directory = directory
	}
	if sender != nil {
		i.Send = func(ctx context.Context, l tenant.Letter) error { return sender.Send(ctx, mail.Message(l)) }
	}
	return i
}

// mailer sends mails; nil where the settings name no server for that.
func (s *Server) mailer() (*mail.Sender, error) {
	settings := s.config.Settings
	if settings.SMTPURL == "" {
		return nil, nil
	}
	return mail.New(mail.Config{URL: settings.SMTPURL, From: settings.MailFrom, Now: s.config.Now})
}
