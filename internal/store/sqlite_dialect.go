package store

import (
	"database/sql"
	"database/sql/driver"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"modernc.org/sqlite"
	sqlitecode "modernc.org/sqlite/lib"

	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/workflow"
)

// sqliteDialect binds ids and hashes as bytes, times as Unix milliseconds and
// bools as 0 and 1.
type sqliteDialect struct{}

func (sqliteDialect) link(c *sql.Conn) (link, error) { return newPreparedLink(c), nil }

func (sqliteDialect) bind(value any) (driver.Value, error) {
	switch v := value.(type) {
	case nil:
		return nil, nil
	case id.ID:
		if v.IsZero() {
			return nil, nil
		}
		return v[:], nil
	case edge:
		return v[:], nil
	case workflow.Hash:
		return v[:], nil
	case time.Time:
		return v.UnixMilli(), nil
	case *time.Time:
		if v == nil {
			return nil, nil
		}
		return v.UnixMilli(), nil
	case time.Duration:
		return v.Milliseconds(), nil
	case string:
		return clean(v), nil
	case *string:
		if v == nil {
			return nil, nil
		}
		return clean(*v), nil
	case json.RawMessage:
		if v == nil {
			return nil, nil
		}
		return clean(string(v)), nil
	case []byte:
		if v == nil {
			return nil, nil
		}
		return v, nil
	case bool:
		if v {
			return int64(1), nil
		}
		return int64(0), nil
	case int:
		return int64(v), nil
	case int64:
		return v, nil
	default:
		return nil, fmt.Errorf("no binding for %T", value)
	}
}

func (sqliteDialect) class(err error) errorClass {
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return classOther
	}
	switch e.Code() {
	case sqlitecode.SQLITE_CONSTRAINT_UNIQUE, sqlitecode.SQLITE_CONSTRAINT_PRIMARYKEY:
		return classUnique
	case sqlitecode.SQLITE_CONSTRAINT_FOREIGNKEY:
		return classForeign
	}
	switch e.Code() & 0xff {
	case sqlitecode.SQLITE_BUSY, sqlitecode.SQLITE_LOCKED, sqlitecode.SQLITE_FULL, sqlitecode.SQLITE_IOERR,
		sqlitecode.SQLITE_CANTOPEN, sqlitecode.SQLITE_READONLY, sqlitecode.SQLITE_NOMEM, sqlitecode.SQLITE_PROTOCOL:
		return classUnavailable
	case sqlitecode.SQLITE_INTERRUPT:
		return classInterrupted
	}
	return classOther
}

// vacuum does nothing when there are no free pages.
func (sqliteDialect) vacuum(t *tx, pages int) error {
	_, err := t.exec(fmt.Sprintf("PRAGMA incremental_vacuum(%d)", pages))
	return err
}

func (sqliteDialect) begin(mode mode) string {
	if mode == reading {
		return "BEGIN"
	}
	// It takes the write lock at once, so that no unit fails half-way for want
	// of it.
	return "BEGIN IMMEDIATE"
}

// A statement on a local file ends.
func (sqliteDialect) timeout() time.Duration { return 0 }

// One process writes, one transaction at a time.
func (sqliteDialect) shared() bool             { return false }
func (sqliteDialect) lock(string) string       { return "" }
func (sqliteDialect) skipLocked(string) string { return "" }
func (sqliteDialect) hold(string) string       { return "" }
func (sqliteDialect) alone(*tx, string) error  { return nil }

// clock is never asked for the lease of another process.
func (sqliteDialect) clock() string { return "CAST(unixepoch('subsec') * 1000 AS INTEGER) + ?" }

func (sqliteDialect) day(column string) string { return column + ` / 86400000` }

func (sqliteDialect) about() string {
	return `SELECT sqlite_version(), c.page_count * s.page_size FROM pragma_page_count c, pragma_page_size s`
}

func (sqliteDialect) announce(*tx, *notices) error { return nil }
