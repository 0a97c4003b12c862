package store

import (
	"context"
	"database/sql"
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

// preparedLink runs statements by way of database/sql, prepared.
type preparedLink struct {
	conn       *sql.Conn
	statements map[string]*sql.Stmt
}

func newPreparedLink(c *sql.Conn) *preparedLink {
	return &preparedLink{conn: c, statements: make(map[string]*sql.Stmt)}
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

func (l *preparedLink) exec(ctx context.Context, all []statement) (changed int64, err error) {
	for _, s := range all {
		if changed, err = l.one(ctx, s); err != nil {
			return 0, s.fail(err)
		}
		if err := s.check(changed); err != nil {
			return 0, err
		}
	}
	return changed, nil
}

func (l *preparedLink) one(ctx context.Context, s statement) (int64, error) {
	prepared, release, err := l.prepare(s.text)
	if err != nil {
		return 0, err
	}
	defer release()
	result, err := prepared.ExecContext(ctx, s.values...)
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
