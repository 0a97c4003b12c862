package apptest_test

import (
	"strings"
	"testing"
	"time"

	"github.com/usefloww/flowwd/internal/apptest"
	"github.com/usefloww/flowwd/internal/config"
)

// Each of these handlers tries to take more than its share or to get out. The
// run must end with a reason, and the server and the other runs must go on.
func TestHostileCodeFailsAlone(t *testing.T) {
	t.Parallel()
	s := apptest.Start(t, apptest.Options{Settings: func(c *config.Settings) { c.RunTimeout = 4 * time.Second }})
	good := s.Deploy(t, "good", apptest.Handler(`return "fine"`))
	for name, tc := range map[string]struct{ code, status, message string }{
		"loops for ever":         {`for (;;) {}`, "timeout", "4s"},
		"loops in promises":      {`for (;;) await null;`, "timeout", "4s"},
		"waits for ever":         {`await new Promise((r) => setTimeout(r, 1e9));`, "timeout", "4s"},
		"never settles":          {`await new Promise(() => {});`, "failed", "settle"},
		"allocates for ever":     {`const a: any[] = []; for (;;) a.push(new Array(100000).fill("x"));`, "failed", "memory"},
		"allocates and catches":  {`const a: any[] = []; for (;;) { try { a.push(new Uint8Array(1 << 20).fill(1)); } catch {} }`, "", ""},
		"recurses for ever":      {`const f = (): any => f() + 1; f();`, "failed", "stack"},
		"backtracks for ever":    {`/^(a+)+$/.test("a".repeat(50) + "!");`, "timeout", "4s"},
		"throws text":            {`throw "plain text";`, "failed", "plain text"},
		"throws nothing":         {`throw undefined;`, "failed", "undefined"},
		"throws an object":       {`throw { code: 7 };`, "failed", "7"},
		"rejects later":          {`Promise.resolve().then(() => { throw new Error("later") }); await new Promise((r) => setTimeout(r, 50));`, "failed", "later"},
		"returns too much":       {`return "x".repeat(2 << 20);`, "failed", "result"},
		"returns a function":     {`return () => 1;`, "", ""},
		"wants process":          {`return (globalThis as any).process.binding("fs");`, "failed", "not available"},
		"wants require":          {`return (globalThis as any).require("fs");`, "failed", "not a function"},
		"constructor escape":     {`return (console.log as any).constructor("return process.mainModule.require")();`, "failed", "undefined"},
		"function of a function": {`return [].constructor.constructor("return this.process.env.PATH.length")();`, "failed", "undefined"},
		"wants std":              {`return (globalThis as any).std.open("/etc/passwd", "r");`, "failed", "undefined"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			code := apptest.Handler(tc.code)
			if tc.status == "failed" { // by what it does, however slowly the machine gets there
				code = strings.Replace(code, `path: "in",`, `path: "in", timeout: 60,`, 1)
			}
			e := s.Deploy(t, name, code).Run(t, `{}`)
			if tc.status != "" && e.Status != tc.status {
				t.Fatalf("the run is %s (%q), want %s", e.Status, e.ErrorMessage, tc.status)
			}
			if e.Status != "completed" && e.ErrorMessage == "" {
				t.Error("the run gives no reason")
			}
			if !strings.Contains(e.ErrorMessage, tc.message) {
				t.Errorf("the reason is %q, want one with %q", e.ErrorMessage, tc.message)
			}
			if g := good.Run(t, `{}`); g.Status != "completed" {
				t.Errorf("another run is %s: %s", g.Status, g.ErrorMessage)
			}
		})
	}
}

func TestLogFloodIsBounded(t *testing.T) {
	t.Parallel()
	s := apptest.Start(t, apptest.Options{Settings: func(c *config.Settings) { c.RunTimeout = 20 * time.Second }})
	flood := s.Deploy(t, "flood", apptest.Handler(`for (let i = 0; i < 200000; i++) console.log("x".repeat(100));`))
	e := flood.Run(t, `{}`)
	if !e.Final() {
		t.Fatalf("the run is %s", e.Status)
	}
	page := s.JSON(t, 200, "GET", "/api/executions/"+e.ID+"/logs?after=1-99995", nil)
	lines := page["results"].([]any)
	if len(lines) == 0 || len(lines) > 10 {
		t.Fatalf("there are %d lines after line 99,995, want a handful", len(lines))
	}
	last := lines[len(lines)-1].(map[string]any)["message"].(string)
	if !strings.Contains(last, "100") {
		t.Errorf("the last line is %q, want one that tells the limit", last)
	}
}

// What one run leaves behind must not be there for the next one.
func TestRunsDoNotSeeEachOther(t *testing.T) {
	t.Parallel()
	s := apptest.Start(t, apptest.Options{Settings: func(c *config.Settings) { c.Runners = 1 }})
	code := apptest.Handler(`
		const g = globalThis as any;
		const seen = [g.left, ({} as any).polluted, (Array.prototype as any).extra, counter, (console as any).mark];
		g.left = 1; (Object.prototype as any).polluted = 2; (Array.prototype as any).extra = 3; counter++; (console as any).mark = 4;
		JSON.stringify = () => "broken";
		return seen.map(String);
	`) + "\nlet counter = 0;\n"
	d := s.Deploy(t, "fresh", code)
	for range 3 {
		if e := d.Run(t, `{}`); string(e.Result) != `["undefined","undefined","undefined","0","undefined"]` {
			t.Fatalf("the run is %s with %s: %s", e.Status, e.Result, e.ErrorMessage)
		}
	}
}
