package apptest_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/usefloww/flowwd/internal/apptest"
	"github.com/usefloww/flowwd/internal/config"
	"github.com/usefloww/flowwd/internal/identity"
)

// postCode posts the form of the page.
func postCode(t *testing.T, c *apptest.Client, fields ...string) apptest.Response {
	t.Helper()
	form := url.Values{}
	for i := 0; i+1 < len(fields); i += 2 {
		form.Set(fields[i], fields[i+1])
	}
	return c.Do(t, "POST", "/auth/device/verify", form.Encode(), "Content-Type", formType)
}

// A browser that is not logged in comes by the login to the page and approves.
func TestBrowserApprovesACommandLine(t *testing.T) {
	t.Parallel()
	c := commandLineOf(t, apptest.Options{Settings: func(s *config.Settings) {
		s.AdminEmail, s.AdminPassword = "ada@example.com", "correct horse"
	}})
	b := newBrowser(t, c.server)
	page := strings.TrimPrefix(c.code.FullPage, c.URL)
	r := b.Do(t, "GET", page, nil)
	login := b.at(t, "/auth/login")
	if next := login.Query().Get("next"); next != page || r.Status != http.StatusOK {
		t.Fatalf("the login leads to %q: %s", next, r)
	}
	// A form that was posted without a session leads there too.
	if postCode(t, b.Client, "user_code", c.code.UserCode); b.at(t, "/auth/login").Query().Get("next") != "/auth/device/verify" {
		t.Errorf("the browser came by %v", b.visited)
	}
	r = b.Do(t, "POST", "/auth/login", url.Values{"username": {"ada@example.com"}, "password": {"correct horse"}, "next": {page}}.Encode(), "Content-Type", formType)
	for _, want := range []string{c.code.UserCode, "ada@example.com", "127.0.0.1", "Approve", "Deny", "Go-http-client/1.1"} {
		if !strings.Contains(string(r.Body), want) {
			t.Errorf("%q is not on the page: %s", want, r)
		}
	}
	if got := c.poll(t, http.StatusBadRequest); got.Error != "authorization_pending" {
		t.Errorf("looking at the page: %+v", got)
	}

	// Another site that makes the browser post gets nothing.
	form := url.Values{"user_code": {c.code.UserCode}, "decision": {"approve"}}.Encode()
	if r := b.Do(t, "POST", "/auth/device/verify", form, "Content-Type", formType, "Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site"); r.Status != http.StatusForbidden {
		t.Errorf("from another site: %s", r)
	}
	if got := c.poll(t, http.StatusBadRequest); got.Error == "" {
		t.Error("another site approved")
	}
	if r := postCode(t, b.Client, "user_code", c.code.UserCode, "decision", "maybe"); r.Status != http.StatusBadRequest {
		t.Errorf("no decision: %s", r)
	}

	if r := postCode(t, b.Client, "user_code", strings.ToLower(c.code.UserCode), "decision", "approve"); r.Status != http.StatusOK || !strings.Contains(string(r.Body), "is logged in") {
		t.Errorf("approve: %s", r)
	}
	got := c.poll(t, http.StatusOK)
	c.wantWhoami(t, got.AccessToken, http.StatusOK)
	if r := postCode(t, b.Client, "user_code", c.code.UserCode); r.Status != http.StatusOK || !strings.Contains(string(r.Body), "No command line waits") {
		t.Errorf("a code that was used: %s", r)
	}

	// The account shows it and signs it out.
	r = b.Do(t, "GET", "/account", nil)
	_, rest, found := strings.Cut(string(r.Body), `action="/account/devices/`)
	device, _, _ := strings.Cut(rest, "/")
	if !found || len(device) != 36 {
		t.Fatalf("the account does not show the command line: %s", r)
	}
	if r := b.Do(t, "POST", "/account/devices/"+device+"/end", "", "Content-Type", formType); !strings.Contains(string(r.Body), "The command line is signed out.") {
		t.Errorf("sign out: %s", r)
	}
	c.wantWhoami(t, got.AccessToken, http.StatusUnauthorized)
}

// A new password puts everybody out who came in with the old one.
func TestNewPasswordEndsCommandLines(t *testing.T) {
	t.Parallel()
	c := commandLineOf(t, apptest.Options{Settings: func(s *config.Settings) {
		s.AdminEmail, s.AdminPassword = "ada@example.com", "correct horse"
	}})
	b := newBrowser(t, c.server)
	b.Do(t, "POST", "/auth/login", url.Values{"username": {"ada@example.com"}, "password": {"correct horse"}}.Encode(), "Content-Type", formType)
	postCode(t, b.Client, "user_code", c.code.UserCode, "decision", "approve")
	got := c.poll(t, http.StatusOK)
	r := b.Do(t, "POST", "/account/password", url.Values{"password": {"correct horse"}, "new_password": {"battery staple"}}.Encode(), "Content-Type", formType)
	if r.Status != http.StatusOK || !strings.Contains(string(r.Body), "password is changed") {
		t.Fatalf("change the password: %s", r)
	}
	c.wantWhoami(t, got.AccessToken, http.StatusUnauthorized)
	if got := c.refresh(t, http.StatusBadRequest, got.RefreshToken); got.Error != "invalid_grant" {
		t.Errorf("refresh: %+v", got)
	}
}

func TestOnlyPeopleApprove(t *testing.T) {
	t.Parallel()
	c := startCommandLine(t)
	in, p := c.logIn(t)
	c.begin(t)
	for name, key := range map[string]string{"a service account": c.server.Key, "another command line": in.AccessToken} {
		if r := postCode(t, apptest.NewClient(t, c.URL, key), "user_code", c.code.UserCode, "decision", "approve"); r.Status != http.StatusForbidden {
			t.Errorf("%s: %s", name, r)
		}
	}
	if got := c.poll(t, http.StatusBadRequest); got.Error != "authorization_pending" {
		t.Errorf("afterwards: %+v", got)
	}
	// What a command line says of itself is shown as text.
	c.form(t, c.config.Auth.DeviceURL, nil)
	r := c.form(t, c.config.Auth.DeviceURL, url.Values{"device_name": {"<script>alert(1)</script>"}})
	_, rest, _ := strings.Cut(string(r.Body), `"user_code":"`)
	r = p.Do(t, "GET", "/device?user_code="+rest[:9], nil)
	if text := string(r.Body); strings.Contains(text, "<script>") || !strings.Contains(text, "&lt;script&gt;") {
		t.Errorf("the page is %s", text)
	}
}

// Whoever tries codes is stopped, also with the right one, and others are not.
func TestUserCodesCanNotBeGuessed(t *testing.T) {
	t.Parallel()
	c := startCommandLine(t)
	p := c.person(t)
	for i, method := range []string{"GET", "POST", "GET", "GET", "GET", "POST", "POST", "POST", "POST", "GET"} {
		var r apptest.Response
		if method == "POST" {
			r = postCode(t, p.Client, "user_code", "2222-2222")
		} else {
			r = p.Do(t, "GET", "/api/auth/device/verify?user_code=2222-2222", nil)
		}
		if r.Status != http.StatusOK || !strings.Contains(string(r.Body), "No command line waits") {
			t.Fatalf("try %d: %s", i, r)
		}
	}
	for _, x := range []*apptest.Client{p.Client, c.person(t).Client} { // both come from one address
		if r := postCode(t, x, "user_code", c.code.UserCode); r.Status != http.StatusTooManyRequests || r.Header.Get("Retry-After") == "" {
			t.Errorf("one try more: %s", r)
		}
	}
	c.clock.pass(15 * 60e9)
	c.begin(t)
	c.answer(t, p, "approve")
}

// One customer has a whole /64 of IPv6: other addresses of it are no way around
// the bounds, and a browser beside the command line comes from one of them.
func TestCommandLinesAreCountedByNetwork(t *testing.T) {
	t.Parallel()
	c := commandLineOf(t, apptest.Options{Way: apptest.Anyone{}, Settings: func(s *config.Settings) { s.TrustedProxies = []string{"127.0.0.1"} }})
	from := func(network string, n int) []string {
		return []string{"Content-Type", formType, "X-Forwarded-For", fmt.Sprintf("2001:db8:0:%s::%x", network, n)}
	}
	begin := func(network string, n int) apptest.Response {
		return c.Do(t, "POST", "/auth/device/authorize", "", from(network, n)...)
	}
	ada, bob := c.person(t), c.person(t)
	var last apptest.Response
	for n := range identity.MaxWaitingPerAddress {
		if last = begin("1", n); last.Status != http.StatusOK {
			t.Fatalf("code %d: %s", n, last)
		}
	}
	if r := begin("1", 1<<15); r.Status != http.StatusTooManyRequests || r.Header.Get("Retry-After") == "" {
		t.Errorf("another address of the network: %s", r)
	}
	if r := begin("2", 1); r.Status != http.StatusOK {
		t.Errorf("another network: %s", r)
	}

	_, rest, _ := strings.Cut(string(last.Body), `"user_code":"`)
	page := "/device?user_code=" + rest[:9]
	for network, want := range map[string]string{"1": "as this browser", "2": "another address"} {
		if r := ada.Do(t, "GET", page, nil, from(network, 1<<14)...); !strings.Contains(string(r.Body), "2001:db8:0:1::/64") || !strings.Contains(string(r.Body), want) {
			t.Errorf("from network %s the page is %s", network, r)
		}
	}
	for n := range 10 {
		ada.Do(t, "GET", "/device?user_code=2222-2222", nil, from("3", n)...)
	}
	for network, want := range map[string]int{"3": http.StatusTooManyRequests, "4": http.StatusOK} {
		if r := bob.Do(t, "GET", page, nil, from(network, 1<<13)...); r.Status != want {
			t.Errorf("bob from network %s after ten wrong codes of ada from 3: %s, want %d", network, r, want)
		}
	}
}
