package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/usefloww/flowwd/internal/access"
	"github.com/usefloww/flowwd/internal/alert"
	"github.com/usefloww/flowwd/internal/audit"
	"github.com/usefloww/flowwd/internal/deploy"
	"github.com/usefloww/flowwd/internal/execution"
	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/identity"
	"github.com/usefloww/flowwd/internal/identity/password"
	"github.com/usefloww/flowwd/internal/kv"
	"github.com/usefloww/flowwd/internal/records"
	"github.com/usefloww/flowwd/internal/secret"
	"github.com/usefloww/flowwd/internal/tenant"
	"github.com/usefloww/flowwd/internal/tracing"
	"github.com/usefloww/flowwd/internal/trigger"
	"github.com/usefloww/flowwd/internal/workflow"
)

var (
	_ tenant.Store                 = (*Store)(nil)
	_ access.Store                 = (*Store)(nil)
	_ audit.Store                  = (*Store)(nil)
	_ identity.KeyStore            = (*Store)(nil)
	_ identity.UserStore           = (*Store)(nil)
	_ identity.AdministrationStore = (*Store)(nil)
	_ identity.SessionStore        = (*Store)(nil)
	_ identity.DeviceStore         = (*Store)(nil)
	_ password.Store               = (*Store)(nil)
	_ workflow.Store               = (*Store)(nil)
	_ trigger.Store                = (*Store)(nil)
	_ deploy.Store                 = (*Store)(nil)
	_ execution.Store              = (*Store)(nil)
	_ alert.Store                  = (*Store)(nil)
	_ kv.Store                     = (*Store)(nil)
	_ secret.Store                 = (*Store)(nil)
	_ records.Store                = (*Store)(nil)
)

// Config says where a store keeps its data and how it behaves. Path, Now and
// Log are required.
type Config struct {
	// URL is the address of a PostgreSQL database; empty for SQLite.
	URL string
	// Path is the file of a SQLite database. Its folder must exist.
	Path string
	// Blobs is the folder of event bodies that are too large for a SQLite
	// database; it is made when absent. Empty means that this process neither
	// accepts nor runs executions, such as one that makes an API key beside a
	// server. PostgreSQL takes all bodies, for other machines need them too.
	Blobs string
	Now   func() time.Time
	Log   *slog.Logger
	// ReadOnly opens an existing database for reading: nothing is migrated,
	// and every method that writes is refused.
	ReadOnly bool
	// OrganizationLimit is how many executions of an organization may run at
	// once; 0 for no limit.
	OrganizationLimit int
	// OrganizationGrace is how long deleted organizations stay.
	OrganizationGrace time.Duration
	// AuditRetention is how long entries of the audit log stay; 0 for ever.
	AuditRetention time.Duration
	// Readers is how many reads can go on at once; 0 for DefaultReaders.
	Readers int
}

// DefaultReaders is how many reads can go on at once.
const DefaultReaders = 4

// readTimeout bounds a read whose caller sets no deadline.
const readTimeout = 30 * time.Second

// Store keeps everything that flowwd must not forget. Safe for concurrent use.
type Store struct {
	cfg      Config
	database database
	writing  *sql.DB // nil when read-only
	reading  *sql.DB
	// writer runs all units but claims, which claims runs: locking the queue's
	// counters first and executions after, where others may lock, it must not
	// share a transaction with units that lock the other way round. The two are
	// one where nobody else writes. Both are nil when read-only.
	writer, claims *writer
	// announcer tells other processes of what was stored; nil where there are none.
	announcer *announcer
	readers   chan *conn
	// connected is how many readers there are, idle or not.
	connected int
	closing   chan struct{} // closed when Close begins
	once      sync.Once
	blobs     *blobs
	ids       *id.Source // of audit entries
	// told are notices of this process, for a follower in it; missed says that
	// some had no room.
	told   chan execution.Notice
	missed atomic.Bool
	// ended is told what the store ended by itself.
	ended atomic.Pointer[func([]execution.Ended)]
}

// Open opens the database and brings its schema up to date. Two processes may
// open one database at the same time.
func Open(ctx context.Context, cfg Config) (*Store, error) {
	if cfg.Path == "" && cfg.URL == "" || cfg.Now == nil || cfg.Log == nil {
		return nil, errors.New("store: Path or URL, Now and Log are required")
	}
	if cfg.Readers == 0 {
		cfg.Readers = DefaultReaders
	}
	d, err := locate(cfg)
	if err != nil {
		return nil, fmt.Errorf("read the address of the database: %w", err)
	}
	s := &Store{cfg: cfg, database: d, readers: make(chan *conn, cfg.Readers), closing: make(chan struct{}), ids: id.NewSource(cfg.Now), told: make(chan execution.Notice, maxUnheard)}
	if err := s.open(ctx); err != nil {
		return nil, errors.Join(s.fail("open the database "+d.String(), err), s.Close())
	}
	return s, nil
}

func locate(cfg Config) (database, error) {
	if cfg.URL != "" {
		return openPostgres(cfg.URL)
	}
	return &sqliteDatabase{path: cfg.Path}, nil
}

func (s *Store) open(ctx context.Context) (err error) {
	if s.database.shared() {
		s.cfg.Blobs = ""
	}
	if s.blobs, err = openBlobs(s.cfg.Blobs, s.cfg.ReadOnly); err != nil {
		return err
	}
	if !s.cfg.ReadOnly {
		if err := s.openWriters(ctx); err != nil {
			return err
		}
	}
	if s.reading, err = s.database.open(reading); err != nil {
		return err
	}
	for range s.cfg.Readers {
		c, err := connect(ctx, s.reading, s.database)
		if err != nil {
			return err
		}
		s.readers <- c
		s.connected++
	}
	if s.cfg.ReadOnly {
		return nil // Check says what a transfer has left
	}
	return s.guard(ctx)
}

func (s *Store) openWriters(ctx context.Context) (err error) {
	if err := s.database.prepare(ctx); err != nil {
		return err
	}
	if s.writing, err = s.database.open(writing); err != nil {
		return err
	}
	if s.database.shared() {
		c, err := connect(ctx, s.writing, s.database)
		if err != nil {
			return err
		}
		s.announcer = newAnnouncer(c, s.cfg.Log)
	}
	if s.writer, err = s.newWriter(ctx, maxBatch); err != nil {
		return err
	}
	s.claims = s.writer
	if s.database.shared() {
		// Each locks what the one before has changed.
		s.claims, err = s.newWriter(ctx, 1)
	}
	return err
}

// newWriter starts a writer with a connection of its own.
func (s *Store) newWriter(ctx context.Context, most int) (*writer, error) {
	c, err := connect(ctx, s.writing, s.database)
	if err != nil {
		return nil, err
	}
	w := newWriter(c, most, s.cfg.Now)
	w.after = s.committed
	return w, nil
}

// Close lets what is under way finish and closes the database. Further calls of
// the store are refused.
func (s *Store) Close() (err error) {
	s.once.Do(func() {
		close(s.closing)
		err = s.close()
	})
	return err
}

func (s *Store) close() error {
	var errs []error
	if s.claims != nil && s.claims != s.writer {
		s.claims.close()
		errs = append(errs, s.claims.conn.close())
	}
	if s.writer != nil {
		s.writer.close()
		errs = append(errs, s.writer.conn.close())
	}
	if s.announcer != nil {
		errs = append(errs, s.announcer.close())
	}
	if s.writing != nil {
		errs = append(errs, s.writing.Close())
	}
	return errors.Join(append(errs, s.closeReaders())...)
}

func (s *Store) closeReaders() error {
	if s.reading == nil {
		return nil
	}
	var errs []error
	for range s.connected {
		errs = append(errs, (<-s.readers).close())
	}
	return errors.Join(append(errs, s.reading.Close())...)
}

// write runs a unit in the writer. What says what is done, for errors.
func (s *Store) write(ctx context.Context, what string, run func(*tx) error) error {
	return s.do(ctx, s.writer, what, run)
}

func (s *Store) do(ctx context.Context, w *writer, what string, run func(*tx) error) error {
	if w == nil {
		return fault.New(fault.Unavailable, "%s: the database is open for reading only", what)
	}
	ctx, span := tracing.Start(ctx, what)
	err := s.fail(what, w.do(ctx, run))
	span.End(err)
	w.measures.refusal(err)
	return err
}

// writeWorkflows is write for units that change workflows, deployments or
// triggers: what the batch has read about them before no longer holds.
func (s *Store) writeWorkflows(ctx context.Context, what string, run func(*tx) error) error {
	return s.write(ctx, what, func(t *tx) error {
		// In the end too: the unit itself may read, and be undone.
		defer clear(t.runnables)
		clear(t.runnables)
		return run(t)
	})
}

// read runs a function on one consistent state of the database.
func (s *Store) read(ctx context.Context, what string, run func(*view) error) error {
	return s.readBy(ctx, what, s.look, run)
}

// glance is read for a function that makes a single statement, which sees one
// state of the database without a transaction around it. It is for what happens
// with every request. The function may be run twice.
func (s *Store) glance(ctx context.Context, what string, run func(*view) error) error {
	return s.readBy(ctx, what, s.peek, run)
}

// readBy runs a function on a connection for reading.
func (s *Store) readBy(ctx context.Context, what string, by func(context.Context, *conn, func(*view) error) error, run func(*view) error) error {
	if _, ok := ctx.Deadline(); !ok {
		limited, cancel := context.WithTimeout(ctx, readTimeout)
		defer cancel()
		ctx = limited
	}
	select {
	case c := <-s.readers:
		defer func() { s.readers <- c }()
		return s.fail(what, by(ctx, c, run))
	case <-s.closing:
		return errClosed
	case <-ctx.Done():
		return busy(ctx.Err())
	}
}

func (s *Store) look(ctx context.Context, c *conn, run func(*view) error) error {
	// A read transaction ends with its own context: it must end in any case,
	// and there is nothing in it to lose.
	t := &tx{view: view{ctx: context.Background(), conn: c}}
	if bound := c.dialect.timeout(); bound > 0 {
		limited, cancel := context.WithTimeout(t.ctx, bound)
		defer cancel()
		t.ctx = limited
	}
	if err := t.begin(reading); err != nil {
		return err
	}
	err := run(&view{ctx: ctx, conn: c})
	ended := t.rollback()
	c.inside = ended != nil
	if err != nil && c.dialect.class(ended) == classLost {
		return err // it went with the connection
	}
	return errors.Join(err, ended)
}

func (s *Store) peek(ctx context.Context, c *conn, run func(*view) error) error {
	if c.inside {
		return s.look(ctx, c, run)
	}
	err := run(&view{ctx: ctx, conn: c})
	if err != nil && c.dialect.class(err) == classLost && ctx.Err() == nil {
		return s.look(ctx, c, run) // which replaces the connection
	}
	return err
}

// fail gives an error its place: faults stay what they are, trouble with the
// database becomes a fault that can pass, anything else says what was done.
func (s *Store) fail(what string, err error) error {
	if err == nil {
		return nil
	}
	var f *fault.Error
	if errors.As(err, &f) {
		return err
	}
	switch class := s.database.class(err); {
	case class == classUnavailable, class == classVictim, class == classLost:
		return fault.Because(fmt.Errorf("%s: %w", what, err), fault.Unavailable, "the database does not answer; try again later")
	case class == classInterrupted, errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return fault.Because(fmt.Errorf("%s: %w", what, err), fault.Unavailable, "the database took too long; try again later")
	}
	return fmt.Errorf("%s: %w", what, err)
}

// Ping reports whether the database can be read and written now.
func (s *Store) Ping(ctx context.Context) error {
	err := s.read(ctx, "ping the database", func(v *view) error {
		var one int
		_, err := v.one("SELECT 1 FROM organizations LIMIT 1", nil, &one)
		return err
	})
	if err != nil || s.writer == nil {
		return err
	}
	return s.write(ctx, "ping the database", func(*tx) error { return nil })
}

// Check looks for damage, a schema of another version and settings that
// endanger data. Each error says what is wrong and what to do.
func (s *Store) Check(ctx context.Context) []error {
	var found []error
	if err := checkVersion(ctx, s.database, s.reading); err != nil {
		return []error{err}
	}
	err := s.read(ctx, "check the database", func(v *view) error {
		m, err := readMark(v, catalogOf(s.database))
		if err == nil {
			err = m.refusal()
		}
		if err != nil {
			return err
		}
		found = append(s.database.check(v), checkCounters(v)...)
		return nil
	})
	if err != nil {
		found = append(found, err)
	}
	return found
}
