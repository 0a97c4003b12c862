package kill

import (
	"fmt"
	"math/rand/v2"
	"syscall"
	"testing"
	"time"

	"github.com/usefloww/flowwd/internal/apptest"
	"github.com/usefloww/flowwd/internal/loadtest"
)

// childKills is how many processes are killed under load. They are spread over
// so many runs that none of these is hit more often than it may be interrupted.
const childKills = 120

// Processes that are killed at random moments cost no event: what they ran runs
// again, and the server takes new ones.
func TestKilledChildrenLoseNothing(t *testing.T) {
	t.Parallel()
	random, seed := loadtest.Random(t, *seed)
	dir := apptest.DataDir(t)
	p := start(t, dir, apptest.CreateKey(t, dir))
	most := pace(t, p)
	load := loadtest.New(t, p.Client, loadtest.Options{Seed: seed})
	life := load.Start(t, p.Client)
	killed := 0
	apptest.Until(t, 2*time.Minute, "enough killed processes", func() bool {
		life.Last(time.Duration(random.Int64N(int64(most))))
		if pid, ok := oneOf(children(t, p.Command.Process.Pid), random); ok && syscall.Kill(pid, syscall.SIGKILL) == nil {
			killed++
		}
		return killed == childKills
	})
	load.Redeployed(t)
	life.Stop()
	load.Check(t, p.Client)
	count := load.Count(t, p.Client)
	report(t, fmt.Sprintf("%d kills of its processes", killed), count)
	if count.Rerun == 0 {
		t.Error("no run was interrupted, so the test has shown nothing")
	}
}

// pace is the longest time between two kills: twice what it takes to run something
// in a process that was not there. On a slow machine kills that came faster would hit
// the same run until it may not be interrupted any more. It is at most a second, for
// all kills to have their time.
func pace(t *testing.T, p process) time.Duration {
	t.Helper()
	d := p.Deploy(t, "pace", apptest.Handler(`return 1;`))
	longest := 50 * time.Millisecond
	for range 3 {
		for _, pid := range children(t, p.Command.Process.Pid) {
			_ = syscall.Kill(pid, syscall.SIGKILL) // it may have ended
		}
		began := time.Now()
		d.Run(t, `{}`)
		longest = max(longest, time.Since(began))
	}
	return min(2*longest, time.Second)
}

func oneOf(pids []int, random *rand.Rand) (int, bool) {
	if len(pids) == 0 {
		return 0, false
	}
	return pids[random.IntN(len(pids))], true
}
