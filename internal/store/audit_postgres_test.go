//go:build external

package store_test

import (
	"database/sql"
	"testing"

	"github.com/usefloww/flowwd/internal/store"
)

func TestTamperingWithTheAuditLogShowsOnPostgreSQL(t *testing.T) {
	t.Parallel()
	for _, c := range tampering {
		t.Run(c.column, func(t *testing.T) {
			t.Parallel()
			url := postgresURL(t)
			open := func(cfg store.Config) (*store.Store, error) {
				cfg.URL, cfg.Readers = url, 1
				return store.Open(t.Context(), cfg)
			}
			testTampering(t, c.statement, c.shows, open, func() *sql.DB {
				db, err := sql.Open("pgx", url)
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { db.Close() })
				return db
			})
		})
	}
}
