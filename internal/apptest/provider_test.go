package apptest_test

import (
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"

	"github.com/usefloww/flowwd/internal/apptest"
	"github.com/usefloww/flowwd/internal/oidctest"
)

// browser follows redirects, keeps cookies, and remembers where it came by.
type browser struct {
	*apptest.Client
	visited []*url.URL
}

func newBrowser(t *testing.T, s *apptest.Server) *browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	b := &browser{Client: apptest.NewClient(t, s.URL, "")}
	b.HTTP.Jar = jar
	b.HTTP.CheckRedirect = func(next *http.Request, via []*http.Request) error {
		b.visited = append(b.visited, next.URL)
		if len(via) > 10 {
			return http.ErrUseLastResponse
		}
		return nil
	}
	return b
}

// at returns the last address with a path that the browser came by.
func (b *browser) at(t *testing.T, path string) *url.URL {
	t.Helper()
	for i := len(b.visited) - 1; i >= 0; i-- {
		if b.visited[i].Path == path {
			return b.visited[i]
		}
	}
	t.Fatalf("the browser did not come by %s but by %v", path, b.visited)
	return nil
}

// session returns the value of the session cookie.
func (b *browser) session(t *testing.T) string {
	t.Helper()
	here, err := url.Parse(b.URL)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range b.HTTP.Jar.Cookies(here) {
		if c.Name == "session" {
			return c.Value
		}
	}
	t.Fatal("the browser has no session")
	return ""
}

// logInAtProvider goes the whole way of a browser through a provider and back
// out, and returns who it was.
func logInAtProvider(t *testing.T, s *apptest.Server, email string) (id string) {
	t.Helper()
	b := newBrowser(t, s)
	me := b.JSON(t, http.StatusOK, "GET", "/auth/login?next=/api/whoami", nil)
	if me["email"] != email {
		t.Errorf("the browser logs in %v, want %s", me["email"], email)
	}
	callback := b.at(t, "/auth/callback")

	// The answer of the provider is good once, and in this browser alone.
	again := strings.TrimPrefix(callback.String(), b.URL)
	if r := b.Do(t, "GET", again, nil); r.Status != http.StatusBadRequest {
		t.Errorf("the same answer again: %s", r)
	}
	other := newBrowser(t, s)
	if r := other.Do(t, "GET", again, nil); r.Status != http.StatusBadRequest {
		t.Errorf("the answer in another browser: %s", r)
	}

	cookie := b.session(t)
	if r := s.Anonymous().Do(t, "GET", "/api/whoami", nil, "Cookie", "session="+cookie); r.Status != http.StatusOK {
		t.Errorf("the session: %s", r)
	}
	b.HTTP.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	r := b.Do(t, "POST", "/auth/logout", nil, "Origin", b.URL, "Sec-Fetch-Site", "same-origin")
	if r.Status != http.StatusFound || strings.HasPrefix(r.Header.Get("Location"), "/") {
		t.Errorf("logging out does not lead to the provider: %s, %s", r, r.Header.Get("Location"))
	}
	end, err := http.Get(r.Header.Get("Location"))
	if err != nil {
		t.Fatal(err)
	}
	end.Body.Close()
	if end.Request.URL.Path == "" || end.StatusCode >= http.StatusInternalServerError {
		t.Errorf("the provider answers the end of the login with %s at %s", end.Status, end.Request.URL)
	}
	if r := s.Anonymous().Do(t, "GET", "/api/whoami", nil, "Cookie", "session="+cookie); r.Status != http.StatusUnauthorized {
		t.Errorf("the session after logging out: %s", r)
	}
	return me["id"].(string)
}

func TestBrowserAtOIDC(t *testing.T) {
	t.Parallel()
	s, p := withOIDC(t)
	p.ReturnTo(s.URL + "/auth/callback")
	p.ReturnTo(s.URL + "/auth/login?prompt=select_account")
	id := logInAtProvider(t, s, "ada@example.com")
	if p.Ended() == 0 {
		t.Error("logging out did not end the login at the provider")
	}
	// A token of the same person is the same user.
	if me := bearer(t, s, p, "ada", nil).JSON(t, http.StatusOK, "GET", "/api/whoami", nil); me["id"] != id {
		t.Errorf("the person's token is user %v, the browser was %v", me["id"], id)
	}
	p.LogIn(oidctest.Person{Subject: "eve", Email: "ada@example.com"})
	if got := logInAtProvider(t, s, "ada@example.com"); got == id {
		t.Error("somebody else with the same e-mail is the same user")
	}
	p.SetDown(true)
	if r := newBrowser(t, s).Do(t, "GET", "/auth/login?next=/api/whoami", nil); r.Status == http.StatusInternalServerError {
		t.Errorf("the login while the provider is down: %s", r)
	}
}
