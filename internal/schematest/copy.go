package schematest

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/usefloww/flowwd/internal/pgtest"
	"github.com/usefloww/flowwd/internal/store"
)

// file is what is in a file of a migrated database.
var file = sync.OnceValues(func() ([]byte, error) {
	folder, err := os.MkdirTemp("", "flowwd-schema-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(folder) //nolint:errcheck // it has been read
	path := filepath.Join(folder, "flowwd.db")
	if err := migrate(store.Config{Path: path}); err != nil {
		return nil, err
	}
	return os.ReadFile(path)
})

// SQLite makes a database file in a folder that exists.
func SQLite(t testing.TB, path string) {
	t.Helper()
	content, err := file()
	if err != nil {
		t.Fatalf("make a database to copy: %v", err)
	}
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
}

// originals are the addresses of the databases that PostgreSQL copies, each by
// its server.
var originals struct {
	sync.Mutex
	of map[*pgtest.Server]string
}

// PostgreSQL makes a database on a server and returns its address.
func PostgreSQL(t testing.TB, s *pgtest.Server) string {
	t.Helper()
	from, err := original(t.Context(), s)
	if err != nil {
		t.Fatalf("make a database to copy: %v", err)
	}
	url, err := s.Copy(t.Context(), from)
	if err != nil {
		t.Fatal(err)
	}
	return url
}

func original(ctx context.Context, s *pgtest.Server) (string, error) {
	originals.Lock()
	defer originals.Unlock()
	if url, ok := originals.of[s]; ok {
		return url, nil
	}
	url, err := s.Database(ctx)
	if err != nil {
		return "", err
	}
	if err := migrate(store.Config{URL: url}); err != nil {
		return "", err
	}
	if originals.of == nil {
		originals.of = make(map[*pgtest.Server]string)
	}
	originals.of[s] = url
	return url, nil
}

// migrate opens a database, which migrates it, and closes it again.
func migrate(c store.Config) error {
	c.Now, c.Log = time.Now, slog.New(slog.DiscardHandler)
	s, err := store.Open(context.Background(), c)
	if err != nil {
		return err
	}
	return s.Close()
}
