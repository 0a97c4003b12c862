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
		{"parameters", "onWebhook", `{"path":"a/:id/:_n2"}`, provider.WebhookNeed{Method: "POST", Path: "a/:id/:_n2"}, ""},
		{"colon inside", "onWebhook", `{"path":"a:b"}`, provider.WebhookNeed{Method: "POST", Path: "a:b"}, ""},
		{"parameter without name", "onWebhook", `{"path":"a/:"}`, provider.WebhookNeed{}, "its name must be letters"},
		{"parameter with a sign", "onWebhook", `{"path":":a-b"}`, provider.WebhookNeed{}, "its name must be letters"},
		{"parameter twice", "onWebhook", `{"path":":a/:a"}`, provider.WebhookNeed{}, "twice"},
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

func TestParams(t *testing.T) {
	t.Parallel()
	got, err := Provider{}.Receive(workflow.Declaration{}, provider.Delivery{
		Params: map[string]string{"id": "path"}, Query: url.Values{"id": {"query"}, "q": {"1"}},
	})
	want := `"query":{"id":"query","q":"1"},"queryAll":{"id":["query"],"q":["1"]},"params":{"id":"path","q":"1"}}`
	if err != nil || !strings.HasSuffix(string(got.Fields), want) {
		t.Errorf("fields %s (%v), want %s", got.Fields, err, want)
	}
}

func TestDeliveryNames(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		header http.Header
		body   string
		key    string
		varies bool
	}{
		{http.Header{"Idempotency-Key": {"k"}, "X-Github-Delivery": {"g"}}, "", "k", false},
		{http.Header{"X-Github-Delivery": {"g"}}, "", "x-github-delivery:g", true},
		{http.Header{"X-Gitlab-Event-Uuid": {"g"}}, "", "x-gitlab-event-uuid:g", true},
		{http.Header{"Linear-Delivery": {"g"}}, "", "linear-delivery:g", true},
		{http.Header{"X-Github-Delivery": {strings.Repeat("g", 256)}}, "", "", false},
		{http.Header{"Stripe-Signature": {"t=1"}}, `{"id":"evt_1"}`, "stripe-signature:evt_1", true},
		{http.Header{"Stripe-Signature": {"t=1"}}, `{"id":1}`, "", false},
		{http.Header{"Stripe-Signature": {"t=1"}}, `no JSON`, "", false},
		{http.Header{"X-Slack-Signature": {"v0"}}, `{"event_id":"Ev1","id":"x"}`, "x-slack-signature:Ev1", true},
		{http.Header{}, `{"id":"evt_1"}`, "", false},
	} {
		got, err := Provider{}.Receive(workflow.Declaration{}, provider.Delivery{Header: tc.header, Body: []byte(tc.body)})
		if err != nil || got.Key != tc.key || got.Varies != tc.varies {
			t.Errorf("%v %s: %q %v (%v), want %q %v", tc.header, tc.body, got.Key, got.Varies, err, tc.key, tc.varies)
		}
	}
}
