package realtime

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
)

func TestTokensOpenWhatTheyWereMadeFor(t *testing.T) {
	t.Parallel()
	now := time.Unix(1_800_000_000, 0)
	tokens := &Tokens{Secret: []byte(strings.Repeat("s", 32)), IDs: id.NewSource(time.Now), Now: func() time.Time { return now }}
	user := id.ID{1}
	own, other := Channel(id.ID{2}), Channel(id.ID{3})
	text := func(made Token, err error) string {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return made.Text
	}
	connection, subscription := text(tokens.Connection(user)), text(tokens.Subscription(user, own))
	signed := func(method jwt.SigningMethod, key any, claims jwt.MapClaims) string {
		t.Helper()
		made, err := jwt.NewWithClaims(method, claims).SignedString(key)
		if err != nil {
			t.Fatal(err)
		}
		return made
	}
	soon := now.Add(time.Minute).Unix()
	for name, c := range map[string]struct {
		text, channel string
		opens         bool
	}{
		"a connection":                 {connection, "", true},
		"a connection for a channel":   {connection, own, false},
		"a channel":                    {subscription, own, true},
		"another channel":              {subscription, other, false},
		"a channel for a connection":   {subscription, "", false},
		"signed by others":             {text((&Tokens{Secret: []byte(strings.Repeat("o", 32)), IDs: tokens.IDs, Now: tokens.Now}).Connection(user)), "", false},
		"not signed":                   {signed(jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, jwt.MapClaims{"sub": user.String(), "exp": soon}), "", false},
		"signed in another way":        {signed(jwt.SigningMethodHS512, tokens.Secret, jwt.MapClaims{"sub": user.String(), "exp": soon}), "", false},
		"signed by a custom client":    {signed(jwt.SigningMethodHS256, tokens.Secret, jwt.MapClaims{"sub": user.String(), "exp": soon}), "", true},
		"without an end":               {signed(jwt.SigningMethodHS256, tokens.Secret, jwt.MapClaims{"sub": user.String()}), "", false},
		"of nobody":                    {signed(jwt.SigningMethodHS256, tokens.Secret, jwt.MapClaims{"exp": soon}), "", false},
		"that is not good yet":         {signed(jwt.SigningMethodHS256, tokens.Secret, jwt.MapClaims{"sub": user.String(), "exp": soon, "nbf": soon}), "", false},
		"whose channel is no text":     {signed(jwt.SigningMethodHS256, tokens.Secret, jwt.MapClaims{"sub": user.String(), "exp": soon, "channel": []string{own}}), own, false},
		"with something behind":        {connection + "x", "", false},
		"without its signature":        {connection[:strings.LastIndex(connection, ".")+1], "", false},
		"no token":                     {"x", "", false},
		"nothing":                      {"", "", false},
		"of the channel named nothing": {signed(jwt.SigningMethodHS256, tokens.Secret, jwt.MapClaims{"sub": user.String(), "exp": soon, "channel": ""}), "", true},
	} {
		got, err := tokens.Check(c.text, c.channel)
		if (err == nil) != c.opens || err == nil && (got.User != user.String() || got.Channel != c.channel || got.Expires.Before(now)) {
			t.Errorf("a token %s: %+v, %v", name, got, err)
		}
		if err != nil && !fault.Is(err, fault.Unauthenticated) {
			t.Errorf("a token %s is refused with %v", name, err)
		}
	}

	now = now.Add(TokenLife - time.Second)
	if _, err := tokens.Check(connection, ""); err != nil {
		t.Errorf("just before its end a token is refused with %v", err)
	}
	now = now.Add(time.Second)
	for text, channel := range map[string]string{connection: "", subscription: own} {
		// A client that is told so gets another one.
		if _, err := tokens.Check(text, channel); !errors.Is(err, ErrExpired) {
			t.Errorf("at its end a token is answered with %v", err)
		}
	}
}
