package api

import (
	"context"
	"errors"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/identity"
)

// fakeDevices notes what it is asked and answers what a test puts in.
type fakeDevices struct {
	asked  []string
	all    []identity.Device
	answer identity.Tokens
	err    error
}

func (f *fakeDevices) Begin(_ context.Context, name, address string) (identity.NewDeviceCode, error) {
	f.asked = append(f.asked, "begin "+name+" at "+address)
	return identity.NewDeviceCode{Secret: "secret", DeviceCode: identity.DeviceCode{UserCode: "ABCD-EFGH", Interval: identity.PollInterval}}, f.err
}

func (f *fakeDevices) Poll(_ context.Context, code string) (identity.Tokens, error) {
	f.asked = append(f.asked, "poll "+code)
	return f.answer, f.err
}

func (f *fakeDevices) Refresh(_ context.Context, token string) (identity.Tokens, error) {
	f.asked = append(f.asked, "refresh "+token)
	return f.answer, f.err
}

func (f *fakeDevices) Revoke(_ context.Context, token string) error {
	f.asked = append(f.asked, "revoke "+token)
	return f.err
}

func (f *fakeDevices) List(context.Context, identity.Principal) ([]identity.Device, error) {
	return f.all, f.err
}

func (f *fakeDevices) End(_ context.Context, p identity.Principal, device id.ID) error {
	f.asked = append(f.asked, "end "+device.String()+" of "+p.ID.String())
	return f.err
}

type fakeLogin struct {
	own    bool
	client identity.ClientConfig
}

func (f *fakeLogin) Provider() string { return "oidc" }

func (f *fakeLogin) Client(context.Context) (identity.ClientConfig, bool) { return f.client, f.own }

const (
	form     = "Content-Type: application/x-www-form-urlencoded"
	jsonBody = "Content-Type: application/json; charset=utf-8"
)

func TestDeviceLogin(t *testing.T) {
	t.Parallel()
	grant := url.QueryEscape(grantDevice)
	tokens := identity.Tokens{Access: "a", Refresh: "r", ExpiresIn: identity.AccessTokenTTL, User: identity.User{ID: n(8), Profile: identity.Profile{Email: "ada@example.com", FirstName: "Ada"}}}
	const tokensBody = `{"access_token":"a","refresh_token":"r","token_type":"Bearer","expires_in":3600,
		"user":{"id":"#8","email":"ada@example.com","first_name":"Ada","last_name":null}}`
	const codeBody = `{"device_code":"secret","user_code":"ABCD-EFGH","verification_uri":"https://flows.example/auth/device/verify",
		"verification_uri_complete":"https://flows.example/auth/device/verify?user_code=ABCD-EFGH","expires_in":900,"interval":5}`
	pending := &identity.GrantError{Code: "authorization_pending", Description: "Nobody yet"}
	invalidGrant := &identity.GrantError{Code: "invalid_grant", Description: "Not valid"}
	limited := fault.New(fault.Limited, "Too many")
	limited.RetryAfter = 60e9
	for _, tc := range []struct {
		name, path, body, kind string
		err                    error
		asked                  string
		status                 int
		want                   string
	}{
		{"authorize", deviceAuthorizePath, "client_id=password-auth", form, nil, "begin shell at 192.0.2.1", 200, codeBody},
		{"authorize with nothing", deviceAuthorizePath, "", "X: y", nil, "begin shell at 192.0.2.1", 200, codeBody},
		{"authorize with a name", deviceAuthorizePath, `{"deviceName":"laptop","scopes":[]}`, jsonBody, nil, "begin laptop at 192.0.2.1", 200, codeBody},
		{"too many wait", deviceAuthorizePath, "", form, limited, "begin shell at 192.0.2.1", 429, `{"error":"temporarily_unavailable","error_description":"Too many"}`},
		{"poll", deviceTokenPath, "grant_type=" + grant + "&device_code=c&client_id=x", form, nil, "poll c", 200, tokensBody},
		{"poll with JSON", deviceTokenPath, `{"grantType":"` + grantDevice + `","device_code":"c"}`, jsonBody, nil, "poll c", 200, tokensBody},
		{"poll too early", deviceTokenPath, "grant_type=" + grant + "&device_code=c", form, pending, "poll c", 400, `{"error":"authorization_pending","error_description":"Nobody yet"}`},
		{"refresh", deviceTokenPath, "grant_type=refresh_token&refresh_token=r0", form, nil, "refresh r0", 200, tokensBody},
		{"refresh refused", deviceTokenPath, "grant_type=refresh_token&refresh_token=r0", form, invalidGrant, "refresh r0", 400, `{"error":"invalid_grant","error_description":"Not valid"}`},
		{"refresh at its own address", tokenRefreshPath, `{"refreshToken":"r0"}`, jsonBody, nil, "refresh r0", 200, tokensBody},
		{"refresh refused there", tokenRefreshPath, "refresh_token=r0", form, invalidGrant, "refresh r0", 401, `{"error":"invalid_grant","error_description":"Not valid"}`},
		{"another grant", deviceTokenPath, "grant_type=password", form, nil, "", 400, `{"error":"unsupported_grant_type","error_description":"grant_type must be ` + grantDevice + ` or refresh_token"}`},
		{"no grant", deviceTokenPath, "device_code=c", form, nil, "", 400, `{"error":"invalid_request","error_description":"body.grant_type: must be ` + grantDevice + ` or refresh_token"}`},
		{"no device code", deviceTokenPath, "grant_type=" + grant, form, nil, "", 400, `{"error":"invalid_request","error_description":"body.device_code: is required"}`},
		{"no refresh token", tokenRefreshPath, `{"refresh_token":7}`, jsonBody, nil, "", 400, `{"error":"invalid_request","error_description":"body.refresh_token: is required"}`},
		{"no JSON", tokenRefreshPath, "refresh_token=r", jsonBody, nil, "", 400, `{"error":"invalid_request","error_description":"The body is no JSON object"}`},
		{"no form", tokenRefreshPath, "refresh_token=%zz", form, nil, "", 400, `{"error":"invalid_request","error_description":"The body is no form"}`},
		{"revoke", tokenRevokePath, "refresh_token=r0", form, nil, "revoke r0", 200, `{"message":"The login of this token has ended"}`},
		{"revoke by the name of RFC 7009", tokenRevokePath, "token=r0", form, nil, "revoke r0", 200, `{"message":"The login of this token has ended"}`},
		{"revoke nothing", tokenRevokePath, "", form, nil, "", 400, `{"error":"invalid_request","error_description":"body.refresh_token: is required"}`},
	} {
		for _, mount := range []string{"", "/api"} {
			t.Run(tc.name+mount, func(t *testing.T) {
				t.Parallel()
				w := newWorld(t)
				w.devices.answer, w.devices.err = tokens, tc.err
				r := w.ask(t, "POST", mount+tc.path, tc.body, "Authorization: ", "User-Agent: shell", tc.kind)
				wantJSON(t, r, tc.status, tc.want)
				if diff := cmp.Diff(tc.asked, strings.Join(w.devices.asked, ", ")); diff != "" {
					t.Errorf("asked (-want +got):\n%s", diff)
				}
				if got := r.header.Get("Cache-Control"); got != "no-store" {
					t.Errorf("Cache-Control is %q", got)
				}
				if got := r.header.Get("Retry-After"); (got == "60") != (tc.status == 429) {
					t.Errorf("Retry-After is %q", got)
				}
			})
		}
	}
}

func TestDeviceLoginFails(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.devices.err = errors.New("secret reason")
	wantError(t, w.ask(t, "POST", tokenRefreshPath, "refresh_token=r", form), 500, "Something went wrong")
	wantError(t, w.ask(t, "POST", tokenRefreshPath, "refresh_token="+strings.Repeat("r", loginBody), form), 413, "too large")
}

func TestDevices(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	wantJSON(t, w.ask(t, "GET", "/api/devices", ""), 200, `{"results":[],"total":0}`)
	w.devices.all = []identity.Device{{ID: n(7), UserID: n(memberNumber), Name: "laptop", Address: "192.0.2.1", CreatedAt: clock, SeenAt: clock, ExpiresAt: clock}}
	const at = `"2026-03-04T04:06:07.008Z"`
	wantJSON(t, w.ask(t, "GET", "/api/devices", ""), 200, `{"results":[{"id":"#7","name":"laptop","address":"192.0.2.1","current":false,
		"createdAt":`+at+`,"lastSeenAt":`+at+`,"expiresAt":`+at+`}],"total":1}`)
	wantJSON(t, w.ask(t, "DELETE", ids("/api/devices/#7"), ""), 200, `{"id":"#7","message":"The command line was logged out","success":true}`)
	wantError(t, w.ask(t, "DELETE", "/api/devices/x", ""), 404, "no command line")
	if diff := cmp.Diff([]string{ids("end #7 of #9")}, w.devices.asked); diff != "" {
		t.Error(diff)
	}
	wantError(t, w.ask(t, "GET", "/api/devices", "", "Authorization: "), 401, "No credentials")
}

func TestConfig(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const rest = `"websocket_url":"wss://flows.example/ws/connection/websocket","is_cloud":false,"stripe_publishable_key":null,
		"features":{"billing":false,"singleOrg":false,"images":false},"limits":{"maxWorkflows":null,"maxExecutionsPerMonth":null},"version":"1.2.3"}`
	w.login.client = identity.ClientConfig{ClientID: identity.OwnClientID, Issuer: identity.TokenIssuer}
	wantJSON(t, w.ask(t, "GET", "/api/config", "", "Authorization: "), 200, `{"auth":{"provider":"oidc","client_id":"password-auth",
		"device_authorization_endpoint":"https://flows.example/auth/device/authorize","token_endpoint":"https://flows.example/auth/device/token",
		"authorization_endpoint":"","issuer":"floww-password-auth","jwks_uri":""},`+rest)
	w.login.own = false
	w.login.client = identity.ClientConfig{
		ClientID: "c", DeviceURL: "https://p/device", TokenURL: "https://p/token", AuthorizationURL: "https://p/authorize",
		Issuer: "https://p", KeysURL: "https://p/keys", Audience: "aud",
	}
	wantJSON(t, w.ask(t, "GET", "/api/config", ""), 200, `{"auth":{"provider":"oidc","client_id":"c",
		"device_authorization_endpoint":"https://p/device","token_endpoint":"https://p/token",
		"authorization_endpoint":"https://p/authorize","issuer":"https://p","jwks_uri":"https://p/keys","audience":"aud"},`+rest)
}
