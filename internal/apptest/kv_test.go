package apptest_test

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/usefloww/flowwd/internal/apptest"
	"github.com/usefloww/flowwd/internal/config"
	"github.com/usefloww/flowwd/internal/kv"
)

// keyValue is the code of a workflow with one webhook, POST /in, and a store.
func keyValue(body string) string {
	return strings.Replace(strings.Replace(apptest.Handler(body), "{ Builtin }", "{ Builtin, KVError, KVStore, runToken }", 1),
		"const builtin", "const store = new KVStore();\nconst builtin", 1)
}

// wantResult fails unless a run completed with a result.
func wantResult(t *testing.T, e apptest.Execution, want string) {
	t.Helper()
	if e.Status != "completed" || string(e.Result) != want {
		t.Errorf("the run is %s with %s (%s), want %s", e.Status, e.Result, e.ErrorMessage, want)
	}
}

func TestHandlersUseKV(t *testing.T) {
	t.Parallel()
	s := apptest.Start(t, apptest.Options{})
	d := s.Deploy(t, "keeper", keyValue(`
		const users = store.getTable<{ name: string } | null>("users");
		const first = await users.set("a", { name: "Ann" });
		await users.set("b", null);
		const counts = await Promise.all([1, 2, 3, 4, 5].map(() => store.increment("counts", "n", 2)));
		const conflict = await store.set("users", "a", 1, { ifVersion: 9 }).catch((e) => [e instanceof KVError, e.name, e.statusCode, e.message]);
		const second = await users.set("a", { name: "Bob" }, { ifVersion: first.version });
		const gone = await users.delete("zzz").catch((e) => e.statusCode);
		await store.set("counts", "many-1", [1, { a: "ü" }]);
		return {
			user: await users.get("a"), missing: await users.get("c") === undefined, nothing: await users.get("b"), keys: await users.listKeys(), versions: [first.version, second.version],
			counts: counts.sort((a, b) => a - b), conflict, gone, tables: await store.listTables(), many: await store.listItems("counts", { prefix: "many" }).then((all) => all.map((i) => [i.key, i.value, i.version])),
			noTable: await store.get("nothing", "k") === undefined, permissions: (await users.listPermissions()).map((p) => [p.workflow_id === ctx.workflowId, p.can_read, p.can_write]),
		};`))
	wantResult(t, d.Run(t, `{}`), `{"user":{"name":"Bob"},"missing":true,"nothing":null,"keys":["a","b"],"versions":[1,2],"counts":[2,4,6,8,10],`+
		`"conflict":[true,"KVError",409,"The key 'a' has version 1, which is not the one that was expected; read it again"],"gone":404,"tables":["counts","users"],`+
		`"many":[["many-1",[1,{"a":"ü"}],1]],"noTable":true,"permissions":[[true,true,true]]}`)

	// People see what runs keep, and the other way round.
	got := s.JSON(t, http.StatusOK, "GET", "/api/kv/default/users/a", nil)
	if value := got["value"].(map[string]any); value["name"] != "Bob" || got["version"] != 2.0 || got["key"] != "a" {
		t.Errorf("a person sees %v", got)
	}
	s.JSON(t, http.StatusOK, "PUT", "/api/kv/default/users/a", `{"value":{"name":"Cid","snake_case":{"x_y":1}}}`)
	d.Redeploy(t, keyValue(`return [await store.get("users", "a"), await store.increment("counts", "n", 0.5)]`))
	wantResult(t, d.Run(t, `{}`), `[{"name":"Cid","snake_case":{"x_y":1}},10.5]`)
}

// Lists of more than fits into one answer come whole.
func TestLargeTablesAreListed(t *testing.T) {
	t.Parallel()
	s := apptest.Start(t, apptest.Options{})
	d := s.Deploy(t, "large", keyValue(`
		const big = "x".repeat(300_000);
		await Promise.all(Array.from({ length: 5 }, (_, i) => store.set("big", "k" + i, big + i)));
		for (let n = 0; n < 1100; n += 100) {
			await Promise.all(Array.from({ length: 100 }, (_, i) => store.set("many", "k" + String(n + i).padStart(4, "0"), i)));
		}
		const all = await store.listItems("big");
		const largest = "y".repeat(999_998);
		await store.set("big", "largest", largest);
		return [all.map((i) => i.value.slice(-1) + i.value.length), (await store.listKeys("many")).length, (await store.get("big", "largest")) === largest];`))
	wantResult(t, d.Run(t, `{}`), `[["0300001","1300001","2300001","3300001","4300001"],1100,true]`)
}

func TestKVOfARetriedRun(t *testing.T) {
	t.Parallel()
	s := apptest.Start(t, apptest.Options{})
	d := s.Deploy(t, "again", strings.Replace(keyValue(`
		const n = await store.increment("runs", "n");
		const seen = await store.getItem("runs", ctx.executionId);
		if (seen !== undefined) return { n, first: seen.value };
		await store.set("runs", ctx.executionId, "attempt " + ctx.attempt, { ifVersion: 0 });
		throw new Error("once more");`), `path: "in",`, `path: "in", retry: { attempts: 2, delay: 0 },`, 1))
	wantResult(t, d.Run(t, `{}`), `{"n":2,"first":"attempt 1"}`)
}

func TestWorkflowsShareTables(t *testing.T) {
	t.Parallel()
	s := apptest.Start(t, apptest.Options{})
	const visitor = `
		const table = store.getTable("shared");
		const read = await table.get("k").catch((e) => e.message);
		const write = await table.set("k", "visitor").then(() => "written", (e) => e.message);
		return [read, write, await store.listTables()];`
	host := s.Deploy(t, "host", keyValue(`
		await store.set("shared", "k", "host");
		if (event.body.revoke) return store.revokePermission("shared", event.body.revoke);
		if (event.body.grant) return (await store.grantPermission("shared", event.body.grant, { write: event.body.write })).can_write;`))
	guest := s.Deploy(t, "guest", keyValue(visitor))
	host.Run(t, `{}`)
	for _, step := range []struct{ name, ask, want string }{
		{"nothing", `{}`, `["No read permission for table 'shared'","No write permission for table 'shared'",[]]`},
		{"read", `{"grant":"` + guest.WorkflowID + `"}`, `["host","No write permission for table 'shared'",["shared"]]`},
		{"write", `{"grant":"` + guest.WorkflowID + `","write":true}`, `["host","written",["shared"]]`},
		{"nothing again", `{"revoke":"` + guest.WorkflowID + `"}`, `["No read permission for table 'shared'","No write permission for table 'shared'",[]]`},
	} {
		if e := host.Run(t, step.ask); e.Status != "completed" {
			t.Fatalf("%s: the host is %s: %s", step.name, e.Status, e.ErrorMessage)
		}
		wantResult(t, guest.Run(t, `{}`), step.want)
	}
	entries := s.JSON(t, http.StatusOK, "GET", "/api/organizations/"+s.Organization(t)+"/audit?action=kv.grant", nil)["results"].([]any)
	if len(entries) != 2 || entries[0].(map[string]any)["actor"].(map[string]any)["kind"] != "run" {
		t.Errorf("the audit log has %v", entries)
	}

	foreign := s.OtherTenant(t)
	e := foreign.Deploy(t, "foreign", keyValue(visitor)).Run(t, `{}`)
	wantResult(t, e, `[null,"written",["shared"]]`) // its own table of this name
	if r := foreign.Do(t, "GET", "/api/kv/default/shared/k", nil); !strings.Contains(string(r.Body), `"visitor"`) {
		t.Errorf("the other tenant sees %s", r)
	}
	for _, query := range []string{"?namespace_id=" + s.Namespace(t), "?workflow_id=" + host.WorkflowID} {
		if r := foreign.Do(t, "GET", "/api/kv/default/shared/k"+query, nil); r.Status != http.StatusNotFound {
			t.Errorf("the other tenant asks with %s: %s", query, r)
		}
	}
}

// A run's token opens what its workflow may use, while the run goes on.
func TestRunTokens(t *testing.T) {
	t.Parallel()
	tokens, end := make(chan string), make(chan struct{})
	outside := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		tokens <- r.Header.Get("Authorization")
		<-end
	}))
	defer outside.Close()
	at, err := url.Parse(outside.URL)
	if err != nil {
		t.Fatal(err)
	}
	s := apptest.Start(t, apptest.Options{Settings: func(c *config.Settings) { c.FetchAllow = at.Host }})
	other := s.Deploy(t, "other", keyValue(`await store.set("others", "k", 1)`))
	other.Run(t, `{}`)
	d := s.Deploy(t, "calls", keyValue(`await fetch("`+outside.URL+`", { headers: { authorization: await runToken() } }); return "done";`))
	x := d.Send(t, `{}`)
	run := apptest.NewClient(t, s.URL, <-tokens)
	if life := lifeOf(t, run.Key); life != 2*time.Minute {
		t.Errorf("the token of a run that may take a minute is good for %v", life)
	}

	put := run.JSON(t, http.StatusOK, "PUT", "/api/kv/default/mine/k", `{"value":null}`)
	if value, is := put["value"]; !is || value != nil || put["created_at"] == nil || put["updated_at"] == nil {
		t.Errorf("put answers %v", put)
	}
	run.JSON(t, http.StatusOK, "POST", "/api/kv/default/mine/n/increment", `{"by":3}`)
	for _, c := range []struct {
		method, path, body string
		status             int
		want               string
	}{
		{"GET", "/api/kv/default", "", 200, `{"tables":["mine"]}`},
		{"GET", "/api/kv/default/mine", "", 200, `{"keys":["k","n"]}`},
		{"GET", "/api/kv/default/mine?limit=1", "", 200, `{"keys":["k"],"next":"k"}`},
		{"GET", "/api/kv/default/mine?include_values=true&prefix=n", "", 200, `"value":3`},
		{"GET", "/api/kv/default/others/k", "", 403, `No read permission for table 'others'`},
		{"PUT", "/api/kv/default/others/k", `{"value":2}`, 403, `No write permission for table 'others'`},
		{"POST", "/api/kv/default/permissions/others", `{"workflow_id":"` + d.WorkflowID + `"}`, 403, `No write permission`},
		{"POST", "/api/kv/default/permissions/mine", `{"workflow_id":"` + other.WorkflowID + `"}`, 200, `"can_read":true,"can_write":false`},
		{"GET", "/api/kv/default/permissions/mine", "", 200, `[{"workflow_id":`},
		{"DELETE", "/api/kv/default/permissions/mine/" + other.WorkflowID, "", 200, `Permission revoked successfully`},
		{"DELETE", "/api/kv/default/mine/k", "", 200, `{"message":"Key deleted successfully","key":"k","table":"mine"}`},
		{"GET", "/api/kv/default/mine/k", "", 404, `Key 'k' not found in table 'mine'`},
		{"GET", "/api/kv/second/mine/k", "", 404, `Table 'mine' not found`},
		// A token that is used elsewhere.
		{"GET", "/api/whoami", "", 403, `the token of a run opens the key-value store alone`},
		{"GET", "/api/workflows", "", 403, `organization`},
		{"GET", "/api/workflows/" + d.WorkflowID, "", 404, `not found`},
		{"GET", "/api/executions/" + x, "", 404, `not found`},
		{"POST", "/api/organizations", `{"display_name":"x"}`, 403, `the token of a run`},
		{"GET", "/api/admin/users", "", 403, `Admin permissions required`},
		{"GET", "/api/kv/default?workflow_id=" + other.WorkflowID, "", 200, `{"tables":["mine"]}`},
	} {
		var body any
		if c.body != "" {
			body = c.body
		}
		if r := run.Do(t, c.method, c.path, body); r.Status != c.status || !strings.Contains(string(r.Body), c.want) {
			t.Errorf("%s %s: %s, want %d with %s", c.method, c.path, r, c.status, c.want)
		}
	}
	forged := apptest.NewClient(t, s.URL, run.Key[:len(run.Key)-3]+"AAA")
	if r := forged.Do(t, "GET", "/api/kv/default", nil); r.Status != http.StatusUnauthorized {
		t.Errorf("a forged token: %s", r)
	}
	close(end)
	wantResult(t, s.Ended(t, x), `"done"`)
	for _, method := range []string{"GET", "PUT"} {
		if r := run.Do(t, method, "/api/kv/default/mine/n", `{"value":1}`); r.Status != http.StatusUnauthorized || !strings.Contains(string(r.Body), "This attempt of the run is over") {
			t.Errorf("%s after the run: %s", method, r)
		}
	}
}

// lifeOf is how long a token is good for by itself.
func lifeOf(t *testing.T, token string) time.Duration {
	t.Helper()
	_, claims, _ := strings.Cut(token, ".")
	text, err := base64.RawURLEncoding.DecodeString(strings.Split(claims, ".")[0])
	if err != nil {
		t.Fatal(err)
	}
	var times struct{ Iat, Exp int64 }
	if err := json.Unmarshal(text, &times); err != nil {
		t.Fatal(err)
	}
	return time.Duration(times.Exp-times.Iat) * time.Second
}

func TestBadKV(t *testing.T) {
	t.Parallel()
	s := apptest.Start(t, apptest.Options{})
	d := s.Deploy(t, "bad", keyValue(`
		const { table = "t", key = "k", value = 1, fill, op = "set", by } = event.body;
		const text = fill === undefined ? value : "x".repeat(fill);
		return op === "increment" ? store.increment(table, key, by) : store[op](table, key, text);`))
	long := strings.Repeat("k", 256)
	for name, c := range map[string]struct{ body, want string }{
		"a value that is too large": {`{"fill":1000000}`, `KVError: the value has 1000002 bytes of JSON; at most 1000000 are allowed`},
		"far too large":             {`{"fill":12000000}`, `TypeError: kv: the request has `},
		"deep":                      {`{"value":` + strings.Repeat("[", 60) + strings.Repeat("]", 60) + `,"key":"../x"}`, `alphanumeric`},
		"a long key":                {`{"key":"` + long + `"}`, `KVError: the key has 256 characters; at most 255 are allowed`},
		"no key":                    {`{"key":""}`, `KVError: the key "" must have alphanumeric characters`},
		"a path":                    {`{"table":"../secrets"}`, `KVError: the name of the table "../secrets" must have alphanumeric characters`},
		"SQL":                       {`{"table":"t'; DROP TABLE kv_items; --"}`, `must have alphanumeric characters`},
		"a line end":                {`{"key":"k\n"}`, `must have alphanumeric characters`},
		"NUL":                       {`{"key":"k\u0000"}`, `must have alphanumeric characters`},
		"other scripts":             {`{"key":"ключ"}`, `must have alphanumeric characters`},
		"a reserved name":           {`{"table":"permissions"}`, `a table can't be called "permissions"`},
		"a text is no number":       {`{"op":"increment","by":"1"}`, `TypeError: increment adds a number`},
		"beyond counting":           {`{"op":"increment","by":1e300}`, `where numbers are not exact any more`},
		"deleting nothing":          {`{"op":"delete","table":"none"}`, `KVError: Table 'none' not found`},
	} {
		e := d.Run(t, c.body)
		if e.Status != "failed" || !strings.Contains(e.ErrorMessage, c.want) {
			t.Errorf("%s: the run is %s: %s, want %s", name, e.Status, e.ErrorMessage, c.want)
		}
	}
	for name, c := range map[string]struct {
		method, path, body string
		status             int
		want               string
	}{
		"no value":         {"PUT", "/t/k", `{}`, 400, `value`},
		"no body":          {"PUT", "/t/k", ``, 400, ``},
		"too large":        {"PUT", "/t/k", `{"value":"` + strings.Repeat("x", kv.MaxValue) + `"}`, 400, `at most 1000000 are allowed`},
		"far too large":    {"PUT", "/t/k", `{"value":"` + strings.Repeat("x", 9<<20) + `"}`, 413, ``},
		"a name":           {"PUT", "/t/a%2Fb", `{"value":1}`, 400, `alphanumeric`},
		"up":               {"PUT", "/t/..%2F..%2Fx", `{"value":1}`, 400, `alphanumeric`},
		"a dot":            {"PUT", "/a.b/k", `{"value":1}`, 400, `alphanumeric`},
		"permissions":      {"PUT", "/permissions/k", `{"value":1}`, 400, `can't be called`},
		"a version":        {"PUT", "/t/k", `{"value":1,"if_version":-1}`, 400, `version`},
		"another version":  {"PUT", "/t/k", `{"value":1,"if_version":5}`, 409, `has no value`},
		"a limit":          {"GET", "/t?limit=0", ``, 400, `limit`},
		"no workflow":      {"POST", "/permissions/t", `{"workflow_id":"x"}`, 404, `Workflow x not found in this namespace`},
		"of another":       {"GET", "/t?workflow_id=" + strings.Repeat("0", 8), ``, 404, `Workflow not found`},
		"no namespace":     {"GET", "/t?namespace_id=x", ``, 404, `Namespace not found`},
		"a cursor":         {"GET", "/t?cursor=%00", ``, 400, `alphanumeric`},
		"a text for a sum": {"POST", "/t/k/increment", `{"by":"x"}`, 400, `by`},
	} {
		s.JSON(t, http.StatusOK, "PUT", "/api/kv/default/t/there", `{"value":1}`)
		var body any
		if c.body != "" {
			body = c.body
		}
		if r := s.Do(t, c.method, "/api/kv/default"+c.path, body); r.Status != c.status || !strings.Contains(string(r.Body), c.want) {
			t.Errorf("%s: %.300s, want %d with %s", name, r, c.status, c.want)
		}
	}
	if r := s.Do(t, "POST", "/api/workflow-deployments", apptest.DeployBody(s.CreateWorkflow(t, "early"), map[string]string{"main.ts": keyValue(``) + "\nstore.get('t', 'k');"})); r.Status != http.StatusBadRequest ||
		!strings.Contains(string(r.Body), "kv is not available while the code is loaded; call it in the handler") {
		t.Errorf("outside of a handler: %s", r)
	}
	if r := s.Anonymous().Do(t, "GET", "/api/kv/default", nil); r.Status != http.StatusUnauthorized {
		t.Errorf("nobody: %s", r)
	}
}

// Who may do what: roles, and keys that are made for less.
func TestKVByRole(t *testing.T) {
	t.Parallel()
	s := apptest.Start(t, apptest.Options{})
	d := s.Deploy(t, "owner", keyValue(`await store.set("mine", "k", 1)`))
	d.Run(t, `{}`)
	s.JSON(t, http.StatusOK, "PUT", "/api/kv/default/theirs/k", `{"value":1}`)
	account := s.Account(t, "admin")
	alone := s.AccountKey(t, account, map[string]any{"workflow_id": d.WorkflowID})
	reads := s.AccountKey(t, account, map[string]any{"scope": []string{"read"}})
	viewer, member := s.RoleClient(t, "viewer"), s.RoleClient(t, "member")
	as := "?workflow_id=" + d.WorkflowID
	for name, c := range map[string]struct {
		client *apptest.Client
		method string
		path   string
		status int
	}{
		"a viewer reads":                     {viewer.Client, "GET", "/mine/k", 200},
		"a viewer writes":                    {viewer.Client, "PUT", "/mine/k", 403},
		"a member writes":                    {member.Client, "PUT", "/mine/k", 200},
		"a member as a workflow":             {member.Client, "GET", "/theirs/k" + as, 403},
		"a key for reading reads":            {reads.Client, "GET", "/theirs/k", 200},
		"a key for reading writes":           {reads.Client, "PUT", "/theirs/k", 403},
		"a key for one workflow":             {alone.Client, "GET", "/theirs/k", 403},
		"a key for one workflow as it":       {alone.Client, "GET", "/mine/k" + as, 200},
		"the same, what is not the workflow": {alone.Client, "GET", "/theirs/k" + as, 403},
	} {
		var body any
		if c.method == "PUT" {
			body = `{"value":1}`
		}
		if r := c.client.Do(t, c.method, "/api/kv/default"+c.path, body); r.Status != c.status {
			t.Errorf("%s: %s, want %d", name, r, c.status)
		}
	}
}
