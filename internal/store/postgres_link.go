package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
)

// pipelineLink sends all statements that it is given at once, so that they cost
// one way to the server and back. pgx keeps them prepared.
type pipelineLink struct {
	conn *pgx.Conn
	// alike are the statements that can run as one, by their text; nil for those
	// that cannot.
	alike map[string]*alike
}

// link takes over the connection: nobody else has it as long as c is not closed.
func (postgresDialect) link(c *sql.Conn) (link, error) {
	l := pipelineLink{alike: make(map[string]*alike)}
	err := c.Raw(func(driver any) error {
		held, ok := driver.(*stdlib.Conn)
		if !ok {
			return fmt.Errorf("%T is no connection of pgx's", driver)
		}
		l.conn = held.Conn()
		return nil
	})
	return &l, err
}

// errUndone says that a transaction ended without what was done in it.
var errUndone = errors.New("the server rolled the transaction back")

func (l *pipelineLink) exec(ctx context.Context, all []statement) (changed int64, err error) {
	if all, err = l.gather(ctx, all); err != nil {
		return 0, err
	}
	results := l.send(ctx, all)
	for _, s := range all {
		tag, failed := results.Exec()
		if failed == nil && s.text == sqlCommit && tag.String() != sqlCommit {
			failed = errUndone
		}
		if failed != nil {
			return 0, errors.Join(s.fail(failed), closing(results, failed))
		}
		changed = tag.RowsAffected()
		if err := s.check(changed); err != nil {
			return 0, errors.Join(err, results.Close())
		}
	}
	return changed, results.Close()
}

// closing ends a pipeline that has failed, which it says once more.
func closing(results pgx.BatchResults, failed error) error {
	if err := results.Close(); err != nil && err.Error() != failed.Error() {
		return err
	}
	return nil
}

func (l *pipelineLink) query(ctx context.Context, all []statement) (rows, error) {
	all, err := l.gather(ctx, all)
	if err != nil {
		return nil, err
	}
	results := l.send(ctx, all)
	last := len(all) - 1
	for _, s := range all[:last] {
		tag, err := results.Exec()
		if err != nil {
			return nil, errors.Join(s.fail(err), closing(results, err))
		}
		if err := s.check(tag.RowsAffected()); err != nil {
			return nil, errors.Join(err, results.Close())
		}
	}
	found, err := results.Query()
	if err != nil {
		return nil, errors.Join(all[last].fail(err), closing(results, err))
	}
	return &pipelineRows{found, results}, nil
}

func (l *pipelineLink) send(ctx context.Context, all []statement) pgx.BatchResults {
	var b pgx.Batch
	for _, s := range all {
		b.Queue(postgresDialect{}.numbered(s.text), s.values...)
	}
	return l.conn.SendBatch(ctx, &b)
}

// forget leaves the statements to the connection, which goes with them.
func (l *pipelineLink) forget() error { return nil }

type pipelineRows struct {
	pgx.Rows
	results pgx.BatchResults
}

func (r *pipelineRows) Close() error {
	r.Rows.Close()
	failed := r.Err()
	err := r.results.Close()
	if failed != nil {
		return nil // Err has said it
	}
	return err
}
