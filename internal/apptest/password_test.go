package apptest_test

import (
	"bytes"
	"encoding/json"
	"mime/multipart"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/usefloww/flowwd/internal/apptest"
	"github.com/usefloww/flowwd/internal/audit"
	"github.com/usefloww/flowwd/internal/config"
)

// withAdmin starts a server whose first account exists, with a clock that only
// the test moves.
func withAdmin(t *testing.T, change ...func(*apptest.Options)) (*apptest.Server, *atomic.Int64) {
	t.Helper()
	var ahead atomic.Int64
	start := time.Now()
	o := apptest.Options{
		Now: func() time.Time { return start.Add(time.Duration(ahead.Load())) },
		Settings: func(s *config.Settings) {
			s.AdminEmail, s.AdminPassword = strings.ToUpper(apptest.AdminLogin), apptest.AdminPassword
		},
	}
	for _, f := range change {
		f(&o)
	}
	return apptest.Start(t, o), &ahead
}

// loggedIn is a browser of the first account.
func loggedIn(t *testing.T, s *apptest.Server) *apptest.Browser {
	t.Helper()
	b := apptest.NewBrowser(t, s.URL)
	b.LogIn(t, apptest.AdminLogin, apptest.AdminPassword)
	return b
}

func wantStatus(t *testing.T, r apptest.Response, want int) {
	t.Helper()
	if r.Status != want {
		t.Errorf("%s, want status %d", r, want)
	}
}

func alive(t *testing.T, b *apptest.Browser) bool {
	t.Helper()
	r := b.Get(t, "/api/whoami")
	if r.Status != http.StatusOK && r.Status != http.StatusUnauthorized {
		t.Errorf("whoami: %s", r)
	}
	return r.Status == http.StatusOK
}

func TestFirstAccount(t *testing.T) {
	t.Parallel()
	var log apptest.Log
	s := apptest.Start(t, apptest.Options{Log: &log})
	b := apptest.NewBrowser(t, s.URL)
	link := log.SetUpPath(t)
	_, token, _ := strings.Cut(link, "token=")

	state := b.JSON(t, 200, "GET", "/api/auth/setup", nil)
	if diff := cmp.Diff(map[string]any{"setupRequired": true, "authType": "password"}, state); diff != "" {
		t.Error(diff)
	}
	if r := b.Get(t, "/auth/login"); strings.Contains(string(r.Body), "<form") {
		t.Errorf("there is a form to log in, and nobody who could: %s", r)
	}
	wantStatus(t, b.Get(t, "/auth/setup?token=x"), 403)
	wantStatus(t, b.Get(t, link), 200)
	wantStatus(t, b.Post(t, "/auth/setup", map[string]string{"username": "eve", "password": "long enough"}), 403)
	for problem, values := range map[string]map[string]string{
		"A password has 8 to 128 characters": {"username": "ada", "password": "short"},
		"Passwords do not match":             {"username": "ada", "password": "long enough", "confirm_password": "another one"},
		"no spaces":                          {"username": "a da", "password": "long enough"},
		"value=\"&lt;b&gt;\"":                {"username": "<b>", "password": "short"},
	} {
		values["token"] = token
		r := b.Post(t, "/auth/setup", values)
		wantStatus(t, r, 400)
		if !strings.Contains(string(r.Body), problem) {
			t.Errorf("%v: no word of %q: %s", values, problem, r)
		}
	}

	// Several at once: one of them wins.
	var wg sync.WaitGroup
	var mu sync.Mutex
	statuses := map[int]int{}
	for range 4 {
		wg.Go(func() {
			r, err := apptest.NewBrowser(t, s.URL).Try("POST", "/auth/setup", map[string]string{"email": "Ada@Example.com", "password": apptest.AdminPassword, "token": token}, "Accept", "application/json")
			if err != nil {
				t.Error(err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			statuses[r.Status]++
		})
	}
	wg.Wait()
	if diff := cmp.Diff(map[int]int{200: 1, 403: 3}, statuses); diff != "" {
		t.Errorf("statuses (-want +got):\n%s", diff)
	}
	r := b.Do(t, "POST", "/api/auth/setup", map[string]string{"email": "eve", "password": "long enough", "token": token})
	if r.Status != 400 || !strings.Contains(string(r.Body), `"error":"Setup already completed"`) {
		t.Errorf("set up again: %s", r)
	}
	wantStatus(t, b.Get(t, link), 403)
	if state := b.JSON(t, 200, "GET", "/api/auth/setup", nil); state["setupRequired"] != false {
		t.Errorf("set up, and still %v", state)
	}

	b.LogIn(t, "ADA@example.com ", apptest.AdminPassword)
	me := b.JSON(t, 200, "GET", "/api/whoami", nil)
	if me["is_admin"] != true || len(me["organizations"].([]any)) != 1 {
		t.Errorf("the first account is %v", me)
	}
	namespaces := b.JSON(t, 200, "GET", "/api/namespaces", nil)
	if diff := cmp.Diff(s.Namespace(t), namespaces["results"].([]any)[0].(map[string]any)["id"]); diff != "" {
		t.Errorf("the first account has not the default organization: %s", diff)
	}
}

// L11: the answer to clients of the API mount.
func TestFirstAccountOnTheAPIMount(t *testing.T) {
	t.Parallel()
	var log apptest.Log
	s := apptest.Start(t, apptest.Options{Log: &log})
	_, token, _ := strings.Cut(log.SetUpPath(t), "token=")
	b := apptest.NewBrowser(t, s.URL)
	got := b.JSON(t, 201, "POST", "/api/auth/setup?token="+token, map[string]string{"email": apptest.AdminLogin, "password": apptest.AdminPassword, "firstName": "Ada", "last_name": "L"})
	user := got["user"].(map[string]any)
	if got["success"] != true || user["email"] != apptest.AdminLogin || !alive(t, b) {
		t.Errorf("set up: %v", got)
	}
	if me := b.JSON(t, 200, "GET", "/api/whoami", nil); me["id"] != user["id"] || me["first_name"] != "Ada" || me["last_name"] != "L" {
		t.Errorf("logged in as %v", me)
	}
}

func TestLoginAnswersEveryClient(t *testing.T) {
	t.Parallel()
	s, _ := withAdmin(t)
	for _, c := range []struct {
		path, nameField, nextField, kind string
		json                             bool
	}{
		{"/auth/login", "username", "next_url", "form", false},
		{"/auth/login", "email", "next", "multipart", false},
		{"/auth/login", "username", "next", "form", true},
		{"/auth/login", "email", "nextUrl", "json", true},
		{"/api/auth/login", "email", "next", "form", true},
		{"/api/auth/login", "email", "next", "multipart", true},
		{"/api/auth/login", "username", "next_url", "json", true},
	} {
		b := apptest.NewBrowser(t, s.URL)
		values := map[string]string{c.nameField: apptest.AdminLogin, "password": apptest.AdminPassword, c.nextField: "/a?b=c"}
		r := post(t, b, c.path, c.kind, values, c.json)
		if c.json {
			var got map[string]any
			if err := json.Unmarshal(r.Body, &got); err != nil || r.Status != 200 || got["success"] != true || got["redirect"] != "/a?b=c" {
				t.Errorf("%+v: %s", c, r)
			}
		} else if to := r.Location(t); to != "/a?b=c" {
			t.Errorf("%+v leads to %s", c, to)
		}
		if !alive(t, b) {
			t.Errorf("%+v: not logged in", c)
		}

		values["password"] = "wrong"
		r = post(t, apptest.NewBrowser(t, s.URL), c.path, c.kind, values, c.json)
		want := `"error":"Invalid username or password"`
		if strings.HasPrefix(c.path, "/api") {
			want = `"error":"Invalid email or password"`
		}
		switch {
		case !c.json && r.Location(t) != "/auth/login?error=Invalid+username+or+password&next=%2Fa%3Fb%3Dc":
			t.Errorf("%+v, refused, leads to %s", c, r.Location(t))
		case c.json && (r.Status != 401 || !strings.Contains(string(r.Body), want)):
			t.Errorf("%+v, refused: %s", c, r)
		}
	}
	b := apptest.NewBrowser(t, s.URL)
	r := b.Do(t, "POST", "/api/auth/login", `{}`)
	if r.Status != 400 || !strings.Contains(string(r.Body), `"error":"Email and password are required"`) {
		t.Errorf("nothing sent: %s", r)
	}
	page := string(b.Get(t, "/auth/login?error=%3Cscript%3E&next=%22%3E%3Cscript%3E").Body)
	if strings.Contains(page, "<script") {
		t.Errorf("the page has a script: %s", page)
	}
	if page := string(b.Get(t, "/auth/login?error=Call+0900").Body); strings.Contains(page, "0900") {
		t.Errorf("the page says what its address says: %s", page)
	}
	wantStatus(t, b.Do(t, "POST", "/auth/login", strings.Repeat("x", 20_000)), 413)
}

func post(t *testing.T, b *apptest.Browser, path, kind string, values map[string]string, wantJSON bool) apptest.Response {
	t.Helper()
	accept := "text/html"
	if wantJSON {
		accept = "application/json"
	}
	switch kind {
	case "json":
		return b.Do(t, "POST", path, values, "Accept", accept)
	case "multipart":
		var body bytes.Buffer
		w := multipart.NewWriter(&body)
		for name, value := range values {
			if err := w.WriteField(name, value); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		return b.Do(t, "POST", path, body.Bytes(), "Content-Type", w.FormDataContentType(), "Accept", accept)
	}
	return b.Post(t, path, values, "Accept", accept)
}

func TestLoginLeadsToThisServerAlone(t *testing.T) {
	t.Parallel()
	s, _ := withAdmin(t)
	for next, want := range map[string]string{
		"": "/", "/account": "/account", s.URL + "/account?a": "/account?a", "https://evil.example/": "/",
		"//evil.example": "/", `/\evil.example`: "/", "/\t/evil.example": "/", "javascript:alert(1)": "/",
	} {
		b := apptest.NewBrowser(t, s.URL)
		r := b.Post(t, "/auth/login", map[string]string{"username": apptest.AdminLogin, "password": apptest.AdminPassword, "next": next})
		if to := r.Location(t); to != want {
			t.Errorf("%q leads to %q, want %q", next, to, want)
		}
	}
}

func TestSessionCookie(t *testing.T) {
	t.Parallel()
	for _, public := range []string{"", "https://flows.example"} {
		s, ahead := withAdmin(t, func(o *apptest.Options) {
			settings := o.Settings
			o.Settings = func(s *config.Settings) { settings(s); s.PublicURL = public }
		})
		b := apptest.NewBrowser(t, "http://"+s.App.Addr().String())
		set := func(r apptest.Response) *http.Cookie {
			t.Helper()
			cookies := (&http.Response{Header: r.Header}).Cookies()
			if len(cookies) != 1 {
				t.Fatalf("cookies %v, want one", cookies)
			}
			return cookies[0]
		}
		c := set(b.Do(t, "POST", "/auth/login", map[string]string{"username": apptest.AdminLogin, "password": apptest.AdminPassword}, "Accept", "application/json"))
		if c.Name != "session" || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.MaxAge != 2592000 ||
			c.Domain != "" || c.Secure != (public != "") || len(c.Value) != 43 {
			t.Errorf("with the public URL %q the cookie is %+v", public, c)
		}
		// It slides: a use later gives the same cookie a longer life.
		bare := apptest.NewClient(t, b.URL, "")
		with := []string{"Cookie", "session=" + c.Value}
		ahead.Store(int64(29 * 24 * time.Hour))
		if again := set(bare.Do(t, "GET", "/api/whoami", nil, with...)); again.Value != c.Value || again.MaxAge != c.MaxAge {
			t.Errorf("after 29 days the cookie is %+v", again)
		}
		if r := bare.Do(t, "GET", "/api/whoami", nil, with...); r.Header.Get("Set-Cookie") != "" {
			t.Errorf("the cookie is set at every request: %v", r.Header)
		}
		ahead.Store(int64(58 * 24 * time.Hour))
		wantStatus(t, bare.Do(t, "GET", "/api/whoami", nil, with...), 200)
		ahead.Store(int64(89 * 24 * time.Hour))
		wantStatus(t, bare.Do(t, "GET", "/api/whoami", nil, with...), 401)
	}
}

func TestSessionsAreNotFixed(t *testing.T) {
	t.Parallel()
	s, _ := withAdmin(t)
	eve := loggedIn(t, s).Account(t, "eve@example.com", "password of eve")
	planted := eve.Cookie(t, "session")
	victim := apptest.NewBrowser(t, s.URL)
	for _, before := range []string{planted, "chosen-by-somebody-else"} {
		victim.SetCookie(t, "session", before)
		victim.LogIn(t, apptest.AdminLogin, apptest.AdminPassword)
		if victim.Cookie(t, "session") == before {
			t.Error("the login keeps a session that was there before")
		}
	}
	if alive(t, eve) {
		t.Error("the session that was planted goes on")
	}
}

func TestLogoutEnds(t *testing.T) {
	t.Parallel()
	s, _ := withAdmin(t)
	for path, want := range map[string]int{"/auth/logout": 302, "/api/auth/logout": 200} {
		b := loggedIn(t, s)
		stolen := b.Cookie(t, "session")
		wantStatus(t, b.Get(t, path), 405)
		for _, headers := range [][]string{{"Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site"}, {"Origin", "null", "Sec-Fetch-Site", ""}} {
			wantStatus(t, b.Post(t, path, nil, headers...), 403)
		}
		if !alive(t, b) {
			t.Fatal("another site can log people out")
		}
		r := b.Post(t, path, nil)
		wantStatus(t, r, want)
		if want == 302 && r.Location(t) != "/auth/login?prompt=select_account" || want == 200 && string(bytes.TrimSpace(r.Body)) != `{"success":true}` {
			t.Errorf("log out at %s: %s %s", path, r, r.Header.Get("Location"))
		}
		if b.Cookie(t, "session") != "" {
			t.Error("the browser keeps the cookie")
		}
		wantStatus(t, s.Anonymous().Do(t, "GET", "/api/whoami", nil, "Cookie", "session="+stolen), 401)
		wantStatus(t, b.Post(t, path, nil), want)
	}
}

// Another site can make a browser send its cookie, and must get nothing done.
func TestOtherSitesCantUseTheCookie(t *testing.T) {
	t.Parallel()
	s, _ := withAdmin(t)
	b := loggedIn(t, s)
	evil := []string{"Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site"}
	for _, path := range []string{"/account/password", "/account/sessions/end", "/auth/login"} {
		wantStatus(t, b.Post(t, path, nil, evil...), 403)
	}
	wantStatus(t, b.Do(t, "DELETE", "/api/sessions", nil, evil...), 403)
	wantStatus(t, b.Get(t, "/account", evil...), 200)
}

func TestLoginIsThrottled(t *testing.T) {
	t.Parallel()
	s, ahead := withAdmin(t)
	b := apptest.NewBrowser(t, s.URL)
	try := func(login, password string) apptest.Response {
		return b.Do(t, "POST", "/auth/login", map[string]string{"username": login, "password": password}, "Accept", "application/json")
	}
	for range 4 {
		wantStatus(t, try(apptest.AdminLogin, "wrong"), 401)
	}
	wantStatus(t, try(apptest.AdminLogin, apptest.AdminPassword), 200) // begins anew
	for range 5 {
		wantStatus(t, try(apptest.AdminLogin, "wrong"), 401)
	}
	r := try(apptest.AdminLogin, apptest.AdminPassword)
	if r.Status != 429 || r.Header.Get("Retry-After") == "" {
		t.Errorf("the sixth try: %s %v", r, r.Header)
	}
	page := b.Post(t, "/auth/login", map[string]string{"username": apptest.AdminLogin, "password": "x"})
	if page.Status != 429 || page.Header.Get("Retry-After") == "" || !strings.Contains(string(page.Body), "Too many tries") {
		t.Errorf("the page: %s %v", page, page.Header)
	}
	wantStatus(t, try("somebody@example.com", "wrong"), 401) // another account
	ahead.Store(int64(time.Minute))
	wantStatus(t, try(apptest.AdminLogin, apptest.AdminPassword), 200)

	for i := range 40 {
		if r = try(strings.Repeat("u", i+1), "wrong"); r.Status == 429 {
			break
		}
	}
	if r.Status != 429 {
		t.Errorf("one address tries at 40 accounts: %s", r)
	}
}

func TestUnknownAccountsLookLikeOthers(t *testing.T) {
	t.Parallel()
	s, _ := withAdmin(t)
	b := loggedIn(t, s)
	b.JSON(t, 201, "POST", "/api/users", map[string]string{"email": "invited@example.com"})
	var answers []string
	for _, login := range []string{apptest.AdminLogin, "invited@example.com", "nobody@example.com", "no body"} {
		r := s.Anonymous().Do(t, "POST", "/auth/login", map[string]string{"username": login, "password": "wrong password"}, "Accept", "application/json")
		answers = append(answers, r.String())
	}
	if one := slices.Compact(slices.Clone(answers)); len(one) != 1 {
		t.Errorf("answers tell accounts apart: %q", answers)
	}
}

func TestChangePassword(t *testing.T) {
	t.Parallel()
	s, _ := withAdmin(t)
	here, there := loggedIn(t, s), loggedIn(t, s)
	change := func(values map[string]string) apptest.Response {
		return here.Post(t, "/account/password", values)
	}
	r := change(map[string]string{"password": "wrong", "new_password": "a new password", "confirm_password": "a new password"})
	wantStatus(t, r, 403)
	if !strings.Contains(string(r.Body), "The current password is not right") {
		t.Errorf("the page does not say why: %s", r)
	}
	wantStatus(t, change(map[string]string{"password": apptest.AdminPassword, "new_password": "short", "confirm_password": "short"}), 400)
	wantStatus(t, change(map[string]string{"password": apptest.AdminPassword, "new_password": "a new password", "confirm_password": "another"}), 400)
	if !alive(t, there) {
		t.Fatal("a change that was refused ends sessions")
	}
	r = change(map[string]string{"password": apptest.AdminPassword, "new_password": "a new password", "confirm_password": "a new password"})
	if !strings.HasPrefix(r.Location(t), "/account?") {
		t.Errorf("changed: %s", r)
	}
	if !alive(t, here) || alive(t, there) {
		t.Errorf("here %t, there %t; want the other browser signed out", alive(t, here), alive(t, there))
	}
	wantStatus(t, s.Anonymous().Do(t, "POST", "/api/auth/login", map[string]string{"email": apptest.AdminLogin, "password": apptest.AdminPassword}), 401)
	apptest.NewBrowser(t, s.URL).LogIn(t, apptest.AdminLogin, "a new password")
}

func TestAdministratorsMakeAccounts(t *testing.T) {
	t.Parallel()
	s, _ := withAdmin(t)
	admin := loggedIn(t, s)
	bob := admin.Account(t, "Bob@Example.com", "password of bob")
	me := bob.JSON(t, 200, "GET", "/api/whoami", nil)
	if me["is_admin"] != false || me["email"] != "bob@example.com" || len(me["organizations"].([]any)) != 1 {
		t.Errorf("bob is %v", me)
	}
	wantStatus(t, bob.Do(t, "POST", "/api/users", map[string]string{"email": "carol"}), 403)
	wantStatus(t, admin.Do(t, "POST", "/api/users", map[string]string{"email": "BOB@example.com"}), 409)

	link := admin.JSON(t, 201, "POST", "/api/users/"+me["id"].(string)+"/password-link", nil)["link"].(string)
	path := strings.TrimPrefix(link, s.URL)
	if !alive(t, bob) {
		t.Error("a link signs out before it is used")
	}
	page := apptest.NewBrowser(t, s.URL).Get(t, path)
	if page.Status != 200 || !strings.Contains(string(page.Body), "bob@example.com") {
		t.Errorf("the page of the link: %s", page)
	}
	_, token, _ := strings.Cut(path, "token=")
	again := apptest.NewBrowser(t, s.URL)
	wantStatus(t, again.Post(t, "/auth/password", map[string]string{"token": token, "password": "short"}), 400)
	again.Post(t, "/auth/password", map[string]string{"token": token, "password": "another password"}).Location(t)
	if alive(t, bob) || !alive(t, again) {
		t.Error("a new password does not sign out what was there")
	}
	wantStatus(t, again.Post(t, "/auth/password", map[string]string{"token": token, "password": "another password"}), 403)
	wantStatus(t, again.Get(t, path), 403)
}

func TestSessionsAreListedAndEnded(t *testing.T) {
	t.Parallel()
	s, _ := withAdmin(t)
	one, two := loggedIn(t, s), loggedIn(t, s)
	eve := one.Account(t, "eve@example.com", "password of eve")
	ids := map[bool]string{}
	list := one.JSON(t, 200, "GET", "/api/sessions", nil)
	for _, r := range list["results"].([]any) {
		ids[r.(map[string]any)["current"].(bool)] = r.(map[string]any)["id"].(string)
	}
	if list["total"] != 2.0 || len(ids) != 2 {
		t.Fatalf("sessions %v", list)
	}
	wantStatus(t, eve.Do(t, "DELETE", "/api/sessions/"+ids[false], nil), 404)
	eve.Post(t, "/account/sessions/"+ids[false]+"/end", nil)
	if !alive(t, two) {
		t.Fatal("eve ended a session of somebody else")
	}
	if got := one.JSON(t, 200, "DELETE", "/api/sessions/"+ids[false], nil); got["ended"] != 1.0 || alive(t, two) || !alive(t, one) {
		t.Errorf("ended one: %v", got)
	}
	two, three := loggedIn(t, s), loggedIn(t, s)
	one.Post(t, "/account/sessions/end", nil)
	if alive(t, two) || alive(t, three) || !alive(t, one) || !alive(t, eve) {
		t.Error("signing out elsewhere does not end what is elsewhere, or ends more")
	}
	if page := string(one.Get(t, "/account").Body); !strings.Contains(page, "this browser") || strings.Contains(page, "everywhere but here") {
		t.Errorf("the page shows other sessions: %s", page)
	}
}

func TestLoginsAreRecorded(t *testing.T) {
	t.Parallel()
	s, _ := withAdmin(t)
	b := loggedIn(t, s)
	eve := b.Account(t, "eve@example.com", "password of eve")
	eve.Post(t, "/account/password", map[string]string{"password": "password of eve", "new_password": "another password"})
	b.Do(t, "DELETE", "/api/sessions", nil)
	loggedIn(t, s)
	b.JSON(t, 200, "DELETE", "/api/sessions", nil)
	b.Post(t, "/auth/logout", nil)
	s.Anonymous().Do(t, "POST", "/auth/login", map[string]string{"username": apptest.AdminLogin, "password": "not the password"})

	page, err := s.Store(t).AuditPage(t.Context(), audit.Filter{Limit: 100})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]bool{}
	for _, l := range page.Links {
		got[string(l.Action)+" "+string(l.Outcome)+" by "+l.Actor.Kind] = true
		text := string(l.Before) + string(l.After)
		if strings.Contains(text, "password of eve") || strings.Contains(text, "not the password") || strings.Contains(text, "argon2") {
			t.Errorf("an entry holds a secret: %s", text)
		}
	}
	for _, want := range []string{
		"session.login done by user", "session.login refused by anonymous", "session.logout done by user", "session.revoke done by user",
		"user.create done by system", "user.create done by user", "user.password_link done by user", "user.change_password done by user",
	} {
		if !got[want] {
			t.Errorf("%s is not recorded; these are: %v", want, got)
		}
	}
}
