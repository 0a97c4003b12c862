package oidctest

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/golang-jwt/jwt/v5"
	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"
)

// What the provider knows this server by.
const (
	ClientID     = "floww-test"
	ClientSecret = "provider-secret"
)

// Person is somebody with an account at the provider.
type Person struct {
	Subject, Email, GivenName, FamilyName string
}

// Provider is a running provider.
type Provider struct {
	// URL is the issuer.
	URL string

	mu sync.Mutex
	// state is what the storage of the provider reads.
	person   Person
	down     bool
	requests map[string]int
	keys     []*signingKey
	logins   map[string]*login
	refresh  map[string]*login
	access   map[string]Person
	returns  []string
	ended    int
	// confused is whom the userinfo endpoint takes everybody for; empty for
	// nobody.
	confused string
}

// signingKey is a key of the provider; it implements op.SigningKey.
type signingKey struct {
	id      string
	private *rsa.PrivateKey
}

func (k *signingKey) ID() string                                  { return k.id }
func (k *signingKey) SignatureAlgorithm() jose.SignatureAlgorithm { return jose.RS256 }
func (k *signingKey) Key() any                                    { return k.private }

// publicKey is what the provider publishes of a key; it implements op.Key.
type publicKey struct{ *signingKey }

func (k publicKey) Algorithm() jose.SignatureAlgorithm { return jose.RS256 }
func (k publicKey) Use() string                        { return "sig" }
func (k publicKey) Key() any                           { return &k.private.PublicKey }

// firstKey is the same for all providers of a test program, because making one
// takes long.
var firstKey = sync.OnceValues(func() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, 2048) })

// Start starts a provider and stops it with the test. Ada logs in first.
func Start(t testing.TB) *Provider {
	t.Helper()
	p := &Provider{
		person:   Person{Subject: "ada", Email: "ada@example.com", GivenName: "Ada", FamilyName: "Lovelace"},
		requests: map[string]int{}, logins: map[string]*login{}, refresh: map[string]*login{}, access: map[string]Person{},
	}
	first, err := firstKey()
	if err != nil {
		t.Fatal(err)
	}
	p.addKey(first)
	server := httptest.NewUnstartedServer(nil)
	p.URL = "http://" + server.Listener.Addr().String()
	provider, err := op.NewProvider(&op.Config{
		CodeMethodS256: true, AuthMethodPost: true, GrantTypeRefreshToken: true,
		DefaultLogoutRedirectURI: "/ended",
	}, &storage{p: p}, op.StaticIssuer(p.URL), op.WithAllowInsecure())
	if err != nil {
		t.Fatalf("make an OpenID provider: %v", err)
	}
	server.Config.Handler = p.handler(provider, op.AuthCallbackURL(provider))
	server.Start()
	t.Cleanup(server.Close)
	return p
}

// handler answers as the provider does, and logs in whoever comes.
func (p *Provider) handler(next http.Handler, callback func(context.Context, string) string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.mu.Lock()
		p.requests[r.URL.Path]++
		down := p.down
		p.mu.Unlock()
		switch {
		case down:
			http.Error(w, "out of order", http.StatusBadGateway)
		case r.URL.Path == "/login":
			id := r.FormValue("id")
			p.mu.Lock()
			if l := p.logins[id]; l != nil {
				l.person, l.done = p.person, true
			}
			p.mu.Unlock()
			http.Redirect(w, r, p.URL+strings.TrimPrefix(callback(r.Context(), id), p.URL), http.StatusFound)
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// Rotate has the provider sign with a new key from now on.
func (p *Provider) Rotate(t testing.TB) {
	t.Helper()
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	p.addKey(private)
}

func (p *Provider) addKey(private *rsa.PrivateKey) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.keys = append(p.keys, &signingKey{id: fmt.Sprintf("key-%d", len(p.keys)+1), private: private})
}

// LogIn has another person log in from now on.
func (p *Provider) LogIn(who Person) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.person = who
}

// Confuse has the userinfo endpoint take everybody for somebody.
func (p *Provider) Confuse(subject string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.confused = subject
}

// SetDown takes the provider down, or brings it back.
func (p *Provider) SetDown(down bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.down = down
}

// ReturnTo allows browsers to be sent back to an address, after a login or its
// end.
func (p *Provider) ReturnTo(address string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.returns = append(p.returns, address)
}

// Requests returns how often a path was asked for.
func (p *Provider) Requests(path string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.requests[path]
}

// EndAll ends all logins, as an administrator of the provider does.
func (p *Provider) EndAll() {
	p.mu.Lock()
	defer p.mu.Unlock()
	clear(p.refresh)
}

// Ended returns how many logins were ended by their people.
func (p *Provider) Ended() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.ended
}

// Claims are those of a good token of a person, with changes; nil takes a claim
// away.
func (p *Provider) Claims(subject string, changes map[string]any) jwt.MapClaims {
	now := time.Now().Unix()
	claims := jwt.MapClaims{"iss": p.URL, "aud": ClientID, "sub": subject, "iat": now, "exp": now + 300, "jti": rand.Text()}
	for name, value := range changes {
		if claims[name] = value; value == nil {
			delete(claims, name)
		}
	}
	return claims
}

// Token signs a token with the newest key.
func (p *Provider) Token(t testing.TB, claims jwt.MapClaims) string {
	t.Helper()
	p.mu.Lock()
	key := p.keys[len(p.keys)-1]
	p.mu.Unlock()
	token := jwt.NewWithClaims(jwt.SigningMethodRS256, claims)
	token.Header["kid"] = key.id
	text, err := token.SignedString(key.private)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

var errNotFound = errors.New("not found")

// client is this server at the provider; it implements op.Client.
type client struct{ returns []string }

func (c *client) GetID() string                       { return ClientID }
func (c *client) RedirectURIs() []string              { return c.returns }
func (c *client) PostLogoutRedirectURIs() []string    { return c.returns }
func (c *client) ApplicationType() op.ApplicationType { return op.ApplicationTypeWeb }
func (c *client) AuthMethod() oidc.AuthMethod         { return oidc.AuthMethodPost }
func (c *client) ResponseTypes() []oidc.ResponseType {
	return []oidc.ResponseType{oidc.ResponseTypeCode}
}
func (c *client) LoginURL(id string) string           { return "/login?id=" + id }
func (c *client) AccessTokenType() op.AccessTokenType { return op.AccessTokenTypeJWT }
func (c *client) IDTokenLifetime() time.Duration      { return time.Hour }
func (c *client) DevMode() bool                       { return true }

//lint:ignore ST1003 the interface names it so
func (c *client) RestrictAdditionalIdTokenScopes() func([]string) []string { return keep }

func (c *client) RestrictAdditionalAccessTokenScopes() func([]string) []string { return keep }
func (c *client) IsScopeAllowed(string) bool                                   { return true }
func (c *client) IDTokenUserinfoClaimsAssertion() bool                         { return false }
func (c *client) ClockSkew() time.Duration                                     { return 0 }
func (c *client) GrantTypes() []oidc.GrantType {
	return []oidc.GrantType{oidc.GrantTypeCode, oidc.GrantTypeRefreshToken}
}

func keep(scopes []string) []string { return scopes }
