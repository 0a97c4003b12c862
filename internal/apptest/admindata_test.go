package apptest_test

import (
	"strings"
	"testing"

	"github.com/usefloww/flowwd/internal/apptest"
	"github.com/usefloww/flowwd/internal/config"
	"github.com/usefloww/flowwd/internal/records"
)

// Every table can be looked at, whatever names people choose, and nothing that opens
// something is on the pages.
func TestAdministratorsLookAtEverything(t *testing.T) {
	t.Parallel()
	s := apptest.Start(t, apptest.Options{Settings: func(c *config.Settings) {
		c.AdminEmail, c.AdminPassword, c.MetricsToken = apptest.AdminLogin, apptest.AdminPassword, "a token that is secret"
	}})
	d := s.Deploy(t, "<script>alert(1)</script>", apptest.Handler(`throw new Error("<img src=x>")`))
	run := d.Run(t, `{"secret": "in the body"}`).ID
	other := s.OtherTenant(t).Deploy(t, "theirs", apptest.Handler(`return 1`))
	b := apptest.NewBrowser(t, s.URL)
	b.LogIn(t, apptest.AdminLogin, apptest.AdminPassword)
	page := func(path string, status int, has ...string) string {
		t.Helper()
		r := b.Get(t, path, "Accept", "text/html")
		text := string(r.Body)
		if r.Status != status {
			t.Errorf("GET %s: %d, want %d: %.2000s", path, r.Status, status, text)
		}
		for _, want := range has {
			if !strings.Contains(text, want) {
				t.Errorf("GET %s has no %q", path, want)
			}
		}
		for _, never := range []string{"<script>alert", "<img src=x>", "in the body", "a token that is secret", apptest.AdminPassword} {
			if strings.Contains(text, never) {
				t.Errorf("GET %s has %q", path, never)
			}
		}
		return text
	}
	database := "SQLite"
	if apptest.OnPostgreSQL() {
		database = "PostgreSQL"
	}
	page("/admin", 200, database, "free of")
	page("/admin/api/", 200, "/admin/api/key-value-item/list")
	page("/admin/jobs", 200, "Nothing runs now.")
	page("/admin/settings", 200, "FLOWW_METRICS_TOKEN", "set, not shown")
	for _, e := range records.All() {
		list := page("/admin/api/"+e.Name+"/list", 200, e.Title)
		if _, rest, found := strings.Cut(list, `href="/admin/api/`+e.Name+`/details/`); found {
			key, _, _ := strings.Cut(rest, `"`)
			page("/admin/api/"+e.Name+"/details/"+key, 200, e.One)
		}
	}
	page("/admin/api/workflow/list?search=SCRIPT", 200, "&lt;script&gt;alert")
	page("/admin/api/workflow/list?search="+other.WorkflowID, 200, "theirs")
	page("/admin/api/execution-history/list?column=workflow_id&value="+d.WorkflowID+"&pageSize=1", 200, run)
	execution := "/admin/api/execution-history/details/" + run
	page(execution, 200, "&lt;img src=x&gt;", "/admin/api/workflow/details/"+d.WorkflowID)
	for path, status := range map[string]int{
		"/admin/api/no-such/list": 404, "/admin/api/no-such/details/1": 404, "/admin/api/workflow/details/x": 404,
		"/admin/api/workflow/list?before=x": 400, "/admin/api/workflow/list?pageSize=x": 400, "/admin/api/workflow/list?pageSize=101": 400,
		"/admin/api/workflow/list?column=name&value=x": 400, "/admin/api/workflow/list?column=organization_id&value=x": 400,
	} {
		page(path, status)
	}
	post := func(path string, status int) {
		t.Helper()
		r := b.Do(t, "POST", path, "", "Content-Type", "application/x-www-form-urlencoded", "Origin", s.URL, "Sec-Fetch-Site", "same-origin")
		if r.Status != status {
			t.Errorf("POST %s: %s, want %d", path, r, status)
		}
	}
	workflow := "/admin/api/workflow/details/" + other.WorkflowID
	post(workflow+"/deactivate", 302)
	page(workflow+"?done=deactivate", 200, "The workflow is inactive.", "Activate")
	post(workflow+"/activate", 302)
	post(workflow+"/explode", 404)
	post(execution+"/cancel", 409)
	waits := "/admin/api/execution-history/details/" + s.Deploy(t, "waits", apptest.Handler(`await new Promise((r) => setTimeout(r, 60000))`)).Send(t, `{}`)
	post(waits+"/cancel", 302)
	log := strings.Join(entries(t, b.Client, "/api/admin/audit", ""), "\n")
	for _, want := range []string{"workflow.change", "admin.open", "execution.cancel"} {
		if !strings.Contains(log, want) {
			t.Errorf("the audit log has no %s:\n%s", want, log)
		}
	}
}
