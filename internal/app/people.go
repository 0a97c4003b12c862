package app

import "github.com/usefloww/flowwd/internal/tenant"

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
