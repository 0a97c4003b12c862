package builtin

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/provider"
	"github.com/usefloww/flowwd/internal/workflow"
)

func formOf(t *testing.T, schema string) provider.Form {
	t.Helper()
	need, err := Provider{}.Check(workflow.Declaration{Type: onManual, Input: json.RawMessage(`{"name":"x","input_schema":` + schema + `}`)})
	if err != nil {
		t.Fatal(err)
	}
	return need.Form
}

// twice is a schema of so many steps, each of which refers to the next one twice.
func twice(keyword string, steps int, last string) string {
	var parts []string
	for i := range steps {
		parts = append(parts, fmt.Sprintf(`"s%d":{"%s":[{"$ref":"#/$defs/s%d"},{"$ref":"#/$defs/s%d"}]}`, i, keyword, i+1, i+1))
	}
	return fmt.Sprintf(`{"$ref":"#/$defs/s0","$defs":{%s,"s%d":%s}}`, strings.Join(parts, ","), steps, last)
}

// Schemas that take for ever are found out in a moment, whatever they are made
// of; the test would not end otherwise.
func TestSchemasThatTakeForEver(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("ab", 1<<18)
	for name, c := range map[string]struct{ schema, input string }{
		"all of":          {twice("allOf", 60, `true`), `{}`},
		"all that fails":  {twice("allOf", 60, `{"type":"string"}`), `{}`},
		"any that fails":  {twice("anyOf", 60, `{"type":"string"}`), `{}`},
		"one of":          {twice("oneOf", 60, `{"const":1}`), `{}`},
		"not":             {strings.Replace(twice("anyOf", 60, `false`), `"$ref"`, `"not":{"$ref":"#/$defs/s0"},"title"`, 1), `{}`},
		"by depth":        {`{"properties":{"a":{"allOf":[{"$ref":"#"},{"$ref":"#"}]}}}`, strings.Repeat(`{"a":`, 60) + "1" + strings.Repeat("}", 60)},
		"a long text":     {twice("allOf", 12, `{"pattern":"(a|b)*c$"}`), `"` + long + `"`},
		"a long constant": {twice("allOf", 18, `{"const":"`+long+`"}`), `"` + long + `"`},
		"dynamic":         {`{"$dynamicAnchor":"x","items":{"anyOf":[{"$dynamicRef":"#x"},{"$dynamicRef":"#x"}]},"type":"array"}`, strings.Repeat("[", 60) + "1" + strings.Repeat("]", 60)},
		"unevaluated":     {`{"allOf":[` + strings.TrimSuffix(strings.Repeat(`{"properties":{"a":{"$ref":"#"}}},`, 3), ",") + `],"unevaluatedProperties":false}`, strings.Repeat(`{"a":`, 60) + "{}" + strings.Repeat("}", 60)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := formOf(t, c.schema).(form)
			f.budget.most = 100_000 // to be quick
			_, err := f.Event("x", json.RawMessage(c.input))
			if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), errTooInvolved.Error()) {
				t.Errorf("got %.300v", err)
			}
		})
	}
}

// What schemas of forms are like is far from the bound, with large inputs too.
func TestLargeInputsAreChecked(t *testing.T) {
	t.Parallel()
	f := formOf(t, `{"type":"object","properties":{"rows":{"type":"array","uniqueItems":true,"items":{"$ref":"#/$defs/row"}}},"required":["rows"],
		"$defs":{"row":{"type":"object","properties":{"id":{"type":"integer","minimum":0},"name":{"type":"string","pattern":"^n","maxLength":20},"kind":{"enum":["a","b"]},"more":{"anyOf":[{"type":"null"},{"$ref":"#/$defs/row"}]}},
			"additionalProperties":false,"required":["id"]}}}`)
	var rows []string
	for i := range 20_000 {
		rows = append(rows, fmt.Sprintf(`{"id":%d,"name":"n%d","kind":"a","more":{"id":1}}`, i, i))
	}
	input := `{"rows":[` + strings.Join(rows, ",") + `]}`
	if _, err := f.Event("x", json.RawMessage(input)); err != nil {
		t.Errorf("an input of %d bytes: %v", len(input), err)
	}
	if _, err := f.Event("x", json.RawMessage(strings.Replace(input, `"kind":"a"`, `"kind":"c"`, 1))); err == nil || !strings.Contains(err.Error(), "rows.0") {
		t.Errorf("a wrong row: %v", err)
	}
}

// Schemas refer to themselves alone, and what is said about that names no folder
// of the server.
func TestSchemasReferToNoOthers(t *testing.T) {
	t.Parallel()
	for schema, says := range map[string]string{
		`{"$ref":"https://json-schema.org/draft/2020-12/schema"}`: "the one of schemas",
		`{"$ref":"file:///etc/passwd"}`:                           "another document",
		`{"$ref":"other.json"}`:                                   "another document",
		`{"$ref":"#/$defs/none"}`:                                 "not found",
	} {
		_, err := Provider{}.Check(workflow.Declaration{Type: onManual, Input: json.RawMessage(`{"name":"x","input_schema":` + schema + `}`)})
		if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), "builtin/") {
			t.Errorf("%s: %v", schema, err)
		}
	}
}
