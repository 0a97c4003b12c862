package ui

import (
	"bytes"
	"encoding/json"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"

	"github.com/usefloww/flowwd/internal/fault"
)

// MaxForm is the greatest body of a form in bytes.
const MaxForm = 16 << 10

// Form is what was posted, by names in lower case without underscores, so that
// next_url and nextUrl are one.
type Form map[string]string

// Get returns the first of the names that was sent.
func (f Form) Get(names ...string) string {
	for _, name := range names {
		if value := f[name]; value != "" {
			return value
		}
	}
	return ""
}

func fold(name string) string { return strings.ToLower(strings.ReplaceAll(name, "_", "")) }

// ReadForm reads a form of either encoding, or a JSON object of texts.
func ReadForm(r *http.Request, body []byte) (Form, error) {
	f := Form{}
	kind, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil && len(body) > 0 {
		return nil, fault.New(fault.Invalid, "The request does not say in which form it is: send JSON or a form, with its Content-Type")
	}
	var values url.Values
	switch kind {
	case "application/json":
		return f, f.readJSON(body)
	case "multipart/form-data":
		var read *multipart.Form
		if read, err = multipart.NewReader(bytes.NewReader(body), params["boundary"]).ReadForm(MaxForm); err == nil {
			values = read.Value
			err = read.RemoveAll()
		}
	default:
		values, err = url.ParseQuery(string(body))
	}
	if err != nil {
		return nil, fault.Because(err, fault.Invalid, "The form can't be read")
	}
	for name, all := range values {
		f[fold(name)] = all[0]
	}
	return f, nil
}

func (f Form) readJSON(body []byte) error {
	if len(bytes.TrimSpace(body)) == 0 {
		return nil
	}
	var object map[string]any
	if err := json.Unmarshal(body, &object); err != nil {
		return fault.Because(err, fault.Invalid, "The body is no JSON object")
	}
	for name, value := range object {
		if text, ok := value.(string); ok {
			f[fold(name)] = text
		}
	}
	return nil
}
