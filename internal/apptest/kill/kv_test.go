package kill

import (
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/usefloww/flowwd/internal/apptest"
	"github.com/usefloww/flowwd/internal/loadtest"
)

// acknowledged are the sums that handlers got from the store and told to
// somebody outside.
type acknowledged struct {
	mu      sync.Mutex
	times   map[int]int
	highest int
}

func (a *acknowledged) ServeHTTP(_ http.ResponseWriter, r *http.Request) {
	n, err := strconv.Atoi(r.URL.Query().Get("n"))
	if err != nil {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.times[n]++
	a.highest = max(a.highest, n)
}

func (a *acknowledged) seen() (highest, count int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.highest, len(a.times)
}

// What the store has acknowledged to a handler is there after the server was
// killed, and no two writers were told the same sum.
func TestKilledServerKeepsKV(t *testing.T) {
	t.Parallel()
	random, _ := loadtest.Random(t, *seed)
	acks := &acknowledged{times: map[int]int{}}
	outside := httptest.NewServer(acks)
	t.Cleanup(outside.Close)
	dir := apptest.DataDir(t)
	key := apptest.CreateKey(t, dir)
	serve := func() *apptest.Process {
		p := apptest.StartProcess(t, dir, "--fetch-allow", outside.Listener.Addr().String())
		p.Key = key
		return p
	}
	p := serve()
	d := p.Deploy(t, "counter", `import { Builtin, KVStore } from "floww";
		const store = new KVStore();
		new Builtin().triggers.onWebhook({ path: "in", onInterrupt: "fail", handler: async () => {
			for (;;) await fetch("`+outside.URL+`/?n=" + await store.increment("counts", "n"), { method: "POST" });
		} });`)
	for range 5 {
		before, _ := acks.seen()
		for range 3 {
			d.Send(t, `{}`)
		}
		apptest.Until(t, 60*time.Second, "sums after the start", func() bool {
			highest, _ := acks.seen()
			return highest > before+5
		})
		<-time.After(time.Duration(random.Int64N(int64(300 * time.Millisecond)))) // killed at any moment
		p.Kill(t)
		p = serve()
		d = d.At(p.Client)
		highest, _ := acks.seen()
		if stored := p.JSON(t, http.StatusOK, "GET", "/api/kv/default/counts/n", nil)["value"].(float64); int(stored) < highest {
			t.Fatalf("the store has %v after it had acknowledged %d", stored, highest)
		}
	}
	acks.mu.Lock()
	defer acks.mu.Unlock()
	for n, times := range acks.times {
		if times > 1 {
			t.Errorf("%d writers were told the sum %d", times, n)
		}
	}
	t.Logf("%d sums acknowledged, up to %d", len(acks.times), acks.highest)
}
