//go:build external && linux

package powercut

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/usefloww/flowwd/internal/apptest"
	"github.com/usefloww/flowwd/internal/loadtest"
)

var (
	cuts = flag.Int("cuts", 12, "how often the power is cut under load")
	seed = flag.Uint64("seed", 0, "start of the random choices; 0 takes one from the clock")
)

func TestMain(m *testing.M) {
	flag.Parse()
	if err := sweep(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(apptest.Main(m))
}

// Lives of a server under load before the power is cut.
const shortest, longest = 200 * time.Millisecond, 1500 * time.Millisecond

func lifetime(random *rand.Rand) time.Duration {
	return shortest + time.Duration(random.Int64N(int64(longest-shortest)))
}

// databases are those that the power is cut for.
func databases() map[string]database {
	return map[string]database{"SQLite": sqlite{}, "PostgreSQL": &postgres{}}
}

// A machine whose power is cut at random instants, again and again, loses no
// acknowledged event, runs none to two ends, and keeps deployments whole.
func TestPowerCutsLoseNothing(t *testing.T) {
	t.Parallel()
	for name, db := range databases() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			random, seed := loadtest.Random(t, *seed)
			m := newMachine(t, db)
			load := loadtest.New(t, m.server.Client, loadtest.Options{Seed: seed})
			for cut := range *cuts {
				life := load.Start(t, m.server.Client)
				life.Last(lifetime(random))
				m.cutPower(t, life)
				m.start(t, apptest.Binary(t))
				m.doctor(t)
				load.Check(t, m.server.Client)
				if t.Failed() {
					t.Fatalf("seen after cut %d of %d", cut+1, *cuts)
				}
			}
			report(t, load.Count(t, m.server.Client))
		})
	}
}

// report prints the account and fails the test when something is in it that
// must not be.
func report(t *testing.T, count loadtest.Count) {
	t.Helper()
	fmt.Printf("%s: %d power cuts: %s\n", t.Name(), *cuts, count)
	count.Whole(t)
	if count.Acknowledged < *cuts || count.Rerun == 0 || count.AcknowledgedDeployments < 2 {
		t.Errorf("too little was done to show anything: %s", count)
	}
}

// A build that syncs nothing, and a PostgreSQL that doesn't, lose events when
// the power is cut, and the test above would see it.
func TestPowerCutsShowWhatIsNotSynced(t *testing.T) {
	t.Parallel()
	t.Run("SQLite", func(t *testing.T) {
		t.Parallel()
		unsynced := filepath.Join(t.TempDir(), "flowwd")
		if err := apptest.Build(unsynced, "unsynced"); err != nil {
			t.Fatal(err)
		}
		showLosses(t, sqlite{}, func(m *machine) {
			m.server.Terminate(t)
			m.start(t, unsynced)
		})
	})
	t.Run("PostgreSQL", func(t *testing.T) {
		t.Parallel()
		db := &postgres{}
		showLosses(t, db, func(m *machine) {
			m.server.Terminate(t)
			db.desync(t)
			m.start(t, apptest.Binary(t))
		})
	})
}

// showLosses cuts the power once after syncing was turned off.
func showLosses(t *testing.T, db database, desync func(*machine)) {
	t.Helper()
	_, seed := loadtest.Random(t, *seed)
	m := newMachine(t, db)
	load := loadtest.New(t, m.server.Client, loadtest.Options{Seed: seed, Redeploy: -1})
	// What is there before was stored as it should be, so that only events can
	// get lost.
	desync(m)
	run(t, "sync", "--file-system", m.disk.folder)
	life := load.Start(t, m.server.Client)
	life.Last(longest)
	m.cutPower(t, life)
	m.start(t, apptest.Binary(t))
	seen := &witness{TB: t}
	count := load.Count(seen, m.server.Client)
	fmt.Printf("%s: without syncing, as it must be: %s\n", t.Name(), count)
	if count.Lost == 0 || len(seen.failures) < count.Lost {
		t.Errorf("%d of %d acknowledged events were lost, with %d failures; want some, each with a failure: power cuts that survive without syncing show nothing",
			count.Lost, count.Acknowledged, len(seen.failures))
	}
}
