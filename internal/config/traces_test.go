package config

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestTraceHeaders(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]http.Header{
		"":                           {},
		" api-key = a%2Cb , x-b=c=d": {"Api-Key": {"a,b"}, "X-B": {"c=d"}},
		"secret":                     nil,
		"=secret":                    nil,
		"a b=secret":                 nil,
		"a=secret%0d%0ax:y":          nil,
		"a=secret%":                  nil,
	} {
		traces := Traces{TraceHeaders: text}
		got, err := traces.Headers()
		if (want == nil) != (err != nil) || !cmp.Equal(want, got) || err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("%q is read as %v, %v", text, got, err)
		}
	}
}
