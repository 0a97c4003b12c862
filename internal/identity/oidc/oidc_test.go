package oidc_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/identity"
	"github.com/usefloww/flowwd/internal/identity/issuer"
	"github.com/usefloww/flowwd/internal/identity/oidc"
	"github.com/usefloww/flowwd/internal/oidctest"
)

const callback = "http://floww.test/auth/callback"

// clock is one that a test can move.
type clock struct {
	mu    sync.Mutex
	ahead time.Duration
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Now().Add(c.ahead)
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ahead += d
}

func newWay(t *testing.T, change func(*oidc.Config)) (*oidc.Way, *oidctest.Provider, *clock) {
	t.Helper()
	p := oidctest.Start(t)
	p.ReturnTo(callback)
	p.ReturnTo("http://floww.test/")
	at := &clock{}
	client := issuer.NewClient()
	t.Cleanup(client.CloseIdleConnections)
	c := oidc.Config{
		IssuerURL: p.URL, ClientID: oidctest.ClientID, ClientSecret: oidctest.ClientSecret, Audience: "floww-cli",
		Device: identity.DeviceAuto, HTTP: client, Now: at.now,
	}
	if change != nil {
		change(&c)
	}
	return oidc.New(c), p, at
}

func request() identity.LoginRequest {
	return identity.LoginRequest{CallbackURL: callback, State: "the-state", Nonce: "the-nonce", Verifier: strings.Repeat("v", 43)}
}

// browse follows a login from the provider back, and returns what the browser
// comes back with.
func browse(t *testing.T, way *oidc.Way, r identity.LoginRequest) url.Values {
	t.Helper()
	to, err := way.Begin(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	var back *url.URL
	browser := &http.Client{CheckRedirect: func(next *http.Request, _ []*http.Request) error {
		if next.URL.Host == "floww.test" {
			back = next.URL
			return http.ErrUseLastResponse
		}
		return nil
	}}
	response, err := browser.Get(to)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if back == nil {
		t.Fatalf("the provider does not send the browser back: %s", response.Status)
	}
	return back.Query()
}

func expect(t *testing.T, what string, err error, want fault.Kind) {
	t.Helper()
	if want == fault.Internal && err != nil || want != fault.Internal && !fault.Is(err, want) {
		t.Errorf("%s: %v, want %v", what, err, want)
	}
}

func TestBrowserLogsIn(t *testing.T) {
	t.Parallel()
	way, p, at := newWay(t, nil)
	login, err := way.Finish(t.Context(), request(), browse(t, way, request()))
	if err != nil {
		t.Fatal(err)
	}
	want := identity.Profile{Email: "ada@example.com", FirstName: "Ada", LastName: "Lovelace"}
	if login.Identity.Subject != "ada" || login.Identity.Provider != "oidc" {
		t.Errorf("the identity is %+v", login.Identity)
	}
	if diff := cmp.Diff(want, login.Identity.Profile); diff != "" {
		t.Errorf("the profile comes from userinfo (-want +got):\n%s", diff)
	}
	if left := login.Until.Sub(at.now()); left <= 0 || left > 5*time.Minute {
		t.Errorf("the login must be renewed in %v", left)
	}

	// Renewed three times; each refresh token works once.
	first := login.Tokens
	for range 3 {
		login, err = way.Refresh(t.Context(), login.Tokens)
		if err != nil || login.Identity.Subject != "ada" || login.Until.IsZero() {
			t.Fatalf("renew: %+v, %v", login, err)
		}
	}
	_, err = way.Refresh(t.Context(), first)
	expect(t, "a refresh token that was used", err, fault.Unauthenticated)

	p.SetDown(true)
	_, err = way.Refresh(t.Context(), login.Tokens)
	expect(t, "renew while the provider is down", err, fault.Unavailable)
	p.SetDown(false)

	// Ended in the browser.
	end, err := way.End(t.Context(), login.Tokens, "http://floww.test/")
	if err != nil || !strings.HasPrefix(end, p.URL+"/end_session?") {
		t.Fatalf("end: %q, %v", end, err)
	}
	browser := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	response, err := browser.Get(end)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if to := response.Header.Get("Location"); to != "http://floww.test/" {
		t.Errorf("the provider sends the browser to %q: %s", to, response.Status)
	}
	_, err = way.Refresh(t.Context(), login.Tokens)
	expect(t, "renew what was ended", err, fault.Unauthenticated)
}

func TestEndWithoutBrowser(t *testing.T) {
	t.Parallel()
	way, _, _ := newWay(t, nil)
	login, err := way.Finish(t.Context(), request(), browse(t, way, request()))
	if err != nil {
		t.Fatal(err)
	}
	if to, err := way.End(t.Context(), login.Tokens, ""); to != "" || err != nil {
		t.Errorf("end: %q, %v", to, err)
	}
	_, err = way.Refresh(t.Context(), login.Tokens)
	expect(t, "renew what was ended", err, fault.Unauthenticated)
}

func TestRefreshOfWhatTheProviderEnded(t *testing.T) {
	t.Parallel()
	way, p, _ := newWay(t, nil)
	login, err := way.Finish(t.Context(), request(), browse(t, way, request()))
	if err != nil {
		t.Fatal(err)
	}
	p.EndAll()
	_, err = way.Refresh(t.Context(), login.Tokens)
	expect(t, "renew", err, fault.Unauthenticated)
	_, err = way.Refresh(t.Context(), []byte(`{"subject":"ada"}`))
	expect(t, "renew without a refresh token", err, fault.Unauthenticated)
}

func TestRefreshWithAWrongSecret(t *testing.T) {
	t.Parallel()
	way, _, _ := newWay(t, func(c *oidc.Config) { c.ClientSecret = "wrong" })
	_, err := way.Refresh(t.Context(), []byte(`{"refreshToken":"r","subject":"ada"}`))
	expect(t, "renew", err, fault.Unavailable)
}

// An answer of the userinfo endpoint about somebody else is not taken.
func TestUserinfoOfSomebodyElse(t *testing.T) {
	t.Parallel()
	way, p, _ := newWay(t, nil)
	p.Confuse("eve")
	login, err := way.Finish(t.Context(), request(), browse(t, way, request()))
	if err != nil || login.Identity.Subject != "ada" || login.Identity.Profile.Email != "" {
		t.Errorf("got %+v, %v", login.Identity, err)
	}
}

// What comes back to the callback must answer the request that the browser made.
func TestAnswersThatAreNone(t *testing.T) {
	t.Parallel()
	way, _, _ := newWay(t, nil)
	for name, c := range map[string]struct {
		request func(*identity.LoginRequest)
		answer  func(url.Values)
		text    string
	}{
		"another state":      {answer: func(v url.Values) { v.Set("state", "other") }, text: "Invalid or expired state parameter"},
		"no state asked for": {request: func(r *identity.LoginRequest) { r.State = "" }, text: "Invalid or expired state parameter"},
		"no state":           {answer: func(v url.Values) { v.Del("state") }, text: "Missing authorization code or state"},
		"no code":            {answer: func(v url.Values) { v.Del("code") }, text: "Missing authorization code or state"},
		"another code":       {answer: func(v url.Values) { v.Set("code", "x") }, text: "Failed to exchange code for token: invalid_grant"},
		"another verifier":   {request: func(r *identity.LoginRequest) { r.Verifier = strings.Repeat("w", 43) }, text: "Failed to exchange code for token: invalid_grant"},
		"another nonce":      {request: func(r *identity.LoginRequest) { r.Nonce = "other" }, text: "does not belong to this login"},
		"no nonce":           {request: func(r *identity.LoginRequest) { r.Nonce = "" }, text: "does not belong to this login"},
		"another provider":   {answer: func(v url.Values) { v.Set("iss", "https://evil.example") }, text: "of another identity provider"},
		"refused":            {answer: func(v url.Values) { v.Del("code"); v.Set("error", "access_denied") }, text: "OAuth error: access_denied"},
		"refused with HTML":  {answer: func(v url.Values) { v.Set("error", "<script>alert(1)</script>") }, text: "OAuth error: scriptalert1script"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := request()
			answer := browse(t, way, r)
			if c.request != nil {
				c.request(&r)
			}
			if c.answer != nil {
				c.answer(answer)
			}
			_, err := way.Finish(t.Context(), r, answer)
			if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), c.text) {
				t.Errorf("got %v, want %q", err, c.text)
			}
		})
	}
	t.Run("a code works once", func(t *testing.T) {
		t.Parallel()
		answer := browse(t, way, request())
		_, err := way.Finish(t.Context(), request(), answer)
		expect(t, "the first time", err, fault.Internal)
		_, err = way.Finish(t.Context(), request(), answer)
		expect(t, "the second time", err, fault.Invalid)
	})
}

func TestBearer(t *testing.T) {
	t.Parallel()
	way, p, at := newWay(t, nil)
	sign := func(changes map[string]any) string { return p.Token(t, p.Claims("grace", changes)) }
	for name, c := range map[string]struct {
		changes map[string]any
		want    fault.Kind
	}{
		"good":                   {nil, fault.Internal},
		"for the command line":   {map[string]any{"aud": []string{"x", "floww-cli"}}, fault.Internal},
		"for somebody else":      {map[string]any{"aud": "account"}, fault.Unauthenticated},
		"of another issuer":      {map[string]any{"iss": "https://evil.example"}, fault.Unauthenticated},
		"without a subject":      {map[string]any{"sub": nil}, fault.Unauthenticated},
		"expired within leeway":  {map[string]any{"exp": time.Now().Unix() - 50}, fault.Internal},
		"expired before leeway":  {map[string]any{"exp": time.Now().Unix() - 70}, fault.Unauthenticated},
		"a little in the future": {map[string]any{"nbf": time.Now().Unix() + 50}, fault.Internal},
		"far in the future":      {map[string]any{"nbf": time.Now().Unix() + 70}, fault.Unauthenticated},
	} {
		_, err := way.Verify(t.Context(), sign(c.changes))
		expect(t, name, err, c.want)
	}
	who, err := way.Verify(t.Context(), sign(map[string]any{"email": "g@example.com"}))
	if err != nil || who.Provider != "oidc" || who.Subject != "grace" || who.Profile.Email != "g@example.com" || who.At.IsZero() {
		t.Errorf("got %+v, %v", who, err)
	}
	_, err = way.Verify(t.Context(), "ya29.a0AfH6SM-opaque")
	expect(t, "opaque", err, fault.Unauthenticated)

	before := p.Requests("/keys")
	p.Rotate(t)
	_, err = way.Verify(t.Context(), sign(nil))
	expect(t, "signed with a new key", err, fault.Internal)
	if n := p.Requests("/keys") - before; n != 1 {
		t.Errorf("a new key had the keys read %d times", n)
	}

	p.SetDown(true)
	at.pass(3 * time.Hour)
	token := p.Token(t, p.Claims("grace", map[string]any{"exp": at.now().Unix() + 100}))
	_, err = way.Verify(t.Context(), token)
	expect(t, "while the provider is down, with keys that are known", err, fault.Internal)
	if c := way.Client(t.Context()); c.KeysURL != p.URL+"/keys" {
		t.Errorf("while the provider is down, clients are told %+v", c)
	}
}

func TestProviderDownFromTheStart(t *testing.T) {
	t.Parallel()
	way, p, at := newWay(t, nil)
	p.SetDown(true)
	token := p.Token(t, p.Claims("grace", nil))
	for range 10 {
		_, err := way.Verify(t.Context(), token)
		expect(t, "down", err, fault.Unavailable)
	}
	if n := p.Requests("/.well-known/openid-configuration"); n != 1 {
		t.Errorf("a provider that is down was asked %d times for 10 requests at once", n)
	}
	if _, err := way.Begin(t.Context(), request()); !fault.Is(err, fault.Unavailable) {
		t.Errorf("begin: %v", err)
	}
	if c := way.Client(t.Context()); c.ClientID != oidctest.ClientID || c.DeviceURL != "" {
		t.Errorf("clients are told %+v", c)
	}
	p.SetDown(false)
	at.pass(5 * time.Second)
	_, err := way.Verify(t.Context(), token)
	expect(t, "back", err, fault.Internal)
}

// A discovery document decides where secrets are sent and whose keys are
// believed, so it must be the provider's own.
func TestDiscoveryThatIsRefused(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(map[string]any){
		"another issuer":   func(m map[string]any) { m["issuer"] = "https://evil.example" },
		"no issuer":        func(m map[string]any) { delete(m, "issuer") },
		"no keys":          func(m map[string]any) { delete(m, "jwks_uri") },
		"keys in a file":   func(m map[string]any) { m["jwks_uri"] = "file:///etc/passwd" },
		"a token endpoint": func(m map[string]any) { m["token_endpoint"] = "/relative" },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewUnstartedServer(nil)
			address := "http://" + server.Listener.Addr().String()
			server.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				m := map[string]any{
					"issuer": address, "authorization_endpoint": address + "/a", "token_endpoint": address + "/t", "jwks_uri": address + "/k",
				}
				change(m)
				_ = json.NewEncoder(w).Encode(m)
			})
			server.Start()
			t.Cleanup(server.Close)
			way, _, _ := newWay(t, func(c *oidc.Config) { c.IssuerURL = address })
			_, err := way.Begin(t.Context(), request())
			expect(t, "begin", err, fault.Unavailable)
		})
	}
}

func TestWhereCommandLinesLogIn(t *testing.T) {
	t.Parallel()
	const device = "urn:ietf:params:oauth:grant-type:device_code"
	for name, c := range map[string]struct {
		device  identity.DeviceLogin
		auth    []string
		grants  []string
		address string
		want    bool
	}{
		"a provider for command lines":     {identity.DeviceAuto, []string{"none"}, []string{device}, "/d", true},
		"without a list of grants":         {identity.DeviceAuto, []string{"none"}, nil, "/d", true},
		"one that wants a secret (Google)": {identity.DeviceAuto, []string{"client_secret_post"}, []string{device}, "/d", false},
		"one without the grant":            {identity.DeviceAuto, []string{"none"}, []string{"authorization_code"}, "/d", false},
		"one without devices":              {identity.DeviceAuto, []string{"none"}, nil, "", false},
		"here all the same":                {identity.DeviceOwn, []string{"none"}, []string{device}, "/d", false},
		"there all the same":               {identity.DeviceProvider, []string{"client_secret_post"}, nil, "/d", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewUnstartedServer(nil)
			address := "http://" + server.Listener.Addr().String()
			server.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				m := map[string]any{
					"issuer": address + "/", "authorization_endpoint": address + "/a", "token_endpoint": address + "/t", "jwks_uri": address + "/k",
					"token_endpoint_auth_methods_supported": c.auth, "grant_types_supported": c.grants,
				}
				if c.address != "" {
					m["device_authorization_endpoint"] = address + c.address
				}
				_ = json.NewEncoder(w).Encode(m)
			})
			server.Start()
			t.Cleanup(server.Close)
			way, _, _ := newWay(t, func(o *oidc.Config) { o.IssuerURL, o.Device = address, c.device })
			want := identity.ClientConfig{
				ClientID: oidctest.ClientID, Audience: "floww-cli",
				Issuer: address + "/", KeysURL: address + "/k", AuthorizationURL: address + "/a",
			}
			if c.want {
				want.DeviceURL, want.TokenURL = address+"/d", address+"/t"
			}
			if diff := cmp.Diff(want, way.Client(t.Context())); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
