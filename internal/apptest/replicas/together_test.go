//go:build external

package replicas

import (
	"encoding/json"
	"net/http"
	"slices"
	"sync"
	"testing"

	"github.com/usefloww/flowwd/internal/apptest"
)

// together returns how many of these runs went on at the same time at most, by
// the begin and the end, in milliseconds, that each of them returned.
func together(t *testing.T, p *apptest.Process, runs []string) int {
	t.Helper()
	type change struct {
		at   int64
		runs int
	}
	var changes []change
	for _, x := range runs {
		e := p.Ended(t, x)
		var span [2]int64
		if err := json.Unmarshal(e.Result, &span); e.Status != "completed" || err != nil {
			t.Fatalf("a run is %s with %s: %s", e.Status, e.Result, e.ErrorMessage)
		}
		changes = append(changes, change{span[0], 1}, change{span[1], -1})
	}
	// In one millisecond, ends before begins.
	slices.SortFunc(changes, func(a, b change) int {
		if a.at != b.at {
			return int(a.at - b.at)
		}
		return a.runs - b.runs
	})
	now, most := 0, 0
	for _, c := range changes {
		now += c.runs
		most = max(most, now)
	}
	return most
}

// Who sends to one server gets the answer of a handler that ran on another.
func TestHandlersOfOtherReplicasRespond(t *testing.T) {
	t.Parallel()
	servers := start(t, 2, "--runners", "1")
	d := servers[0].Deploy(t, "responds", `import { Builtin } from "floww";
new Builtin().triggers.onWebhook({ path: "in", respond: "handler", handler: async (ctx: any, event: any) => {
	const began = Date.now();
	await new Promise((r) => setTimeout(r, 500));
	return [began, Date.now()];
}});`)
	var runs []string
	var mu sync.Mutex
	var senders sync.WaitGroup
	for range 8 {
		senders.Go(func() {
			r, err := servers[0].Anonymous().Try("POST", d.Webhooks["POST in"], `{}`)
			x := r.Header.Get("X-Floww-Execution-Id")
			var span [2]int64
			if err != nil || r.Status != http.StatusOK || json.Unmarshal(r.Body, &span) != nil || span[1] == 0 {
				t.Errorf("the sender of %s is answered %s (%v), want what its handler returned", x, r, err)
			}
			mu.Lock()
			defer mu.Unlock()
			runs = append(runs, x)
		})
	}
	senders.Wait()
	if n := together(t, servers[0], runs); n < 2 {
		t.Errorf("at most %d of the runs went on at once, so that the other server ran none", n)
	}
}
