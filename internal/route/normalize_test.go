package route

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/usefloww/flowwd/internal/fault"
)

func TestCamelCase(t *testing.T) {
	t.Parallel()
	for given, want := range map[string]string{
		"workflow_id": "workflowId", "workflowId": "workflowId", "a_b_c": "aBC", "a1_2b": "a12b", "name": "name", "": "",
		"_private": "_private", "trailing_": "trailing_", "two__lines": "two__lines", "Upper_case": "Upper_case",
		"mixed_Case": "mixed_Case", "with-dash_x": "with-dash_x", "ünder_score": "ünder_score", "1_a": "1_a",
	} {
		if got := camelCase(given); got != want {
			t.Errorf("camelCase(%q) = %q, want %q", given, got, want)
		}
	}
}

func TestNormalizeJSON(t *testing.T) {
	t.Parallel()
	deep := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
	for _, c := range []struct{ name, in, want, wrong string }{
		{"nothing", "", "", ""},
		{"white space", " \n\t", "", ""},
		{"no object", `"workflow_id"`, `"workflow_id"`, ""},
		{"camel stays", `{"workflowId": 1}`, `{"workflowId": 1}`, ""},
		{"snake", `{"workflow_id": 1}`, `{"workflowId": 1}`, ""},
		{"bytes around stay", "{ \"a_b\" :\t[ 1.50 , -0e+7,true ,null]\n}", "{ \"aB\" :\t[ 1.50 , -0e+7,true ,null]\n}", ""},
		{"values stay", `{"a":"b_c"}`, `{"a":"b_c"}`, ""},
		{"nested", `{"a_b":[{"c_d":{"e_f":[]}}]}`, `{"aB":[{"cD":{"eF":[]}}]}`, ""},
		{"escaped key", `{"workflow\u005fid":1}`, `{"workflowId":1}`, ""},
		{"escaped value", `{"a_b":"\"}{\\","c_d":1}`, `{"aB":"\"}{\\","cD":1}`, ""},
		{"verbatim", `{"input":{"a_b":1, "a_b":2}}`, `{"input":{"a_b":1, "a_b":2}}`, ""},
		{"verbatim with a snake name", `{"input_data":{"a_b":1},"x_y":{"config":[{"a_b":{}}],"value":{"c_d":0},"files":{"e_f.ts":""}}}`,
			`{"inputData":{"a_b":1},"xY":{"config":[{"a_b":{}}],"value":{"c_d":0},"files":{"e_f.ts":""}}}`, ""},
		{"names of users", `{"provider_mappings":{"google_calendar":{"my_alias":"x"}}}`, `{"providerMappings":{"google_calendar":{"my_alias":"x"}}}`, ""},
		{"after a verbatim one", `{"input":{"a_b":{"c_d":[]}},"e_f":1}`, `{"input":{"a_b":{"c_d":[]}},"eF":1}`, ""},
		{"same key in different objects", `[{"a_b":1},{"a_b":2,"c":{"a_b":3}}]`, `[{"aB":1},{"aB":2,"c":{"aB":3}}]`, ""},
		{"as deep as allowed", deep(64), deep(64), ""},
		{"side by side", "[" + strings.Repeat("[],", 100) + `{"a_b":{}}]`, "[" + strings.Repeat("[],", 100) + `{"aB":{}}]`, ""},

		{"twice", `{"a":1,"a":2}`, "", `"a" is given twice`},
		{"twice by spelling", `{"workflowId":1,"workflow_id":2}`, "", `"workflowId" and "workflow_id" are two spellings of one name`},
		{"twice by escape", `{"a":1,"\u0061":2}`, "", `"a" is given twice`},
		{"twice inside", `{"x":[{"b_c":1,"bC":2}]}`, "", "two spellings"},
		{"too deep", deep(65), "", "nested too deep at byte 64"},
		{"too deep in a verbatim one", `{"input":` + deep(64) + `}`, "", "nested too deep"},
		{"far too deep", strings.Repeat("[", 1_000_000), "", "not JSON"},
		{"cut", `{"a":`, "", "line 1, column 5 (byte 4): unexpected end"},
		{"garbage behind", `{"a":1} x`, "", "line 1, column 9 (byte 8): invalid character 'x' after top-level value"},
		{"two values", `{} {}`, "", "after top-level value"},
		{"on another line", "{\n  \"a\": 1,\n  b: 2\n}", "", "line 3, column 3 (byte 14): invalid character 'b'"},
		{"no JSON", "a=1&b=2", "", "line 1, column 1 (byte 0)"},
		{"comment", `{"a":1 /* no */}`, "", "not JSON"},
		{"comma at the end", `{"a":1,}`, "", "not JSON"},
		{"bad number", `{"a":01}`, "", "not JSON"},
		{"line break in a text", "{\"a\":\"x\ny\"}", "", "not JSON"},
		{"not UTF-8", "{\"a\":\"x\xff\"}", "", "line 1, column 8 (byte 7): the text is not UTF-8"},
		{"byte order mark", "\ufeff{}", "", "line 1, column 1"},
		{"NaN", `{"a":NaN}`, "", "not JSON"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			given := []byte(c.in)
			got, err := normalizeJSON(given)
			if string(given) != c.in {
				t.Errorf("the body was changed to %q", given)
			}
			if c.wrong != "" {
				if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), c.wrong) {
					t.Errorf("got %v, want an Invalid with %q", err, c.wrong)
				}
				return
			}
			if err != nil || string(got) != c.want {
				t.Errorf("got %q and %v, want %q", got, err, c.want)
			}
		})
	}
}

// For whatever a client sends, the result is refused or is JSON of the same
// values, in which normalising changes nothing more.
func FuzzNormalizeJSON(f *testing.F) {
	for _, seed := range []string{
		`{"workflow_id":"x","code":{"files":{"main.ts":"a_b"},"entrypoint":"main.ts"}}`, `[1,-2.5e3,null,true,"\ud800"]`,
		`{"a_b":{"input":{"c_d":1}},"aB":2}`, `{"a\u005fb":"\\\""}`, "{\"\xff\":1}", `{"":{"":[]}}`, `[[[[[[`, `{"a":1}}`, " \n", "",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		got, err := normalizeJSON(body)
		if err != nil {
			if !fault.Is(err, fault.Invalid) || !utf8.ValidString(err.Error()) {
				t.Fatalf("%v is no Invalid in UTF-8", err)
			}
			return
		}
		if got == nil {
			if len(bytes.TrimSpace(body)) != 0 {
				t.Fatalf("%q became nothing", body)
			}
			return
		}
		var before, after any
		if err := json.Unmarshal(body, &before); err != nil {
			t.Fatalf("%q was taken: %v", body, err)
		}
		if err := json.Unmarshal(got, &after); err != nil {
			t.Fatalf("%q became %q: %v", body, got, err)
		}
		if !reflect.DeepEqual(renamed(before), after) {
			t.Fatalf("%q became %q", body, got)
		}
		again, err := normalizeJSON(got)
		if err != nil || !bytes.Equal(again, got) {
			t.Fatalf("%q became %q and then %q, %v", body, got, again, err)
		}
	})
}

// renamed says what normalising means, on decoded values.
func renamed(v any) any {
	switch v := v.(type) {
	case []any:
		for i := range v {
			v[i] = renamed(v[i])
		}
	case map[string]any:
		out := make(map[string]any, len(v))
		for key, inner := range v {
			name := camelCase(key)
			if !verbatim(name) {
				inner = renamed(inner)
			}
			out[name] = inner
		}
		return out
	}
	return v
}

// Both spellings of a body become the same.
func TestSpellingsBecomeOne(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		words := rapid.SliceOfNDistinct(rapid.StringMatching(`[a-z]{2,5}(_[a-z]{2,5}){0,2}`), 1, 6, camelCase).Draw(t, "keys")
		snake, camel := strings.Builder{}, strings.Builder{}
		for i, w := range words {
			if verbatim(camelCase(w)) {
				continue
			}
			value := rapid.SampledFrom([]string{`1`, `"a_b"`, `{"x_y":[]}`, `null`}).Draw(t, "value")
			camelValue := strings.ReplaceAll(value, "x_y", "xY")
			separator := ","
			if i == 0 || snake.Len() == 0 {
				separator = ""
			}
			fmt.Fprintf(&snake, "%s%q: %s", separator, w, value)
			fmt.Fprintf(&camel, "%s%q: %s", separator, camelCase(w), camelValue)
		}
		one, err1 := normalizeJSON([]byte("{" + snake.String() + "}"))
		two, err2 := normalizeJSON([]byte("{" + camel.String() + "}"))
		if err1 != nil || err2 != nil || !bytes.Equal(one, two) {
			t.Fatalf("%q, %v and %q, %v", one, err1, two, err2)
		}
	})
}

func TestNormalizeQuery(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		raw   string
		want  url.Values
		wrong string
	}{
		{"", nil, ""},
		{"workflow_id=a&limit=2", url.Values{"workflowId": {"a"}, "limit": {"2"}}, ""},
		{"workflowId=a%20b&x=", url.Values{"workflowId": {"a b"}, "x": {""}}, ""},
		{"limit=1&limit=2", nil, `"limit" is given twice`},
		{"workflow_id=1&workflowId=1", nil, `"workflowId" and "workflow_id" are two spellings of one name`},
		{"a=%zz", nil, "can't be read"},
		{"a=1;b=2", nil, "can't be read"},
	} {
		got, err := normalizeQuery(c.raw)
		if c.wrong != "" {
			if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), c.wrong) {
				t.Errorf("%q: got %v, want an Invalid with %q", c.raw, err, c.wrong)
			}
			continue
		}
		if diff := cmp.Diff(c.want, got); diff != "" || err != nil {
			t.Errorf("%q: %v %s", c.raw, err, diff)
		}
	}
}
