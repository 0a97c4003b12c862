package realm_test

import (
	"strings"
	"testing"

	"github.com/usefloww/flowwd/internal/engine"
)

func TestEventBody(t *testing.T) {
	t.Parallel()
	m, load := machine(t)
	const show = `const b = event.body; return {
		type: b === null ? "null" : b instanceof Uint8Array ? "bytes" : Array.isArray(b) ? "array" : typeof b,
		value: b instanceof Uint8Array ? Array.from(b) : b,
		raw: new TextDecoder().decode(event.rawBody), same: event.rawBody === event.rawBody,
		keys: Object.keys(event),
	}`
	p := load(handler(show))
	for _, c := range []struct{ contentType, body, want string }{
		{"application/json", `{"a":[1,2.50,"é"]}`, `"object","value":{"a":[1,2.5,"é"]}`},
		{"application/json; charset=utf-8", ` [1] `, `"array","value":[1]`},
		{"application/vnd.github+json", `"x"`, `"string","value":"x"`},
		{"APPLICATION/JSON", `null`, `"null","value":null`},
		{"application/json", `{"a":`, `"string","value":"{\"a\":"`},
		{"application/json", `{"__proto__":{"x":1}}`, `"object","value":{"__proto__":{"x":1}}`},
		{"application/json", ``, `"null","value":null`},
		{"application/x-www-form-urlencoded", `a=1&b=x+y%21&a=2&c&=e&%zz=%&__proto__=p`, `"object","value":{"a":["1","2"],"b":"x y!","c":"","":"e","%zz":"%","__proto__":"p"}`},
		{"text/plain", `hé`, `"string","value":"hé"`},
		{"text/csv;header=present", "a,b", `"string","value":"a,b"`},
		{"application/xml", "<a/>", `"string","value":"<a/>"`},
		{"image/svg+xml", "<a/>", `"string","value":"<a/>"`},
		{"application/octet-stream", "ab", `"bytes","value":[97,98]`},
		{"", "ab", `"bytes","value":[97,98]`},
		{"multipart/form-data; boundary=x", "--x--", `"object","value":{}`},
		{"multipart/form-data; boundary=x", "--y", `"bytes","value":[45,45,121]`},
		{"multipart/form-data", "a", `"bytes","value":[97]`},
		{";;;", "a", `"bytes","value":[97]`},
	} {
		call := call()
		call.Event = engine.Event{Fields: []byte(`{"method":"POST"}`), HasBody: true, Body: []byte(c.body), ContentType: c.contentType}
		got, err := m.Run(p, call, &record{})
		if err != nil {
			t.Errorf("%s %s: %v", c.contentType, c.body, err)
			continue
		}
		if !strings.HasPrefix(string(got), `{"type":`+c.want+`,`) || !strings.HasSuffix(string(got), `"same":true,"keys":["method","body"]}`) {
			t.Errorf("%s %s: got %s, want %s", c.contentType, c.body, got, c.want)
		}
	}
}

func TestEventRawBodyIsExact(t *testing.T) {
	t.Parallel()
	m, load := machine(t)
	p := load(handler(`let sum = 0; for (const b of event.rawBody) sum = (sum * 31 + b) % 65521; return [event.rawBody.length, sum]`))
	body := make([]byte, 1<<20)
	sum := 0
	for i := range body {
		body[i] = byte(i * 7)
		sum = (sum*31 + int(body[i])) % 65521
	}
	call := call()
	call.Event = engine.Event{HasBody: true, Body: body}
	got, err := m.Run(p, call, &record{})
	if err != nil || string(got) != "[1048576,"+itoa(sum)+"]" {
		t.Errorf("got %s, %v; want the sum %d", got, err, sum)
	}
}

func TestEventWithoutBody(t *testing.T) {
	t.Parallel()
	m, load := machine(t)
	p := load(handler(`return [ctx, event, "body" in event, "rawBody" in event]`))
	call := call()
	call.Attempt = 3
	call.Event.Fields = []byte(`{"scheduled":"now"}`)
	got, err := m.Run(p, call, &record{})
	if want := `[{"executionId":"e","workflowId":"w","attempt":3},{"scheduled":"now"},false,false]`; err != nil || string(got) != want {
		t.Errorf("got %s, %v; want %s", got, err, want)
	}
}
