package app

import (
	"context"
	"net/netip"
	"net/url"
	"strings"

	"github.com/usefloww/flowwd/internal/access"
	"github.com/usefloww/flowwd/internal/audit"
	"github.com/usefloww/flowwd/internal/config"
	"github.com/usefloww/flowwd/internal/identity"
	"github.com/usefloww/flowwd/internal/route"
	"github.com/usefloww/flowwd/internal/web"
	"github.com/usefloww/flowwd/internal/web/ui"
)

// newRouter makes the wrapper around all doors, still without a route.
func (s *Server) newRouter(users *identity.Service, pages web.Deps) (*route.Router, error) {
	settings := s.config.Settings
	proxies, err := networks(settings.TrustedProxies)
	if err != nil {
		return nil, err
	}
	limits := route.DefaultLimits()
	limits.Rate = settings.RateLimit
	return route.New(route.Config{
		Title: "flowwd", Version: s.config.Version,
		Authenticate:  users.Authenticate,
		OperatorToken: s.operatorToken(),
		Logger:        s.log, Now: s.config.Now,
		NewRequestID:   func() string { return s.ids.New().String() },
		Observe:        s.metrics.observe,
		Limits:         limits,
		Limited:        s.metrics.limit,
		Tracer:         s.tracer,
		Refused:        s.recordRefusal,
		ErrorPage:      ui.ErrorPage,
		LoginPath:      web.LoginPath,
		Slid:           pages.KeepSession,
		Origins:        func() []string { return []string{origin(s.URL())} },
		CORSOrigins:    lower(settings.CORSOrigins),
		TrustedProxies: proxies,
		HTTPS:          settings.HTTPS(),
	}), nil
}

// recordRefusal puts a request that somebody may not make into the audit log.
func (s *Server) recordRefusal(ctx context.Context, r route.Refusal) {
	e := audit.Entry{
		OrganizationID: r.OrganizationID, Action: audit.RefuseAccess, Outcome: audit.Refused,
		Target: audit.Target{Type: "route", ID: r.Method + " " + r.Pattern},
		After:  audit.Snapshot(map[string]any{"action": r.Action, "reason": audit.Brief(r.Reason.Error())}),
	}
	if r.Action == access.Administer {
		e.Action = audit.OpenAdmin
	}
	s.recorder.Record(ctx, e)
}

func networks(texts []string) ([]netip.Prefix, error) {
	var all []netip.Prefix
	for _, text := range texts {
		network, err := config.ParseNetwork(text)
		if err != nil {
			return nil, err
		}
		all = append(all, network)
	}
	return all, nil
}

// origin is the part of an address that browsers call its origin.
func origin(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Scheme + "://" + strings.ToLower(u.Host)
}

// lower writes origins as browsers do.
func lower(texts []string) []string {
	all := make([]string, len(texts))
	for i, text := range texts {
		all[i] = strings.ToLower(strings.TrimSpace(text))
	}
	return all
}

// words splits what is a list with commas at spaces too.
func words(texts []string) []string {
	var all []string
	for _, text := range texts {
		all = append(all, strings.Fields(text)...)
	}
	return all
}
