package secret

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"net/url"
	"slices"
	"strings"
)

// Redacted stands in the place of a secret in what code says.
const Redacted = "[redacted]"

const (
	// minRedacted is the length from which values are looked for, in bytes:
	// shorter ones stand in too much that is no secret.
	minRedacted = 6
	// minLine is the same for a line of a value of several.
	minLine = 16
)

// Redactor takes secrets out of texts: as they are, and in the forms that they
// have in JSON, in addresses and in base64. The zero Redactor changes nothing.
type Redactor struct{ replacer *strings.Replacer }

// NewRedactor looks for the values of a secret's fields.
func NewRedactor(secrets ...map[string]json.RawMessage) Redactor {
	forms := map[string]bool{}
	for _, fields := range secrets {
		for _, text := range fields {
			for _, value := range leaves(text) {
				addForms(forms, value)
			}
		}
	}
	if len(forms) == 0 {
		return Redactor{}
	}
	sorted := make([]string, 0, len(forms))
	for form := range forms {
		sorted = append(sorted, form)
	}
	// The longest goes first where several begin at one place.
	slices.SortFunc(sorted, func(a, b string) int { return cmp.Or(len(b)-len(a), strings.Compare(a, b)) })
	var pairs []string
	for _, form := range sorted {
		pairs = append(pairs, form, Redacted)
	}
	return Redactor{strings.NewReplacer(pairs...)}
}

// Text takes secrets out of a text.
func (r Redactor) Text(text string) string {
	if r.replacer == nil {
		return text
	}
	return r.replacer.Replace(text)
}

// JSON takes secrets out of a JSON text. What is no JSON without them, such as a
// number, becomes a JSON string.
func (r Redactor) JSON(text json.RawMessage) json.RawMessage {
	if r.replacer == nil || text == nil {
		return text
	}
	clean := r.replacer.Replace(string(text))
	if json.Valid([]byte(clean)) {
		return json.RawMessage(clean)
	}
	made, err := json.Marshal(clean)
	if err != nil {
		return json.RawMessage(`"` + Redacted + `"`)
	}
	return made
}

// leaves are the texts and numbers in a JSON text.
func leaves(text json.RawMessage) []string {
	var found []string
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case string:
			found = append(found, v)
		case json.Number:
			found = append(found, v.String())
		case []any:
			for _, item := range v {
				walk(item)
			}
		case map[string]any:
			for _, item := range v {
				walk(item)
			}
		}
	}
	dec := json.NewDecoder(strings.NewReader(string(text)))
	dec.UseNumber()
	var v any
	if dec.Decode(&v) == nil {
		walk(v)
	}
	return found
}

func addForms(forms map[string]bool, value string) {
	if len(value) < minRedacted {
		return
	}
	escaped, err := json.Marshal(value)
	if err == nil {
		forms[strings.Trim(string(escaped), `"`)] = true
	}
	query := url.QueryEscape(value)
	// Twice: what code wrote as JSON is written again in a result.
	for _, form := range []string{value, plainJSON(value), plainJSON(plainJSON(value)), query, strings.ReplaceAll(query, "+", "%20"), url.PathEscape(value)} {
		forms[form] = true
	}
	for shift := range 3 {
		addBase64(forms, value, shift)
	}
	for line := range strings.SplitSeq(value, "\n") {
		if line = strings.TrimSpace(line); line != value && len(line) >= minLine {
			forms[line] = true
		}
	}
}

// plainJSON is a text as JavaScript writes it in JSON, without quotes.
func plainJSON(value string) string {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if enc.Encode(value) != nil {
		return value
	}
	text := strings.TrimSpace(b.String())
	return text[1 : len(text)-1]
}

// addBase64 adds what is certain of a value's base64 when so many bytes, modulo
// 3, go before it: "user:password" in a header hides the password too.
func addBase64(forms map[string]bool, value string, shift int) {
	for _, encoding := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
		text := encoding.EncodeToString(append(make([]byte, shift), value...))
		// Characters at the borders hold bits of what is around.
		first := (shift*8 + 5) / 6
		last := (shift + len(value)) * 8 / 6
		if form := text[first:last]; len(form) >= minRedacted {
			forms[form] = true
		}
	}
}
