package api

import (
	"context"
	"encoding/json"
	"errors"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/usefloww/flowwd/internal/access"
	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/identity"
	"github.com/usefloww/flowwd/internal/route"
)

// The addresses of the device login; each is below /api too.
const (
	deviceAuthorizePath = "/auth/device/authorize"
	deviceVerifyPath    = "/auth/device/verify"
	deviceTokenPath     = "/auth/device/token"
	tokenRefreshPath    = "/auth/token/refresh"
	tokenRevokePath     = "/auth/token/revoke"
)

const (
	grantDevice  = "urn:ietf:params:oauth:grant-type:device_code"
	grantRefresh = "refresh_token"
	// loginBody bounds a request of the device login; it is short.
	loginBody = 16 << 10
)

type deviceAuthorization struct {
	DeviceCode              string `json:"device_code"`
	UserCode                string `json:"user_code"`
	VerificationURI         string `json:"verification_uri"`
	VerificationURIComplete string `json:"verification_uri_complete"`
	ExpiresIn               int    `json:"expires_in"`
	Interval                int    `json:"interval"`
}

type tokenAnswer struct {
	AccessToken  string    `json:"access_token"`
	RefreshToken string    `json:"refresh_token"`
	TokenType    string    `json:"token_type"`
	ExpiresIn    int       `json:"expires_in"`
	User         tokenUser `json:"user"`
}

type tokenUser struct {
	ID        id.ID   `json:"id"`
	Email     *string `json:"email"`
	FirstName *string `json:"first_name"`
	LastName  *string `json:"last_name"`
}

// oauthProblem is how RFC 6749, 5.2, wants a refusal. Clients compare `error`,
// which everywhere else is a text for people.
type oauthProblem struct {
	Error       string `json:"error"`
	Description string `json:"error_description"`
}

// registerDeviceLogin registers V1 and V4 to V6 of identity-realtime-admin.md,
// 2.2: RFC 8628 with refresh tokens.
func registerDeviceLogin(r *route.Router, d Deps) {
	o := deviceLogin{d}
	for _, x := range []struct {
		path, id, summary string
		// refused is the status of a GrantError.
		refused int
		handle  func(context.Context, *http.Request, loginFields) (any, error)
	}{
		{deviceAuthorizePath, "begin-device-login", "Begin to log a command line in", http.StatusBadRequest, o.authorize},
		{deviceTokenPath, "poll-device-login", "Exchange a device code or a refresh token for an access token", http.StatusBadRequest, o.token},
		{tokenRefreshPath, "refresh-token", "Exchange a refresh token for an access token", http.StatusUnauthorized, o.refresh},
		{tokenRevokePath, "revoke-token", "End the login of a refresh token", http.StatusBadRequest, o.revoke},
	} {
		route.Raw(r, route.Spec{
			Method: http.MethodPost, Path: x.path, Aliases: []string{"/api" + x.path}, Policy: access.Public(access.LogIn),
			Body: true, BodyLimit: loginBody, OperationID: x.id, Summary: x.summary, Tag: "Identity",
			Description: "Takes a form or a JSON object, as RFC 8628 and RFC 6749 describe it.",
		}, route.NoObject(), func(w http.ResponseWriter, r *http.Request, c route.Call[route.None]) error {
			w.Header().Set("Cache-Control", "no-store")
			fields, err := readLoginFields(r.Header, c.Body)
			var answer any
			if err == nil {
				answer, err = x.handle(r.Context(), r, fields)
			}
			if err != nil {
				return refuseLogin(w, x.refused, err)
			}
			return route.WriteJSON(w, http.StatusOK, answer)
		})
	}
}

// refuseLogin answers a refusal in the words of RFC 6749. What is no refusal but
// a failure of the server is answered as everywhere.
func refuseLogin(w http.ResponseWriter, status int, err error) error {
	var grant *identity.GrantError
	var f *fault.Error
	switch errors.As(err, &f); {
	case errors.As(err, &grant):
	case fault.Is(err, fault.Invalid):
		status, grant = http.StatusBadRequest, &identity.GrantError{Code: "invalid_request", Description: f.Message}
	case fault.Is(err, fault.Limited):
		w.Header().Set("Retry-After", strconv.Itoa(int(f.RetryAfter.Seconds())))
		status, grant = http.StatusTooManyRequests, &identity.GrantError{Code: "temporarily_unavailable", Description: f.Message}
	default:
		return err
	}
	return route.WriteJSON(w, status, oauthProblem{Error: grant.Code, Description: grant.Description})
}

type deviceLogin struct{ Deps }

func (o deviceLogin) authorize(ctx context.Context, r *http.Request, in loginFields) (any, error) {
	name := in.get("device_name")
	if name == "" {
		name = r.UserAgent()
	}
	c, err := o.Devices.Begin(ctx, name, route.ClientAddress(ctx))
	if err != nil {
		return nil, err
	}
	page := o.PublicURL() + deviceVerifyPath
	return deviceAuthorization{
		DeviceCode: c.Secret, UserCode: c.UserCode,
		VerificationURI: page, VerificationURIComplete: page + "?user_code=" + url.QueryEscape(c.UserCode),
		ExpiresIn: int(identity.DeviceCodeTTL.Seconds()), Interval: int(c.Interval.Seconds()),
	}, nil
}

// token takes both grants: clients know one address for them (2.3).
func (o deviceLogin) token(ctx context.Context, r *http.Request, in loginFields) (any, error) {
	switch grant := in.get("grant_type"); grant {
	case grantDevice:
		code, err := in.require("device_code")
		if err != nil {
			return nil, err
		}
		t, err := o.Devices.Poll(ctx, code)
		return showTokens(t), err
	case grantRefresh:
		return o.refresh(ctx, r, in)
	case "":
		return nil, invalid("body.grant_type", "must be "+grantDevice+" or "+grantRefresh)
	default:
		return nil, &identity.GrantError{Code: "unsupported_grant_type", Description: "grant_type must be " + grantDevice + " or " + grantRefresh}
	}
}

func (o deviceLogin) refresh(ctx context.Context, _ *http.Request, in loginFields) (any, error) {
	text, err := in.require("refresh_token")
	if err != nil {
		return nil, err
	}
	t, err := o.Devices.Refresh(ctx, text)
	return showTokens(t), err
}

// revoke takes the name of RFC 7009 too. It does not tell whether there was such
// a token.
func (o deviceLogin) revoke(ctx context.Context, _ *http.Request, in loginFields) (any, error) {
	text := in.get("token")
	if text == "" {
		var err error
		if text, err = in.require("refresh_token"); err != nil {
			return nil, err
		}
	}
	return map[string]string{"message": "The login of this token has ended"}, o.Devices.Revoke(ctx, text)
}

func showTokens(t identity.Tokens) tokenAnswer {
	return tokenAnswer{
		AccessToken: t.Access, RefreshToken: t.Refresh, TokenType: "Bearer", ExpiresIn: int(t.ExpiresIn.Seconds()),
		User: tokenUser{
			ID: t.User.ID, Email: textOrNull(t.User.Email), FirstName: textOrNull(t.User.FirstName), LastName: textOrNull(t.User.LastName),
		},
	}
}

// loginFields are the fields of a form or the texts of a JSON object, by their
// names in lower case without underscores.
type loginFields map[string]string

func readLoginFields(h http.Header, body []byte) (loginFields, error) {
	fields := loginFields{}
	kind, _, _ := mime.ParseMediaType(h.Get("Content-Type"))
	if kind == jsonType {
		var object map[string]any
		if err := json.Unmarshal(body, &object); err != nil && len(body) > 0 {
			return nil, fault.Because(err, fault.Invalid, "The body is no JSON object")
		}
		for name, value := range object {
			if text, ok := value.(string); ok {
				fields[fieldName(name)] = text
			}
		}
		return fields, nil
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, fault.Because(err, fault.Invalid, "The body is no form")
	}
	for name := range form {
		fields[fieldName(name)] = form.Get(name)
	}
	return fields, nil
}

func fieldName(name string) string { return strings.ReplaceAll(strings.ToLower(name), "_", "") }

func (f loginFields) get(name string) string { return f[fieldName(name)] }

func (f loginFields) require(name string) (string, error) {
	if text := f.get(name); text != "" {
		return text, nil
	}
	return "", invalid("body."+name, "is required")
}
