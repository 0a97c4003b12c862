package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"math/bits"
	"strings"

	"github.com/usefloww/flowwd/internal/id"
)

// conn is one database connection. It is used by one goroutine at a time.
type conn struct {
	pool    *sql.DB
	sql     *sql.Conn
	link    link
	dialect dialect
	// inside says that a transaction for reading could not be ended, so that the
	// connection may still see what was then.
	inside bool
	// spare is the memory of statements that have run, for those that come.
	spare []statement
}

// connect takes a connection out of a pool for good.
func connect(ctx context.Context, pool *sql.DB, d dialect) (*conn, error) {
	c := &conn{pool: pool, dialect: d}
	return c, c.open(ctx)
}

func (c *conn) open(ctx context.Context) error {
	fresh, err := c.pool.Conn(ctx)
	if err != nil {
		return err
	}
	l, err := c.dialect.link(fresh)
	if err != nil {
		return errors.Join(err, fresh.Close())
	}
	c.sql, c.link = fresh, l
	return nil
}

// renew replaces a connection that is gone.
func (c *conn) renew(ctx context.Context) error {
	_ = c.link.forget() // it went with the connection
	// The pool throws a connection away that is said to be bad.
	_ = c.sql.Raw(func(any) error { return driver.ErrBadConn })
	_ = c.sql.Close()
	return c.open(ctx)
}

// close returns the connection to its pool, which closes it. One that was lost
// and could not be replaced is closed already.
func (c *conn) close() error {
	forgotten := c.link.forget()
	err := c.sql.Close()
	if errors.Is(err, sql.ErrConnDone) {
		err = nil
	}
	return errors.Join(forgotten, err)
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
	// pending are statements that go before the next one.
	pending []statement
	// failed says that a statement has failed.
	failed bool
}

// next returns the statements that run now: those pending and one more.
func (v *view) next(query string, values args) ([]statement, error) {
	bound, err := v.conn.bind(values)
	if err != nil {
		return nil, statement{text: query}.fail(err)
	}
	if v.pending == nil {
		v.pending, v.conn.spare = v.conn.spare, nil
	}
	all := append(v.pending, statement{text: query, values: bound})
	v.pending = nil
	return all, nil
}

// run runs statements that return no rows, and returns how many the last one
// changed. They must not be used after it.
func (v *view) run(all []statement) (int64, error) {
	changed, err := v.conn.link.exec(v.ctx, all)
	clear(all)
	v.conn.spare = all[:0]
	return changed, err
}

// scanner puts the columns of a row into variables.
type scanner func(into ...any) error

// ids returns the only column of a query's rows.
func (v *view) ids(query string, values args) ([]id.ID, error) {
	var found []id.ID
	err := v.each(query, values, func(scan scanner) error {
		var x id.ID
		err := scan(&x)
		found = append(found, x)
		return err
	})
	return found, err
}

// each calls row for every row of a query.
func (v *view) each(query string, values args, row func(scan scanner) error) error {
	all, err := v.next(query, values)
	if err != nil {
		return err
	}
	found, err := v.conn.link.query(v.ctx, all)
	if err != nil {
		v.failed = true
		return err
	}
	defer found.Close() //nolint:errcheck // reading to the end reports in Err
	fail := statement{text: query}.fail
	scan := func(into ...any) error { return fail(found.Scan(targets(into)...)) }
	for found.Next() {
		if err := row(scan); err != nil {
			return err
		}
	}
	if err := found.Err(); err != nil {
		v.failed = true
		return fail(err)
	}
	return nil
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
// An empty list matches nothing. The last id is repeated until the list has one
// of few lengths, so that there are few statements to prepare.
func in(ids []id.ID, before ...any) (string, args) {
	if len(ids) == 0 {
		return "(NULL)", before
	}
	values := args(before)
	length := 1 << bits.Len(uint(len(ids)-1))
	for i := range length {
		values = append(values, ids[min(i, len(ids)-1)])
	}
	return "(?" + strings.Repeat(", ?", length-1) + ")", values
}

// brief returns the beginning of a statement on one line, for errors.
func brief(query string) string {
	text := strings.Join(strings.Fields(query), " ")
	if len(text) > 80 {
		text = text[:80] + "…"
	}
	return text
}
