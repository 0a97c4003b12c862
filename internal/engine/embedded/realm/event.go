package realm

import (
	"bytes"
	"encoding/json"
	"net/url"
	"strings"
	"unicode/utf8"

	lib "modernc.org/libquickjs"

	"github.com/usefloww/flowwd/internal/engine"
)

// event makes the values of an event's fields and of its body. Either may be
// an exception.
func (m *Machine) event(e engine.Event) (fields, body value) {
	text := e.Fields
	if len(text) == 0 {
		text = json.RawMessage("{}")
	}
	fields = m.parseJSON(text)
	if isException(fields) || !e.HasBody {
		return fields, undefined()
	}
	return fields, m.bodyValue(e.Body, e.ContentType)
}

// bodyValue turns raw bytes into what the handler gets as event.body.
func (m *Machine) bodyValue(body []byte, contentType string) value {
	if len(body) == 0 {
		return tagged(lib.EJS_TAG_NULL, 0)
	}
	switch engine.KindOf(contentType) {
	case engine.JSONBody:
		if !utf8.Valid(body) {
			return m.newString(string(body))
		}
		v := m.parseJSON(bytes.TrimPrefix(body, []byte("\uFEFF")))
		if !isException(v) || m.memory.Exhausted() {
			return v
		}
		m.exception()
		return m.newString(string(body))
	case engine.FormBody:
		return m.parseJSON(formJSON(string(body)))
	case engine.TextBody:
		return m.newString(string(body))
	case engine.MultipartBody:
		bytes := m.newBytes(body)
		if isException(bytes) {
			return bytes
		}
		v := m.call(m.entry.form, bytes, m.newString(contentType))
		if !isException(v) || m.memory.Exhausted() {
			return v
		}
		m.exception()
		return m.newBytes(body)
	default:
		return m.newBytes(body)
	}
}

// newBytes makes a Uint8Array.
func (m *Machine) newBytes(b []byte) value {
	buffer := m.newBuffer(b)
	if isException(buffer) {
		return buffer
	}
	defer m.free(buffer)
	size := 3 * int(valueSize)
	argv := m.tls.Alloc(size)
	defer m.tls.Free(size)
	*at[value](argv) = buffer
	*at[value](argv + valueSize) = undefined()
	*at[value](argv + 2*valueSize) = undefined()
	return lib.XJS_NewTypedArray(m.tls, m.ctx, 1, argv, lib.EJS_TYPED_ARRAY_UINT8)
}

// formJSON is a form as a JSON object: a text for each name, an array of texts
// for one that stands more than once. Malformed escapes stay as they are.
func formJSON(form string) []byte {
	var names []string
	values := map[string][]string{}
	for pair := range strings.SplitSeq(form, "&") {
		if pair == "" {
			continue
		}
		name, val, _ := strings.Cut(pair, "=")
		name, val = unescape(name), unescape(val)
		if _, ok := values[name]; !ok {
			names = append(names, name)
		}
		values[name] = append(values[name], val)
	}
	out := []byte{'{'}
	for i, name := range names {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(appendJSON(out, name), ':')
		if v := values[name]; len(v) == 1 {
			out = appendJSON(out, v[0])
		} else {
			out = appendJSON(out, v)
		}
	}
	return append(out, '}')
}

// appendJSON appends a text or texts, which always have a JSON form.
func appendJSON(out []byte, v any) []byte {
	text, err := json.Marshal(v)
	if err != nil {
		return append(out, "null"...)
	}
	return append(out, text...)
}

func unescape(text string) string {
	if plain, err := url.QueryUnescape(text); err == nil {
		return plain
	}
	return strings.ReplaceAll(text, "+", " ")
}
