//go:build external

package store_test

import (
	"context"
	"database/sql"
	"log/slog"
	"slices"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver of the connection that ends others

	"github.com/usefloww/flowwd/internal/execution"
	"github.com/usefloww/flowwd/internal/store"
	"github.com/usefloww/flowwd/internal/storetest"
)

// Another server is told of each execution and, when the connection that tells was
// lost, that anything may have changed.
func TestOthersAreTold(t *testing.T) {
	t.Parallel()
	url := postgresURL(t)
	open := func(cfg store.Config) (*store.Store, error) {
		cfg.URL, cfg.Readers = url, 2
		return store.Open(t.Context(), cfg)
	}
	w := storetest.NewWorld(t, open)
	_, triggers := w.Deployed(w.Namespace())
	other, err := open(store.Config{Now: time.Now, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = other.Close() }) // it has only listened
	heard := make(chan execution.Notice, 100)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		other.Follow(ctx, func(n execution.Notice) { heard <- n })
	}()
	t.Cleanup(func() { stop(); <-ended })
	until := func(what string, met func(execution.Notice) bool) {
		t.Helper()
		for deadline := time.After(20 * time.Second); ; {
			select {
			case n := <-heard:
				if met(n) {
					return
				}
			case <-deadline:
				t.Fatalf("not told: %s", what)
			}
		}
	}
	until("that anything may have changed before", func(n execution.Notice) bool { return n.Anything })

	waits := w.Accept(triggers[0])
	until("that something waits", func(n execution.Notice) bool { return n.Queue })
	w.Claim(1)
	until("that the execution has changed", func(n execution.Notice) bool { return slices.Contains(n.Executions, waits) })

	db, err := sql.Open("pgx", url)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close() //nolint:errcheck // the test is over
	var gone int
	err = db.QueryRowContext(t.Context(), `
		SELECT COUNT(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'SELECT pg_notify%'`).Scan(&gone)
	if err != nil || gone != 1 {
		t.Fatalf("%d connections ended (%v), want the one that tells", gone, err)
	}
	w.Accept(triggers[0])
	until("that anything may have changed", func(n execution.Notice) bool { return n.Anything })
}
