package kill

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/usefloww/flowwd/internal/apptest"
	"github.com/usefloww/flowwd/internal/loadtest"
)

var (
	rounds = flag.Int("rounds", 30, "how often the server is killed under load")
	seed   = flag.Uint64("seed", 0, "start of the random choices; 0 takes one from the clock")
)

// Lives of a server under load in the rounds.
const shortest, longest = 100 * time.Millisecond, 900 * time.Millisecond

// A server that is killed at random moments, again and again, loses no
// acknowledged event, runs none to two ends, and keeps deployments whole.
func TestKillRoundsLoseNothing(t *testing.T) {
	t.Parallel()
	random, seed := loadtest.Random(t, *seed)
	dir := apptest.DataDir(t)
	key := apptest.CreateKey(t, dir)
	p := start(t, dir, key)
	load := loadtest.New(t, p.Client, loadtest.Options{Seed: seed})
	for round := range *rounds {
		life := load.Start(t, p.Client)
		life.Last(shortest + time.Duration(random.Int64N(int64(longest-shortest))))
		life.Ending()
		p.Kill(t)
		life.Stop()
		if random.IntN(killedStarts) == 0 {
			killStart(t, dir, random)
		}
		p = start(t, dir, key)
		load.Check(t, p.Client)
		if t.Failed() {
			t.Fatalf("seen after kill %d of %d", round+1, *rounds)
		}
	}
	count := load.Count(t, p.Client)
	report(t, fmt.Sprintf("%d kills of the server", *rounds), count)
	if count.Rerun == 0 {
		t.Error("no run was interrupted, so the test has shown nothing")
	}
}

// One in so many starts is killed too, at a moment of what a start does at most.
const (
	killedStarts = 4
	startTime    = 200 * time.Millisecond
)

// killStart starts a server and kills it while it takes back what the one before
// left, or before it came to that.
func killStart(t *testing.T, dir string, random *rand.Rand) {
	t.Helper()
	p := apptest.Launch(t, apptest.Binary(t), dir)
	<-time.After(time.Duration(random.Int64N(int64(startTime))))
	p.Kill(t)
}

// start starts a server on a data folder that has the key already.
func start(t *testing.T, dir, key string, arguments ...string) process {
	t.Helper()
	p := process{apptest.StartProcess(t, dir, arguments...)}
	p.Key = key
	return p
}

func database() string {
	if apptest.OnPostgreSQL() {
		return "PostgreSQL"
	}
	return "SQLite"
}

// report prints the account and fails the test when something is in it that
// must not be.
func report(t *testing.T, what string, count loadtest.Count) {
	t.Helper()
	fmt.Printf("%s on %s: %s: %s\n", t.Name(), database(), what, count)
	count.Whole(t)
	if count.Acknowledged == 0 || count.Completed+count.TimedOut < count.Acknowledged ||
		count.Deployments > 1 && count.AcknowledgedDeployments < 2 {
		t.Errorf("too little was done to show anything: %s", count)
	}
}
