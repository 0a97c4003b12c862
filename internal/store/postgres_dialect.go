package store

import (
	"database/sql"
	"database/sql/driver"
	"encoding/json"
	"errors"
	"io"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/workflow"
)

// postgresDialect binds ids as uuid, hashes as bytea, times as timestamptz in
// whole milliseconds, and bools as they are.
type postgresDialect struct{}

// begin opens what writes at the level at which each statement sees what others
// have committed, so that locked rows are read as they are.
func (postgresDialect) begin(mode mode) string {
	if mode == reading {
		return "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
	}
	return "BEGIN ISOLATION LEVEL READ COMMITTED"
}

// timeout ends a transaction whose server does not answer. It is longer than
// what the server itself bounds, which says more.
func (postgresDialect) timeout() time.Duration { return 45 * time.Second }

// numbered is a statement with its question marks numbered, as PostgreSQL has them. No statement has one inside a text.
func (postgresDialect) numbered(query string) string {
	if !strings.Contains(query, "?") {
		return query
	}
	var b strings.Builder
	n := 0
	for part := range strings.SplitAfterSeq(query, "?") {
		text, marked := strings.CutSuffix(part, "?")
		b.WriteString(text)
		if marked {
			n++
			b.WriteByte('$')
			b.WriteString(strconv.Itoa(n))
		}
	}
	return b.String()
}

func (postgresDialect) bind(value any) (driver.Value, error) {
	switch v := value.(type) {
	case id.ID:
		if v.IsZero() {
			return nil, nil
		}
		return [16]byte(v), nil
	case edge:
		return [16]byte(v), nil
	case time.Time:
		return millisecond(v), nil
	case *time.Time:
		if v == nil {
			return nil, nil
		}
		return millisecond(*v), nil
	case bool:
		return v, nil
	case json.RawMessage:
		if v == nil {
			return nil, nil
		}
		return clean(string(v)), nil
	case workflow.Hash:
		return v[:], nil
	}
	// Texts, numbers, durations and bytes travel alike.
	return sqliteDialect{}.bind(value)
}

// Codes of PostgreSQL's errors: appendix A of its manual. A class is the first
// two characters.
const (
	codeUnique         = "23505"
	codeForeign        = "23503"
	codeSerialization  = "40001"
	codeDeadlock       = "40P01"
	codeCancelled      = "57014"
	codeNotAvailable   = "55P03"
	codeReadOnly       = "25006"
	codeChangedPlan    = "0A000" // also "cached plan must not change result type"
	classConnection    = "08"
	classIntervention  = "57" // the server is shut down, starts, or crashed
	classResources     = "53" // disk full, out of memory, too many connections
	classSystem        = "58"
	classAuthorization = "28"
)

func (postgresDialect) class(err error) errorClass {
	var e *pgconn.PgError
	if !errors.As(err, &e) {
		return classOfConnection(err)
	}
	switch e.Code {
	case codeUnique:
		return classUnique
	case codeForeign:
		return classForeign
	case codeCancelled:
		return classInterrupted
	case codeSerialization, codeDeadlock:
		return classVictim
	case codeNotAvailable, codeReadOnly:
		return classUnavailable
	case codeChangedPlan:
		return classLost
	}
	switch e.Code[:2] {
	case classConnection, classIntervention, classAuthorization:
		return classLost
	case classResources, classSystem:
		return classUnavailable
	}
	if e.Severity == "FATAL" || e.Severity == "PANIC" {
		return classLost
	}
	return classOther
}

// classOfConnection classes errors that the server did not send.
func classOfConnection(err error) errorClass {
	var network net.Error
	var connect *pgconn.ConnectError
	switch {
	case err == nil:
		return classOther
	case errors.Is(err, driver.ErrBadConn), errors.Is(err, sql.ErrConnDone), errors.Is(err, io.EOF),
		errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, net.ErrClosed), errors.As(err, &network), errors.As(err, &connect),
		pgconn.SafeToRetry(err):
		return classLost
	}
	return classOther
}

func (postgresDialect) shared() bool { return true }

func (postgresDialect) lock(alias string) string { return " FOR UPDATE OF " + alias }
func (postgresDialect) skipLocked(alias string) string {
	return " FOR UPDATE OF " + alias + " SKIP LOCKED"
}
func (postgresDialect) hold(alias string) string { return " FOR SHARE OF " + alias }

func (postgresDialect) alone(t *tx, table string) error {
	_, err := t.exec("LOCK TABLE " + table + " IN SHARE ROW EXCLUSIVE MODE")
	return err
}

func (postgresDialect) about() string {
	return `SELECT current_setting('server_version'), pg_database_size(current_database())`
}

func (postgresDialect) day(column string) string {
	return `CAST(floor(extract(epoch FROM ` + column + `) / 86400) AS bigint)`
}

func (postgresDialect) clock() string {
	return "(clock_timestamp() + (CAST(? AS bigint) * interval '1 millisecond'))"
}

// Autovacuum does it.
func (postgresDialect) vacuum(*tx, int) error { return nil }
