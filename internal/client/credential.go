package client

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// renewBefore is how long before its end an access token is renewed.
const renewBefore = 10 * time.Minute

// UseLogin has the client use the login that is kept for its server, when New
// got no token. It is renewed when its time comes, and kept anew.
func (c *Client) UseLogin(logins Logins) {
	c.Credential = func(ctx context.Context) (string, error) { return c.fresh(ctx, logins) }
}

// Server is the address that logins are kept under.
func (c *Client) Server() string { return strings.TrimRight(c.base.String(), "/") }

// fresh returns an access token that is good for a while; empty when there is
// no login.
func (c *Client) fresh(ctx context.Context, logins Logins) (string, error) {
	server := c.Server()
	login, ok, err := logins.Get(server)
	if err != nil || !ok || logins.good(login) {
		return login.AccessToken, err
	}
	err = logins.change(ctx, func(all map[string]Login) (bool, error) {
		// Another command may have renewed it while this one waited.
		if login, ok = all[server]; !ok || logins.good(login) {
			return false, nil
		}
		renewed, err := c.renew(ctx, login, logins.Now())
		var refused *grantError
		switch {
		case errors.As(err, &refused) && refused.Code == "invalid_grant":
			delete(all, server)
			login = Login{}
			return true, nil
		case err != nil && logins.Now().Before(login.ExpiresAt):
			return false, nil // there will be another time
		case err != nil:
			return false, fmt.Errorf("renew the login at %s: %w", c.base.Host, err)
		}
		login, all[server] = renewed, renewed
		return true, nil
	})
	return login.AccessToken, err
}

func (l Logins) good(login Login) bool { return l.Now().Before(login.ExpiresAt.Add(-renewBefore)) }

func (c *Client) renew(ctx context.Context, login Login, now time.Time) (Login, error) {
	if login.RefreshToken == "" {
		return Login{}, &grantError{Code: "invalid_grant"}
	}
	var answer tokenAnswer
	err := c.postForm(ctx, login.TokenURL, url.Values{
		"client_id": {login.ClientID}, "refresh_token": {login.RefreshToken}, "grant_type": {grantRefresh},
	}, &answer)
	return answer.login(login, now), err
}

// authorize puts the credential into a request.
func (c *Client) authorize(req *http.Request) error {
	token := c.token
	if token == "" && c.Credential != nil {
		var err error
		if token, err = c.Credential(req.Context()); err != nil {
			return err
		}
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	return nil
}
