package store

import (
	"database/sql/driver"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"modernc.org/sqlite"
	sqlitecode "modernc.org/sqlite/lib"

	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/workflow"
)

// dialect is where databases differ: how placeholders are written, how values
// travel, and what an error means.
type dialect interface {
	// placeholders rewrites the question marks of a statement.
	placeholders(query string) string
	// bind turns a value of the domain into one that the driver takes.
	bind(value any) (driver.Value, error)
	// class says what sort of failure an error of the driver is.
	class(err error) errorClass
	// vacuum gives up to so many free pages back to the system.
	vacuum(t *tx, pages int) error
}

// errorClass is what the store makes of a driver's error.
type errorClass uint8

const (
	classOther       errorClass = iota
	classUnique                 // a unique index refused a row
	classForeign                // a row that is pointed to is missing
	classUnavailable            // locked, full, or the disk does not answer
	classInterrupted            // the caller's context ended
)

// sqliteDialect binds ids and hashes as bytes, times as Unix milliseconds and
// bools as 0 and 1.
type sqliteDialect struct{}

func (sqliteDialect) placeholders(query string) string { return query }

func (sqliteDialect) bind(value any) (driver.Value, error) {
	switch v := value.(type) {
	case nil:
		return nil, nil
	case id.ID:
		if v.IsZero() {
			return nil, nil
		}
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

// clean replaces what PostgreSQL refuses in a text: NUL and bytes that are not
// UTF-8. Texts of user code may hold both, and the end of a run must not be
// lost over them.
func clean(text string) string {
	if strings.IndexByte(text, 0) >= 0 {
		text = strings.ReplaceAll(text, "\x00", "\uFFFD")
	}
	return strings.ToValidUTF8(text, "\uFFFD")
}
