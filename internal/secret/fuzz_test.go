package secret

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"net/url"
	"strings"
	"testing"
)

// FuzzOpen holds that nothing is opened that was not sealed.
func FuzzOpen(f *testing.F) {
	ring, err := ParseKeyring(base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{7}, keySize)))
	if err != nil {
		f.Fatal(err)
	}
	sealed, err := ring.Seal([]byte("text"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(sealed)
	f.Add(sealed[:len(sealed)-1])
	f.Add([]byte("gAAAAA"))
	f.Fuzz(func(t *testing.T, text []byte) {
		opened, err := ring.Open(text)
		// Base64 has spellings of one text that differ in padding and the last bits.
		if err == nil && !bytes.Equal(opened, []byte("text")) {
			t.Fatalf("%q is opened as %q", text, opened)
		}
	})
}

// FuzzRedactor holds that no form of a secret is left in a text, in which all
// else stays, and that JSON stays JSON.
func FuzzRedactor(f *testing.F) {
	f.Add("hunter2!", "the password is ", "and so on")
	f.Add("a b\"c\\d/é", "", "")
	f.Add("aaaaaaaa", "aaaa", "aaaa")
	f.Fuzz(func(t *testing.T, value, before, after string) {
		raw, err := json.Marshal(value)
		if err != nil || json.Unmarshal(raw, &value) != nil || len(value) < minRedacted || strings.ContainsAny(value, "[]") {
			return
		}
		r := NewRedactor(map[string]json.RawMessage{"x": raw})
		for _, form := range []string{value, url.QueryEscape(value), url.PathEscape(value), base64.StdEncoding.EncodeToString([]byte(value))} {
			if got := r.Text(before + form + after); strings.Contains(got, form) && !strings.Contains(Redacted, form) {
				t.Fatalf("%q is left in %q", form, got)
			}
		}
		text, err := json.Marshal(map[string]string{before: value, "y": after + value})
		if err != nil {
			return
		}
		if got := r.JSON(text); !json.Valid(got) {
			t.Fatalf("%s became %s", text, got)
		}
	})
}
