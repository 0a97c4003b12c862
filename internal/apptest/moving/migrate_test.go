package moving

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/usefloww/flowwd/internal/apptest"
	"github.com/usefloww/flowwd/internal/loadtest"
)

// station is where an installation is served: a data folder, and the database
// that belongs to it.
type station struct{ dir string }

// name is how the command line names the station's database.
func (s station) name() string {
	if url := apptest.DatabaseURL(s.dir); url != "" {
		return url
	}
	return "sqlite:" + s.dir
}

// An installation that is moved, again and again and each time while it works,
// loses no acknowledged event and runs none to two ends.
func TestMovesLoseNothing(t *testing.T) {
	t.Parallel()
	var stations []station
	for range 3 {
		stations = append(stations, station{apptest.DataDir(t)})
	}
	move(t, stations)
}

// move serves an installation at one station after another.
func move(t *testing.T, stations []station) {
	t.Helper()
	const seed = 7
	at := stations[0]
	key := apptest.CreateKey(t, at.dir)
	p := serve(t, at.dir, key)
	load := loadtest.New(t, p.Client, loadtest.Options{Seed: seed})
	for _, next := range stations[1:] {
		life := load.Start(t, p.Client)
		life.Last(300 * time.Millisecond)
		do(t, at.dir, "migrate", "--rehearsal", "--from", at.name(), "--to", next.name())
		refusedAt(t, next, "copy for a rehearsal")
		life.Last(200 * time.Millisecond)
		life.Ending()
		p.Kill(t) // so that runs are under way
		life.Stop()

		untilMoved(t, at, next)
		refusedAt(t, at, "the database was moved")
		sameKeys(t, at, next)
		bringKeys(t, at, next)
		at, p = next, serve(t, next.dir, key)
		load.Check(t, p.Client)
	}
	count := load.Count(t, p.Client)
	fmt.Printf("%s: moved %d times: %s\n", t.Name(), len(stations)-1, count)
	if count.Lost != 0 || count.Doubled != 0 {
		t.Errorf("%d events were lost and %d doubled, want none", count.Lost, count.Doubled)
	}
	if count.Acknowledged < 100 || count.Rerun == 0 {
		t.Errorf("too little was done to show anything: %s", count)
	}
}

// bringKeys copies the keys to a station whose database is not in its folder, as
// the operator does.
func bringKeys(t *testing.T, from, to station) {
	t.Helper()
	if apptest.DatabaseURL(to.dir) == "" {
		return
	}
	if err := os.CopyFS(filepath.Join(to.dir, "keys"), os.DirFS(filepath.Join(from.dir, "keys"))); err != nil {
		t.Fatal(err)
	}
	for path, mode := range map[string]os.FileMode{"": 0o700, "keys": 0o700, "keys/metrics-token": 0o600, "keys/encryption-key": 0o600} {
		if err := os.Chmod(filepath.Join(to.dir, path), mode); err != nil {
			t.Fatal(err)
		}
	}
}

// sameKeys wants the keys of one station at the next, unless that goes on with
// its own folder beside a database elsewhere.
func sameKeys(t *testing.T, from, to station) {
	t.Helper()
	if apptest.DatabaseURL(to.dir) != "" {
		return
	}
	const token = "keys/metrics-token"
	before, err := os.ReadFile(filepath.Join(from.dir, token))
	if err != nil {
		t.Fatal(err)
	}
	if after, err := os.ReadFile(filepath.Join(to.dir, token)); err != nil || !bytes.Equal(before, after) {
		t.Errorf("the keys of %s are not those of %s (%v)", to.name(), from.name(), err)
	}
}

// refusedAt wants no server to start at a station.
func refusedAt(t *testing.T, s station, reason string) {
	t.Helper()
	if _, err := try(t, s.dir, "serve", "--listen", "127.0.0.1:0"); err == nil || !strings.Contains(err.Error(), reason) {
		t.Errorf("a server at %s: %v, want: %s", s.name(), err, reason)
	}
}

// untilMoved migrates. A server that was killed is taken to be alive until its
// lease has run out.
func untilMoved(t *testing.T, from, to station) {
	t.Helper()
	refused := 0
	apptest.Until(t, 60*time.Second, "the migration", func() bool {
		_, err := try(t, from.dir, "migrate", "--from", from.name(), "--to", to.name())
		if err != nil && !strings.Contains(err.Error(), "is being served by") {
			t.Fatal(err)
		}
		if err != nil {
			refused++
		}
		return err == nil
	})
	if shared := apptest.DatabaseURL(from.dir) != ""; shared != (refused > 0) {
		t.Errorf("%d migrations were refused because the source was taken to be served", refused)
	}
}
