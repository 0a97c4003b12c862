package apptest_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/usefloww/flowwd/internal/apptest"
	"github.com/usefloww/flowwd/internal/route"
)

// description is what the server says about its operations.
type description struct{ operations []operation }

type operation struct {
	method, path string
	parameters   []parameter
	// body is nil when there is none.
	body    *schema
	schemas map[string]*schema
}

type parameter struct {
	Name, In string
	Schema   *schema
}

type schema struct {
	Type       any
	Format     string
	Enum       []any
	Ref        string `json:"$ref"`
	Properties map[string]*schema
	Required   []string
	Items      *schema
	AnyOf      []*schema
	MinLength  *int
	MaxLength  *int
	Minimum    *float64
	Maximum    *float64
}

func readDescription(t *testing.T, c *apptest.Client) description {
	t.Helper()
	var document struct {
		Paths map[string]map[string]struct {
			Parameters  []parameter
			RequestBody *struct {
				Content map[string]struct{ Schema *schema }
			}
		}
		Components struct{ Schemas map[string]*schema }
	}
	r := c.Anonymous().Do(t, "GET", route.DescriptionPath, nil)
	if err := json.Unmarshal(r.Body, &document); err != nil {
		t.Fatalf("%s: %v", route.DescriptionPath, err)
	}
	var d description
	for path, methods := range document.Paths {
		for method, described := range methods {
			o := operation{method: strings.ToUpper(method), path: path, parameters: described.Parameters, schemas: document.Components.Schemas}
			if described.RequestBody != nil {
				o.body = described.RequestBody.Content["application/json"].Schema
			}
			d.operations = append(d.operations, o)
		}
	}
	if len(d.operations) < 100 {
		t.Fatalf("%d operations are described, want all", len(d.operations))
	}
	// What removes comes last, and the larger after the smaller: the others then
	// have something to find.
	slices.SortFunc(d.operations, func(a, b operation) int {
		return cmp.Or(a.removes()-b.removes(), strings.Compare(a.path, b.path), strings.Compare(a.method, b.method))
	})
	return d
}

func (o operation) removes() int {
	ends := o.method == http.MethodDelete || slices.ContainsFunc([]string{"/revoke", "/rotate", "/leave", "/sign-out", "/stop"}, func(word string) bool { return strings.HasSuffix(o.path, word) })
	switch {
	case !ends:
		return 0
	case strings.Contains(o.path, "organizations") || strings.Contains(o.path, "account"):
		return 2
	}
	return 1
}

// request is one that a client could send.
type request struct {
	path    string
	body    any
	headers []string
}

func (o operation) request(estates []*estate) *rapid.Generator[request] {
	return rapid.Custom(func(t *rapid.T) request {
		v := values{t: t, o: o, estate: rapid.SampledFrom(estates).Draw(t, "whose")}
		path, query := o.path, url.Values{}
		var r request
		for _, p := range o.parameters {
			switch p.In {
			case "path":
				path = strings.ReplaceAll(path, "{"+p.Name+"}", url.PathEscape(v.inPath(p.Name)))
			case "query":
				if rapid.IntRange(0, 2).Draw(t, "given") > 0 {
					query.Add(p.Name, text(v.of(p.Name, p.Schema, 0)))
				}
				if rapid.IntRange(0, 30).Draw(t, "twice") == 0 {
					query.Add(p.Name, "2")
				}
			default:
				r.headers = append(r.headers, p.Name, rapid.SampledFrom([]string{"", "wait=1", "wait=0", "wait=-1", "wait=x", "respond-async", "wait=99999999999999999999"}).Draw(t, p.Name))
			}
		}
		r.path = path
		if len(query) > 0 {
			r.path += "?" + query.Encode()
		}
		if o.body != nil || strings.HasPrefix(o.path, "/auth/") {
			r.body = v.body()
		}
		return r
	})
}

func text(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case float64:
		return strings.TrimSuffix(fmt.Sprintf("%f", v), ".000000")
	}
	b, _ := json.Marshal(v) // of what was made of JSON's own types
	return string(b)
}

// values draws what stands in a request.
type values struct {
	t      *rapid.T
	o      operation
	estate *estate
}

// odd is about one time of so many.
func (v values) odd(n int) bool { return rapid.IntRange(1, n).Draw(v.t, "odd") == 1 }

// about is what a name in a request stands for.
func (v values) about(name string) string {
	name = strings.ToLower(strings.ReplaceAll(name, "_", ""))
	switch {
	case name == "id":
		for prefix, kind := range map[string]string{
			"/api/workflows": "workflow", "/api/executions/workflows": "workflow", "/api/triggers/workflows": "workflow", "/api/executions/batches": "batch", "/api/executions/{": "execution",
			"/api/workflow-deployments": "deployment", "/api/triggers/{": "trigger", "/api/folders": "folder", "/api/namespaces": "namespace", "/api/secrets/{": "secret",
			"/api/secrets/namespace": "namespace", "/api/organizations": "organization", "/api/service_accounts": "account", "/api/dev": "session",
		} {
			if strings.HasPrefix(v.o.path, prefix) {
				return kind
			}
		}
	case strings.Contains(name, "folder"):
		return "folder"
	case name == "principalid" || name == "userid":
		return "account"
	case name == "resourceid":
		return "workflow"
	}
	for _, kind := range []string{"workflow", "namespace", "organization", "trigger", "account", "key"} {
		if name == kind+"id" {
			return kind
		}
	}
	return ""
}

// nowhere is an id of nothing.
const nowhere = "01920000-0000-7000-8000-000000000000"

func (v values) id(kind string) string {
	if ids := v.estate.ids[kind]; len(ids) > 0 && !v.odd(8) {
		return ids[0]
	}
	var others []string
	for _, kind := range []string{"workflow", "namespace", "organization", "execution", "account", "secret"} {
		others = append(others, v.estate.ids[kind]...)
	}
	return rapid.SampledFrom(append(others, nowhere, strings.ToUpper(nowhere), "x", "00000000-0000-0000-0000-000000000000", nowhere+"0")).Draw(v.t, "id")
}

func (v values) inPath(name string) string {
	switch {
	case name == "provider":
		return rapid.SampledFrom([]string{"default", "kv", "x", "a b"}).Draw(v.t, name)
	case v.about(name) != "" || strings.HasSuffix(strings.ToLower(name), "id"):
		return v.id(v.about(name))
	}
	return cmp.Or(strings.Trim(v.words(), "./"), "t")
}

// words are texts that mean something somewhere, or are hard to handle.
func (v values) words() string {
	return rapid.OneOf(rapid.SampledFrom([]string{
		"a", "t", "default", "read", "deploy", "invoke", "viewer", "member", "admin", "owner", "OWNER", "user", "service_account", "workflow", "folder", "organization",
		"failed", "completed", "replay", "cancel", "1-1", "2026-01-01T00:00:00Z", "9999-12-31T23:59:59.999Z", "0000-01-01T00:00:00+14:00", "ada@example.com", "true", "0", "-1", "1e400", "null",
		"", " ", "\x00", "a\x00b", "\u202egnp", "é\u0301", "😀", "\ufeff", "%00", "..", "a/../../b", `'; DROP TABLE executions; --`, `" OR 1=1`, "a%_\\", "${x}", "<script>alert(1)</script>",
		"a\r\nSet-Cookie: b=c", strings.Repeat("a", 256), strings.Repeat("é", 5000), "*/5 * * * *", "main.ts", "https://127.0.0.1/x",
	}), rapid.String()).Draw(v.t, "text")
}

// body is that of the operation, or no JSON of it at all.
func (v values) body() any {
	if v.o.body == nil || v.odd(12) {
		return rapid.SampledFrom([]string{
			"", "null", "[]", "{}", "{", `"x"`, "1e999", `{"a":1,"a":2}`, `{"name":"a","name":"b"}`, strings.Repeat("[", 20_000), strings.Repeat(`{"a":`, 5000) + "1" + strings.Repeat("}", 5000),
			"\xff\xfe", `{"name":"\ud800"}`, `{"__proto__":{"admin":true}}`, "a=b&c=d", " ", "\ufeff{}", `{"name":1e-400}`, `{"` + strings.Repeat("a", 100_000) + `":1}`,
		}).Draw(v.t, "body")
	}
	return text(v.of("", v.o.body, 0))
}

// of draws a value for a schema; now and then one of another.
func (v values) of(name string, s *schema, depth int) any {
	if s == nil {
		return v.anything(depth)
	}
	if after, ok := strings.CutPrefix(s.Ref, "#/components/schemas/"); ok {
		return v.of(name, v.o.schemas[after], depth)
	}
	if depth > 0 && v.odd(25) {
		return v.anything(depth)
	}
	if len(s.AnyOf) > 0 {
		return v.of(name, rapid.SampledFrom(s.AnyOf).Draw(v.t, "of"), depth)
	}
	if len(s.Enum) > 0 {
		return rapid.SampledFrom(s.Enum).Draw(v.t, name)
	}
	kind, _ := s.Type.(string)
	if several, ok := s.Type.([]any); ok {
		kind = rapid.SampledFrom(several).Draw(v.t, "type").(string)
	}
	switch kind {
	case "object":
		return v.object(s, depth)
	case "array":
		n := rapid.IntRange(0, 3).Draw(v.t, "items")
		if v.odd(50) {
			n = 300
		}
		all := make([]any, 0, n)
		for range n {
			all = append(all, v.of(name, s.Items, depth+1))
		}
		return all
	case "integer", "number":
		return rapid.SampledFrom(append(bounds(s), 0, 1, 2, 7, -1, 100, 101, math.MaxInt32, 1<<53, math.MaxInt64, math.MinInt64, 0.5)).Draw(v.t, name)
	case "boolean":
		return rapid.Bool().Draw(v.t, name)
	case "null":
		return nil
	case "string":
		return v.string(name, s)
	}
	return v.anything(depth)
}

func bounds(s *schema) []float64 {
	var all []float64
	for _, b := range []*float64{s.Minimum, s.Maximum} {
		if b != nil {
			all = append(all, *b-1, *b, *b+1)
		}
	}
	return all
}

func (v values) string(name string, s *schema) string {
	switch {
	case s.Format == "date-time" && !v.odd(4):
		return time.Date(2026, 1, rapid.IntRange(1, 28).Draw(v.t, "day"), 0, 0, 0, 0, time.UTC).Format(time.RFC3339)
	case v.about(name) != "":
		return v.id(v.about(name))
	case s.MaxLength != nil && v.odd(4):
		return strings.Repeat("a", *s.MaxLength+rapid.IntRange(-1, 1).Draw(v.t, "beside"))
	case strings.EqualFold(name, "email") && !v.odd(3):
		return "ada@example.com"
	}
	return v.words()
}

func (v values) object(s *schema, depth int) any {
	made := map[string]any{}
	names := make([]string, 0, len(s.Properties))
	for name := range s.Properties {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		if given := slices.Contains(s.Required, name) && !v.odd(20) || !slices.Contains(s.Required, name) && v.odd(2); !given || depth > 6 {
			continue
		}
		made[name] = v.of(name, s.Properties[name], depth+1)
	}
	if v.odd(10) {
		made[v.words()] = v.anything(depth + 1)
	}
	return made
}

// anything is any JSON.
func (v values) anything(depth int) any {
	switch n := rapid.IntRange(0, 7).Draw(v.t, "kind"); {
	case n == 0:
		return nil
	case n == 1:
		return rapid.Bool().Draw(v.t, "bool")
	case n == 2:
		return rapid.SampledFrom([]float64{0, -1, 1.5, 1e300, math.MaxInt64}).Draw(v.t, "number")
	case n == 3 && depth < 5:
		return []any{v.anything(depth + 1)}
	case n == 4 && depth < 5:
		return map[string]any{v.words(): v.anything(depth + 1)}
	}
	return v.words()
}
