package apptest_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/usefloww/flowwd/internal/apptest"
	"github.com/usefloww/flowwd/internal/config"
)

// treasure is what the attacked organization keeps; it must be in no answer to
// the attacker's code.
const treasure = "kestrel-treasure"

// What one organization's code tries on another's data and on the server, and
// what holds it. The code of both is the same text, so that all that is kept by
// content is shared. Attacks on the sandbox itself are those of TestHostileCode
// and TestNothingGetsOut.
func TestRedTeam(t *testing.T) {
	t.Parallel()
	var lured strings.Builder
	lure := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		to := r.URL.Query().Get("to")
		fmt.Fprintln(&lured, to)
		http.Redirect(w, r, to, http.StatusFound)
	}))
	t.Cleanup(lure.Close)
	at, err := url.Parse(lure.URL)
	if err != nil {
		t.Fatal(err)
	}
	s := apptest.Start(t, apptest.Options{Settings: func(c *config.Settings) { c.FetchAllow = at.Host }})
	other := s.OtherTenant(t)
	code := attackCode()
	storeSecret(t, s.Client, "pay", "default", `{"token":"`+treasure+`"}`)
	storeSecret(t, other, "pay", "default", `{"token":"osprey's token__"}`)
	victim, attacker := s.Deploy(t, "same", code), other.Deploy(t, "same", code)
	s.JSON(t, http.StatusOK, "PUT", "/api/kv/default/mine/k", `{"value":"`+treasure+`"}`)
	wantResult(t, victim.Run(t, `{"attack":"keep","say":"`+treasure+`"}`), `"[redacted]"`)

	server := s.App.Addr().String()
	for _, c := range []struct {
		name, attack string
		with         string
		// held is part of what the attacker gets instead: the words of what holds it.
		held string
	}{
		{"what the same code of another organization keeps in its module and its globals", "kept", "", `["first","undefined"]`},
		{"built-in functions that the last run has replaced", "poison", "", `"done"`},
		{"and the run after it", "clean", "", `["{\"a\":1}",true]`},
		{"a secret under the alias that another organization uses too", "secret", "", `[16,"o"]`},
		{"a table of another organization by its name", "table", "", `"nothing"`},
		{"a table by naming the other's workflow in the question", "ask", `"workflowId":"` + victim.WorkflowID + `","organizationId":"` + s.Organization(t) + `","namespaceId":"` + s.Namespace(t) + `"`, `no`},
		{"rights on its own table for the other's workflow", "grant", `"workflowId":"` + victim.WorkflowID + `"`, `not found`},
		{"a question that there is not", "question", `"name":"secrets"`, `has no`},
		{"a question with a name of the child's own protocol", "question", `"name":"__proto__"`, `has no`},
		{"the other's execution with a run's token", "token", `"path":"/api/executions/workflows/` + victim.WorkflowID + `"`, `loopback`},
		{"environment and modules of Node", "node", "", `[null,"undefined","undefined","undefined"]`},
		{"the server itself", "fetch", `"url":"http://` + server + `/metrics"`, `loopback`},
		{"the server by a name", "fetch", `"url":"http://localhost:80/"`, `loopback`},
		{"the server by a decimal address", "fetch", `"url":"http://2130706433:80/"`, `fetch failed`},
		{"the server by an octal address", "fetch", `"url":"http://0177.0.0.1:80/"`, `fetch failed`},
		{"the server by IPv6 that holds IPv4", "fetch", `"url":"http://[::ffff:127.0.0.1]:80/"`, `loopback`},
		{"the server by NAT64", "fetch", `"url":"http://[64:ff9b::7f00:1]:80/"`, `loopback`},
		{"the server by no address", "fetch", `"url":"http://0.0.0.0:80/"`, `this host`},
		{"metadata of a cloud", "fetch", `"url":"http://169.254.169.254/latest/meta-data/"`, `metadata`},
		{"metadata by its name", "fetch", `"url":"http://metadata.google.internal/"`, `metadata`},
		{"a private network", "fetch", `"url":"http://10.0.0.1/"`, `private network`},
		{"the server by a redirect", "fetch", `"url":"` + lure.URL + `/?to=http://` + server + `/metrics"`, `loopback`},
		{"metadata by a redirect", "fetch", `"url":"` + lure.URL + `/?to=http://169.254.169.254/"`, `metadata`},
		{"a file by a redirect", "fetch", `"url":"` + lure.URL + `/?to=file:///etc/passwd"`, `only http: and https:`},
		{"a file", "fetch", `"url":"file:///etc/passwd"`, `fetch failed`},
		{"headers of its own making", "fetch", `"url":"` + lure.URL + `/","headers":{"a":"b\r\nHost: c"}`, `failed`},
	} {
		t.Run(c.name, func(t *testing.T) {
			body := `{"attack":"` + c.attack + `"`
			if c.with != "" {
				body += "," + c.with
			}
			e := attacker.Run(t, body+"}")
			got := string(e.Result) + e.ErrorMessage + strings.Join(e.Messages(), "\n")
			if strings.Contains(got, treasure) {
				t.Fatalf("it gets %s", got)
			}
			if !strings.Contains(got, c.held) {
				t.Errorf("it gets %s, want …%s…", got, c.held)
			}
		})
	}
	if lured.Len() == 0 {
		t.Error("no redirect was followed, so those attacks have shown nothing")
	}
	wantResult(t, victim.Run(t, `{"attack":"keep","say":"fine"}`), `"fine"`)
}

// attackCode is a workflow whose handler does what its event names.
func attackCode() string {
	code := keyValue(`
		const told = (e: any) => String(e?.message ?? e) + (e?.cause ? " " + String(e.cause.message ?? e.cause) : "");
		const raw = (globalThis as any).__floww;
		const all: Record<string, () => any> = {
			keep: () => { module = event.body.say; (globalThis as any).kept = event.body.say; return event.body.say; },
			kept: () => [module, typeof (globalThis as any).kept],
			poison: () => { JSON.stringify = () => "poisoned"; Array.prototype.map = () => ["poisoned"] as any; (Object.prototype as any).poisoned = true; return "done"; },
			clean: () => [JSON.stringify({ a: 1 }), (({}) as any).poisoned === undefined && [1].map((x) => x)[0] === 1],
			secret: () => [pay.value().token.length, pay.value().token[0]],
			table: async () => (await store.get("mine", "k")) ?? "nothing",
			ask: async () => (await raw.ask("kv", JSON.stringify({ ...event.body, op: "get", store: "default", table: "mine", key: "k" }))) + " no",
			grant: async () => { await store.set("own", "k", 1); return await raw.ask("kv", JSON.stringify({ op: "grant", store: "default", table: "own", canRead: true, canWrite: true, workflowId: event.body.workflowId })); },
			question: async () => await raw.ask(event.body.name, "{}"),
			token: async () => await (await fetch("http://127.0.0.1:1" + event.body.path, { headers: { authorization: "Bearer " + await runToken() } })).text(),
			node: () => [Object.keys((globalThis as any).process.env).join() || null, ...["require", "Deno", "Bun"].map((name) => typeof (globalThis as any)[name])],
			fetch: async () => { try { return await (await fetch(event.body.url, { headers: event.body.headers })).text(); } catch (e) { return "fetch failed: " + told(e); } },
		};
		return await all[event.body.attack]();`)
	code = strings.Replace(code, "{ Builtin,", "{ Builtin, Secret,", 1)
	return strings.Replace(code, "const store", `import { z } from "zod";
const pay = new Secret("pay", z.object({ token: z.string() }));
let module = "first";
const store`, 1)
}
