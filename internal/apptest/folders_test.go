package apptest_test

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/usefloww/flowwd/internal/apptest"
	"github.com/usefloww/flowwd/internal/audit"
	"github.com/usefloww/flowwd/internal/realtimetest"
)

// makeFolder makes a folder in the caller's only namespace, at the root or in
// another one, and returns its id.
func makeFolder(t *testing.T, c *apptest.Client, name, parent string) string {
	t.Helper()
	body := map[string]any{"name": name, "namespace_id": c.Namespace(t)}
	if parent != "" {
		body["parent_folder_id"] = parent
	}
	return c.JSON(t, http.StatusOK, "POST", "/api/folders", body)["id"].(string)
}

// moveInto puts a workflow or a folder into a folder; to the root with "".
func moveInto(t *testing.T, c *apptest.Client, status int, path, folder string) map[string]any {
	t.Helper()
	body := map[string]any{"parentFolderId": nil}
	if folder != "" {
		body["parentFolderId"] = folder
	}
	return c.JSON(t, status, "PATCH", path, body)
}

func onFolder(principal, folder, role string) map[string]any {
	return map[string]any{"principal_type": "user", "principal_id": principal, "resource_type": "folder", "resource_id": folder, "role": role}
}

func names(list map[string]any) string {
	var all []string
	for _, x := range results(list) {
		all = append(all, x["name"].(string))
	}
	return strings.Join(all, " ")
}

// F1 to F6 of the wire contract, and workflows in folders.
func TestFolders(t *testing.T) {
	t.Parallel()
	s := apptest.Start(t, apptest.Options{Way: apptest.Anyone{}})
	c, other := s.Person(t, "owner"), s.Person(t, "other")
	outer := makeFolder(t, c.Client, "outer", "")
	inner := makeFolder(t, c.Client, " inner ", outer)
	beside := makeFolder(t, c.Client, "beside", "")
	list := func(query string) string {
		t.Helper()
		return names(c.JSON(t, http.StatusOK, "GET", query, nil))
	}
	if got := list("/api/folders"); got != "beside outer" {
		t.Errorf("F1: roots %q", got)
	}
	if got := list("/api/folders?namespace_id=" + c.Namespace(t) + "&parent_folder_id=" + outer); got != "inner" {
		t.Errorf("F1: inside %q", got)
	}
	if got := list("/api/folders?parent_folder_id=" + makeFolder(t, other.Client, "theirs", "")); got != "" {
		t.Errorf("F1: another's %q", got)
	}
	path := c.JSON(t, http.StatusOK, "GET", "/api/folders/"+inner+"/path", nil)
	if names(path) != "outer inner" || len(path["path"].([]any)) != 2 || path["name"] != "inner" || path["parent_folder_id"] != outer {
		t.Errorf("F4: %v", path)
	}
	for what, r := range map[string]struct {
		status             int
		method, path, says string
		body               map[string]any
	}{
		"a name that is taken":     {409, "POST", "/api/folders", "there already", map[string]any{"name": "outer", "namespaceId": c.Namespace(t)}},
		"another's namespace":      {400, "POST", "/api/folders", "Namespace not found", map[string]any{"name": "x", "namespaceId": other.Namespace(t)}},
		"into itself":              {400, "PATCH", "/api/folders/" + outer, "Cannot move folder to itself", map[string]any{"parent_folder_id": outer}},
		"into what is in it":       {400, "PATCH", "/api/folders/" + outer, "Cannot move folder into its own descendant", map[string]any{"parent_folder_id": inner}},
		"into nothing":             {400, "PATCH", "/api/folders/" + outer, "Parent folder not found", map[string]any{"parent_folder_id": c.Namespace(t)}},
		"a workflow into nothing":  {400, "POST", "/api/workflows", "Parent folder not found", map[string]any{"name": "x", "namespaceId": c.Namespace(t), "parentFolderId": "x"}},
		"a name with line breaks":  {400, "PATCH", "/api/folders/" + outer, "control characters", map[string]any{"name": "a\nb"}},
		"a name of blanks":         {400, "PATCH", "/api/folders/" + outer, "must not be empty", map[string]any{"name": "  "}},
		"a name that is too long":  {400, "POST", "/api/folders", "at most 255", map[string]any{"name": strings.Repeat("x", 256), "namespaceId": c.Namespace(t)}},
		"a folder of another":      {404, "GET", "/api/folders/" + makeFolder(t, other.Client, "not yours", ""), "Folder not found", nil},
		"a folder that is no UUID": {404, "GET", "/api/folders/x/path", "not found", nil},
	} {
		if text := problem(t, c.Client, r.status, r.method, r.path, r.body); !strings.Contains(text, r.says) {
			t.Errorf("%s: %q", what, text)
		}
	}
	made := c.JSON(t, http.StatusCreated, "POST", "/api/workflows", map[string]any{"name": "flow", "namespace_id": c.Namespace(t), "parent_folder_id": inner})
	flow := "/api/workflows/" + made["id"].(string)
	if made["parentFolderId"] != inner {
		t.Errorf("W2: made %v", made)
	}
	c.CreateWorkflow(t, "at the root")
	for query, want := range map[string]string{
		"?parent_folder_id=" + inner: "flow", "?folderId=" + outer: "", "?folderId=null": "at the root", "?root_only=true": "at the root", "": "at the root flow",
	} {
		if got := list("/api/workflows" + query); got != want {
			t.Errorf("W1: %q lists %q, want %q", query, got, want)
		}
	}
	// F5: the folder moves with what is in it.
	moveInto(t, c.Client, http.StatusOK, "/api/folders/"+inner, beside)
	if got := list("/api/folders/" + inner + "/path"); got != "beside inner" {
		t.Errorf("F5: path %q", got)
	}
	if got := moveInto(t, c.Client, http.StatusOK, flow, outer)["parentFolderId"]; got != outer {
		t.Errorf("W4: the folder is %v", got)
	}
	c.JSON(t, http.StatusOK, "PATCH", "/api/folders/"+outer, map[string]any{"name": "renamed"})
	// F6: nothing is deleted but the folder, or nothing at all.
	clash := makeFolder(t, c.Client, "inner", "")
	if text := problem(t, c.Client, http.StatusConflict, "DELETE", "/api/folders/"+beside, nil); !strings.Contains(text, `"inner"`) {
		t.Errorf("F6: %q does not say which folder is in the way", text)
	}
	c.JSON(t, http.StatusOK, "DELETE", "/api/folders/"+clash, nil)
	gone := c.JSON(t, http.StatusOK, "DELETE", "/api/folders/"+beside, nil)
	if fmt.Sprint(gone["moved"]) != "map[folders:1 workflows:0]" || gone["success"] != true || gone["id"] != beside {
		t.Errorf("F6: %v", gone)
	}
	c.JSON(t, http.StatusOK, "DELETE", "/api/folders/"+outer, nil)
	if got := c.JSON(t, http.StatusOK, "GET", flow, nil)["parentFolderId"]; got != nil || list("/api/folders") != "inner" {
		t.Errorf("F6: the workflow is in %v, folders are %q", got, list("/api/folders"))
	}
	log := auditLog(t, s)
	for _, want := range []string{
		`"action":"` + string(audit.CreateFolder) + `".*"name":"inner"`,
		`"action":"` + string(audit.ChangeFolder) + `".*"folder":"` + outer + `".*"after":.*"folder":"` + beside,
		`"action":"` + string(audit.ChangeWorkflow) + `".*"before":.*"folder":"` + inner + `".*"after":.*"folder":"` + outer,
		`"action":"` + string(audit.DeleteFolder) + `".*"before":.*"name":"renamed"`,
	} {
		if !regexp.MustCompile(`(?m)^.*"id":"` + c.ID + `".*` + want + `.*$`).MatchString(log) {
			t.Errorf("the audit log has no %s:\n%s", want, log)
		}
	}
}

// A role on a folder counts for all that is in it, follows what is moved at once,
// and is no way to more.
func TestRolesOnFolders(t *testing.T) {
	t.Parallel()
	s := apptest.Start(t, apptest.Options{Way: apptest.Anyone{}})
	owner, viewer, member := s.Person(t, "owner"), s.Person(t, "viewer"), s.Person(t, "member")
	s.Join(t, owner.Organization, viewer, "viewer")
	s.Join(t, owner.Organization, member, "member")
	outer := makeFolder(t, owner.Client, "outer", "")
	inner := makeFolder(t, owner.Client, "inner", outer)
	d := owner.Deploy(t, "flow", apptest.Handler(`return 1`))
	flow := "/api/workflows/" + d.WorkflowID
	run := d.Run(t, `{}`)
	trigger := results(owner.JSON(t, http.StatusOK, "GET", "/api/triggers?workflowId="+d.WorkflowID, nil))[0]["id"].(string)
	grant := func(by *apptest.Client, status int, principal, folder, role string) {
		t.Helper()
		by.JSON(t, status, "POST", "/api/access/grant", onFolder(principal, folder, role))
	}
	// Of each thing that hangs under a workflow, something that a member may.
	touch := func(status int) {
		t.Helper()
		for _, r := range []struct {
			method, path string
			body         any
		}{
			{"PATCH", flow, map[string]any{"description": "touched"}},
			{"PATCH", "/api/workflow-deployments/" + d.DeploymentID, map[string]any{"note": "touched"}},
			{"POST", "/api/executions/" + run.ID + "/replay", map[string]any{}},
			{"POST", "/api/executions/workflows/" + d.WorkflowID + "/batches", map[string]any{"action": "replay", "dryRun": true}},
			{"POST", "/api/dev/sync-triggers", map[string]any{"workflowId": d.WorkflowID, "triggers": []any{}}},
			{"POST", "/api/triggers/" + trigger + "/invoke", map[string]any{}},
		} {
			got := viewer.Do(t, r.method, r.path, r.body)
			if refused := got.Status == http.StatusForbidden; refused != (status == http.StatusForbidden) || got.Status >= 500 || got.Status == http.StatusNotFound {
				t.Errorf("%s %s: %s, want it refused: %t", r.method, r.path, got, status == http.StatusForbidden)
			}
		}
	}
	touch(http.StatusForbidden)
	grant(member.Client, http.StatusForbidden, viewer.ID, outer, "user")
	grant(owner.Client, http.StatusOK, viewer.ID, outer, "user")
	touch(http.StatusForbidden) // the workflow is at the root
	moveInto(t, owner.Client, http.StatusOK, flow, inner)
	touch(http.StatusOK)
	explained := viewer.JSON(t, http.StatusOK, "GET", "/api/access/explain?action=workflow.deploy&resource_type=workflow&resource_id="+d.WorkflowID, nil)
	if on := explained["grantedOn"].(map[string]any); explained["allowed"] != true || on["type"] != "folder" || on["id"] != outer || on["name"] != "outer" ||
		!strings.Contains(fmt.Sprint(explained["reasons"]), `the folder "outer"`) {
		t.Errorf("explained %v", explained)
	}
	people := results(owner.JSON(t, http.StatusOK, "GET", "/api/access/principals?resource_type=workflow&resource_id="+d.WorkflowID, nil))
	if len(people) != 1 || people[0]["inherited_from"].(map[string]any)["id"] != outer {
		t.Errorf("29: principals %v", people)
	}
	of := "/api/access/resources?principal_type=user&principal_id=" + viewer.ID
	if all := results(owner.JSON(t, http.StatusOK, "GET", of, nil)); len(all) != 1 {
		t.Errorf("28: %v", all)
	}
	if all := results(owner.JSON(t, http.StatusOK, "GET", of+"&expand=true", nil)); len(all) != 3 || all[2]["resource_id"] != d.WorkflowID || all[2]["inheritedFrom"].(map[string]any)["id"] != outer {
		t.Errorf("28: expanded %v", all)
	}

	// Inside of the folder the viewer may do what a member may.
	mine := viewer.JSON(t, http.StatusOK, "POST", "/api/folders", map[string]any{"name": "mine", "namespaceId": owner.Namespace(t), "parentFolderId": inner})["id"].(string)
	viewer.JSON(t, http.StatusCreated, "POST", "/api/workflows", map[string]any{"name": "made", "namespaceId": owner.Namespace(t), "parentFolderId": mine})
	moveInto(t, viewer.Client, http.StatusForbidden, "/api/folders/"+mine, "")
	moveInto(t, viewer.Client, http.StatusOK, "/api/folders/"+mine, outer)
	moveInto(t, viewer.Client, http.StatusForbidden, flow, "")
	moveInto(t, viewer.Client, http.StatusOK, flow, mine)
	viewer.JSON(t, http.StatusForbidden, "DELETE", "/api/folders/"+outer, nil) // it would fill the root
	viewer.JSON(t, http.StatusForbidden, "POST", "/api/folders", map[string]any{"name": "x", "namespaceId": owner.Namespace(t)})
	grant(viewer.Client, http.StatusForbidden, member.ID, outer, "user")

	// A member is an owner of one folder, and gets nothing into it that others own.
	trap := makeFolder(t, owner.Client, "trap", "")
	grant(owner.Client, http.StatusOK, member.ID, trap, "owner")
	grant(member.Client, http.StatusOK, viewer.ID, trap, "user")
	loot := owner.CreateWorkflow(t, "loot")
	for _, path := range []string{"/api/workflows/" + loot, "/api/folders/" + outer} {
		if text := moveInto(t, member.Client, http.StatusForbidden, path, trap)["detail"].(string); !strings.Contains(text, "right to grant") {
			t.Errorf("%s: %q", path, text)
		}
	}
	moveInto(t, member.Client, http.StatusForbidden, flow, "") // out of what a viewer has a role on
	free := makeFolder(t, owner.Client, "free", "")
	moveInto(t, member.Client, http.StatusOK, "/api/workflows/"+loot, free)

	// What leaves the folder leaves its roles.
	moveInto(t, owner.Client, http.StatusOK, "/api/folders/"+mine, "")
	touch(http.StatusForbidden)
	moveInto(t, owner.Client, http.StatusOK, "/api/folders/"+mine, outer)
	touch(http.StatusOK)
	if text := problem(t, member.Client, http.StatusForbidden, "DELETE", "/api/folders/"+outer, nil); !strings.Contains(text, "2 folders and 0 workflows") {
		t.Errorf("emptying a folder with roles on it: %q", text)
	}
	owner.JSON(t, http.StatusOK, "DELETE", "/api/folders/"+outer, nil)
	touch(http.StatusForbidden)
	if all := results(owner.JSON(t, http.StatusOK, "GET", of, nil)); len(all) != 1 || all[0]["resource_id"] != trap {
		t.Errorf("roles after the end of their folder: %v", all)
	}
}

// A key for a folder alone opens what is in it, and nothing that has left it:
// connections that are open end.
func TestKeysForOneFolder(t *testing.T) {
	t.Parallel()
	s := apptest.Start(t, apptest.Options{})
	outer := makeFolder(t, s.Client, "outer", "")
	inner := makeFolder(t, s.Client, "inner", outer)
	d := s.Deploy(t, "in it", apptest.Handler(`return 1`))
	outside := s.CreateWorkflow(t, "outside")
	moveInto(t, s.Client, http.StatusOK, "/api/workflows/"+d.WorkflowID, inner)
	account := s.Account(t, "admin")
	k := s.AccountKey(t, account, map[string]any{"folder_id": outer})
	for path, want := range map[string]int{
		"/api/workflows/" + d.WorkflowID: 200, "/api/workflows/" + outside: 403, "/api/folders/" + inner: 200, "/api/folders/" + inner + "/path": 200,
		"/api/workflow-deployments?workflowId=" + d.WorkflowID: 200, "/api/workflows?parentFolderId=" + inner: 200, "/api/folders?parent_folder_id=" + outer: 200,
		"/api/folders?parent_folder_id=" + makeFolder(t, s.Client, "elsewhere", ""): 403,
	} {
		if r := k.Do(t, "GET", path, nil); r.Status != want {
			t.Errorf("GET %s: %s, want %d", path, r, want)
		}
	}
	for _, path := range []string{"/api/workflows", "/api/folders", "/api/executions"} {
		if all := results(k.JSON(t, http.StatusOK, "GET", path, nil)); len(all) != 0 {
			t.Errorf("GET %s shows %v", path, all)
		}
	}
	if got := names(k.JSON(t, http.StatusOK, "GET", "/api/workflows?parentFolderId="+inner, nil)); got != "in it" {
		t.Errorf("the folder has %q", got)
	}
	k.JSON(t, http.StatusForbidden, "PATCH", "/api/folders/"+inner, map[string]any{"name": "x"}) // a key that is made for less moves no folders
	moveInto(t, k.Client, http.StatusForbidden, "/api/workflows/"+d.WorkflowID, "")
	moveInto(t, k.Client, http.StatusOK, "/api/workflows/"+d.WorkflowID, outer)
	s.JSON(t, http.StatusBadRequest, "POST", "/api/service_accounts/"+account+"/api_keys", map[string]any{"name": "x", "folder_id": outside})
	s.JSON(t, http.StatusBadRequest, "POST", "/api/service_accounts/"+account+"/api_keys", map[string]any{"name": "x", "folder_id": makeFolder(t, s.OtherTenant(t), "foreign", "")})

	line := realtimetest.Connect(t, "ws"+strings.TrimPrefix(s.URL, "http")+"/ws/connection/websocket", k.Key)
	heard, err := line.Subscribe("workflow:" + d.WorkflowID)
	if err != nil {
		t.Fatal(err)
	}
	d.Run(t, `{}`)
	heard.Until("workflow.execution.completed")
	syncDev(t, k.Client, d.WorkflowID)
	moveInto(t, s.Client, http.StatusOK, "/api/workflows/"+d.WorkflowID, "")
	if err := heard.Ended(); !strings.Contains(err.Error(), "Access denied") {
		t.Errorf("the subscription ended with %v", err)
	}
	apptest.Until(t, 10*time.Second, "the end of a development session", func() bool {
		return len(results(s.JSON(t, http.StatusOK, "GET", "/api/dev/sessions?workflowId="+d.WorkflowID, nil))) == 0
	})
	k.JSON(t, http.StatusForbidden, "GET", "/api/workflows/"+d.WorkflowID, nil)
	s.JSON(t, http.StatusOK, "DELETE", "/api/folders/"+outer, nil)
	k.JSON(t, http.StatusForbidden, "GET", "/api/folders/"+inner, nil)
	k.JSON(t, http.StatusNotFound, "GET", "/api/folders/"+outer, nil)
}
