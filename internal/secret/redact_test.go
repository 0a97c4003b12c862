package secret

import (
	"encoding/base64"
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestRedactor(t *testing.T) {
	t.Parallel()
	r := NewRedactor(map[string]json.RawMessage{
		"token": json.RawMessage(`"s3cr3t/+=&\"<ü"`), "pin": json.RawMessage(`12345678`), "short": json.RawMessage(`"abc"`),
		"nested": json.RawMessage(`{"deep":["correct horse"]}`), "key": json.RawMessage(`"-----BEGIN-----\nMIIEvQIBADANBgkqh\n-----END-----"`),
	}, map[string]json.RawMessage{"longer": json.RawMessage(`"correct horse battery"`)})
	const token = `s3cr3t/+=&"<ü`
	for _, tc := range []struct{ text, want string }{
		{"plain text", "plain text"},
		{"it is " + token + "!", "it is [redacted]!"},
		{"abc is too short", "abc is too short"},
		{"pin 12345678", "pin [redacted]"},
		{"correct horse battery and correct horse", "[redacted] and [redacted]"},
		{"the line MIIEvQIBADANBgkqh alone", "the line [redacted] alone"},
		{url.QueryEscape(token), "[redacted]"},
		{"https://x/?t=" + strings.ReplaceAll(url.QueryEscape("correct horse"), "+", "%20"), "https://x/?t=[redacted]"},
		{`{"a":"s3cr3t/+=&\"<ü"}`, `{"a":"[redacted]"}`},
		{`"[\"s3cr3t/+=&\\\"<ü\"]"`, `"[\"[redacted]\"]"`},
		{`{"a":"s3cr3t/+=\u0026\"\u003cü"}`, `{"a":"[redacted]"}`},
	} {
		if got := r.Text(tc.text); got != tc.want {
			t.Errorf("%q becomes %q, want %q", tc.text, got, tc.want)
		}
	}
	if got := string(r.JSON(json.RawMessage(`[12345678,"x"]`))); got != `"[[redacted],\"x\"]"` {
		t.Errorf("a number in a result becomes %s", got)
	}
	if got := (Redactor{}).JSON(nil); got != nil {
		t.Errorf("nothing becomes %q", got)
	}
}

// Wherever a value stands in what is encoded, its base64 does not give it away.
func TestRedactorFindsBase64(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		value := rapid.StringMatching(`[a-zA-Z0-9/+ü-]{12,40}`).Draw(r, "value")
		text, err := json.Marshal(value)
		if err != nil {
			r.Fatal(err)
		}
		redactor := NewRedactor(map[string]json.RawMessage{"v": text})
		around := rapid.StringMatching(`[ -~]{0,20}`)
		encoding := rapid.SampledFrom([]*base64.Encoding{base64.StdEncoding, base64.URLEncoding, base64.RawURLEncoding}).Draw(r, "encoding")
		encoded := encoding.EncodeToString([]byte(around.Draw(r, "before") + value + around.Draw(r, "after")))
		if got := redactor.Text(encoded); !strings.Contains(got, Redacted) {
			r.Fatalf("%q stays as it is", got)
		}
	})
}
