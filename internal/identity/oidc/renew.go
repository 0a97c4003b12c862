package oidc

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"golang.org/x/oauth2"

	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/identity"
	"github.com/usefloww/flowwd/internal/identity/issuer"
)

const (
	// unknownLife is taken for the life of a token that does not say its own.
	unknownLife = time.Hour
	// shortestLife keeps a provider with very short tokens from being asked at
	// every request.
	shortestLife = time.Minute
)

// kept is what is left of a login for renewing and ending it.
type kept struct {
	RefreshToken string `json:"refreshToken,omitempty"`
	IDToken      string `json:"idToken,omitempty"`
	Subject      string `json:"subject"`
	SessionID    string `json:"sessionId,omitempty"`
}

func readKept(tokens []byte) (kept, error) {
	var k kept
	if err := json.Unmarshal(tokens, &k); err != nil {
		return kept{}, fmt.Errorf("read the tokens of a login: %w", err)
	}
	return k, nil
}

// login makes a Login of what came with a token.
func (w *Way) login(who identity.Identity, session string, token *oauth2.Token, k kept) (identity.Login, error) {
	k.RefreshToken = token.RefreshToken
	tokens, err := json.Marshal(k)
	if err != nil {
		return identity.Login{}, fmt.Errorf("keep the tokens of a login: %w", err)
	}
	l := identity.Login{Identity: who, Tokens: tokens, SessionID: session}
	if k.RefreshToken == "" {
		return l, nil
	}
	now := w.config.Now()
	l.Until = now.Add(unknownLife)
	if token.ExpiresIn > 0 {
		l.Until = now.Add(max(shortestLife, time.Duration(token.ExpiresIn)*time.Second))
	}
	return l, nil
}

// Refresh implements identity.Browser.
func (w *Way) Refresh(ctx context.Context, tokens []byte) (identity.Login, error) {
	k, err := readKept(tokens)
	if err != nil {
		return identity.Login{}, err
	}
	if k.RefreshToken == "" {
		return identity.Login{}, fault.New(fault.Unauthenticated, "The login has ended; log in again")
	}
	m, err := w.metadata.Get(ctx)
	if err != nil {
		return identity.Login{}, err
	}
	token, err := w.oauth(m, "").TokenSource(w.with(ctx), &oauth2.Token{RefreshToken: k.RefreshToken}).Token()
	if code, refused := refusal(err); refused && code == "invalid_grant" {
		return identity.Login{}, fault.Because(err, fault.Unauthenticated, "The identity provider ended the login; log in again")
	}
	if err != nil {
		return identity.Login{}, issuer.Unavailable(err)
	}
	// A renewal may come without an id token; with one, it is the same person's
	// (OpenID Connect Core, 12.2).
	claims, text, err := w.readIDToken(ctx, token)
	if err != nil {
		return identity.Login{}, err
	}
	who := identity.Identity{Provider: Name, Subject: k.Subject}
	if claims != nil {
		if claims.Subject != k.Subject {
			return identity.Login{}, fault.New(fault.Unauthenticated, "The identity provider renewed the login of somebody else; log in again")
		}
		who, k.IDToken = identityOf(*claims), text
	}
	return w.login(who, k.SessionID, token, k)
}
