//go:build external && linux

package faults

import (
	"database/sql"
	"path/filepath"
	"slices"
	"testing"
	"time"

	_ "modernc.org/sqlite" // the driver

	"github.com/usefloww/flowwd/internal/apptest"
	"github.com/usefloww/flowwd/internal/loadtest"
	"github.com/usefloww/flowwd/internal/store/walindex"
)

// Somebody who has the database's lock holds everything up, and costs nothing.
func TestLockedDatabaseLosesNothing(t *testing.T) {
	t.Parallel()
	dir := apptest.DataDir(t)
	p := start(t, dir)
	d := p.Deploy(t, "locked", apptest.Handler(`return 1`))
	load := loadtest.New(t, p.Client, loadtest.Options{Redeploy: -1})
	life := load.Start(t, p.Client)
	life.Last(500 * time.Millisecond)
	database := filepath.Join(dir, "flowwd.db")
	release, err := walindex.Attach(database)
	if err != nil {
		t.Fatal(err)
	}
	defer release() //nolint:errcheck // the test has ended
	db, err := sql.Open("sqlite", "file:"+database)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	conn, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	apptest.Until(t, 60*time.Second, "the lock", func() bool {
		_, err := conn.ExecContext(t.Context(), "BEGIN IMMEDIATE")
		return err == nil
	})
	untilRefused(t, d, p.Client, `{}`)
	untilReady(t, p.Client, false)
	if _, failed := ready(t, p.Client); !slices.Contains(failed, "database") {
		t.Errorf("the checks that fail are %v", failed)
	}
	if metric(t, p.Client, "flowwd_store_refused_total") == 0 {
		t.Error("no refusal was measured")
	}
	if _, err := conn.ExecContext(t.Context(), "ROLLBACK"); err != nil {
		t.Fatal(err)
	}
	untilReady(t, p.Client, true)
	life.Last(500 * time.Millisecond)
	life.Stop()
	load.Check(t, p.Client)
	report(t, "the database locked", load, p.Client)
}
