package api

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/usefloww/flowwd/internal/fault"
)

// FuzzReadQuestion holds that what the realtime server asks is read whatever else
// it sends, and that what is no text is none.
func FuzzReadQuestion(f *testing.F) {
	for _, seed := range []string{`{"user":"u","channel":"workflow:x"}`, `{"user":1,"channel":["a"]}`, `{"USER":"a","user":"b"}`, `[]`, `null`, `{"channel":"\ud800"}`, `{`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		user, channel, err := readQuestion(body)
		if err != nil {
			if !fault.Is(err, fault.Invalid) {
				t.Fatalf("%v is no Invalid", err)
			}
			return
		}
		if !json.Valid(body) || len(user)+len(channel) > 3*len(body) {
			t.Fatalf("%q is read as %q, %q", body, user, channel)
		}
	})
}

// FuzzReadLoginFields holds that logins of command lines are read in either form
// or refused.
func FuzzReadLoginFields(f *testing.F) {
	f.Add("application/json", []byte(`{"device_code":"a","deviceCode":"b","c":{}}`))
	f.Add("application/x-www-form-urlencoded", []byte("grant_type=a&device_code=%zz"))
	f.Add("application/json; charset=x", []byte(`null`))
	f.Add("", []byte("a=b;c"))
	f.Fuzz(func(t *testing.T, kind string, body []byte) {
		fields, err := readLoginFields(http.Header{"Content-Type": {kind}}, body)
		if err != nil {
			if !fault.Is(err, fault.Invalid) {
				t.Fatalf("%v is no Invalid", err)
			}
			return
		}
		for name := range fields {
			if name != fieldName(name) || strings.Contains(name, "_") {
				t.Fatalf("a field is named %q", name)
			}
		}
	})
}

// FuzzBearerOf holds that a credential has no white space around it, and is part
// of the header.
func FuzzBearerOf(f *testing.F) {
	for _, seed := range []string{"Bearer a", "bearer  a b", "Basic x", "Bearer", " Bearer a"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, header string) {
		got := bearerOf(header)
		if strings.TrimSpace(got) != got || !strings.Contains(header, got) {
			t.Fatalf("%q holds %q", header, got)
		}
	})
}

// FuzzCursors gives any text to what reads the values of queries.
func FuzzCursors(f *testing.F) {
	for _, seed := range []string{"failed", "FAILED", "warn", "1-17", "0192f1a5-7d3c-7b6e-9f00-0123456789ab", "owner"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		_, state := parseState(text)
		_, level := parseLevel(text)
		_, cursor := parseCursor("query.after", text)
		_, one := parseOptionalID("query.id", text)
		_, role := readRole(text)
		for _, err := range []error{state, level, cursor, one, role} {
			if err != nil && !fault.Is(err, fault.Invalid) {
				t.Fatalf("%q: %v is no Invalid", text, err)
			}
		}
	})
}
