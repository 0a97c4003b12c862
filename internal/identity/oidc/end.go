package oidc

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"golang.org/x/oauth2"

	"github.com/usefloww/flowwd/internal/identity/issuer"
)

// maxHint bounds the id token in an address; some servers refuse longer ones.
const maxHint = 4096

// End implements identity.Browser. The refresh token is withdrawn as well, since
// one for offline access outlives the session of the browser.
func (w *Way) End(ctx context.Context, tokens []byte, returnTo string) (string, error) {
	k, err := readKept(tokens)
	if err != nil {
		return "", err
	}
	m, err := w.metadata.Get(ctx)
	if err != nil {
		return "", err
	}
	err = w.revoke(ctx, m, k.RefreshToken)
	if returnTo == "" || m.EndURL == "" {
		return "", err
	}
	// What could not be withdrawn must not keep the browser from ending the
	// session.
	return endURL(m.EndURL, w.config.ClientID, k.IDToken, returnTo)
}

// endURL returns where a browser ends its session (OpenID Connect RP-Initiated
// Logout, 2).
func endURL(endpoint, client, idToken, returnTo string) (string, error) {
	u, err := url.Parse(endpoint)
	if err != nil {
		return "", fmt.Errorf("end a login: %w", err)
	}
	q := u.Query()
	q.Set("client_id", client)
	q.Set("post_logout_redirect_uri", returnTo)
	if idToken != "" && len(idToken) <= maxHint {
		q.Set("id_token_hint", idToken)
	}
	u.RawQuery = q.Encode()
	return u.String(), nil
}

// revoke withdraws a refresh token (RFC 7009), where there is one and the
// provider takes it.
func (w *Way) revoke(ctx context.Context, m metadata, token string) error {
	if token == "" || m.RevocationURL == "" {
		return nil
	}
	form := url.Values{"token": {token}, "token_type_hint": {"refresh_token"}}
	inForm := w.authStyle(m) == oauth2.AuthStyleInParams
	if inForm {
		form.Set("client_id", w.config.ClientID)
		form.Set("client_secret", w.config.ClientSecret)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, m.RevocationURL, strings.NewReader(form.Encode()))
	if err != nil {
		return fmt.Errorf("withdraw a refresh token: %w", err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if !inForm {
		r.SetBasicAuth(url.QueryEscape(w.config.ClientID), url.QueryEscape(w.config.ClientSecret))
	}
	response, err := w.config.HTTP.Do(r)
	if err != nil {
		return issuer.Unavailable(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return issuer.Unavailable(fmt.Errorf("withdraw a refresh token: the provider answers %s", response.Status))
	}
	return nil
}
