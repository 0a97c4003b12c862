package apptest_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/usefloww/flowwd/internal/apptest"
	"github.com/usefloww/flowwd/internal/config"
)

// withAda starts a server with a first account, and returns a browser that is
// logged in with it.
func withAda(t *testing.T) (*apptest.Server, *apptest.Browser) {
	t.Helper()
	s := apptest.Start(t, apptest.Options{Settings: func(c *config.Settings) {
		c.AdminEmail, c.AdminPassword = apptest.AdminLogin, apptest.AdminPassword
	}})
	b := apptest.NewBrowser(t, s.URL)
	b.LogIn(t, apptest.AdminLogin, apptest.AdminPassword)
	return s, b
}

// The list shows what is in a folder, what ran last and when the next run is, and
// makes workflows and folders where the reader is.
func TestListOfWorkflows(t *testing.T) {
	t.Parallel()
	s, b := withAda(t)
	n := s.Namespace(t)
	hostile := `"><img src=x>`
	d := s.Deploy(t, "fails", apptest.Handler(`throw new Error("no")`))
	run := d.Run(t, `{}`).ID
	s.Deploy(t, "ticks", `import { Builtin } from "floww"; new Builtin().triggers.onCron({ expression: "0 0 1 1 *", handler: () => {} });`)

	folder := b.Post(t, "/folders", map[string]string{"namespace": n, "name": hostile}).Location(t)
	if !strings.HasPrefix(folder, "/workflows?folder=") {
		t.Errorf("a folder is made, and leads to %s", folder)
	}
	id := strings.TrimPrefix(folder, "/workflows?folder=")
	made := b.Post(t, "/workflows", map[string]string{"folder": id, "name": "inside"}).Location(t)
	root, inside := b.Get(t, "/workflows"), b.Get(t, folder)
	wantText(t, root, "2 in all", "fails", "1 runs in 24 hours, 1 failed", "/executions/"+run, ">failed<", "ticks", "next run", "no runs in 24 hours", "&lt;img src=x&gt;", folder)
	wantText(t, inside, "1 in this folder", made, "nothing is deployed", "All workflows", "has not run yet")
	wantText(t, b.Get(t, "/workflows?search=INSIDE"), "1 found", made)
	for name, page := range map[string]string{"the list": string(root.Body), "the folder": string(inside.Body)} {
		if strings.Contains(page, "<img src=x>") || strings.Contains(page, ` style="`) {
			t.Errorf("%s has hostile names as they are, or style", name)
		}
	}
	if strings.Contains(string(root.Body), made) {
		t.Error("the root has what is in a folder")
	}

	theirs := s.OtherTenant(t)
	for name, c := range map[string]struct {
		path   string
		values map[string]string
		status int
		text   string
	}{
		"a name twice":            {"/workflows", map[string]string{"namespace": n, "name": "fails"}, 409, "already exists"},
		"no name":                 {"/workflows", map[string]string{"namespace": n, "name": " "}, 400, "name must not be empty"},
		"another tenant's":        {"/workflows", map[string]string{"namespace": theirs.Namespace(t), "name": "x"}, 400, "none of yours"},
		"no folder":               {"/workflows", map[string]string{"folder": "x", "name": "x"}, 404, "Folder not found"},
		"another tenant's folder": {"/folders", map[string]string{"folder": makeFolder(t, theirs, "theirs", ""), "name": "x"}, 404, "Folder not found"},
	} {
		r := b.Post(t, c.path, c.values)
		if r.Status != c.status || !strings.Contains(string(r.Body), c.text) {
			t.Errorf("%s: %.3000s, want %d with %q", name, r, c.status, c.text)
		}
	}
	s.Join(t, s.Organization(t), &apptest.Person{Client: s.Client, ID: whoami(t, b), Subject: "ada"}, "viewer")
	if r := b.Post(t, "/workflows", map[string]string{"namespace": n, "name": "x"}); r.Status != http.StatusForbidden {
		t.Errorf("a viewer makes a workflow: %s", r)
	}
	if page := b.Get(t, "/workflows"); strings.Contains(string(page.Body), "New workflow") {
		t.Error("a viewer is offered to make a workflow")
	}
}

func whoami(t *testing.T, b *apptest.Browser) string {
	t.Helper()
	return b.JSON(t, http.StatusOK, "GET", "/api/whoami", nil)["id"].(string)
}

// The pages of a workflow show what starts it and how its runs did, change it for
// those who may, and ask before they delete it.
func TestPagesOfAWorkflow(t *testing.T) {
	t.Parallel()
	s, b := withAda(t)
	d := s.Deploy(t, "<b>mine</b>", apptest.Handler(`return 1`))
	d.Run(t, `{}`)
	ticks := s.Deploy(t, "ticks", `import { Builtin } from "floww"; new Builtin().triggers.onCron({ expression: "0 0 1 1 *", handler: () => {} });`)
	theirs := s.OtherTenant(t).Deploy(t, "theirs", apptest.Handler(`return 1`))
	at := "/workflows/" + d.WorkflowID
	wantText(t, b.Get(t, at+"/triggers"), "&lt;b&gt;mine", "curl -X POST "+s.URL+d.Webhooks["POST in"], "one of the latest 1,000 runs", at+"/settings")
	if page := string(b.Get(t, "/workflows/"+ticks.WorkflowID+"/triggers").Body); strings.Count(page, "data-local") != 5 {
		t.Errorf("the page shows other than five times of a schedule: %.3000s", page)
	}
	for period, status := range map[string]int{"": 200, "24h": 200, "7d": 200, "30d": 200, "1y": 400, "%00": 400} {
		r := b.Get(t, at+"/metrics?period="+period, "Accept", "text/html")
		if r.Status != status || status == 200 && !strings.Contains(string(r.Body), "1 runs, 0 failed") {
			t.Errorf("the period %q: %.3000s, want %d", period, r, status)
		}
	}
	if to := b.Post(t, at+"/settings", map[string]string{"name": "other", "description": "<i>what</i>"}).Location(t); to != at+"/settings?done=saved" {
		t.Errorf("saved, and led to %s", to)
	}
	wantText(t, b.Get(t, at+"/settings?done=saved"), "Saved.", `value="other"`, "&lt;i&gt;what&lt;/i&gt;", "Deactivate")
	if r := b.Post(t, at+"/settings", map[string]string{"name": "ticks"}); r.Status != 409 || !strings.Contains(string(r.Body), "already exists") {
		t.Errorf("a name twice: %s", r)
	}
	b.Post(t, at+"/settings", map[string]string{"active": "no"}).Location(t)
	wantText(t, b.Get(t, at+"/settings"), "inactive", "Activate", "other")
	for _, page := range []string{"/triggers", "/metrics", "/settings", "/delete"} {
		if r := b.Get(t, "/workflows/"+theirs.WorkflowID+page); r.Status != http.StatusNotFound {
			t.Errorf("another tenant's %s: %s", page, r)
		}
	}
	wantText(t, b.Get(t, at+"/delete"), "Delete other?", "1, with their events", "Delete it")
	for _, path := range []string{"/settings", "/delete"} {
		if r := b.Post(t, "/workflows/"+theirs.WorkflowID+path, map[string]string{"name": "x"}); r.Status != http.StatusNotFound {
			t.Errorf("another tenant's %s is changed: %s", path, r)
		}
	}
	if to := b.Post(t, at+"/delete", nil).Location(t); to != "/workflows" {
		t.Errorf("deleted, and led to %s", to)
	}
	if r := b.Get(t, at); r.Status != http.StatusNotFound {
		t.Errorf("a deleted workflow: %s", r)
	}
	s.Join(t, s.Organization(t), &apptest.Person{Client: s.Client, ID: whoami(t, b), Subject: "ada"}, "viewer")
	at = "/workflows/" + ticks.WorkflowID
	wantText(t, b.Get(t, at+"/settings"), "You may look at this workflow, but not change it")
	for _, path := range []string{"/settings", "/delete"} {
		if r := b.Post(t, at+path, map[string]string{"name": "x"}); r.Status != http.StatusForbidden {
			t.Errorf("a viewer posts %s: %s", path, r)
		}
	}
}
