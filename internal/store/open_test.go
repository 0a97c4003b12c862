package store_test

import (
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/store"
	"github.com/usefloww/flowwd/internal/storetest"
)

func config(path string) store.Config {
	return store.Config{Path: path, Now: time.Now, Log: slog.New(slog.DiscardHandler)}
}

// opened opens a store that is closed after the test.
func opened(t *testing.T, cfg store.Config) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// raw opens a database file beside the store.
func raw(t *testing.T, path string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func run(t *testing.T, db *sql.DB, statements ...string) {
	t.Helper()
	for _, statement := range statements {
		if _, err := db.Exec(statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
}

func TestManyProcessesOpenANewDatabase(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "flowwd.db")
	var wg sync.WaitGroup
	for range 6 {
		wg.Go(func() {
			s, err := store.Open(context.Background(), config(path))
			if err != nil {
				t.Error(err)
				return
			}
			if err := errors.Join(append(s.Check(context.Background()), s.Ping(context.Background()), s.Close())...); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

func TestFileIsSetUp(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "with space?&#%", "flowwd.db")
	if err := os.Mkdir(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	s := opened(t, config(path))
	if problems := s.Check(t.Context()); len(problems) > 0 {
		t.Errorf("a new database has problems: %v", problems)
	}
	for _, name := range []string{path, path + "-wal", path + "-shm", path + ".lock"} {
		info, err := os.Stat(name)
		if err != nil {
			t.Error(err)
		} else if info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v, want 0600", filepath.Base(name), info.Mode())
		}
	}
}

func TestConfigIsChecked(t *testing.T) {
	t.Parallel()
	for _, cfg := range []store.Config{
		{}, {Path: "x", Now: time.Now}, {Path: "x", Log: slog.New(slog.DiscardHandler)}, {Now: time.Now, Log: slog.New(slog.DiscardHandler)},
	} {
		if s, err := store.Open(t.Context(), cfg); err == nil {
			t.Errorf("a store was opened with %+v", cfg)
			_ = s.Close()
		}
	}
	missing := config(filepath.Join(t.TempDir(), "no folder", "flowwd.db"))
	if _, err := store.Open(t.Context(), missing); err == nil {
		t.Error("a store was opened in a folder that does not exist")
	}
	missing = config(filepath.Join(t.TempDir(), "flowwd.db"))
	missing.ReadOnly = true
	if _, err := store.Open(t.Context(), missing); !fault.Is(err, fault.Unavailable) {
		t.Errorf("reading a database that does not exist gives %v, want unavailable", err)
	}
	if _, err := os.Stat(missing.Path); !errors.Is(err, os.ErrNotExist) {
		t.Error("opening for reading made the file")
	}
}

func TestVersionOfTheSchema(t *testing.T) {
	t.Parallel()
	t.Run("newer", func(t *testing.T) {
		t.Parallel()
		path := filepath.Join(t.TempDir(), "flowwd.db")
		if err := opened(t, config(path)).Close(); err != nil {
			t.Fatal(err)
		}
		run(t, raw(t, path), `INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, 1)`)
		_, err := store.Open(t.Context(), config(path))
		if err == nil || !strings.Contains(err.Error(), "schema version 9999") {
			t.Errorf("a database of a newer program: %v, want it refused", err)
		}
		wantProblem(t, path, "schema version 9999")
	})
	t.Run("older", func(t *testing.T) {
		t.Parallel()
		path := filepath.Join(t.TempDir(), "flowwd.db")
		if err := opened(t, config(path)).Close(); err != nil {
			t.Fatal(err)
		}
		run(t, raw(t, path), `DELETE FROM goose_db_version WHERE version_id > 2`)
		wantProblem(t, path, "schema version 2 and this flowwd needs")
	})
	t.Run("none", func(t *testing.T) {
		t.Parallel()
		path := filepath.Join(t.TempDir(), "flowwd.db")
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		wantProblem(t, path, "no schema of flowwd's")
	})
}

// wantProblem wants a check of a database to find exactly one thing.
func wantProblem(t *testing.T, path, text string) {
	t.Helper()
	cfg := config(path)
	cfg.ReadOnly = true
	problems := opened(t, cfg).Check(t.Context())
	if len(problems) != 1 || !strings.Contains(problems[0].Error(), text) {
		t.Errorf("problems %v, want one with %q", problems, text)
	}
}

func TestCheckFindsWhatIsWrong(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ breaking, want string }{
		"counters": {`INSERT INTO queue_counters (organization_id, waiting, last_turn) VALUES (zeroblob(16), 1, 0)`, "the queue's counters are wrong"},
		"no counters": {`INSERT INTO executions (id, organization_id, workflow_id, trigger_id, event_id, state, attempt, interruptions, received_at,
			provider_type, provider_alias, trigger_type, method, path, error, stack)
			VALUES (zeroblob(16), x'00000000000000000000000000000001', zeroblob(16), zeroblob(16), zeroblob(16), 'received', 0, 0, 0, '', '', '', '', '', '', '')`, "the queue's counters are wrong"},
		"references":  {`PRAGMA foreign_keys = 0; INSERT INTO namespaces (id, organization_id, created_at) VALUES (zeroblob(16), zeroblob(16), 0)`, "1 rows of the database point to rows that are missing"},
		"auto vacuum": {`PRAGMA auto_vacuum = 0; VACUUM`, "auto_vacuum is 0, not 2"},
		"journal":     {`PRAGMA journal_mode = delete`, "journal_mode is delete, not wal"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "flowwd.db")
			if err := opened(t, config(path)).Close(); err != nil {
				t.Fatal(err)
			}
			db := raw(t, path)
			run(t, db, c.breaking)
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
			wantProblem(t, path, c.want)
		})
	}
	t.Run("damage", func(t *testing.T) {
		t.Parallel()
		path := filepath.Join(t.TempDir(), "flowwd.db")
		if err := opened(t, config(path)).Close(); err != nil {
			t.Fatal(err)
		}
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		const page = 4096
		for i := 5 * page; i < 40*page; i++ {
			content[i] = 0xa5
		}
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		cfg := config(path)
		cfg.ReadOnly = true
		if problems := opened(t, cfg).Check(t.Context()); len(problems) == 0 {
			t.Error("a database with pages overwritten has no problems")
		}
	})
}

// TestWriteAheadLogStaysSmall writes several times what the log may hold.
func TestWriteAheadLogStaysSmall(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "flowwd.db")
	w := storetest.NewWorld(t, storetest.SQLite(t, path))
	_, triggers := w.Deployed(w.Namespace())
	const limit = 40 << 20
	var senders sync.WaitGroup
	for range 20 {
		senders.Go(func() {
			for range 100 { // 64 KiB each
				a := w.Acceptance(triggers[0])
				a.Event.Body = make([]byte, 64<<10)
				if _, err := w.AcceptExecution(t.Context(), a); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	senders.Wait()
	info, err := os.Stat(path + "-wal")
	if err != nil {
		t.Fatal(err)
	}
	if info.Size() > limit {
		t.Errorf("the write-ahead log has %d MiB after 125 MiB were written, want at most %d", info.Size()>>20, limit>>20)
	}
}

// TestModernCPair holds the pair of SQLite and C library that its authors
// tested together; another libc corrupts memory without an error.
func TestModernCPair(t *testing.T) {
	t.Parallel()
	list := func(format, module string) string {
		t.Helper()
		out, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", format, module).Output()
		if err != nil {
			t.Fatal(err)
		}
		return strings.TrimSpace(string(out))
	}
	asked, err := os.ReadFile(list("{{.GoMod}}", "modernc.org/sqlite"))
	if err != nil {
		t.Fatal(err)
	}
	want := ""
	for line := range strings.Lines(string(asked)) {
		if f := strings.Fields(line); len(f) >= 2 && f[0] == "modernc.org/libc" {
			want = f[1]
		}
	}
	if got := list("{{.Version}}", "modernc.org/libc"); want == "" || got != want {
		t.Errorf("go.mod has modernc.org/libc %s, but modernc.org/sqlite asks for %s: run `go get modernc.org/libc@%s`", got, want, want)
	}
}
