package apptest_test

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/usefloww/flowwd/internal/apptest"
	"github.com/usefloww/flowwd/internal/config"
)

// What proves one thing proves nothing else: the session of a browser, the
// tokens of a command line and an API key are each taken in their own place.
func TestCredentialsStandForNothingElse(t *testing.T) {
	t.Parallel()
	c := commandLineOf(t, apptest.Options{Settings: func(s *config.Settings) {
		s.AdminEmail, s.AdminPassword = apptest.AdminLogin, apptest.AdminPassword
	}})
	b := apptest.NewBrowser(t, c.URL)
	b.LogIn(t, apptest.AdminLogin, apptest.AdminPassword)
	b.Post(t, "/auth/device/verify", map[string]string{"user_code": c.code.UserCode, "decision": "approve"})
	in := c.poll(t, http.StatusOK)
	c.begin(t)
	all := map[string]string{
		"an API key": c.server.Key, "an access token": in.AccessToken, "a refresh token": in.RefreshToken,
		"a session": b.Cookie(t, "session"), "a device code": c.code.DeviceCode, "a user code": c.code.UserCode, "a password": apptest.AdminPassword,
	}
	for place, show := range map[string]struct {
		good []string
		at   func(value string) apptest.Response
	}{
		"as a bearer": {[]string{"an API key", "an access token"}, func(value string) apptest.Response {
			return c.Do(t, "GET", "/api/whoami", nil, "Authorization", "Bearer "+value)
		}},
		"as a cookie": {[]string{"a session"}, func(value string) apptest.Response {
			return c.Do(t, "GET", "/api/whoami", nil, "Cookie", "session="+value)
		}},
		"to be renewed": {[]string{"a refresh token"}, func(value string) apptest.Response {
			return c.form(t, c.config.Auth.TokenURL, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {value}})
		}},
		"to open a link": {nil, func(value string) apptest.Response {
			return c.Do(t, "POST", "/auth/password", url.Values{"token": {value}, "password": {"another long password"}}.Encode(), "Content-Type", formType, "Accept", "application/json")
		}},
	} {
		for name, value := range all {
			want := slices.Contains(show.good, name)
			if r := show.at(value); (r.Status == http.StatusOK) != want || !want && r.Status >= 500 {
				t.Errorf("%s %s: %s", name, place, r)
			}
		}
	}
}

// raw sends a request as it is written, and returns the status of the answer.
func raw(t *testing.T, s *apptest.Server, request string) int {
	t.Helper()
	c, err := net.Dial("tcp", s.App.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := fmt.Fprint(c, request); err != nil {
		t.Fatal(err)
	}
	r, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatalf("no answer to %q: %v", request, err)
	}
	defer r.Body.Close()
	return r.StatusCode
}

// Requests that two servers could read in two ways are refused, and no header
// stands in for the credential, the path or the method.
func TestHeadersAreNotSmuggled(t *testing.T) {
	t.Parallel()
	s := apptest.Start(t, apptest.Options{Way: apptest.Anyone{}})
	ada := s.Person(t, "ada")
	good := "Authorization: Bearer " + ada.Key + "\r\n"
	const head, bad = "GET /api/whoami HTTP/1.1\r\nHost: localhost\r\n", "Authorization: Bearer none\r\n"
	body := `{"name":"x","namespaceId":"` + ada.Namespace(t) + `"}`
	post := func(headers, body string) string {
		return "POST /api/workflows HTTP/1.1\r\nHost: localhost\r\n" + good + headers + "\r\n" + body
	}
	for name, c := range map[string]struct {
		request string
		status  int
	}{
		"one credential":               {head + good + "\r\n", 200},
		"a second one":                 {head + bad + good + "\r\n", 401},
		"in a name with an underscore": {head + strings.Replace(good, "Authorization", "X_Authorization", 1) + "\r\n", 401},
		"in a header of proxies":       {head + "X-Forwarded-User: ada\r\nX-Remote-User: ada\r\nX-User-Id: " + ada.ID + "\r\n\r\n", 401},
		"a space before the colon":     {head + strings.Replace(good, ":", " :", 1) + "\r\n", 400},
		"two hosts":                    {"GET /api/whoami HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n" + good + "\r\n", 400},
		"two lengths":                  {post("Content-Length: 3\r\nContent-Length: 4\r\n", "abcd"), 400},
		"a length with a sign":         {post("Content-Length: +4\r\n", "abcd"), 400},
		"an unknown coding":            {post("Transfer-Encoding: xchunked\r\n", "0\r\n\r\n"), 501},
		"two codings":                  {post("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", "0\r\n\r\n"), 501},
		"a chunk that is none":         {post("Transfer-Encoding: chunked\r\n", "zz\r\n\r\n"), 400},
		"the path of a header":         {strings.Replace(head, "/api/whoami", "/api/config", 1) + "X-Original-Url: /nowhere\r\nX-Rewrite-Url: /nowhere\r\n\r\n", 200},
		"the method of a header":       {head + good + "X-Http-Method-Override: DELETE\r\nX-Method-Override: DELETE\r\n\r\n", 200},
		"what it says it is":           {post(fmt.Sprintf("Content-Length: %d\r\n", len(body)), body), 201},
	} {
		if got := raw(t, s, c.request); got != c.status {
			t.Errorf("%s: %d, want %d", name, got, c.status)
		}
	}
}
