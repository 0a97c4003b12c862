package builtin

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/provider"
	"github.com/usefloww/flowwd/internal/workflow"
)

func TestCheck(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, typ, input string
		want             provider.WebhookNeed
		refused          string
	}{
		{"method defaults to POST", "onWebhook", `{}`, provider.WebhookNeed{Method: "POST"}, ""},
		{"path loses its slashes", "onWebhook", `{"path":"/a/b/","method":"put"}`, provider.WebhookNeed{Method: "PUT", Path: "a/b"}, ""},
		{"other trigger", "onStar", `{}`, provider.WebhookNeed{}, "not available here; available: onWebhook, onCron, onManual"},
		{"no object", "onWebhook", `[]`, provider.WebhookNeed{}, "must be an object"},
		{"absent input", "onWebhook", ``, provider.WebhookNeed{}, "must be an object"},
		{"unknown key", "onWebhook", `{"pth":"x"}`, provider.WebhookNeed{}, "nothing else"},
		{"number as path", "onWebhook", `{"path":1}`, provider.WebhookNeed{}, "must be an object"},
		{"odd method", "onWebhook", `{"method":"TRACE"}`, provider.WebhookNeed{}, "not one of GET"},
		{"empty path", "onWebhook", `{"path":" / "}`, provider.WebhookNeed{}, "is empty"},
		{"parent segment", "onWebhook", `{"path":"a/../b"}`, provider.WebhookNeed{}, "segments"},
		{"double slash", "onWebhook", `{"path":"a//b"}`, provider.WebhookNeed{}, "segments"},
		{"query", "onWebhook", `{"path":"a?b"}`, provider.WebhookNeed{}, "must not contain"},
		{"space", "onWebhook", `{"path":"a b"}`, provider.WebhookNeed{}, "white space"},
		{"too long", "onWebhook", `{"path":"` + strings.Repeat("a", 513) + `"}`, provider.WebhookNeed{}, "at most 512"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			need, err := Provider{}.Check(workflow.Declaration{Type: tc.typ, Input: json.RawMessage(tc.input)})
			if tc.refused != "" {
				if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), tc.refused) {
					t.Fatalf("error = %v, want an invalid fault with %q", err, tc.refused)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(&tc.want, need.Webhook); diff != "" {
				t.Errorf("need (-want +got):\n%s", diff)
			}
		})
	}
}

func TestReceive(t *testing.T) {
	t.Parallel()
	header := http.Header{"Content-Type": {"text/plain"}, "X-Two": {"a", "b"}, "Idempotency-Key": {"k1"}, "Webhook-Id": {"w1"}}
	got, err := Provider{}.Receive(workflow.Declaration{}, provider.Delivery{
		Method: "POST", Path: "/webhook/x", Header: header, Query: url.Values{"q": {"1", "2"}}, Body: []byte("hi"),
	})
	if err != nil {
		t.Fatal(err)
	}
	want := `{"method":"POST","path":"/webhook/x","headers":{"content-type":"text/plain","idempotency-key":"k1","webhook-id":"w1","x-two":"a, b"},` +
		`"query":{"q":"2"},"queryAll":{"q":["1","2"]},"params":{"q":"2"}}`
	if diff := cmp.Diff(want, string(got.Fields)); diff != "" {
		t.Errorf("fields (-want +got):\n%s", diff)
	}
	if got.Key != "k1" || got.ContentType != "text/plain" {
		t.Errorf("key %q, content type %q", got.Key, got.ContentType)
	}
	header.Del("Idempotency-Key")
	if got, _ := (Provider{}).Receive(workflow.Declaration{}, provider.Delivery{Header: header}); got.Key != "w1" {
		t.Errorf("key %q, want the Webhook-Id", got.Key)
	}
	header.Set("Idempotency-Key", strings.Repeat("k", 256))
	if _, err := (Provider{}).Receive(workflow.Declaration{}, provider.Delivery{Header: header}); !fault.Is(err, fault.Invalid) {
		t.Errorf("a key of 256 bytes: %v, want an invalid fault", err)
	}
}
