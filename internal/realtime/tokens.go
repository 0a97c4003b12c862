package realtime

import (
	"errors"
	"fmt"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
)

// TokenLife is how long a token opens a connection or a channel: 4.8 of
// identity-realtime-admin.md. Nothing ends it earlier.
const TokenLife = 30 * time.Minute

// algorithm is the one that Centrifugo checks with a shared secret.
var algorithm = jwt.SigningMethodHS256

// Tokens makes and checks what a client shows that brings no credential of its
// own: Centrifugo's connection and subscription tokens. The secret signs nothing
// else.
type Tokens struct {
	Secret []byte
	IDs    *id.Source
	Now    func() time.Time
}

type tokenClaims struct {
	Channel string `json:"channel,omitempty"`
	jwt.RegisteredClaims
}

// Token is a signed token with what it is good for.
type Token struct {
	Text    string
	User    string
	Channel string
	Expires time.Time
}

// Connection makes a token that opens a connection of a user.
func (t *Tokens) Connection(user id.ID) (Token, error) { return t.sign(user, "") }

// Subscription makes a token that opens a channel to a user, who must be allowed
// to see it.
func (t *Tokens) Subscription(user id.ID, channel string) (Token, error) {
	return t.sign(user, channel)
}

func (t *Tokens) sign(user id.ID, channel string) (Token, error) {
	now := t.Now()
	made := Token{User: user.String(), Channel: channel, Expires: now.Add(TokenLife).Truncate(time.Second)}
	claims := tokenClaims{Channel: channel, RegisteredClaims: jwt.RegisteredClaims{
		Subject: made.User, ExpiresAt: jwt.NewNumericDate(made.Expires), IssuedAt: jwt.NewNumericDate(now), ID: t.IDs.New().String(),
	}}
	var err error
	if made.Text, err = jwt.NewWithClaims(algorithm, claims).SignedString(t.Secret); err != nil {
		return Token{}, fmt.Errorf("sign a realtime token: %w", err)
	}
	return made, nil
}

// ErrExpired says that a token was good once.
var ErrExpired = errors.New("the token has expired")

// Check returns what a token is good for: a connection when channel is empty,
// that channel otherwise.
func (t *Tokens) Check(text, channel string) (Token, error) {
	var claims tokenClaims
	_, err := jwt.ParseWithClaims(text, &claims, func(*jwt.Token) (any, error) { return t.Secret, nil },
		jwt.WithValidMethods([]string{algorithm.Alg()}), jwt.WithExpirationRequired(), jwt.WithTimeFunc(t.Now))
	switch {
	case errors.Is(err, jwt.ErrTokenExpired):
		return Token{}, ErrExpired
	case err != nil || claims.Subject == "" || claims.Channel != channel:
		return Token{}, fault.New(fault.Unauthenticated, "Invalid token")
	}
	return Token{Text: text, User: claims.Subject, Channel: channel, Expires: claims.ExpiresAt.Time}, nil
}
