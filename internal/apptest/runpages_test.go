package apptest_test

import (
	"strings"
	"testing"

	"github.com/usefloww/flowwd/internal/apptest"
	"github.com/usefloww/flowwd/internal/config"
)

// The pages of runs show all that there is without any script, what code wrote as
// text, and nothing of another tenant.
func TestPagesOfRuns(t *testing.T) {
	t.Parallel()
	s := apptest.Start(t, apptest.Options{Settings: func(c *config.Settings) {
		c.AdminEmail, c.AdminPassword = apptest.AdminLogin, apptest.AdminPassword
	}})
	d := s.Deploy(t, "<i>mine</i>", apptest.Handler(`
		for (let i = 1; i <= 120; i++) console.log("line <script> " + i + "x".repeat(5000));
		throw new Error("<script>" + "y".repeat(5000));
	`))
	run := d.Run(t, `{}`).ID
	other := s.OtherTenant(t)
	theirs := other.Deploy(t, "theirs", apptest.Handler(`return 1`))
	foreign := theirs.Run(t, `{}`).ID

	b := apptest.NewBrowser(t, s.URL)
	workflow, execution := "/workflows/"+d.WorkflowID, "/executions/"+run
	for _, path := range []string{"/workflows", workflow, execution} {
		if r := b.Get(t, path, "Accept", "text/html"); r.Status != 307 || !strings.HasPrefix(r.Location(t), "/auth/login?next=%2F") {
			t.Errorf("GET %s without a login: %s", path, r)
		}
	}
	b.LogIn(t, apptest.AdminLogin, apptest.AdminPassword)
	for path, c := range map[string]struct {
		has, lacks []string
		lines      int
	}{
		"/workflows":              {[]string{"&lt;i&gt;mine&lt;/i&gt;", "1 in all", workflow}, []string{"theirs"}, 0},
		"/workflows?search=MINE":  {[]string{"1 found", workflow}, nil, 0},
		"/workflows?search=no":    {[]string{"0 found"}, []string{workflow}, 0},
		"/workflows?offset=1":     {[]string{"offset=0"}, []string{workflow}, 0},
		workflow:                  {[]string{execution, "failed", "POST /in", "Error: &lt;script&gt;", "/api" + execution + "/logs"}, []string{foreign}, 100},
		execution:                 {[]string{"A run of &lt;i&gt;mine", workflow, "failed"}, []string{"There are more lines"}, 120},
	} {
		r := b.Get(t, path)
		page := string(r.Body)
		if r.Status != 200 || strings.Contains(page, "line <script>") || strings.Contains(page, "xxxx…") != (c.lines > 0) || strings.Count(page, "line &lt;script&gt;") != c.lines {
			t.Errorf("GET %s: %d with %d lines, want %d:\n%.3000s", path, r.Status, strings.Count(page, "line &lt;script&gt;"), c.lines, page)
		}
		for _, text := range c.has {
			if !strings.Contains(page, text) {
				t.Errorf("GET %s has no %q", path, text)
			}
		}
		for _, text := range c.lacks {
			if strings.Contains(page, text) {
				t.Errorf("GET %s has %q", path, text)
			}
		}
		policy := r.Header.Get("Content-Security-Policy")
		if live := strings.Contains(page, "/centrifuge.js"); live != (c.lines > 0) || !strings.Contains(policy, "; script-src 'self'; connect-src 'self';") || strings.Contains(policy, "unsafe") {
			t.Errorf("GET %s has the policy %q", path, policy)
		}
	}
	for _, offset := range []string{"x", "-1", "%00", "1e3", "99999999999999999999"} {
		if r := b.Get(t, "/workflows?offset="+offset, "Accept", "text/html"); r.Status != 400 || !strings.Contains(string(r.Body), "must be a number from 0") {
			t.Errorf("the offset %s: %s, want 400", offset, r)
		}
	}
	for _, path := range []string{"/workflows/" + theirs.WorkflowID, "/workflows?folder=x", "/workflows?folder=" + theirs.WorkflowID, "/executions/" + foreign, "/workflows/x", "/executions/x"} {
		if r := b.Get(t, path, "Accept", "text/html"); r.Status != 404 {
			t.Errorf("GET %s: %s, want 404", path, r)
		}
	}
}
