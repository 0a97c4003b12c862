package moving

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/usefloww/flowwd/internal/config"
	"github.com/usefloww/flowwd/internal/store"
	"github.com/usefloww/flowwd/internal/storetest"
)

// installation makes a data folder with something in every table.
func installation(t *testing.T) config.DataDir {
	t.Helper()
	dir := config.DataDir(filepath.Join(t.TempDir(), "data"))
	if err := dir.Make(); err != nil {
		t.Fatal(err)
	}
	w := storetest.NewWorld(t, storetest.SQLite(t, dir.Database()), func(cfg *store.Config) { cfg.Blobs = dir.Blobs() })
	w.Fill()
	if _, err := dir.LoadKeys(); err != nil {
		t.Fatal(err)
	}
	return dir
}

// usable returns why no server could start on a folder's database.
func usable(t *testing.T, dir config.DataDir) error {
	t.Helper()
	c := place{dir: dir}.config()
	c.Now = time.Now
	s, err := store.Open(t.Context(), c)
	if err != nil {
		return err
	}
	return s.Close()
}

// A migration that fails, here because somebody stops it, leaves a source that
// can be served and a copy that can't; the next one makes up for it.
func TestFailedMigrationGivesTheSourceBack(t *testing.T) {
	t.Parallel()
	from, to := installation(t), config.DataDir(filepath.Join(t.TempDir(), "copy"))
	ctx, cancel := context.WithCancel(t.Context())
	fenced := false
	m := Migrate{From: "sqlite:" + string(from), To: "sqlite:" + string(to), Now: time.Now, Report: func(string, int64, bool) {
		err := usable(t, from)
		fenced = err != nil && strings.Contains(err.Error(), "the database was moved")
		cancel()
	}}
	if _, err := m.Run(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("a migration that was stopped ends with %v", err)
	}
	if !fenced {
		t.Error("a server can start on the source while it is copied")
	}
	if err := usable(t, to); err == nil || !strings.Contains(err.Error(), "the database is not complete") {
		t.Errorf("a server on half a copy: %v", err)
	}
	if err := usable(t, from); err != nil {
		t.Errorf("a server on the source: %v", err)
	}

	m.Report = nil
	if _, err := m.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := usable(t, from); err == nil {
		t.Error("a server can start on a source that was moved")
	}
	if err := usable(t, to); err != nil {
		t.Errorf("a server on the copy: %v", err)
	}
}

// Keys of another installation are never mixed with those of the one that comes.
func TestKeysOfOthersAreKept(t *testing.T) {
	t.Parallel()
	from, to := installation(t), config.DataDir(t.TempDir())
	if _, err := to.LoadKeys(); err != nil {
		t.Fatal(err)
	}
	before, err := to.KeyFiles()
	if err != nil || len(before) == 0 {
		t.Fatal(before, err)
	}
	file := filepath.Join(t.TempDir(), "backup")
	if _, err := (Backup{Data: config.Data{DataDir: string(from)}, File: file, Now: time.Now}).Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	const want = "is the key of another installation: name a new data folder"
	_, err = Restore{Data: config.Data{DataDir: string(to)}, File: file, Now: time.Now}.Run(t.Context())
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("a restore among other keys: %v", err)
	}
	_, err = Migrate{From: "sqlite:" + string(from), To: "sqlite:" + string(to), Now: time.Now}.Run(t.Context())
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("a migration among other keys: %v", err)
	}
	if err := to.CheckKeyFiles(before); err != nil {
		t.Error(err)
	}
	if err := usable(t, from); err != nil {
		t.Errorf("a server on the source of a migration that was refused: %v", err)
	}
}

func TestDatabasesAreNamed(t *testing.T) {
	t.Parallel()
	data := config.Data{DataDir: "d", DatabaseURL: "postgres://u:secret@h/n"}
	for _, test := range []struct {
		text string
		want place
		// shown is how it is written for people.
		shown string
	}{
		{"sqlite:a/b", place{dir: "a/b"}, "the data folder a/b"},
		{"sqlite:a/b/flowwd.db", place{dir: "a/b"}, "the data folder a/b"},
		{"sqlite", place{dir: "d"}, "the data folder d"},
		{"sqlite:", place{dir: "d"}, "the data folder d"},
		{"postgres", place{url: data.DatabaseURL}, "postgres://h/n"},
		{"postgres://u:secret@h:1/n?sslmode=disable", place{url: "postgres://u:secret@h:1/n?sslmode=disable"}, "postgres://h:1/n"},
		{"postgresql://u:secret@h/n", place{url: "postgresql://u:secret@h/n"}, "postgres://h/n"},
		{"postgres:postgres://u:secret@h/n", place{url: "postgres://u:secret@h/n"}, "postgres://h/n"},
	} {
		got, err := parsePlace(test.text, data)
		if err != nil || got != test.want || got.String() != test.shown {
			t.Errorf("%s is %q (%v), want %q", test.text, got, err, test.shown)
		}
	}
	for _, text := range []string{"", "data", "mysql://h/n", "postgres:", "postgres:n", "sqlite3:d"} {
		if got, err := parsePlace(text, data); err == nil {
			t.Errorf("%q is taken for %s", text, got)
		}
	}
}
