package kill

import (
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/usefloww/flowwd/internal/apptest"
)

// receiver of notices, which takes none until it is open.
type receiver struct {
	mu    sync.Mutex
	open  bool
	tried int
	taken map[string]int
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.tried++
	if !r.open {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	r.taken[request.Header.Get("webhook-id")]++
}

func (r *receiver) counts() (tried, taken int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.tried, len(r.taken)
}

// A failure that is stored is told after the server was killed, under the name
// that it had, and the handler of failures runs once for it.
func TestKilledServerTellsFailures(t *testing.T) {
	t.Parallel()
	r := &receiver{taken: map[string]int{}}
	outside := httptest.NewServer(r)
	t.Cleanup(outside.Close)
	dir := apptest.DataDir(t)
	key := apptest.CreateKey(t, dir)
	p := start(t, dir, key, "--fetch-allow", outside.Listener.Addr().String())
	d := p.Deploy(t, "failing", `import { Builtin, onFailure } from "floww";
		onFailure((_, failure) => failure.failures);
		new Builtin().triggers.onWebhook({ path: "in", handler: () => { throw new Error("bad"); } });`)
	p.JSON(t, http.StatusOK, "PATCH", "/api/workflows/"+d.WorkflowID+"/failure-notifications", map[string]any{"webhookUrl": outside.URL})
	d.Run(t, `{}`)
	p.Kill(t) // at once: nothing is told, or it is being told
	p = start(t, dir, key, "--fetch-allow", outside.Listener.Addr().String())
	apptest.Until(t, 60*time.Second, "a try", func() bool { tried, _ := r.counts(); return tried > 0 })
	p.Kill(t)
	r.mu.Lock()
	r.open = true
	r.mu.Unlock()
	p = start(t, dir, key, "--fetch-allow", outside.Listener.Addr().String())
	apptest.Until(t, 60*time.Second, "a notice that is taken", func() bool { _, taken := r.counts(); return taken > 0 })
	handled := func() (n int) {
		for _, e := range ofSchedule(t, p.Client, d.WorkflowID) {
			if e.TriggerType == "onFailure" {
				n++
			}
		}
		return n
	}
	apptest.Until(t, 60*time.Second, "a run of the handler", func() bool { return handled() > 0 })
	if _, taken := r.counts(); taken != 1 || handled() != 1 {
		t.Errorf("one failure is told by %d notices and %d runs of the handler", taken, handled())
	}
}
