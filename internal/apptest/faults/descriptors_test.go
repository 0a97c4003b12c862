//go:build external && linux

package faults

import (
	"fmt"
	"net"
	"net/url"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/usefloww/flowwd/internal/apptest"
	"github.com/usefloww/flowwd/internal/loadtest"
)

// hold opens connections to a server that begin a request and never end it.
func hold(t *testing.T, c *apptest.Client, n int, request string) []net.Conn {
	t.Helper()
	at, err := url.Parse(c.URL)
	if err != nil {
		t.Fatal(err)
	}
	var held []net.Conn
	t.Cleanup(func() {
		for _, conn := range held {
			_ = conn.Close()
		}
	})
	for range n {
		conn, err := net.DialTimeout("tcp", at.Host, 10*time.Second)
		if err != nil {
			t.Fatal(err)
		}
		held = append(held, conn)
		if _, err := fmt.Fprint(conn, request); err != nil {
			t.Fatal(err)
		}
	}
	return held
}

// A server that has no descriptors left for the clients that come, because
// others hold theirs and say nothing, cuts those off in time and goes on by
// itself.
func TestExhaustedDescriptorsLoseNothing(t *testing.T) {
	t.Parallel()
	const few = 256
	p := start(t, apptest.DataDir(t))
	load := loadtest.New(t, p.Client, loadtest.Options{Redeploy: -1})
	life := load.Start(t, p.Client)
	life.Last(500 * time.Millisecond)
	limit := unix.Rlimit{Cur: few, Max: few}
	if err := unix.Prlimit(p.Command.Process.Pid, unix.RLIMIT_NOFILE, &limit, nil); err != nil {
		t.Fatal(err)
	}
	hold(t, p.Client, 2*few, "POST /webhook/x HTTP/1.1\r\nHost: slow\r\nX-Slow: ")
	life.Ending() // answers can be lost until there are descriptors again
	life.Last(time.Second)
	fresh := apptest.NewClient(t, p.URL, p.Key)
	apptest.Until(t, 90*time.Second, "an answer to somebody new", func() bool {
		r, err := fresh.Try("GET", "/readyz", nil)
		return err == nil && r.Status == 200
	})
	life.Last(500 * time.Millisecond)
	life.Stop()
	load.Check(t, p.Client)
	report(t, fmt.Sprintf("%d slow clients and %d descriptors", 2*few, few), load, p.Client)
}

// Clients that ask for a stream and read nothing take their own time alone.
func TestStreamsThatNobodyReadsHoldNobodyUp(t *testing.T) {
	t.Parallel()
	const deaf = 60
	p := start(t, apptest.DataDir(t))
	// More than the buffers of a connection hold.
	loud := p.Deploy(t, "loud", apptest.Handler(`for (let i = 0; i < 10000; i++) console.log("x".repeat(500)); return 1`))
	before := metric(t, p.Client, "process_resident_memory_bytes")
	id := loud.Send(t, `{}`)
	hold(t, p.Client, deaf, "GET /api/executions/"+id+"/events HTTP/1.1\r\nHost: deaf\r\nAuthorization: Bearer "+p.Key+"\r\n\r\n")
	apptest.Until(t, 60*time.Second, "the end of the run that they listen to", func() bool {
		r := p.Do(t, "GET", "/api/executions?workflowId="+loud.WorkflowID, nil) // without its lines
		return strings.Contains(string(r.Body), `"completed"`)
	})
	quiet := p.Deploy(t, "quiet", apptest.Handler(`return 1`))
	for range 3 {
		if e := quiet.Run(t, `{}`); e.Status != "completed" {
			t.Errorf("another run is %s: %s", e.Status, e.ErrorMessage)
		}
	}
	if after := metric(t, p.Client, "process_resident_memory_bytes"); after-before > 300<<20 {
		t.Errorf("%d clients that read nothing take %.0f MB", deaf, (after-before)/(1<<20))
	}
}
