package apptest_test

import (
	"bytes"
	"database/sql"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/usefloww/flowwd/internal/app"
	"github.com/usefloww/flowwd/internal/apptest"
	"github.com/usefloww/flowwd/internal/config"
)

// entries reads pages of an audit log to the end, newest first, and shows each
// as "who action outcome target".
func entries(t *testing.T, c *apptest.Client, path, query string) (found []string) {
	t.Helper()
	for before := ""; ; {
		page := c.JSON(t, http.StatusOK, "GET", path+"?limit=3&"+query+before, nil)
		for _, e := range results(page) {
			actor, target := e["actor"].(map[string]any), e["target"].(map[string]any)
			found = append(found, fmt.Sprintf("%s %s %s %s", actor["name"], e["action"], e["outcome"], target["type"]))
			if at, err := time.Parse(time.RFC3339, e["at"].(string)); err != nil || time.Since(at) > time.Hour {
				t.Errorf("at %v", e["at"])
			}
			if k := actor["kind"]; (k == "user" || k == "service_account") && (actor["address"] != "127.0.0.1" || actor["requestId"] == "") {
				t.Errorf("from %v", actor)
			}
		}
		next, _ := page["next"].(string)
		if next == "" {
			return found
		}
		before = "&before=" + next
	}
}

func TestAuditLogOfAnOrganization(t *testing.T) {
	t.Parallel()
	s := apptest.Start(t, apptest.Options{Way: apptest.Anyone{}, Settings: func(c *config.Settings) { c.AdminUserIDs = []string{"root"} }})
	root, ada, bob := s.Person(t, "root"), s.Person(t, "ada"), s.Person(t, "bob")
	s.Join(t, ada.Organization, bob, "member")
	d := ada.Deploy(t, "audited", apptest.Handler(`return 1`))
	ada.JSON(t, http.StatusOK, "PATCH", "/api/workflow-deployments/"+d.DeploymentID, map[string]any{"note": "x"})
	ada.JSON(t, http.StatusOK, "DELETE", "/api/workflows/"+d.WorkflowID, nil)
	mine := "/api/organizations/" + ada.Organization
	if r := bob.Do(t, "PATCH", mine, map[string]any{"displayName": "x"}); r.Status != http.StatusForbidden {
		t.Fatalf("bob renames: %s", r)
	}
	const a, b = "ada@example.com ", "bob@example.com "
	got := entries(t, ada.Client, mine+"/audit", "")
	want := []string{
		b + "access.refuse refused route", a + "workflow.delete done workflow", a + "deployment.change done deployment",
		a + "deployment.create done deployment", a + "workflow.create done workflow",
	}
	if len(got) < len(want) || strings.Join(got[:len(want)], "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant it to begin with\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	for query, n := range map[string]int{
		"actor=bob@example.com": 1, "action=workflow.create": 1, "action=workflow": 2, "outcome=refused": 1, "target=" + d.WorkflowID: 2,
		"target=workflow:" + d.WorkflowID + "&action=workflow.delete": 1, "actor=nobody": 0, "since=" + url.QueryEscape(time.Now().Add(time.Hour).Format(time.RFC3339)): 0,
	} {
		if got := entries(t, ada.Client, mine+"/audit", query); len(got) != n {
			t.Errorf("%s: %v, want %d", query, got, n)
		}
	}
	// Others' entries are not there, and the administrator sees all.
	for _, line := range entries(t, bob.Client, "/api/organizations/"+bob.Organization+"/audit", "") {
		if strings.Contains(line, a) || strings.Contains(line, "workflow") {
			t.Errorf("bob sees %s", line)
		}
	}
	all := strings.Join(entries(t, root.Client, "/api/admin/audit", ""), "\n")
	for _, line := range append(want, a+"user.create done user", b+"user.create done user") {
		if !strings.Contains(all, line) {
			t.Errorf("the administrator does not see %s in\n%s", line, all)
		}
	}
	if r := bob.Do(t, "GET", mine+"/audit", nil); r.Status != http.StatusForbidden {
		t.Errorf("a member reads: %s", r)
	}

	// Exports hold, the one of all without gaps.
	export := root.Do(t, "GET", "/api/admin/audit/export", nil)
	sum, err := app.VerifyAuditExport(bytes.NewReader(export.Body), false)
	if err != nil || sum.Missing != 0 || sum.First != 1 || sum.Entries < 10 {
		t.Errorf("%+v, %v", sum, err)
	}
	export = ada.Do(t, "GET", mine+"/audit/export", nil)
	sum, err = app.VerifyAuditExport(bytes.NewReader(export.Body), true)
	if err != nil || sum.Missing == 0 {
		t.Errorf("%+v, %v", sum, err)
	}
	if strings.Contains(string(export.Body), bob.Organization) {
		t.Error("another organization is in the export")
	}
	if got := entries(t, ada.Client, mine+"/audit", "action=audit.export"); len(got) != 1 {
		t.Errorf("the export was recorded as %v", got)
	}
}

func TestDoctorFindsATamperedAuditLogAndAWrongKey(t *testing.T) {
	t.Parallel()
	s := apptest.Start(t, apptest.Options{})
	s.Deploy(t, "tampered", apptest.Handler(`return 1`))
	s.Stop(t)
	settings := apptest.Settings(t, s.DataDir)
	doctor := func(want string) {
		t.Helper()
		var all []string
		for _, problem := range app.Doctor(t.Context(), settings) {
			all = append(all, problem.Error())
		}
		if got := strings.Join(all, "\n"); len(all) > 1 || (got == "") != (want == "") || !strings.Contains(got, want) {
			t.Errorf("doctor says %q, want %q", got, want)
		}
	}
	doctor("")
	settings.EncryptionKey = strings.Repeat("A", 43)
	doctor("the database was begun with another encryption key")
	settings.EncryptionKey = "x"
	doctor("ENCRYPTION_KEY: an encryption key is 32 bytes")
	settings.EncryptionKey = ""

	driver, address := "sqlite", config.DataDir(s.DataDir).Database()
	if apptest.OnPostgreSQL() {
		driver, address = "pgx", apptest.DatabaseURL(s.DataDir)
	}
	db, err := sql.Open(driver, address)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(`UPDATE audit_entries SET actor_name = 'somebody else' WHERE seq = 2`); err != nil {
		t.Fatal(err)
	}
	doctor("the audit log does not hold: audit entry 2 was changed")
}
