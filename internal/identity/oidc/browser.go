package oidc

import (
	"cmp"
	"context"
	"crypto/subtle"
	"errors"
	"net/http"
	"net/url"
	"slices"

	"golang.org/x/oauth2"

	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/identity"
	"github.com/usefloww/flowwd/internal/identity/issuer"
)

// Begin implements identity.Browser.
func (w *Way) Begin(ctx context.Context, r identity.LoginRequest) (string, error) {
	m, err := w.metadata.Get(ctx)
	if err != nil {
		return "", err
	}
	options := []oauth2.AuthCodeOption{oauth2.S256ChallengeOption(r.Verifier), oauth2.SetAuthURLParam("nonce", r.Nonce)}
	if r.Prompt != "" {
		options = append(options, oauth2.SetAuthURLParam("prompt", r.Prompt))
	}
	return w.oauth(m, r.CallbackURL).AuthCodeURL(r.State, options...), nil
}

// Finish implements identity.Browser.
func (w *Way) Finish(ctx context.Context, r identity.LoginRequest, answer url.Values) (identity.Login, error) {
	m, err := w.metadata.Get(ctx)
	if err != nil {
		return identity.Login{}, err
	}
	code, err := issuer.CodeOf(r, answer)
	if err != nil {
		return identity.Login{}, err
	}
	// A code of another provider, mixed up with this login, must not be spent
	// here (RFC 9207).
	if named := answer.Get("iss"); named != "" && named != m.Issuer || named == "" && m.NamesItself {
		return identity.Login{}, fault.New(fault.Invalid, "The answer is of another identity provider; log in again")
	}
	token, err := w.oauth(m, r.CallbackURL).Exchange(w.with(ctx), code, oauth2.VerifierOption(r.Verifier))
	if err != nil {
		return identity.Login{}, exchangeFailed(err)
	}
	claims, idToken, err := w.readIDToken(ctx, token)
	if err != nil {
		return identity.Login{}, err
	}
	if claims == nil || r.Nonce == "" || subtle.ConstantTimeCompare([]byte(claims.Nonce), []byte(r.Nonce)) != 1 {
		return identity.Login{}, fault.New(fault.Invalid, "The identity provider's answer does not belong to this login; log in again")
	}
	who := w.complete(ctx, m, identityOf(*claims), token)
	return w.login(who, claims.SessionID, token, kept{IDToken: idToken, Subject: claims.Subject, SessionID: claims.SessionID})
}

// readIDToken checks the id token that came with an access token; nil when
// there is none.
func (w *Way) readIDToken(ctx context.Context, token *oauth2.Token) (*issuer.Claims, string, error) {
	text, ok := token.Extra("id_token").(string)
	if !ok || text == "" {
		return nil, "", nil
	}
	claims, err := w.tokens.Verify(ctx, text)
	if fault.Is(err, fault.Unauthenticated) {
		return nil, "", fault.Because(err, fault.Invalid, "The identity provider's answer is not valid; log in again, and check the clock of this server when that does not help")
	}
	if err != nil {
		return nil, "", err
	}
	if !forClient(claims, w.config.ClientID) {
		return nil, "", fault.New(fault.Invalid, "The identity provider's answer is for another client; log in again")
	}
	return &claims, text, nil
}

// forClient reports whether an id token is for a client (OpenID Connect Core,
// 3.1.3.7).
func forClient(c issuer.Claims, client string) bool {
	party := c.AuthorizedParty == client || c.AuthorizedParty == "" && len(c.Audience) == 1
	return party && slices.Contains(c.Audience, client)
}

// complete asks the provider for what an id token does not say of a person. A
// login does not fail over a name.
func (w *Way) complete(ctx context.Context, m metadata, who identity.Identity, token *oauth2.Token) identity.Identity {
	p := who.Profile
	if m.UserInfoURL == "" || p.Email != "" && (p.FirstName != "" || p.LastName != "") {
		return who
	}
	said := map[string]any{}
	if err := issuer.GetJSON(ctx, w.config.HTTP, m.UserInfoURL, token.AccessToken, &said); err != nil {
		return who
	}
	// The answer may be somebody else's (OpenID Connect Core, 5.3.2).
	if subject, _ := said["sub"].(string); subject == who.Subject {
		more := issuer.ProfileOf(said)
		who.Profile = identity.Profile{
			Username: cmp.Or(p.Username, more.Username), Email: cmp.Or(p.Email, more.Email),
			FirstName: cmp.Or(p.FirstName, more.FirstName), LastName: cmp.Or(p.LastName, more.LastName),
		}
	}
	return who
}

// exchangeFailed says why a provider gave no tokens for a code.
func exchangeFailed(err error) error {
	if code, refused := refusal(err); refused {
		return fault.Because(err, fault.Invalid, "Failed to exchange code for token: %s", issuer.Word(code))
	}
	return issuer.Unavailable(err)
}

// refusal returns what a provider refused a request with, when that is the
// reason of err.
func refusal(err error) (code string, refused bool) {
	var answer *oauth2.RetrieveError
	if !errors.As(err, &answer) || answer.Response == nil {
		return "", false
	}
	status := answer.Response.StatusCode
	return answer.ErrorCode, status >= http.StatusBadRequest && status < http.StatusInternalServerError && status != http.StatusTooManyRequests
}
