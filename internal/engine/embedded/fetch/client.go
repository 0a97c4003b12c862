package fetch

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/usefloww/flowwd/internal/tracing"
)

// Limits of one request and its answer.
const (
	MaxRequest  = 10 << 20
	MaxResponse = 50 << 20
	maxHeaders  = 256 << 10
	maxHops     = 20
)

// Config says how a Client behaves. The zero value is one for the public
// internet.
type Config struct {
	Policy Policy
	// Own are the addresses that this server listens on; nil for none.
	Own func() []netip.AddrPort
	// Resolver looks names up; nil for the system's.
	Resolver *net.Resolver
	// Roots are the certificates that are trusted; nil for the system's.
	Roots *x509.CertPool
	// MaxResponse bounds the body of an answer, in bytes. Default MaxResponse.
	MaxResponse int64
}

// Client makes requests. It is safe for concurrent use.
type Client struct {
	config           Config
	transport        *http.Transport
	requests, denied atomic.Int64
}

// New returns a client. Close it at the end.
func New(config Config) *Client {
	if config.MaxResponse == 0 {
		config.MaxResponse = MaxResponse
	}
	c := &Client{config: config}
	c.transport = c.newTransport()
	return c
}

// Close ends the connections that wait for requests.
func (c *Client) Close() { c.transport.CloseIdleConnections() }

// Counts are how many requests were made, and how many of them were refused.
func (c *Client) Counts() (requests, refused int64) { return c.requests.Load(), c.denied.Load() }

// Request is what code asks for.
type Request struct {
	URL, Method string
	Headers     [][2]string
	// Redirect is "follow", "manual" or "error".
	Redirect string
	Body     []byte
}

// Response is an answer. Its body is decompressed, bounded, and closed by the
// caller; nil when there is none.
type Response struct {
	Status     int
	StatusText string
	URL        string
	Redirected bool
	Headers    [][2]string
	Body       io.ReadCloser
	// Length is that of the body; -1 when unknown.
	Length int64
}

// Do makes a request. The error is a text for the author of the code.
func (c *Client) Do(ctx context.Context, r Request) (response *Response, err error) {
	c.requests.Add(1)
	ctx, span := tracing.Start(ctx, "fetch")
	defer func() { span.End(err) }()
	request, err := c.request(ctx, r)
	if err != nil {
		return nil, err
	}
	span.Text("http.request.method", request.Method)
	span.Text("server.address", request.URL.Hostname())
	hops := 0
	client := &http.Client{Transport: c.transport, CheckRedirect: func(next *http.Request, _ []*http.Request) error {
		hops++
		return checkRedirect(r.Redirect, hops, next)
	}}
	answer, err := client.Do(request)
	if err != nil {
		return nil, c.explain(err)
	}
	span.Number("http.response.status_code", answer.StatusCode)
	return c.response(answer, hops > 0 && r.Redirect != "manual")
}

func (c *Client) request(ctx context.Context, r Request) (*http.Request, error) {
	if len(r.Body) > MaxRequest {
		return nil, fmt.Errorf("the body of the request has %d bytes; at most %d are allowed", len(r.Body), MaxRequest)
	}
	u, err := url.Parse(r.URL)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, fmt.Errorf("%.200q is no address of http or https", r.URL)
	}
	var body io.Reader
	if len(r.Body) > 0 {
		body = bytes.NewReader(r.Body)
	}
	request, err := http.NewRequestWithContext(ctx, r.Method, u.String(), body)
	if err != nil {
		return nil, err
	}
	for _, h := range r.Headers {
		if name := strings.ToLower(h[0]); name == "host" {
			request.Host = h[1]
		} else if !isOurs(name) {
			request.Header.Add(h[0], h[1])
		}
	}
	for name, value := range map[string]string{"User-Agent": "flowwd", "Accept": "*/*"} {
		if request.Header.Get(name) == "" {
			request.Header.Set(name, value)
		}
	}
	request.Header.Set("Accept-Encoding", "gzip, deflate")
	return request, nil
}

// isOurs reports whether a header is about the connection, which is not the
// code's.
func isOurs(name string) bool {
	switch name {
	case "connection", "content-length", "transfer-encoding", "keep-alive", "upgrade", "te", "trailer", "expect", "accept-encoding",
		"proxy-connection", "proxy-authorization":
		return true
	}
	return false
}

func checkRedirect(mode string, hops int, next *http.Request) error {
	switch {
	case mode == "manual":
		return http.ErrUseLastResponse
	case mode == "error":
		return errors.New("the answer is a redirect, which the request does not allow")
	case hops > maxHops:
		return fmt.Errorf("there are more than %d redirects", maxHops)
	case next.URL.Scheme != "http" && next.URL.Scheme != "https":
		return fmt.Errorf("a redirect leads to %q; only http: and https: are available", next.URL.Scheme+":")
	}
	return nil
}

func (c *Client) response(answer *http.Response, redirected bool) (*Response, error) {
	_, text, _ := strings.Cut(answer.Status, " ")
	r := &Response{Status: answer.StatusCode, StatusText: text, URL: answer.Request.URL.String(), Redirected: redirected, Length: answer.ContentLength}
	for name, values := range answer.Header {
		for _, v := range values {
			r.Headers = append(r.Headers, [2]string{name, latin1(v)})
		}
	}
	if answer.Request.Method == http.MethodHead || answer.StatusCode == http.StatusNoContent || answer.StatusCode == http.StatusNotModified || answer.ContentLength == 0 {
		return r, answer.Body.Close()
	}
	body, decoded, err := decode(answer.Header.Get("Content-Encoding"), answer.Body)
	if err != nil {
		return nil, errors.Join(err, answer.Body.Close())
	}
	if decoded {
		r.Length = -1
	}
	r.Body = &bounded{from: body, close: answer.Body, left: c.config.MaxResponse, limit: c.config.MaxResponse}
	return r, nil
}

// latin1 makes a value of bytes one of characters, as JavaScript has it.
func latin1(value string) string {
	for i := range len(value) {
		if value[i] >= 0x80 {
			out := make([]rune, len(value))
			for k := range len(value) {
				out[k] = rune(value[k])
			}
			return string(out)
		}
	}
	return value
}

// explain puts an error of the HTTP client into words for an author.
func (c *Client) explain(err error) error {
	if refused, ok := errors.AsType[*Refused](err); ok {
		c.denied.Add(1)
		return refused
	}
	if at, ok := errors.AsType[*url.Error](err); ok {
		err = at.Err
	}
	if dns, ok := errors.AsType[*net.DNSError](err); ok {
		if dns.IsNotFound {
			return fmt.Errorf("there is no host %q", dns.Name)
		}
		return fmt.Errorf("the name %q could not be looked up", dns.Name)
	}
	return err
}

const (
	dialTimeout      = 30 * time.Second
	handshakeTimeout = 15 * time.Second
	idleTimeout      = 30 * time.Second
)

func (c *Client) newTransport() *http.Transport {
	t := &http.Transport{
		// No Proxy: that of the environment is the server's.
		DialContext:            c.dial,
		DisableCompression:     true,
		ForceAttemptHTTP2:      true,
		TLSHandshakeTimeout:    handshakeTimeout,
		IdleConnTimeout:        idleTimeout,
		MaxIdleConns:           256,
		MaxIdleConnsPerHost:    8,
		MaxResponseHeaderBytes: maxHeaders,
	}
	if c.config.Roots != nil {
		t.TLSClientConfig = trust(c.config.Roots)
	}
	return t
}

// dial connects to a host. The policy sees each address that is tried.
func (c *Client) dial(ctx context.Context, network, address string) (net.Conn, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	name := strings.ToLower(strings.TrimSuffix(host, "."))
	if err := c.config.Policy.checkName(name); err != nil {
		return nil, err
	}
	dialer := &net.Dialer{
		Timeout:  dialTimeout,
		Resolver: c.config.Resolver,
		Control: func(_, address string, _ syscall.RawConn) error {
			at, err := netip.ParseAddrPort(address)
			if err != nil {
				return err
			}
			return c.config.Policy.check(name, at, c.isOwn)
		},
	}
	return dialer.DialContext(ctx, network, address)
}

// isOwn reports whether an address is one that this server listens on.
func (c *Client) isOwn(at netip.AddrPort) bool {
	if c.config.Own == nil {
		return false
	}
	for _, own := range c.config.Own() {
		if own.Port() != at.Port() {
			continue
		}
		if own.Addr().Unmap() == at.Addr() || own.Addr().IsUnspecified() && isLocal(at.Addr()) {
			return true
		}
	}
	return false
}

// isLocal reports whether an address is one of this machine.
func isLocal(addr netip.Addr) bool {
	all, err := net.InterfaceAddrs()
	if err != nil {
		return true // rather too much than too little
	}
	for _, a := range all {
		if network, ok := a.(*net.IPNet); ok {
			if local, ok := netip.AddrFromSlice(network.IP); ok && local.Unmap() == addr {
				return true
			}
		}
	}
	return false
}
