package apptest_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/usefloww/flowwd/internal/apptest"
	"github.com/usefloww/flowwd/internal/engine/dummy"
	"github.com/usefloww/flowwd/internal/route"
)

// narrow are the keys of an admin account that are made for less.
type narrow struct{ read, deploy, invoke, own, other apptest.AccountKey }

// narrowKeys makes them; own is for one workflow and other for another one.
func narrowKeys(t *testing.T, s *apptest.Server, workflow, another string) narrow {
	t.Helper()
	account := s.Account(t, "admin")
	words := func(words ...string) apptest.AccountKey {
		return s.AccountKey(t, account, map[string]any{"scope": words})
	}
	alone := func(of string) apptest.AccountKey {
		return s.AccountKey(t, account, map[string]any{"workflow_id": of})
	}
	return narrow{words("read"), words("deploy"), words("invoke"), alone(workflow), alone(another)}
}

// Every route that needs a credential is asked by accounts of each role, and by
// keys of an admin that are made for less. Objects are of the organization; own
// is a key for the workflow that they belong to, other one for another workflow.
func TestRoutesByRoleAndScope(t *testing.T) {
	t.Parallel()
	s := apptest.Start(t, apptest.Options{Engine: dummy.New(1, time.Now)})
	namespace, organization := s.Namespace(t), s.Organization(t)
	another := s.CreateWorkflow(t, "another")
	viewer, member, admin := s.RoleClient(t, "viewer"), s.RoleClient(t, "member"), s.RoleClient(t, "admin")
	shared := freshObjects(t, s, route.Info{}, namespace, 0)
	shared.organization = organization
	sharedKeys := narrowKeys(t, s, shared.workflow, another)

	const columns = "%-6s  %-58s  %-30s  %-16s"
	names := []string{"viewer", "member", "admin", "read", "deploy", "invoke", "own", "other"}
	var table strings.Builder
	fmt.Fprintf(&table, columns+"  %s\n", "method", "path", "policy", "object", strings.Join(names, "  "))
	unchanged := newStock(t, s, namespace)
	for _, info := range s.App.Routes() {
		if info.Policy.IsPublic() || info.Policy.IsOperator() || strings.HasPrefix(info.Path, "/api/workflow_deployments") || strings.HasPrefix(info.Path, "/api/service-accounts") {
			continue // open, or another spelling
		}
		object := info.Object
		if object == "" {
			object = "-"
		}
		line := fmt.Sprintf(columns, info.Method, info.Path, info.Policy, object)
		for i, name := range names {
			o, keys := shared, sharedKeys
			changes := info.Method != http.MethodGet && namesOwn(info.Path)
			if changes || info.Object == "Service account" || info.Object == "Secret" || info.Object == "Folder" {
				o = unchanged.take(info)
				if o.workflow != "" && name == "own" {
					keys = narrowKeys(t, s, o.workflow, another)
				}
			}
			c := []apptest.AccountKey{viewer, member, admin, keys.read, keys.deploy, keys.invoke, keys.own, keys.other}[i]
			status := ask(t, c.Client, info, o, false)
			unchanged.asked(info, status)
			line += fmt.Sprintf("  %-*d", len(name), status)
		}
		fmt.Fprintln(&table, strings.TrimRight(line, " "))
	}
	golden(t, "scopes.golden", table.String())
}

// Where a request names the workflow in its body or query, and where it names
// none.
func TestKeysForOneWorkflow(t *testing.T) {
	t.Parallel()
	s := apptest.Start(t, apptest.Options{})
	mine, other := s.Deploy(t, "mine", apptest.Handler(`return 1`)), s.Deploy(t, "other", apptest.Handler(`return 1`))
	for _, d := range []*apptest.Deployed{mine, other} {
		d.Run(t, `{}`)
	}
	k := narrowKeys(t, s, mine.WorkflowID, other.WorkflowID).own
	deploys := s.AccountKey(t, k.AccountID, map[string]any{"scope": []string{"deploy"}, "workflow_id": mine.WorkflowID})
	for _, key := range []apptest.AccountKey{k, deploys} {
		for workflow, want := range map[string]int{mine.WorkflowID: http.StatusCreated, other.WorkflowID: http.StatusForbidden} {
			body := apptest.DeployBody(workflow, map[string]string{"main.ts": apptest.Handler(`return "` + key.ID + `"`)})
			if r := key.Do(t, "POST", "/api/workflow-deployments", body); r.Status != want {
				t.Errorf("deploying: %s, want %d", r, want)
			}
		}
	}
	for path, want := range map[string]int{
		"/api/workflow-deployments?workflowId=" + mine.WorkflowID:                       http.StatusOK,
		"/api/workflow-deployments?workflowId=" + other.WorkflowID:                      http.StatusForbidden,
		"/api/executions?workflowId=" + mine.WorkflowID:                                 http.StatusOK,
		"/api/executions?workflowId=" + other.WorkflowID:                                http.StatusForbidden,
		"/api/access/principals?resource_type=workflow&resource_id=" + mine.WorkflowID:  http.StatusOK,
		"/api/access/principals?resource_type=workflow&resource_id=" + other.WorkflowID: http.StatusForbidden,
		"/api/whoami": http.StatusOK,
	} {
		if r := k.Do(t, "GET", path, nil); r.Status != want {
			t.Errorf("GET %s: %s, want %d", path, r, want)
		}
	}
	for _, path := range []string{"/api/workflows", "/api/executions", "/api/namespaces"} {
		r := k.Do(t, "GET", path, nil)
		if r.Status != http.StatusOK || strings.Contains(string(r.Body), mine.WorkflowID) || strings.Contains(string(r.Body), other.WorkflowID) || strings.Contains(string(r.Body), s.Namespace(t)) {
			t.Errorf("GET %s shows something: %s", path, r)
		}
	}
	k.JSON(t, http.StatusForbidden, "POST", "/api/workflows", map[string]any{"name": "x", "namespaceId": s.Namespace(t)})
	s.JSON(t, http.StatusBadRequest, "POST", "/api/service_accounts/"+k.AccountID+"/api_keys", map[string]any{"name": "x", "workflow_id": s.OtherTenant(t).CreateWorkflow(t, "foreign")})
	s.JSON(t, http.StatusOK, "DELETE", "/api/workflows/"+mine.WorkflowID, nil)
	k.JSON(t, http.StatusNotFound, "GET", "/api/workflows/"+mine.WorkflowID, nil)
	k.JSON(t, http.StatusForbidden, "GET", "/api/workflows/"+other.WorkflowID, nil)
	k.JSON(t, http.StatusOK, "GET", "/api/whoami", nil)
}
