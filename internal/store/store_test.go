package store_test

import (
	"path/filepath"
	"testing"

	"github.com/usefloww/flowwd/internal/schematest"
	"github.com/usefloww/flowwd/internal/store"
	"github.com/usefloww/flowwd/internal/storetest"
)

// sqlite makes databases in folders of their own.
func sqlite(t testing.TB) storetest.Opener {
	folder := t.TempDir()
	schematest.SQLite(t, filepath.Join(folder, "flowwd.db"))
	return func(cfg store.Config) (*store.Store, error) {
		cfg.Path = filepath.Join(folder, "flowwd.db")
		if cfg.Blobs == "" {
			cfg.Blobs = filepath.Join(folder, "bodies")
		}
		return store.Open(t.Context(), cfg)
	}
}

func TestSQLite(t *testing.T) {
	t.Parallel()
	backend := func(t *testing.T) storetest.Opener { return sqlite(t) }
	storetest.Run(t, backend)
	storetest.RunFiles(t, backend)
}
