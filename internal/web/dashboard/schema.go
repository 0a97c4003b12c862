package dashboard

import (
	"bytes"
	"encoding/json"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/web/ui"
)

const (
	// maxFields is how many members of an input have a field of their own; an input
	// that may have more is written as JSON.
	maxFields = 50
	// shortText is the longest text that stands in one line, in characters.
	shortText = 200
)

// fieldKind is how a member of an input is filled in.
type fieldKind int

const (
	lineField fieldKind = iota
	textField
	numberField
	choiceField
	jsonField
)

// inputField is a member of an input as people fill it in.
type inputField struct {
	ui.Field
	// Property is the member's name.
	Property string
	Kind     fieldKind
	// Options are those of a choice; their values are JSON.
	Options []ui.Option
}

// schemaPart is what a form is made of in a JSON Schema. All of the schema counts
// when the input is checked.
type schemaPart struct {
	Type        typeNames         `json:"type"`
	Title       string            `json:"title"`
	Description string            `json:"description"`
	Format      string            `json:"format"`
	Default     json.RawMessage   `json:"default"`
	Enum        []json.RawMessage `json:"enum"`
	AnyOf       []json.RawMessage `json:"anyOf"`
	MaxLength   json.Number       `json:"maxLength"`
	Minimum     json.Number       `json:"minimum"`
	Maximum     json.Number       `json:"maximum"`
	Required    []string          `json:"required"`
	Properties  members           `json:"properties"`
}

// typeNames is one name of a type or several.
type typeNames []string

// UnmarshalJSON implements json.Unmarshaler.
func (t *typeNames) UnmarshalJSON(text []byte) error {
	var one string
	if json.Unmarshal(text, &one) == nil {
		*t = typeNames{one}
		return nil
	}
	return json.Unmarshal(text, (*[]string)(t))
}

// members are those of an object, in their order.
type members []member

type member struct {
	name  string
	value json.RawMessage
}

// UnmarshalJSON implements json.Unmarshaler.
func (m *members) UnmarshalJSON(text []byte) error {
	d := json.NewDecoder(bytes.NewReader(text))
	if _, err := d.Token(); err != nil {
		return err
	}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return err
		}
		var one member
		if err := d.Decode(&one.value); err != nil {
			return err
		}
		one.name, _ = name.(string) // names of members are texts
		*m = append(*m, one)
	}
	return nil
}

// fieldsOf are the fields for an input; none when it is to be written as JSON.
func fieldsOf(schema json.RawMessage) []inputField {
	var whole schemaPart
	// What can't be read here is checked all the same: it has no fields.
	if json.Unmarshal(schema, &whole) != nil || len(whole.Properties) > maxFields {
		return nil
	}
	var fields []inputField
	for i, p := range whole.Properties {
		fields = append(fields, fieldOf(p, "field-"+strconv.Itoa(i), slices.Contains(whole.Required, p.name)))
	}
	return fields
}

// fieldOf is the field for a member of an input.
func fieldOf(p member, name string, required bool) inputField {
	f := inputField{Field: ui.Field{Name: name, Label: p.name, Required: required, Autocomplete: "off"}, Property: p.name, Kind: jsonField}
	var part schemaPart
	if json.Unmarshal(p.value, &part) != nil {
		part = schemaPart{}
	}
	part = part.orNothing()
	if part.Title != "" {
		f.Label = part.Title
	}
	f.Hint = part.Description
	f.shape(part)
	if !required && f.Kind != choiceField {
		f.Label += " (optional)"
	}
	if f.Kind == jsonField {
		f.Plain, f.Hint = true, strings.TrimSpace(ui.Sentence(f.Hint)+" JSON.")
	}
	f.fill(part.Default)
	return f
}

// orNothing leaves null out of what a member may be: a field that is left empty is
// no member.
func (s schemaPart) orNothing() schemaPart {
	s.Type = slices.DeleteFunc(s.Type, func(name string) bool { return name == "null" })
	var others []schemaPart
	for _, text := range s.AnyOf {
		var one schemaPart
		if json.Unmarshal(text, &one) != nil {
			return s
		}
		if !slices.Equal(one.Type, typeNames{"null"}) {
			others = append(others, one)
		}
	}
	if len(others) != 1 || len(s.AnyOf) != 2 {
		return s
	}
	one := others[0]
	one.Default = s.Default
	if s.Title != "" {
		one.Title = s.Title
	}
	if s.Description != "" {
		one.Description = s.Description
	}
	return one
}

// shape says how a member is filled in.
func (f *inputField) shape(s schemaPart) {
	switch {
	case len(s.Enum) > 0:
		f.choose(s.Enum)
		return
	case len(s.Type) != 1:
		return
	}
	switch s.Type[0] {
	case "boolean":
		f.choose([]json.RawMessage{json.RawMessage("false"), json.RawMessage("true")})
		last := len(f.Options) - 1
		f.Options[last-1].Name, f.Options[last].Name = "no", "yes"
	case "integer", "number":
		f.Kind, f.Type, f.Step = numberField, "number", "any"
		if s.Type[0] == "integer" {
			f.Step = "1"
		}
		f.Least, f.Most = s.Minimum.String(), s.Maximum.String()
	case "string":
		f.Kind = lineField
		most, err := s.MaxLength.Int64()
		switch {
		case err == nil && most > shortText:
			f.Kind = textField
		case s.Format == "date" || s.Format == "email":
			f.Type = s.Format
		case s.Format == "uri":
			f.Type = "url"
		}
	}
}

// choose has a member be one of some values.
func (f *inputField) choose(values []json.RawMessage) {
	f.Kind = choiceField
	if !f.Required {
		f.Options = append(f.Options, ui.Option{Name: "(nothing)"})
	}
	for _, value := range values {
		f.Options = append(f.Options, ui.Option{Value: string(value), Name: plainText(value)})
	}
}

// fill puts a value into a field, as people would write it.
func (f *inputField) fill(value json.RawMessage) {
	switch {
	case len(value) == 0 || string(value) == "null":
	case f.Kind == choiceField:
		f.Value = string(value)
	case f.Kind == jsonField:
		f.Value = showJSON(value).Text
	default:
		f.Value = plainText(value)
	}
}

// plainText is a JSON text as people write it: a text without its quotes.
func plainText(value json.RawMessage) string {
	var text string
	if json.Unmarshal(value, &text) == nil {
		return text
	}
	return string(value)
}

// jsonNumber is what JSON takes as a number.
var jsonNumber = regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?$`)

// read makes JSON of what was filled in; nil for a member that was left out.
func (f *inputField) read() (json.RawMessage, error) {
	text := f.Value
	if f.Kind == numberField || f.Kind == jsonField {
		text = strings.TrimSpace(text)
	}
	if text == "" {
		return nil, nil
	}
	switch f.Kind {
	case numberField:
		if jsonNumber.MatchString(text) {
			return json.RawMessage(text), nil
		}
		return nil, fault.New(fault.Invalid, "This is no number")
	case choiceField:
		if slices.ContainsFunc(f.Options, func(o ui.Option) bool { return o.Value == f.Value }) {
			return json.RawMessage(f.Value), nil
		}
		return nil, fault.New(fault.Invalid, "This is none of the choices")
	case jsonField:
		if json.Valid([]byte(text)) {
			return json.RawMessage(text), nil
		}
		return nil, notJSON([]byte(text))
	}
	// Forms send lines with two characters at their ends.
	return json.Marshal(strings.ReplaceAll(text, "\r\n", "\n"))
}
