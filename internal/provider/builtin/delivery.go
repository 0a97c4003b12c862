package builtin

import (
	"encoding/json"
	"strings"

	"github.com/usefloww/flowwd/internal/provider"
)

// deliveryHeaders are those by which senders name a delivery, the same when
// they send it again. They are spelled as net/http keeps them, which spares
// spelling them anew for each delivery.
var deliveryHeaders = []string{ //nolint:gochecknoglobals // a table
	"X-Github-Delivery",
	"X-Gitea-Delivery",
	"X-Forgejo-Delivery",
	"X-Gitlab-Event-Uuid",
	"X-Request-Uuid", // Bitbucket
	"X-Atlassian-Webhook-Identifier",
	"Linear-Delivery",
	"X-Shopify-Webhook-Id",
	"I-Twilio-Idempotency-Token",
	"X-Zendesk-Webhook-Invocation-Id",
	"Svix-Id",
}

// bodyNames are senders whose name of a delivery is a member of the body; the
// header tells such a sender.
var bodyNames = []struct{ header, member string }{ //nolint:gochecknoglobals // a table
	{"Stripe-Signature", "id"},
	{"X-Slack-Signature", "event_id"},
}

// deliveryKey returns the sender's name of a delivery: the Idempotency-Key
// (draft-ietf-httpapi-idempotency-key-header), the Webhook-Id (Standard
// Webhooks), or what a known sender uses. Varies says that the sender promises
// nothing about the body of the next try.
func deliveryKey(d provider.Delivery) (key string, varies bool) {
	for _, name := range []string{"Idempotency-Key", "Webhook-Id"} {
		if key := d.Header.Get(name); key != "" {
			return key, false
		}
	}
	for _, name := range deliveryHeaders {
		if key := d.Header.Get(name); key != "" && len(key) <= maxDeliveryKey {
			return strings.ToLower(name) + ":" + key, true
		}
	}
	for _, sender := range bodyNames {
		if d.Header.Get(sender.header) == "" {
			continue
		}
		var members map[string]json.RawMessage
		var key string
		if json.Unmarshal(d.Body, &members) == nil && json.Unmarshal(members[sender.member], &key) == nil && key != "" && len(key) <= maxDeliveryKey {
			return strings.ToLower(sender.header) + ":" + key, true
		}
	}
	return "", false
}
