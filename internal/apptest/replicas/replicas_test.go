//go:build external

package replicas

import (
	"encoding/base64"
	"fmt"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/usefloww/flowwd/internal/apptest"
	"github.com/usefloww/flowwd/internal/execution"
	"github.com/usefloww/flowwd/internal/loadtest"
)

func TestMain(m *testing.M) { os.Exit(apptest.Main(m)) }

// takeover is how long a run may stay where its server is gone, with room for a
// busy machine.
const takeover = execution.LeaseTime + execution.HeartbeatInterval + 20*time.Second

// start starts so many servers on one new database. Their clients have one key.
func start(t *testing.T, n int, arguments ...string) []*apptest.Process {
	t.Helper()
	url := apptest.NewDatabase(t, apptest.Cluster(t))
	var servers []*apptest.Process
	arguments = append(arguments, "--encryption-key", base64.StdEncoding.EncodeToString(make([]byte, 32)))
	key := ""
	for range n {
		dir := t.TempDir()
		apptest.Bind(dir, url)
		if key == "" {
			key = apptest.CreateKey(t, dir)
		}
		p := apptest.StartProcess(t, dir, arguments...)
		p.Key = key
		servers = append(servers, p)
	}
	return servers
}

// on is a deployed workflow as another server sees it.
func on(p *apptest.Process, d *apptest.Deployed) *apptest.Deployed { return d.At(p.Client) }

// What is deployed through one server is there on all others at once, and a run
// is seen from all of them while it goes on.
func TestReplicasSeeTheSame(t *testing.T) {
	t.Parallel()
	servers := start(t, 3)
	for round := range 10 {
		from := servers[round%3]
		d := from.Deploy(t, fmt.Sprintf("shared %d", round), apptest.Handler(`console.log("first"); await new Promise((r) => setTimeout(r, 300)); console.log("second"); return "done";`))
		for _, p := range servers {
			x := on(p, d).Send(t, `{}`)
			for _, other := range servers {
				if lines := other.Follow(t, x, "").Logs(t, 1); lines[0].Data["message"] != "first" {
					t.Errorf("the first line is %v", lines[0].Data)
				}
			}
			for _, other := range servers {
				if e := other.Ended(t, x); e.Status != "completed" || string(e.Result) != `"done"` {
					t.Errorf("the run is %s with %s", e.Status, e.Result)
				}
			}
		}
		from.Do(t, "DELETE", "/api/workflows/"+d.WorkflowID, nil)
		for _, p := range servers {
			if r := p.Anonymous().Do(t, "POST", d.Webhooks["POST in"], `{}`); r.Status != 404 {
				t.Errorf("the webhook of a deleted workflow answers %s, want 404", r)
			}
		}
	}
}

// Servers that are killed one after the other under load lose nothing: the
// others end what was begun.
func TestKilledReplicasLoseNothing(t *testing.T) {
	t.Parallel()
	servers := start(t, 3)
	load := loadtest.New(t, servers[0].Client, loadtest.Options{Seed: uint64(time.Now().UnixNano()), Redeploy: -1, Senders: 2})
	var lives []*loadtest.Life
	for _, p := range servers {
		lives = append(lives, load.Start(t, p.Client))
	}
	for _, victim := range []int{2, 1} {
		lives[victim].Last(time.Second)
		lives[victim].Ending()
		servers[victim].Kill(t)
		lives[victim].Stop()
	}
	lives[0].Last(time.Second)
	lives[0].Stop()
	load.Check(t, servers[0].Client)
	count := load.Count(t, servers[0].Client)
	t.Log(count)
	count.Whole(t)
	if count.Rerun == 0 {
		t.Error("no run was taken over, so the test has shown nothing")
	}
}

// A server that is frozen until others took over its runs does not end them,
// writes no line for them, and works on when it wakes up.
func TestFrozenReplicaIsFenced(t *testing.T) {
	t.Parallel()
	servers := start(t, 2)
	d := servers[0].Deploy(t, "frozen", apptest.Handler(`
		for (let i = 0; ; i++) {
			console.log("attempt " + ctx.attempt + " line " + i);
			if (i == 100) return ctx.attempt;
			await new Promise((r) => setTimeout(r, 100));
		}
	`))
	// The one that takes an event runs it.
	x := on(servers[1], d).Send(t, `{}`)
	apptest.Until(t, 10*time.Second, "the first line", func() bool { return len(servers[0].Execution(t, x).LogEntries) > 0 })
	signal(t, servers[1], syscall.SIGSTOP)
	apptest.Until(t, takeover, "the run to be taken over", func() bool { return servers[0].Execution(t, x).Attempt == 2 })
	before := linesOf(servers[0].Execution(t, x), 1)
	signal(t, servers[1], syscall.SIGCONT)
	y := on(servers[1], d).Send(t, `{}`)
	e := servers[0].Ended(t, x)
	if e.Status != "completed" || string(e.Result) != "2" || e.Attempt != 2 {
		t.Errorf("the run is %s with %s in attempt %d, want completed with 2 in the second", e.Status, e.Result, e.Attempt)
	}
	if after := linesOf(e, 1); after != before {
		t.Errorf("the frozen server wrote %d lines for a run that was no longer its own", after-before)
	}
	if n := linesOf(e, 2); n != 101 {
		t.Errorf("the second attempt has %d lines, want 101", n)
	}
	if e := servers[1].Ended(t, y); e.Status != "completed" {
		t.Errorf("after it woke up, a run of the frozen server is %s: %s", e.Status, e.ErrorMessage)
	}
}

func linesOf(e apptest.Execution, attempt int) int {
	prefix := fmt.Sprintf("attempt %d ", attempt)
	return len(slices.DeleteFunc(e.Messages(), func(m string) bool { return !strings.HasPrefix(m, prefix) }))
}

func signal(t *testing.T, p *apptest.Process, s syscall.Signal) {
	t.Helper()
	if err := p.Command.Process.Signal(s); err != nil {
		t.Fatal(err)
	}
}

// A server that is asked to stop leaves what waits to the others.
func TestStoppedReplicaLeavesItsWork(t *testing.T) {
	t.Parallel()
	servers := start(t, 2, "--runners", "2", "--stop-timeout", "2s")
	d := servers[0].Deploy(t, "stopped", apptest.Handler(`await new Promise((r) => setTimeout(r, event.body.ms)); return ctx.attempt;`))
	long := on(servers[1], d).Send(t, `{"ms": 5000}`)
	var short []string
	for range 20 {
		short = append(short, on(servers[1], d).Send(t, `{"ms": 50}`))
	}
	servers[1].Terminate(t)
	for _, x := range short {
		if e := servers[0].Ended(t, x); e.Status != "completed" {
			t.Errorf("a run is %s: %s", e.Status, e.ErrorMessage)
		}
	}
	if e := servers[0].Ended(t, long); e.Status != "completed" || e.Attempt != 2 {
		t.Errorf("the long run is %s in attempt %d: %s", e.Status, e.Attempt, e.ErrorMessage)
	}
}

// Limits hold for all servers together, and can be used up: the first runs go
// on until all of them have begun and the others wait.
func TestLimitsHoldAcrossReplicas(t *testing.T) {
	t.Parallel()
	for what, c := range map[string]struct {
		arguments []string
		options   string
	}{
		"of a trigger":       {nil, ", concurrency: 3"},
		"of an organization": {[]string{"--organization-runs", "3"}, ""},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			servers := start(t, 3, c.arguments...)
			d := servers[0].Deploy(t, "limited", `import { Builtin, KVStore } from "floww";
				const gate = new KVStore("default").getTable<number>("gate");
				new Builtin().triggers.onWebhook({ path: "in"`+c.options+`, handler: async (ctx: any, event: any) => {
					const began = Date.now();
					if (event.body.first) {
						await gate.increment("arrived");
						while (!(await gate.get("open"))) await new Promise((r) => setTimeout(r, 50));
					}
					await new Promise((r) => setTimeout(r, 30));
					return [began, Date.now()];
				}});`)
			var sent []string
			for _, p := range servers {
				sent = append(sent, on(p, d).Send(t, `{"first":true}`))
			}
			apptest.Until(t, takeover, "three runs to go on", func() bool {
				r := servers[0].Do(t, "GET", "/api/kv/default/gate/arrived", nil)
				return strings.Contains(string(r.Body), `"value":3`)
			})
			for n := range 87 {
				sent = append(sent, on(servers[n%3], d).Send(t, `{}`))
			}
			servers[0].JSON(t, 200, "PUT", "/api/kv/default/gate/open", `{"value":1}`)
			if most := together(t, servers[0], sent); most != 3 {
				t.Errorf("%d runs went on at the same time, want 3", most)
			}
		})
	}
}

// A run is ended by a cancel at another server, and one that waits there for a
// retry happens once.
func TestCancelsReachEveryServer(t *testing.T) {
	t.Parallel()
	servers := start(t, 2)
	d := servers[0].Deploy(t, "busy", apptest.Handler(`console.log("began"); for (;;) {}`))
	for _, from := range servers {
		for _, at := range servers {
			x := on(from, d).Send(t, `{}`)
			from.Follow(t, x, "").Logs(t, 1)
			at.Do(t, "POST", "/api/executions/"+x+"/cancel", nil)
			if e := at.Ended(t, x); e.Status != "cancelled" || e.Attempt != 1 {
				t.Errorf("the run is %s in attempt %d: %s", e.Status, e.Attempt, e.ErrorMessage)
			}
		}
	}
}
