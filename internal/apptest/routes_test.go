package apptest_test

import (
	"flag"
	"fmt"
	"hash/fnv"
	"io"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/usefloww/flowwd/internal/app"
	"github.com/usefloww/flowwd/internal/apptest"
	"github.com/usefloww/flowwd/internal/config"
	"github.com/usefloww/flowwd/internal/engine/dummy"
	"github.com/usefloww/flowwd/internal/route"
)

var update = flag.Bool("update", false, "write the golden files anew")

// objects are what the paths of one matrix row name.
type objects struct {
	organization, namespace, workflow, deployment, execution, trigger string
	account, key, session, secret, batch, folder                      string
}

// Every route is asked by every kind of caller, each time about objects of the
// first tenant that no call has changed yet. The golden file is read in review:
// a new route appears there or this test fails.
func TestRoutesByPrincipal(t *testing.T) {
	t.Parallel()
	s := apptest.Start(t, apptest.Options{Engine: dummy.New(1, time.Now), Settings: func(c *config.Settings) { c.TrustedProxies = []string{"127.0.0.1"} }})
	other := s.OtherTenant(t)
	revoked := apptest.NewClient(t, s.URL, apptest.CreateKey(t, s.DataDir))
	revoke(t, s.DataDir, revoked.Key)
	principals := []struct {
		name   string
		client *apptest.Client
	}{
		{"anonymous", s.Anonymous()},
		{"bad key", apptest.NewClient(t, s.URL, "floww_sa_"+strings.Repeat("x", 32))},
		{"revoked key", revoked},
		{"other tenant", other},
		{"member", s.Client},
	}
	namespace, organization := s.Namespace(t), s.Organization(t)

	// Of fixed widths, so that a new route changes no other line.
	const columns = "%-6s  %-58s  %-30s  %-16s"
	var table strings.Builder
	line := fmt.Sprintf(columns, "method", "path", "policy", "object")
	for _, p := range principals {
		line += "  " + p.name
	}
	fmt.Fprintln(&table, line)
	unchanged := newStock(t, s, namespace)
	for _, info := range s.App.Routes() {
		object := info.Object
		if object == "" {
			object = "-"
		}
		line = fmt.Sprintf(columns, info.Method, info.Path, info.Policy, object)
		for _, p := range principals {
			o := objects{organization: organization, namespace: namespace}
			if namesOwn(info.Path) || strings.Contains(fill(info, o), "?") {
				o = unchanged.take(info)
			}
			status := ask(t, p.client, info, o, p.client == other)
			unchanged.asked(info, status)
			line += fmt.Sprintf("  %-*d", len(p.name), status)
		}
		fmt.Fprintln(&table, strings.TrimRight(line, " "))
	}
	golden(t, "routes.golden", table.String())
}

// namesOwn reports whether a path names something that calls can change.
// Tables are named by words.
func namesOwn(path string) bool {
	return strings.Contains(path, "{") && !strings.HasPrefix(path, "/api/organizations/") && !strings.HasPrefix(path, "/api/kv/") && !strings.HasPrefix(path, "/api/secrets/namespace/") && !strings.HasPrefix(path, "/api/providers/")
}

// ask calls a route and returns the status. A stream is cut off after its head.
func ask(t *testing.T, c *apptest.Client, info route.Info, o objects, foreign bool) int {
	t.Helper()
	var body any
	if info.Method != http.MethodGet && info.Method != http.MethodDelete {
		body = `{}`
		if strings.HasSuffix(info.Path, "/batches") {
			body = `{"action":"replay"}`
		}
	}
	var from []string
	if !info.Policy.IsPublic() && !info.Policy.IsOperator() { // some of those are for this machine alone
		from = []string{"X-Forwarded-For", addressFor(info)}
	}
	r := c.Do(t, info.Method, fill(info, o), body, from...)
	if r.Status >= 500 {
		t.Errorf("%s %s: %s", info.Method, info.Path, r)
	}
	if foreign && info.Object != "" && !info.Policy.IsPublic() && r.Status == http.StatusForbidden {
		t.Errorf("%s %s: %s; a foreign object must not be told from none", info.Method, info.Path, r)
	}
	return r.Status
}

// addressFor is where the calls of a route come from: so many credentials that
// are not valid are not looked at when they come from one address.
func addressFor(info route.Info) string {
	h := fnv.New32a()
	_, _ = io.WriteString(h, info.Method+info.Path) // never fails
	sum := h.Sum(nil)
	return netip.AddrFrom4([4]byte{198, 18, sum[2], sum[3]}).String()
}

// fill puts ids into a route's path.
func fill(info route.Info, o objects) string {
	id := map[string]string{"Organization": o.organization, "Namespace": o.namespace, "Workflow": o.workflow, "Deployment": o.deployment, "Execution": o.execution, "Trigger": o.trigger, "Service account": o.account, "Development session": o.session, "Secret": o.secret, "Batch": o.batch, "Folder": o.folder, "": o.workflow}[info.Object]
	if strings.HasPrefix(info.Path, "/api/organizations/{id}") {
		id = o.organization
	}
	if info.Object == "" && id == "" {
		id = o.execution
	}
	if info.Path == "/api/triggers" || info.Path == "/api/dev/sessions" {
		return info.Path + "?workflowId=" + o.workflow
	}
	if info.Path == "/api/summary" {
		return info.Path + "?namespaceId=" + o.namespace
	}
	path := strings.NewReplacer("{id}", id, "{userId}", o.namespace, "{invitationId}", o.namespace, "{keyId}", o.key, "{provider}", "default", "{table}", "t", "{key}", "k", "{workflowId}", o.namespace, "{path...}", o.workflow+"/in").Replace(info.Path)
	if strings.HasPrefix(path, "/api/workflow") && strings.Contains(path, "deployments") && info.Object == "" && info.Method == http.MethodGet {
		path += "?workflowId=" + o.workflow
	}
	return path
}

// stock has objects that no call has changed yet, by what they are for.
type stock struct {
	t         *testing.T
	server    *apptest.Server
	namespace string
	n         int
	have      map[string]objects
}

func newStock(t *testing.T, s *apptest.Server, namespace string) *stock {
	return &stock{t: t, server: s, namespace: namespace, have: map[string]objects{}}
}

// stockOf is what the objects that a route's path names are kept under: most
// routes do with the same.
func stockOf(info route.Info) string {
	switch info.Object {
	case "Service account", "Secret", "Development session", "Batch", "Folder":
		return info.Object
	}
	return ""
}

// take returns objects for a call; new ones where the last were changed.
func (k *stock) take(info route.Info) objects {
	k.t.Helper()
	o, ok := k.have[stockOf(info)]
	if !ok {
		k.n++
		o = freshObjects(k.t, k.server, info, k.namespace, k.n)
		k.have[stockOf(info)] = o
	}
	return o
}

// asked takes note of the answer to a call: what was refused must have changed
// nothing, or the next call's answer shows it.
func (k *stock) asked(info route.Info, status int) {
	if info.Method != http.MethodGet && status < http.StatusBadRequest {
		delete(k.have, stockOf(info))
	}
}

// freshObjects makes what a route's path names, on a server with the dummy
// engine: it makes no difference to who may do what how code runs.
func freshObjects(t *testing.T, s *apptest.Server, info route.Info, namespace string, n int) objects {
	t.Helper()
	if info.Object == "Service account" {
		account := s.Account(t, "member")
		return objects{account: account, key: s.AccountKey(t, account, nil).ID}
	}
	if info.Object == "Secret" {
		return objects{secret: storeSecret(t, s.Client, "matrix", fmt.Sprint(n), "value")}
	}
	if info.Object == "Folder" {
		return objects{folder: makeFolder(t, s.Client, fmt.Sprint("matrix ", n), "")}
	}
	d := s.Deploy(t, fmt.Sprintf("matrix %d", n), `trigger onWebhook {"path":"in"}
		return 1`)
	e := d.Run(t, `{}`)
	session := ""
	if info.Object == "Development session" {
		session = syncDev(t, s.Client, d.WorkflowID)["session"].(map[string]any)["id"].(string)
	}
	batch := ""
	if info.Object == "Batch" {
		made := s.JSON(t, http.StatusAccepted, "POST", "/api/executions/workflows/"+d.WorkflowID+"/batches", map[string]any{"action": "replay"})
		batch = made["id"].(string)
	}
	triggers := s.JSON(t, http.StatusOK, "GET", "/api/triggers?workflowId="+d.WorkflowID, nil)["results"].([]any)
	return objects{
		session: session, batch: batch, namespace: namespace, workflow: d.WorkflowID, deployment: d.DeploymentID, execution: e.ID, trigger: triggers[0].(map[string]any)["id"].(string),
	}
}

func revoke(t *testing.T, dir, key string) {
	t.Helper()
	admin, err := app.OpenAdmin(t.Context(), apptest.Data(dir), false, discard())
	if err != nil {
		t.Fatal(err)
	}
	defer admin.Close()
	if _, err := admin.RevokeKeys(t.Context(), key); err != nil {
		t.Fatal(err)
	}
}

// golden compares a text with a file in testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s differs; if the change is right, run the test with -update and read the diff (-want +got):\n%s", path, diff)
	}
}

// What belongs to one tenant is not there for another, in lists, by id, and in
// what it may name in a request.
func TestTenantsAreApart(t *testing.T) {
	t.Parallel()
	s := apptest.Start(t, apptest.Options{})
	other := s.OtherTenant(t)
	d := s.Deploy(t, "mine", apptest.Handler(`console.log("secret line"); return 1`))
	e := d.Run(t, `{}`)
	theirs := other.Deploy(t, "mine", apptest.Handler(`return 2`))

	for _, path := range []string{"/api/workflows", "/api/workflows?namespaceId=" + s.Namespace(t), "/api/namespaces", "/api/executions", "/api/workflow-deployments?workflowId=" + d.WorkflowID} {
		r := other.Do(t, "GET", path, nil)
		for _, foreign := range []string{d.WorkflowID, d.DeploymentID, e.ID, s.Namespace(t)} {
			if strings.Contains(string(r.Body), foreign) {
				t.Errorf("GET %s shows %s of another tenant: %s", path, foreign, r)
			}
		}
	}
	for _, c := range []struct {
		method, path string
		body         any
		status       int
	}{
		{"POST", "/api/workflows", map[string]any{"name": "x", "namespaceId": s.Namespace(t)}, http.StatusBadRequest},
		{"POST", "/api/workflow-deployments", apptest.DeployBody(d.WorkflowID, map[string]string{"main.ts": "1"}), http.StatusBadRequest},
		{"GET", "/api/executions/workflows/" + d.WorkflowID + "/logs?q=secret", nil, http.StatusNotFound},
		{"PATCH", "/api/workflow-deployments/" + d.DeploymentID, map[string]any{"status": "INACTIVE"}, http.StatusNotFound},
	} {
		if r := other.Do(t, c.method, c.path, c.body); r.Status != c.status {
			t.Errorf("%s %s: %s, want %d", c.method, c.path, r, c.status)
		}
	}
	if e := theirs.Run(t, `{}`); string(e.Result) != "2" {
		t.Errorf("the other tenant's run gave %s", e.Result)
	}
	if e := d.Run(t, `{}`); e.Status != "completed" {
		t.Errorf("the first tenant's run is %s", e.Status)
	}
}
