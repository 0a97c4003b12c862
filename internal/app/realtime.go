package app

import (
	"context"
	"encoding/base64"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/usefloww/flowwd/internal/api"
	"github.com/usefloww/flowwd/internal/identity"
	"github.com/usefloww/flowwd/internal/realtime"
	"github.com/usefloww/flowwd/internal/realtime/centrifugo"
	"github.com/usefloww/flowwd/internal/realtime/embedded"
	"github.com/usefloww/flowwd/internal/route"
	"github.com/usefloww/flowwd/internal/secret"
)

// live are the parts of realtime events.
type live struct {
	gate      *realtime.Gate
	tokens    *realtime.Tokens
	feed      *realtime.Feed
	transport realtime.Transport
	// node is nil when clients connect to a Centrifugo server.
	node *embedded.Node
}

// addRealtime makes the home of the channels, and what publishes to it. The gate
// is told afterwards whom to ask.
func (s *Server) addRealtime() (*live, error) {
	settings := s.config.Settings.Realtime
	l := &live{
		gate:   &realtime.Gate{},
		tokens: &realtime.Tokens{Secret: s.tokenSecret(), IDs: s.ids, Now: s.config.Now},
	}
	if settings.UsesCentrifugo() {
		server := centrifugo.New(settings.CentrifugoHost, settings.CentrifugoPort, settings.CentrifugoKey)
		l.transport = server
		s.parts.add(part{name: "Centrifugo", share: 1, start: func(context.Context) error { return nil }, stop: func(context.Context) error {
			server.Close()
			return nil
		}})
	} else {
		node, err := embedded.New(embedded.Config{
			Gate: l.gate, Tokens: l.tokens, Redis: settings.RedisURL, Origins: s.origins,
			Registry: prometheus.NewRegistry(), Version: s.config.Version, Log: s.log, Now: s.config.Now,
		})
		if err != nil {
			return nil, fmt.Errorf("make the realtime node: %w", err)
		}
		if s.store.Shared() && settings.RedisURL == "" {
			s.log.Warn("several servers that share a database do not share realtime events: set FLOWW_REDIS_URL or CENTRIFUGO_API_KEY when there is more than one")
		}
		l.transport, l.node = node, node
		s.parts.add(part{name: "realtime", share: 10, start: node.Start, stop: node.Stop})
	}
	l.feed = realtime.NewFeed(realtime.FeedConfig{Transport: l.transport, Log: s.log, Now: s.config.Now})
	s.parts.add(part{name: "realtime events", share: 5, start: l.feed.Start, stop: l.feed.Stop})
	s.metrics.counter("flowwd_realtime_published_total", "Realtime events published.", func() float64 {
		published, _ := l.feed.Counts()
		return float64(published)
	})
	s.metrics.counter("flowwd_realtime_dropped_total", "Realtime events dropped because too many waited or publishing failed.", func() float64 {
		_, dropped := l.feed.Counts()
		return float64(dropped)
	})
	s.metrics.gauge("flowwd_realtime_connections", "Realtime clients connected to this server.", func() float64 {
		if l.node == nil {
			return 0
		}
		return float64(l.node.Connections())
	})
	return l, nil
}

// ask tells the gate whom to ask.
func (l *live) ask(users *identity.Service, workflows api.Workflows) {
	l.gate.Authenticate, l.gate.Workflow = users.Authenticate, workflows.Workflow
}

// forAPI is what the operations work with.
func (s *Server) forAPI(l *live) api.Realtime {
	r := api.Realtime{
		Gate: l.gate, Tokens: l.tokens,
		ProxySecret: s.derived(secret.RealtimeProxy), FromCentrifugo: fromHost(s.config.Settings.CentrifugoHost),
	}
	if l.node != nil {
		r.Door = l.node
	}
	return r
}

// lookupTimeout bounds the look for the addresses of a host.
const lookupTimeout = 2 * time.Second

// fromHost reports whether requests come straight from a host and are no
// proxy's.
func fromHost(host string) func(*http.Request) bool {
	return func(r *http.Request) bool {
		from, err := netip.ParseAddrPort(r.RemoteAddr)
		if err != nil || route.Forwarded(r.Header) {
			return false
		}
		ctx, cancel := context.WithTimeout(r.Context(), lookupTimeout)
		defer cancel()
		found, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
		return err == nil && slices.ContainsFunc(found, func(a netip.Addr) bool { return a.Unmap() == from.Addr().Unmap() })
	}
}

// tokenSecret is what realtime tokens are signed with.
func (s *Server) tokenSecret() []byte {
	if text := s.config.Settings.CentrifugoSecret; text != "" {
		return []byte(text)
	}
	return s.keyring.Derive(secret.Realtime)[0]
}

// derived is a secret for a purpose, as text.
func (s *Server) derived(p secret.Purpose) string {
	return base64.RawURLEncoding.EncodeToString(s.keyring.Derive(p)[0])
}

// origins are the sites whose pages may use what a browser holds for this one.
func (s *Server) origins() []string {
	return append([]string{s.URL()}, s.config.Settings.CORSOrigins...)
}
