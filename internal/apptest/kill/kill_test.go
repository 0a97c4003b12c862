package kill

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/usefloww/flowwd/internal/apptest"
)

func TestMain(m *testing.M) {
	code := m.Run()
	apptest.RemoveBinary()
	os.Exit(code)
}

// A server killed in the middle of 500 acknowledged events ends every one of
// them, once.
func TestKilledServerLosesNothing(t *testing.T) {
	t.Parallel()
	const events = 500
	dir := apptest.DataDir(t)
	key := apptest.CreateKey(t, dir)
	p := apptest.StartProcess(t, dir)
	p.Key = key
	d := p.Deploy(t, "killed", apptest.Handler(`
		console.log("event " + event.body.n);
		await new Promise((r) => setTimeout(r, 20));
		return event.body.n;
	`))

	acknowledged := map[int]string{}
	var mu sync.Mutex
	var next atomic.Int64
	var senders sync.WaitGroup
	send := func(client *apptest.Client) {
		for {
			n := int(next.Add(1))
			if n > events {
				return
			}
			r, err := client.Try("POST", d.Webhooks["POST in"], fmt.Sprintf(`{"n":%d}`, n))
			if err != nil {
				return // the server is gone; this event was not acknowledged
			}
			var answer struct{ ExecutionID string }
			if r.Status != http.StatusOK || json.Unmarshal(r.Body, &answer) != nil {
				t.Errorf("event %d: %s", n, r)
				return
			}
			mu.Lock()
			acknowledged[n] = answer.ExecutionID
			mu.Unlock()
		}
	}
	rounds := 0
	for int(next.Load()) < events {
		rounds++
		for range 8 {
			senders.Go(func() { send(p.Anonymous()) })
		}
		goal := min(events, int(next.Load())+150)
		apptest.Until(t, 60*time.Second, "enough events", func() bool { return int(next.Load()) >= goal })
		p.Kill(t)
		senders.Wait()
		p = apptest.StartProcess(t, dir)
		p.Key = key
	}
	if rounds < 3 {
		t.Fatalf("the server was killed %d times, want at least 3", rounds)
	}

	rerun := 0
	for n, id := range acknowledged {
		e := p.Ended(t, id)
		if e.Status != "completed" || string(e.Result) != fmt.Sprint(n) {
			t.Errorf("event %d is %s with %s: %s", n, e.Status, e.Result, e.ErrorMessage)
		}
		if e.Attempt > 1 {
			rerun++
		}
	}
	// An event whose answer was lost may be stored too; none is stored twice.
	page := p.JSON(t, http.StatusOK, "GET", "/api/executions/workflows/"+d.WorkflowID+"?limit=1", nil)
	total := int(page["total"].(float64))
	t.Logf("%d kills: %d acknowledged, %d stored, %d run again, 0 lost", rounds, len(acknowledged), total, rerun)
	if total < len(acknowledged) || total > events {
		t.Errorf("%d executions for %d acknowledged of %d events", total, len(acknowledged), events)
	}
	if rerun == 0 {
		t.Error("no run was interrupted, so the test has shown nothing; kill earlier")
	}
}

// A server that is asked to stop ends what runs and gives the rest back.
func TestStoppedServerLosesNothing(t *testing.T) {
	t.Parallel()
	dir := apptest.DataDir(t)
	key := apptest.CreateKey(t, dir)
	p := apptest.StartProcess(t, dir, "--runners", "2", "--stop-timeout", "5s")
	p.Key = key
	d := p.Deploy(t, "stopped", apptest.Handler(`await new Promise((r) => setTimeout(r, event.body.ms)); return ctx.attempt;`))
	short, long := d.Send(t, `{"ms":500}`), d.Send(t, `{"ms":30000}`)
	var waiting []string
	for range 20 {
		waiting = append(waiting, d.Send(t, `{"ms":1}`))
	}
	p.Terminate(t)

	p = apptest.StartProcess(t, dir)
	p.Key = key
	if e := p.Execution(t, short); e.Status != "completed" || e.Attempt != 1 {
		t.Errorf("the short run is %s in attempt %d, want completed in the first", e.Status, e.Attempt)
	}
	for _, id := range waiting {
		if e := p.Ended(t, id); e.Status != "completed" {
			t.Errorf("a waiting run is %s: %s", e.Status, e.ErrorMessage)
		}
	}
	apptest.Until(t, 30*time.Second, "the long run to be started again", func() bool {
		e := p.Execution(t, long)
		return e.Status == "started" && e.Attempt == 2
	})
}

// A run whose process is killed from outside runs again; five times, and then
// it fails with that reason.
func TestKilledChildRunsAgain(t *testing.T) {
	t.Parallel()
	dir := apptest.DataDir(t)
	key := apptest.CreateKey(t, dir)
	p := process{apptest.StartProcess(t, dir)}
	p.Key = key
	d := p.Deploy(t, "child", apptest.Handler(`
		console.log("attempt " + ctx.attempt);
		if (ctx.attempt <= event.body.until) await new Promise((r) => setTimeout(r, 60000));
		return ctx.attempt;
	`))
	id := d.Send(t, `{"until":1}`)
	p.untilLine(t, id, "attempt 1")
	killChildren(t, p.Command.Process.Pid)
	if e := p.Ended(t, id); e.Status != "completed" || e.Attempt < 2 {
		t.Errorf("after its process was killed the run is %s in attempt %d: %s", e.Status, e.Attempt, e.ErrorMessage)
	}

	id = d.Send(t, `{"until":99}`)
	last := 0
	for {
		var e apptest.Execution
		// An attempt may be killed before it has logged its line, when it was
		// given to one of the processes that are being killed.
		apptest.Until(t, 30*time.Second, fmt.Sprintf("an attempt after %d", last), func() bool {
			e = p.Execution(t, id)
			return e.Final() || e.Attempt > last && slices.Contains(e.Messages(), fmt.Sprintf("attempt %d", e.Attempt))
		})
		if e.Final() {
			if e.Status != "failed" || e.Attempt != 6 || !strings.Contains(e.ErrorMessage, "nterrupted") {
				t.Errorf("the run is %s after attempt %d: %s; want failed after 6, with the reason", e.Status, e.Attempt, e.ErrorMessage)
			}
			return
		}
		last = e.Attempt
		killChildren(t, p.Command.Process.Pid)
	}
}

// The processes of a server that is killed end with it, also while they
// compute and do not look whether it is there.
func TestKilledServerLeavesNoProcess(t *testing.T) {
	t.Parallel()
	dir := apptest.DataDir(t)
	key := apptest.CreateKey(t, dir)
	p := process{apptest.StartProcess(t, dir)}
	p.Key = key
	d := p.Deploy(t, "busy", apptest.Handler(`console.log("busy"); for (;;);`))
	p.untilLine(t, d.Send(t, `{}`), "busy")
	left := children(t, p.Command.Process.Pid)
	if len(left) == 0 {
		t.Fatal("the server has no child")
	}
	p.Kill(t)
	apptest.Until(t, 10*time.Second, "the children to end", func() bool {
		left = slices.DeleteFunc(left, func(pid int) bool { return syscall.Kill(pid, 0) != nil })
		return len(left) == 0
	})
}

type process struct{ *apptest.Process }

// untilLine waits until a run has logged a line.
func (p process) untilLine(t *testing.T, id, line string) {
	t.Helper()
	apptest.Until(t, 30*time.Second, "the line "+line, func() bool {
		return slices.Contains(p.Execution(t, id).Messages(), line)
	})
}

// killChildren kills every child process of a process.
func killChildren(t *testing.T, parent int) {
	t.Helper()
	killed := 0
	for _, pid := range children(t, parent) {
		if syscall.Kill(pid, syscall.SIGKILL) == nil {
			killed++
		}
	}
	if killed == 0 {
		t.Fatal("the server has no child to kill")
	}
}

// children returns the children of all threads of a process.
func children(t *testing.T, parent int) []int {
	t.Helper()
	tasks, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", parent))
	if err != nil {
		t.Fatal(err)
	}
	var pids []int
	for _, task := range tasks {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%s/children", parent, task.Name()))
		if err == nil {
			pids = append(pids, fields(text)...)
		}
	}
	return pids
}

func fields(text []byte) []int {
	var pids []int
	pid := 0
	for _, c := range append(text, ' ') {
		switch {
		case c >= '0' && c <= '9':
			pid = pid*10 + int(c-'0')
		case pid > 0:
			pids = append(pids, pid)
			pid = 0
		}
	}
	return pids
}
