package builtin

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/usefloww/flowwd/internal/provider"
)

// webhookFields are what eventFields writes.
type webhookFields struct {
	Method   string              `json:"method"`
	Path     string              `json:"path"`
	Headers  map[string]string   `json:"headers"`
	Query    map[string]string   `json:"query"`
	QueryAll map[string][]string `json:"queryAll"`
	Params   map[string]string   `json:"params"`
}

// encoded is what encoding/json makes of a delivery.
func encoded(t *testing.T, d provider.Delivery) string {
	t.Helper()
	want := webhookFields{d.Method, d.Path, map[string]string{}, map[string]string{}, d.Query, map[string]string{}}
	for name, values := range d.Header {
		want.Headers[strings.ToLower(name)] = strings.Join(values, ", ")
	}
	for name, values := range d.Query {
		want.Query[name] = values[len(values)-1]
	}
	maps.Copy(want.Params, want.Query)
	maps.Copy(want.Params, d.Params)
	b, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestFieldsAreThoseOfTheEncoder(t *testing.T) {
	t.Parallel()
	texts := []string{
		"", "plain", "with \"quotes\" and \\", "<a href='x'>&amp;</a>", "Zürich ☃ \U0001f600", "\xff\xfe broken",
		"\u2028\u2029", "\x00\x01\x1f\t\n\r\b\f", "\x7f", "~}|{", "/", strings.Repeat("long ", 200),
	}
	for c := range 256 {
		texts = append(texts, string([]byte{'a', byte(c), 'z'}))
	}
	for _, text := range texts {
		d := provider.Delivery{
			Method: text, Path: text,
			Header: http.Header{"X-B": {text, text}, "A": {text}, text: {"x"}},
			Query:  url.Values{text: {"1", text}, "b": {text}, "a": {"last", "first"}},
			Params: map[string]string{"a": text, text: "of the path"},
		}
		if got, want := string(eventFields(d)), encoded(t, d); got != want {
			t.Errorf("the fields with %q are\n%s\nwant\n%s", text, got, want)
		}
	}
	for _, d := range []provider.Delivery{
		{}, {Header: http.Header{}, Query: url.Values{}, Params: map[string]string{}},
		{Header: http.Header{"Empty": {}}, Params: map[string]string{"only": "path"}},
	} {
		if got, want := string(eventFields(d)), encoded(t, d); got != want {
			t.Errorf("the fields of %+v are\n%s\nwant\n%s", d, got, want)
		}
	}
}

func TestNamesOfHeadersAreAsKept(t *testing.T) {
	t.Parallel()
	names := slices.Clone(deliveryHeaders)
	for _, sender := range bodyNames {
		names = append(names, sender.header)
	}
	for _, name := range names {
		if kept := http.CanonicalHeaderKey(name); name != kept {
			t.Errorf("%s is kept as %s", name, kept)
		}
	}
}

// BenchmarkReceive makes an event of a delivery as a simple client sends it.
func BenchmarkReceive(b *testing.B) {
	d := provider.Delivery{
		Method: "POST", Path: "/webhook/hello", Query: url.Values{}, Body: []byte(`{"name":"bench"}`),
		Header: http.Header{"Content-Type": {"application/json"}, "Content-Length": {"16"}, "User-Agent": {"Go-http-client/1.1"}, "Accept-Encoding": {"gzip"}},
	}
	b.ReportAllocs()
	for b.Loop() {
		deliveryKey(d)
		eventFields(d)
	}
}
