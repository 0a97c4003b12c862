package ui

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/usefloww/flowwd/internal/fault"
)

// FuzzReadForm holds that a form is read or refused, and never more than what
// was sent.
func FuzzReadForm(f *testing.F) {
	const multi = "multipart/form-data; boundary=x"
	f.Add("application/x-www-form-urlencoded", []byte("next_url=/a&Name=b&name=c"))
	f.Add("application/json", []byte(`{"a_b":"c","d":1,"e":{"f":"g"}}`))
	f.Add(multi, []byte("--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nb\r\n--x--\r\n"))
	f.Add(multi, []byte("--x\r\nContent-Disposition: form-data; name=\"a\"; filename=\"../../b\"\r\n\r\nb\r\n--x--\r\n"))
	f.Add("multipart/form-data", []byte("x"))
	f.Add("text/plain; a=\"", []byte("%zz"))
	f.Add("", []byte(""))
	f.Fuzz(func(t *testing.T, kind string, body []byte) {
		r := httptest.NewRequest(http.MethodPost, "/", nil)
		r.Header.Set("Content-Type", kind)
		form, err := ReadForm(r, body)
		if err != nil {
			if !fault.Is(err, fault.Invalid) {
				t.Fatalf("%v is no Invalid", err)
			}
			return
		}
		size := 0
		for name, value := range form {
			if name != fold(name) {
				t.Fatalf("a field is named %q", name)
			}
			size += len(name) + len(value)
		}
		// A byte that is no UTF-8 becomes the three of U+FFFD in JSON, and a letter
		// grows by lowering its case.
		if size > 3*len(body) {
			t.Fatalf("%d bytes became %d", len(body), size)
		}
	})
}
