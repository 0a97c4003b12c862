package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/pressly/goose/v3"

	"github.com/usefloww/flowwd/internal/store/migrations"
	"github.com/usefloww/flowwd/internal/transfer"
	"github.com/usefloww/flowwd/internal/workflow"
)

// session is a connection of its own for a transfer, which may take hours while
// the pools of a Store are for work that is short.
type session struct {
	database database
	catalog  catalog
	pool     *sql.DB
	conn     *conn
	blobs    *blobs
}

func openSession(ctx context.Context, cfg Config, mode mode) (_ *session, err error) {
	d, err := locate(cfg)
	if err != nil {
		return nil, fmt.Errorf("read the address of the database: %w", err)
	}
	s := &session{database: d, catalog: catalogOf(d)}
	if d.shared() {
		cfg.Blobs = "" // all bodies are inside
	}
	if s.blobs, err = openBlobs(cfg.Blobs, mode == reading); err != nil {
		return nil, err
	}
	if s.pool, err = d.open(mode); err != nil {
		return nil, err
	}
	if s.conn, err = connect(ctx, s.pool, d); err != nil {
		return nil, errors.Join(fmt.Errorf("open the database %s: %w", d, err), s.pool.Close())
	}
	t := s.tx(ctx)
	for _, statement := range s.catalog.patience() {
		if err := t.control(statement); err != nil {
			return nil, errors.Join(err, s.close())
		}
	}
	return s, nil
}

func (s *session) close() error { return errors.Join(s.conn.close(), s.pool.Close()) }

// tx is what statements of the session run in. Unlike the writer's it ends with
// the caller's context: nobody else shares its transaction.
func (s *session) tx(ctx context.Context) *tx {
	return &tx{view: view{ctx: ctx, conn: s.conn}, touched: true} // one unit, no savepoint
}

// transaction runs a function in one transaction.
func (s *session) transaction(ctx context.Context, run func(*tx) error) error {
	t := s.tx(ctx)
	if err := t.control(s.database.begin(writing)); err != nil {
		return err
	}
	err := run(t)
	if err == nil {
		err = t.control(sqlCommit)
	}
	if err != nil {
		// Also when ctx has ended. The first error says more.
		_ = s.tx(context.WithoutCancel(ctx)).control(sqlRollback)
	}
	return err
}

// version reads the number of the schema's last migration; 0 when the database
// has none.
func (s *session) version(v *view) (n int64, err error) {
	exists, err := s.catalog.exists(v, goose.DefaultTablename)
	if err == nil && exists {
		_, err = v.one("SELECT COALESCE(MAX(version_id), 0) FROM "+goose.DefaultTablename, nil, &n)
	}
	return n, err
}

// Schema is the number of the last migration that this program knows.
func Schema() (last int64, err error) {
	steps, err := migrations.SQLite()
	if err != nil {
		return 0, fmt.Errorf("read the migrations: %w", err)
	}
	names, err := fs.Glob(steps, "*.sql")
	for _, name := range names {
		number, numbered := goose.NumericComponent(name)
		if err = errors.Join(err, numbered); number > last {
			last = number
		}
	}
	return last, err
}

// Snapshot is one consistent state of a database, which stays what it is
// whatever is written meanwhile. A server may be at work on the database. Until
// Close the database keeps what it would clear away, so don't hold it for long.
type Snapshot struct {
	session *session
	tables  []table
	schema  int64
	release func() error // lets bodies be swept again
}

// OpenSnapshot opens a database as it is now. Path or URL, and Blobs for SQLite,
// are used of the configuration.
func OpenSnapshot(ctx context.Context, cfg Config) (_ *Snapshot, err error) {
	session, err := openSession(ctx, cfg, reading)
	if err != nil {
		return nil, err
	}
	s := &Snapshot{session: session, release: func() error { return nil }}
	if err := s.open(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("open the database %s: %w", session.database, err), s.Close())
	}
	return s, nil
}

func (s *Snapshot) open(ctx context.Context) (err error) {
	if err := checkVersion(ctx, s.session.database, s.session.pool); err != nil {
		return err
	}
	// Before the state is fixed: from then on every body that it names is kept.
	if s.release, err = s.session.blobs.hold(ctx); err != nil {
		return err
	}
	t := s.session.tx(ctx)
	if err := t.control(s.session.database.begin(reading)); err != nil {
		return err
	}
	mark, err := readMark(&t.view, s.session.catalog)
	if err != nil {
		return err
	}
	if mark.state == markFilling || mark.state == markRehearsal {
		return mark.refusal()
	}
	if s.schema, err = s.session.version(&t.view); err != nil {
		return err
	}
	s.tables, err = readTables(&t.view, s.session.catalog)
	return err
}

// Close gives the state up.
func (s *Snapshot) Close() error {
	if s.release == nil { // it was not held
		return s.session.close()
	}
	return errors.Join(s.session.close(), s.release())
}

// Kind names the kind of the database.
func (s *Snapshot) Kind() string { return s.session.catalog.kind() }

// Schema is the number of the schema's last migration.
func (s *Snapshot) Schema() int64 { return s.schema }

// Serving names the processes that run executions of a database that several
// share, by the leases that they hold.
func (s *Snapshot) Serving(ctx context.Context) (names []string, err error) {
	if !s.session.database.shared() {
		return nil, nil
	}
	t := s.session.tx(ctx)
	err = t.each("SELECT name FROM nodes WHERE lease_until > "+s.session.database.clock()+" ORDER BY name", args{time.Duration(0)},
		func(scan scanner) error {
			var name string
			err := scan(&name)
			names = append(names, name)
			return err
		})
	return names, err
}

// Send sends all rows to a sink and returns their sums.
func (s *Snapshot) Send(ctx context.Context, to transfer.Sink) (transfer.Sums, error) {
	summer := &transfer.Summer{Next: to}
	for _, t := range s.tables {
		if err := s.send(ctx, t, summer); err != nil {
			return nil, fmt.Errorf("transfer table %s: %w", t.name, err)
		}
	}
	return summer.Sums(), nil
}

func (s *Snapshot) send(ctx context.Context, t table, to transfer.Sink) error {
	if err := to.Table(ctx, t.Table()); err != nil {
		return err
	}
	row := make(transfer.Row, len(t.columns))
	into := make([]any, len(row), len(row)+1)
	for i, c := range t.columns {
		into[i] = &valueColumn{kind: c.Kind, value: &row[i]}
	}
	var hash []byte
	if t.body != noBody {
		into = append(into, &hash)
	}
	err := s.session.tx(ctx).each(t.query(), nil, func(scan scanner) (err error) {
		hash = nil
		if err := scan(into...); err != nil {
			return err
		}
		if hash != nil {
			if row[t.body], err = s.load(hash); err != nil {
				return err
			}
		}
		return to.Row(ctx, row)
	})
	if err != nil {
		return err
	}
	return to.EndTable(ctx)
}

// load reads a body that is kept on disk.
func (s *Snapshot) load(hash []byte) (transfer.Value, error) {
	var named hashColumn
	if err := named.Scan(hash); err != nil {
		return transfer.Value{}, err
	}
	body, err := s.session.blobs.get(workflow.Hash(named))
	if err != nil {
		return transfer.Value{}, fmt.Errorf("the body of an event can't be read from disk: %w", err)
	}
	return transfer.Value{Bytes: body}, nil
}
