package fetch

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"sync"
)

// Proxy is a proxy of HTTP for code that has no network of its own: it connects
// to what the policy of a client allows.
type Proxy struct {
	client  *Client
	forward *httputil.ReverseProxy
}

// NewProxy returns a proxy that goes by the policy of a client, which counts its
// connections.
func NewProxy(c *Client) *Proxy {
	p := &Proxy{client: c}
	p.forward = &httputil.ReverseProxy{
		Rewrite:      func(r *httputil.ProxyRequest) { r.Out.Host = r.In.Host },
		Transport:    c.transport,
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, err error) { deny(w, c.explain(err)) },
	}
	return p
}

// ServeHTTP serves CONNECT, and requests for whole addresses.
func (p *Proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.client.requests.Add(1)
	if r.Method == http.MethodConnect {
		p.tunnel(w, r)
		return
	}
	if r.URL.Scheme != "http" {
		http.Error(w, "only http: goes without a tunnel", http.StatusBadRequest)
		return
	}
	p.forward.ServeHTTP(w, r)
}

// tunnel joins the connection of a request with one to what it names.
func (p *Proxy) tunnel(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), dialTimeout)
	defer cancel()
	out, err := p.client.dial(ctx, "tcp", r.Host)
	if err != nil {
		deny(w, p.client.explain(err))
		return
	}
	defer out.Close()
	controller := http.NewResponseController(w)
	in, buffered, err := controller.Hijack()
	if err != nil {
		http.Error(w, "this connection can be no tunnel", http.StatusInternalServerError)
		return
	}
	defer in.Close()
	if _, err := io.WriteString(in, "HTTP/1.1 200 Connection established\r\n\r\n"); err != nil {
		return
	}
	var both sync.WaitGroup
	both.Go(func() { carry(out, buffered, in, out) })
	both.Go(func() { carry(in, out, in, out) })
	both.Wait()
}

// carry copies until one end has had enough, and closes both.
func carry(to io.Writer, from io.Reader, ends ...net.Conn) {
	_, _ = io.Copy(to, from) // why it ended makes no difference
	for _, end := range ends {
		_ = end.Close()
	}
}

// deny says why there is no connection, for the author of the code.
func deny(w http.ResponseWriter, err error) {
	status := http.StatusBadGateway
	if _, refused := errors.AsType[*Refused](err); refused {
		status = http.StatusForbidden
	}
	http.Error(w, err.Error(), status)
}
