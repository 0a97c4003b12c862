package builtin

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/usefloww/flowwd/internal/provider"
)

// eventFields are the members of a webhook event other than its body, as an
// object: workflows-runtime.md 3.3. Names of headers are lower case and repeats
// are joined; of a repeated query parameter the last value counts, and queryAll
// has all of them. Params are those of the path, and of the query where the path
// has none of that name.
//
// Every event passes here, so that it writes what encoding/json would without
// reflection and without maps in between.
func eventFields(d provider.Delivery) json.RawMessage {
	b := make([]byte, 0, 512)
	b = appendText(append(b, `{"method":`...), d.Method)
	b = appendText(append(b, `,"path":`...), d.Path)

	headers := make([]member, 0, len(d.Header))
	for name, values := range d.Header {
		headers = append(headers, member{strings.ToLower(name), strings.Join(values, ", ")})
	}
	b = appendMembers(append(b, `,"headers":`...), headers)

	query := make([]member, 0, len(d.Query))
	for name, values := range d.Query {
		query = append(query, member{name, values[len(values)-1]})
	}
	b = appendMembers(append(b, `,"query":`...), query)
	b = appendAll(append(b, `,"queryAll":`...), d.Query)

	// What stands in the path can't be replaced by what stands behind it.
	params := make([]member, 0, len(d.Params)+len(query))
	for name, value := range d.Params {
		params = append(params, member{name, value})
	}
	for _, m := range query {
		if _, ok := d.Params[m.name]; !ok {
			params = append(params, m)
		}
	}
	b = appendMembers(append(b, `,"params":`...), params)
	return append(b, '}')
}

// member is a name and its value in an object.
type member struct{ name, value string }

// appendMembers appends an object, whose members it sorts. Of several with one
// name it takes one.
func appendMembers(b []byte, members []member) []byte {
	slices.SortFunc(members, func(x, y member) int {
		return cmp.Or(strings.Compare(x.name, y.name), strings.Compare(x.value, y.value))
	})
	members = slices.CompactFunc(members, func(x, y member) bool { return x.name == y.name })
	b = append(b, '{')
	for i, m := range members {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(appendText(b, m.name), ':')
		b = appendText(b, m.value)
	}
	return append(b, '}')
}

// appendAll appends an object of lists.
func appendAll(b []byte, all map[string][]string) []byte {
	if all == nil {
		return append(b, "null"...)
	}
	names := make([]string, 0, len(all))
	for name := range all {
		names = append(names, name)
	}
	slices.Sort(names)
	b = append(b, '{')
	for i, name := range names {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(appendText(b, name), ":["...)
		for j, value := range all[name] {
			if j > 0 {
				b = append(b, ',')
			}
			b = appendText(b, value)
		}
		b = append(b, ']')
	}
	return append(b, '}')
}

// appendText appends a string.
func appendText(b []byte, text string) []byte {
	for i := range len(text) {
		switch c := text[i]; {
		case c < ' ', c >= utf8.RuneSelf, c == '"', c == '\\', c == '<', c == '>', c == '&':
			escaped, _ := json.Marshal(text) // a string has an encoding
			return append(b, escaped...)
		}
	}
	return append(append(append(b, '"'), text...), '"')
}
