//go:build external && linux

package faults

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/usefloww/flowwd/internal/apptest"
	"github.com/usefloww/flowwd/internal/loadtest"
)

// crowd are clients that take their time.
type crowd struct {
	conns []net.Conn
	// gone are those whose connection has ended.
	gone map[net.Conn]bool
}

// join opens connections that begin with a request. Their buffers are small: what
// nobody reads stays with the server.
func join(t *testing.T, server string, n int, request string) *crowd {
	t.Helper()
	at, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	dialer := net.Dialer{Timeout: 30 * time.Second, Control: func(_, _ string, c syscall.RawConn) error {
		var failed error
		err := c.Control(func(fd uintptr) { failed = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUF, 4096) })
		return errors.Join(err, failed)
	}}
	c := &crowd{gone: map[net.Conn]bool{}}
	t.Cleanup(c.leave)
	var mu sync.Mutex
	var group sync.WaitGroup
	for part := range 8 {
		group.Go(func() {
			for i := part; i < n; i += 8 {
				conn, err := dialer.DialContext(context.Background(), "tcp", at.Host)
				if err == nil {
					_, err = fmt.Fprint(conn, request)
				}
				if err != nil {
					t.Errorf("client %d: %v", i, err)
					return
				}
				mu.Lock()
				c.conns = append(c.conns, conn)
				mu.Unlock()
			}
		})
	}
	group.Wait()
	return c
}

// drip sends a byte of each client.
func (c *crowd) drip() {
	for _, conn := range c.conns {
		if !c.gone[conn] {
			_, err := conn.Write([]byte("x"))
			c.gone[conn] = err != nil
		}
	}
}

func (c *crowd) leave() {
	for _, conn := range c.conns {
		_ = conn.Close()
	}
}

// Ten thousand clients that send a byte now and then, or read nothing, cost a
// bounded amount of memory and hold nobody else up; those that do not come to the
// end of their headers are cut off.
func TestTenThousandSlowClients(t *testing.T) {
	t.Parallel()
	const (
		headers, bodies, deaf = 5000, 4000, 1000
		descriptors           = 20_000
		mostMemory            = 500 << 20
	)
	limit := unix.Rlimit{Cur: descriptors, Max: descriptors}
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatalf("%v (this test needs root)", err)
	}
	p := start(t, apptest.DataDir(t))
	if err := unix.Prlimit(p.Command.Process.Pid, unix.RLIMIT_NOFILE, &limit, nil); err != nil {
		t.Fatal(err)
	}
	d := p.Deploy(t, "others", apptest.Handler(`return 1`))
	load := loadtest.New(t, p.Client, loadtest.Options{Redeploy: -1})
	life := load.Start(t, p.Client)
	before := metric(t, p.Client, "process_resident_memory_bytes")
	const asked = "GET /openapi.json HTTP/1.1\r\nHost: deaf\r\n\r\n"
	join(t, p.URL, deaf, asked+asked+asked+asked)
	inBody := join(t, p.URL, bodies, "POST "+d.Webhooks["POST in"]+" HTTP/1.1\r\nHost: slow\r\nContent-Type: application/json\r\nContent-Length: 1000000\r\n\r\n[")
	inHeaders := join(t, p.URL, headers, "POST "+d.Webhooks["POST in"]+" HTTP/1.1\r\nHost: slow\r\nX-Slow: ")
	fresh := apptest.NewClient(t, p.URL, p.Key)
	most := 0.0
	apptest.Until(t, 3*time.Minute, "the end of those who send their headers slowly", func() bool {
		inHeaders.drip()
		inBody.drip()
		if e := d.At(fresh).Run(t, `{}`); e.Status != "completed" {
			t.Errorf("a run beside them is %s: %s", e.Status, e.ErrorMessage)
		}
		if is, failed := ready(t, fresh); !is {
			t.Errorf("the server is not ready beside them: %v", failed)
		}
		most = max(most, metric(t, fresh, "process_resident_memory_bytes")-before)
		life.Last(time.Second)
		for _, conn := range inHeaders.conns {
			if !inHeaders.gone[conn] {
				return false
			}
		}
		return true
	})
	left := metric(t, fresh, "process_open_fds")
	life.Stop()
	load.Check(t, p.Client)
	report(t, fmt.Sprintf("%d slow clients, at most %.0f MB for them, %.0f descriptors after the first were cut off", headers+bodies+deaf, most/(1<<20), left), load, p.Client)
	if most > mostMemory {
		t.Errorf("they take %.0f MB", most/(1<<20))
	}
	p.Kill(t)
}
