//go:build external

package docker_test

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"

	"github.com/usefloww/flowwd/internal/engine"
	"github.com/usefloww/flowwd/internal/engine/docker"
	"github.com/usefloww/flowwd/internal/engine/embedded/fetch"
	"github.com/usefloww/flowwd/internal/id"
)

// mine are the containers of an installation, the one with the code first.
func mine(t *testing.T, instance string) []container.Summary {
	t.Helper()
	filters := client.Filters{}
	filters.Add("label", "io.flowwd.instance="+instance)
	list, err := daemon.API.ContainerList(t.Context(), client.ContainerListOptions{All: true, Filters: filters})
	if err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(list.Items, func(a, b container.Summary) int {
		return cmp.Compare(a.Labels["io.flowwd.role"], b.Labels["io.flowwd.role"])
	})
	return list.Items
}

func until(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); !holds(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not in time: %s", what)
		}
	}
}

func named(name *string) func(*docker.Config) {
	return func(c *docker.Config) {
		if *name == "" {
			*name = c.Instance
		}
		c.Instance = *name
	}
}

func must(t *testing.T, e *docker.Engine, call engine.Invocation) string {
	t.Helper()
	result, err := e.Invoke(t.Context(), call, func([]engine.LogLine) {})
	if err != nil {
		t.Fatal(err)
	}
	return string(result.Value)
}

func TestTakenOverByTheNextStart(t *testing.T) {
	t.Parallel()
	name := ""
	first := start(t, named(&name))
	call := invocation(t, first, handler(`return 1;`))
	must(t, first, call)
	before := mine(t, name)
	stop(t, first)

	stray, err := daemon.API.ContainerCreate(t.Context(), client.ContainerCreateOptions{
		Config: &container.Config{Image: image, Labels: map[string]string{"io.flowwd.instance": name, "io.flowwd.pair": "x", "io.flowwd.role": "code"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	second := start(t, named(&name))
	must(t, second, call)
	after := mine(t, name)
	if len(before) != 2 || len(after) != 2 || after[0].ID != before[0].ID || after[0].ID == stray.ID {
		t.Errorf("the containers were %+v, and are %+v", before, after)
	}
	stop(t, second)

	third := start(t, func(c *docker.Config) { named(&name)(c); c.Pids = 99 })
	if left := mine(t, name); len(left) != 0 {
		t.Errorf("containers with other settings are left: %+v", left)
	}
	must(t, third, call)
}

func TestIdleContainers(t *testing.T) {
	t.Parallel()
	name := ""
	e := start(t, func(c *docker.Config) {
		named(&name)(c)
		c.StopAfter, c.RemoveAfter = 50*time.Millisecond, time.Hour
	})
	call := invocation(t, e, handler(`return 1;`))
	must(t, e, call)
	stopped := func() bool {
		all := mine(t, name)
		return len(all) == 2 && all[0].State == container.StateExited && all[1].State == container.StateExited
	}
	until(t, "the containers are stopped", stopped)
	id := mine(t, name)[0].ID
	must(t, e, call)
	until(t, "they are stopped again", stopped)
	if mine(t, name)[0].ID != id {
		t.Error("another container was made for the second run")
	}
	stop(t, e)
	start(t, func(c *docker.Config) {
		named(&name)(c)
		c.StopAfter, c.RemoveAfter = 50*time.Millisecond, 100*time.Millisecond
	})
	until(t, "they are removed", func() bool { return len(mine(t, name)) == 0 })
}

// Holders that are made ahead become part of one pair each, of whichever
// organization, and one that is gone is in nobody's way.
func TestSpareHolders(t *testing.T) {
	t.Parallel()
	name := ""
	e := start(t, func(c *docker.Config) { named(&name)(c); c.Spare = 2 })
	spares := func() (ids []string) {
		for _, c := range mine(t, name) {
			if c.Labels["io.flowwd.organization"] == "" && c.State == container.StateRunning {
				ids = append(ids, c.ID)
			}
		}
		return ids
	}
	until(t, "two are there", func() bool { return len(spares()) == 2 })
	before := spares()
	call := invocation(t, e, handler(`return 1;`))
	other := invocation(t, e, handler(`return 1;`))
	must(t, e, call)
	must(t, e, other)
	pairs := map[string]string{}
	for _, c := range mine(t, name) {
		if c.Labels["io.flowwd.role"] == "code" {
			pairs[c.Labels["io.flowwd.organization"]] = c.HostConfig.NetworkMode
		}
	}
	got := []string{pairs[call.OrganizationID.String()], pairs[other.OrganizationID.String()]}
	want := []string{"container:" + before[0], "container:" + before[1]}
	if slices.Sort(got); !slices.Equal(got, slices.Sorted(slices.Values(want))) {
		t.Errorf("the pairs have %v, want %v", got, want)
	}
	until(t, "there are two others", func() bool { return len(spares()) == 4 })
	for _, id := range spares() {
		if !slices.Contains(before, id) {
			if _, err := daemon.API.ContainerKill(t.Context(), id, client.ContainerKillOptions{Signal: "SIGKILL"}); err != nil {
				t.Fatal(err)
			}
		}
	}
	must(t, e, invocation(t, e, handler(`return 1;`)))
	stop(t, e)
	second := start(t, named(&name))
	must(t, second, call)
	if left := mine(t, name); len(left) != 6 {
		t.Errorf("after the next start without spares there are %d containers, want three pairs", len(left))
	}
}

func TestEndsOfContainers(t *testing.T) {
	t.Parallel()
	name := ""
	e := start(t, func(c *docker.Config) { named(&name)(c); c.Memory = 300 << 20 })
	call := invocation(t, e, handler(`const {do: what} = event.body ?? {};
		if (what === "wait") { console.log("waiting"); await new Promise((r) => setTimeout(r, 60_000)); }
		if (what === "crash") process.kill(process.pid, "SIGTERM");
		if (what === "eat") { const all = []; for (;;) all.push(Buffer.alloc(16 << 20, 1)); }
		if (what === "kill") { process.kill(1, "SIGKILL"); return "alive"; }
		if (what === "crash" || what === "eat") await new Promise((r) => setTimeout(r, 60_000));
		return "fine";`))
	call.Event = engine.Event{HasBody: true, ContentType: "application/json"}
	do := func(what string, logged func()) (string, error) {
		one := call
		one.ExecutionID = id.NewSource(time.Now).New()
		one.Event.Body = fmt.Appendf(nil, `{"do":%q}`, what)
		result, err := e.Invoke(t.Context(), one, func([]engine.LogLine) { logged() })
		return string(result.Value), err
	}
	wantReason := func(what string, err error, want engine.Reason) {
		t.Helper()
		if failure, ok := errors.AsType[*engine.Failure](err); !ok || failure.Reason != want {
			t.Errorf("%s: got %v (%T), want %s", what, err, err, want)
		}
	}
	fine := func(after string) {
		t.Helper()
		if got, err := do("", func() {}); err != nil || got != `"fine"` {
			t.Errorf("after %s: %s, %v", after, got, err)
		}
	}
	_, err := do("crash", func() {})
	wantReason("a crash", err, engine.Crashed)
	fine("a crash")
	_, err = do("eat", func() {})
	wantReason("eating memory", err, engine.OutOfMemory)
	fine("eating memory")
	if got, err := do("kill", func() {}); err != nil || got != `"alive"` {
		t.Errorf("the code killed its container: %s, %v", got, err)
	}
	_, err = do("wait", func() {
		if _, err := daemon.API.ContainerKill(context.Background(), mine(t, name)[0].ID, client.ContainerKillOptions{Signal: "SIGKILL"}); err != nil {
			t.Error(err)
		}
	})
	if _, ok := errors.AsType[*engine.Interrupted](err); !ok || !strings.Contains(err.Error(), "killed from outside") {
		t.Errorf("killed from outside: %v (%T)", err, err)
	}
	fine("being killed")
	_, err = do("wait", func() {
		if _, err := daemon.API.ContainerKill(context.Background(), mine(t, name)[1].ID, client.ContainerKillOptions{Signal: "SIGKILL"}); err != nil {
			t.Error(err)
		}
	})
	if _, ok := errors.AsType[*engine.Interrupted](err); !ok {
		t.Errorf("the holder was killed: %v (%T)", err, err)
	}
	fine("the holder was killed")

	// One of two crashes: neither is blamed, and the next two are alone.
	waiting, ended := make(chan struct{}), make(chan error, 1)
	var once sync.Once
	go func() {
		_, err := do("wait", func() { once.Do(func() { close(waiting) }) })
		ended <- err
	}()
	<-waiting
	_, err = do("crash", func() {})
	for who, err := range map[string]error{"the one that crashed": err, "the other one": <-ended} {
		if _, ok := errors.AsType[*engine.Interrupted](err); !ok {
			t.Errorf("%s: %v (%T)", who, err, err)
		}
	}
	_, err = do("crash", func() {})
	wantReason("the one that crashed, alone", err, engine.Crashed)
}

// TestConfinement looks around from inside.
func TestConfinement(t *testing.T) {
	t.Parallel()
	site := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "reached ", r.URL.Path) }))
	var err error
	site.Listener.Close()
	if site.Listener, err = net.Listen("tcp", outward(t)+":0"); err != nil {
		t.Fatal(err)
	}
	site.Start()
	t.Cleanup(site.Close)
	secret, err := net.Listen("tcp", "0.0.0.0:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { secret.Close() })
	policy, err := fetch.ParsePolicy(site.Listener.Addr().String(), "")
	if err != nil {
		t.Fatal(err)
	}
	name := ""
	e := start(t, func(c *docker.Config) {
		named(&name)(c)
		c.Fetch = fetch.Config{Policy: policy}
		c.Backend = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "kv ", r.Header.Get("Authorization")) })
	})
	from := handler(`const text = async (url: string) => fetch(url).then((r) => r.text(), (e) => "failed: " + (e.cause?.message ?? e.message));
		const tried = (f: () => unknown) => { try { return f(); } catch (e: any) { return e.code; } };
		const socket = (host: string, port: number) => new Promise((r) => { const s = net.connect(port, host, () => r("connected")); s.on("error", (e: any) => r(e.code)); });
		return {
			uid: process.getuid!(), interfaces: Object.keys(os.networkInterfaces()), write: tried(() => fs.writeFileSync("/runtime/x", "")),
			tmp: tried(() => fs.writeFileSync("/tmp/x", "")), full: tried(() => fs.writeFileSync("/tmp/y", Buffer.alloc(80 << 20))),
			caps: fs.readFileSync("/proc/self/status", "utf8").match(/CapEff:\s*(\w+)/)![1], nnp: fs.readFileSync("/proc/self/status", "utf8").match(/NoNewPrivs:\s*(\d)/)![1],
			allowed: await text("` + site.URL + `/a"), refused: await text("http://127.0.0.2:1/"), metadata: await text("http://169.254.169.254/latest"),
			raw: await socket("` + outward(t) + `", ` + port(secret) + `), env: Object.keys(process.env).filter((n) => n.startsWith("FLOWWD_")),
			kv: await (await fetch("http://127.0.0.1:8001/api/kv/x", {headers: {authorization: "Bearer t"}})).text(),
			token: await __floww.ask("token", "{}"), what: await __floww.ask("what", "{}").catch((e: any) => e.message),
		};`)
	from.Files["main.ts"] = `import fs from "node:fs"; import net from "node:net"; import os from "node:os";` + from.Files["main.ts"]
	call := invocation(t, e, from)
	call.Ask = func(_ context.Context, name string, question []byte) ([]byte, error) {
		if name != "token" {
			return nil, errors.New("nobody knows")
		}
		return []byte(`{"ok":"the token"}`), nil
	}
	var got map[string]any
	if err := json.Unmarshal([]byte(must(t, e, call)), &got); err != nil {
		t.Fatal(err)
	}
	for member, want := range map[string]any{
		"uid": 1000.0, "write": "EROFS", "tmp": nil, "full": "ENOSPC", "caps": "0000000000000000", "nnp": "1", "allowed": "reached /a", "raw": "ENETUNREACH",
		"kv": "kv Bearer t", "token": `{"ok":"the token"}`, "what": "what failed: nobody knows",
	} {
		if got[member] != want {
			t.Errorf("%s is %v, want %v", member, got[member], want)
		}
	}
	if fmt.Sprint(got["interfaces"]) != "[lo]" || fmt.Sprint(got["env"]) != "[]" {
		t.Errorf("it sees the interfaces %v and %v of the environment", got["interfaces"], got["env"])
	}
	for _, member := range []string{"refused", "metadata"} {
		if text := fmt.Sprint(got[member]); !strings.Contains(text, "failed") && !strings.Contains(text, "must not be reached") {
			t.Errorf("%s: %s", member, text)
		}
	}
	other := call
	other.OrganizationID = id.NewSource(time.Now).New()
	must(t, e, other)
	organizations := map[string]int{}
	for _, c := range mine(t, name) {
		organizations[c.Labels["io.flowwd.organization"]]++
	}
	if len(organizations) != 2 || organizations[call.OrganizationID.String()] != 2 {
		t.Errorf("the containers of two organizations are %v", organizations)
	}
}

func port(l net.Listener) string { return fmt.Sprint(l.Addr().(*net.TCPAddr).Port) }

// outward is an address of this machine that is not loopback.
func outward(t *testing.T) string {
	t.Helper()
	all, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range all {
		if network, ok := a.(*net.IPNet); ok && !network.IP.IsLoopback() && network.IP.To4() != nil {
			return network.IP.String()
		}
	}
	t.Fatal("this machine has no address but loopback")
	return ""
}

func TestPrepare(t *testing.T) {
	t.Parallel()
	e := start(t, nil)
	call := invocation(t, e, handler(`return 1;`))
	var lines []string
	if err := e.Prepare(t.Context(), call.OrganizationID, image, func(line string) { lines = append(lines, line) }); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(lines, ", "); got != "starting a container, the container is healthy" {
		t.Errorf("it said %s", got)
	}
	must(t, e, call)
}

// TestDaemonIsKilled is no parallel test: all share the daemon.
func TestDaemonIsKilled(t *testing.T) {
	e := start(t, nil)
	call := invocation(t, e, handler(`if (ctx.attempt > 1) return "again"; console.log("waiting"); await new Promise((r) => setTimeout(r, 60_000));`))
	_, err := e.Invoke(t.Context(), call, func([]engine.LogLine) { daemon.Kill() })
	if _, ok := errors.AsType[*engine.Interrupted](err); !ok {
		t.Errorf("a run whose daemon was killed: %v (%T)", err, err)
	}
	call.Attempt = 2
	_, err = e.Invoke(t.Context(), call, func([]engine.LogLine) {})
	if _, ok := errors.AsType[*engine.Failure](err); err == nil || ok {
		t.Errorf("without a daemon: %v (%T)", err, err)
	}
	if e.Healthy(t.Context()) == nil {
		t.Error("the engine is healthy without a daemon")
	}
	if err := daemon.Restart(); err != nil {
		t.Fatal(err)
	}
	if got := must(t, e, call); got != `"again"` {
		t.Errorf("it ran again: %s", got)
	}
}
