package docker

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/hashicorp/yamux"
	"github.com/moby/moby/api/pkg/stdcopy"
	"github.com/moby/moby/client"

	"github.com/usefloww/flowwd/internal/engine/docker/relay"
)

// link is the way into and out of a container: the standard files of the relay
// beside it.
type link struct {
	session   *yamux.Session
	transport *http.Transport
	client    *http.Client
	server    *http.Server
	served    sync.WaitGroup
}

// maxComplaint bounds what is kept of what a relay says, in bytes.
const maxComplaint = 1 << 10

// openLink starts a relay in a running holder. What the container asks of the
// server goes to handler.
func (e *Engine) openLink(ctx context.Context, holder string, handler http.Handler) (*link, error) {
	made, err := e.api.ExecCreate(ctx, holder, client.ExecCreateOptions{
		AttachStdin: true, AttachStdout: true, AttachStderr: true, Cmd: []string{relayPath, relay.Word, relay.Carry},
	})
	if err != nil {
		return nil, fmt.Errorf("make a relay: %w", err)
	}
	attached, err := e.api.ExecAttach(ctx, made.ID, client.ExecAttachOptions{})
	if err != nil {
		return nil, fmt.Errorf("start a relay: %w", err)
	}
	out, in := io.Pipe()
	complaint := &head{most: maxComplaint}
	l := &link{}
	l.served.Go(func() {
		_, err := stdcopy.StdCopy(in, complaint, attached.Reader)
		if err == nil {
			err = io.EOF
		}
		in.CloseWithError(err)
	})
	l.session, err = yamux.Client(&hijacked{Conn: attached.Conn, out: out}, relay.Settings())
	if err != nil {
		attached.Close()
		return nil, fmt.Errorf("speak with a relay: %w", err)
	}
	if _, err := l.session.Ping(); err != nil {
		l.close()
		return nil, fmt.Errorf("a relay does not answer: %w (%s)", err, complaint.text())
	}
	l.transport = &http.Transport{
		DialContext:         func(context.Context, string, string) (net.Conn, error) { return l.session.Open() },
		MaxIdleConnsPerHost: 64,
		DisableCompression:  true,
	}
	l.client = &http.Client{Transport: l.transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	l.server = &http.Server{Handler: handler, ReadHeaderTimeout: time.Minute, ErrorLog: discardLog()}
	l.served.Go(func() { _ = l.server.Serve(l.session) }) // ends with the session
	return l, nil
}

// close ends the relay, and with it what goes on over it.
func (l *link) close() {
	if l.server != nil {
		_ = l.server.Close() // the session is closed next
		l.transport.CloseIdleConnections()
	}
	_ = l.session.Close()
	l.served.Wait()
}

// lost is closed when the relay has ended.
func (l *link) lost() <-chan struct{} { return l.session.CloseChan() }

// hijacked is a connection to a process whose output is framed.
type hijacked struct {
	net.Conn
	out *io.PipeReader
}

func (h *hijacked) Read(b []byte) (int, error) { return h.out.Read(b) }

func (h *hijacked) Close() error { return errors.Join(h.Conn.Close(), h.out.Close()) }

// head keeps the beginning of what is written.
type head struct {
	mu   sync.Mutex
	most int
	kept bytes.Buffer
}

func (h *head) Write(b []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.kept.Write(b[:min(len(b), max(0, h.most-h.kept.Len()))])
	return len(b), nil
}

func (h *head) text() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.kept.String()
}
