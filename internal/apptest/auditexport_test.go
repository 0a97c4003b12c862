package apptest_test

import (
	"encoding/csv"
	"encoding/json"
	"strings"
	"testing"
)

// What the page of the audit log shows can be taken along: as a table, in which no
// name is a formula, and as JSON lines; those who are no administrators get
// neither.
func TestFilteredAuditIsExported(t *testing.T) {
	t.Parallel()
	s, _ := withAdmin(t)
	ada := own{loggedIn(t, s), s.URL}
	const formula = `=HYPERLINK("http://evil.example")`
	ada.ask(t, 201, "POST", "/api/users", map[string]string{"email": "grace@example.com", "firstName": formula})
	mine := ada.Organization(t)
	for _, name := range []string{formula, "-1", "+1", "@x", formula} {
		ada.ask(t, 200, "PATCH", "/api/organizations/"+mine, map[string]string{"displayName": name})
	}
	r := ada.Get(t, "/admin/audit/export?format=csv&action=organization")
	rows, err := csv.NewReader(strings.NewReader(string(r.Body))).ReadAll()
	if err != nil || len(rows) < 6 || !strings.HasPrefix(r.Header.Get("Content-Type"), "text/csv") {
		t.Fatalf("%d rows, %v: %.500s", len(rows), err, r)
	}
	for _, row := range rows[1:] {
		if !strings.HasPrefix(row[6], "organization.") {
			t.Errorf("a row of another action: %v", row)
		}
		for _, cell := range row {
			if strings.HasPrefix(cell, "=") {
				t.Errorf("a cell is a formula: %s", cell)
			}
		}
	}
	r = ada.Get(t, "/admin/audit/export?format=jsonl&action=audit.export&actor="+"ada@example.com")
	lines := strings.Split(strings.TrimSpace(string(r.Body)), "\n")
	for _, line := range lines {
		var entry struct{ Action string }
		if err := json.Unmarshal([]byte(line), &entry); err != nil || entry.Action != "audit.export" {
			t.Errorf("the line %.300s: %v", line, err)
		}
	}
	if len(lines) < 1 || r.Status != 200 {
		t.Errorf("the export is not recorded: %s", r)
	}
	for _, wrong := range []string{"", "?format=xls", "?format=csv&since=x", "?format=csv&before=x"} {
		if r := ada.Get(t, "/admin/audit/export"+wrong); r.Status != 400 {
			t.Errorf("%s: %s", wrong, r)
		}
	}
	ada.page(t, "/admin/audit?action=organization", 200, "/admin/audit/export?action=organization&amp;format=csv")
	bob := ada.Account(t, "bob@example.com", "correct horse staple")
	if r := bob.Get(t, "/admin/audit/export?format=csv"); r.Status != 403 {
		t.Errorf("somebody else is answered: %s", r)
	}
}
