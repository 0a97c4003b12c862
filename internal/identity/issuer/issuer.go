package issuer

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/golang-jwt/jwt/v5"
)

const (
	leeway     = time.Minute
	maxToken   = 16 << 10
	maxSubject = 255
	// What was checked is remembered for so long, which bounds the time that a
	// withdrawn key is believed in.
	remembered    = 5 * time.Minute
	maxRemembered = 10_000
)

// Algorithms are those with public keys: what checks a signature can't make one.
func Algorithms() []string {
	return []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA"}
}

// Shape is a form that an issuer's tokens have.
type Shape struct {
	// Issuer is the whole claim `iss`.
	Issuer string
	// Audiences are those that the token may be for; it must name one of them.
	Audiences []string
	// AudienceOptional takes a token without the claim `aud` as well, from an
	// issuer whose keys sign for this client alone.
	AudienceOptional bool
}

// Config describes an issuer. All fields are required.
type Config struct {
	// Shapes are the tokens that are accepted.
	Shapes []Shape
	// Algorithms are those that the issuer signs with.
	Algorithms []string
	// KeysURL returns the address of the issuer's keys.
	KeysURL func(context.Context) (string, error)
	HTTP    *http.Client
	Now     func() time.Time
}

// Verifier checks the tokens of one issuer.
type Verifier struct {
	config Config
	parser *jwt.Parser
	keys   *keys
	// seen are tokens that were checked, by their hash.
	seen *Recent[[sha256.Size]byte, checked]
}

type checked struct {
	claims Claims
	until  time.Time
}

// New returns a Verifier. It asks the issuer for nothing yet.
func New(c Config) *Verifier {
	return &Verifier{
		config: c,
		parser: jwt.NewParser(
			jwt.WithValidMethods(c.Algorithms), jwt.WithStrictDecoding(), jwt.WithLeeway(leeway),
			jwt.WithExpirationRequired(), jwt.WithIssuedAt(), jwt.WithTimeFunc(c.Now)),
		keys: newKeys(c.HTTP, c.KeysURL, c.Now),
		seen: NewRecent[[sha256.Size]byte, checked](maxRemembered),
	}
}

// Verify returns what a token says; fault.Unauthenticated when it is not valid,
// and fault.Unavailable when that can't be told now.
func (v *Verifier) Verify(ctx context.Context, token string) (Claims, error) {
	if len(token) > maxToken {
		return Claims{}, asFault(ctx, errors.New("the token is too long"))
	}
	hash := sha256.Sum256([]byte(token))
	now := v.config.Now()
	if known, ok := v.seen.Get(hash); ok && now.Before(known.until) {
		return known.claims, nil
	}
	claims, err := v.check(ctx, token)
	if err != nil {
		return Claims{}, asFault(ctx, err)
	}
	until := now.Add(remembered)
	if end := claims.Expires.Add(leeway); end.Before(until) {
		until = end
	}
	v.seen.Put(hash, checked{claims, until})
	return claims, nil
}

// check goes through a token. Only one that names this issuer and audience has
// keys looked for.
func (v *Verifier) check(ctx context.Context, token string) (Claims, error) {
	// Names of claims are told apart by case, unlike the names of a struct's
	// fields: SUB is not sub.
	said := jwt.MapClaims{}
	_, err := v.parser.ParseWithClaims(token, said, func(t *jwt.Token) (any, error) {
		if err := checkHeader(t.Header); err != nil {
			return nil, err
		}
		if err := v.checkShape(said); err != nil {
			return nil, err
		}
		id, _ := t.Header["kid"].(string)
		return v.keys.find(ctx, id, t.Method.Alg())
	})
	if err != nil {
		return Claims{}, err
	}
	return claimsOf(said)
}

// checkHeader refuses tokens that are for something else than access or
// identity, and those that ask for what is not understood here (RFC 7515, 4.1.11).
func checkHeader(header map[string]any) error {
	if _, critical := header["crit"]; critical {
		return errors.New("the token has critical headers")
	}
	kind, named := header["typ"]
	text, _ := kind.(string)
	text = strings.TrimPrefix(strings.ToLower(text), "application/")
	if named && !slices.Contains([]string{"jwt", "at+jwt"}, text) {
		return fmt.Errorf("tokens of type %v are for something else", kind)
	}
	if id, named := header["kid"]; named {
		if _, ok := id.(string); !ok {
			return errors.New("the token's kid is no text")
		}
	}
	return nil
}

// checkShape finds the shape of a token.
func (v *Verifier) checkShape(said jwt.MapClaims) error {
	iss, err := said.GetIssuer()
	if err != nil {
		return err
	}
	audience, err := said.GetAudience()
	if err != nil {
		return err
	}
	for _, s := range v.config.Shapes {
		if s.Issuer != iss {
			continue
		}
		if len(audience) == 0 && s.AudienceOptional || slices.ContainsFunc(audience, func(a string) bool { return slices.Contains(s.Audiences, a) }) {
			return nil
		}
	}
	return fmt.Errorf("the token is of %q for %q", iss, audience)
}

// validSubject reports whether a subject can name a person. What could be read
// in two ways can't.
func validSubject(s string) bool {
	return s != "" && len(s) <= maxSubject && !strings.ContainsFunc(s, func(r rune) bool {
		return r == utf8.RuneError || unicode.IsControl(r)
	})
}
