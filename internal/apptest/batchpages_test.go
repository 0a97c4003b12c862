package apptest_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/usefloww/flowwd/internal/apptest"
)

// Many runs are replayed or cancelled once it was said how many are meant, and a
// page shows how far that is.
func TestPagesOfBatches(t *testing.T) {
	t.Parallel()
	s, b := withAda(t)
	d := s.Deploy(t, "<b>many</b>", apptest.Handler(`if (event.body.bad) throw new Error("bad"); return 1;`))
	for range 2 {
		d.Run(t, `{"bad": true}`)
	}
	d.Run(t, `{}`)
	page := "/workflows/" + d.WorkflowID + "/batches"
	wantText(t, b.Get(t, "/workflows/"+d.WorkflowID), page)
	wantText(t, b.Get(t, "/executions?state=failed&since=2001-01-01"), page+"?action=replay&amp;since=2001-01-01&amp;state=failed")
	for query, text := range map[string]string{
		"?action=replay":                  "<strong>2 runs</strong> would be replayed",
		"?action=replay&state=completed":  "<strong>One run</strong> would be replayed",
		"?action=replay&until=2001-01-01": "No run is like that",
		"?action=cancel":                  "No run is like that",
	} {
		wantText(t, b.Get(t, page+query), text, "&lt;b&gt;many")
	}
	for query, text := range map[string]string{
		"?action=burn": "nothing that is done", "?action=cancel&state=failed": "can&#39;t be cancelled", "?action=replay&since=x": "no time", "?action=replay&trigger=x": "no id", "?action=replay&state=%3Cb%3E": "no status",
	} {
		if r := b.Get(t, page+query, "Accept", "text/html"); r.Status != http.StatusBadRequest || !strings.Contains(string(r.Body), text) || strings.Contains(string(r.Body), "<b>") {
			t.Errorf("GET %s: %d, want 400 with %q", query, r.Status, text)
		}
	}
	until := between(t, string(b.Get(t, page+"?action=replay").Body), `name="until" value="2`, `"`)
	batch := b.Post(t, page, map[string]string{"action": "replay", "until": "2" + until}).Location(t)
	if !strings.HasPrefix(batch, "/batches/") {
		t.Fatalf("begun, and led to %s", batch)
	}
	apptest.Until(t, 30*time.Second, "the end of the batch", func() bool {
		r := b.Get(t, batch)
		running := strings.Contains(string(r.Body), "Stop it")
		if running != (r.Header.Get("Refresh") != "") {
			t.Errorf("a batch that runs (%t) is loaded again: %q", running, r.Header.Get("Refresh"))
		}
		return !running
	})
	wantText(t, b.Get(t, batch), "2 of 2 replayed", `max="2" value="2"`, ">completed<", "Runs that were failed or timeout", apptest.AdminLogin)
	wantText(t, b.Get(t, page), batch, "2 of 2 replayed")
	if to := b.Post(t, batch+"/stop", nil).Location(t); to != batch {
		t.Errorf("stopped what has ended, and led to %s", to)
	}
	wantText(t, b.Get(t, batch), ">completed<")
	if r := b.Post(t, page, map[string]string{"action": "burn"}); r.Status != http.StatusBadRequest {
		t.Errorf("burn many runs: %d", r.Status)
	}
	viewer, other := s.RoleClient(t, "viewer"), s.OtherTenant(t)
	wantText(t, viewer.Do(t, "GET", page+"?action=replay", nil, "Accept", "text/html"), "would be replayed", "You may look at runs here")
	form := []string{"Content-Type", "application/x-www-form-urlencoded", "Accept", "text/html"}
	for _, path := range []string{page, batch + "/stop"} {
		if r := viewer.Do(t, "POST", path, "action=replay", form...); r.Status != http.StatusForbidden {
			t.Errorf("POST %s by a viewer: %d, want 403", path, r.Status)
		}
		if r := other.Do(t, "POST", path, "action=replay", form...); r.Status != http.StatusNotFound {
			t.Errorf("POST %s by another tenant: %d, want 404", path, r.Status)
		}
	}
	for _, path := range []string{page, batch} {
		if r := other.Do(t, "GET", path, nil, "Accept", "text/html"); r.Status != http.StatusNotFound {
			t.Errorf("GET %s by another tenant: %d, want 404", path, r.Status)
		}
	}
}

// The settings of a workflow say who is told of failures.
func TestSettingsOfFailures(t *testing.T) {
	t.Parallel()
	s, b := withAda(t)
	d := s.Deploy(t, "fails", apptest.Handler(`return 1`))
	at := "/workflows/" + d.WorkflowID
	page, told := at+"/settings", at+"/failure-notifications"
	wantText(t, b.Get(t, page), "Nobody is told.")
	set := b.Post(t, told, map[string]string{"webhookUrl": "https://hooks.example.com/T/very-secret"})
	wantText(t, set, "whsec_", "hooks.example.com", "The webhook is told from now on.")
	shown := string(b.Get(t, page).Body)
	for _, secret := range []string{"very-secret", "whsec_"} {
		if strings.Contains(shown, secret) {
			t.Errorf("the settings show %s again", secret)
		}
	}
	wantText(t, b.Get(t, page), "hooks.example.com", "not told of anything yet")
	for name, c := range map[string]struct {
		values map[string]string
		text   string
	}{
		"no address": {map[string]string{"webhookUrl": "javascript:alert(1)"}, "must be an address of http or https"},
		"no mail":    {map[string]string{"email": "ops@example.com"}, "sends no mail"},
	} {
		if r := b.Post(t, told, c.values); r.Status != http.StatusBadRequest || !strings.Contains(string(r.Body), c.text) {
			t.Errorf("%s: %d, want 400 with %q", name, r.Status, c.text)
		}
	}
	if to := b.Post(t, told, map[string]string{"remove": "webhook"}).Location(t); to != page+"?done=saved" {
		t.Errorf("removed, and led to %s", to)
	}
	wantText(t, b.Get(t, page), "Nobody is told.")
	form := []string{"Content-Type", "application/x-www-form-urlencoded", "Accept", "text/html"}
	viewer, other := s.RoleClient(t, "viewer"), s.OtherTenant(t)
	if r := viewer.Do(t, "POST", told, "remove=mail", form...); r.Status != http.StatusForbidden {
		t.Errorf("a viewer changes it: %d", r.Status)
	}
	if r := other.Do(t, "POST", told, "remove=mail", form...); r.Status != http.StatusNotFound {
		t.Errorf("another tenant changes it: %d", r.Status)
	}
}
