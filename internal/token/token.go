package token

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

const (
	// leeway is how much the clocks of servers that share a database may differ.
	leeway = 30 * time.Second
	// maxSize bounds a token before anything is made of it; ours have some 400
	// bytes.
	maxSize = 4 << 10
)

// Claims is what a token says.
type Claims struct {
	// ID names the token, Subject whom it stands for, and Family the login that
	// it comes from.
	ID, Subject, Family string
	IssuedAt, ExpiresAt time.Time
}

// Signer signs tokens of one kind and checks them. Safe for concurrent use.
type Signer struct {
	issuer, audience string
	keys             map[string][]byte
	// current names the key that signs.
	current string
	parser  *jwt.Parser
}

// New returns the Signer of a kind of tokens. There must be a key; the first one
// signs.
func New(issuer, audience string, keys [][]byte, now func() time.Time) *Signer {
	s := &Signer{issuer: issuer, audience: audience, keys: make(map[string][]byte, len(keys)), current: keyID(keys[0])}
	for _, key := range keys {
		s.keys[keyID(key)] = key
	}
	s.parser = jwt.NewParser(
		jwt.WithValidMethods([]string{jwt.SigningMethodHS256.Alg()}), jwt.WithIssuer(issuer), jwt.WithAudience(audience),
		jwt.WithExpirationRequired(), jwt.WithIssuedAt(), jwt.WithLeeway(leeway), jwt.WithTimeFunc(now), jwt.WithStrictDecoding(),
	)
	return s
}

// keyID names a key without giving it away.
func keyID(key []byte) string {
	h := hmac.New(sha256.New, key)
	h.Write([]byte("key id"))
	return hex.EncodeToString(h.Sum(nil)[:8])
}

// wire is the payload of a token.
type wire struct {
	jwt.RegisteredClaims
	Family string `json:"sid,omitempty"`
}

// Sign returns a token.
func (s *Signer) Sign(c Claims) (string, error) {
	t := jwt.NewWithClaims(jwt.SigningMethodHS256, wire{Family: c.Family, RegisteredClaims: jwt.RegisteredClaims{
		Issuer: s.issuer, Audience: jwt.ClaimStrings{s.audience}, ID: c.ID, Subject: c.Subject,
		IssuedAt: jwt.NewNumericDate(c.IssuedAt), ExpiresAt: jwt.NewNumericDate(c.ExpiresAt),
	}})
	t.Header["kid"] = s.current
	text, err := t.SignedString(s.keys[s.current])
	if err != nil {
		return "", fmt.Errorf("sign a token: %w", err)
	}
	return text, nil
}

// ErrInvalid says that a text is no valid token of this kind. What was wrong is
// in the error that wraps it, for the log.
var ErrInvalid = errors.New("no valid token")

// Verify returns what a valid token says.
func (s *Signer) Verify(text string) (Claims, error) {
	if len(text) > maxSize {
		return Claims{}, fmt.Errorf("%w: it has %d bytes", ErrInvalid, len(text))
	}
	var w wire
	if _, err := s.parser.ParseWithClaims(text, &w, s.key); err != nil {
		return Claims{}, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	if w.Subject == "" || w.IssuedAt == nil {
		return Claims{}, fmt.Errorf("%w: sub or iat is missing", ErrInvalid)
	}
	return Claims{ID: w.ID, Subject: w.Subject, Family: w.Family, IssuedAt: w.IssuedAt.Time, ExpiresAt: w.ExpiresAt.Time}, nil
}

// key returns the key that a token names. Tokens that name none of ours were
// never signed here.
func (s *Signer) key(t *jwt.Token) (any, error) {
	name, _ := t.Header["kid"].(string)
	key, ok := s.keys[name]
	if !ok {
		return nil, errors.New("it names no key of this installation")
	}
	return key, nil
}

// Issuer returns the issuer that a text names which looks like a token; empty
// for any other text. It is not checked: it only tells who must check the token.
func Issuer(text string) string {
	if len(text) > maxTokenOfOthers {
		return ""
	}
	var c jwt.RegisteredClaims
	if _, _, err := jwt.NewParser(jwt.WithoutClaimsValidation()).ParseUnverified(text, &c); err != nil {
		return ""
	}
	return c.Issuer
}

// maxTokenOfOthers bounds what Issuer looks into; tokens of providers can hold
// long lists of groups.
const maxTokenOfOthers = 16 << 10
