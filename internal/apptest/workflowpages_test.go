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
