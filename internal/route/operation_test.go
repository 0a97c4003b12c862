package route

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/usefloww/flowwd/internal/access"
	"github.com/usefloww/flowwd/internal/fault"
)

var requiresDeploy = access.Requires(access.DeployWorkflow)

type makeInput struct {
	DryRun bool   `query:"dryRun"`
	Limit  int    `query:"limit" minimum:"1" maximum:"9" default:"5"`
	Fail   string `query:"fail"`
	Body   struct {
		FullName string         `json:"fullName" maxLength:"5" doc:"What it is called"`
		Count    int            `json:"count,omitempty"`
		Input    map[string]any `json:"input,omitempty"`
	}
}

type made struct {
	Thing    string         `json:"thing"`
	FullName string         `json:"fullName"`
	Count    int            `json:"count"`
	DryRun   bool           `json:"dryRun"`
	Limit    int            `json:"limit"`
	Input    map[string]any `json:"input"`
	Pattern  string         `json:"pattern"`
}

func newOperations(t *testing.T) bench {
	b := newBench(t)
	Operation(b.Router, Spec{
		Method: "POST", Path: "/my-things/{id}", Aliases: []string{"/my_things/{id}"}, Policy: requiresDeploy, Status: 201, BodyLimit: 2000, Timeout: time.Minute,
		OperationID: "make-thing", Summary: "Make", Tag: "Things",
	}, things(), func(_ context.Context, c Call[thing], in *makeInput) (*made, error) {
		switch in.Fail {
		case "conflict":
			return nil, fault.New(fault.Conflict, "taken")
		case "panic":
			panic("secret reason")
		case "nothing":
			return nil, nil
		}
		return &made{c.Object.ID.String(), in.Body.FullName, in.Body.Count, in.DryRun, in.Limit, in.Body.Input, c.Pattern}, nil
	})
	Operation(b.Router, Spec{Method: "GET", Path: "/my-things", Policy: requiresDeploy, OperationID: "list-things"}, NoObject(),
		func(_ context.Context, c Call[None], _ *struct{}) (*[]string, error) {
			return &[]string{c.Principal.Name}, nil
		})
	return b
}

func TestOperation(t *testing.T) {
	t.Parallel()
	b := newOperations(t)
	one := "/my-things/" + thing1.String()
	alias := "/my_things/" + thing1.String()
	result := func(name string, count int, dry bool, limit int, input, pattern string) string {
		text, _ := json.Marshal(made{thing1.String(), name, count, dry, limit, nil, pattern})
		return strings.Replace(string(text), `"input":null`, `"input":`+input, 1)
	}
	for _, c := range []struct {
		name, target, body string
		status             int
		want               string
	}{
		{"camelCase", one, `{"fullName":"a"}`, 201, result("a", 0, false, 5, "null", "/my-things/{id}")},
		{"snake_case", one + "?dry_run=true&limit=9", `{"full_name":"a","count":3}`, 201, result("a", 3, true, 9, "null", "/my-things/{id}")},
		{"alias", alias + "/", `{"full_name":"a"}`, 201, result("a", 0, false, 5, "null", "/my_things/{id}")},
		{"verbatim", one, `{"fullName":"a","input":{"b_c":[1]}}`, 201, result("a", 0, false, 5, `{"b_c":[1]}`, "/my-things/{id}")},
		{"unknown members", one + "?other=1", `{"fullName":"a","more":{"x":1}}`, 201, result("a", 0, false, 5, "null", "/my-things/{id}")},

		{"no body", one, ``, 400, "Request body is required"},
		{"only white space", one, "  \n", 400, "Request body is required"},
		{"no JSON", one, `{"fullName":`, 400, "The body is not JSON: line 1, column 12 (byte 11)"},
		{"missing", one, `{}`, 400, "The request is not valid: body: expected required property fullName to be present"},
		{"null", one, `null`, 400, "The request is not valid: body: expected object"},
		{"list", one, `[]`, 400, "body: expected object"},
		{"wrong type", one, `{"fullName":7}`, 400, "body.fullName: expected string"},
		{"too long", one, `{"fullName":"abcdef"}`, 400, "body.fullName: expected length <= 5"},
		{"no integer", one, `{"fullName":"a","count":1.5}`, 400, "body.count: expected integer"},
		{"huge integer", one, `{"fullName":"a","count":1e300}`, 400, "body"},
		{"two problems", one, `{"fullName":7,"count":"x"}`, 400, "and 1 more (see errors)"},
		{"twice", one, `{"fullName":"a","full_name":"b"}`, 400, "two spellings of one name"},
		{"query twice", one + "?limit=1&limit=2", `{"fullName":"a"}`, 400, `"limit" is given twice`},
		{"query no number", one + "?limit=x", `{"fullName":"a"}`, 400, "query.limit: invalid integer"},
		{"query too small", one + "?limit=0", `{"fullName":"a"}`, 400, "query.limit: expected number >= 1"},
		{"query too large", one + "?limit=10", `{"fullName":"a"}`, 400, "query.limit: expected number <= 9"},
		{"query no boolean", one + "?dryRun=2", `{"fullName":"a"}`, 400, "query.dryRun: invalid boolean"},
		{"too large", one, `{"fullName":"` + strings.Repeat("x", 2000) + `"}`, 413, "at most 2000 bytes"},
		{"fault", one + "?fail=conflict", `{"fullName":"a"}`, 409, "taken"},
		{"panic", one + "?fail=panic", `{"fullName":"a"}`, 500, "Something went wrong"},
		{"nothing returned", one + "?fail=nothing", `{"fullName":"a"}`, 500, "Something went wrong"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			a := b.ask(t, "POST", c.target, c.body, "Authorization: Bearer member")
			wantStatus(t, a, c.status)
			if got := a.header.Get("Content-Type"); got != "application/json" {
				t.Errorf("Content-Type: %q", got)
			}
			if c.status == 201 {
				if diff := cmp.Diff(c.want+"\n", a.text); diff != "" {
					t.Error(diff)
				}
				return
			}
			p := a.problem(t)
			if text, _ := p["error"].(string); !strings.Contains(text, c.want) || p["detail"] != p["error"] || p["status"] != float64(c.status) {
				t.Errorf("got %v, want an error with %q", p, c.want)
			}
		})
	}
}

func TestOperationNamesEveryWrongPart(t *testing.T) {
	t.Parallel()
	a := newOperations(t).ask(t, "POST", "/my-things/"+thing1.String()+"?limit=0", `{"full_name":7,"count":"x"}`, "Authorization: Bearer member")
	wantStatus(t, a, 400)
	var locations []string
	for _, e := range a.problem(t)["errors"].([]any) {
		locations = append(locations, e.(map[string]any)["location"].(string))
	}
	if diff := cmp.Diff([]string{"query.limit", "body.fullName", "body.count"}, locations, sorted); diff != "" {
		t.Error(diff)
	}
}

var sorted = cmp.Transformer("sorted", func(s []string) string {
	s = slices.Sorted(slices.Values(s))
	return strings.Join(s, " ")
})

// What a client says about types does not matter: bodies and answers are JSON.
func TestOperationToleratesContentTypes(t *testing.T) {
	t.Parallel()
	b := newOperations(t)
	for _, headers := range [][]string{
		{"Content-Type: text/plain"}, {"Content-Type: application/x-www-form-urlencoded"}, {"Content-Type: ;;"}, {"Accept: image/png"}, {"Accept: "},
	} {
		a := b.ask(t, "POST", "/my-things/"+thing1.String(), `{"fullName":"a"}`, append(headers, "Authorization: Bearer member")...)
		wantStatus(t, a, 201)
	}
	// The command line sends it with every GET.
	a := b.ask(t, "GET", "/my-things", "", "Content-Type: application/json", "Authorization: Bearer member")
	wantStatus(t, a, 200)
	if a.text != "[\"member\"]\n" {
		t.Errorf("got %s", a.text)
	}
}

func TestOperationIsGuarded(t *testing.T) {
	t.Parallel()
	b := newOperations(t)
	for key, status := range map[string]int{"": 401, "viewer": 403, "stranger": 404, "wrong": 401} {
		// The body is not looked at before the caller is known.
		a := b.ask(t, "POST", "/my-things/"+thing1.String(), "no JSON", "Authorization: Bearer "+key)
		wantStatus(t, a, status)
	}
}

func TestDescription(t *testing.T) {
	t.Parallel()
	b := newOperations(t)
	Raw(b.Router, Spec{Method: "GET", Path: "/stream/{id}", Policy: requiresDeploy, OperationID: "stream", ContentType: "text/event-stream", Stream: true}, things(), nil)
	b.get("/hidden", "hidden")
	text, err := b.Description()
	if err != nil {
		t.Fatal(err)
	}
	var d struct {
		OpenAPI string
		Info    struct{ Title, Version string }
		Paths   map[string]map[string]struct {
			OperationID string
			Security    []map[string][]string
			Parameters  []struct {
				Name, In string
				Required bool
			}
			RequestBody struct {
				Content map[string]struct{ Schema map[string]any }
			}
			Responses map[string]struct {
				Content map[string]struct{ Schema map[string]any }
			}
		}
		Components struct {
			Schemas         map[string]any
			SecuritySchemes map[string]map[string]string
		}
	}
	if err := json.Unmarshal(text, &d); err != nil {
		t.Fatal(err)
	}
	if d.OpenAPI != "3.1.0" || d.Info.Title != "test" || d.Info.Version != "1" || d.Components.SecuritySchemes["bearer"]["scheme"] != "bearer" {
		t.Errorf("got %+v", d)
	}
	post := d.Paths["/my-things/{id}"]["post"]
	if post.OperationID != "make-thing" || len(post.Security) != 1 || post.Responses["201"].Content["application/json"].Schema["$ref"] != "#/components/schemas/Made" {
		t.Errorf("make-thing is described as %+v", post)
	}
	if post.Responses["default"].Content["application/json"].Schema["$ref"] != "#/components/schemas/Problem" {
		t.Errorf("the failures of make-thing are described as %+v", post.Responses)
	}
	var names []string
	for _, p := range post.Parameters {
		names = append(names, p.In+" "+p.Name)
	}
	if diff := cmp.Diff([]string{"path id", "query dryRun", "query fail", "query limit"}, names, sorted); diff != "" {
		t.Error(diff)
	}
	if _, ok := d.Paths["/stream/{id}"]["get"].Responses["200"].Content["text/event-stream"]; !ok {
		t.Errorf("the stream is described as %+v", d.Paths["/stream/{id}"])
	}
	for _, hidden := range []string{"/hidden", "/my_things/{id}"} {
		if _, ok := d.Paths[hidden]; ok {
			t.Errorf("%s is described", hidden)
		}
	}
	for _, foreign := range []string{"ErrorModel", "ErrorDetail"} {
		if _, ok := d.Components.Schemas[foreign]; ok {
			t.Errorf("%s is described", foreign)
		}
	}
}
