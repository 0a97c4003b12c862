package apptest_test

import (
	"bytes"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/usefloww/flowwd/internal/access"
	"github.com/usefloww/flowwd/internal/app"
	"github.com/usefloww/flowwd/internal/apptest"
	"github.com/usefloww/flowwd/internal/audit"
)

// grantOn is the body and, as a query, the rest of a request about a grant.
func grantOn(kind, principal, workflow string) map[string]any {
	return map[string]any{"principal_type": kind, "principal_id": principal, "resource_type": "workflow", "resource_id": workflow}
}

func asQuery(fields map[string]any) string {
	q := url.Values{}
	for name, value := range fields {
		q.Set(name, value.(string))
	}
	return "?" + q.Encode()
}

func withRole(fields map[string]any, role string) map[string]any {
	fields["role"] = role
	return fields
}

// A viewer is given a role on one workflow, uses it there and nowhere else, and
// loses it.
func TestGrants(t *testing.T) {
	t.Parallel()
	s := apptest.Start(t, apptest.Options{Way: apptest.Anyone{}})
	owner := s.Person(t, "owner")
	viewer := s.Person(t, "viewer")
	s.Join(t, owner.Organization, viewer, "viewer")
	robot := owner.RoleClient(t, "viewer")
	mine, other := owner.CreateWorkflow(t, "mine"), owner.CreateWorkflow(t, "other")
	deploy := func(c *apptest.Client, workflow string, want int) {
		t.Helper()
		body := apptest.DeployBody(workflow, map[string]string{"main.ts": apptest.Handler(`return 1`)})
		if r := c.Do(t, "POST", "/api/workflow-deployments", body); r.Status != want {
			t.Errorf("deploying: %s, want %d", r, want)
		}
	}
	for _, p := range []struct {
		kind, id string
		client   *apptest.Client
	}{{"user", viewer.ID, viewer.Client}, {"service_account", robot.AccountID, robot.Client}} {
		grant := func(by *apptest.Client, role string, want int) map[string]any {
			t.Helper()
			return by.JSON(t, want, "POST", "/api/access/grant", withRole(grantOn(p.kind, p.id, mine), role))
		}
		deploy(p.client, mine, http.StatusForbidden)
		grant(p.client, "owner", http.StatusForbidden)
		made := grant(owner.Client, "USER", http.StatusOK)
		if made["role"] != "user" || made["principal_id"] != p.id || made["principalType"] != p.kind || made["resource_id"] != mine || made["id"] == nil {
			t.Errorf("granted %v", made)
		}
		deploy(p.client, mine, http.StatusCreated)
		deploy(p.client, other, http.StatusForbidden)
		p.client.JSON(t, http.StatusOK, "PATCH", "/api/workflows/"+mine, map[string]any{"description": p.kind})
		p.client.JSON(t, http.StatusForbidden, "PATCH", "/api/workflows/"+other, map[string]any{"description": p.kind})
		p.client.JSON(t, http.StatusForbidden, "POST", "/api/workflows", map[string]any{"name": "x", "namespaceId": owner.Namespace(t)})
		refused := grant(p.client, "user", http.StatusForbidden)["detail"].(string)
		if !strings.Contains(refused, "access.grant") && !strings.Contains(refused, "You must be an owner of the resource to grant access") {
			t.Errorf("a user grants: %q", refused)
		}
		again := grant(owner.Client, "owner", http.StatusOK)
		if again["id"] != made["id"] || again["role"] != "owner" {
			t.Errorf("granted again %v", again)
		}
		grant(p.client, "owner", http.StatusOK) // one that is owner may
		list := p.client.JSON(t, http.StatusOK, "GET", "/api/access/resources"+asQuery(map[string]any{"principal_type": p.kind, "principal_id": p.id}), nil)
		if all := results(list); len(all) != 1 || all[0]["resource_id"] != mine || all[0]["inherited_from"] != nil || all[0]["principal_name"] == "" {
			t.Errorf("resources %v", list)
		}
		none := p.client.JSON(t, http.StatusOK, "GET", "/api/access/resources"+asQuery(map[string]any{"principal_type": p.kind, "principal_id": p.id, "resource_type": "folder"}), nil)
		if len(results(none)) != 0 {
			t.Errorf("27: folders %v", none)
		}
	}
	on := asQuery(map[string]any{"resource_type": "workflow", "resource_id": mine})
	if all := results(viewer.JSON(t, http.StatusOK, "GET", "/api/access/principals"+on, nil)); len(all) != 2 || all[0]["principal_id"] != viewer.ID || all[0]["principalName"] != "viewer@example.com" {
		t.Errorf("principals %v", all)
	}
	revoke := "/api/access/revoke" + asQuery(grantOn("user", viewer.ID, mine))
	if gone := robot.JSON(t, http.StatusOK, "DELETE", revoke, nil); gone["message"] != "Access revoked successfully" {
		t.Errorf("revoked: %v", gone)
	}
	deploy(viewer.Client, mine, http.StatusForbidden)
	if text := problem(t, owner.Client, http.StatusNotFound, "DELETE", revoke, nil); text != "Access grant not found" {
		t.Errorf("revoked again: %q", text)
	}
	owner.JSON(t, http.StatusOK, "DELETE", "/api/workflows/"+mine, nil)
	left := owner.JSON(t, http.StatusOK, "GET", "/api/access/resources"+asQuery(map[string]any{"principal_type": "service_account", "principal_id": robot.AccountID}), nil)
	if len(results(left)) != 0 {
		t.Errorf("after the end of the workflow: %v", left)
	}
}

// Who is in no organization of the caller, and what is not there, can't be told
// from each other.
func TestGrantsTellNothingOfOthers(t *testing.T) {
	t.Parallel()
	s := apptest.Start(t, apptest.Options{Way: apptest.Anyone{}})
	owner, stranger := s.Person(t, "owner"), s.Person(t, "stranger")
	mine, theirs := owner.CreateWorkflow(t, "mine"), stranger.CreateWorkflow(t, "theirs")
	const nobody = "01990000-0000-7000-8000-000000000000"
	robot := stranger.RoleClient(t, "admin").AccountID
	for _, p := range [][2]string{{"user", stranger.ID}, {"user", nobody}, {"user", "x"}, {"service_account", robot}, {"service_account", owner.ID}, {"user", robot}} {
		if text := problem(t, owner.Client, http.StatusNotFound, "POST", "/api/access/grant", withRole(grantOn(p[0], p[1], mine), "user")); text != "Principal not found" {
			t.Errorf("granting to %v: %q", p, text)
		}
		problem(t, owner.Client, http.StatusNotFound, "GET", "/api/access/resources"+asQuery(map[string]any{"principal_type": p[0], "principal_id": p[1]}), nil)
		ask := grantOn(p[0], p[1], mine)
		ask["action"] = "workflow.read"
		problem(t, owner.Client, http.StatusNotFound, "GET", "/api/access/explain"+asQuery(ask), nil)
	}
	for _, of := range []string{theirs, nobody, "x"} {
		problem(t, owner.Client, http.StatusNotFound, "POST", "/api/access/grant", withRole(grantOn("user", owner.ID, of), "user"))
		problem(t, owner.Client, http.StatusNotFound, "DELETE", "/api/access/revoke"+asQuery(grantOn("user", owner.ID, of)), nil)
		problem(t, owner.Client, http.StatusNotFound, "GET", "/api/access/principals"+asQuery(map[string]any{"resource_type": "workflow", "resource_id": of}), nil)
		problem(t, owner.Client, http.StatusNotFound, "GET", "/api/access/explain"+asQuery(map[string]any{"action": "workflow.read", "resource_type": "workflow", "resource_id": of}), nil)
	}
	for what, fields := range map[string]map[string]any{
		"a role":    withRole(grantOn("user", owner.ID, mine), "admin"),
		"a place":   withRole(map[string]any{"principal_type": "user", "principal_id": owner.ID, "resource_type": "provider", "resource_id": mine}, "user"),
		"a thing":   withRole(map[string]any{"principal_type": "user", "principal_id": owner.ID, "resource_type": "moon", "resource_id": mine}, "user"),
		"a type":    withRole(grantOn("workflow", owner.ID, mine), "user"),
		"no member": {"role": "user"},
	} {
		if text := problem(t, owner.Client, http.StatusBadRequest, "POST", "/api/access/grant", fields); text == "" {
			t.Errorf("%s that is not known is not explained", what)
		}
	}
}

func TestExplain(t *testing.T) {
	t.Parallel()
	s := apptest.Start(t, apptest.Options{Way: apptest.Anyone{}})
	owner, viewer := s.Person(t, "owner"), s.Person(t, "viewer")
	s.Join(t, owner.Organization, viewer, "viewer")
	flow := owner.CreateWorkflow(t, "flow")
	account := owner.Account(t, "member")
	reader := owner.AccountKey(t, account, map[string]any{"scope": []string{"read"}})
	narrow := owner.AccountKey(t, account, map[string]any{"workflow_id": owner.CreateWorkflow(t, "other")})
	explain := func(by *apptest.Client, more map[string]any) map[string]any {
		t.Helper()
		fields := map[string]any{"action": "workflow.deploy", "resource_type": "workflow", "resource_id": flow}
		for name, value := range more {
			fields[name] = value
		}
		return by.JSON(t, http.StatusOK, "GET", "/api/access/explain"+asQuery(fields), nil)
	}
	whole := map[string]any{"action": "member.write", "resource_type": "organization", "resource_id": owner.Organization}
	check := func(what string, got map[string]any, allowed bool, says ...string) {
		t.Helper()
		if got["allowed"] != allowed {
			t.Errorf("%s: %v, want allowed %t", what, got, allowed)
		}
		reasons := fmt.Sprint(got["reasons"])
		for _, text := range says {
			if !strings.Contains(reasons, text) {
				t.Errorf("%s: the reasons %v do not say %q", what, reasons, text)
			}
		}
	}
	check("an owner", explain(owner.Client, nil), true, "workflow.deploy needs the role member", "the role in the organization is owner, which is enough")
	check("a viewer", explain(viewer.Client, nil), false, "the role in the organization is viewer, which is too little")
	check("a key for reading", explain(reader.Client, nil), false, "member, which is enough", "the API key is made for read alone, which this is no part of")
	check("a key for another workflow", explain(narrow.Client, nil), false, "which this is no part of")
	check("an organization", explain(owner.Client, whole), true, "member.write needs the role admin")
	check("an organization for a viewer", explain(viewer.Client, whole), false)
	about := map[string]any{"principal_type": "user", "principal_id": viewer.ID}
	check("about another", explain(owner.Client, about), false, "viewer, which is too little")
	owner.JSON(t, http.StatusOK, "POST", "/api/access/grant", withRole(grantOn("user", viewer.ID, flow), "user"))
	got := explain(owner.Client, about)
	check("about another with a role", got, true, "viewer, which is too little", "the role user is granted on the resource itself; there it stands for member, which is enough")
	if got["granted"] != "user" || got["role"] != "viewer" || got["needs"] != "member" || got["grantedOn"].(map[string]any)["id"] != flow {
		t.Errorf("explained %v", got)
	}
	check("about an account", explain(owner.Client, map[string]any{"principal_type": "service_account", "principal_id": account}), true)
	check("about oneself by name", explain(viewer.Client, about), true)

	ask := func(more string) string {
		return "/api/access/explain?action=workflow.read&resource_type=workflow&resource_id=" + flow + more
	}
	problem(t, viewer.Client, http.StatusForbidden, "GET", ask("&principal_type=user&principal_id="+owner.ID), nil)
	problem(t, owner.Client, http.StatusBadRequest, "GET", ask("&principal_type=user"), nil)
	problem(t, owner.Client, http.StatusBadRequest, "GET", "/api/access/explain", nil)
	text := problem(t, owner.Client, http.StatusBadRequest, "GET", "/api/access/explain?action=workflow.melt&resource_type=workflow&resource_id="+flow, nil)
	for _, action := range access.Actions() {
		if !strings.Contains(text, string(action)) {
			t.Errorf("%q does not name %s", text, action)
		}
	}
	if text := problem(t, owner.Client, http.StatusBadRequest, "GET", "/api/access/explain?action=member.write&resource_type=workflow&resource_id="+flow, nil); !strings.Contains(text, "organization") {
		t.Errorf("an action of the organization on a workflow: %q", text)
	}
	problem(t, owner.Client, http.StatusNotFound, "GET", "/api/access/explain?action=member.write&resource_type=organization&resource_id="+viewer.Organization, nil)
	if r := s.Anonymous().Do(t, "GET", ask(""), nil); r.Status != http.StatusUnauthorized {
		t.Errorf("anonymous: %s", r)
	}
}

// What is done to accounts, keys and grants is in the audit log, with what was
// before, and without the keys.
func TestAccessIsAudited(t *testing.T) {
	t.Parallel()
	s := apptest.Start(t, apptest.Options{Way: apptest.Anyone{}})
	owner := s.Person(t, "owner")
	flow := owner.CreateWorkflow(t, "flow")
	account := owner.Account(t, "member")
	key := owner.AccountKey(t, account, nil)
	one := "/api/service_accounts/" + account
	rotated := owner.JSON(t, http.StatusOK, "POST", one+"/api_keys/"+key.ID+"/rotate", nil)
	owner.JSON(t, http.StatusOK, "POST", one+"/api_keys/"+key.ID+"/revoke", nil)
	owner.JSON(t, http.StatusOK, "PATCH", one, map[string]any{"role": "viewer"})
	owner.JSON(t, http.StatusOK, "POST", "/api/access/grant", withRole(grantOn("service_account", account, flow), "user"))
	owner.JSON(t, http.StatusOK, "DELETE", "/api/access/revoke"+asQuery(grantOn("service_account", account, flow)), nil)
	owner.JSON(t, http.StatusOK, "DELETE", one, nil)

	log := auditLog(t, s)
	for _, want := range []struct {
		action        audit.Action
		before, after string
	}{
		{audit.CreateServiceAccount, "", `"role":"member"`},
		{audit.CreateKey, "", `"prefix":"floww_sa_`},
		{audit.RotateKey, `"name":"key"`, `"replacedById":"` + rotated["id"].(string)},
		{audit.RevokeKey, `"name":"key"`, `"revokedAt":`},
		{audit.ChangeServiceAccount, `"role":"member"`, `"role":"viewer"`},
		{audit.GrantAccess, "", `"role":"user"`},
		{audit.RevokeAccess, `"role":"user"`, ""},
		{audit.DeleteServiceAccount, `"role":"viewer"`, ""},
	} {
		side := func(text string) string {
			if text == "" {
				return "null"
			}
			return `\{.*` + regexp.QuoteMeta(text) + `.*\}`
		}
		line := regexp.MustCompile(`(?m)^.*"organizationId":"` + owner.Organization + `".*"id":"` + owner.ID + `".*"action":"` + string(want.action) +
			`".*"before":` + side(want.before) + `,"after":` + side(want.after) + `,"previous".*$`)
		if !line.MatchString(log) {
			t.Errorf("%s from %q to %q is not in the audit log:\n%s", want.action, want.before, want.after, log)
		}
	}
	for _, secret := range []string{key.Key, rotated["api_key"].(string)} {
		if strings.Contains(log, secret) {
			t.Errorf("a key is in the audit log:\n%s", log)
		}
	}
}

// auditLog is the audit log of a server, as JSON lines.
func auditLog(t *testing.T, s *apptest.Server) string {
	t.Helper()
	admin, err := app.OpenAdmin(t.Context(), apptest.Data(s.DataDir), false, discard())
	if err != nil {
		t.Fatal(err)
	}
	defer admin.Close()
	var text bytes.Buffer
	if err := admin.ExportAudit(t.Context(), &text); err != nil {
		t.Fatal(err)
	}
	return text.String()
}
