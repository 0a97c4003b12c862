package store_test

import (
	"path/filepath"
	"testing"

	"github.com/usefloww/flowwd/internal/schematest"
	"github.com/usefloww/flowwd/internal/storetest"
)

// sqlite makes databases in folders of their own.
func sqlite(t testing.TB) storetest.Opener {
	path := filepath.Join(t.TempDir(), "flowwd.db")
	schematest.SQLite(t, path)
	return storetest.SQLite(t, path)
}

func TestSQLite(t *testing.T) {
	t.Parallel()
	backend := func(t *testing.T) storetest.Opener { return sqlite(t) }
	storetest.Run(t, backend)
	storetest.RunFiles(t, backend)
}
