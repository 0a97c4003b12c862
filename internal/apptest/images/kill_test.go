//go:build external

package images

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/moby/moby/client"

	"github.com/usefloww/flowwd/internal/apptest"
	"github.com/usefloww/flowwd/internal/dockertest"
)

// killed is a server whose containers, daemon and itself are killed.
type killed struct {
	*apptest.Process
	d         *dockertest.Daemon
	dir, key  string
	arguments []string
}

func (k *killed) start(t *testing.T) {
	t.Helper()
	k.Process = apptest.StartProcess(t, k.dir, k.arguments...)
	k.Key = k.key
}

// containers kills all containers of one role, or of both.
func (k *killed) containers(t *testing.T, role string) {
	t.Helper()
	filters := client.Filters{}
	filters.Add("label", "io.flowwd.role"+role)
	list, err := k.d.API.ContainerList(t.Context(), client.ContainerListOptions{Filters: filters})
	if err != nil || len(list.Items) == 0 {
		t.Fatalf("there are %d containers to kill, %v", len(list.Items), err)
	}
	for _, c := range list.Items {
		_, _ = k.d.API.ContainerKill(t.Context(), c.ID, client.ContainerKillOptions{Signal: "SIGKILL"}) // it may have ended by itself
	}
}

const (
	// senders send events at the same time, of which so many are acknowledged at
	// least before something is killed, and about so many at most.
	senders       = 4
	before, bound = 20, 45
)

// sending sends events until it is stopped, or nobody answers.
type sending struct {
	mu   sync.Mutex
	ids  []string // the executions of those that were acknowledged
	work sync.WaitGroup
	end  chan struct{}
}

func send(c *apptest.Client, path string) *sending {
	s := &sending{end: make(chan struct{})}
	for range senders {
		s.work.Go(func() {
			for s.count() < bound {
				select {
				case <-s.end:
					return
				default:
				}
				r, err := c.Anonymous().Try("POST", path, `{"ms":1}`)
				if err != nil {
					return
				}
				var answer struct{ ExecutionID string }
				if r.Status == http.StatusOK && json.Unmarshal(r.Body, &answer) == nil {
					s.mu.Lock()
					s.ids = append(s.ids, answer.ExecutionID)
					s.mu.Unlock()
				}
			}
		})
	}
	return s
}

func (s *sending) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.ids)
}

// stop returns the executions of what was acknowledged.
func (s *sending) stop() []string {
	close(s.end)
	s.work.Wait()
	return s.ids
}

// Events that were acknowledged end once whatever is killed while they run:
// containers, what stands beside them, the daemon, the server; and what the code
// or its image did is said.
func TestKilledInTheMiddle(t *testing.T) {
	t.Parallel()
	d, err := dockertest.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := errors.Join(d.Clear(ctx, "io.flowwd.instance"), d.Stop()); err != nil {
			t.Error(err)
		}
	})
	image, err := d.Image(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Tag(t.Context(), image, "floww-runtime"); err != nil {
		t.Fatal(err)
	}
	k := &killed{d: d, dir: apptest.DataDir(t), arguments: []string{"--runtime", "docker", "--docker-host", d.Host, "--docker-memory", "400MiB"}}
	k.key = apptest.CreateKey(t, k.dir)
	k.start(t)
	deployed := k.Deploy(t, "killed", apptest.Handler(`
		if (event.body.crash) process.kill(process.pid, "SIGTERM");
		if (event.body.eat) { const all = []; for (;;) all.push(Buffer.alloc(16 << 20, 1)); }
		console.log("attempt " + ctx.attempt);
		await new Promise((r) => setTimeout(r, ctx.attempt > 1 ? 1 : event.body.ms));
		return ctx.attempt;`))
	path := deployed.Webhooks["POST in"]
	for what, kill := range map[string]func(){
		"the container": func() { k.containers(t, "=code") },
		"the holder":    func() { k.containers(t, "=holder") },
		"the daemon": func() {
			d.Kill()
			if err := d.Restart(); err != nil {
				t.Fatal(err)
			}
		},
		"the server": func() { k.Kill(t); k.start(t) },
		"all": func() {
			k.containers(t, "")
			d.Kill()
			k.Kill(t)
			if err := d.Restart(); err != nil {
				t.Fatal(err)
			}
			k.start(t)
		},
	} {
		long := deployed.At(k.Client).Send(t, `{"ms":30000}`)
		apptest.Until(t, patience, "the run has begun", func() bool { return len(k.Execution(t, long).LogEntries) > 0 })
		events := send(k.Client, path)
		apptest.Until(t, patience, "events are acknowledged", func() bool { return events.count() >= before })
		kill()
		ids := append(events.stop(), long)
		attempts := 0
		for _, id := range ids {
			e := k.Ended(t, id)
			if e.Status != "completed" {
				t.Errorf("%s was killed: a run is %s after attempt %d: %s", what, e.Status, e.Attempt, e.ErrorMessage)
			}
			attempts = max(attempts, e.Attempt)
		}
		t.Logf("%s was killed: %d events acknowledged, all ended, in at most %d attempts", what, len(ids), attempts)
	}
	for body, says := range map[string]string{`{"crash":1}`: "ended with the status", `{"eat":1}`: "needed more memory than its 400 MB"} {
		if e := deployed.At(k.Client).Run(t, body); e.Status != "failed" || !strings.Contains(e.ErrorMessage, says) {
			t.Errorf("%s: %s: %s", body, e.Status, e.ErrorMessage)
		}
	}
	if err := d.Clear(t.Context(), "io.flowwd.instance"); err != nil {
		t.Fatal(err)
	}
	if _, err := d.API.ImageRemove(t.Context(), "floww-runtime", client.ImageRemoveOptions{Force: true}); err != nil {
		t.Fatal(err)
	}
	if e := deployed.At(k.Client).Run(t, `{"ms":1}`); e.Status != "failed" || !strings.Contains(e.ErrorMessage, "the image floww-runtime of the default runtime is not there") {
		t.Errorf("the image is gone: %s: %s", e.Status, e.ErrorMessage)
	}
}
