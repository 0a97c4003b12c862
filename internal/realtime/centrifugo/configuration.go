package centrifugo

import (
	"encoding/json"
	"fmt"
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
	// Port is where Centrifugo serves its HTTP API and its admin pages, for this
	// server alone, ClientPort where clients connect.
	Port, ClientPort int
	// APIKey, TokenSecret, ProxySecret, AdminPassword and AdminSecret are the
	// secrets that both know.
	APIKey, TokenSecret, ProxySecret, AdminPassword, AdminSecret string
	// Origins are the sites whose pages may connect.
	Origins []string
}

// Configuration returns a complete configuration of Centrifugo 6, as JSON. It
// holds the secrets.
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
			"channel_limit":                         128,
		},
		"channel": map[string]any{
			"proxy": map[string]any{"subscribe": proxy("/centrifugo/subscribe", shared)},
			"namespaces": []any{map[string]any{
				"name":                          "workflow",
				"subscribe_proxy_enabled":       true,
				"allow_subscribe_for_client":    false,
				"presence":                      true,
				"allow_presence_for_subscriber": true,
				"history_size":                  realtime.HistorySize,
				"history_ttl":                   fmt.Sprintf("%ds", realtime.HistorySeconds),
				"force_recovery":                true,
				"allow_history_for_subscriber":  true,
			}},
		},
		"websocket":   map[string]any{"handler_prefix": "/ws/connection/websocket"},
		"sse":         map[string]any{"enabled": true},
		"http_stream": map[string]any{"enabled": true},
		// What is for this server alone is not on the port of the clients.
		"http_server": map[string]any{"port": i.ClientPort, "internal_port": i.Port},
		"http_api":    map[string]any{"key": i.APIKey},
		"health":      map[string]any{"enabled": true},
		"admin":       map[string]any{"enabled": true, "password": i.AdminPassword, "secret": i.AdminSecret},
	}, "", "  ")
}
