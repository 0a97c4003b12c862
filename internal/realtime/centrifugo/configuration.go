package centrifugo

import (
	"encoding/json"
	"strings"

	"github.com/usefloww/flowwd/internal/realtime"
)

// ProxyHeader is what a Centrifugo server shows when it asks this server, so
// that nobody else can ask.
const ProxyHeader = "X-Floww-Proxy-Secret"

// unauthorizedCode ends a connection for good: 4.3 of
// identity-realtime-admin.md.
const unauthorizedCode = 4501

// Installation is what a configuration is written for.
type Installation struct {
	// PublicURL is the address of this server.
	PublicURL string
	// APIKey, TokenSecret and ProxySecret are the secrets that both know.
	APIKey, TokenSecret, ProxySecret string
	// Origins are the sites whose pages may connect.
	Origins []string
}

// Configuration returns a complete configuration of Centrifugo 6, as JSON with
// the environment's variables in the place of nothing: it holds the secrets.
func Configuration(i Installation) ([]byte, error) {
	base := strings.TrimRight(i.PublicURL, "/")
	headers := []string{"Authorization", "Cookie"}
	shared := map[string]any{"static_headers": map[string]string{ProxyHeader: i.ProxySecret}}
	connect := map[string]any{
		"static_headers": shared["static_headers"],
		// A credential that is not valid stays so: the client must not try again.
		"status_to_code_transforms": []any{map[string]any{
			"status_code": 401, "to_disconnect": map[string]any{"code": unauthorizedCode, "reason": "unauthorized"},
		}},
	}
	// Real headers come under the first name; those that a client sends inside its
	// first frame under the second, since version 6.9.
	proxy := func(path string, http any) map[string]any {
		return map[string]any{
			"endpoint": base + path, "timeout": "5s", "http_headers": headers, "emulated_headers": headers, "http": http,
		}
	}
	connecting := proxy("/centrifugo/connect", connect)
	connecting["enabled"] = true
	return json.MarshalIndent(map[string]any{
		"client": map[string]any{
			"allowed_origins":                       append([]string{base}, i.Origins...),
			"allow_anonymous_connect_without_token": false,
			"token":                                 map[string]any{"hmac_secret_key": i.TokenSecret},
			"proxy":                                 map[string]any{"connect": connecting},
			"concurrency":                           8,
			"channel_limit":                         128,
		},
		"channel": map[string]any{
			"proxy": map[string]any{"subscribe": proxy("/centrifugo/subscribe", shared)},
			"namespaces": []any{map[string]any{
				"name":                          strings.TrimSuffix(realtime.EventsChannel, ":events"),
				"subscribe_proxy_enabled":       true,
				"allow_subscribe_for_client":    false,
				"presence":                      true,
				"allow_presence_for_subscriber": true,
				"history_size":                  realtime.HistorySize,
				"history_ttl":                   "600s",
				"force_recovery":                true,
				"allow_history_for_subscriber":  true,
			}},
		},
		"http_api":    map[string]any{"key": i.APIKey},
		"websocket":   map[string]any{"handler_prefix": "/ws/connection/websocket"},
		"sse":         map[string]any{"enabled": true},
		"http_stream": map[string]any{"enabled": true},
		"health":      map[string]any{"enabled": true},
		"admin":       map[string]any{"enabled": false},
		"http_server": map[string]any{"port": 8000},
	}, "", "  ")
}
