package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Somebody with a password, for the figures of sessions and of the command
// line's own tokens.
const (
	adminEmail    = "bench@example.com"
	adminPassword = "measured again and again"
)

// adminEnv are the settings that make this account.
func adminEnv() []string {
	return []string{"FLOWW_ADMIN_EMAIL=" + adminEmail, "FLOWW_ADMIN_PASSWORD=" + adminPassword}
}

const formType = "application/x-www-form-urlencoded"

// rounds of requests, each one of every sort, so that all credentials see the same
// noise of the machine.
const authRounds = 4000

// credential is what a request shows that is measured, and where it goes.
type credential struct {
	name, path string
	status     int
	// header returns a header to send; nil for none.
	header func() (name, value string)
}

// measureAuth measures what a credential costs: how much longer a request takes
// that shows one and does nothing else, than one that needs none.
func measureAuth(ctx context.Context, o options, in installation, work string, r *report) error {
	p, err := startProvider()
	if err != nil {
		return err
	}
	defer p.stop()
	for _, one := range []struct {
		folder      string
		env         []string
		credentials func(context.Context, *server) ([]credential, error)
	}{
		{"password", adminEnv(), ownCredentials},
		{"oidc", []string{"AUTH_TYPE=oidc", "AUTH_ISSUER_URL=" + p.url, "AUTH_CLIENT_ID=bench", "AUTH_CLIENT_SECRET=bench"}, p.credentials},
	} {
		with := o
		with.env = one.env
		f, err := in.start(ctx, with, filepath.Join(work, "auth-"+one.folder))
		if err != nil {
			return err
		}
		credentials, err := one.credentials(ctx, f[0])
		if err != nil {
			return err
		}
		took, err := f[0].alternate(ctx, append([]credential{{name: "none", path: openPath, status: http.StatusOK}}, credentials...))
		if err != nil {
			return err
		}
		for i, c := range credentials {
			more := make(latencies, len(took[0]))
			for round := range more {
				more[round] = took[i+1][round] - took[0][round]
			}
			r.add("beside an open route: "+c.name, "p25 %s, p50 %s (open: p50 %s)", us(more.at(25)), us(more.at(50)), us(slices.Clone(took[0]).at(50)))
		}
		if err := f.stop(); err != nil {
			return err
		}
	}
	return nil
}

// us writes a duration in microseconds.
func us(d time.Duration) string { return fmt.Sprintf("%d µs", d.Microseconds()) }

// alternate shows all credentials in turn, over one connection, and returns how
// long the answers took, by credential and round.
func (s *server) alternate(ctx context.Context, credentials []credential) ([]latencies, error) {
	client := &http.Client{
		Transport:     &http.Transport{MaxConnsPerHost: 1},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	defer client.CloseIdleConnections()
	all := make([]latencies, len(credentials))
	for range authRounds {
		for _, i := range rand.Perm(len(credentials)) {
			took, err := s.show(ctx, client, credentials[i])
			if err != nil {
				return nil, err
			}
			all[i] = append(all[i], took)
		}
	}
	for i := range all {
		all[i] = all[i][authRounds/10:] // the first ones warm the server up
	}
	return all, nil
}

// show makes one request and returns how long the answer took.
func (s *server) show(ctx context.Context, client *http.Client, c credential) (time.Duration, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url+c.path, nil)
	if err != nil {
		return 0, err
	}
	if c.header != nil {
		name, value := c.header()
		req.Header.Set(name, value)
	}
	begin := time.Now()
	res, err := client.Do(req)
	if err != nil {
		return 0, err
	}
	defer res.Body.Close()
	if _, err := io.Copy(io.Discard, res.Body); err != nil {
		return 0, err
	}
	if res.StatusCode != c.status {
		return 0, fmt.Errorf("%s: %s answers %s", c.name, c.path, res.Status)
	}
	return time.Since(begin), nil
}

// homePath needs a credential and does nothing but to lead on.
const homePath = "/"

// openPath needs none, and asks the database nothing.
const openPath = "/api/config"

func bearer(text string) func() (string, string) {
	return func() (string, string) { return "Authorization", "Bearer " + text }
}

// ownCredentials are the credentials that the server itself gives out.
func ownCredentials(ctx context.Context, s *server) ([]credential, error) {
	browser, err := s.logIn(ctx)
	if err != nil {
		return nil, err
	}
	here, err := url.Parse(s.url)
	if err != nil {
		return nil, err
	}
	var session string
	for _, c := range browser.Jar.Cookies(here) {
		if c.Name == "session" {
			session = c.String()
		}
	}
	token, err := s.token(ctx, browser)
	return []credential{
		{"API key", homePath, http.StatusFound, bearer(s.key)},
		{"session cookie", homePath, http.StatusFound, func() (string, string) { return "Cookie", session }},
		{"JWT of this server", homePath, http.StatusFound, bearer(token)},
	}, err
}

// token gets what the command line gets for somebody who is logged in.
func (s *server) token(ctx context.Context, browser *http.Client) (string, error) {
	var code struct {
		DeviceCode string `json:"device_code"`
		UserCode   string `json:"user_code"`
	}
	var tokens struct {
		AccessToken string `json:"access_token"`
	}
	for _, step := range []struct {
		path string
		form func() url.Values
		into any
	}{
		{"/auth/device/authorize", func() url.Values { return nil }, &code},
		{"/auth/device/verify", func() url.Values { return url.Values{"user_code": {code.UserCode}, "decision": {"approve"}} }, nil},
		{"/auth/device/token", func() url.Values {
			return url.Values{"grant_type": {"urn:ietf:params:oauth:grant-type:device_code"}, "device_code": {code.DeviceCode}}
		}, &tokens},
	} {
		if err := s.form(ctx, browser, step.path, step.form(), step.into); err != nil {
			return "", err
		}
	}
	return tokens.AccessToken, nil
}

// form posts a form and reads the answer.
func (s *server) form(ctx context.Context, c *http.Client, path string, form url.Values, into any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url+path, strings.NewReader(form.Encode()))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", formType)
	res, err := c.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return err
	}
	if res.StatusCode >= http.StatusBadRequest {
		return fmt.Errorf("%s answers %s: %s", path, res.Status, body)
	}
	if into == nil {
		return nil
	}
	return json.NewDecoder(bytes.NewReader(body)).Decode(into)
}
