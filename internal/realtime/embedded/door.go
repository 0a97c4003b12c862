package embedded

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/centrifugal/centrifuge"

	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/identity"
)

// doors are the ways in.
type doors struct {
	websocket, sse, stream, emulation http.Handler
}

// pings are how often a client that says nothing is asked whether it is there.
var pings = centrifuge.PingPongConfig{PingInterval: 25 * time.Second, PongTimeout: 10 * time.Second}

func (n *Node) open() doors {
	return doors{
		websocket: centrifuge.NewWebsocketHandler(n.node, centrifuge.WebsocketConfig{
			// Checked before, in the same way for all doors.
			CheckOrigin:      func(*http.Request) bool { return true },
			MessageSizeLimit: maxFrame, WriteTimeout: 5 * time.Second, PingPongConfig: pings,
			// Most connections are idle most of the time, and must not keep for it what
			// a frame takes while it is worked on.
			UseWriteBufferPool: true, ReadBufferSize: readBuffer, ProcessCommandsOffReadLoop: true,
		}),
		sse:       centrifuge.NewSSEHandler(n.node, centrifuge.SSEConfig{MaxRequestBodySize: maxFrame, PingPongConfig: pings}),
		stream:    centrifuge.NewHTTPStreamHandler(n.node, centrifuge.HTTPStreamConfig{MaxRequestBodySize: maxFrame, PingPongConfig: pings}),
		emulation: centrifuge.NewEmulationHandler(n.node, centrifuge.EmulationConfig{MaxRequestBodySize: maxFrame}),
	}
}

// Door serves connections of one kind.
type Door func(w http.ResponseWriter, r *http.Request, address string) error

// Websocket serves the websocket of the client protocol. The library keeps the
// request for as long as the connection is open, so it gets one that holds
// nothing of how it came here, and no headers once they were read.
func (n *Node) Websocket(w http.ResponseWriter, r *http.Request, address string) error {
	return n.enter(r, address, func(c identity.Credential) {
		kept := &http.Request{
			Method: r.Method, URL: r.URL, Proto: r.Proto, ProtoMajor: r.ProtoMajor, ProtoMinor: r.ProtoMinor, Header: r.Header, Host: r.Host,
		}
		kept = kept.WithContext(withCredential(context.Background(), c))
		n.doors.websocket.ServeHTTP(w, kept)
		kept.Header = nil
	})
}

// ServerSentEvents serves the fallback by server-sent events.
func (n *Node) ServerSentEvents(w http.ResponseWriter, r *http.Request, address string) error {
	return n.pass(n.doors.sse, w, r, address)
}

// Stream serves the fallback by HTTP streaming.
func (n *Node) Stream(w http.ResponseWriter, r *http.Request, address string) error {
	return n.pass(n.doors.stream, w, r, address)
}

// Emulate takes what clients of the fallbacks send.
func (n *Node) Emulate(w http.ResponseWriter, r *http.Request, address string) error {
	return n.pass(n.doors.emulation, w, r, address)
}

func (n *Node) pass(door http.Handler, w http.ResponseWriter, r *http.Request, address string) error {
	return n.enter(r, address, func(c identity.Credential) { door.ServeHTTP(w, r.WithContext(withCredential(r.Context(), c))) })
}

func withCredential(ctx context.Context, c identity.Credential) context.Context {
	return context.WithValue(ctx, credentialKey{}, c)
}

// enter lets a request in with its credential. A page of another site must not
// connect with the cookie of its reader.
func (n *Node) enter(r *http.Request, address string, serve func(identity.Credential)) error {
	if !n.fromHere(r) {
		return fault.New(fault.Denied, "Pages of %.100q may not connect here; FLOWW_CORS_ORIGINS lists the sites that may", r.Header.Get("Origin"))
	}
	if n.node.Hub().NumClients() >= n.config.Connections {
		return fault.New(fault.Unavailable, "%d realtime connections are open, which is the limit; try again later", n.config.Connections)
	}
	credential := identity.Credential{Bearer: bearer(r.Header.Get("Authorization")), Address: address, Host: r.Host}
	if cookie, err := r.Cookie(identity.SessionCookie); err == nil {
		credential.Cookie = cookie.Value
	}
	serve(credential)
	return nil
}

// fromHere reports whether a request comes from no page, a page of this server
// or one of a site that may connect.
func (n *Node) fromHere(r *http.Request) bool {
	origin := r.Header.Get("Origin")
	if origin == "" {
		return true
	}
	u, err := url.Parse(origin)
	if err == nil && strings.EqualFold(u.Host, r.Host) {
		return true
	}
	return n.config.Origins != nil && slices.Contains(n.config.Origins(), origin)
}
