package main

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// provider is as much of an OpenID provider as checking its tokens needs.
type provider struct {
	url    string
	key    *rsa.PrivateKey
	server *http.Server
}

const keyID = "bench"

func startProvider() (*provider, error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &provider{url: "http://" + listener.Addr().String(), key: key}
	answer := func(v any) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_ = json.NewEncoder(w).Encode(v) // the server asks again
		}
	}
	encode := base64.RawURLEncoding.EncodeToString
	mux := http.NewServeMux()
	mux.Handle("/.well-known/openid-configuration", answer(map[string]any{
		"issuer": p.url, "jwks_uri": p.url + "/keys", "authorization_endpoint": p.url + "/authorize", "token_endpoint": p.url + "/token",
		"response_types_supported": []string{"code"}, "subject_types_supported": []string{"public"}, "id_token_signing_alg_values_supported": []string{"RS256"},
	}))
	mux.Handle("/keys", answer(map[string]any{"keys": []map[string]string{{
		"kty": "RSA", "use": "sig", "alg": "RS256", "kid": keyID, "n": encode(key.N.Bytes()), "e": encode(big.NewInt(int64(key.E)).Bytes()),
	}}}))
	p.server = &http.Server{Handler: mux, ReadHeaderTimeout: time.Second}
	go func() { _ = p.server.Serve(listener) }() // ends with stop
	return p, nil
}

func (p *provider) stop() { _ = p.server.Close() }

// token signs a token of one person; each number makes another one.
func (p *provider) token(number int) (string, error) {
	now := time.Now()
	t := jwt.NewWithClaims(jwt.SigningMethodRS256, jwt.MapClaims{
		"iss": p.url, "aud": "bench", "sub": "somebody", "email": adminEmail, "jti": strconv.Itoa(number),
		"iat": now.Unix(), "exp": now.Add(time.Hour).Unix(),
	})
	t.Header["kid"] = keyID
	return t.SignedString(p.key)
}

// credentials are tokens of the provider: one that is shown again, and one that is
// new each time.
func (p *provider) credentials(context.Context, *server) ([]credential, error) {
	tokens := make([]string, authRounds+1)
	for i := range tokens {
		var err error
		if tokens[i], err = p.token(i); err != nil {
			return nil, err
		}
	}
	fresh := tokens[1:]
	return []credential{
		{"JWT of an OIDC provider", homePath, http.StatusFound, bearer(tokens[0])},
		{"JWT of an OIDC provider, a new one each time", homePath, http.StatusFound, func() (string, string) {
			next := fresh[0]
			fresh = fresh[1:]
			return "Authorization", "Bearer " + next
		}},
	}, nil
}
