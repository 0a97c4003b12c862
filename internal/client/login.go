package client

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Waiting is a login that a person has to approve in a browser.
type Waiting struct {
	// Code is what the page shows, too, and Page where it is.
	Code, Page string
	ExpiresAt  time.Time
}

const (
	grantDevice  = "urn:ietf:params:oauth:grant-type:device_code"
	grantRefresh = "refresh_token"
	// minInterval is the least time between two questions, whatever a server says.
	minInterval = time.Second
	// slowDown is what RFC 8628 adds to it when the server says so.
	slowDown = 5 * time.Second
	// unknownLife is how long an access token is taken to be good that does not say.
	unknownLife = 30 * time.Minute
	// loginTimeout bounds one request of a login.
	loginTimeout = 30 * time.Second
)

// LogIn logs in by a browser that somebody opens where show says: RFC 8628, at
// the server or at its provider, as the server tells. The name is what the
// server shows for this command line.
func (c *Client) LogIn(ctx context.Context, name string, now func() time.Time, show func(Waiting)) (Login, error) {
	var config struct {
		Auth struct {
			ClientID  string `json:"client_id"`
			DeviceURL string `json:"device_authorization_endpoint"`
			TokenURL  string `json:"token_endpoint"`
			Audience  string `json:"audience"`
		}
	}
	if err := c.call(ctx, http.MethodGet, "/api/config", nil, nil, &config); err != nil {
		return Login{}, err
	}
	auth := config.Auth
	if auth.DeviceURL == "" || auth.TokenURL == "" {
		return Login{}, fmt.Errorf("%s has no login for command lines; use an API key, which \"flowwd apikey create\" on the server makes", c.base.Host)
	}
	form := url.Values{"client_id": {auth.ClientID}, "device_name": {name}}
	if auth.Audience != "" {
		form.Set("audience", auth.Audience)
	}
	var code struct {
		DeviceCode string `json:"device_code"`
		UserCode   string `json:"user_code"`
		Page       string `json:"verification_uri"`
		FullPage   string `json:"verification_uri_complete"`
		ExpiresIn  int    `json:"expires_in"`
		Interval   int    `json:"interval"`
	}
	if err := c.postForm(ctx, auth.DeviceURL, form, &code); err != nil {
		return Login{}, fmt.Errorf("begin to log in: %w", err)
	}
	until := now().Add(time.Duration(code.ExpiresIn) * time.Second)
	show(Waiting{Code: code.UserCode, Page: firstText(code.FullPage, code.Page), ExpiresAt: until})
	form = url.Values{"client_id": {auth.ClientID}, "device_code": {code.DeviceCode}, "grant_type": {grantDevice}}
	answer, err := c.poll(ctx, auth.TokenURL, form, max(time.Duration(code.Interval)*time.Second, minInterval), until, now)
	if err != nil {
		return Login{}, err
	}
	login := answer.login(Login{ClientID: auth.ClientID, TokenURL: auth.TokenURL}, now())
	if login.User == "" {
		login.User, err = c.whose(ctx, login)
	}
	return login, err
}

// poll asks for a token until there is an answer. What is no answer, such as a
// server that is started anew, is asked again.
func (c *Client) poll(ctx context.Context, at string, form url.Values, interval time.Duration, until time.Time, now func() time.Time) (tokenAnswer, error) {
	for {
		if err := c.wait(ctx, interval); err != nil {
			return tokenAnswer{}, err
		}
		var answer tokenAnswer
		err := c.postForm(ctx, at, form, &answer)
		var refused *grantError
		switch {
		case err == nil:
			return answer, nil
		case ctx.Err() != nil:
			return tokenAnswer{}, ctx.Err()
		case errors.As(err, &refused):
			switch refused.Code {
			case "slow_down":
				interval += slowDown
			case "access_denied":
				return tokenAnswer{}, errors.New("the login was denied on the page")
			case "expired_token":
				return tokenAnswer{}, errLate()
			case "invalid_request", "invalid_client", "invalid_grant", "unauthorized_client", "unsupported_grant_type", "invalid_scope":
				return tokenAnswer{}, fmt.Errorf("the login was refused: %w", err)
			}
		}
		if !now().Before(until) {
			return tokenAnswer{}, errLate()
		}
	}
}

func errLate() error { return errors.New("nobody has approved the login in time; try again") }

// tokenAnswer is what a token endpoint gives.
type tokenAnswer struct {
	AccessToken  string `json:"access_token"`
	RefreshToken string `json:"refresh_token"`
	ExpiresIn    int    `json:"expires_in"`
	User         struct {
		ID    string `json:"id"`
		Email string `json:"email"`
	} `json:"user"`
}

// login returns what is kept of the answer; what it leaves out stays as before.
func (t tokenAnswer) login(before Login, now time.Time) Login {
	before.AccessToken = t.AccessToken
	before.RefreshToken = firstText(t.RefreshToken, before.RefreshToken)
	before.User = firstText(t.User.Email, t.User.ID, before.User)
	before.ExpiresAt = expiry(t.AccessToken)
	if before.ExpiresAt.IsZero() {
		life := unknownLife
		if t.ExpiresIn > 0 {
			life = time.Duration(t.ExpiresIn) * time.Second
		}
		before.ExpiresAt = now.Add(life)
	}
	return before
}

// expiry returns when a JWT expires, as it says itself; zero when it says
// nothing. Whether it is valid is the server's business.
func expiry(token string) time.Time {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return time.Time{}
	}
	payload, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(parts[1], "="))
	var claims struct{ Exp float64 }
	if err != nil || json.Unmarshal(payload, &claims) != nil || claims.Exp <= 0 {
		return time.Time{}
	}
	return time.Unix(int64(claims.Exp), 0).UTC()
}

// whose asks who is logged in.
func (c *Client) whose(ctx context.Context, login Login) (string, error) {
	other := *c
	other.token, other.Credential = login.AccessToken, nil
	var who struct{ Email, ID string }
	if err := other.call(ctx, http.MethodGet, "/api/whoami", nil, nil, &who); err != nil {
		return "", fmt.Errorf("ask who is logged in: %w", err)
	}
	return firstText(who.Email, who.ID), nil
}

// The end of the address where a server gives tokens, and where it takes them
// back.
const tokenPath, revokePath = "/auth/device/token", "/auth/token/revoke"

// LogOut ends a login at the server that gave it. One of a provider can only be
// forgotten: there is no address for more.
func (c *Client) LogOut(ctx context.Context, login Login) error {
	server, ok := strings.CutSuffix(login.TokenURL, tokenPath)
	if !ok || login.RefreshToken == "" {
		return nil
	}
	return c.postForm(ctx, server+revokePath, url.Values{"refresh_token": {login.RefreshToken}}, &struct{}{})
}

// grantError is a refusal in the words of RFC 6749, 5.2.
type grantError struct {
	Code        string `json:"error"`
	Description string `json:"error_description"`
}

// Error returns the text for people, where there is one.
func (e *grantError) Error() string { return firstText(e.Description, e.Code) }

// postForm posts a form, which may hold secrets: a redirect is not followed.
func (c *Client) postForm(ctx context.Context, address string, form url.Values, out any) error {
	ctx, cancel := context.WithTimeout(ctx, loginTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, strings.NewReader(form.Encode()))
	if err != nil {
		return fmt.Errorf("make a request: %w", err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Accept", "application/json")
	h := *c.http
	h.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	resp, err := h.Do(req)
	if err != nil {
		return fmt.Errorf("%s could not be reached: %w", req.URL.Host, err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxErrorAnswer))
	if err != nil {
		return fmt.Errorf("%s could not be reached: %w", req.URL.Host, err)
	}
	if resp.StatusCode >= 200 && resp.StatusCode <= 299 {
		if err := json.Unmarshal(text, out); err != nil {
			return fmt.Errorf("%s answered with something that is no login", req.URL.Host)
		}
		return nil
	}
	var refused grantError
	if json.Unmarshal(text, &refused) != nil || refused.Code == "" {
		return fmt.Errorf("%s was answered with %s", req.URL.Redacted(), resp.Status)
	}
	return &refused
}
