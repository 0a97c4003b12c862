package workos

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"golang.org/x/oauth2"

	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/identity"
	"github.com/usefloww/flowwd/internal/identity/issuer"
)

// Begin implements identity.Browser. There is no nonce, for there is no id
// token: who logged in stands in the answer that the code is exchanged for.
func (w *Way) Begin(_ context.Context, r identity.LoginRequest) (string, error) {
	q := url.Values{
		"client_id": {w.config.ClientID}, "redirect_uri": {r.CallbackURL}, "response_type": {"code"},
		"provider": {"authkit"}, "state": {r.State},
		"code_challenge": {oauth2.S256ChallengeFromVerifier(r.Verifier)}, "code_challenge_method": {"S256"},
	}
	if r.Prompt != "" {
		q.Set("prompt", r.Prompt)
	}
	return w.config.URL + "/user_management/authorize?" + q.Encode(), nil
}

// Finish implements identity.Browser.
func (w *Way) Finish(ctx context.Context, r identity.LoginRequest, answer url.Values) (identity.Login, error) {
	code, err := issuer.CodeOf(r, answer)
	if err != nil {
		return identity.Login{}, err
	}
	login, err := w.authenticate(ctx, map[string]string{"grant_type": "authorization_code", "code": code, "code_verifier": r.Verifier})
	var said *refusal
	if errors.As(err, &said) && !fault.Is(err, fault.Unavailable) {
		why := said.OAuthCode
		if why == "" {
			why = said.Code
		}
		return identity.Login{}, fault.Because(err, fault.Invalid, "Failed to exchange code for token: %s", issuer.Word(why))
	}
	return login, err
}

// kept is what is left of a login for renewing and ending it.
type kept struct {
	RefreshToken string `json:"refreshToken"`
	SessionID    string `json:"sessionId"`
}

func readKept(tokens []byte) (kept, error) {
	var k kept
	if err := json.Unmarshal(tokens, &k); err != nil {
		return kept{}, fmt.Errorf("read the tokens of a login: %w", err)
	}
	return k, nil
}

// Refresh implements identity.Browser.
func (w *Way) Refresh(ctx context.Context, tokens []byte) (identity.Login, error) {
	k, err := readKept(tokens)
	if err != nil {
		return identity.Login{}, err
	}
	login, err := w.authenticate(ctx, map[string]string{"grant_type": "refresh_token", "refresh_token": k.RefreshToken})
	var said *refusal
	switch {
	case err == nil || fault.Is(err, fault.Unavailable) || !errors.As(err, &said):
		return login, err
	case said.is("invalid_grant"):
		return identity.Login{}, fault.Because(err, fault.Unauthenticated, "WorkOS ended the login; log in again")
	default:
		// Such as a wrong API key: the login is not over for that.
		return identity.Login{}, issuer.Unavailable(err)
	}
}

// user is a person at WorkOS.
type user struct {
	ID        string `json:"id"`
	Email     string `json:"email"`
	FirstName string `json:"first_name"`
	LastName  string `json:"last_name"`
}

func (u user) profile() identity.Profile {
	return identity.Profile{Email: u.Email, FirstName: u.FirstName, LastName: u.LastName}
}

// authenticate asks for tokens.
func (w *Way) authenticate(ctx context.Context, grant map[string]string) (identity.Login, error) {
	grant["client_id"], grant["client_secret"] = w.config.ClientID, w.config.APIKey
	var answer struct {
		User         user   `json:"user"`
		AccessToken  string `json:"access_token"`
		RefreshToken string `json:"refresh_token"`
	}
	if err := w.api.call(ctx, http.MethodPost, "/user_management/authenticate", nil, grant, &answer); err != nil {
		return identity.Login{}, err
	}
	claims, err := w.tokens.Verify(ctx, answer.AccessToken)
	if fault.Is(err, fault.Unauthenticated) || err == nil && claims.Subject != answer.User.ID {
		return identity.Login{}, fault.Because(err, fault.Invalid, "WorkOS answered with a token that is not valid; check WORKOS_CLIENT_ID, AUTH_ISSUER_URL and the clock of this server")
	}
	if err != nil {
		return identity.Login{}, err
	}
	tokens, err := json.Marshal(kept{RefreshToken: answer.RefreshToken, SessionID: claims.SessionID})
	if err != nil {
		return identity.Login{}, fmt.Errorf("keep the tokens of a login: %w", err)
	}
	return identity.Login{
		Identity: identity.Identity{Provider: Name, Subject: claims.Subject, Profile: answer.User.profile(), At: claims.IssuedAt},
		Tokens:   tokens, Until: claims.Expires, SessionID: claims.SessionID,
	}, nil
}

// End implements identity.Browser: WorkOS ends the session when the browser comes
// by, which takes its own cookie from it as well.
func (w *Way) End(ctx context.Context, tokens []byte, returnTo string) (string, error) {
	k, err := readKept(tokens)
	if err != nil || k.SessionID == "" {
		return "", err
	}
	if returnTo != "" {
		q := url.Values{"session_id": {k.SessionID}, "return_to": {returnTo}}
		return w.config.URL + "/user_management/sessions/logout?" + q.Encode(), nil
	}
	err = w.api.call(ctx, http.MethodPost, "/user_management/sessions/revoke", nil, map[string]string{"session_id": k.SessionID}, nil)
	var said *refusal
	if errors.As(err, &said) && said.Status == http.StatusNotFound {
		return "", nil
	}
	return "", err
}
