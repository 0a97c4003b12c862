package apptest_test

import (
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

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
		"/workflows":             {[]string{"&lt;i&gt;mine&lt;/i&gt;", "1 in all", workflow}, []string{"theirs"}, 0},
		"/workflows?search=MINE": {[]string{"1 found", workflow}, nil, 0},
		"/workflows?search=no":   {[]string{"0 found"}, []string{workflow}, 0},
		"/workflows?offset=1":    {[]string{"offset=0"}, []string{workflow}, 0},
		workflow:                 {[]string{execution, "failed", "POST /in", "Error: &lt;script&gt;", "/api" + execution + "/logs"}, []string{foreign}, 100},
		execution:                {[]string{"A run of &lt;i&gt;mine", workflow, "failed", "main.ts:", "Edit and replay"}, []string{"Older lines"}, 121}, // the last one in the code
	} {
		r := b.Get(t, path)
		page := string(r.Body)
		if r.Status != 200 || strings.Contains(page, "line <script>") || strings.Contains(page, "xxxx…") != (c.lines > 0) || strings.Count(page, "line &lt;script&gt;") != c.lines {
			t.Errorf("GET %s: %d with %d lines, want %d:\n%.3000s", path, r.Status, strings.Count(page, "line &lt;script&gt;"), c.lines, page)
		}
		hasAndLacks(t, path, page, c.has, c.lacks)
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

// The page of a run answers what happened, why, and what to do now; what is done
// there is what the API does, for those who may.
func TestPageOfARun(t *testing.T) {
	t.Parallel()
	s := apptest.Start(t, apptest.Options{Settings: func(c *config.Settings) {
		c.AdminEmail, c.AdminPassword = apptest.AdminLogin, apptest.AdminPassword
	}})
	d := s.Deploy(t, "paged", apptest.Handler(`
		for (let i = 1; i <= event.body.lines; i++) (i % 100 ? console.log : console.error)("line " + i);
		if (event.body.wait) await new Promise((r) => setTimeout(r, 60000));
		if (event.body.fail) throw new Error("it <b>broke</b>");
		return { said: event.body["say"] ?? "</pre><img src=x>" };
	`))
	b := apptest.NewBrowser(t, s.URL)
	b.LogIn(t, apptest.AdminLogin, apptest.AdminPassword)
	long := "/executions/" + d.Run(t, `{"lines": 1200, "say": "</pre><script>"}`).ID
	failed := "/executions/" + d.Run(t, `{"lines": 1, "fail": true}`).ID
	older := `/executions/` + strings.TrimPrefix(long, "/executions/") + `?before=1-701`
	for path, c := range map[string]struct {
		status      int
		has, lacks  []string
		first, last int
	}{
		long:                           {200, []string{"Older lines", "&lt;/pre&gt;&lt;script&gt;", "curl -X POST", "What happened", "of waiting"}, []string{"Latest lines", "</pre><script>"}, 701, 1200},
		older:                          {200, []string{"Older lines", "Newer lines", "Latest lines"}, nil, 201, 700},
		long + "?first=1":              {200, []string{"Newer lines", "after=1-500"}, []string{"Older lines"}, 1, 500},
		long + "?after=1-1190":         {200, []string{"Older lines"}, []string{"Newer lines"}, 1191, 1200},
		long + "?q=LINE+1199":          {200, nil, []string{"Older lines"}, 1199, 1199},
		long + "?level=error&q=line":   {200, nil, []string{"line 1199"}, 100, 1200},
		long + "?before=x":             {400, []string{"is no place in a log"}, nil, 0, 0},
		long + "?level=%3Cb%3E":        {400, []string{"is no level"}, nil, 0, 0},
		failed:                         {200, []string{"it &lt;b&gt;broke", "main.ts:", `class="here"`, "Ended: failed"}, []string{"<b>broke"}, 1, 1},
		"/executions":                  {200, []string{long, failed, "paged"}, nil, 0, 0},
		"/executions?state=failed":     {200, []string{failed}, []string{long}, 0, 0},
		"/executions?q=BROKE":          {200, []string{failed}, []string{long}, 0, 0},
		"/executions?q=%22%3E%3Cimg":   {200, []string{"None is like that", "&#34;&gt;&lt;img"}, []string{"<img src=x"}, 0, 0},
		"/executions?trigger=onCron":   {200, []string{"None is like that"}, []string{long}, 0, 0},
		"/executions?workflow=x":       {400, []string{"no id"}, nil, 0, 0},
		"/executions?since=yesterday":  {400, []string{"no time"}, nil, 0, 0},
		"/executions?since=2999-01-01": {200, []string{"None is like that"}, nil, 0, 0},
		"/executions?state=odd":        {400, []string{"no state"}, nil, 0, 0},
	} {
		r := b.Get(t, path, "Accept", "text/html")
		apptest.Until(t, 30*time.Second, "a search that came to its end", func() bool {
			if !strings.Contains(string(r.Body), "The search stopped here after a moment") {
				return true
			}
			r = b.Get(t, path, "Accept", "text/html")
			return false
		})
		page := string(r.Body)
		if r.Status != c.status {
			t.Errorf("GET %s: %d, want %d", path, r.Status, c.status)
		}
		hasAndLacks(t, path, page, c.has, c.lacks)
		if c.last > 0 {
			lines := regexp.MustCompile(`>line (\d+)</span>`).FindAllStringSubmatch(page, -1)
			if len(lines) == 0 || lines[0][1] != strconv.Itoa(c.first) || lines[len(lines)-1][1] != strconv.Itoa(c.last) {
				t.Errorf("GET %s has %d lines, want from %d to %d", path, len(lines), c.first, c.last)
			}
		}
	}

	again := b.Post(t, failed+"/replay", nil)
	if page := string(b.Get(t, again.Location(t)).Body); !strings.Contains(page, `href="`+failed+`"`) {
		t.Error("the replay does not name what it repeats")
	}
	if page := string(b.Get(t, failed+"/replay").Body); !strings.Contains(page, "&#34;fail&#34;: true") {
		t.Errorf("the form lacks the body:\n%.3000s", page)
	}
	if r := b.Post(t, failed+"/replay", map[string]string{"body": "{\n<b>"}); r.Status != 400 || !strings.Contains(string(r.Body), "This is no JSON: line 2") || strings.Contains(string(r.Body), "<b>") {
		t.Errorf("a wrong payload: %s", r)
	}
	edited := b.Post(t, failed+"/replay", map[string]string{"body": `{"lines": 1, "say": "edited"}`}).Location(t)
	s.Ended(t, strings.TrimPrefix(edited, "/executions/"))
	if page := string(b.Get(t, edited).Body); !strings.Contains(page, "&#34;said&#34;: &#34;edited&#34;") {
		t.Errorf("the edited replay:\n%.3000s", page)
	}
	if r := b.Post(t, long+"/cancel", nil); r.Status != 409 || !strings.Contains(string(r.Body), "has ended already") {
		t.Errorf("cancel what has ended: %d", r.Status)
	}
	running := "/executions/" + d.Send(t, `{"lines": 1, "wait": true}`)
	if to := b.Post(t, running+"/cancel", nil).Location(t); to != running || s.Ended(t, strings.TrimPrefix(running, "/executions/")).Status != "cancelled" {
		t.Errorf("cancel leads to %s", to)
	}
	viewer, other := s.RoleClient(t, "viewer"), s.OtherTenant(t)
	if page := string(viewer.Do(t, "GET", failed, nil).Body); !strings.Contains(page, "it &lt;b&gt;broke") || strings.Contains(page, "Replay</button>") {
		t.Errorf("a viewer reads:\n%.2000s", page)
	}
	for _, path := range []string{failed + "/cancel", failed + "/replay"} {
		form := []string{"Content-Type", "application/x-www-form-urlencoded", "Accept", "text/html"}
		if r := viewer.Do(t, "POST", path, "", form...); r.Status != 403 {
			t.Errorf("POST %s by a viewer: %d, want 403", path, r.Status)
		}
		if r := other.Do(t, "POST", path, "", form...); r.Status != 404 {
			t.Errorf("POST %s by another tenant: %d, want 404", path, r.Status)
		}
	}
	for _, path := range []string{failed, failed + "/replay"} {
		if r := other.Do(t, "GET", path, nil, "Accept", "text/html"); r.Status != 404 {
			t.Errorf("GET %s by another tenant: %d, want 404", path, r.Status)
		}
	}
	if page := string(other.Do(t, "GET", "/executions", nil).Body); strings.Contains(page, failed) || strings.Contains(page, "paged") {
		t.Error("another tenant is shown the runs")
	}
	for _, path := range []string{"/cancel", "/replay"} {
		if r := b.Post(t, running+path, nil, "Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site"); r.Status != 403 {
			t.Errorf("POST %s from another site: %d, want 403", path, r.Status)
		}
	}
}

// hasAndLacks compares a page with texts that it must have, and must not.
func hasAndLacks(t *testing.T, path, page string, has, lacks []string) {
	t.Helper()
	for _, text := range has {
		if !strings.Contains(page, text) {
			t.Errorf("GET %s has no %q", path, text)
		}
	}
	for _, text := range lacks {
		if strings.Contains(page, text) {
			t.Errorf("GET %s has %q", path, text)
		}
	}
}
