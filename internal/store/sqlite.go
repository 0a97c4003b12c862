package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"

	"modernc.org/sqlite"
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
	// sqliteOpening opens the writer's transactions: it takes the write lock at
	// once, so that no unit fails half-way for want of it.
	sqliteOpening = "BEGIN IMMEDIATE"
)

// sqliteMode is what a pool of connections is for.
type sqliteMode uint8

const (
	sqliteCreate sqliteMode = iota // makes the file when absent and sets it up
	sqliteWrite                    // the writer
	sqliteRead                     // only reads
)

// openSQLite returns a pool of connections to a file.
func openSQLite(path string, mode sqliteMode) (*sql.DB, error) {
	connector, err := sqlite.NewConnector(sqliteDSN(path, mode))
	if err != nil {
		return nil, err
	}
	return sql.OpenDB(connector), nil
}

func sqliteDSN(path string, mode sqliteMode) string {
	q := url.Values{}
	pragma := func(name, value string) { q.Add("_pragma", name+"("+value+")") }
	q.Set("_busy_timeout", busyTimeout)
	if mode == sqliteCreate {
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
	if mode == sqliteRead {
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

// prepareSQLite makes or migrates the database file, with other processes kept
// out.
func prepareSQLite(ctx context.Context, path string) (err error) {
	unlock, err := lockFile(ctx, path+".lock")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, unlock()) }()
	if err := makePrivate(path); err != nil {
		return err
	}
	db, err := openSQLite(path, sqliteCreate)
	if err != nil {
		return err
	}
	db.SetMaxOpenConns(1)
	defer func() { err = errors.Join(err, db.Close()) }()
	return migrate(ctx, db)
}

// checkSQLite looks for damage and wrong settings of the file.
func checkSQLite(v *view) []error {
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
