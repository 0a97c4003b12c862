//go:build soak && linux

package soak

import (
	"flag"
	"fmt"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/usefloww/flowwd/internal/apptest"
)

var (
	length = flag.Duration("time", 20*time.Minute, "length of the load")
	rate   = flag.Int("rate", 100, "events a second")
)

// samples is how often a server is looked at.
const samples = 120

// TestSoak puts steady load on a server while runs are removed as fast as they
// come, and fails when something of it grows over the second half: in the first
// one it takes what it needs.
func TestSoak(t *testing.T) {
	dir := filepath.Join(disk(t), "data")
	keep := *length / 8
	c, command := start(t, dir, keep)
	l := newLoad(t, c, *rate)
	fmt.Printf("%v of %d events/s, runs are kept for %v\n", *length, *rate, keep)
	over := make(chan struct{})
	go func() {
		defer close(over)
		l.run(*length)
	}()
	s := &series{pid: command.Process.Pid, dir: dir, client: c, load: l, began: time.Now()}
	tick := time.NewTicker(*length / samples)
	defer tick.Stop()
	for more := true; more; {
		select {
		case <-tick.C:
			s.sample(t)
		case <-over:
			more = false
		}
	}
	left := kept(t, c)
	if err := command.Process.Signal(syscall.SIGTERM); err != nil {
		t.Error(err)
	}
	if err := command.Wait(); err != nil {
		t.Errorf("the server ends with %v", err)
	}
	fmt.Printf("%d events were sent, %d requests went wrong; %d runs are left\n", l.sent, l.wrong, left)
	if l.wrong > 0 {
		t.Errorf("%d requests went wrong", l.wrong)
	}
	if most := int(keep.Seconds()*float64(*rate))*2 + 2*purged; left > most {
		t.Errorf("%d runs are left, %d at most should be", left, most)
	}
	s.judge(t)
}

// purged is how many runs one removal takes at once.
const purged = 200

// kept is how many runs the server shows.
func kept(t *testing.T, c *apptest.Client) int {
	t.Helper()
	page := c.JSON(t, 200, "GET", "/api/executions?limit=1", nil)
	n, ok := page["total"].(float64)
	if !ok {
		t.Fatalf("a page of executions has no total: %v", page)
	}
	return int(n)
}
