package centrifugo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httputil"
	"net/url"
	"path"
	"strings"
	"sync"
	"time"

	"github.com/usefloww/flowwd/internal/fault"
)

const (
	// loginTimeout bounds the login of this server at Centrifugo's admin pages.
	loginTimeout = 5 * time.Second
	// tokenAge is how long a token of theirs is used; Centrifugo's live longer.
	tokenAge = 10 * time.Minute
)

// Admin passes the admin pages of a Centrifugo server on to somebody who was let
// in before. This server logs in there by itself, so that the password never
// leaves it. Safe for concurrent use.
type Admin struct {
	server   *Server
	password string
	proxy    *httputil.ReverseProxy
	now      func() time.Time

	mu    sync.Mutex
	token string
	since time.Time
}

// NewAdmin returns the Admin of a server whose pages open with a password.
func NewAdmin(s *Server, password string, log *slog.Logger, now func() time.Time) (*Admin, error) {
	target, err := url.Parse(s.url)
	if err != nil {
		return nil, fmt.Errorf("read the address of Centrifugo: %w", err)
	}
	a := &Admin{server: s, password: password, now: now}
	a.proxy = &httputil.ReverseProxy{
		Transport: s.client.Transport,
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			r.Out.Host = target.Host
			// What opens this server is not for that one, nor who asks.
			r.Out.Header.Del("Cookie")
			r.Out.Header.Del("Authorization")
			r.Out.Header.Del("Origin")
			if token, ok := r.In.Context().Value(tokenKey{}).(string); ok {
				r.Out.Header.Set("Authorization", "token "+token)
			}
		},
		ErrorHandler: func(w http.ResponseWriter, r *http.Request, err error) {
			log.WarnContext(r.Context(), "the admin pages of Centrifugo were not reached", "error", err)
			http.Error(w, "Realtime server unavailable", http.StatusBadGateway)
		},
	}
	return a, nil
}

type tokenKey struct{}

// Serve passes a request on. The path is that at Centrifugo.
func (a *Admin) Serve(w http.ResponseWriter, r *http.Request, at string) error {
	at = path.Clean("/" + at)
	switch {
	case at == "/admin/init":
		// The pages need not ask for a password: this server has it.
		w.Header().Set("Content-Type", "application/json")
		_, err := io.WriteString(w, `{"insecure":true,"edition":"oss","authenticated":true}`)
		return err
	case at == "/admin/auth":
		return fault.New(fault.NotFound, "There is nothing at this address: the login of this server opens these pages")
	case !passed(at):
		return fault.New(fault.NotFound, "There is nothing at this address: only the admin pages of the realtime server are shown here")
	}
	if strings.HasPrefix(at, "/admin/") {
		token, err := a.login(r.Context())
		if err != nil {
			return fault.Because(err, fault.Unavailable, "Realtime server unavailable")
		}
		r = r.WithContext(context.WithValue(r.Context(), tokenKey{}, token))
	}
	r = r.Clone(r.Context())
	r.URL.Path, r.URL.RawPath = at, ""
	a.proxy.ServeHTTP(w, r)
	return nil
}

// passed reports whether a path belongs to the admin pages. The HTTP API and the
// doors of clients do not.
func passed(at string) bool {
	for _, closed := range []string{"/api", "/connection", "/ws", "/emulation", "/metrics", "/debug", "/swagger"} {
		if at == closed || strings.HasPrefix(at, closed+"/") {
			return false
		}
	}
	return true
}

// Open logs in at the admin pages, to see whether they open.
func (a *Admin) Open(ctx context.Context) error {
	_, err := a.login(ctx)
	return err
}

// login returns a token of the admin pages.
func (a *Admin) login(ctx context.Context) (string, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.token != "" && a.now().Sub(a.since) < tokenAge {
		return a.token, nil
	}
	ctx, cancel := context.WithTimeout(ctx, loginTimeout)
	defer cancel()
	form := url.Values{"password": {a.password}}.Encode()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, a.server.url+"/admin/auth", strings.NewReader(form))
	if err != nil {
		return "", fmt.Errorf("log in at Centrifugo: %w", err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	res, err := a.server.client.Do(r)
	if err != nil {
		return "", fmt.Errorf("log in at Centrifugo: %w", err)
	}
	defer res.Body.Close() //nolint:errcheck // it was read
	var answer struct {
		Token string `json:"token"`
	}
	if res.StatusCode != http.StatusOK {
		return "", fmt.Errorf("log in at Centrifugo: it answers %s; is its configuration the one of 'flowwd centrifugo config'?", res.Status)
	}
	if err := json.NewDecoder(io.LimitReader(res.Body, maxAnswer)).Decode(&answer); err != nil || answer.Token == "" {
		return "", errors.Join(errors.New("log in at Centrifugo: it gives no token"), err)
	}
	a.token, a.since = answer.Token, a.now()
	return a.token, nil
}
