package apptest_test

import (
	"bytes"
	"encoding/base64"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/usefloww/flowwd/internal/apptest"
)

const secretToken = `tok_"live"/4eC39Hq`

// storeSecret stores a secret of the caller's namespace and returns its id.
func storeSecret(t *testing.T, c *apptest.Client, provider, name, value string) string {
	t.Helper()
	body := map[string]any{"namespaceId": c.Namespace(t), "provider": provider, "name": name, "value": value}
	return c.JSON(t, http.StatusCreated, "POST", "/api/secrets", body)["id"].(string)
}

// secretive is the code of a workflow with one webhook and a secret.
func secretive(body string) string {
	return strings.Replace(strings.Replace(apptest.Handler(body), "{ Builtin }", "{ Builtin, Secret }", 1), "const builtin",
		`import { z } from "zod";
const pay = new Secret("pay", z.object({ token: z.string(), retries: z.number().default(3), note: z.string().optional() }));
const builtin`, 1)
}

const payValue = `{"token":"tok_\"live\"/4eC39Hq","retries":5,"unasked":"more than it asks for"}`

func TestHandlersGetSecrets(t *testing.T) {
	t.Parallel()
	s := apptest.Start(t, apptest.Options{})
	x := storeSecret(t, s.Client, "pay", "default", payValue)
	storeSecret(t, s.Client, "other", "default", `{"token":"of another one"}`)
	d := s.Deploy(t, "payer", secretive(`
		const { token, retries, note, ...rest } = pay.value();
		if (event.body.leak) {
			console.log("token", token, { token }, btoa(token), encodeURIComponent(token));
			if (event.body.throw) throw new Error("bad token " + token);
			return { token, header: "Basic " + btoa("user:" + token), "in": JSON.stringify([token]) };
		}
		return [token.length, retries, note === undefined, Object.keys(rest), pay.value() === pay.value(), typeof process === "undefined" || process.env.PAY_TOKEN === undefined];`))
	wantResult(t, d.Run(t, `{}`), `[18,5,true,[],true,true]`)

	// What it says is without them, in every form.
	e := d.Run(t, `{"leak":true}`)
	failed := d.Run(t, `{"leak":true,"throw":true}`)
	if failed.Status != "failed" || !strings.HasPrefix(failed.ErrorMessage, "Error: bad token [redacted]") {
		t.Errorf("the failed run is %s: %s", failed.Status, failed.ErrorMessage)
	}
	for _, id := range []string{e.ID, failed.ID} {
		r := s.Do(t, "GET", "/api/executions/"+id, nil)
		for _, form := range []string{"4eC39Hq", base64.StdEncoding.EncodeToString([]byte(secretToken)), "IxZTM5SH", "%2F4eC39Hq"} {
			if bytes.Contains(r.Body, []byte(form)) {
				t.Errorf("the execution shows %s: %s", form, r)
			}
		}
	}
	if want := `{"token":"[redacted]"`; !strings.HasPrefix(string(e.Result), want) {
		t.Errorf("the result is %s", e.Result)
	}

	// A new value is there in the next run, and a missing one fails it by name.
	s.JSON(t, http.StatusOK, "PATCH", "/api/secrets/"+x, map[string]any{"value": `{"token":"another"}`})
	wantResult(t, d.Run(t, `{}`), `[7,3,true,[],true,true]`)
	if r := s.Do(t, "DELETE", "/api/secrets/"+x, nil); r.Status != http.StatusNoContent || len(r.Body) != 0 {
		t.Errorf("deleting answers %s", r)
	}
	if e := d.Run(t, `{}`); e.Status != "failed" || !strings.Contains(e.ErrorMessage, `the secret with provider "pay" and name "default" is missing`) {
		t.Errorf("without its secret the run is %s: %s", e.Status, e.ErrorMessage)
	}
	// Single fields, as older clients store them.
	storeSecret(t, s.Client, "pay", "default:token", "of its own")
	wantResult(t, d.Run(t, `{}`), `[10,3,true,[],true,true]`)
}

func TestMissingSecretsRefuseDeployments(t *testing.T) {
	t.Parallel()
	s := apptest.Start(t, apptest.Options{})
	w := s.CreateWorkflow(t, "w")
	deploy := func(c *apptest.Client, code string) apptest.Response {
		return c.Do(t, "POST", "/api/workflow-deployments", apptest.DeployBody(w, map[string]string{"main.ts": code}))
	}
	refused := func(what string, r apptest.Response, status int, want string) {
		t.Helper()
		if r.Status != status || !strings.Contains(strings.ReplaceAll(string(r.Body), `\"`, `"`), want) {
			t.Errorf("%s: %s, want %d with %s", what, r, status, want)
		}
	}
	code := secretive(`return 1`)
	refused("missing", deploy(s.Client, code), 400, `the secret with provider "pay" and name "default" is missing`)
	x := storeSecret(t, s.Client, "pay", "default", `{"note":"x"}`)
	refused("a field", deploy(s.Client, code), 400, `the secret with provider "pay" and name "default" lacks the fields token`)
	refused("too early", deploy(s.Client, strings.Replace(code, "const builtin", "pay.value(); const builtin", 1)), 400, `Only handlers have secrets`)
	refused("no schema", deploy(s.Client, strings.Replace(code, "z.object(", "(", 1)), 400, `the schema must be an object schema of zod`)
	s.JSON(t, http.StatusOK, "PATCH", "/api/secrets/"+x, map[string]any{"value": payValue})

	// Who may deploy the workflow and no more adds no secrets to it.
	granted := s.RoleClient(t, "viewer")
	s.JSON(t, http.StatusOK, "POST", "/api/access/grant", map[string]any{
		"principal_type": "service_account", "principal_id": granted.JSON(t, http.StatusOK, "GET", "/api/whoami", nil)["id"],
		"resource_type": "workflow", "resource_id": w, "role": "user",
	})
	refused("by a grant", deploy(granted.Client, code), 403, `which the workflow does not use yet`)
	if r := deploy(s.Client, code); r.Status != http.StatusCreated {
		t.Errorf("a member deploys: %s", r)
	}
	if r := deploy(granted.Client, code+"\n// new"); r.Status != http.StatusCreated {
		t.Errorf("deployed again by a grant: %s", r)
	}
}

// What the two generations of the command line ask and expect: S1 to S9.
func TestSecretsOfBothDialects(t *testing.T) {
	t.Parallel()
	s := apptest.Start(t, apptest.Options{})
	namespace := s.Namespace(t)
	old := map[string]any{"namespace_id": namespace, "name": "default", "provider": "slack", "value": `{"token":"` + secretToken[:3] + `-secret","n":1}`}
	made := s.JSON(t, http.StatusCreated, "POST", "/api/secrets/", old)
	x := made["id"].(string)
	if _, shown := made["value"]; shown || made["namespace_id"] != namespace || made["created_at"] == nil {
		t.Errorf("S1 answers %v", made)
	}
	if r := s.Do(t, "POST", "/api/secrets/", old); r.Status != http.StatusConflict || !strings.Contains(string(r.Body), "already exists") {
		t.Errorf("S1 again: %s", r)
	}
	if r := s.Do(t, "GET", "/api/secrets/namespace/"+namespace+"?provider=slack&name=default", nil); r.Status != 200 || !bytes.HasPrefix(r.Body, []byte(`[{"id":"`+x)) || bytes.Contains(r.Body, []byte("value")) {
		t.Errorf("S2: %s", r)
	}
	list := s.JSON(t, 200, "GET", "/api/secrets?namespaceId="+namespace+"&provider=slack", nil)["results"].([]any)
	if len(list) != 1 || list[0].(map[string]any)["createdAt"] == nil {
		t.Errorf("S6: %v", list)
	}
	if got := s.JSON(t, 200, "GET", "/api/secrets/"+x, nil); got["value"] != `{"n":"********","token":"********"}` {
		t.Errorf("S7 shows %v", got["value"])
	}
	fresh := map[string]any{"namespaceId": namespace, "name": "default", "provider": "slack", "value": `{"token":"********","added":"x"}`}
	if got := s.JSON(t, 200, "POST", "/api/secrets", fresh); got["updated"] != true || got["id"] != x {
		t.Errorf("S8 answers %v", got)
	}
	if got := s.JSON(t, 201, "POST", "/api/secrets", map[string]any{"namespaceId": namespace, "name": "plain", "value": "v"}); got["updated"] != false || got["provider"] != "custom" {
		t.Errorf("S8 for a new one answers %v", got)
	}
	d := s.Deploy(t, "reader", strings.Replace(secretive(`const v = pay.value(); return [v.token.length, v.added];`),
		`"pay", z.object({ token: z.string(), retries: z.number().default(3), note: z.string().optional() })`, `"slack", z.object({ token: z.string(), added: z.string() })`, 1))
	wantResult(t, d.Run(t, `{}`), `[10,"x"]`) // the mask kept what was stored

	other := s.OtherTenant(t)
	for name, c := range map[string]struct {
		client       *apptest.Client
		method, path string
		body         any
		status       int
		want         string
	}{
		"foreign list":        {other, "GET", "/api/secrets/namespace/" + namespace, nil, 200, "[]\n"},
		"foreign list, new":   {other, "GET", "/api/secrets?namespaceId=" + namespace, nil, 404, "not found"},
		"foreign get":         {other, "GET", "/api/secrets/" + x, nil, 404, "Secret not found"},
		"foreign patch":       {other, "PATCH", "/api/secrets/" + x, `{"value":"y"}`, 404, "Secret not found"},
		"foreign delete":      {other, "DELETE", "/api/secrets/" + x, nil, 404, "Secret not found"},
		"foreign create":      {other, "POST", "/api/secrets/", old, 400, "namespace not found"},
		"no namespace":        {s.Client, "GET", "/api/secrets", nil, 400, "namespaceId"},
		"empty value":         {s.Client, "POST", "/api/secrets", map[string]any{"namespaceId": namespace, "name": "a", "value": ""}, 400, "must not be empty"},
		"a large value":       {s.Client, "POST", "/api/secrets", map[string]any{"namespaceId": namespace, "name": "a", "value": strings.Repeat("x", 70_000)}, 400, "at most 65536 are allowed"},
		"no name":             {s.Client, "POST", "/api/secrets", map[string]any{"namespaceId": namespace, "name": "", "value": "v"}, 400, "the name has 0 bytes"},
		"a name with a line":  {s.Client, "POST", "/api/secrets", map[string]any{"namespaceId": namespace, "name": "a\nb", "value": "v"}, 400, "control characters"},
		"a name with NUL":     {s.Client, "POST", "/api/secrets", map[string]any{"namespaceId": namespace, "name": "a\x00", "value": "v"}, 400, "control characters"},
		"a name with spaces":  {s.Client, "POST", "/api/secrets", map[string]any{"namespaceId": namespace, "name": " a", "value": "v"}, 400, "spaces at its ends"},
		"a long provider":     {s.Client, "POST", "/api/secrets", map[string]any{"namespaceId": namespace, "name": "a", "provider": strings.Repeat("p", 256), "value": "v"}, 400, "256 bytes"},
		"an id that is none":  {s.Client, "GET", "/api/secrets/x", nil, 404, "Secret not found"},
		"a viewer that reads": {s.RoleClient(t, "viewer").Client, "GET", "/api/secrets/" + x, nil, 200, "********"},
		"a viewer writes":     {s.RoleClient(t, "viewer").Client, "PATCH", "/api/secrets/" + x, `{"value":"y"}`, 403, "does not allow secret.write"},
	} {
		if r := c.client.Do(t, c.method, c.path, c.body); r.Status != c.status || !strings.Contains(string(r.Body), c.want) {
			t.Errorf("%s: %s, want %d with %s", name, r, c.status, c.want)
		}
	}
	r := s.Do(t, "GET", "/api/organizations/"+s.Organization(t)+"/audit?action=secret", nil)
	if n := bytes.Count(r.Body, []byte(`"action":"secret.`)); n != 3 || bytes.Contains(r.Body, []byte("-secret")) {
		t.Errorf("the audit log has %d entries: %s", n, r)
	}
	if !apptest.OnPostgreSQL() {
		noFileHas(t, s.DataDir, []byte("tok-secret"), []byte("tok_-secret"))
	}
}

// noFileHas looks for texts in all files of a folder.
func noFileHas(t *testing.T, dir string, texts ...[]byte) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		for _, text := range texts {
			if bytes.Contains(content, text) {
				t.Errorf("%s holds the secret in clear", path)
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
