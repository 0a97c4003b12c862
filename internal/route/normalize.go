package route

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/usefloww/flowwd/internal/fault"
)

// maxDepth is how deep arrays and objects may be nested in a body.
const maxDepth = 64

// verbatim reports whether the value under a key (as normalised) belongs to
// the user, so that nothing inside it is renamed. The keys inside
// providerMappings are names that users chose.
func verbatim(key string) bool {
	switch key {
	case "input", "inputData", "data", "config", "value", "files", "providerMappings":
		return true
	}
	return false
}

// normalizeJSON checks that a body is one JSON value of bearable depth and
// writes its object keys in camelCase, whatever spelling the client uses.
// Values under verbatim keys keep their bytes. Two keys of an object that
// become the same are refused. The result is body itself when nothing had to
// be renamed.
func normalizeJSON(body []byte) ([]byte, error) {
	if len(bytes.TrimLeft(body, " \t\r\n")) == 0 {
		return nil, nil
	}
	if err := checkJSON(body); err != nil {
		return nil, err
	}
	n := normalizer{in: body}
	if err := n.value(false); err != nil {
		return nil, err
	}
	if n.copied == 0 {
		return body, nil
	}
	return append(n.out, body[n.copied:]...), nil
}

// anyJSON accepts every JSON value without looking at it.
type anyJSON struct{}

func (anyJSON) UnmarshalJSON([]byte) error { return nil }

// checkJSON finds out whether body is one JSON value in UTF-8.
func checkJSON(body []byte) error {
	if !utf8.Valid(body) {
		return notJSON(body, firstInvalid(body), "the text is not UTF-8")
	}
	err := json.Unmarshal(body, &anyJSON{})
	var syntax *json.SyntaxError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &syntax):
		// Offset counts the bytes that were read, the wrong one included.
		return notJSON(body, max(0, int(syntax.Offset)-1), syntax.Error())
	default:
		return notJSON(body, 0, err.Error())
	}
}

// firstInvalid returns where a text stops to be UTF-8.
func firstInvalid(text []byte) int {
	at := 0
	for at < len(text) {
		r, size := utf8.DecodeRune(text[at:])
		if r == utf8.RuneError && size == 1 {
			break
		}
		at += size
	}
	return at
}

func notJSON(body []byte, at int, why string) error {
	before := body[:min(at, len(body))]
	line := 1 + bytes.Count(before, []byte("\n"))
	column := len(before) - (bytes.LastIndexByte(before, '\n') + 1) + 1
	f := fault.New(fault.Invalid, "The body is not JSON: line %d, column %d (byte %d): %s", line, column, at, why)
	f.Fields = []fault.Field{{Location: "body", Message: why}}
	return f
}

// normalizer walks over a text that is known to be valid JSON.
type normalizer struct {
	in    []byte
	at    int
	depth int
	// out holds the result up to in[copied]; both are empty until a key
	// changes.
	out    []byte
	copied int
}

// value walks over one value. Inside a verbatim one only the depth counts.
func (n *normalizer) value(keep bool) error {
	n.space()
	switch n.in[n.at] {
	case '{':
		return n.nested('}', keep, n.member())
	case '[':
		return n.nested(']', keep, n.value)
	case '"':
		n.text()
	default:
		for n.at < len(n.in) && strings.IndexByte(",]} \t\r\n", n.in[n.at]) < 0 {
			n.at++
		}
	}
	return nil
}

// nested walks over the items between two brackets.
func (n *normalizer) nested(end byte, keep bool, item func(keep bool) error) error {
	if n.depth++; n.depth > maxDepth {
		return fault.New(fault.Invalid, "The body is nested too deep at byte %d: at most %d levels are allowed", n.at, maxDepth)
	}
	n.at++
	for n.space(); n.in[n.at] != end; n.space() {
		if err := item(keep); err != nil {
			return err
		}
		if n.space(); n.in[n.at] == ',' {
			n.at++
		}
	}
	n.at++
	n.depth--
	return nil
}

// member returns a function that walks over the members of one object.
func (n *normalizer) member() func(keep bool) error {
	var seen map[string]string
	return func(keep bool) error {
		from := n.at
		n.text()
		raw := n.in[from:n.at]
		n.space()
		n.at++ // the colon
		if keep {
			return n.value(true)
		}
		var key string
		if err := json.Unmarshal(raw, &key); err != nil {
			return notJSON(n.in, from, err.Error())
		}
		name := camelCase(key)
		if first, twice := seen[name]; twice {
			return twiceGiven("body", first, key)
		}
		if seen == nil {
			seen = make(map[string]string, 8)
		}
		seen[name] = key
		if name != key {
			// What changes has only letters, digits and underscores, so the
			// new key needs no escapes.
			n.out = append(n.out, n.in[n.copied:from]...)
			n.out = append(append(append(n.out, '"'), name...), '"')
			n.copied = from + len(raw)
		}
		return n.value(verbatim(name))
	}
}

// text walks over a string.
func (n *normalizer) text() {
	for n.at++; n.in[n.at] != '"'; n.at++ {
		if n.in[n.at] == '\\' {
			n.at++
		}
	}
	n.at++
}

func (n *normalizer) space() {
	for n.at < len(n.in) && (n.in[n.at] == ' ' || n.in[n.at] == '\t' || n.in[n.at] == '\r' || n.in[n.at] == '\n') {
		n.at++
	}
}

func twiceGiven(where, first, second string) error {
	f := fault.New(fault.Invalid, "%q is given twice", first)
	if first != second {
		f = fault.New(fault.Invalid, "%q and %q are two spellings of one name; give one of them", first, second)
	}
	f.Fields = []fault.Field{{Location: where + "." + camelCase(first), Message: "given twice"}}
	return f
}

// camelCase turns a key in snake_case (lower-case words joined by single
// underscores) into camelCase, and returns every other key as it is.
func camelCase(key string) string {
	if len(key) == 0 || key[0] < 'a' || key[0] > 'z' {
		return key
	}
	underscores := 0
	for i := 0; i < len(key); i++ {
		switch c := key[i]; {
		case 'a' <= c && c <= 'z', '0' <= c && c <= '9':
		case c == '_' && i+1 < len(key) && key[i+1] != '_':
			underscores++
		default:
			return key
		}
	}
	if underscores == 0 {
		return key
	}
	out := make([]byte, 0, len(key)-underscores)
	for i := 0; i < len(key); i++ {
		c := key[i]
		if c == '_' {
			i++
			if c = key[i]; 'a' <= c {
				c -= 'a' - 'A'
			}
		}
		out = append(out, c)
	}
	return string(out)
}

// normalizeQuery reads query parameters with their names in camelCase. A name
// that is given twice is refused, because one of the values would be lost.
func normalizeQuery(raw string) (url.Values, error) {
	if raw == "" {
		return nil, nil
	}
	given, err := url.ParseQuery(raw)
	if err != nil {
		return nil, fault.Because(err, fault.Invalid, "The query of the address can't be read: %v", err)
	}
	values := make(url.Values, len(given))
	spelling := make(map[string]string, len(given))
	for key, all := range given {
		name := camelCase(key)
		first, twice := spelling[name]
		if len(all) > 1 {
			first, twice = key, true
		}
		if twice {
			return nil, twiceGiven("query", min(first, key), max(first, key))
		}
		spelling[name] = key
		values[name] = all
	}
	return values, nil
}
