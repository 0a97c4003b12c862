package kill

import (
	"fmt"
	"syscall"
	"testing"
	"time"

	"github.com/usefloww/flowwd/internal/apptest"
	"github.com/usefloww/flowwd/internal/loadtest"
)

// A server that stands still for some seconds, as one on a machine that is
// moved or out of memory does, goes on where it was.
func TestFrozenServerLosesNothing(t *testing.T) {
	t.Parallel()
	const frozen = 12 * time.Second
	_, seed := loadtest.Random(t, *seed)
	dir := apptest.DataDir(t)
	p := start(t, dir, apptest.CreateKey(t, dir))
	// A deployment's steps have seconds, and those of a freeze count.
	load := loadtest.New(t, p.Client, loadtest.Options{Seed: seed, Redeploy: -1})
	life := load.Start(t, p.Client)
	life.Last(time.Second)
	freeze(t, p.Command.Process.Pid)
	life.Last(frozen)
	thaw(t, p.Command.Process.Pid)
	life.Last(time.Second)
	life.Stop()
	load.Check(t, p.Client)
	report(t, fmt.Sprintf("the server frozen for %v", frozen), load.Count(t, p.Client))
}

// Processes that stand still longer than a run may take cost no event and hold
// nobody else up: their runs time out, or complete when they go on in time.
func TestFrozenChildrenLoseNothing(t *testing.T) {
	t.Parallel()
	const runTimeout, frozen, rounds = 2 * time.Second, 3 * time.Second, 3
	random, seed := loadtest.Random(t, *seed)
	dir := apptest.DataDir(t)
	p := start(t, dir, apptest.CreateKey(t, dir), "--run-timeout", runTimeout.String())
	load := loadtest.New(t, p.Client, loadtest.Options{Seed: seed, Timeouts: true, RunTime: 100 * time.Millisecond})
	life := load.Start(t, p.Client)
	stopped := 0
	for range rounds {
		life.Last(500 * time.Millisecond)
		// Those that have no run are stopped too: runs are given to them later.
		var pids []int
		for _, pid := range children(t, p.Command.Process.Pid) {
			if random.IntN(2) == 0 && syscall.Kill(pid, syscall.SIGSTOP) == nil {
				pids = append(pids, pid)
			}
		}
		stopped += len(pids)
		life.Last(frozen)
		for _, pid := range pids {
			_ = syscall.Kill(pid, syscall.SIGCONT) // it was killed when its run took too long
		}
	}
	load.Redeployed(t)
	life.Stop()
	load.Check(t, p.Client)
	count := load.Count(t, p.Client)
	report(t, fmt.Sprintf("%d processes frozen for %v", stopped, frozen), count)
	if count.TimedOut == 0 {
		t.Error("no run timed out, so the test has shown nothing")
	}
}

func freeze(t *testing.T, pid int) {
	t.Helper()
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		t.Fatalf("freeze process %d: %v", pid, err)
	}
}

func thaw(t *testing.T, pid int) {
	t.Helper()
	if err := syscall.Kill(pid, syscall.SIGCONT); err != nil {
		t.Fatalf("thaw process %d: %v", pid, err)
	}
}
