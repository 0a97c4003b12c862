//go:build external

package kill

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/usefloww/flowwd/internal/apptest"
	"github.com/usefloww/flowwd/internal/loadtest"
	"github.com/usefloww/flowwd/internal/pgtest"
)

// While PostgreSQL is away a server refuses events with the wish to send them
// again; it goes on by itself when PostgreSQL is back, and nothing that it
// acknowledged is lost.
func TestRestartedPostgreSQLLosesNothing(t *testing.T) {
	t.Parallel()
	_, seed := loadtest.Random(t, *seed)
	cluster := pgtest.Start(t, pgtest.Options{})
	dir := t.TempDir()
	apptest.Bind(dir, apptest.NewDatabase(t, cluster))
	p := start(t, dir, apptest.CreateKey(t, dir))
	load := loadtest.New(t, p.Client, loadtest.Options{Seed: seed})
	life := load.Start(t, p.Client)
	// In turn as a crash and as an administrator who waits for nobody.
	endings := []func() error{cluster.Crash, cluster.Stop, cluster.Crash, cluster.Stop}
	for _, end := range endings {
		life.Last(time.Second)
		if err := end(); err != nil {
			t.Fatal(err)
		}
		apptest.Until(t, 30*time.Second, "/readyz to say that the database is away", func() bool {
			return p.Do(t, "GET", "/readyz", nil).Status == http.StatusServiceUnavailable
		})
		life.Last(time.Second)
		if err := cluster.Run(); err != nil {
			t.Fatal(err)
		}
		apptest.Until(t, 30*time.Second, "/readyz to say that the database is back", func() bool {
			return p.Do(t, "GET", "/readyz", nil).Status == http.StatusOK
		})
	}
	life.Last(time.Second)
	life.Stop()
	load.Check(t, p.Client)
	count := load.Count(t, p.Client)
	fmt.Printf("%s: PostgreSQL stopped and started %d times: %s\n", t.Name(), len(endings), count)
	if count.Lost != 0 || count.Doubled != 0 || count.Refused == 0 {
		t.Errorf("%d events were lost, %d doubled, %d refused; want no losses, and refusals while the database is away", count.Lost, count.Doubled, count.Refused)
	}
}
