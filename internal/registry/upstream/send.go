package upstream

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/usefloww/flowwd/internal/registry"
)

// request is what is asked of another server. Its body is either content, which
// can be sent again, or sent.
type request struct {
	method  string
	url     *url.URL
	header  http.Header
	content []byte
	sent    *sent
	length  int64
	// wait bounds an answer that is small, from the beginning, and the wait for one
	// that is long; patience when it is zero.
	wait time.Duration
	long bool
}

// maxHops bounds redirects.
const maxHops = 5

// send asks the upstream for something in a scope, with credentials, and follows
// redirects of what is only read. The error is a refusal. The body of the answer
// must be closed.
func (s *Storage) send(ctx context.Context, scope string, r request) (*http.Response, error) {
	shown, err := s.authorization(ctx, scope)
	if err != nil {
		return nil, err
	}
	res, err := s.follow(ctx, r, shown)
	if err != nil || res.StatusCode != http.StatusUnauthorized || !s.isUpstream(res.Request.URL) {
		return res, err
	}
	// A token may have been taken back, or the way to log in is another now.
	s.forget(scope)
	_, err = s.learn(res)
	res.Body.Close()
	if err != nil {
		return nil, err
	}
	before := shown
	if shown, err = s.authorization(ctx, scope); err != nil {
		return nil, err
	}
	if shown == before {
		return nil, because(errRefused, "it answers 401")
	}
	return s.follow(ctx, r, shown)
}

// follow asks and follows redirects. Credentials are shown to the upstream alone.
func (s *Storage) follow(ctx context.Context, r request, shown string) (*http.Response, error) {
	for range maxHops {
		authorization := ""
		if s.isUpstream(r.url) {
			authorization = shown
		}
		res, err := s.once(ctx, r, authorization)
		if err != nil {
			return nil, err
		}
		to := res.Header.Get("Location")
		switch res.StatusCode {
		case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		default:
			return res, nil
		}
		res.Body.Close()
		next, err := r.url.Parse(to)
		switch {
		case r.method != http.MethodGet && r.method != http.MethodHead:
			return nil, because(errNonsense, "it redirects what is written, to %.200q; REGISTRY_URL must be the address that it redirects to", bare(to))
		case err != nil || !s.trusts(next):
			return nil, because(errNonsense, "it redirects to what is no address, or none with encryption")
		}
		r.url = next
	}
	return nil, because(errNonsense, "it redirects more than %d times", maxHops)
}

// bare takes off an address what may open something.
func bare(address string) string {
	address, _, _ = strings.Cut(address, "?")
	return address
}

// isUpstream reports whether an address is the upstream's own.
func (s *Storage) isUpstream(u *url.URL) bool {
	return u.Scheme == s.URL.Scheme && u.Hostname() == s.URL.Hostname() && port(u) == port(s.URL)
}

func port(u *url.URL) string {
	switch {
	case u.Port() != "":
		return u.Port()
	case u.Scheme == "https":
		return "443"
	default:
		return "80"
	}
}

// errStalled ends a request on which nothing happens.
var errStalled = errors.New("nothing happened for too long")

// once makes one request. The error is a refusal, and names no more of the
// address than its host: the rest may open something.
func (s *Storage) once(ctx context.Context, r request, authorization string) (*http.Response, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	if r.wait == 0 {
		r.wait = s.times.patience
	}
	stall := time.AfterFunc(r.wait, func() { cancel(errStalled) })
	var body io.Reader = http.NoBody
	switch {
	case r.sent != nil:
		first, err := r.sent.attempt(stall, s.times)
		if err != nil {
			stall.Stop()
			cancel(nil)
			return nil, because(errSilent, "it took back in the middle what it gave before")
		}
		body = first
	case r.content != nil:
		body = bytes.NewReader(r.content)
	}
	asked, err := http.NewRequestWithContext(ctx, r.method, r.url.String(), body)
	if err != nil {
		stall.Stop()
		cancel(nil)
		return nil, because(errNonsense, "no request can be made of what it says")
	}
	if r.sent != nil {
		asked.ContentLength = r.length
		asked.GetBody = func() (io.ReadCloser, error) { return r.sent.attempt(stall, s.times) }
	}
	if r.header != nil {
		asked.Header = r.header.Clone()
	}
	asked.Header.Set("User-Agent", s.Agent)
	if authorization != "" {
		asked.Header.Set("Authorization", authorization)
	}
	res, err := s.transport.RoundTrip(asked)
	if err != nil {
		stall.Stop()
		cause := context.Cause(ctx)
		cancel(nil)
		return nil, fmt.Errorf("%w: ask %s: %w", kindOf(err, cause), r.url.Host, plain(err))
	}
	res.Body = &received{ReadCloser: res.Body, stall: stall, cancel: cancel, long: r.long, idle: s.times.idle}
	return res, nil
}

// kindOf says what is the matter with a request that was not answered.
func kindOf(err, cause error) *registry.Error {
	var wrong *tls.CertificateVerificationError
	var slow interface{ Timeout() bool }
	switch {
	case errors.Is(cause, errStalled) || errors.As(err, &slow) && slow.Timeout():
		return errSilent
	case errors.As(err, &wrong):
		return errFailing
	default:
		return errUnreachable
	}
}

// plain takes the address off an error of the client.
func plain(err error) error {
	var named *url.Error
	if errors.As(err, &named) {
		return named.Err
	}
	return err
}
