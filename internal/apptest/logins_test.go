package apptest_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/usefloww/flowwd/internal/apptest"
	"github.com/usefloww/flowwd/internal/config"
	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/identity"
)

// idp is a provider that lets people in by a name, which is its code. Tests of
// the real ones are elsewhere: here it is about what the server makes of them.
type idp struct {
	now func() time.Time

	mu sync.Mutex
	// begun are the requests by state.
	begun map[string]identity.LoginRequest
	// down and no are what it answers to Refresh.
	down, no  bool
	refreshed atomic.Int64
	ended     []string
}

const idpURL = "https://idp.example/authorize"

func (p *idp) Name() string { return "test" }

func (p *idp) Verify(context.Context, string) (identity.Identity, error) {
	return identity.Identity{}, fault.New(fault.Unauthenticated, "Invalid JWT token")
}

func (p *idp) Client(context.Context) identity.ClientConfig { return identity.ClientConfig{} }

func (p *idp) Begin(_ context.Context, r identity.LoginRequest) (string, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.begun == nil {
		p.begun = map[string]identity.LoginRequest{}
	}
	p.begun[r.State] = r
	q := url.Values{"state": {r.State}, "redirect_uri": {r.CallbackURL}, "nonce": {r.Nonce}, "prompt": {r.Prompt}}
	return idpURL + "?" + q.Encode(), nil
}

func (p *idp) Finish(_ context.Context, r identity.LoginRequest, answer url.Values) (identity.Login, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.begun[r.State] != r {
		return identity.Login{}, fault.New(fault.Unauthenticated, "the request is not the one that began: %+v", r)
	}
	if answer.Get("code") == "bad" {
		return identity.Login{}, fault.New(fault.Unauthenticated, "the code is bad")
	}
	return p.login(answer.Get("code")), nil
}

// login lasts for five minutes.
func (p *idp) login(name string) identity.Login {
	return identity.Login{
		Identity: identity.Identity{Provider: "test", Subject: name, Profile: identity.Profile{Email: name + "@example.com"}},
		Tokens:   []byte(name), Until: p.now().Add(5 * time.Minute), SessionID: "of " + name,
	}
}

func (p *idp) Refresh(_ context.Context, tokens []byte) (identity.Login, error) {
	p.refreshed.Add(1)
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.no:
		return identity.Login{}, fault.New(fault.Unauthenticated, "no")
	case p.down:
		return identity.Login{}, fault.New(fault.Unavailable, "down")
	}
	return p.login(string(tokens)), nil
}

func (p *idp) End(_ context.Context, tokens []byte, returnTo string) (string, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ended = append(p.ended, string(tokens))
	return "https://idp.example/logout?to=" + url.QueryEscape(returnTo), nil
}

func (p *idp) set(down, no bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.down, p.no = down, no
}

// withProvider starts a server where people log in at a provider.
func withProvider(t *testing.T, change ...func(*config.Settings)) (*apptest.Server, *idp, *atomic.Int64) {
	t.Helper()
	var ahead atomic.Int64
	start := time.Now()
	p := &idp{now: func() time.Time { return start.Add(time.Duration(ahead.Load())) }}
	s := apptest.Start(t, apptest.Options{Way: p, Now: p.now, Settings: func(s *config.Settings) {
		for _, f := range change {
			f(s)
		}
	}})
	return s, p, &ahead
}

// atProvider begins a login and returns what the provider was sent.
func atProvider(t *testing.T, b *apptest.Browser, query string) url.Values {
	t.Helper()
	to := b.Get(t, "/auth/login"+query).Location(t)
	if !strings.HasPrefix(to, idpURL+"?") {
		t.Fatalf("the login leads to %s", to)
	}
	u, err := url.Parse(to)
	if err != nil {
		t.Fatal(err)
	}
	return u.Query()
}

func callback(state, name string) string {
	return "/auth/callback?" + url.Values{"state": {state}, "code": {name}}.Encode()
}

// enter logs a browser in.
func enter(t *testing.T, b *apptest.Browser, name string) {
	t.Helper()
	sent := atProvider(t, b, "")
	if to := b.Get(t, callback(sent.Get("state"), name)).Location(t); to != "/" || !alive(t, b) {
		t.Fatalf("log in as %s: leads to %s", name, to)
	}
}

func TestLoginAtAProvider(t *testing.T) {
	t.Parallel()
	s, p, _ := withProvider(t, func(s *config.Settings) { s.PublicURL = "http://flows.example:1234/" })
	b := apptest.NewBrowser(t, "http://"+s.App.Addr().String())
	for _, path := range []string{"/auth/login", "/api/auth/login"} {
		r := b.Get(t, path+"?next=/a%3Fb&prompt=select_account", "X-Forwarded-Host", "evil.example")
		u, err := url.Parse(r.Location(t))
		if err != nil {
			t.Fatal(err)
		}
		sent := u.Query()
		// The address comes of the settings, whatever name the request came by.
		if sent.Get("redirect_uri") != "http://flows.example:1234/auth/callback" || sent.Get("prompt") != "select_account" {
			t.Errorf("%s: the provider was sent %v", path, sent)
		}
		begun := p.begun[sent.Get("state")]
		if len(begun.State) < 43 || len(begun.Nonce) < 43 || len(begun.Verifier) < 43 || begun.State == begun.Nonce || begun.Nonce == begun.Verifier {
			t.Errorf("the secrets of a login are %+v", begun)
		}
		for _, c := range (&http.Response{Header: r.Header}).Cookies() {
			if !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.MaxAge != 600 || strings.Contains(c.Value, begun.Verifier) {
				t.Errorf("the cookie of a login is %+v", c)
			}
		}
		back := strings.Replace(callback(sent.Get("state"), "ada"), "/auth", strings.TrimSuffix(path, "/login"), 1)
		if to := b.Get(t, back).Location(t); to != "/a?b" {
			t.Errorf("logged in, and led to %s", to)
		}
	}
	if me := b.JSON(t, 200, "GET", "/api/whoami", nil); me["email"] != "ada@example.com" || len(me["organizations"].([]any)) != 1 {
		t.Errorf("logged in as %v", me)
	}
	if sent := atProvider(t, b, "?prompt=evil"); sent.Get("prompt") != "" {
		t.Errorf("any prompt is passed on: %v", sent)
	}
}

func TestCallbackIsBoundToTheBrowser(t *testing.T) {
	t.Parallel()
	s, _, ahead := withProvider(t)
	b := apptest.NewBrowser(t, s.URL)
	refused := func(b *apptest.Browser, what, path string) {
		t.Helper()
		r := b.Get(t, path)
		if r.Status != 400 || b.Cookie(t, "session") != "" || !strings.Contains(string(r.Body), "Try again") {
			t.Errorf("%s: %s", what, r)
		}
	}
	refused(b, "no state", "/auth/callback?code=ada")
	refused(b, "a state that nobody made", callback("x", "ada"))

	// Somebody begins a login and has another browser end it.
	eve := apptest.NewBrowser(t, s.URL)
	state := atProvider(t, eve, "").Get("state")
	refused(b, "a state of another browser", callback(state, "eve"))
	for _, c := range eve.HTTP.Jar.Cookies(mustURL(t, s.URL)) {
		changed := []byte(c.Value)
		changed[40] ^= 1
		b.SetCookie(t, c.Name, string(changed))
	}
	refused(b, "a cookie that was changed", callback(state, "eve"))

	// A login of this browser does not stand in for another one.
	b = apptest.NewBrowser(t, s.URL)
	atProvider(t, b, "")
	own := b.HTTP.Jar.Cookies(mustURL(t, s.URL))[0].Value
	for _, c := range eve.HTTP.Jar.Cookies(mustURL(t, s.URL)) {
		b.SetCookie(t, c.Name, own)
	}
	refused(b, "another login of this browser", callback(state, "eve"))

	// Tabs beside one another.
	b = apptest.NewBrowser(t, s.URL)
	one, two := atProvider(t, b, "?next=/one"), atProvider(t, b, "?next=/two")
	for _, tab := range []struct {
		sent url.Values
		next string
	}{{two, "/two"}, {one, "/one"}} {
		if to := b.Get(t, callback(tab.sent.Get("state"), "ada")).Location(t); to != tab.next {
			t.Errorf("a tab is led to %s, want %s", to, tab.next)
		}
	}
	// What was used is used.
	b.SetCookie(t, "session", "")
	refused(b, "a login that was ended", callback(one.Get("state"), "ada"))

	late := atProvider(t, b, "").Get("state")
	ahead.Store(int64(10 * time.Minute))
	refused(b, "a login that took too long", callback(late, "ada"))

	// Many that were begun don't make the browser's requests too large.
	for range 30 {
		atProvider(t, b, "?next=/"+strings.Repeat("a", 1900))
	}
	if n := len(b.HTTP.Jar.Cookies(mustURL(t, s.URL))); n > 10 {
		t.Errorf("the browser holds %d cookies", n)
	}
	enter(t, b, "ada")
}

func mustURL(t *testing.T, text string) *url.URL {
	t.Helper()
	u, err := url.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// What a provider refuses is told, and leads nowhere by itself.
func TestProviderErrorsDoNotLoop(t *testing.T) {
	t.Parallel()
	s, _, _ := withProvider(t)
	b := apptest.NewBrowser(t, s.URL)
	state := atProvider(t, b, "?next=/account").Get("state")
	r := b.Get(t, "/auth/callback?error=access_denied&error_description=%3Cscript%3E&state="+state)
	if r.Status != 400 || strings.Contains(string(r.Body), "<script") || !strings.Contains(string(r.Body), "did not let you in") ||
		!strings.Contains(string(r.Body), `href="/auth/login?next=%2Faccount"`) {
		t.Errorf("refused by the provider: %s", r)
	}
	state = atProvider(t, b, "").Get("state")
	wantStatus(t, b.Get(t, callback(state, "bad")), 400)
	r = b.Get(t, "/auth/login?error=authentication_failed")
	if r.Status != 200 || !strings.Contains(string(r.Body), "Try again") {
		t.Errorf("the login with an error: %s", r)
	}
	// Passwords are no way in here.
	r = b.Do(t, "POST", "/auth/login", map[string]string{"username": "a", "password": "b"})
	if r.Status != 400 || !strings.Contains(string(r.Body), `"error":"Password authentication is not enabled"`) {
		t.Errorf("a password: %s", r)
	}
	if state := b.JSON(t, 200, "GET", "/api/auth/setup", nil); state["setupRequired"] != false || state["authType"] != "test" {
		t.Errorf("set up: %v", state)
	}
}

func TestSessionsAreRenewedAtTheProvider(t *testing.T) {
	t.Parallel()
	s, p, ahead := withProvider(t)
	status := func(b *apptest.Browser) int { return b.Get(t, "/api/whoami").Status }
	pass := func(d time.Duration) { ahead.Add(int64(d)) }
	b := apptest.NewBrowser(t, s.URL)
	enter(t, b, "ada")
	if n := p.refreshed.Load(); n != 0 {
		t.Errorf("asked %d times before it was time", n)
	}

	pass(6 * time.Minute)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if r, err := b.Try("GET", "/api/whoami", nil); err != nil || r.Status != 200 {
				t.Errorf("%v %s", err, r)
			}
		})
	}
	wg.Wait()
	if n := p.refreshed.Load(); n != 1 {
		t.Errorf("eight requests at once asked the provider %d times", n)
	}

	p.set(true, false)
	pass(6 * time.Minute)
	wantEqual(t, "a provider that is down", status(b), 200)
	wantEqual(t, "a provider that is down, once more", status(b), 200)
	wantEqual(t, "times asked while it is down", p.refreshed.Load(), 2)
	pass(55 * time.Minute)
	wantEqual(t, "down for 56 minutes", status(b), 200)
	pass(10 * time.Minute)
	r := b.Get(t, "/api/whoami")
	if r.Status != 503 || r.Header.Get("Retry-After") == "" {
		t.Errorf("down for more than an hour: %s", r)
	}
	p.set(false, false)
	pass(time.Minute)
	wantEqual(t, "up again", status(b), 200)

	p.set(false, true)
	pass(6 * time.Minute)
	wantEqual(t, "a provider that says no", status(b), 401)
	p.set(false, false)
	wantEqual(t, "after it said no", status(b), 401)
}

func wantEqual[T comparable](t *testing.T, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

func TestLogoutAtTheProvider(t *testing.T) {
	t.Parallel()
	s, p, _ := withProvider(t)
	b := apptest.NewBrowser(t, s.URL)
	enter(t, b, "ada")
	stolen := b.Cookie(t, "session")
	want := "https://idp.example/logout?to=" + url.QueryEscape(s.URL+"/auth/login?prompt=select_account")
	wantEqual(t, "the logout leads to", b.Post(t, "/auth/logout", nil).Location(t), want)
	wantStatus(t, s.Anonymous().Do(t, "GET", "/api/whoami", nil, "Cookie", "session="+stolen), 401)

	enter(t, b, "ada")
	got := b.JSON(t, 200, "POST", "/api/auth/logout", nil)
	if got["success"] != true || got["redirect"] != want {
		t.Errorf("the API's logout answers %v", got)
	}
	wantEqual(t, "ended at the provider", fmt.Sprint(p.ended), "[ada ada]")

	// A form of a page may lead there, or browsers stop it.
	enter(t, b, "ada")
	if csp := b.Get(t, "/account").Header.Get("Content-Security-Policy"); !strings.HasSuffix(csp, "form-action 'self' https: http:") {
		t.Errorf("the policy of a page with the logout is %q", csp)
	}
}
