package realtimetest

import (
	"io"
	"net"
	"net/url"
	"sync"
	"testing"
)

// Cable is what connects clients with a server, and can be cut.
type Cable struct {
	// URL is where clients connect.
	URL string

	target string
	mu     sync.Mutex
	cut    bool
	open   map[net.Conn]bool
}

// NewCable returns a Cable to a websocket's address, pulled out with the test.
func NewCable(t testing.TB, to string) *Cable {
	t.Helper()
	u, err := url.Parse(to)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &Cable{target: u.Host, open: map[net.Conn]bool{}}
	u.Host = l.Addr().String()
	c.URL = u.String()
	t.Cleanup(func() {
		_ = l.Close() // the test is over
		c.Cut()
	})
	go func() {
		for {
			from, err := l.Accept()
			if err != nil {
				return
			}
			go c.carry(from)
		}
	}()
	return c
}

// Cut ends all connections and lets none through until Mend.
func (c *Cable) Cut() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.cut = true
	for conn := range c.open {
		_ = conn.Close() // it is cut
	}
	clear(c.open)
}

// Mend lets connections through again.
func (c *Cable) Mend() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.cut = false
}

func (c *Cable) carry(from net.Conn) {
	defer from.Close()
	to, err := net.Dial("tcp", c.target)
	if err != nil {
		return
	}
	defer to.Close()
	if !c.keep(from, to) {
		return
	}
	done := make(chan struct{}, 2)
	for _, way := range [][2]net.Conn{{from, to}, {to, from}} {
		go func() {
			_, _ = io.Copy(way[0], way[1]) // ends with the connection
			done <- struct{}{}
		}()
	}
	<-done
}

// keep notes connections for Cut; false when it has been.
func (c *Cable) keep(conns ...net.Conn) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, conn := range conns {
		if !c.cut {
			c.open[conn] = true
		}
	}
	return !c.cut
}
