package builtin

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/provider"
	"github.com/usefloww/flowwd/internal/workflow"
)

// FuzzCheck gives any declaration to what plans triggers. What is taken can be
// used at once; what is not is the author's mistake, said in few words.
func FuzzCheck(f *testing.F) {
	f.Add(onWebhook, `{"path":"/a/:b/c","method":"put"}`, "", 0)
	f.Add(onCron, `{"expression":"*/5 0 9 * * MON-FRI"}`, "Europe/Berlin", 0)
	f.Add(onCron, `{"expression":"@daily"}`, "../../etc/passwd", 1)
	f.Add(onManual, `{"name":"a","input_schema":{"$defs":{"a":{"$ref":"#/$defs/a"}},"$ref":"#/$defs/a","pattern":"(a+)+$"}}`, "", 0)
	f.Add(onManual, `{"name":"a","input_schema":{"$ref":"file:///etc/passwd"}}`, "", 0)
	f.Add(workflow.OnFailure, `{}`, "", 1)
	f.Fuzz(func(t *testing.T, kind, input, timezone string, ordinal int) {
		need, err := Provider{}.Check(workflow.Declaration{
			Type: kind, Input: json.RawMessage(input), Ordinal: ordinal, Options: workflow.Options{Timezone: timezone},
		})
		if err != nil {
			if !fault.Is(err, fault.Invalid) || len(err.Error()) > 2000+7*len(input) {
				t.Fatalf("%s %s: %v", kind, input, err)
			}
			return
		}
		if w := need.Webhook; w != nil && (strings.Trim(w.Path, "/") != w.Path || len(w.Path) > maxPath || strings.Contains("/"+w.Path+"/", "/../")) {
			t.Fatalf("%s has the path %q", input, w.Path)
		}
		if s := need.Schedule; s != nil {
			now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
			if next := s.Next(now); !next.IsZero() && !next.After(now) {
				t.Fatalf("%s in %s comes next at %v", input, timezone, next)
			}
		}
		if need.Form != nil {
			if fields, err := need.Form.Event("somebody", json.RawMessage(`{"a":[1,"b",null]}`)); err == nil && !json.Valid(fields) {
				t.Fatalf("%s makes %s", input, fields)
			} else if err != nil && !fault.Is(err, fault.Invalid) {
				t.Fatalf("%s: %v", input, err)
			}
		}
	})
}

// FuzzReceive gives any request to what makes an event of it.
func FuzzReceive(f *testing.F) {
	f.Add("Stripe-Signature", "t=1", "a=1&a=2", "id", []byte(`{"id":"evt_1"}`))
	f.Add("X-Slack-Signature", "v0", "%zz", "", []byte(`{"event_id":{"a":1}}`))
	f.Add("Idempotency-Key", "k", "id=2", "x", []byte("\xff\x00"))
	f.Fuzz(func(t *testing.T, header, value, query, param string, body []byte) {
		q, _ := url.ParseQuery(query)
		h := http.Header{}
		h.Add(header, value)
		h.Add(header, value)
		d := provider.Delivery{Method: "POST", Path: "/webhook/x", Header: h, Query: q, Params: map[string]string{"id": param}, Body: body}
		got, err := Provider{}.Receive(workflow.Declaration{}, d)
		if err != nil {
			if !fault.Is(err, fault.Invalid) {
				t.Fatalf("%v is no Invalid", err)
			}
			return
		}
		if len(got.Key) > maxDeliveryKey+50 {
			t.Fatalf("the delivery's name has %d bytes", len(got.Key))
		}
		var fields webhookFields
		if err := json.Unmarshal(got.Fields, &fields); err != nil {
			t.Fatalf("%s: %v", got.Fields, err)
		}
		if want := encoded(t, d); string(got.Fields) != want {
			t.Fatalf("the fields are\n%s\nwant\n%s", got.Fields, want)
		}
		if want := strings.ToValidUTF8(param, "\ufffd"); len([]rune(fields.Params["id"])) < len([]rune(want)) {
			t.Fatalf("the parameter of the path is %q, want %q", fields.Params["id"], want)
		}
	})
}
