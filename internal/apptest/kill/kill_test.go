package kill

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/usefloww/flowwd/internal/apptest"
)

func TestMain(m *testing.M) { os.Exit(apptest.Main(m)) }

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
