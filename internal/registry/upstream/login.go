package upstream

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/registry"
)

// way is how the upstream wants to be shown who asks.
type way uint8

const (
	unknown way = iota
	open
	basic
	bearer
)

// login is what is known about logging in at the upstream.
type login struct {
	mu  sync.Mutex
	way way
	// realm gives tokens, for service.
	realm   *url.URL
	service string
	tokens  map[string]issued
	// refused is when the password was last refused: it is not shown with each
	// request then, lest this server is taken for somebody who guesses.
	refused time.Time
}

// issued is a token and when another is needed.
type issued struct {
	text  string
	until time.Time
}

const (
	// shortest is how long a token is good that does not say so, or less.
	shortest = time.Minute
	// spare is how long before its end a token is used no more: a request must
	// arrive with it.
	spare = 15 * time.Second
	// maxTokens bounds those that are kept, tokenSize one.
	maxTokens = 1000
	tokenSize = 64 << 10
	// refusedFor is how long a refused password is not shown again.
	refusedFor = 10 * time.Second
)

// scope is what a token for an organization's repository is asked for.
func (s *Storage) scope(organization id.ID) string {
	return "repository:" + s.repository(organization) + ":pull,push"
}

// authorization returns what shows the upstream who asks; empty for nothing.
func (s *Storage) authorization(ctx context.Context, scope string) (string, error) {
	s.login.mu.Lock()
	known, recently := s.login.way, s.Now().Sub(s.login.refused) < refusedFor
	s.login.mu.Unlock()
	if recently {
		return "", because(errRefused, "it did so a moment ago")
	}
	if known == unknown {
		res, err := s.once(ctx, request{method: http.MethodGet, url: s.URL.JoinPath(registry.Path)}, "")
		if err != nil {
			return "", err
		}
		defer res.Body.Close()
		if known, err = s.learn(res); err != nil {
			return "", err
		}
	}
	switch known {
	case basic:
		r := &http.Request{Header: http.Header{}}
		r.SetBasicAuth(s.User, s.Password)
		return r.Header.Get("Authorization"), nil
	case bearer:
		text, err := s.token(ctx, scope)
		return "Bearer " + text, err
	default:
		return "", nil
	}
}

// learn takes from an answer of the upstream itself how to log in.
func (s *Storage) learn(res *http.Response) (way, error) {
	found, realm, service := open, (*url.URL)(nil), ""
	if res.StatusCode == http.StatusUnauthorized {
		found = unknown
		for _, c := range challenges(res.Header.Values("WWW-Authenticate")) {
			switch {
			case c.scheme == "bearer" && c.params["realm"] != "":
				u, err := s.URL.Parse(c.params["realm"])
				if err != nil || !s.trusts(u) {
					return unknown, because(errNonsense, "it names %.200q to get tokens from, which is no address, or none with encryption", c.params["realm"])
				}
				found, realm, service = bearer, u, c.params["service"]
			case c.scheme == "basic" && found == unknown && s.Password != "":
				found = basic
			}
		}
		if found == unknown {
			return unknown, because(errRefused, "it asks for a user and a password, or for a way to log in that is not known")
		}
	}
	s.login.mu.Lock()
	defer s.login.mu.Unlock()
	s.login.way, s.login.realm, s.login.service = found, realm, service
	return found, nil
}

// trusts reports whether something may be asked of an address that the upstream
// names: one that is encrypted when the upstream is.
func (s *Storage) trusts(u *url.URL) bool {
	return u.User == nil && u.Host != "" && (u.Scheme == "https" || u.Scheme == "http" && s.URL.Scheme == "http")
}

// forget drops a token that the upstream did not take.
func (s *Storage) forget(scope string) {
	s.login.mu.Lock()
	defer s.login.mu.Unlock()
	delete(s.login.tokens, scope)
}

// token returns a token for a scope: one from before, or a new one.
func (s *Storage) token(ctx context.Context, scope string) (string, error) {
	s.login.mu.Lock()
	kept, there := s.login.tokens[scope]
	ask, service := s.login.realm, s.login.service
	s.login.mu.Unlock()
	if there && s.Now().Before(kept.until) {
		return kept.text, nil
	}
	if ask == nil {
		return "", because(errRefused, "it wants to be asked in another way now")
	}
	fresh, err := s.ask(ctx, *ask, service, scope)
	if err != nil {
		return "", err
	}
	s.login.mu.Lock()
	defer s.login.mu.Unlock()
	if len(s.login.tokens) >= maxTokens {
		clear(s.login.tokens)
	}
	s.login.tokens[scope] = fresh
	return fresh.text, nil
}

// ask gets a token from a realm. The password goes there and no further: a
// redirect is not followed.
func (s *Storage) ask(ctx context.Context, realm url.URL, service, scope string) (issued, error) {
	query := realm.Query()
	if service != "" {
		query.Set("service", service)
	}
	if scope != "" {
		query.Set("scope", scope)
	}
	realm.RawQuery = query.Encode()
	r := request{method: http.MethodGet, url: &realm, header: http.Header{}}
	shown := &http.Request{Header: r.header}
	if s.Password != "" {
		shown.SetBasicAuth(s.User, s.Password)
	}
	now := s.Now()
	res, err := s.once(ctx, r, shown.Header.Get("Authorization"))
	if err != nil {
		return issued{}, err
	}
	defer res.Body.Close()
	switch {
	case res.StatusCode == http.StatusUnauthorized:
		s.login.mu.Lock()
		s.login.refused = now
		s.login.mu.Unlock()
		return issued{}, because(errRefused, "%s, which gives tokens, answers 401", realm.Host)
	case res.StatusCode == http.StatusForbidden:
		return issued{}, because(errRefused, "%s, which gives tokens, answers 403 for %q", realm.Host, scope)
	case res.StatusCode != http.StatusOK:
		return issued{}, because(errFailing, "%s, which gives tokens, answers %d", realm.Host, res.StatusCode)
	}
	var body struct {
		Token   string  `json:"token"`
		Access  string  `json:"access_token"`
		Seconds float64 `json:"expires_in"`
	}
	content, err := io.ReadAll(io.LimitReader(res.Body, tokenSize))
	if err == nil {
		err = json.Unmarshal(content, &body)
	}
	if body.Token == "" {
		body.Token = body.Access
	}
	if err != nil || body.Token == "" || strings.ContainsFunc(body.Token, notInToken) {
		return issued{}, because(errNonsense, "%s gives no token that can be used", realm.Host)
	}
	life := max(time.Duration(min(body.Seconds, day.Seconds())*float64(time.Second)), shortest)
	return issued{text: body.Token, until: now.Add(life - spare)}, nil
}

const day = 24 * time.Hour

func notInToken(r rune) bool { return r <= ' ' || r > '~' }
