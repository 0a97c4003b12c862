package issuer_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/MicahParks/jwkset"
	"github.com/golang-jwt/jwt/v5"

	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/identity/issuer"
)

const (
	issuerName = "https://issuer.example"
	client     = "client_1"
)

// world is an issuer with its clock, and a server that believes in it.
type world struct {
	*issuer.Verifier
	t       testing.TB
	mu      sync.Mutex
	now     time.Time
	keys    map[string]crypto.Signer
	extra   []string // keys published beside them, as JSON
	down    bool
	fetches atomic.Int64
}

func newWorld(t testing.TB) *world {
	w := &world{t: t, now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), keys: map[string]crypto.Signer{}}
	w.keys["rsa"] = rsaKey()
	w.keys["ec"] = must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	w.keys["ed"] = edKey()
	server := httptest.NewServer(http.HandlerFunc(w.serve))
	t.Cleanup(server.Close)
	c := issuer.NewClient()
	t.Cleanup(c.CloseIdleConnections)
	w.Verifier = issuer.New(issuer.Config{
		Shapes:     []issuer.Shape{{Issuer: issuerName, Audiences: []string{client, "api"}}},
		Algorithms: issuer.Algorithms(),
		KeysURL:    func(context.Context) (string, error) { return server.URL, nil },
		HTTP:       c, Now: w.clock,
	})
	return w
}

// rsaKey is the same for all tests, because making one takes long.
var rsaKey = sync.OnceValue(func() *rsa.PrivateKey { return must(rsa.GenerateKey(rand.Reader, 2048)) })

func edKey() crypto.Signer {
	_, k, err := ed25519.GenerateKey(rand.Reader)
	return must(k, err)
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func (w *world) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *world) set(f func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	f()
}

func (w *world) pass(d time.Duration) { w.set(func() { w.now = w.now.Add(d) }) }

func (w *world) serve(rw http.ResponseWriter, _ *http.Request) {
	w.fetches.Add(1)
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.down {
		rw.WriteHeader(http.StatusBadGateway)
		return
	}
	set := []json.RawMessage{}
	for id, k := range w.keys {
		jwk, err := jwkset.NewJWKFromKey(k.Public(), jwkset.JWKOptions{Metadata: jwkset.JWKMetadataOptions{KID: id, USE: jwkset.UseSig}})
		if err != nil {
			w.t.Error(err)
		}
		set = append(set, must(json.Marshal(jwk.Marshal())))
	}
	for _, text := range w.extra {
		set = append(set, json.RawMessage(text))
	}
	_ = json.NewEncoder(rw).Encode(map[string]any{"keys": set})
}

// claims are those of a good token; a change with nil takes one away.
func (w *world) claims(changes ...any) jwt.MapClaims {
	now := w.clock().Unix()
	c := jwt.MapClaims{"iss": issuerName, "aud": client, "sub": "ada", "iat": now, "exp": now + 300, "sid": "s1", "email": "ada@example.com"}
	for i := 0; i < len(changes); i += 2 {
		if c[changes[i].(string)] = changes[i+1]; changes[i+1] == nil {
			delete(c, changes[i].(string))
		}
	}
	return c
}

func (w *world) sign(method jwt.SigningMethod, id string, claims jwt.MapClaims, header ...any) string {
	t := jwt.NewWithClaims(method, claims)
	t.Header["kid"] = id
	for i := 0; i < len(header); i += 2 {
		if t.Header[header[i].(string)] = header[i+1]; header[i+1] == nil {
			delete(t.Header, header[i].(string))
		}
	}
	return must(t.SignedString(w.keys[id]))
}

// good returns a valid token, another one each time.
func (w *world) good(changes ...any) string {
	return w.sign(jwt.SigningMethodRS256, "rsa", w.claims(append([]any{"jti", rand.Text()}, changes...)...))
}

// expect checks the kind of what a token gets; Internal stands for a valid one.
func (w *world) expect(t *testing.T, token string, want fault.Kind) {
	t.Helper()
	_, err := w.Verify(t.Context(), token)
	if want == fault.Internal && err != nil || want != fault.Internal && !fault.Is(err, want) {
		t.Errorf("%.40s… gets %v, want %v", token, err, want)
	}
	if want == fault.Unauthenticated && err != nil {
		var f *fault.Error
		if errors.As(err, &f); f.Message != "Invalid JWT token" {
			t.Errorf("the text is %q", f.Message)
		}
	}
}

func TestTokens(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	now := w.clock().Unix()
	other := must(rsa.GenerateKey(rand.Reader, 2048))
	public := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: must(x509.MarshalPKIXPublicKey(w.keys["rsa"].Public()))})
	hs := func(key any) string {
		token := jwt.NewWithClaims(jwt.SigningMethodHS256, w.claims())
		token.Header["kid"] = "rsa"
		return must(token.SignedString(key))
	}
	rs := func(changes ...any) string { return w.sign(jwt.SigningMethodRS256, "rsa", w.claims(changes...)) }
	header := func(changes ...any) string {
		return w.sign(jwt.SigningMethodRS256, "rsa", w.claims(), changes...)
	}
	parts := strings.Split(rs(), ".")
	forged := must(jwt.NewWithClaims(jwt.SigningMethodRS256, w.claims()).SignedString(other))
	for name, c := range map[string]struct {
		token string
		want  fault.Kind
	}{
		"RS256":            {rs(), fault.Internal},
		"PS512":            {w.sign(jwt.SigningMethodPS512, "rsa", w.claims()), fault.Internal},
		"ES256":            {w.sign(jwt.SigningMethodES256, "ec", w.claims()), fault.Internal},
		"EdDSA":            {w.sign(jwt.SigningMethodEdDSA, "ed", w.claims()), fault.Internal},
		"no kid":           {header("kid", nil), fault.Internal},
		"access token":     {header("typ", "application/at+jwt"), fault.Internal},
		"no typ":           {header("typ", nil), fault.Internal},
		"second audience":  {rs("aud", []string{"elsewhere", "api"}), fault.Internal},
		"iat within skew":  {rs("iat", now+59), fault.Internal},
		"iat beyond skew":  {rs("iat", now+61), fault.Unauthenticated},
		"nbf within skew":  {rs("nbf", now+59), fault.Internal},
		"not yet valid":    {rs("nbf", now+61), fault.Unauthenticated},
		"exp within skew":  {rs("exp", now-59), fault.Internal},
		"expired":          {rs("exp", now-61), fault.Unauthenticated},
		"no exp":           {rs("exp", nil), fault.Unauthenticated},
		"exp is a text":    {rs("exp", "tomorrow"), fault.Unauthenticated},
		"exp far away":     {rs("exp", 1e300), fault.Unauthenticated},
		"no audience":      {rs("aud", nil), fault.Unauthenticated},
		"wrong audience":   {rs("aud", "elsewhere"), fault.Unauthenticated},
		"audience object":  {rs("aud", map[string]any{client: client}), fault.Unauthenticated},
		"wrong issuer":     {rs("iss", issuerName+"/"), fault.Unauthenticated},
		"no issuer":        {rs("iss", nil), fault.Unauthenticated},
		"no sub":           {rs("sub", nil), fault.Unauthenticated},
		"empty sub":        {rs("sub", ""), fault.Unauthenticated},
		"number as sub":    {rs("sub", 7), fault.Unauthenticated},
		"NUL in sub":       {rs("sub", "ada\x00"), fault.Unauthenticated},
		"longest sub":      {rs("sub", strings.Repeat("x", 255)), fault.Internal},
		"too long sub":     {rs("sub", strings.Repeat("x", 256)), fault.Unauthenticated},
		"logout token":     {rs("events", map[string]any{}), fault.Unauthenticated},
		"logout typ":       {header("typ", "logout+jwt"), fault.Unauthenticated},
		"typ of no text":   {header("typ", 1), fault.Unauthenticated},
		"critical header":  {header("crit", []string{"b64"}, "b64", false), fault.Unauthenticated},
		"kid of no text":   {header("kid", 1), fault.Unauthenticated},
		"alg none":         {must(jwt.NewWithClaims(jwt.SigningMethodNone, w.claims()).SignedString(jwt.UnsafeAllowNoneSignatureType)), fault.Unauthenticated},
		"alg NONE":         {must(jwt.New(jwt.SigningMethodNone).EncodeSegment([]byte(`{"alg":"NONE"}`)), nil) + "." + parts[1] + ".", fault.Unauthenticated},
		"HS256 public PEM": {hs(public), fault.Unauthenticated},
		"HS256 modulus":    {hs(w.keys["rsa"].Public().(*rsa.PublicKey).N.Bytes()), fault.Unauthenticated},
		"another's key":    {forged, fault.Unauthenticated},
		"key of another":   {w.sign(jwt.SigningMethodES256, "ec", w.claims(), "kid", "rsa"), fault.Unauthenticated},
		"no signature":     {parts[0] + "." + parts[1] + ".", fault.Unauthenticated},
		"claims changed":   {parts[0] + "." + strings.Split(rs("sub", "eve"), ".")[1] + "." + parts[2], fault.Unauthenticated},
		"padded":           {rs() + "=", fault.Unauthenticated},
		"other spelling":   {otherSpelling(rs()), fault.Unauthenticated},
		"opaque":           {"gho_16C7e42F292c6912E7710c838347Ae178B4a", fault.Unauthenticated},
		"dots":             {"..", fault.Unauthenticated},
		"encrypted":        {"a.b.c.d.e", fault.Unauthenticated},
		"huge":             {rs("x", strings.Repeat("x", 20_000)), fault.Unauthenticated},
		"empty":            {"", fault.Unauthenticated},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w.expect(t, c.token, c.want)
		})
	}
}

// otherSpelling changes bits in the last character that stand for nothing.
func otherSpelling(token string) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	last := len(token) - 1
	return token[:last] + string(alphabet[strings.IndexByte(alphabet, token[last])^1])
}

func TestClaims(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	got, err := w.Verify(t.Context(), w.good(
		"SUB", "eve", "Email", "eve@example.com", "azp", client, "nonce", "n", "given_name", "Ada", "family_name", 7, "name", "Ada L"))
	if err != nil {
		t.Fatal(err)
	}
	if got.Subject != "ada" || got.Profile.Email != "ada@example.com" {
		t.Errorf("claims whose names differ in case took the place of others: %+v", got)
	}
	if got.SessionID != "s1" || got.Nonce != "n" || got.AuthorizedParty != client || got.IssuedAt.Unix() != w.clock().Unix() || got.Expires.Unix() != w.clock().Unix()+300 {
		t.Errorf("got %+v", got)
	}
	if got.Profile.FirstName != "Ada" || got.Profile.LastName != "" {
		t.Errorf("the profile is %+v", got.Profile)
	}
	nameless, err := w.Verify(t.Context(), w.good("name", "Ada Lovelace"))
	if err != nil || nameless.Profile.FirstName != "Ada Lovelace" {
		t.Errorf("got %+v, %v", nameless.Profile, err)
	}
}

// A token that was checked once is good for as long as it says, and no longer.
func TestWhatIsRememberedEnds(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	long, short := w.good("exp", w.clock().Add(time.Hour).Unix()), w.good("exp", w.clock().Add(time.Minute).Unix())
	w.expect(t, long, fault.Internal)
	w.expect(t, short, fault.Internal)
	w.pass(119 * time.Second)
	w.expect(t, short, fault.Internal)
	w.pass(2 * time.Second)
	w.expect(t, short, fault.Unauthenticated)
	w.expect(t, long, fault.Internal)

	// A key that the issuer withdraws is believed in until the keys are read
	// again, and what it signed for some minutes more.
	w.set(func() { delete(w.keys, "rsa") })
	w.pass(2 * time.Hour)
	fresh := w.sign(jwt.SigningMethodEdDSA, "ed", w.claims())
	w.expect(t, fresh, fault.Internal)
	awaitFetches(t, w, 2)
	w.expect(t, long, fault.Unauthenticated)
}

// awaitFetches waits until the keys were read n times.
func awaitFetches(t *testing.T, w *world, n int64) {
	t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for w.fetches.Load() < n {
		if time.Now().After(deadline) {
			t.Fatalf("the keys were read %d times, want %d", w.fetches.Load(), n)
		}
		time.Sleep(time.Millisecond)
	}
}

func TestKeysRotate(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.expect(t, w.good(), fault.Internal)
	w.set(func() { w.keys["next"] = edKey() })
	w.expect(t, w.sign(jwt.SigningMethodEdDSA, "next", w.claims()), fault.Internal)
	w.expect(t, w.good(), fault.Internal)
	if n := w.fetches.Load(); n != 2 {
		t.Errorf("the keys were read %d times, want 2", n)
	}
}

// Tokens with made-up key ids are free to make; they must not become requests to
// the issuer.
func TestUnknownKeysDoNotFloodTheIssuer(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.expect(t, w.good(), fault.Internal)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for j := range 50 {
				w.expect(t, w.sign(jwt.SigningMethodRS256, "rsa", w.claims(), "kid", fmt.Sprint(i, "-", j)), fault.Unauthenticated)
			}
		})
	}
	wg.Wait()
	if n := w.fetches.Load(); n > 4 {
		t.Errorf("400 tokens with made-up key ids had the keys read %d times", n)
	}
	before := w.fetches.Load()
	w.expect(t, w.sign(jwt.SigningMethodRS256, "rsa", w.claims("iss", "https://evil.example"), "kid", "x"), fault.Unauthenticated)
	w.pass(time.Minute)
	w.expect(t, w.sign(jwt.SigningMethodRS256, "rsa", w.claims("aud", "elsewhere"), "kid", "x"), fault.Unauthenticated)
	if n := w.fetches.Load(); n != before {
		t.Error("a token of another issuer had the keys read")
	}
	// The flood keeps nobody out for long.
	w.set(func() { w.keys["next"] = edKey() })
	w.expect(t, w.sign(jwt.SigningMethodEdDSA, "next", w.claims()), fault.Internal)
}

func TestIssuerDown(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.set(func() { w.down = true })
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() { w.expect(t, w.good(), fault.Unavailable) })
	}
	wg.Wait()
	if n := w.fetches.Load(); n != 1 {
		t.Errorf("20 requests asked an issuer that is down %d times, want 1", n)
	}
	w.expect(t, w.good("iss", "https://evil.example"), fault.Unauthenticated)
	w.set(func() { w.down = false })
	w.pass(3 * time.Second)
	w.expect(t, w.good(), fault.Internal)

	// Old keys are served on, but not for ever.
	w.set(func() { w.down = true })
	w.pass(24 * time.Hour)
	w.expect(t, w.good(), fault.Internal)
	w.expect(t, w.sign(jwt.SigningMethodRS256, "rsa", w.claims(), "kid", "new"), fault.Unavailable)
	w.pass(2 * time.Hour)
	w.expect(t, w.good(), fault.Unavailable)
	w.set(func() { w.down = false })
	w.pass(3 * time.Second)
	w.expect(t, w.good(), fault.Internal)
}

// A client that goes away takes nothing from those that wait for the same keys.
func TestAClientThatGoesAway(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := w.Verify(ctx, w.good()); err != nil && !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	w.expect(t, w.good(), fault.Internal)
}

func TestKeysThatAreNotTaken(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.extra = []string{
		`{"kty":"oct","kid":"secret","k":"c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3JldA","alg":"HS256"}`,
		`{"kty":"unheard of","kid":"x"}`, `7`,
	}
	small := must(rsa.GenerateKey(rand.Reader, 1024))
	sealing := must(rsa.GenerateKey(rand.Reader, 2048))
	for id, k := range map[string]*rsa.PrivateKey{"small": small, "sealing": sealing} {
		use := jwkset.UseSig
		if id == "sealing" {
			use = jwkset.UseEnc
		}
		jwk := must(jwkset.NewJWKFromKey(k.Public(), jwkset.JWKOptions{Metadata: jwkset.JWKMetadataOptions{KID: id, USE: use}}))
		w.extra = append(w.extra, string(must(json.Marshal(jwk.Marshal()))))
	}
	fixed := must(jwkset.NewJWKFromKey(w.keys["rsa"].Public(), jwkset.JWKOptions{Metadata: jwkset.JWKMetadataOptions{KID: "fixed", ALG: jwkset.AlgRS512}}))
	w.extra = append(w.extra, string(must(json.Marshal(fixed.Marshal()))))

	w.expect(t, w.good(), fault.Internal)
	for id, k := range map[string]crypto.Signer{"small": small, "sealing": sealing, "fixed": w.keys["rsa"]} {
		token := jwt.NewWithClaims(jwt.SigningMethodRS256, w.claims())
		token.Header["kid"] = id
		w.expect(t, must(token.SignedString(k)), fault.Unauthenticated)
	}
	token := jwt.NewWithClaims(jwt.SigningMethodRS512, w.claims())
	token.Header["kid"] = "fixed"
	w.expect(t, must(token.SignedString(w.keys["rsa"])), fault.Internal)
}

func TestClientIsBounded(t *testing.T) {
	t.Parallel()
	elsewhere := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) { fmt.Fprint(rw, `{}`) }))
	t.Cleanup(elsewhere.Close)
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/large":
			_, _ = rw.Write([]byte(`{"x":"`))
			_, _ = rw.Write(bytes.Repeat([]byte("x"), 2<<20))
			_, _ = rw.Write([]byte(`"}`))
		case "/elsewhere":
			http.Redirect(rw, r, elsewhere.URL, http.StatusFound)
		case "/here":
			http.Redirect(rw, r, "/there", http.StatusFound)
		case "/there":
			fmt.Fprint(rw, `{"x":"y"}`)
		case "/loop":
			http.Redirect(rw, r, "/loop", http.StatusFound)
		}
	}))
	t.Cleanup(server.Close)
	c := issuer.NewClient()
	t.Cleanup(c.CloseIdleConnections)
	for path, ok := range map[string]bool{"/large": false, "/elsewhere": false, "/here": true, "/loop": false, "/empty": false} {
		var v struct{ X string }
		if err := issuer.GetJSON(t.Context(), c, server.URL+path, "", &v); (err == nil) != ok {
			t.Errorf("%s: %v, %+v", path, err, v)
		}
	}
}

func TestEndpoints(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		provider, endpoint string
		ok                 bool
	}{
		{"https://a.example", "https://b.example/keys", true},
		{"http://localhost:1", "http://localhost:1/keys", true},
		{"https://a.example", "http://a.example/keys", false},
		{"https://a.example", "/keys", false},
		{"https://a.example", "file:///etc/passwd", false},
		{"https://a.example", "", false},
	} {
		if err := issuer.CheckEndpoint(c.provider, c.endpoint); (err == nil) != c.ok {
			t.Errorf("%v: %v", c, err)
		}
	}
}

func TestRecentIsBounded(t *testing.T) {
	t.Parallel()
	r := issuer.NewRecent[int, int](10)
	r.Put(-1, 7)
	for i := range 1000 {
		r.Put(i, i)
		if v, ok := r.Get(i); !ok || v != i {
			t.Fatalf("%d is forgotten at once", i)
		}
		if _, ok := r.Get(-1); !ok {
			t.Fatalf("what is in use is forgotten after %d others", i)
		}
	}
	kept := 0
	for i := range 1000 {
		if _, ok := r.Get(i); ok {
			kept++
		}
	}
	if kept > 10 {
		t.Errorf("%d of 1000 values are kept, want at most 10", kept)
	}
}

// FuzzVerify looks for a text that is taken for a token without having been
// signed, or that does worse.
func FuzzVerify(f *testing.F) {
	w := newWorld(f)
	signed := map[string]bool{}
	for _, token := range []string{w.good(), w.good("aud", []string{"api", "x"}), w.sign(jwt.SigningMethodES256, "ec", w.claims()), w.sign(jwt.SigningMethodEdDSA, "ed", w.claims("sub", nil))} {
		signed[token[:strings.LastIndexByte(token, '.')]] = true
		f.Add(token)
	}
	f.Add("a.b.c")
	f.Add("eyJhbGciOiJub25lIn0.e30.")
	f.Fuzz(func(t *testing.T, token string) {
		claims, err := w.Verify(t.Context(), token)
		if err != nil && !fault.Is(err, fault.Unauthenticated) {
			t.Errorf("%q gets %v", token, err)
		}
		if err == nil && (claims.Subject == "" || !signed[token[:strings.LastIndexByte(token, '.')]]) {
			t.Errorf("%q is taken: %+v", token, claims)
		}
	})
}

func BenchmarkVerify(b *testing.B) {
	w := newWorld(b)
	token := w.good()
	for b.Loop() {
		if _, err := w.Verify(b.Context(), token); err != nil {
			b.Fatal(err)
		}
	}
}
