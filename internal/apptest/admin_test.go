package apptest_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/usefloww/flowwd/internal/apptest"
	"github.com/usefloww/flowwd/internal/audit"
	"github.com/usefloww/flowwd/internal/config"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/identity"
	"github.com/usefloww/flowwd/internal/realtimetest"
	"github.com/usefloww/flowwd/internal/tenant"
)

const deniedText = "Access denied: Admin permissions required"

// adminPages are all pages of administrators.
var adminPages = []string{"/admin", "/admin/", "/admin/users", "/admin/audit", "/admin/centrifugo/", "/admin/jobs", "/admin/settings", "/admin/api/", "/admin/api/user/list"}

// withCookie is a browser that holds a session's cookie.
func withCookie(t *testing.T, s *apptest.Server, cookie string) *apptest.Client {
	b := apptest.NewBrowser(t, s.URL)
	b.SetCookie(t, "session", cookie)
	return b.Client
}

// 5.2 of identity-realtime-admin.md, for every page, cookie and bearer.
func TestAdminPagesByPrincipal(t *testing.T) {
	t.Parallel()
	s, _ := withAdmin(t)
	admin := loggedIn(t, s)
	member := admin.Account(t, "bob@example.com", "correct horse staple")
	left := admin.Account(t, "carol@example.com", "correct horse staple")
	cookie := left.Cookie(t, "session")
	left.Post(t, "/auth/logout", nil)
	account := s.RoleClient(t, "admin")
	for _, c := range []struct {
		name        string
		client      *apptest.Client
		read, write int
	}{
		{"anonymous", s.Anonymous(), 307, 401},
		{"a cookie that is none", withCookie(t, s, "x"), 307, 401},
		{"a session that ended", withCookie(t, s, cookie), 307, 401},
		{"a bearer that is none", apptest.NewClient(t, s.URL, "x"), 307, 401},
		{"a key that is none", apptest.NewClient(t, s.URL, "floww_sa_"+strings.Repeat("x", 32)), 307, 401},
		{"a member by cookie", member.Client, 403, 403},
		{"a service account", account.Client, 403, 403},
		{"an administrator", admin.Client, 200, 0},
	} {
		for _, page := range adminPages {
			r := c.client.Do(t, "GET", page+"?a=b%20c&d=%2Fe", nil)
			if r.Status != c.read || !strings.Contains(r.Header.Get("Cache-Control"), "no-store") || r.Header.Get("X-Frame-Options") != "DENY" {
				t.Errorf("%s: GET %s: %d with %v", c.name, page, r.Status, r.Header)
			}
			switch r.Status {
			case 307:
				if want := "/auth/login?next=" + url.QueryEscape(page+"?a=b%20c&d=%2Fe"); r.Location(t) != want {
					t.Errorf("%s: GET %s leads to %s, want %s", c.name, page, r.Location(t), want)
				}
			case 403:
				if string(r.Body) != deniedText || r.Header.Get("Content-Type") != "text/plain; charset=utf-8" {
					t.Errorf("%s: GET %s: %s", c.name, page, r)
				}
			case 200:
				if !strings.HasPrefix(r.Header.Get("Content-Type"), "text/html") {
					t.Errorf("%s: GET %s: %v", c.name, page, r.Header)
				}
			}
		}
		if c.write == 0 {
			continue
		}
		r := c.client.Do(t, "POST", "/admin/users/"+account.AccountID+"/disable", "search=", "Content-Type", "application/x-www-form-urlencoded")
		if r.Status != c.write || c.write == 401 && !strings.Contains(string(r.Body), `"error"`) {
			t.Errorf("%s: POST: %s", c.name, r)
		}
	}
	// HEAD is answered as GET is, by the redirect alone.
	if r := s.Anonymous().Do(t, "HEAD", "/admin", nil); r.Status != 307 {
		t.Errorf("HEAD: %s", r)
	}
	// And logging in leads back.
	b := apptest.NewBrowser(t, s.URL)
	r := b.Post(t, "/auth/login", map[string]string{"username": apptest.AdminLogin, "password": apptest.AdminPassword, "next": "/admin/audit?actor=x"})
	if r.Location(t) != "/admin/audit?actor=x" {
		t.Errorf("after the login: %s", r.Location(t))
	}
}

// The list in the settings is asked on every request, by subject and by id, also
// for a bearer.
func TestAdministratorsOfTheSettings(t *testing.T) {
	t.Parallel()
	s := apptest.Start(t, apptest.Options{Way: apptest.Anyone{}, Settings: func(c *config.Settings) { c.AdminUserIDs = []string{"root", " spaced  twice "} }})
	for subject, want := range map[string]int{"root": 200, "spaced": 200, "twice": 200, "Root": 403, "roo": 403, "rootx": 403, "ada": 403} {
		p := s.Person(t, subject)
		for _, page := range append(adminPages, "/api/admin/users", "/api/admin/audit") {
			if r := p.Do(t, "GET", page, nil); r.Status != want {
				t.Errorf("%s: GET %s: %s, want %d", subject, page, r, want)
			}
		}
	}
	// By the id that a user has, after the next start.
	ada := s.Person(t, "ada").ID
	s.Stop(t)
	again := apptest.Start(t, apptest.Options{Way: apptest.Anyone{}, DataDir: s.DataDir, Settings: func(c *config.Settings) { c.AdminUserIDs = []string{ada} }})
	for subject, want := range map[string]int{"ada": 200, "root": 403} {
		if r := again.Person(t, subject).Do(t, "GET", "/admin", nil); r.Status != want {
			t.Errorf("%s: %s, want %d", subject, r, want)
		}
	}
}

// administration is a server with an administrator of the settings.
func administration(t *testing.T) (s *apptest.Server, root *apptest.Person) {
	t.Helper()
	s = apptest.Start(t, apptest.Options{Way: apptest.Anyone{}, Settings: func(c *config.Settings) { c.AdminUserIDs = []string{"root"} }})
	return s, s.Person(t, "root")
}

func TestAdministrators(t *testing.T) {
	t.Parallel()
	s, root := administration(t)
	ada, bob := s.Person(t, "ada"), s.Person(t, "bob")
	patch := func(name string, by *apptest.Person, of *apptest.Person, body map[string]any, status int, says string) {
		t.Helper()
		exchange{name, by.Client, "PATCH", "/api/admin/users/" + of.ID, body, status, says}.run(t)
	}
	yes, no := map[string]any{"isAdmin": true}, map[string]any{"isAdmin": false}
	disable, enable := map[string]any{"disabled": true}, map[string]any{"disabled": false}

	patch("a member makes an administrator", ada, ada, yes, 403, deniedText)
	patch("made", root, ada, yes, 200, "")
	patch("the new one makes another at once", ada, bob, yes, 200, "")
	patch("and unmakes it", ada, bob, no, 200, "")
	patch("which holds at once", bob, bob, yes, 403, deniedText)
	patch("whom the settings name stays", ada, root, no, 409, "ADMIN_USER_IDS")
	patch("oneself is not disabled", root, root, disable, 409, "your own account")
	patch("another is", ada, root, disable, 200, "")
	patch("and is out", root, ada, no, 403, "disabled")
	patch("the last one stays one", ada, ada, no, 409, "last administrator")
	patch("enabled", ada, root, enable, 200, "")
	patch("with another one it may go", ada, ada, no, 200, "")
	patch("nobody disabled becomes one", root, bob, disable, 200, "")
	patch("nobody disabled becomes one", root, bob, yes, 409, "disabled")
	patch("both at once", root, bob, map[string]any{"disabled": false, "isAdmin": true}, 409, "disabled")

	list := root.JSON(t, 200, "GET", "/api/admin/users?search=BOB", nil)
	if items := list["items"].([]any); list["total"] != 1.0 || items[0].(map[string]any)["disabled"] != true {
		t.Errorf("found %v", list)
	}
	// Owners of organizations are nothing here, and administrators nothing there.
	if r := root.Do(t, "GET", "/api/organizations/"+ada.Organization, nil); r.Status != 404 {
		t.Errorf("an administrator reads an organization: %s", r)
	}
	text := strings.Join(entries(t, root.Client, "/api/admin/audit", "action=user"), "\n")
	for _, line := range []string{
		"root@example.com user.make_admin done user", "ada@example.com user.unmake_admin done user", "ada@example.com user.disable done user", "ada@example.com user.enable done user",
	} {
		if !strings.Contains(text, line) {
			t.Errorf("%s is not recorded:\n%s", line, text)
		}
	}
	refused := entries(t, root.Client, "/api/admin/audit", "action=admin.open&outcome=refused")
	if len(refused) != 2 { // ada and bob, once a minute each
		t.Errorf("refusals: %v", refused)
	}
}

// Disabling takes effect at once for all that a person holds.
func TestDisabledAccounts(t *testing.T) {
	t.Parallel()
	s, _ := withAdmin(t)
	admin := loggedIn(t, s)
	bob := admin.Account(t, "bob@example.com", "correct horse staple")
	me := bob.JSON(t, 200, "GET", "/api/whoami", nil)["id"].(string)
	if r := admin.Do(t, "PATCH", "/api/admin/users/"+me, map[string]any{"disabled": true}, "Sec-Fetch-Site", "cross-site"); r.Status != 403 {
		t.Errorf("another site has a browser do it: %s", r)
	}
	own := []string{"Origin", s.URL, "Sec-Fetch-Site", "same-origin"}
	admin.JSON(t, 200, "PATCH", "/api/admin/users/"+me, map[string]any{"disabled": true}, own...)
	if alive(t, bob) {
		t.Error("the session goes on")
	}
	if r := bob.Post(t, "/auth/login", map[string]string{"username": "bob@example.com", "password": "correct horse staple"}); bob.Cookie(t, "session") != "" && alive(t, bob) {
		t.Errorf("a disabled person logs in: %s", r)
	}
	admin.JSON(t, 200, "PATCH", "/api/admin/users/"+me, map[string]any{"disabled": false}, own...)
	if alive(t, bob) {
		t.Error("the session is back")
	}
	bob.LogIn(t, "bob@example.com", "correct horse staple")
	ended := admin.JSON(t, 200, "POST", "/api/admin/users/"+me+"/sign-out", nil, own...)
	if ended["ended"] != 1.0 || alive(t, bob) {
		t.Errorf("signed out: %v", ended)
	}
}

func TestAdminPages(t *testing.T) {
	t.Parallel()
	s, _ := withAdmin(t)
	admin := loggedIn(t, s)
	evil := `<script>alert(1)</script>`
	welcome(t, s, evil)
	for page, want := range map[string][]string{
		"/admin":                                      {"test", "SQLite", "PostgreSQL", "Waiting", "2</a>"},
		"/admin/users":                                {"2 in all", apptest.AdminLogin, "&lt;script&gt;", "administrator"},
		"/admin/users?search=script":                  {"1 found", "&lt;script&gt;"},
		"/admin/users?search=nobody":                  {"0 found"},
		"/admin/users?page=2":                         {"Newer"},
		"/admin/audit":                                {"user.create", "&lt;script&gt;", "<dt>Entry</dt><dd>1</dd>"},
		"/admin/audit?action=session":                 {"session.login"},
		"/admin/audit?actor=" + url.QueryEscape(evil): {"organization.create", "value=\"&lt;script&gt;"},
		"/admin/audit?since=2001-01-01&until=2001-01-02&outcome=refused": {"Nothing matches"},
		"/admin/audit?since=" + time.Now().UTC().Format(time.DateOnly):   {"user.create"},
		"/admin/audit?until=" + time.Now().UTC().Format(time.DateOnly):   {"user.create"},
	} {
		r := admin.Get(t, page)
		body := string(r.Body)
		if r.Status != 200 || strings.Contains(body, "<script>") || strings.Contains(r.Header.Get("Content-Security-Policy"), "unsafe") {
			t.Errorf("%s: %s", page, r)
		}
		for _, text := range want {
			if (text == "SQLite" && apptest.OnPostgreSQL()) || (text == "PostgreSQL" && !apptest.OnPostgreSQL()) {
				continue
			}
			if !strings.Contains(body, text) {
				t.Errorf("%s does not show %q: %s", page, text, body)
			}
		}
	}
	for _, query := range []string{"since=x", "until=2026-13-01", "before=0", "before=x"} {
		if r := admin.Get(t, "/admin/audit?"+query); r.Status != 400 || !strings.Contains(string(r.Body), `role="alert"`) {
			t.Errorf("%s: %s", query, r)
		}
	}
	// Opening a page is recorded, once a minute.
	opened := entries(t, admin.Client, "/api/admin/audit", "action=admin.open&outcome=done")
	if len(opened) != 3 {
		t.Errorf("recorded %v", opened)
	}
}

// welcome makes a user of a provider, with a name.
func welcome(t *testing.T, s *apptest.Server, name string) {
	t.Helper()
	ids, now := id.NewSource(time.Now), time.Now()
	n := (&tenant.Service{IDs: ids, Now: time.Now}).Fresh(name)
	a := identity.Arrival{Organization: n.Organization, Namespace: n, User: identity.User{
		ID: ids.New(), Provider: "test", Subject: name, Profile: identity.Profile{FirstName: name}, CreatedAt: now, UpdatedAt: now,
	}}
	if _, err := s.Store(t).Welcome(audit.WithActor(t.Context(), audit.Actor{Kind: audit.KindUser, Name: name}), a); err != nil {
		t.Fatal(err)
	}
}

func TestAdminChangesUsersOnAPage(t *testing.T) {
	t.Parallel()
	s, _ := withAdmin(t)
	admin := loggedIn(t, s)
	bob := admin.Account(t, "bob@example.com", "correct horse staple")
	me := bob.JSON(t, 200, "GET", "/api/whoami", nil)["id"].(string)
	root := admin.JSON(t, 200, "GET", "/api/whoami", nil)["id"].(string)
	press := func(user, action string) apptest.Response {
		return admin.Post(t, "/admin/users/"+user+"/"+action, map[string]string{"search": "bob", "page": "1"})
	}
	for _, c := range []struct{ action, shows string }{
		{"make", "administrator</span>"}, {"unmake", "no administrator any more"}, {"sign-out", "signed out everywhere"}, {"disable", "disabled</span>"}, {"enable", "is enabled"},
	} {
		r := press(me, c.action)
		if want := "/admin/users?done=" + c.action + "&search=bob"; r.Status != 302 || r.Location(t) != want {
			t.Fatalf("%s: %s", c.action, r)
		}
		if page := admin.Get(t, r.Location(t)); !strings.Contains(string(page.Body), c.shows) {
			t.Errorf("after %s: %s", c.action, page)
		}
	}
	if r := press(root, "unmake"); r.Status != 409 || !strings.Contains(string(r.Body), "last administrator") {
		t.Errorf("the last one: %s", r)
	}
	for _, path := range []string{"x/disable", me + "/explode", fmt.Sprintf("%s/disable", strings.Replace(me, me[:1], "f", 1))} {
		if r := admin.Post(t, "/admin/users/"+path, nil); r.Status != 404 {
			t.Errorf("%s: %s", path, r)
		}
	}
	// Another site can't press.
	for _, headers := range [][]string{{"Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example"}, {"Sec-Fetch-Site", "", "Origin", "https://evil.example"}} {
		r := admin.Post(t, "/admin/users/"+me+"/disable", nil, headers...)
		if r.Status != http.StatusForbidden || !strings.Contains(string(r.Body), "Another site") {
			t.Errorf("%v: %s", headers, r)
		}
	}
}

// The page about realtime events says which channels are followed, by whom, and
// how much they have to tell.
func TestAdminSeesWhoFollows(t *testing.T) {
	t.Parallel()
	s, _ := withAdmin(t)
	admin := loggedIn(t, s)
	d := s.Deploy(t, "followed", apptest.Handler(`return 1`))
	websocket := "ws" + strings.TrimPrefix(s.URL, "http") + "/ws/connection/websocket"
	_, heard := develop(t, s.Client, d.WorkflowID)
	_, err := realtimetest.ConnectWith(t, websocket, "Cookie", "session="+admin.Cookie(t, "session")).Subscribe("workflow:" + d.WorkflowID)
	if err != nil {
		t.Fatal(err)
	}
	d.Run(t, `{}`)
	heard.Until("workflow.execution.completed")
	r := admin.Get(t, "/admin/centrifugo/")
	for _, text := range []string{
		"<code>workflow:" + d.WorkflowID + "</code></td><td class=\"number\">2</td><td class=\"number\">3</td>", apptest.AdminLogin + "</a>",
		"<strong>2</strong><span class=\"muted\">at this server", "<strong>3</strong><span class=\"muted\">6 messages to clients",
	} {
		if !strings.Contains(string(r.Body), text) {
			t.Errorf("the page has no %s: %s", text, r)
		}
	}
}
