package apptest_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/usefloww/flowwd/internal/apptest"
)

// manualCode has a form with each kind of field, and one without a schema.
const manualCode = `
import { Builtin } from "floww";
const builtin = new Builtin();
builtin.triggers.onManual({
	name: "<b>Order</b>",
	description: "What <i>somebody</i> orders",
	inputSchema: {
		type: "object",
		required: ["who", "count", "size"],
		properties: {
			who: { type: "string", pattern: "^[a-z]+$", title: "Who \"><img src=x>", default: "ann" },
			count: { type: "integer", minimum: 1, maximum: 9 },
			price: { type: ["number", "null"] },
			size: { enum: ["small", "large", 3] },
			gift: { type: "boolean" },
			note: { type: "string", maxLength: 500 },
			lines: { type: "array", items: { type: "object", required: ["sku"], properties: { sku: { type: "string" } } } },
			user_id: { type: "string" },
			userId: { type: "string" },
		},
		additionalProperties: false,
	},
	handler: (_, event) => event.input_data,
});
builtin.triggers.onManual({ name: "Bare", handler: (_, event) => event.input_data });
`

// People run a workflow by a form that is made of its schema, which says at each
// field what is wrong.
func TestPageThatRunsAWorkflow(t *testing.T) {
	t.Parallel()
	s, b := withAda(t)
	d := s.Deploy(t, "orders", manualCode)
	plain := s.Deploy(t, "plain", apptest.Handler(`return 1`))
	at := "/workflows/" + d.WorkflowID
	run := at + "/run"
	wantText(t, b.Get(t, at), `href="`+run+`"`)
	if page := string(b.Get(t, "/workflows/"+plain.WorkflowID).Body); strings.Contains(page, "/run\"") {
		t.Error("a workflow without a form can be run")
	}
	wantText(t, b.Get(t, "/workflows/"+plain.WorkflowID+"/run"), "Nothing of this workflow is run by hand")

	form := b.Get(t, run)
	wantText(t, form, "&lt;b&gt;Order", "What &lt;i&gt;somebody", `&#34;&gt;&lt;img src=x&gt;`, `value="ann"`, `type="number"`, `step="1"`, `min="1"`, `max="9"`,
		"price (optional)", "(nothing)", `value="&#34;large&#34;"`, ">yes<", "note (optional)", "lines (optional)", "userId (optional)", "Write it as JSON", ">Bare<")
	if page := string(form.Body); strings.Contains(page, "<b>Order") || strings.Contains(page, "<img src=x>") || strings.Contains(page, ` style="`) {
		t.Error("the form has hostile texts as they are, or style")
	}
	trigger := between(t, string(form.Body), `name="trigger" value="`, `"`)
	fields := []string{"who", "count", "price", "size", "gift", "note", "lines", "user_id", "userId"}
	filled := func(values map[string]string) map[string]string {
		all := map[string]string{"trigger": trigger}
		for i, name := range fields {
			all["field-"+string(rune('0'+i))] = values[name]
		}
		return all
	}
	right := map[string]string{"who": "ben", "count": " 2 ", "price": "1.50", "size": `"large"`, "gift": "false", "note": "a\r\nb", "lines": `[{"sku": "x"}]`, "user_id": "1", "userId": "2"}
	ran := s.Ended(t, strings.TrimPrefix(b.Post(t, run, filled(right)).Location(t), "/executions/"))
	if got, want := string(ran.Result), `{"count":2,"gift":false,"lines":[{"sku":"x"}],"note":"a\nb","price":1.50,"size":"large","userId":"2","user_id":"1","who":"ben"}`; !sameJSON(t, got, want) {
		t.Errorf("the form made %s, want %s", got, want)
	}
	for name, c := range map[string]struct {
		values map[string]string
		has    []string
	}{
		"nothing": {nil, []string{"It did not run: see what is wrong below.", `id="field-0-error">Must be given.`, `id="field-1-error">Must be given.`, `id="field-3-error">Must be given.`}},
		"what the schema does not allow": {map[string]string{"who": "BEN<b>", "count": "10", "size": "3"},
			[]string{`value="BEN&lt;b&gt;"`, `id="field-0-error">Must match ^[a-z]+$.`, `id="field-1-error">Must be at most 9.`, `selected>3<`}},
		"what no field takes": {map[string]string{"who": "ben", "count": "ten", "size": "huge", "lines": "[\n<b>"},
			[]string{"This is no number.", "This is none of the choices.", "This is no JSON: line 2"}},
		"what is wrong inside": {map[string]string{"who": "ben", "count": "1", "size": "3", "lines": `[{}]`}, []string{"0.sku: must be given."}},
	} {
		r := b.Post(t, run, filled(c.values))
		if r.Status != http.StatusBadRequest || strings.Contains(string(r.Body), "BEN<b>") {
			t.Errorf("%s: %d", name, r.Status)
		}
		hasAndLacks(t, name, string(r.Body), c.has, nil)
	}
	later := filled(right)
	later["at"] = "2001-01-01T00:00"
	if r := b.Post(t, run, later); r.Status != 400 || !strings.Contains(string(r.Body), "which has passed") {
		t.Errorf("a run in the past: %s", r)
	}

	whole := b.Get(t, run+"?as=json&trigger="+trigger)
	wantText(t, whole, "Fill in fields", "&#34;who&#34;: &#34;ann&#34;")
	ran = s.Ended(t, strings.TrimPrefix(b.Post(t, run, map[string]string{"trigger": trigger, "input": `{"who": "eve", "count": 1, "size": 3}`}).Location(t), "/executions/"))
	if got := string(ran.Result); !sameJSON(t, got, `{"who":"eve","count":1,"size":3}`) {
		t.Errorf("the input as JSON made %s", got)
	}
	for input, text := range map[string]string{`{`: "This is no JSON: line 1", `{"who": 1}`: "Input validation failed", "": "This is no JSON"} {
		if r := b.Post(t, run, map[string]string{"trigger": trigger, "input": input}); r.Status != 400 || !strings.Contains(string(r.Body), text) {
			t.Errorf("the input %s: %s", input, r)
		}
	}
	bare := between(t, string(form.Body), `/run?trigger=`, `"`)
	if bare == trigger {
		bare = between(t, strings.Replace(string(form.Body), "/run?trigger="+trigger, "", 3), `/run?trigger=`, `"`)
	}
	wantText(t, b.Get(t, run+"?trigger="+bare), `name="input"`)
	for _, named := range []string{"x", plain.WorkflowID} {
		if r := b.Get(t, run+"?trigger="+named, "Accept", "text/html"); r.Status != http.StatusNotFound {
			t.Errorf("the trigger %s: %d", named, r.Status)
		}
	}
	refusesOthers(t, s, run)
}

// refusesOthers checks that a page and what is posted to it is nothing to another
// tenant, and that viewers may not use it.
func refusesOthers(t *testing.T, s *apptest.Server, path string) {
	t.Helper()
	viewer, other := s.RoleClient(t, "viewer"), s.OtherTenant(t)
	for _, method := range []string{"GET", "POST"} {
		if r := viewer.Do(t, method, path, "", "Content-Type", "application/x-www-form-urlencoded", "Accept", "text/html"); r.Status != http.StatusForbidden {
			t.Errorf("%s %s by a viewer: %d, want 403", method, path, r.Status)
		}
		if r := other.Do(t, method, path, "", "Content-Type", "application/x-www-form-urlencoded", "Accept", "text/html"); r.Status != http.StatusNotFound {
			t.Errorf("%s %s by another tenant: %d, want 404", method, path, r.Status)
		}
	}
}

// sameJSON reports whether two texts are the same value.
func sameJSON(t *testing.T, a, b string) bool {
	t.Helper()
	var values [2]any
	for i, text := range []string{a, b} {
		if err := json.Unmarshal([]byte(text), &values[i]); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
	}
	return cmp.Equal(values[0], values[1])
}

// between returns what is between two parts of a text.
func between(t *testing.T, text, begin, end string) string {
	t.Helper()
	_, rest, found := strings.Cut(text, begin)
	inner, _, ends := strings.Cut(rest, end)
	if !found || !ends {
		t.Fatalf("there is nothing between %q and %q in %.2000s", begin, end, text)
	}
	return inner
}
