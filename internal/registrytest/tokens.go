package registrytest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

const issuer, service, keyID = "tokens of the test", "upstream", "key"

// Tokens is the server of a registry that gives tokens, on another port than
// the registry.
type Tokens struct {
	URL string
	// Asked counts who asked for tokens.
	Asked atomic.Int64
	// Dead has it sign tokens that the registry does not take.
	Dead atomic.Bool

	signer jose.Signer
	keys   []byte
}

func startTokens(t testing.TB) *Tokens {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	ts := &Tokens{}
	private := jose.JSONWebKey{Key: key, KeyID: keyID, Algorithm: string(jose.ES256)}
	if ts.signer, err = jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: private}, nil); err != nil {
		t.Fatal(err)
	}
	if ts.keys, err = json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{private.Public()}}); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(http.HandlerFunc(ts.give))
	t.Cleanup(server.Close)
	ts.URL = server.URL
	return ts
}

// access is what a token opens.
type access struct {
	Type    string   `json:"type"`
	Name    string   `json:"name"`
	Actions []string `json:"actions"`
}

func (ts *Tokens) give(w http.ResponseWriter, r *http.Request) {
	ts.Asked.Add(1)
	if user, password, _ := r.BasicAuth(); user != User || password != Password || r.URL.Query().Get("service") != service {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	opened := []access{}
	for _, scope := range r.URL.Query()["scope"] {
		if parts := strings.Split(scope, ":"); len(parts) == 3 {
			opened = append(opened, access{parts[0], parts[1], strings.Split(parts[2], ",")})
		}
	}
	now, audience := time.Now(), service
	if ts.Dead.Load() {
		audience = "another"
	}
	text, err := jwt.Signed(ts.signer).Claims(jwt.Claims{
		Issuer: issuer, Subject: User, Audience: jwt.Audience{audience}, ID: "1",
		IssuedAt: jwt.NewNumericDate(now), NotBefore: jwt.NewNumericDate(now.Add(-time.Minute)), Expiry: jwt.NewNumericDate(now.Add(time.Hour)),
	}).Claims(map[string]any{"access": opened}).Serialize()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{"token": text, "expires_in": 300}) // the client may be gone
}
