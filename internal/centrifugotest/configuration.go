package centrifugotest

import (
	"encoding/json"
	"fmt"
)

// configuration is what 'flowwd centrifugo config' writes: the names of version 6.
type configuration struct {
	Client struct {
		AllowedOrigins []string `json:"allowed_origins"`
		Anonymous      bool     `json:"allow_anonymous_connect_without_token"`
		ChannelLimit   int      `json:"channel_limit"`
		Token          struct {
			Secret string `json:"hmac_secret_key"`
		}
		Proxy struct{ Connect proxy }
	}
	Channel struct {
		Proxy      struct{ Subscribe proxy }
		Namespaces []struct {
			Name               string `json:"name"`
			SubscribeProxy     bool   `json:"subscribe_proxy_enabled"`
			Subscribe          bool   `json:"allow_subscribe_for_client"`
			Presence           bool   `json:"presence"`
			SubscriberPresence bool   `json:"allow_presence_for_subscriber"`
			HistorySize        int    `json:"history_size"`
			HistoryTTL         string `json:"history_ttl"`
			Recovery           bool   `json:"force_recovery"`
			SubscriberHistory  bool   `json:"allow_history_for_subscriber"`
		}
	}
	Websocket struct {
		Prefix string `json:"handler_prefix"`
	}
	SSE        struct{ Enabled bool } `json:"sse"`
	HTTPStream struct{ Enabled bool } `json:"http_stream"`
	HTTPServer struct {
		Port     int
		Internal int `json:"internal_port"`
	} `json:"http_server"`
	HTTPAPI struct{ Key string } `json:"http_api"`
	Health  struct{ Enabled bool }
	Admin   struct {
		Enabled          bool
		Password, Secret string
	}
}

type proxy struct {
	Enabled  bool
	Endpoint string
	Timeout  string
	Headers  []string `json:"http_headers"`
	HTTP     struct {
		Static     map[string]string `json:"static_headers"`
		Transforms []any             `json:"status_to_code_transforms"`
	}
}

// translate returns a configuration of version 6 in the names of version 5,
// which has one list of headers and of statuses for all proxies.
func translate(six []byte) (c configuration, five []byte, err error) {
	if err := json.Unmarshal(six, &c); err != nil {
		return c, nil, fmt.Errorf("read the configuration of Centrifugo: %w", err)
	}
	connect, subscribe := c.Client.Proxy.Connect, c.Channel.Proxy.Subscribe
	var namespaces []any
	for _, n := range c.Channel.Namespaces {
		namespaces = append(namespaces, map[string]any{
			"name": n.Name, "proxy_subscribe": n.SubscribeProxy, "allow_subscribe_for_client": n.Subscribe,
			"presence": n.Presence, "allow_presence_for_subscriber": n.SubscriberPresence,
			"history_size": n.HistorySize, "history_ttl": n.HistoryTTL, "force_recovery": n.Recovery,
			"allow_history_for_subscriber": n.SubscriberHistory,
		})
	}
	settings := map[string]any{
		"address": "127.0.0.1", "port": fmt.Sprint(c.HTTPServer.Port),
		"internal_address": "127.0.0.1", "internal_port": fmt.Sprint(c.HTTPServer.Internal),
		"api_key": c.HTTPAPI.Key, "token_hmac_secret_key": c.Client.Token.Secret,
		"allowed_origins": c.Client.AllowedOrigins, "allow_anonymous_connect_without_token": c.Client.Anonymous,
		"client_channel_limit":     c.Client.ChannelLimit,
		"proxy_subscribe_endpoint": subscribe.Endpoint, "proxy_subscribe_timeout": subscribe.Timeout,
		"proxy_http_headers": connect.Headers, "proxy_static_http_headers": connect.HTTP.Static,
		"proxy_http_status_code_transforms": connect.HTTP.Transforms,
		"namespaces":                        namespaces,
		"websocket_handler_prefix":          c.Websocket.Prefix,
		"sse":                               c.SSE.Enabled, "http_stream": c.HTTPStream.Enabled, "health": c.Health.Enabled,
		"admin": c.Admin.Enabled, "admin_password": c.Admin.Password, "admin_secret": c.Admin.Secret,
	}
	if connect.Enabled {
		settings["proxy_connect_endpoint"], settings["proxy_connect_timeout"] = connect.Endpoint, connect.Timeout
	}
	five, err = json.MarshalIndent(settings, "", "  ")
	return c, five, err
}
