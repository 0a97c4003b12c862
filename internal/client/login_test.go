package client

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var today = time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)

// jwt is a token that says when it expires.
func jwt(exp time.Time) string {
	return "e30." + base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, `{"exp":%d}`, exp.Unix())) + ".x"
}

// provider is a server with a device login. Its answers to polls are taken one
// after the other.
type provider struct {
	mu    sync.Mutex
	polls []string
	// asked are the forms that came to the token address.
	asked []url.Values
	// audience is asked for when it is set.
	audience string
}

func (p *provider) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	base := "http://" + r.Host
	switch r.URL.Path {
	case "/api/config":
		answer(w, 200, fmt.Sprintf(`{"auth":{"client_id":"c","device_authorization_endpoint":"%s/device","token_endpoint":"%s/auth/device/token","audience":%q}}`, base, base, p.audience))
	case "/device":
		if r.FormValue("client_id") != "c" || r.FormValue("device_name") != "shell" || r.FormValue("audience") != p.audience {
			answer(w, 400, `{"error":"invalid_request"}`)
			return
		}
		answer(w, 200, `{"device_code":"d","user_code":"ABCD-EFGH","verification_uri":"http://page","expires_in":900,"interval":5}`)
	case "/api/whoami":
		answer(w, 200, fmt.Sprintf(`{"email":null,"id":"of %s"}`, strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")))
	default:
		_ = r.ParseForm() // what can't be read is missing below
		p.asked = append(p.asked, r.PostForm)
		if len(p.polls) == 0 {
			answer(w, 500, `<html>`)
			return
		}
		next := p.polls[0]
		p.polls = p.polls[1:]
		status := 400
		switch {
		case strings.Contains(next, "access_token"), next == "{}":
			status = 200
		case strings.HasPrefix(next, "<"):
			status = 502
		case strings.HasPrefix(next, "http"):
			http.Redirect(w, r, next, http.StatusTemporaryRedirect)
			return
		}
		answer(w, status, next)
	}
}

func refusal(code string) string {
	return fmt.Sprintf(`{"error":%q,"error_description":"because"}`, code)
}

func TestLogIn(t *testing.T) {
	t.Parallel()
	pending := refusal("authorization_pending")
	good := fmt.Sprintf(`{"access_token":%q,"refresh_token":"r","expires_in":7,"user":{"id":"u","email":"ada@example.com"}}`, jwt(today.Add(time.Hour)))
	for _, c := range []struct {
		name  string
		polls []string
		// waits are the seconds between the polls.
		waits []int
		want  Login
		err   string
	}{
		{name: "approved", polls: []string{pending, pending, good}, waits: []int{5, 5, 5}, want: Login{AccessToken: jwt(today.Add(time.Hour)), RefreshToken: "r", ExpiresAt: today.Add(time.Hour), User: "ada@example.com"}},
		{name: "too fast", polls: []string{refusal("slow_down"), pending, refusal("slow_down"), good}, waits: []int{5, 10, 10, 15}, want: Login{AccessToken: jwt(today.Add(time.Hour)), RefreshToken: "r", ExpiresAt: today.Add(time.Hour), User: "ada@example.com"}},
		{name: "a server that starts anew", polls: []string{"<html>", `{"error":"Something went wrong on the server"}`, good}, waits: []int{5, 5, 5}, want: Login{AccessToken: jwt(today.Add(time.Hour)), RefreshToken: "r", ExpiresAt: today.Add(time.Hour), User: "ada@example.com"}},
		{name: "a token that says little", polls: []string{`{"access_token":"a"}`}, waits: []int{5}, want: Login{AccessToken: "a", ExpiresAt: today.Add(unknownLife), User: "of a"}},
		{name: "denied", polls: []string{refusal("access_denied")}, waits: []int{5}, err: "denied on the page"},
		{name: "expired", polls: []string{refusal("expired_token")}, waits: []int{5}, err: "nobody has approved"},
		{name: "refused for good", polls: []string{refusal("invalid_client")}, waits: []int{5}, err: "the login was refused: because"},
		{name: "nobody answers", waits: []int{5, 5}, err: "nobody has approved"},
		{name: "led away", polls: []string{"http://127.0.0.1:1/"}, waits: []int{5, 5}, err: "nobody has approved"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := &provider{polls: c.polls, audience: "aud"}
			api := serve(t, p)
			var waits []int
			now := today
			api.wait = func(_ context.Context, d time.Duration) error {
				if waits = append(waits, int(d.Seconds())); len(waits) == 2 && c.err != "" {
					now = now.Add(15 * time.Minute)
				}
				return nil
			}
			var shown Waiting
			got, err := api.LogIn(t.Context(), "shell", func() time.Time { return now }, func(w Waiting) { shown = w })
			if want := (Waiting{Code: "ABCD-EFGH", Page: "http://page", ExpiresAt: today.Add(15 * time.Minute)}); shown != want {
				t.Errorf("shown %v, want %v", shown, want)
			}
			if c.err != "" {
				wantError(t, err, c.err)
			} else if err != nil {
				t.Fatal(err)
			} else {
				c.want.ClientID, c.want.TokenURL = "c", api.Server()+"/auth/device/token"
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if !slices.Equal(waits, c.waits) {
				t.Errorf("waits %v, want %v", waits, c.waits)
			}
			for _, form := range p.asked {
				if form.Get("device_code") != "d" || form.Get("grant_type") != grantDevice || form.Get("client_id") != "c" {
					t.Errorf("asked with %v", form)
				}
			}
		})
	}
}

func TestNoLoginForCommandLines(t *testing.T) {
	t.Parallel()
	_, err := serve(t, answers(200, `{"auth":{"token_endpoint":"http://x"}}`)).LogIn(t.Context(), "", func() time.Time { return today }, nil)
	wantError(t, err, "has no login for command lines", "flowwd apikey create")
}

func TestLogOut(t *testing.T) {
	t.Parallel()
	p := &provider{polls: []string{"{}"}}
	api := serve(t, p)
	for _, login := range []Login{{}, {RefreshToken: "r", TokenURL: api.Server() + "/user_management/authenticate"}, {RefreshToken: "r", TokenURL: api.Server() + tokenPath}} {
		if err := api.LogOut(t.Context(), login); err != nil {
			t.Error(err)
		}
	}
	if len(p.asked) != 1 || p.asked[0].Get("refresh_token") != "r" {
		t.Errorf("asked with %v", p.asked)
	}
}

func loginsOf(t *testing.T, now func() time.Time) Logins {
	return Logins{Path: filepath.Join(t.TempDir(), "a", "flowwd", "logins.json"), Now: now}
}

func TestLoginsAreKept(t *testing.T) {
	t.Parallel()
	l := loginsOf(t, nil)
	one, two := Login{AccessToken: "1", ExpiresAt: today}, Login{AccessToken: "2", RefreshToken: "r", ExpiresAt: today, ClientID: "c", TokenURL: "t", User: "u"}
	if _, ok, err := l.Get("http://a"); ok || err != nil {
		t.Fatal(ok, err)
	}
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			if err := l.Put(t.Context(), fmt.Sprint("http://", i), one); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if err := l.Put(t.Context(), "http://a", two); err != nil {
		t.Fatal(err)
	}
	for i := range 20 {
		if got, ok, err := l.Get(fmt.Sprint("http://", i)); !ok || err != nil || got != one {
			t.Errorf("login %d: %v %t %v", i, got, ok, err)
		}
	}
	for path, mode := range map[string]os.FileMode{l.Path: 0o600, filepath.Dir(l.Path): 0o700} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != mode {
			t.Errorf("%s: %v %v", path, info.Mode(), err)
		}
	}
	for _, want := range []bool{true, false} {
		got, ok, err := l.Remove(t.Context(), "http://a")
		if err != nil || ok != want || ok && got != two {
			t.Errorf("removed %v %t %v", got, ok, err)
		}
	}
	if err := os.WriteFile(l.Path, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, _, err := l.Get("http://a")
	wantError(t, err, "can't be read", "remove it and log in again")
}

func TestLoginsAreRenewed(t *testing.T) {
	t.Parallel()
	renewed := fmt.Sprintf(`{"access_token":%q,"refresh_token":"r2"}`, jwt(today.Add(2*time.Hour)))
	for _, c := range []struct {
		name    string
		expires time.Duration
		polls   []string
		// token and refresh are what is kept then; empty for nothing.
		token, refresh, err string
	}{
		{name: "good for long", expires: time.Hour, token: "old", refresh: "r"},
		{name: "good for a while", expires: 9 * time.Minute, polls: []string{renewed}, token: jwt(today.Add(2 * time.Hour)), refresh: "r2"},
		{name: "expired", expires: -time.Hour, polls: []string{renewed}, token: jwt(today.Add(2 * time.Hour)), refresh: "r2"},
		{name: "a provider that keeps the refresh token", expires: 0, polls: []string{`{"access_token":"a"}`}, token: "a", refresh: "r"},
		{name: "ended", expires: time.Minute, polls: []string{refusal("invalid_grant")}},
		{name: "a server that is away, in time", expires: time.Minute, polls: []string{"<html>"}, token: "old", refresh: "r"},
		{name: "a server that is away, too late", expires: -time.Minute, polls: []string{"<html>"}, token: "old", refresh: "r", err: "renew the login"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := &provider{polls: c.polls}
			api := serve(t, p)
			api.token = ""
			l := loginsOf(t, func() time.Time { return today })
			api.UseLogin(l)
			before := Login{AccessToken: "old", RefreshToken: "r", ExpiresAt: today.Add(c.expires), ClientID: "c", TokenURL: api.Server() + tokenPath, User: "u"}
			if err := l.Put(t.Context(), api.Server(), before); err != nil {
				t.Fatal(err)
			}
			// Many at once renew it once.
			var wg sync.WaitGroup
			for range 5 {
				wg.Go(func() {
					got, err := api.Credential(t.Context())
					switch {
					case c.err != "":
						wantError(t, err, c.err)
					case err != nil || got != c.token:
						t.Errorf("credential %q (%v), want %q", got, err, c.token)
					}
				})
				if c.err != "" || strings.HasPrefix(c.name, "a server") {
					p.mu.Lock()
					p.polls = append(p.polls, c.polls...)
					p.mu.Unlock()
				}
			}
			wg.Wait()
			got, ok, err := l.Get(api.Server())
			if err != nil || ok != (c.token != "") || got.AccessToken != c.token || got.RefreshToken != c.refresh {
				t.Errorf("kept %v %t %v", got, ok, err)
			}
			for _, form := range p.asked {
				if want := (url.Values{"client_id": {"c"}, "refresh_token": {"r"}, "grant_type": {grantRefresh}}); !cmp.Equal(form, want) {
					t.Errorf("asked with %v", form)
				}
			}
		})
	}
}

func TestMissingLogin(t *testing.T) {
	t.Parallel()
	api := serve(t, answers(401, `{"detail":"No credentials provided"}`))
	api.token = ""
	l := loginsOf(t, func() time.Time { return today })
	api.UseLogin(l)
	_, err := api.Namespaces(t.Context())
	wantError(t, err, "no API key was given", "flowwd login --server "+api.Server())
	if err := l.Put(t.Context(), api.Server(), Login{AccessToken: "x", ExpiresAt: today.Add(time.Hour)}); err != nil {
		t.Fatal(err)
	}
	_, err = api.Namespaces(t.Context())
	wantError(t, err, "does not accept your login (No credentials provided)", "logs in again")
	api.Credential = func(context.Context) (string, error) { return "", errors.New("no file") }
	_, err = api.Namespaces(t.Context())
	wantError(t, err, "no file")
}
