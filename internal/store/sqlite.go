package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"

	"github.com/pressly/goose/v3"
	"modernc.org/sqlite"

	"github.com/usefloww/flowwd/internal/filelock"
	"github.com/usefloww/flowwd/internal/store/migrations"
	"github.com/usefloww/flowwd/internal/store/walindex"
)

// Settings of SQLite.
const (
	busyTimeout = "5000" // milliseconds, as all times of SQLite
	// walPages is the size of the write-ahead log at which a commit copies it
	// into the database; walLimit is what is kept of its file afterwards.
	walPages = "4000"
	walLimit = "67108864"
	// The page caches of the writer and of one reader; negative means KiB.
	writerCache = "-16384"
	readerCache = "-4096"
)

// sqliteDatabase is a database file.
type sqliteDatabase struct {
	sqliteDialect
	path string
}

func (d *sqliteDatabase) String() string { return d.path }

func (d *sqliteDatabase) open(mode mode) (*sql.DB, error) { return d.pool(mode, false) }

// pool returns a pool of connections to the file, which has to be there and which
// create sets up.
func (d *sqliteDatabase) pool(mode mode, create bool) (*sql.DB, error) {
	connector, err := sqlite.NewConnector(sqliteDSN(d.path, mode, create))
	if err != nil {
		return nil, err
	}
	// As SQLite does where its build finds it: what a commit waits for needs no
	// times of files. Where there is none it syncs in its other way.
	_, _ = sqlite.Fdatasync(true)
	release, err := walindex.Attach(d.path)
	if err != nil {
		return nil, err
	}
	return sql.OpenDB(&attached{connector, release}), nil
}

// attached opens connections to a database whose index of the log is attached
// until the pool of them is closed.
type attached struct {
	driver.Connector
	release func() error
}

// Close is called by the pool, after it has closed its connections.
func (a *attached) Close() error { return a.release() }

func (d *sqliteDatabase) migrator(pool *sql.DB) (*goose.Provider, error) {
	steps, err := migrations.SQLite()
	if err != nil {
		return nil, err
	}
	return goose.NewProvider(goose.DialectSQLite3, pool, steps, goose.WithDisableGlobalRegistry(true))
}

func sqliteDSN(path string, mode mode, create bool) string {
	q := url.Values{}
	pragma := func(name, value string) { q.Add("_pragma", name+"("+value+")") }
	q.Set("_busy_timeout", busyTimeout)
	if create {
		// Only works before the first table is made.
		q.Set("_auto_vacuum", "incremental")
		pragma("journal_mode", "wal")
	} else {
		q.Set("mode", "rw")
	}
	pragma("synchronous", synchronous)
	pragma("foreign_keys", "1")
	pragma("wal_autocheckpoint", walPages)
	pragma("journal_size_limit", walLimit)
	pragma("temp_store", "memory")
	if mode == reading {
		pragma("cache_size", readerCache)
		q.Set("_query_only", "1")
	} else {
		pragma("cache_size", writerCache)
	}
	return "file:" + (&url.URL{Path: path}).EscapedPath() + "?" + q.Encode()
}

// makePrivate creates the database's file for its owner alone; the files that
// SQLite puts beside it take over its mode.
func makePrivate(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	return f.Close()
}

// prepare makes or migrates the file, with other processes kept out.
func (d *sqliteDatabase) prepare(ctx context.Context) (err error) {
	lock, err := filelock.Lock(ctx, d.path+".lock", filelock.Exclusive)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, filelock.Unlock(lock)) }()
	if err := makePrivate(d.path); err != nil {
		return err
	}
	db, err := d.pool(writing, true)
	if err != nil {
		return err
	}
	db.SetMaxOpenConns(1)
	defer func() { err = errors.Join(err, db.Close()) }()
	m, err := d.migrator(db)
	if err != nil {
		return fmt.Errorf("read the migrations: %w", err)
	}
	return migrate(ctx, m)
}

// check looks for damage and wrong settings of the file.
func (d *sqliteDatabase) check(v *view) []error {
	var found []error
	err := v.each("PRAGMA quick_check(20)", nil, func(scan scanner) error {
		var text string
		if err := scan(&text); err != nil {
			return err
		}
		if text != "ok" {
			found = append(found, fmt.Errorf("the database is damaged (%s): stop flowwd and restore a backup", text))
		}
		return nil
	})
	if err != nil {
		found = append(found, fmt.Errorf("the database can't be checked: %w", err))
	}
	broken := 0
	err = v.each("PRAGMA foreign_key_check", nil, func(scan scanner) error { broken++; return nil })
	if err != nil {
		found = append(found, fmt.Errorf("the references in the database can't be checked: %w", err))
	}
	if broken > 0 {
		found = append(found, fmt.Errorf("%d rows of the database point to rows that are missing: restore a backup", broken))
	}
	return append(found, checkSettings(v)...)
}

func checkSettings(v *view) []error {
	var found []error
	for _, setting := range []struct{ pragma, want, remedy string }{
		{"auto_vacuum", "2", "run `PRAGMA auto_vacuum = INCREMENTAL; VACUUM;` on it while flowwd is stopped"},
		{"journal_mode", "wal", "run `PRAGMA journal_mode = WAL;` on it while flowwd is stopped"},
	} {
		var got any
		if _, err := v.one("PRAGMA "+setting.pragma, nil, &got); err != nil {
			found = append(found, fmt.Errorf("the database's %s can't be read: %w", setting.pragma, err))
		} else if value := fmt.Sprint(got); !strings.EqualFold(value, setting.want) {
			found = append(found, fmt.Errorf("the database's %s is %s, not %s: %s", setting.pragma, value, setting.want, setting.remedy))
		}
	}
	return found
}
