package api

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/usefloww/flowwd/internal/audit"
	"github.com/usefloww/flowwd/internal/audit/lines"
	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/tenant"
)

// fakeOrganizations has the one of the tests.
type fakeOrganizations struct{ Organizations }

func (fakeOrganizations) Organization(_ context.Context, among []id.ID, wanted id.ID) (tenant.Organization, error) {
	if wanted != n(orgNumber) || !slices.Contains(among, wanted) {
		return tenant.Organization{}, fault.New(fault.NotFound, "no rows")
	}
	return tenant.Organization{ID: wanted}, nil
}

// fakeAudit is a chain, of which every second entry is the organization's.
type fakeAudit struct {
	chain    []audit.Link
	filter   audit.Filter
	recorded []audit.Entry
	err      error
}

func (f *fakeAudit) fill(many int) {
	var last audit.Link
	for i := range many {
		l := audit.Link{Seq: last.Seq + 1, Previous: last.Hash, Entry: audit.Entry{
			ID: n(8), At: clock, Actor: audit.Actor{Kind: audit.KindUser, ID: n(9), Name: "ada", Address: "192.0.2.1", RequestID: "r"},
			Action: audit.ChangeWorkflow, Outcome: audit.Done, Target: audit.Target{Type: "workflow", ID: "x"},
			After: audit.Snapshot(map[string]any{"name": "<b>"}),
		}}
		if i%2 == 1 {
			l.OrganizationID = n(orgNumber)
		}
		l.Hash = l.Sum()
		f.chain, last = append(f.chain, l), l
	}
}

func (f *fakeAudit) AuditPage(_ context.Context, filter audit.Filter) (audit.Page, error) {
	f.filter = filter
	return audit.Page{Links: f.chain, Next: int64(len(f.chain))}, f.err
}

func (f *fakeAudit) AuditChain(_ context.Context, organization id.ID, after int64, limit int) (found []audit.Link, err error) {
	for _, l := range f.chain {
		if l.Seq > after && len(found) < limit && (organization.IsZero() || organization == l.OrganizationID) {
			found = append(found, l)
		}
	}
	return found, f.err
}

func (f *fakeAudit) Record(_ context.Context, e audit.Entry) { f.recorded = append(f.recorded, e) }

const asInstallation = "Authorization: Bearer installation"

func TestAuditIsListed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.audit.fill(2)
	w.audit.chain[1].Before = json.RawMessage("no JSON")
	const entry = `"id":"#8","at":"2026-03-04T04:06:07.008Z","actor":{"kind":"user","id":"#9","name":"ada","address":"192.0.2.1","requestId":"r"},
		"action":"workflow.change","outcome":"done","target":{"type":"workflow","id":"x"},"before":null,"after":{"name":"<b>"}`
	wantJSON(t, w.ask(t, "GET", ids("/api/organizations/#1/audit"), "", asAdmin), 200,
		`{"results":[{"seq":1,"organizationId":null,`+entry+`},{"seq":2,"organizationId":"#1",`+entry+`}],"next":"2"}`)
	if diff := cmp.Diff(audit.Filter{OrganizationID: n(orgNumber), Limit: 50}, w.audit.filter); diff != "" {
		t.Error(diff)
	}
	w.audit.chain = nil
	wantJSON(t, w.ask(t, "GET", "/api/admin/audit", "", asInstallation), 200, `{"results":[],"next":null}`)
	if diff := cmp.Diff(audit.Filter{Limit: 50}, w.audit.filter); diff != "" {
		t.Error(diff)
	}
	if len(w.audit.recorded) > 0 {
		t.Errorf("looking was recorded: %v", w.audit.recorded)
	}
}

func TestAuditFilters(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	at := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	r := w.ask(t, "GET", ids("/api/admin/audit?organization_id=#1&actor=ada&action=workflow&target=workflow:x&outcome=refused&since=2026-03-04T05:06:07Z&until=2026-03-04T06:06:07%2B01:00&before=77&limit=3"), "", asInstallation)
	if r.status != 200 {
		t.Fatalf("%d %s", r.status, r.text)
	}
	want := audit.Filter{
		OrganizationID: n(orgNumber), Actor: "ada", Action: "workflow", Target: "workflow:x", Outcome: audit.Refused, Since: at, Until: at, Before: 77, Limit: 3,
	}
	if diff := cmp.Diff(want, w.audit.filter); diff != "" {
		t.Error(diff)
	}
	for _, c := range [][2]string{
		{"organizationId=x", "query.organizationId: must be a UUID"}, {"since=yesterday", "query.since"}, {"until=1", "query.until"}, {"before=0", "query.before"},
		{"before=x", "query.before"}, {"limit=0", "query.limit"}, {"limit=201", "query.limit"}, {"outcome=maybe", "query.outcome"},
		{"actor=" + strings.Repeat("x", 321), "query.actor"},
	} {
		wantError(t, w.ask(t, "GET", "/api/admin/audit?"+c[0], "", asInstallation), 400, c[1])
	}
}

func TestWhoMayReadTheAuditLog(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.audit.fill(3)
	for _, c := range []struct {
		path, who string
		status    int
	}{
		{"/api/organizations/#1/audit", "admin", 200}, {"/api/organizations/#1/audit", "member", 403}, {"/api/organizations/#1/audit", "viewer", 403},
		{"/api/organizations/#1/audit", "stranger", 404}, {"/api/organizations/#1/audit", "", 401}, {"/api/organizations/#1/audit", "installation", 404},
		{"/api/admin/audit", "installation", 200}, {"/api/admin/audit", "admin", 403}, {"/api/admin/audit", "stranger", 403}, {"/api/admin/audit", "", 401},
	} {
		for _, more := range []string{"", "/export"} {
			if r := w.ask(t, "GET", ids(c.path)+more, "", "Authorization: Bearer "+c.who); r.status != c.status {
				t.Errorf("%s%s by %s: %d, want %d: %s", c.path, more, c.who, r.status, c.status, r.text)
			}
		}
	}
}

func TestAuditExport(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.audit.fill(1201)
	export := func(path, who string) (string, lines.Summary) {
		t.Helper()
		r := w.ask(t, "GET", ids(path), "", who)
		if r.status != 200 || r.header.Get("Content-Type") != "application/x-ndjson" || r.header.Get("Cache-Control") != "no-store" ||
			!strings.Contains(r.header.Get("Content-Disposition"), "attachment") {
			t.Fatalf("%d %v %.200s", r.status, r.header, r.text)
		}
		s, err := lines.Verify(strings.NewReader(r.text), who == asAdmin)
		if err != nil {
			t.Fatal(err)
		}
		return r.text, s
	}
	all, s := export("/api/admin/audit/export", asInstallation)
	if s.Entries != 1201 || s.First.Seq != 1 || s.Last.Seq != 1201 {
		t.Errorf("all: %d entries from %d to %d", s.Entries, s.First.Seq, s.Last.Seq)
	}
	// In parts it is the same.
	first, s := export("/api/admin/audit/export?limit=600", asInstallation)
	if s.Entries != 600 {
		t.Errorf("the first part has %d entries", s.Entries)
	}
	second, _ := export("/api/admin/audit/export?after=600", asInstallation)
	if first+second != all {
		t.Error("the parts are not the whole")
	}
	if rest, _ := export("/api/admin/audit/export?after=1201", asInstallation); rest != "" {
		t.Errorf("after the end: %s", rest)
	}
	_, s = export("/api/organizations/#1/audit/export", asAdmin)
	if s.Entries != 600 || s.First.Seq != 2 || s.Missing != 599 {
		t.Errorf("an organization: %d entries from %d, %d missing", s.Entries, s.First.Seq, s.Missing)
	}
	if got := w.audit.recorded; len(got) != 5 || got[0].Action != audit.ExportAudit || got[4].OrganizationID != n(orgNumber) {
		t.Errorf("recorded %v", got)
	}
	for _, query := range []string{"after=-1", "after=x", "limit=0", "limit=100001"} {
		name, _, _ := strings.Cut(query, "=")
		wantError(t, w.ask(t, "GET", "/api/admin/audit/export?"+query, "", asInstallation), http.StatusBadRequest, "query."+name)
	}
	w.audit.err = fault.New(fault.Unavailable, "the database does not answer")
	wantError(t, w.ask(t, "GET", "/api/admin/audit/export", "", asInstallation), http.StatusServiceUnavailable, "the database")
}
