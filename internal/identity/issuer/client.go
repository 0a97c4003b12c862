package issuer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"
)

const (
	// requestTimeout bounds a whole request to a provider.
	requestTimeout = 10 * time.Second
	// maxAnswer is the greatest answer of a provider in bytes. Key sets with
	// certificates have some ten thousand.
	maxAnswer    = 1 << 20
	maxRedirects = 3
)

var errAnswerTooLarge = fmt.Errorf("the answer has more than %d bytes", maxAnswer)

// NewClient returns a client for requests to a provider. Requests and answers
// are bounded, and a redirect to another host is not followed: what the
// provider's host does not say itself, nobody vouches for.
func NewClient() *http.Client {
	transport := &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		ForceAttemptHTTP2:   true,
		MaxIdleConns:        16,
		IdleConnTimeout:     time.Minute,
		TLSHandshakeTimeout: requestTimeout,
	}
	return &http.Client{
		Transport: bounded{transport},
		Timeout:   requestTimeout,
		CheckRedirect: func(next *http.Request, via []*http.Request) error {
			if len(via) > maxRedirects || next.URL.Host != via[0].URL.Host || next.URL.Scheme != via[0].URL.Scheme {
				return http.ErrUseLastResponse
			}
			return nil
		},
	}
}

// bounded fails the reading of an answer that is too large.
type bounded struct{ next http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := b.next.RoundTrip(r)
	if err == nil {
		response.Body = &boundedBody{ReadCloser: response.Body, left: maxAnswer}
	}
	return response, err
}

// CloseIdleConnections is what http.Client.CloseIdleConnections looks for.
func (b bounded) CloseIdleConnections() {
	if t, ok := b.next.(*http.Transport); ok {
		t.CloseIdleConnections()
	}
}

type boundedBody struct {
	io.ReadCloser
	left int
}

func (b *boundedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if b.left -= n; b.left < 0 {
		return 0, errAnswerTooLarge
	}
	return n, err
}

// GetJSON reads the JSON that is published at an address. The bearer goes along
// when there is one.
func GetJSON(ctx context.Context, client *http.Client, address, bearer string, into any) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return fmt.Errorf("read %s: %w", address, err)
	}
	r.Header.Set("Accept", "application/json")
	if bearer != "" {
		r.Header.Set("Authorization", "Bearer "+bearer)
	}
	response, err := client.Do(r)
	if err != nil {
		return fmt.Errorf("read what the provider publishes: %w", err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("read %s: the provider answers %s", address, response.Status)
	}
	if err := json.NewDecoder(response.Body).Decode(into); err != nil {
		return fmt.Errorf("read %s: %w", address, err)
	}
	return nil
}

// CheckEndpoint refuses an address that a provider names and that is weaker
// than the provider's own: none, or one without TLS.
func CheckEndpoint(provider, endpoint string) error {
	own, err := url.Parse(provider)
	if err != nil {
		return err
	}
	u, err := url.Parse(endpoint)
	switch {
	case err != nil:
		return err
	case u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		return fmt.Errorf("%q is no address", endpoint)
	case u.Scheme == "http" && own.Scheme == "https":
		return errors.New(endpoint + " has no TLS, but its provider has")
	}
	return nil
}
