package apptest

import (
	"bytes"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

// Browser is a client that keeps cookies and posts forms. It follows no
// redirects.
type Browser struct{ *Client }

// NewBrowser returns a browser without cookies.
func NewBrowser(t testing.TB, at string) *Browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	c := NewClient(t, at, "")
	c.HTTP.Jar = jar
	return &Browser{c}
}

// Get reads a page.
func (b *Browser) Get(t testing.TB, path string, headers ...string) Response {
	t.Helper()
	return b.Do(t, http.MethodGet, path, nil, headers...)
}

// Post posts a form, as a page of the server itself does.
func (b *Browser) Post(t testing.TB, path string, values map[string]string, headers ...string) Response {
	t.Helper()
	form := url.Values{}
	for name, value := range values {
		form.Set(name, value)
	}
	all := append([]string{"Content-Type", "application/x-www-form-urlencoded", "Accept", "text/html", "Origin", b.URL, "Sec-Fetch-Site", "same-origin"}, headers...)
	return b.Do(t, http.MethodPost, path, form.Encode(), all...)
}

// Cookie returns the value of a cookie; empty when there is none.
func (b *Browser) Cookie(t testing.TB, name string) string {
	t.Helper()
	for _, c := range b.cookies(t) {
		if c.Name == name {
			return c.Value
		}
	}
	return ""
}

// SetCookie has the browser hold a cookie.
func (b *Browser) SetCookie(t testing.TB, name, value string) {
	t.Helper()
	b.HTTP.Jar.SetCookies(b.address(t), []*http.Cookie{{Name: name, Value: value, Path: "/"}})
}

func (b *Browser) cookies(t testing.TB) []*http.Cookie {
	t.Helper()
	return b.HTTP.Jar.Cookies(b.address(t))
}

func (b *Browser) address(t testing.TB) *url.URL {
	t.Helper()
	u, err := url.Parse(b.URL)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// Location returns where an answer leads to; the test fails when it leads
// nowhere.
func (r Response) Location(t testing.TB) string {
	t.Helper()
	to := r.Header.Get("Location")
	if r.Status < 300 || r.Status > 399 || to == "" {
		t.Fatalf("no redirect: %s", r)
	}
	return to
}

// Log is a server's log, kept for the test.
type Log struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write implements io.Writer.
func (l *Log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

// String returns all that was logged.
func (l *Log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// SetUpPath waits for the link that makes the first account and returns what
// comes after the server's address.
func (l *Log) SetUpPath(t testing.TB) string {
	t.Helper()
	link := regexp.MustCompile(`/auth/setup\?token=[A-Za-z0-9_-]+`)
	Until(t, 10*time.Second, "the link for the first account is printed", func() bool { return link.MatchString(l.String()) })
	return link.FindString(l.String())
}

// The first account of tests.
const (
	AdminLogin    = "ada@example.com"
	AdminPassword = "correct horse battery"
)

// LogIn logs a browser in with a password.
func (b *Browser) LogIn(t testing.TB, login, password string) {
	t.Helper()
	r := b.Post(t, "/auth/login", map[string]string{"username": login, "password": password})
	if to := r.Location(t); to != "/" || b.Cookie(t, "session") == "" {
		t.Fatalf("log in as %s: %s to %s", login, r, to)
	}
}

// Account makes an account through the API and chooses its password, and
// returns a browser that is logged in with it.
func (b *Browser) Account(t testing.TB, login, password string) *Browser {
	t.Helper()
	made := b.JSON(t, http.StatusCreated, "POST", "/api/users", map[string]string{"email": login})
	token := strings.TrimPrefix(made["link"].(string), b.URL+"/auth/password?token=")
	other := NewBrowser(t, b.URL)
	if r := other.Post(t, "/auth/password", map[string]string{"token": token, "password": password}); r.Location(t) != "/" {
		t.Fatalf("choose the password of %s: %s", login, r)
	}
	return other
}
