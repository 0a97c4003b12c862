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

// maxPrepared bounds the statements that a connection keeps prepared. All fixed
// statements fit; those with lists of ids of unusual lengths are prepared anew.
const maxPrepared = 256

// preparedLink runs statements prepared: those that return rows by way of
// database/sql, the others by the driver itself, because what database/sql does
// around each of them costs a batch of many a fifth of its memory.
type preparedLink struct {
	conn       *sql.Conn
	statements map[string]*sql.Stmt
	direct     map[string]driverStatement
	// values are those of the statement that runs.
	values []driver.NamedValue
}

// driverStatement is a statement that the driver has prepared.
type driverStatement interface {
	driver.StmtExecContext
	Close() error
}

func newPreparedLink(c *sql.Conn) *preparedLink {
	return &preparedLink{conn: c, statements: make(map[string]*sql.Stmt), direct: make(map[string]driverStatement)}
}

// prepare returns a prepared statement and what to do with it after its use.
// Preparing does not depend on the caller's context, for the statement stays.
func (l *preparedLink) prepare(query string) (*sql.Stmt, func(), error) {
	if s, ok := l.statements[query]; ok {
		return s, func() {}, nil
	}
	s, err := l.conn.PrepareContext(context.Background(), query)
	if err != nil {
		return nil, nil, err
	}
	if len(l.statements) >= maxPrepared {
		return s, func() { _ = s.Close() }, nil
	}
	l.statements[query] = s
	return s, func() {}, nil
}

// prepareDirect is prepare for a statement that returns no rows.
func (l *preparedLink) prepareDirect(connection any, query string) (driverStatement, func(), error) {
	if s, ok := l.direct[query]; ok {
		return s, func() {}, nil
	}
	c, ok := connection.(driver.ConnPrepareContext)
	if !ok {
		return nil, nil, fmt.Errorf("the driver's %T prepares no statements", connection)
	}
	prepared, err := c.PrepareContext(context.Background(), query)
	if err != nil {
		return nil, nil, err
	}
	s, ok := prepared.(driverStatement)
	if !ok {
		return nil, nil, errors.Join(fmt.Errorf("the driver's %T can't be run", prepared), prepared.Close())
	}
	if len(l.direct) >= maxPrepared {
		return s, func() { _ = s.Close() }, nil
	}
	l.direct[query] = s
	return s, func() {}, nil
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
	var errs []error
	for _, s := range l.statements {
		errs = append(errs, s.Close())
	}
	clear(l.statements)
	if len(l.direct) > 0 {
		err := l.conn.Raw(func(any) error {
			for _, s := range l.direct {
				errs = append(errs, s.Close())
			}
			return nil
		})
		if !errors.Is(err, sql.ErrConnDone) { // they went with it
			errs = append(errs, err)
		}
	}
	clear(l.direct)
	return errors.Join(errs...)
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
