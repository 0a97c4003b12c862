package apptest_test

import (
	"encoding/json"
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
	"github.com/usefloww/flowwd/internal/engine/dummy"
	"github.com/usefloww/flowwd/internal/identity"
)

const formType = "application/x-www-form-urlencoded"

// clock is a server's clock that a test moves.
type clock struct{ moved atomic.Int64 }

func (c *clock) now() time.Time       { return time.Now().Add(time.Duration(c.moved.Load())) }
func (c *clock) pass(d time.Duration) { c.moved.Add(int64(d)) }

// commandLine does what the published command line does to log in: 2.1 to 2.4 of
// identity-realtime-admin.md.
type commandLine struct {
	*apptest.Client
	server *apptest.Server
	clock  *clock
	people int
	config struct {
		Auth struct {
			ClientID  string `json:"client_id"`
			DeviceURL string `json:"device_authorization_endpoint"`
			TokenURL  string `json:"token_endpoint"`
		}
	}
	code struct {
		DeviceCode string `json:"device_code"`
		UserCode   string `json:"user_code"`
		Page       string `json:"verification_uri"`
		FullPage   string `json:"verification_uri_complete"`
		ExpiresIn  int    `json:"expires_in"`
		Interval   int
	}
}

type tokens struct {
	Error        string
	AccessToken  string `json:"access_token"`
	RefreshToken string `json:"refresh_token"`
	User         struct{ ID, Email string }
}

func startCommandLine(t *testing.T) *commandLine {
	t.Helper()
	return commandLineOf(t, apptest.Options{Way: apptest.Anyone{}})
}

func commandLineOf(t *testing.T, o apptest.Options) *commandLine {
	t.Helper()
	c := &commandLine{clock: &clock{}}
	o.Engine, o.Now = dummy.New(1, time.Now), c.clock.now
	c.server = apptest.Start(t, o)
	c.Client = c.server.Anonymous()
	c.begin(t)
	return c
}

// begin asks for the configuration and for a device code.
func (c *commandLine) begin(t *testing.T) {
	t.Helper()
	r := c.Do(t, "GET", "/api/config", nil)
	if err := json.Unmarshal(r.Body, &c.config); err != nil || r.Status != http.StatusOK {
		t.Fatalf("config: %s (%v)", r, err)
	}
	r = c.form(t, c.config.Auth.DeviceURL, url.Values{"client_id": {c.config.Auth.ClientID}})
	if err := json.Unmarshal(r.Body, &c.code); err != nil || r.Status != http.StatusOK {
		t.Fatalf("device authorization: %s (%v)", r, err)
	}
	if len(c.code.DeviceCode) != 43 || c.code.ExpiresIn != 900 || c.code.Interval != 5 || c.code.FullPage != c.code.Page+"?user_code="+c.code.UserCode {
		t.Fatalf("device authorization: %s", r)
	}
}

func (c *commandLine) form(t *testing.T, address string, form url.Values) apptest.Response {
	t.Helper()
	path, ok := strings.CutPrefix(address, c.URL)
	if !ok {
		t.Fatalf("%s is no address of the server %s", address, c.URL)
	}
	return c.Do(t, "POST", path, form.Encode(), "Content-Type", formType)
}

func (c *commandLine) ask(t *testing.T, status int, form url.Values) tokens {
	t.Helper()
	form.Set("client_id", c.config.Auth.ClientID)
	r := c.form(t, c.config.Auth.TokenURL, form)
	var got tokens
	if err := json.Unmarshal(r.Body, &got); err != nil || r.Status != status || r.Header.Get("Cache-Control") != "no-store" {
		t.Fatalf("%v: %s (%v), want %d", form, r, err, status)
	}
	return got
}

func (c *commandLine) poll(t *testing.T, status int) tokens {
	t.Helper()
	return c.ask(t, status, url.Values{"grant_type": {"urn:ietf:params:oauth:grant-type:device_code"}, "device_code": {c.code.DeviceCode}})
}

func (c *commandLine) refresh(t *testing.T, status int, token string) tokens {
	t.Helper()
	return c.ask(t, status, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token}})
}

// whoami asks with an access token and returns the status and whose it is.
func (c *commandLine) whoami(t *testing.T, access string) (int, string) {
	t.Helper()
	r := c.Do(t, "GET", "/api/whoami", nil, "Authorization", "Bearer "+access)
	var who struct{ ID string }
	if err := json.Unmarshal(r.Body, &who); err != nil {
		t.Fatalf("whoami: %s (%v)", r, err)
	}
	return r.Status, who.ID
}

func (c *commandLine) wantWhoami(t *testing.T, access string, status int) {
	t.Helper()
	if got, _ := c.whoami(t, access); got != status {
		t.Errorf("whoami answers %d, want %d", got, status)
	}
}

// person makes a user.
func (c *commandLine) person(t *testing.T) *apptest.Person {
	t.Helper()
	c.people++
	return c.server.Person(t, fmt.Sprintf("person%d", c.people))
}

// answer approves or denies the code on the page.
func (c *commandLine) answer(t *testing.T, p *apptest.Person, decision string) {
	t.Helper()
	form := url.Values{"user_code": {c.code.UserCode}, "decision": {decision}}
	r := p.Do(t, "POST", "/auth/device/verify", form.Encode(), "Content-Type", formType)
	if r.Status != http.StatusOK || strings.Contains(string(r.Body), `role="alert"`) {
		t.Fatalf("%s: %s", decision, r)
	}
}

func (c *commandLine) logIn(t *testing.T) (tokens, *apptest.Person) {
	t.Helper()
	p := c.person(t)
	c.answer(t, p, "approve")
	return c.poll(t, http.StatusOK), p
}

func TestPublishedCommandLineLogsIn(t *testing.T) {
	t.Parallel()
	c := startCommandLine(t)
	if got := c.poll(t, http.StatusBadRequest); got.Error != "authorization_pending" {
		t.Fatalf("before the approval: %+v", got)
	}
	first, p := c.logIn(t)
	if len(first.RefreshToken) != 64 || first.User.ID != p.ID || first.User.Email != p.Subject+"@example.com" {
		t.Errorf("tokens %+v", first)
	}
	if got := c.poll(t, http.StatusBadRequest); got.Error != "expired_token" {
		t.Errorf("the code again: %+v", got)
	}
	if status, who := c.whoami(t, first.AccessToken); status != http.StatusOK || who != p.ID {
		t.Errorf("whoami: %d %s", status, who)
	}

	// It refreshes ten minutes before the hour is over.
	c.clock.pass(50 * time.Minute)
	second := c.refresh(t, http.StatusOK, first.RefreshToken)
	if second.RefreshToken == "" || second.RefreshToken == first.RefreshToken || second.User.ID != p.ID {
		t.Errorf("tokens %+v", second)
	}
	c.wantWhoami(t, second.AccessToken, http.StatusOK)
	c.clock.pass(11 * time.Minute)
	c.wantWhoami(t, first.AccessToken, http.StatusUnauthorized)
	c.wantWhoami(t, second.AccessToken, http.StatusOK)

	// The old token is somebody else's now.
	if got := c.refresh(t, http.StatusBadRequest, first.RefreshToken); got.Error != "invalid_grant" {
		t.Errorf("reuse: %+v", got)
	}
	c.wantWhoami(t, second.AccessToken, http.StatusUnauthorized)
	if got := c.refresh(t, http.StatusBadRequest, second.RefreshToken); got.Error != "invalid_grant" {
		t.Errorf("refresh after the reuse: %+v", got)
	}
}

func TestDeviceCodesAreDeniedExpireAndSlowDown(t *testing.T) {
	t.Parallel()
	c := startCommandLine(t)
	for i, step := range []struct {
		pass  time.Duration
		error string
	}{{0, "authorization_pending"}, {2 * time.Second, "slow_down"}, {6 * time.Second, "slow_down"}, {16 * time.Second, "authorization_pending"}} {
		c.clock.pass(step.pass)
		if got := c.poll(t, http.StatusBadRequest); got.Error != step.error {
			t.Errorf("poll %d: %+v, want %s", i, got, step.error)
		}
	}
	c.answer(t, c.person(t), "deny")
	if got := c.poll(t, http.StatusBadRequest); got.Error != "access_denied" {
		t.Errorf("denied: %+v", got)
	}
	c.begin(t)
	c.clock.pass(identity.DeviceCodeTTL)
	if got := c.poll(t, http.StatusBadRequest); got.Error != "expired_token" {
		t.Errorf("expired: %+v", got)
	}
}

func TestTwoPollsAtOnceGetOneToken(t *testing.T) {
	t.Parallel()
	c := startCommandLine(t)
	c.answer(t, c.person(t), "approve")
	form := url.Values{"grant_type": {"urn:ietf:params:oauth:grant-type:device_code"}, "device_code": {c.code.DeviceCode}}
	var got atomic.Int64
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			r, err := c.Try("POST", "/api/auth/device/token", form.Encode(), "Content-Type", formType)
			if err != nil {
				t.Error(err)
			} else if r.Status == http.StatusOK {
				got.Add(1)
			}
		})
	}
	wg.Wait()
	if got.Load() != 1 {
		t.Errorf("%d polls got a token", got.Load())
	}
}

func TestCommandLinesAreListedAndLoggedOut(t *testing.T) {
	t.Parallel()
	c := startCommandLine(t)
	first, p := c.logIn(t)
	c.begin(t)
	c.answer(t, p, "approve")
	second := c.poll(t, http.StatusOK)
	mine := apptest.NewClient(t, c.URL, second.AccessToken)
	list := mine.JSON(t, http.StatusOK, "GET", "/api/devices", nil)["results"].([]any)
	if len(list) != 2 {
		t.Fatalf("%d devices, want 2", len(list))
	}
	var other string
	for _, x := range list {
		if device := x.(map[string]any); !device["current"].(bool) {
			other = device["id"].(string)
		}
	}

	// Nobody else's, and not a service account's.
	c.begin(t)
	stranger, _ := c.logIn(t)
	for _, key := range []string{stranger.AccessToken, c.server.Key} {
		apptest.NewClient(t, c.URL, key).JSON(t, http.StatusNotFound, "DELETE", "/api/devices/"+other, nil)
	}
	if n := c.server.JSON(t, http.StatusOK, "GET", "/api/devices", nil)["total"]; n != 0.0 {
		t.Errorf("a service account has %v command lines", n)
	}

	mine.JSON(t, http.StatusOK, "DELETE", "/api/devices/"+other, nil)
	c.wantWhoami(t, first.AccessToken, http.StatusUnauthorized)
	c.wantWhoami(t, second.AccessToken, http.StatusOK)

	// Whoever holds the token can give it back, and is told the same a second time.
	for range 2 {
		c.JSON(t, http.StatusOK, "POST", "/auth/token/revoke", map[string]any{"refresh_token": second.RefreshToken})
	}
	c.wantWhoami(t, second.AccessToken, http.StatusUnauthorized)
	if got := c.refresh(t, http.StatusBadRequest, second.RefreshToken); got.Error != "invalid_grant" {
		t.Errorf("refresh after the revocation: %+v", got)
	}
}

// Keys of different purposes and servers never stand in for one another.
func TestTokensOfOthersAreRefused(t *testing.T) {
	t.Parallel()
	c, other := startCommandLine(t), startCommandLine(t)
	mine, _ := c.logIn(t)
	foreign, _ := other.logIn(t)
	parts := strings.Split(mine.AccessToken, ".")
	const none = "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0" // {"alg":"none","typ":"JWT"}
	for name, token := range map[string]string{
		"another server's": foreign.AccessToken,
		"alg none":         none + "." + parts[1] + ".",
		"without alg":      "e30." + parts[1] + "." + parts[2],
		"unsigned":         parts[0] + "." + parts[1] + ".",
		"a refresh token":  mine.RefreshToken,
		"a device code":    c.code.DeviceCode,
		"two in one":       mine.AccessToken + " " + mine.AccessToken,
	} {
		if status, _ := c.whoami(t, token); status != http.StatusUnauthorized {
			t.Errorf("%s: whoami answers %d, want 401", name, status)
		}
	}
	c.wantWhoami(t, mine.AccessToken, http.StatusOK)
	// The other way round: an access token is no refresh token.
	if got := c.refresh(t, http.StatusBadRequest, mine.AccessToken); got.Error != "invalid_grant" {
		t.Errorf("an access token as a refresh token: %+v", got)
	}
}

// Whoever asks again and again fills neither the database nor the codes.
func TestWaitingCommandLinesAreBounded(t *testing.T) {
	t.Parallel()
	c := startCommandLine(t)
	var last apptest.Response
	for range identity.MaxWaitingPerAddress {
		last = c.form(t, c.config.Auth.DeviceURL, nil)
	}
	if last.Status != http.StatusTooManyRequests || last.Header.Get("Retry-After") == "" || !strings.Contains(string(last.Body), `"temporarily_unavailable"`) {
		t.Errorf("one too many: %s", last)
	}
	c.clock.pass(identity.DeviceCodeTTL)
	c.begin(t)
}

// A provider that is not there takes nobody's configuration away.
func TestConfigWithoutItsProvider(t *testing.T) {
	t.Parallel()
	for device, want := range map[string]bool{"auto": true, "own": true, "provider": false} {
		t.Run(device, func(t *testing.T) {
			t.Parallel()
			s := apptest.Start(t, apptest.Options{Engine: dummy.New(1, time.Now), Settings: func(c *config.Settings) {
				c.AuthType, c.ClientID, c.Secret, c.IssuerURL, c.Device = config.AuthOIDC, "id", "secret", "http://127.0.0.1:1", device
			}})
			auth := s.Anonymous().JSON(t, http.StatusOK, "GET", "/api/config", nil)["auth"].(map[string]any)
			if own := strings.HasPrefix(fmt.Sprint(auth["device_authorization_endpoint"]), s.URL); own != want {
				t.Errorf("auth is %v", auth)
			}
			r := s.Anonymous().Do(t, "POST", "/auth/device/authorize", "", "Content-Type", formType)
			if open := r.Status == http.StatusOK; open != want || !open && !strings.Contains(string(r.Body), `"unauthorized_client"`) {
				t.Errorf("device authorization: %s", r)
			}
		})
	}
}
