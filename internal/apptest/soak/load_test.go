//go:build soak && linux

package soak

import (
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/usefloww/flowwd/internal/apptest"
)

// code is a workflow that says hello, and fails when it is asked to.
const code = `import { Builtin, KVStore } from "floww";
const builtin = new Builtin();
const store = new KVStore();
builtin.triggers.onWebhook({ path: "in", handler: async (ctx: any, event: any) => {
  console.log("hello");
  console.log("the event has", Object.keys(event.body).length, "fields");
  if (event.body.n % 10 === 0) await store.set("soak", "key-" + (event.body.n % 100), { n: event.body.n });
  if (event.body.n % 20 === 1) throw new Error("as it was asked to");
  console.log("done");
  return event.body.n;
}});
`

// load sends events at a steady rate, however long the answers take, and lists
// what ran once a second.
type load struct {
	client *apptest.Client
	path   string
	rate   int
	large  string

	mu sync.Mutex
	// took is how long the answers took since they were taken last, from when
	// each was due.
	took        []time.Duration
	sent, wrong int
}

func newLoad(t *testing.T, c *apptest.Client, rate int) *load {
	t.Helper()
	d := c.Deploy(t, "soak", code)
	// A body that is a file beside the database.
	return &load{client: c, path: d.Webhooks["POST in"], rate: rate, large: strings.Repeat("x", 200<<10)}
}

// run sends for a time.
func (l *load) run(d time.Duration) {
	due := make(chan int, l.rate)
	begin := time.Now()
	var group sync.WaitGroup
	for range 32 {
		group.Go(func() {
			for n := range due {
				l.send(n, begin.Add(time.Duration(n)*time.Second/time.Duration(l.rate)))
			}
		})
	}
	total := int(d.Seconds() * float64(l.rate))
	for n := range total {
		time.Sleep(time.Until(begin.Add(time.Duration(n) * time.Second / time.Duration(l.rate))))
		due <- n
		if n%l.rate == 0 {
			group.Go(l.list)
		}
	}
	close(due)
	group.Wait()
}

func (l *load) send(n int, at time.Time) {
	body := map[string]any{"n": n, "name": "soak"}
	if n%50 == 0 {
		body["large"] = l.large
	}
	r, err := l.client.Anonymous().Try("POST", l.path, body)
	took := time.Since(at)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sent++
	l.took = append(l.took, took)
	if err != nil || r.Status != http.StatusOK {
		l.wrong++
	}
}

func (l *load) list() {
	r, err := l.client.Try("GET", "/api/executions?limit=50", nil)
	if err != nil || r.Status != http.StatusOK {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.wrong++
	}
}

// take returns the median and the 99th percentile since the last time.
func (l *load) take() (median, slow time.Duration) {
	l.mu.Lock()
	took := l.took
	l.took = nil
	l.mu.Unlock()
	if len(took) == 0 {
		return 0, 0
	}
	slices.Sort(took)
	return took[len(took)/2], took[len(took)*99/100]
}
