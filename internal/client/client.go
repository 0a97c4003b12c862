package client

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Client calls the API of one server. Safe for concurrent use.
type Client struct {
	// Namespace is the one that new workflows are made in; empty stands for
	// the only one there is.
	Namespace string
	// Credential returns the bearer credential of a request when New got none,
	// empty for none; nil for nothing else.
	Credential func(ctx context.Context) (string, error)
	// Docker is how images are built and pushed.
	Docker Docker
	// Progress is told what deploying does that takes long; nil for nobody.
	Progress io.Writer

	base  *url.URL
	token string
	http  *http.Client
	// wait is pause, but for tests.
	wait func(context.Context, time.Duration) error
}

// New returns a client of the server at an address such as
// "http://127.0.0.1:8080", which authenticates with an API key. The HTTP
// client must not have a timeout, because Follow lasts as long as a run.
func New(baseURL, token string, h *http.Client) (*Client, error) {
	base, err := url.Parse(strings.TrimSpace(baseURL))
	if err != nil || base.Host == "" || (base.Scheme != "http" && base.Scheme != "https") {
		return nil, fmt.Errorf("%q is not the address of a server; it must look like http://127.0.0.1:8080", baseURL)
	}
	base.RawQuery, base.Fragment = "", ""
	return &Client{base: base, token: strings.TrimSpace(token), http: h, wait: pause}, nil
}

// address returns the URL of a path below the server's.
func (c *Client) address(path string, query url.Values) string {
	u := c.base.JoinPath(path)
	u.RawQuery = query.Encode()
	return u.String()
}
