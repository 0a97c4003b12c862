package builtin

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/workflow"
)

func declared(kind, input string, options workflow.Options) workflow.Declaration {
	return workflow.Declaration{Type: kind, Input: json.RawMessage(input), Options: options}
}

func TestCheckRefuses(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, kind, input string
		options           workflow.Options
		says              string
	}{
		{"no expression", onCron, `{}`, workflow.Options{}, "needs an expression"},
		{"a mistake with its place", onCron, `{"expression":"0 25 * * *"}`, workflow.Options{}, `cron expression "0 25 * * *", column 3: the hour is 25`},
		{"unknown zone", onCron, `{"expression":"@daily"}`, workflow.Options{Timezone: "Mars/Olympus"}, `"Mars/Olympus" is no time zone`},
		{"the server's own zone", onCron, `{"expression":"@daily"}`, workflow.Options{Timezone: "Local"}, "is no time zone"},
		{"a zone by a path", onCron, `{"expression":"@daily"}`, workflow.Options{Timezone: "../../etc/passwd"}, "is no time zone"},
		{"unknown key", onCron, `{"expression":"@daily","tz":1}`, workflow.Options{}, "and nothing else"},
		{"zone of a webhook", onWebhook, `{}`, workflow.Options{Timezone: "UTC"}, "the option timezone belongs to onCron"},
		{"answer of a schedule", onCron, `{"expression":"@daily"}`, workflow.Options{HandlerResponds: true}, "the option respond belongs to onWebhook"},
		{"no name", onManual, `{}`, workflow.Options{}, "the name of onManual has 0 bytes"},
		{"a schema that is none", onManual, `{"name":"x","input_schema":{"type":"objekt"}}`, workflow.Options{}, `the input schema of onManual "x" is no JSON Schema: type: `},
		{"a schema that is a text", onManual, `{"name":"x","input_schema":"y"}`, workflow.Options{}, "is no JSON Schema"},
		{"a schema from elsewhere", onManual, `{"name":"x","input_schema":{"$ref":"http://127.0.0.1:1/x.json"}}`, workflow.Options{}, "can't refer to another document"},
		{"a schema from a file", onManual, `{"name":"x","input_schema":{"$ref":"file:///etc/passwd"}}`, workflow.Options{}, "can't refer to another document"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			_, err := Provider{}.Check(declared(tc.kind, tc.input, tc.options))
			if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), tc.says) {
				t.Errorf("error = %v, want an invalid fault with %q", err, tc.says)
			}
		})
	}
}

func TestCronEvent(t *testing.T) {
	t.Parallel()
	need, err := Provider{}.Check(declared(onCron, `{"expression":"0 9 * * *"}`, workflow.Options{Timezone: "Europe/Berlin"}))
	if err != nil {
		t.Fatal(err)
	}
	at := need.Schedule.Next(time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC))
	fields, err := need.Schedule.Event(at, at.Add(1500*time.Millisecond))
	want := `{"scheduledTime":"2026-07-01T07:00:00.000Z","actualTime":"2026-07-01T07:00:01.500Z","expression":"0 9 * * *"}`
	if err != nil || string(fields) != want {
		t.Errorf("event %s (%v), want %s", fields, err, want)
	}
}

func TestManualEvent(t *testing.T) {
	t.Parallel()
	const schema = `{"name":"x","description":"d","input_schema":{"type":"object","required":["n"],"additionalProperties":false,
		"properties":{"n":{"type":"integer","minimum":1},"when":{"type":"string"},"list":{"type":"array","items":{"type":"number"}}}}}`
	for _, tc := range []struct{ name, declared, input, want, refused string }{
		{"no schema", `{"name":"x"}`, `{"a":[1, 2]}`, `{"manually_triggered":true,"triggered_by":"u","input_data":{"a":[1,2]}}`, ""},
		{"no input", `{"name":"x"}`, ``, `{"manually_triggered":true,"triggered_by":"u","input_data":{}}`, ""},
		{"allowed", schema, `{"n":3}`, `{"manually_triggered":true,"triggered_by":"u","input_data":{"n":3}}`, ""},
		{"missing", schema, `{}`, "", "Input validation failed: missing property 'n'"},
		{"wrong type", schema, `{"n":"3"}`, "", "Input validation failed: n: got string, want integer"},
		{"too small", schema, `{"n":0}`, "", "n: minimum: got 0, want 1"},
		{"inside a list", schema, `{"n":1,"list":[1,"x"]}`, "", "list.1: got string, want number"},
		{"more than is known", schema, `{"n":1,"m":1}`, "", "additional properties 'm' not allowed"},
		{"no object", schema, `[]`, "", "got array, want object"},
		{"many mistakes", schema, `{"n":1,"list":["a","b","c","d","e","f","g"]}`, "", "; and 2 more"},
		{"no JSON", schema, `{`, "", "the input is no JSON"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			need, err := Provider{}.Check(declared(onManual, tc.declared, workflow.Options{}))
			if err != nil {
				t.Fatal(err)
			}
			fields, err := need.Form.Event("u", json.RawMessage(tc.input))
			if tc.refused != "" {
				if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), tc.refused) {
					t.Errorf("error = %v, want an invalid fault with %q", err, tc.refused)
				}
			} else if err != nil || string(fields) != tc.want {
				t.Errorf("event %s (%v), want %s", fields, err, tc.want)
			}
		})
	}
}
