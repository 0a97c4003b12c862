package relay

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/hashicorp/yamux"
)

// Word is the first argument of a process that is a relay.
const Word = "relay"

// The arguments that follow Word.
const (
	// Hold has the process wait until it is ended: it keeps the namespace.
	Hold = "hold"
	// Carry has it carry streams.
	Carry = "carry"
)

const (
	// Address is where the server is, for what runs in the container.
	Address = "127.0.0.1:8001"
	// Code is where the container's own server listens.
	Code = "127.0.0.1:8000"
)

const (
	// bindPatience is how long a relay that came before may take to end.
	bindPatience = 10 * time.Second
	bindPause    = 20 * time.Millisecond
	dialTimeout  = 5 * time.Second
)

// Run is the process. in and out are its standard files; it returns the exit
// status.
func Run(args []string, in io.ReadCloser, out io.WriteCloser, errs io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	switch {
	case len(args) == 1 && args[0] == Hold:
		<-ctx.Done()
		return 0
	case len(args) == 1 && args[0] == Carry:
		if err := carry(ctx, in, out); err != nil {
			fmt.Fprintln(errs, err)
			return 1
		}
		return 0
	}
	fmt.Fprintln(errs, "a relay is started by the server, not by hand")
	return 2
}

// carry carries streams until the server ends.
func carry(ctx context.Context, in io.ReadCloser, out io.WriteCloser) error {
	listener, err := bind(ctx)
	if err != nil {
		return err
	}
	session, err := yamux.Server(&pipe{in, out}, Settings())
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	var work sync.WaitGroup
	defer work.Wait()
	stop := context.AfterFunc(ctx, func() { _ = session.Close() })
	defer stop()
	work.Go(func() {
		defer listener.Close()
		<-session.CloseChan()
	})
	work.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			work.Go(func() { outward(session, conn) })
		}
	})
	for {
		stream, err := session.Accept()
		if err != nil {
			return nil // the server has gone
		}
		work.Go(func() { inward(session, stream) })
	}
}

// bind listens where the server is to be found, once the relay of an earlier
// server has ended.
func bind(ctx context.Context) (net.Listener, error) {
	ctx, cancel := context.WithTimeout(ctx, bindPatience)
	defer cancel()
	for {
		var config net.ListenConfig
		listener, err := config.Listen(ctx, "tcp", Address)
		if err == nil {
			return listener, nil
		}
		select {
		case <-time.After(bindPause):
		case <-ctx.Done():
			return nil, err
		}
	}
}

// outward joins a connection from the container with a stream to the server.
func outward(session *yamux.Session, conn net.Conn) {
	stream, err := session.Open()
	if err != nil {
		_ = conn.Close() // it learns that nobody is there
		return
	}
	Join(conn, stream)
}

// inward joins a stream from the server with the container's port.
func inward(session *yamux.Session, stream net.Conn) {
	conn, err := net.DialTimeout("tcp", Code, dialTimeout)
	if err != nil {
		_ = stream.Close() // the server learns that nobody listens
		return
	}
	// Code that reads nothing any more must not outlive the server.
	done := make(chan struct{})
	defer close(done)
	go func() {
		select {
		case <-session.CloseChan():
			_ = conn.Close()
		case <-done:
		}
	}()
	Join(conn, stream)
}

// Join copies between two connections until either direction ends, and closes
// both: HTTP needs no half of a connection.
func Join(a, b net.Conn) {
	var both sync.WaitGroup
	copyTo := func(to, from net.Conn) {
		_, _ = io.Copy(to, from) // why it ended makes no difference
		_ = a.Close()
		_ = b.Close()
	}
	both.Go(func() { copyTo(a, b) })
	both.Go(func() { copyTo(b, a) })
	both.Wait()
}

// Settings are those of both ends.
func Settings() *yamux.Config {
	c := yamux.DefaultConfig()
	c.LogOutput = io.Discard
	c.MaxStreamWindowSize = 1 << 20
	c.StreamCloseTimeout = 10 * time.Second
	return c
}

// pipe makes a connection of the standard files.
type pipe struct {
	io.ReadCloser
	out io.WriteCloser
}

func (p *pipe) Write(b []byte) (int, error) { return p.out.Write(b) }

func (p *pipe) Close() error { return errors.Join(p.ReadCloser.Close(), p.out.Close()) }
