package id

import (
	"strings"
	"testing"
)

// FuzzParse holds that an id has one spelling but for its case: what is taken is
// written back as it was.
func FuzzParse(f *testing.F) {
	for _, text := range []string{"", "0192f1a5-7d3c-7b6e-9f00-0123456789ab", "0192F1A5-7D3C-7B6E-9F00-0123456789AB", "0192f1a57d3c7b6e9f000123456789ab", "------------------------------------"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		x, err := Parse(text)
		if err != nil {
			if len(err.Error()) > 400 {
				t.Fatalf("the error has %d bytes", len(err.Error()))
			}
			return
		}
		if x.String() != strings.ToLower(text) {
			t.Fatalf("%q is read as %s", text, x)
		}
	})
}
