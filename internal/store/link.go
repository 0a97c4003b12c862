package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
)

// link runs statements on one connection.
type link interface {
	// exec runs statements one after another, up to the first that fails, and
	// returns how many rows the last one changed.
	exec(ctx context.Context, all []statement) (int64, error)
	// query is exec whose last statement returns rows.
	query(ctx context.Context, all []statement) (rows, error)
	// forget closes what is kept for the connection.
	forget() error
}

// statement is SQL with question marks, and the values for them as the driver
// takes them.
type statement struct {
	text   string
	values []any
	// must is how many rows the statement has to change, at least: errBroken
	// otherwise.
	must int64
	// alike says that the statement may run as one with others of its text, and
	// behind others that are alike.
	alike bool
}

// size is about how many bytes the values have.
func (s statement) size() (n int) {
	for _, v := range s.values {
		switch v := v.(type) {
		case string:
			n += len(v)
		case []byte:
			n += len(v)
		default:
			n += 16
		}
	}
	return n
}

// check judges how many rows the statement changed.
func (s statement) check(changed int64) error {
	if changed < s.must {
		return s.fail(errBroken)
	}
	return nil
}

// fail gives an error its statement.
func (s statement) fail(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", brief(s.text), err)
}

type rows interface {
	Next() bool
	Scan(into ...any) error
	Err() error
	Close() error
}

// maxPrepared bounds the statements of each sort that a connection keeps prepared. All fixed
// statements fit; those with lists of ids of unusual lengths are prepared anew.
const maxPrepared = 256

// preparedLink runs statements prepared: those that return rows by way of
// database/sql, the others by the driver itself, because what database/sql does
// around each of them costs a batch of many a fifth of its memory.
type preparedLink struct {
	conn       *sql.Conn
	statements kept[*sql.Stmt]
	direct     kept[driverStatement]
	// values are those of the statement that runs.
	values []driver.NamedValue
}

// driverStatement is a statement that the driver has prepared.
type driverStatement interface {
	driver.StmtExecContext
	Close() error
}

func newPreparedLink(c *sql.Conn) *preparedLink {
	return &preparedLink{conn: c, statements: make(kept[*sql.Stmt]), direct: make(kept[driverStatement])}
}

// kept are prepared statements by their text.
type kept[S interface{ Close() error }] map[string]S

// get returns a prepared statement and what to do with it after its use.
// Preparing must not depend on the caller's context, for the statement stays.
func (k kept[S]) get(query string, prepare func() (S, error)) (S, func(), error) {
	if s, ok := k[query]; ok {
		return s, func() {}, nil
	}
	s, err := prepare()
	if err != nil {
		return s, nil, err
	}
	if len(k) >= maxPrepared {
		return s, func() { _ = s.Close() }, nil
	}
	k[query] = s
	return s, func() {}, nil
}

// close closes all statements and forgets them.
func (k kept[S]) close() error {
	var errs []error
	for _, s := range k {
		errs = append(errs, s.Close())
	}
	clear(k)
	return errors.Join(errs...)
}

// prepare returns a statement that returns rows.
func (l *preparedLink) prepare(query string) (*sql.Stmt, func(), error) {
	return l.statements.get(query, func() (*sql.Stmt, error) { return l.conn.PrepareContext(context.Background(), query) })
}

// prepareDirect returns a statement that returns none.
func (l *preparedLink) prepareDirect(connection any, query string) (driverStatement, func(), error) {
	return l.direct.get(query, func() (driverStatement, error) {
		c, ok := connection.(driver.ConnPrepareContext)
		if !ok {
			return nil, fmt.Errorf("the driver's %T prepares no statements", connection)
		}
		prepared, err := c.PrepareContext(context.Background(), query)
		if err != nil {
			return nil, err
		}
		s, ok := prepared.(driverStatement)
		if !ok {
			return nil, errors.Join(fmt.Errorf("the driver's %T can't be run", prepared), prepared.Close())
		}
		return s, nil
	})
}

func (l *preparedLink) exec(ctx context.Context, all []statement) (changed int64, err error) {
	if len(all) == 0 {
		return 0, nil
	}
	err = l.conn.Raw(func(connection any) error {
		for _, s := range all {
			if changed, err = l.one(ctx, connection, s); err != nil {
				return s.fail(err)
			}
			if err := s.check(changed); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	return changed, nil
}

func (l *preparedLink) one(ctx context.Context, connection any, s statement) (int64, error) {
	prepared, release, err := l.prepareDirect(connection, s.text)
	if err != nil {
		return 0, err
	}
	defer release()
	l.values = l.values[:0]
	for i, v := range s.values {
		l.values = append(l.values, driver.NamedValue{Ordinal: i + 1, Value: v})
	}
	defer clear(l.values) // a large body must not stay
	result, err := prepared.ExecContext(ctx, l.values)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

func (l *preparedLink) query(ctx context.Context, all []statement) (rows, error) {
	last := len(all) - 1
	if _, err := l.exec(ctx, all[:last]); err != nil {
		return nil, err
	}
	prepared, release, err := l.prepare(all[last].text)
	if err != nil {
		return nil, all[last].fail(err)
	}
	found, err := prepared.QueryContext(ctx, all[last].values...)
	if err != nil {
		release()
		return nil, all[last].fail(err)
	}
	return preparedRows{found, release}, nil
}

func (l *preparedLink) forget() error {
	err := l.statements.close()
	direct := l.conn.Raw(func(any) error { return l.direct.close() })
	if errors.Is(direct, sql.ErrConnDone) { // they went with it
		clear(l.direct)
		direct = nil
	}
	return errors.Join(err, direct)
}

// preparedRows are rows whose statement may have to be closed after them.
type preparedRows struct {
	*sql.Rows
	release func()
}

func (r preparedRows) Close() error {
	defer r.release()
	return r.Rows.Close()
}
