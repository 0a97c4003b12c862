package config

import (
	"net/url"
	"strings"
)

// Realtime says where people follow what happens: at this server, or at a
// Centrifugo server.
type Realtime struct {
	CentrifugoHost   string `name:"centrifugo-host" env:"CENTRIFUGO_HOST" default:"localhost" placeholder:"HOST" group:"Realtime" help:"Host of a Centrifugo 6 server that takes the place of the one inside; used when CENTRIFUGO_API_KEY is set."`
	CentrifugoPort   int    `name:"centrifugo-port" env:"CENTRIFUGO_PORT" default:"5001" min:"1" max:"65535" placeholder:"PORT" group:"Realtime" help:"Port of its HTTP API."`
	CentrifugoKey    string `name:"centrifugo-api-key" env:"CENTRIFUGO_API_KEY" placeholder:"KEY" group:"Realtime" secret:"" help:"Key of its HTTP API, at least 16 characters. A flag can be read by other users of the machine: prefer the variable or its file."`
	CentrifugoSecret string `name:"centrifugo-jwt-secret" env:"CENTRIFUGO_JWT_SECRET" placeholder:"SECRET" group:"Realtime" secret:"" help:"Secret that realtime tokens are signed with, at least 32 characters; needed with CENTRIFUGO_API_KEY, derived from ENCRYPTION_KEY otherwise. A flag can be read by other users of the machine: prefer the variable or its file."`
	CentrifugoURL    string `name:"centrifugo-public-url" env:"CENTRIFUGO_PUBLIC_URL" placeholder:"URL" group:"Realtime" help:"Address at which clients reach Centrifugo; the address of this server when unset."`
	RedisURL         string `name:"redis-url" env:"FLOWW_REDIS_URL" placeholder:"URL" group:"Realtime" secret:"" help:"Redis server over which several servers share realtime events when no Centrifugo is used, such as redis://localhost:6379. A flag can be read by other users of the machine: prefer the variable or its file."`
}

// minTokenSecret is the least length of the secret of realtime tokens: 6.2 of
// identity-realtime-admin.md of the wire contract.
const minTokenSecret = 32

// UsesCentrifugo reports whether clients connect to a Centrifugo server.
func (r *Realtime) UsesCentrifugo() bool { return r.CentrifugoKey != "" }

// WebsocketURL is where clients connect, by the rule of 4.8 of
// identity-realtime-admin.md. The public address is that of this server.
func (r *Realtime) WebsocketURL(public string) string {
	base := public
	if r.CentrifugoURL != "" {
		base = r.CentrifugoURL
	}
	base = strings.TrimRight(base, "/")
	switch {
	case strings.HasSuffix(base, "/connection/websocket"):
	case strings.HasSuffix(base, "/ws"):
		base += "/connection/websocket"
	default:
		base += "/ws/connection/websocket"
	}
	for from, to := range map[string]string{"http://": "ws://", "https://": "wss://"} {
		if rest, ok := strings.CutPrefix(base, from); ok {
			return to + rest
		}
	}
	return base
}

func (r *Realtime) checkRealtime(add func(name, format string, args ...any)) {
	if r.UsesCentrifugo() && len(r.CentrifugoKey) < minToken {
		add("CENTRIFUGO_API_KEY (--centrifugo-api-key)", "it must have at least %d characters", minToken)
	}
	switch {
	case r.CentrifugoSecret == "" && r.UsesCentrifugo():
		add("CENTRIFUGO_JWT_SECRET (--centrifugo-jwt-secret)", "it is needed with CENTRIFUGO_API_KEY; give at least %d characters", minTokenSecret)
	case r.CentrifugoSecret != "" && len(r.CentrifugoSecret) < minTokenSecret:
		add("CENTRIFUGO_JWT_SECRET (--centrifugo-jwt-secret)", "it must have at least %d characters", minTokenSecret)
	}
	if r.CentrifugoURL != "" {
		u, err := url.Parse(r.CentrifugoURL)
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" && u.Scheme != "ws" && u.Scheme != "wss" {
			add("CENTRIFUGO_PUBLIC_URL (--centrifugo-public-url)", "%q is no address of a Centrifugo server; give one like https://realtime.example.com", r.CentrifugoURL)
		}
	}
	if r.RedisURL != "" {
		u, err := url.Parse(r.RedisURL)
		if err != nil || u.Host == "" || u.Scheme != "redis" && u.Scheme != "rediss" {
			add("FLOWW_REDIS_URL (--redis-url)", "it is no address of a Redis server; give one like redis://localhost:6379")
		}
		if r.UsesCentrifugo() {
			add("FLOWW_REDIS_URL (--redis-url)", "a Centrifugo server is used (CENTRIFUGO_API_KEY), which has a Redis of its own; leave one of them out")
		}
	}
}
