package app

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/usefloww/flowwd/internal/api"
	"github.com/usefloww/flowwd/internal/config"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/identity"
	"github.com/usefloww/flowwd/internal/realtime"
	"github.com/usefloww/flowwd/internal/realtime/centrifugo"
	"github.com/usefloww/flowwd/internal/realtime/embedded"
	"github.com/usefloww/flowwd/internal/route"
	"github.com/usefloww/flowwd/internal/secret"
	"github.com/usefloww/flowwd/internal/web/admin"
)

// live are the parts of realtime events.
type live struct {
	gate      *realtime.Gate
	tokens    *realtime.Tokens
	feed      *realtime.Feed
	recheck   *realtime.Recheck
	transport realtime.Transport
	// node is nil when clients connect to a Centrifugo server, admin when they
	// connect here.
	node  *embedded.Node
	admin *centrifugo.Admin
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
		admin, err := centrifugo.NewAdmin(server, s.derived(secret.RealtimeAdmin), s.log, s.config.Now)
		if err != nil {
			return nil, err
		}
		l.admin = admin
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
	l.feed = realtime.NewFeed(realtime.FeedConfig{
		Transport: l.transport, RunToken: devTokens(s.runTokens()), BackendURL: s.URL, Log: s.log, Now: s.config.Now,
	})
	l.recheck = realtime.NewRecheck(l.transport, s.log)
	s.parts.add(part{name: "realtime revocation", share: 1, start: l.recheck.Start, stop: l.recheck.Stop})
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

// What the page about realtime events shows.
const (
	shownChannels = 200
	shownUsers    = 20
)

// forPages is what the pages about realtime events work with.
func (s *Server) forPages(l *live) admin.Realtime {
	if l.admin != nil {
		return admin.Realtime{Pages: l.admin.Serve}
	}
	return admin.Realtime{Channels: func(ctx context.Context) (admin.Channels, error) {
		published, dropped := l.feed.Counts()
		shown := admin.Channels{Connections: l.node.Connections(), Published: published, Dropped: dropped}
		shown.Events, shown.Messages = l.node.Rates()
		all := l.node.Channels(shownChannels + 1)
		if shown.More = len(all) > shownChannels; shown.More {
			all = all[:shownChannels]
		}
		names := map[string]string{}
		for _, c := range all {
			users, err := l.node.Users(c.Channel, shownUsers)
			if err != nil {
				return shown, err
			}
			one := admin.Channel{Name: c.Channel, Subscribers: c.Subscribers, Minute: c.Minute}
			for _, user := range users {
				if _, known := names[user]; !known && len(names) < shownChannels {
					names[user] = s.userLabel(ctx, user)
				}
				one.Users = append(one.Users, admin.Follower{ID: user, Name: names[user]})
			}
			shown.Channels = append(shown.Channels, one)
		}
		return shown, nil
	}}
}

// userLabel is what a user is called; empty for who is none.
func (s *Server) userLabel(ctx context.Context, user string) string {
	named, err := id.Parse(user)
	if err != nil {
		return ""
	}
	u, err := s.store.User(ctx, named)
	if err != nil {
		return "" // a service account, or somebody who is gone
	}
	return u.Label()
}

// CentrifugoConfiguration returns what a Centrifugo server must be configured
// with for an installation with these settings. It makes the keys when there are
// none.
func CentrifugoConfiguration(settings config.Settings, clientPort int) ([]byte, error) {
	dir := config.DataDir(settings.DataDir)
	if err := dir.Make(); err != nil {
		return nil, err
	}
	keys, err := dir.LoadKeys()
	if err != nil {
		return nil, err
	}
	s := Server{config: Config{Settings: settings}, keys: keys}
	if s.keyring, err = s.readKeyring(); err != nil {
		return nil, err
	}
	c := settings.Realtime
	if !c.UsesCentrifugo() || c.CentrifugoSecret == "" || settings.PublicURL == "" {
		return nil, errors.New("CENTRIFUGO_API_KEY, CENTRIFUGO_JWT_SECRET and PUBLIC_API_URL are needed: set them as for 'flowwd serve'; the last is where Centrifugo reaches this server")
	}
	return centrifugo.Configuration(centrifugo.Installation{
		PublicURL: settings.PublicURL, Port: c.CentrifugoPort, ClientPort: clientPort,
		APIKey: c.CentrifugoKey, TokenSecret: c.CentrifugoSecret, ProxySecret: s.derived(secret.RealtimeProxy),
		AdminPassword: s.derived(secret.RealtimeAdmin), AdminSecret: s.derived(secret.RealtimeAdminSession),
		Origins: settings.CORSOrigins,
	})
}

// adminOf opens the admin pages of a Centrifugo server as the server does. It
// makes no keys: an installation that has none was never served.
func adminOf(settings config.Settings, server *centrifugo.Server) (*centrifugo.Admin, error) {
	key, err := config.DataDir(settings.DataDir).EncryptionKey()
	if err != nil {
		return nil, err
	}
	s := Server{config: Config{Settings: settings}, keys: config.Keys{Encryption: key}}
	if s.keyring, err = s.readKeyring(); err != nil {
		return nil, err
	}
	return centrifugo.NewAdmin(server, s.derived(secret.RealtimeAdmin), slog.New(slog.DiscardHandler), time.Now)
}

// checkCentrifugo returns what is wrong with the Centrifugo server of the
// settings.
func checkCentrifugo(ctx context.Context, settings config.Settings) []error {
	c := settings.Realtime
	if !c.UsesCentrifugo() {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, centrifugoTimeout)
	defer cancel()
	server := centrifugo.New(c.CentrifugoHost, c.CentrifugoPort, c.CentrifugoKey)
	defer server.Close()
	admin, err := adminOf(settings, server)
	if err != nil {
		return []error{err}
	}
	ids := id.NewSource(time.Now)
	return server.Check(ctx, centrifugo.Checked{
		Admin:        admin.Open,
		WebsocketURL: c.WebsocketURL(settings.PublicURL), Stranger: ids.New(),
		Tokens: &realtime.Tokens{Secret: []byte(c.CentrifugoSecret), IDs: ids, Now: time.Now},
	})
}

// centrifugoTimeout bounds the look at a Centrifugo server.
const centrifugoTimeout = 15 * time.Second

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
