package bundle

import (
	"bytes"
	"encoding/json"
	"strings"
)

// value is a JSON value of the kinds that exports and imports have. Objects
// keep their order, which decides between conditions.
type value struct {
	text   *string
	items  []*value // of an array
	keys   []string // of an object
	values []*value // of an object, beside keys
}

// parseValue returns nil when raw is absent, null, or of a kind that exports
// cannot have.
func parseValue(raw json.RawMessage) *value {
	if len(raw) == 0 {
		return nil
	}
	return readValue(json.NewDecoder(bytes.NewReader(raw)))
}

// readValue reads one value of a text that is known to be JSON, and so not
// nested deeper than the decoder allows.
func readValue(dec *json.Decoder) *value {
	token, err := dec.Token()
	if err != nil {
		return nil
	}
	switch token := token.(type) {
	case string:
		return &value{text: &token}
	case json.Delim:
		v := &value{}
		for dec.More() {
			if token == '{' {
				key, err := dec.Token()
				if err != nil {
					return nil
				}
				name, _ := key.(string)
				v.keys = append(v.keys, name)
				v.values = append(v.values, readValue(dec))
			} else {
				v.items = append(v.items, readValue(dec))
			}
		}
		if _, err := dec.Token(); err != nil {
			return nil
		}
		return v
	}
	return nil
}

// exported returns the path below the package that its exports give for a
// subpath such as "." or "./sub".
func (m *manifest) exported(subpath string, mode importMode) (string, bool) {
	table := m.exports
	if !table.hasSubpaths() {
		table = &value{keys: []string{"."}, values: []*value{m.exports}}
	}
	target, ok := table.lookUp(subpath, mode)
	return target, ok && strings.HasPrefix(target, "./")
}

// imported returns what the package's imports give for a name such as
// "#name": a path below the package, or the name of another package.
func (m *manifest) imported(name string, mode importMode) (string, bool) {
	if m.imports == nil {
		return "", false
	}
	target, ok := m.imports.lookUp(name, mode)
	return target, ok && target != "" && !strings.HasPrefix(target, "#")
}

func (v *value) hasSubpaths() bool {
	return len(v.keys) > 0 && strings.HasPrefix(v.keys[0], ".")
}

// lookUp finds name among the keys of a table: the equal one, else the pattern
// with the longest beginning.
func (v *value) lookUp(name string, mode importMode) (string, bool) {
	best, rest := -1, ""
	for i, key := range v.keys {
		if key == name && !strings.Contains(key, "*") {
			return v.values[i].target(mode, "")
		}
		before, after, isPattern := strings.Cut(key, "*")
		if !isPattern {
			if !strings.HasSuffix(key, "/") {
				continue
			}
			after = ""
		}
		fits := strings.HasPrefix(name, before) && strings.HasSuffix(name, after) && len(name) > len(before)+len(after)
		if fits && (best < 0 || len(key) > len(v.keys[best])) {
			best, rest = i, name[len(before):len(name)-len(after)]
		}
	}
	if best < 0 {
		return "", false
	}
	target, ok := v.values[best].target(mode, rest)
	if ok && strings.HasSuffix(v.keys[best], "/") {
		target += rest
	}
	return target, ok
}

// target returns the text of the first condition that holds, with rest in the
// place of *.
func (v *value) target(mode importMode, rest string) (string, bool) {
	if v == nil {
		return "", false
	}
	if v.text != nil {
		return strings.ReplaceAll(*v.text, "*", rest), true
	}
	for _, item := range v.items {
		if target, ok := item.target(mode, rest); ok {
			return target, true
		}
	}
	for i, condition := range v.keys {
		if !mode.holds(condition) {
			continue
		}
		if v.values[i] == nil {
			return "", false
		}
		if target, ok := v.values[i].target(mode, rest); ok {
			return target, true
		}
	}
	return "", false
}

// holds reports whether a condition of exports is true here. "node" is not; what
// packages have for workers and browsers needs the Web's interfaces alone.
func (m importMode) holds(condition string) bool {
	switch condition {
	case "default", "module", "worker", "browser":
		return true
	case "import":
		return m == byImport
	case "require":
		return m == byRequire
	default:
		return false
	}
}
