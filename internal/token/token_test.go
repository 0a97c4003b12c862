package token

import (
	"bytes"
	"encoding/base64"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/go-cmp/cmp"
)

var now = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func clock() time.Time { return now }

func key(b byte) []byte { return bytes.Repeat([]byte{b}, 32) }

func claims() Claims {
	return Claims{ID: "j", Subject: "user", Family: "family", IssuedAt: now, ExpiresAt: now.Add(time.Hour)}
}

func sign(t *testing.T, s *Signer, c Claims) string {
	t.Helper()
	text, err := s.Sign(c)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestKeysRotate(t *testing.T) {
	t.Parallel()
	before := sign(t, New("i", "a", [][]byte{key(1)}, clock), claims())
	both := New("i", "a", [][]byte{key(2), key(1)}, clock)
	for _, text := range []string{before, sign(t, both, claims())} {
		got, err := both.Verify(text)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(claims(), got, cmp.Comparer(time.Time.Equal)); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
	if _, err := New("i", "a", [][]byte{key(2)}, clock).Verify(before); !errors.Is(err, ErrInvalid) {
		t.Errorf("a token of a key that was taken away: %v", err)
	}
}

// Nothing but a token that this very kind of Signer signed is taken.
func TestConfusion(t *testing.T) {
	t.Parallel()
	s := New("i", "a", [][]byte{key(1)}, clock)
	good := sign(t, s, claims())
	parts := strings.Split(good, ".")
	encode := func(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }
	kid := s.current
	forge := func(method jwt.SigningMethod, with any, header map[string]any, change func(jwt.MapClaims)) string {
		c := jwt.MapClaims{"iss": "i", "aud": "a", "sub": "user", "sid": "family", "iat": now.Unix(), "exp": now.Add(time.Hour).Unix()}
		if change != nil {
			change(c)
		}
		x := jwt.NewWithClaims(method, c)
		x.Header["kid"] = kid
		for name, value := range header {
			x.Header[name] = value
		}
		text, err := x.SignedString(with)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	hs := func(change func(jwt.MapClaims)) string { return forge(jwt.SigningMethodHS256, key(1), nil, change) }
	if _, err := s.Verify(hs(nil)); err != nil {
		t.Fatalf("what is changed below is not valid before: %v", err)
	}
	for name, text := range map[string]string{
		"nothing":              "",
		"an API key":           "floww_sa_" + strings.Repeat("x", 32),
		"alg none":             forge(jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, nil, nil),
		"alg none, other case": encode(`{"alg":"nOnE","kid":"`+kid+`"}`) + "." + parts[1] + ".",
		"no signature":         parts[0] + "." + parts[1] + ".",
		"two parts":            parts[0] + "." + parts[1],
		"four parts":           good + ".x",
		"HS512":                forge(jwt.SigningMethodHS512, key(1), nil, nil),
		"no alg":               encode(`{"kid":"`+kid+`"}`) + "." + parts[1] + "." + parts[2],
		"another key":          forge(jwt.SigningMethodHS256, key(2), nil, nil),
		"no kid":               forge(jwt.SigningMethodHS256, key(1), map[string]any{"kid": nil}, nil),
		"a kid that is none":   forge(jwt.SigningMethodHS256, key(1), map[string]any{"kid": []string{kid}}, nil),
		"another kid":          forge(jwt.SigningMethodHS256, key(1), map[string]any{"kid": keyID(key(2))}, nil),
		"changed payload":      parts[0] + "." + encode(`{"iss":"i","aud":"a","sub":"root","exp":9999999999,"iat":1}`) + "." + parts[2],
		"another purpose":      sign(t, New("i", "b", [][]byte{key(1)}, clock), claims()),
		"another issuer":       sign(t, New("j", "a", [][]byte{key(1)}, clock), claims()),
		"no issuer":            hs(func(c jwt.MapClaims) { delete(c, "iss") }),
		"no audience":          hs(func(c jwt.MapClaims) { delete(c, "aud") }),
		"no subject":           hs(func(c jwt.MapClaims) { delete(c, "sub") }),
		"a subject of a kind":  hs(func(c jwt.MapClaims) { c["sub"] = 7 }),
		"no exp":               hs(func(c jwt.MapClaims) { delete(c, "exp") }),
		"no iat":               hs(func(c jwt.MapClaims) { delete(c, "iat") }),
		"exp as a word":        hs(func(c jwt.MapClaims) { c["exp"] = "never" }),
		"expired":              hs(func(c jwt.MapClaims) { c["exp"] = now.Add(-leeway).Unix() }),
		"of tomorrow":          hs(func(c jwt.MapClaims) { c["iat"] = now.Add(24 * time.Hour).Unix() }),
		"not yet":              hs(func(c jwt.MapClaims) { c["nbf"] = now.Add(time.Hour).Unix() }),
		"huge":                 hs(func(c jwt.MapClaims) { c["x"] = strings.Repeat("x", maxSize) }),
	} {
		if got, err := s.Verify(text); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: taken as %v (%v)", name, got, err)
		}
	}
}

func TestClocksMayDiffer(t *testing.T) {
	t.Parallel()
	s := New("i", "a", [][]byte{key(1)}, clock)
	c := claims()
	c.IssuedAt, c.ExpiresAt = now.Add(leeway-time.Second), now.Add(time.Second-leeway)
	if _, err := s.Verify(sign(t, s, c)); err != nil {
		t.Error(err)
	}
}

func TestIssuer(t *testing.T) {
	t.Parallel()
	s := New("mine", "a", [][]byte{key(1)}, clock)
	for text, want := range map[string]string{
		sign(t, s, claims()): "mine",
		"":                   "",
		"floww_sa_x":         "",
		"a.b.c":              "",
		"e30.e30.":           "",
		"eyJhbGciOiJIUzI1NiJ9." + base64.RawURLEncoding.EncodeToString([]byte(`{"iss":"theirs"}`)) + ".": "theirs",
		strings.Repeat("a", maxTokenOfOthers+1):                                                          "",
	} {
		if got := Issuer(text); got != want {
			t.Errorf("issuer of %.40q is %q, want %q", text, got, want)
		}
	}
}

// FuzzVerify looks for a text that is taken although nobody signed it, and for
// one that can't be looked at.
func FuzzVerify(f *testing.F) {
	s := New("i", "a", [][]byte{key(1)}, clock)
	good, err := s.Sign(claims())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add(good[:len(good)-1])
	f.Add("eyJhbGciOiJub25lIn0.e30.")
	f.Add("..")
	f.Fuzz(func(t *testing.T, text string) {
		Issuer(text)
		if c, err := s.Verify(text); err == nil && text != good {
			t.Errorf("%q is taken as %v", text, c)
		}
	})
}
