package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"strings"
	"time"

	"github.com/pressly/goose/v3"

	"github.com/usefloww/flowwd/internal/id"
)

// database is one kind of database, and where this one is.
type database interface {
	dialect
	// String names the database without its secrets.
	String() string
	// prepare makes the database or brings its schema up to date, while other
	// processes may do the same.
	prepare(ctx context.Context) error
	// open returns a pool of connections. Its first use connects.
	open(mode mode) (*sql.DB, error)
	// migrator knows the steps of the schema.
	migrator(pool *sql.DB) (*goose.Provider, error)
	// check looks for damage and for settings that endanger data. Each error
	// says what to do.
	check(v *view) []error
}

// mode is what a pool of connections is for.
type mode uint8

const (
	writing mode = iota
	reading
)

// dialect is where databases differ: how statements are written, how values
// travel, and what an error means.
type dialect interface {
	// link is the way to run statements on a connection.
	link(c *sql.Conn) (link, error)
	// begin is the statement that opens a transaction.
	begin(mode mode) string
	// timeout bounds a transaction of the writer; 0 for no bound.
	timeout() time.Duration
	// bind turns a value of the domain into one that the driver takes.
	bind(value any) (driver.Value, error)
	// class says what sort of failure an error of the driver is.
	class(err error) errorClass
	// shared says that other processes write at the same time: what a
	// transaction has read may change unless it is locked, and claims have
	// leases.
	shared() bool
	// lock ends a SELECT whose rows of a table's alias the transaction goes on
	// to change. It waits for others, and skipLocked passes over the rows that others
	// hold. hold keeps others from changing the rows.
	lock(alias string) string
	skipLocked(alias string) string
	hold(alias string) string
	// alone keeps other writers from a table until the transaction ends.
	alone(t *tx, table string) error
	// clock is the expression for the time that leases are measured by, some
	// milliseconds (one placeholder) from now.
	clock() string
	// day is the expression for the number of the UTC day of a time, as dayOf gives.
	day(column string) string
	// about is a query for the version of the database and its size in bytes.
	about() string
	// announce tells other processes what was stored and they must learn of, once it
	// is committed.
	announce(t *tx, n *notices) error
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
	classVictim                 // undone so that another transaction could go on
	classInterrupted            // the caller's context ended
	classLost                   // the connection is gone
)

// edge is an id that is compared with, also when it is zero, which as an id
// stands for NULL.
type edge id.ID

// clean replaces what PostgreSQL refuses in a text: NUL and bytes that are not
// UTF-8. Texts of user code may hold both, and the end of a run must not be
// lost over them.
func clean(text string) string {
	if strings.IndexByte(text, 0) >= 0 {
		text = strings.ReplaceAll(text, "\x00", "\uFFFD")
	}
	return strings.ToValidUTF8(text, "\uFFFD")
}
