package workos_test

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/MicahParks/jwkset"
	"github.com/golang-jwt/jwt/v5"

	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/identity"
	"github.com/usefloww/flowwd/internal/identity/issuer"
	"github.com/usefloww/flowwd/internal/identity/workos"
)

// fake answers what the emulator does not: with failures, and with keys whose
// private part the test has.
type fake struct {
	url     string
	key     *rsa.PrivateKey
	status  atomic.Int64 // of the user API
	users   atomic.Int64 // requests to it
	mu      sync.Mutex
	ahead   time.Duration
	refresh string // answer to a renewal, with its status before it
}

func (f *fake) now() time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return time.Now().Add(f.ahead)
}

func newFake(t *testing.T, change func(*workos.Config)) (*workos.Way, *fake) {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	f := &fake{key: key}
	jwk, err := jwkset.NewJWKFromKey(key.Public(), jwkset.JWKOptions{Metadata: jwkset.JWKMetadataOptions{KID: "k", ALG: jwkset.AlgRS256}})
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /sso/jwks/client_1", func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(map[string]any{"keys": []any{jwk.Marshal()}})
	})
	mux.HandleFunc("GET /user_management/users/{id}", func(w http.ResponseWriter, _ *http.Request) {
		f.users.Add(1)
		w.WriteHeader(int(f.status.Load()))
		_, _ = w.Write([]byte(`{"id":"user_1","email":"ada@example.com","first_name":"Ada","last_name":null}`))
	})
	mux.HandleFunc("POST /user_management/authenticate", func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(int(f.status.Load()))
		_, _ = w.Write([]byte(f.refresh))
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	f.url = server.URL
	f.status.Store(http.StatusOK)
	client := issuer.NewClient()
	t.Cleanup(client.CloseIdleConnections)
	c := workos.Config{URL: server.URL + "/", ClientID: "client_1", APIKey: "sk_1", Device: identity.DeviceAuto, HTTP: client, Now: f.now}
	if change != nil {
		change(&c)
	}
	return workos.New(c), f
}

func (f *fake) token(t *testing.T, iss string, aud any) string {
	t.Helper()
	claims := jwt.MapClaims{"iss": iss, "sub": "user_1", "sid": "session_1", "exp": time.Now().Unix() + 300, "iat": time.Now().Unix()}
	if aud != nil {
		claims["aud"] = aud
	}
	token := jwt.NewWithClaims(jwt.SigningMethodRS256, claims)
	token.Header["kid"] = "k"
	text, err := token.SignedString(f.key)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// The shapes of doc.go are accepted, and nothing near them.
func TestShapes(t *testing.T) {
	t.Parallel()
	way, f := newFake(t, nil)
	custom, _ := newFake(t, func(c *workos.Config) {
		c.URL, c.Issuer, c.HTTP = f.url, "https://auth.example.com", issuer.NewClient()
	})
	own := f.url + "/user_management/client_1"
	for _, c := range []struct {
		way  *workos.Way
		iss  string
		aud  any
		want fault.Kind
	}{
		{way, own, nil, fault.Internal},
		{way, own, "client_1", fault.Internal},
		{way, own, "client_2", fault.Unauthenticated},
		{way, f.url, "client_1", fault.Internal},
		{way, f.url, []string{"x", "client_1"}, fault.Internal},
		{way, f.url, nil, fault.Unauthenticated},
		{way, f.url, "client_2", fault.Unauthenticated},
		{way, f.url + "/", "client_1", fault.Unauthenticated},
		{way, f.url + "/user_management/client_2", nil, fault.Unauthenticated},
		{way, "https://api.workos.com/user_management/client_1", nil, fault.Unauthenticated},
		{custom, "https://auth.example.com", nil, fault.Internal},
		{custom, own, nil, fault.Unauthenticated},
	} {
		who, err := c.way.Verify(t.Context(), f.token(t, c.iss, c.aud))
		if c.want == fault.Internal && (err != nil || who.Subject != "user_1" || who.Provider != "workos") || c.want != fault.Internal && !fault.Is(err, c.want) {
			t.Errorf("iss %s, aud %v: %+v, %v", c.iss, c.aud, who, err)
		}
	}
}

func TestClient(t *testing.T) {
	t.Parallel()
	for device, at := range map[identity.DeviceLogin]bool{identity.DeviceAuto: true, identity.DeviceProvider: true, identity.DeviceOwn: false} {
		way, f := newFake(t, func(c *workos.Config) { c.Device = device })
		got := way.Client(t.Context())
		want := identity.ClientConfig{
			ClientID: "client_1", Issuer: f.url + "/user_management/client_1",
			KeysURL: f.url + "/sso/jwks/client_1", AuthorizationURL: f.url + "/user_management/authorize",
		}
		if at {
			want.DeviceURL, want.TokenURL = f.url+"/user_management/authorize/device", f.url+"/user_management/authenticate"
		}
		if got != want {
			t.Errorf("%s: got %+v, want %+v", device, got, want)
		}
	}
}

// A user API that fails is left alone for a while, for the person or for all.
func TestProfileThatIsNotThere(t *testing.T) {
	t.Parallel()
	for status, everybody := range map[int64]bool{http.StatusNotFound: false, http.StatusUnauthorized: false, http.StatusBadGateway: true, http.StatusTooManyRequests: true} {
		way, f := newFake(t, nil)
		f.status.Store(status)
		for range 3 {
			if p, err := way.Profile(t.Context(), "user_1"); err == nil {
				t.Errorf("status %d: got %+v", status, p)
			}
		}
		if n := f.users.Load(); n != 1 {
			t.Errorf("status %d: asked %d times, want once", status, n)
		}
		f.status.Store(http.StatusOK)
		if _, err := way.Profile(t.Context(), "user_2"); (err != nil) != everybody {
			t.Errorf("status %d: another person: %v", status, err)
		}
		f.mu.Lock()
		f.ahead = 6 * time.Minute
		f.mu.Unlock()
		if p, err := way.Profile(t.Context(), "user_1"); err != nil || p.Email != "ada@example.com" {
			t.Errorf("status %d: later: %+v, %v", status, p, err)
		}
	}
}

// Only WorkOS's word ends a login; whatever else goes wrong does not.
func TestRefreshThatFails(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		status int64
		answer string
		want   fault.Kind
	}{
		{400, `{"error":"invalid_grant","error_description":"Session has already ended."}`, fault.Unauthenticated},
		{400, `{"code":"invalid_grant","message":"Invalid refresh token"}`, fault.Unauthenticated},
		{401, `{"message":"Unauthorized"}`, fault.Unavailable},
		{429, `{"code":"rate_limit_exceeded"}`, fault.Unavailable},
		{500, `{"error":"invalid_grant"}`, fault.Unavailable},
		{502, `<html>`, fault.Unavailable},
		{200, `{"access_token":`, fault.Unavailable},
		{200, `{"user":{"id":"user_1"},"access_token":"x.y.z"}`, fault.Invalid},
	} {
		way, f := newFake(t, nil)
		f.status.Store(c.status)
		f.refresh = c.answer
		if _, err := way.Refresh(t.Context(), []byte(`{"refreshToken":"r","sessionId":"s"}`)); !fault.Is(err, c.want) {
			t.Errorf("%d %s: %v, want %v", c.status, c.answer, err, c.want)
		}
	}
	way, f := newFake(t, nil)
	text, err := json.Marshal(map[string]any{"user": map[string]string{"id": "user_2"}, "access_token": f.token(t, f.url, "client_1"), "refresh_token": "r"})
	if err != nil {
		t.Fatal(err)
	}
	f.refresh = string(text)
	if _, err := way.Refresh(t.Context(), []byte(`{"refreshToken":"r"}`)); !fault.Is(err, fault.Invalid) {
		t.Errorf("a token of somebody else: %v", err)
	}
}
