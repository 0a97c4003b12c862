//go:build external

package store_test

import (
	"os"
	"sync"
	"testing"

	"github.com/usefloww/flowwd/internal/pgtest"
	"github.com/usefloww/flowwd/internal/schematest"
	"github.com/usefloww/flowwd/internal/store"
	"github.com/usefloww/flowwd/internal/storetest"
)

// cluster is the PostgreSQL server of this package's tests.
var cluster = sync.OnceValues(func() (*pgtest.Server, error) { return pgtest.New(pgtest.Options{Volatile: true}) })

func TestMain(m *testing.M) {
	code := m.Run()
	if s, err := cluster(); err == nil {
		_ = s.Remove() // the tests are over
	}
	os.Exit(code)
}

// postgresURL makes a database with the schema and returns its address.
func postgresURL(t testing.TB) string {
	t.Helper()
	s, err := cluster()
	if err != nil {
		t.Fatal(err)
	}
	return schematest.PostgreSQL(t, s)
}

// postgres makes databases of the package's server.
func postgres(t testing.TB) storetest.Opener {
	t.Helper()
	url := postgresURL(t)
	return func(cfg store.Config) (*store.Store, error) {
		cfg.URL, cfg.Readers = url, 2
		return store.Open(t.Context(), cfg)
	}
}

func TestPostgreSQL(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T) storetest.Opener { return postgres(t) })
}

func BenchmarkPutKVPostgreSQL(b *testing.B) { benchmarkPutKV(b, postgres(b)) }
