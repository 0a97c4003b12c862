package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"strings"

	"github.com/usefloww/flowwd/internal/id"
)

// maxPrepared bounds the statements that a connection keeps prepared. All fixed
// statements fit; those with lists of ids of unusual lengths are prepared anew.
const maxPrepared = 256

// conn is one database connection with its prepared statements. It is used by
// one goroutine at a time.
type conn struct {
	pool       *sql.DB
	sql        *sql.Conn
	dialect    dialect
	statements map[string]*sql.Stmt
}

// connect takes a connection out of a pool for good.
func connect(ctx context.Context, pool *sql.DB, d dialect) (*conn, error) {
	c, err := pool.Conn(ctx)
	if err != nil {
		return nil, err
	}
	return &conn{pool: pool, sql: c, dialect: d, statements: make(map[string]*sql.Stmt)}, nil
}

// prepare returns a prepared statement and what to do with it after its use.
// Preparing does not depend on the caller's context, for the statement stays.
func (c *conn) prepare(query string) (*sql.Stmt, func(), error) {
	if s, ok := c.statements[query]; ok {
		return s, func() {}, nil
	}
	ctx := context.Background()
	if bound := c.dialect.timeout(); bound > 0 {
		limited, cancel := context.WithTimeout(ctx, bound)
		defer cancel()
		ctx = limited
	}
	s, err := c.sql.PrepareContext(ctx, c.dialect.placeholders(query))
	if err != nil {
		return nil, nil, fmt.Errorf("prepare %s: %w", brief(query), err)
	}
	if len(c.statements) >= maxPrepared {
		return s, func() { _ = s.Close() }, nil
	}
	c.statements[query] = s
	return s, func() {}, nil
}

// renew replaces a connection that is gone.
func (c *conn) renew(ctx context.Context) error {
	for _, s := range c.statements {
		_ = s.Close() // it went with the connection
	}
	clear(c.statements)
	// The pool throws a connection away that is said to be bad.
	_ = c.sql.Raw(func(any) error { return driver.ErrBadConn })
	_ = c.sql.Close()
	fresh, err := c.pool.Conn(ctx)
	if err == nil {
		c.sql = fresh
	}
	return err
}

// close returns the connection to its pool, which closes it.
func (c *conn) close() error {
	var errs []error
	for _, s := range c.statements {
		errs = append(errs, s.Close())
	}
	return errors.Join(append(errs, c.sql.Close())...)
}

// args are the values of a statement's placeholders, in order.
type args []any

func (c *conn) bind(values args) ([]any, error) {
	bound := make([]any, len(values))
	for i, v := range values {
		b, err := c.dialect.bind(v)
		if err != nil {
			return nil, fmt.Errorf("argument %d: %w", i+1, err)
		}
		bound[i] = b
	}
	return bound, nil
}

// view is a consistent sight of the database: what a reading method works with,
// and the reading half of a tx.
type view struct {
	ctx  context.Context
	conn *conn
	// failed says that a statement has failed.
	failed bool
}

// scanner puts the columns of a row into variables.
type scanner func(into ...any) error

// each calls row for every row of a query.
func (v *view) each(query string, values args, row func(scan scanner) error) error {
	rows, release, err := v.query(query, values)
	if err != nil {
		v.failed = true
		return err
	}
	defer release()
	defer rows.Close() //nolint:errcheck // reading to the end reports in rows.Err
	scan := func(into ...any) error {
		if err := rows.Scan(targets(into)...); err != nil {
			return fmt.Errorf("%s: %w", brief(query), err)
		}
		return nil
	}
	for rows.Next() {
		if err := row(scan); err != nil {
			return err
		}
	}
	if err := rows.Err(); err != nil {
		v.failed = true
		return fmt.Errorf("%s: %w", brief(query), err)
	}
	return nil
}

func (v *view) query(query string, values args) (*sql.Rows, func(), error) {
	stmt, release, err := v.conn.prepare(query)
	if err != nil {
		return nil, nil, err
	}
	bound, err := v.conn.bind(values)
	if err != nil {
		release()
		return nil, nil, fmt.Errorf("%s: %w", brief(query), err)
	}
	rows, err := stmt.QueryContext(v.ctx, bound...)
	if err != nil {
		release()
		return nil, nil, fmt.Errorf("%s: %w", brief(query), err)
	}
	return rows, release, nil
}

// one reads the first row of a query and reports whether there was one.
func (v *view) one(query string, values args, into ...any) (bool, error) {
	found := false
	err := v.each(query, values, func(scan scanner) error {
		found = true
		if err := scan(into...); err != nil {
			return err
		}
		return errStop
	})
	if errors.Is(err, errStop) {
		err = nil
	}
	return found, err
}

// errStop ends each before the last row.
var errStop = errors.New("no more rows wanted")

// in returns the placeholders of a list and its values behind those before it.
// An empty list matches nothing.
func in(ids []id.ID, before ...any) (string, args) {
	if len(ids) == 0 {
		return "(NULL)", before
	}
	values := args(before)
	for _, x := range ids {
		values = append(values, x)
	}
	return "(?" + strings.Repeat(", ?", len(ids)-1) + ")", values
}

// brief returns the beginning of a statement on one line, for errors.
func brief(query string) string {
	text := strings.Join(strings.Fields(query), " ")
	if len(text) > 80 {
		text = text[:80] + "…"
	}
	return text
}
