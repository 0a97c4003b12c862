package store

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/transfer"
)

// Target is an empty database that is filled with the rows of another one. Until
// Release says that it is complete no server starts on it, and however the
// process ends, filling it can begin anew.
type Target struct {
	cfg     Config
	session *session
	tables  []table
	schema  int64
	about   string
}

// OpenTarget makes a database, or takes one that exists and is empty. Refill
// also takes one that an earlier transfer has filled and nobody has used since.
// About says what the database is filled with, for whoever finds it unfinished.
// Path or URL, and Blobs for SQLite, are used of the configuration; the caller
// keeps other processes away from a SQLite database.
func OpenTarget(ctx context.Context, cfg Config, refill bool, about string) (_ *Target, err error) {
	if err := inspect(ctx, cfg, refill); err != nil {
		return nil, err
	}
	d, err := locate(cfg)
	if err != nil {
		return nil, fmt.Errorf("read the address of the database: %w", err)
	}
	if err := d.prepare(ctx); err != nil {
		return nil, fmt.Errorf("make the database %s: %w", d, err)
	}
	s, err := openSession(ctx, cfg, writing)
	if err != nil {
		return nil, err
	}
	t := &Target{cfg: cfg, session: s, about: about}
	if err := t.open(ctx, refill); err != nil {
		return nil, errors.Join(err, t.Close())
	}
	return t, nil
}

// inspect refuses a database before anything in it is touched.
func inspect(ctx context.Context, cfg Config, refill bool) (err error) {
	if cfg.URL == "" {
		if info, err := os.Stat(cfg.Path); errors.Is(err, os.ErrNotExist) || err == nil && info.Size() == 0 {
			return nil
		}
	}
	s, err := openSession(ctx, Config{URL: cfg.URL, Path: cfg.Path}, reading)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	return s.fillable(&s.tx(ctx).view, refill)
}

// fillable refuses a database that holds something, unless that is what an
// unfinished transfer has left or, with refill, a finished one.
func (s *session) fillable(v *view, refill bool) error {
	m, err := readMark(v, s.catalog)
	if err != nil {
		return err
	}
	switch {
	case m.state == markFilling, refill && (m.state == markFilled || m.state == markRehearsal):
		return nil
	case m.state != "":
		return fault.New(fault.Conflict, "the database %s holds data already (%s, %s): name an empty or a new one", s.database, m.state, m.about)
	}
	names, err := s.catalog.names(v)
	if err != nil {
		return err
	}
	slices.Sort(names)
	for _, name := range names {
		if _, skipped := notTransferred[name]; skipped {
			continue
		}
		var one int
		if used, err := v.one("SELECT 1 FROM "+quote(name)+" LIMIT 1", nil, &one); err != nil {
			return err
		} else if used {
			return fault.New(fault.Conflict, "the database %s holds data already (in table %s): name an empty or a new one", s.database, name)
		}
	}
	return nil
}

func (t *Target) open(ctx context.Context, refill bool) error {
	free, err := t.session.catalog.reserve(&t.session.tx(ctx).view)
	if err != nil {
		return err
	}
	if !free {
		return fault.New(fault.Conflict, "the database %s is being filled by another process: wait for its end", t.session.database)
	}
	return t.session.transaction(ctx, func(x *tx) (err error) {
		if err := t.session.fillable(&x.view, refill); err != nil {
			return err
		}
		if t.schema, err = t.session.version(&x.view); err != nil {
			return err
		}
		if t.tables, err = readTables(&x.view, t.session.catalog); err != nil {
			return err
		}
		return mark{markFilling, t.about}.write(x)
	})
}

// Schema is the number of the schema's last migration.
func (t *Target) Schema() int64 { return t.schema }

// Close closes the database. It stays unfinished unless it was released.
func (t *Target) Close() error { return t.session.close() }

// Fill replaces what is in the database by what send sends, in one transaction,
// and then reads all of it again to compare it with the sums that send returns.
// Both are read from disk.
func (t *Target) Fill(ctx context.Context, send func(context.Context, transfer.Sink) (transfer.Sums, error)) (transfer.Sums, error) {
	var sent transfer.Sums
	err := t.session.transaction(ctx, func(x *tx) (err error) {
		if err := t.empty(x); err != nil {
			return err
		}
		f := &filling{target: t, tx: x}
		if sent, err = send(ctx, f); err != nil {
			return err
		}
		return f.complete()
	})
	if err != nil {
		return nil, fmt.Errorf("fill the database %s: %w", t.session.database, err)
	}
	stored, err := t.sums(ctx)
	if err != nil {
		return nil, fmt.Errorf("check the database %s: %w", t.session.database, err)
	}
	if err := sent.Compare(stored); err != nil {
		return nil, fmt.Errorf("the database %s is not what it was filled with:\n%w", t.session.database, err)
	}
	return stored, nil
}

// empty removes the rows that an earlier transfer has left, and keeps everybody
// out of the tables.
func (t *Target) empty(x *tx) error {
	names := make([]string, len(t.tables))
	for i, one := range t.tables {
		names[i] = one.name
	}
	if err := t.session.catalog.exclude(x, names); err != nil {
		return err
	}
	for _, name := range slices.Backward(names) {
		if _, err := x.exec("DELETE FROM " + quote(name)); err != nil {
			return err
		}
	}
	return nil
}

// sums reads the whole database.
func (t *Target) sums(ctx context.Context) (_ transfer.Sums, err error) {
	s, err := openSession(ctx, t.cfg, reading)
	if err != nil {
		return nil, err
	}
	stored := &Snapshot{session: s, tables: t.tables}
	defer func() { err = errors.Join(err, stored.Close()) }()
	if err := s.tx(ctx).control(s.database.begin(reading)); err != nil {
		return nil, err
	}
	return stored.Send(ctx, transfer.Discard{})
}

// Use is what a filled database is for.
type Use uint8

// The uses.
const (
	// Serve lets servers start on it.
	Serve Use = iota
	// ServeOrRefill does so too; until the first does, it can be filled again.
	ServeOrRefill
	// RefillOnly keeps servers from it: it is a rehearsal.
	RefillOnly
)

// Release says that the database is complete.
func (t *Target) Release(ctx context.Context, use Use) error {
	var m mark
	switch use {
	case ServeOrRefill:
		m = mark{markFilled, t.about}
	case RefillOnly:
		m = mark{markRehearsal, t.about}
	}
	if err := t.session.transaction(ctx, m.write); err != nil {
		return fmt.Errorf("release the database %s: %w", t.session.database, err)
	}
	return nil
}

const (
	// fillRows and fillBytes bound what one statement inserts.
	fillRows  = 64
	fillBytes = 4 << 20
)

// filling is the Sink that writes into a target.
type filling struct {
	target *Target
	tx     *tx
	next   int // the place of the table that comes next
	table  table
	values args
	rows   int
	bytes  int
}

var _ transfer.Sink = (*filling)(nil)

// Table implements transfer.Sink. Source and target have one schema, so their
// tables are the same in the same order.
func (f *filling) Table(_ context.Context, t transfer.Table) error {
	if f.next == len(f.target.tables) {
		return fmt.Errorf("the source has a table %s that this flowwd does not know", t.Name)
	}
	f.table = f.target.tables[f.next]
	f.next++
	if t.Name != f.table.name {
		return fmt.Errorf("the source has table %s where this flowwd has table %s", t.Name, f.table.name)
	}
	if !slices.Equal(t.Columns, f.table.columns) {
		return fmt.Errorf("table %s has the columns %s in the source, and %s in the target", t.Name, describe(t.Columns), describe(f.table.columns))
	}
	return nil
}

func describe(columns []transfer.Column) string {
	texts := make([]string, len(columns))
	for i, c := range columns {
		texts[i] = c.Name + " " + c.Kind.String()
	}
	return strings.Join(texts, ", ")
}

// Row implements transfer.Sink.
func (f *filling) Row(ctx context.Context, r transfer.Row) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	var hash []byte
	for i, v := range r {
		if i == f.table.body && !v.Null {
			place, err := f.target.place(v.Bytes)
			if err != nil {
				return err
			}
			if hash = place.bodyHash(); hash != nil {
				v = transfer.Value{Null: true}
			}
		}
		bound, err := bindable(f.table.columns[i].Kind, v)
		if err != nil {
			return fmt.Errorf("column %s of table %s: %w", f.table.columns[i].Name, f.table.name, err)
		}
		f.values = append(f.values, bound)
		f.bytes += len(v.Bytes)
	}
	if f.table.body != noBody {
		f.values = append(f.values, hash)
	}
	f.rows++
	if f.rows < fillRows && f.bytes < fillBytes {
		return nil
	}
	return f.flush()
}

// place puts a large body on disk where the database keeps none. Nothing sweeps
// meanwhile: no server is at work.
func (t *Target) place(content []byte) (b body, err error) {
	if len(content) <= maxInline || t.session.database.shared() {
		return body{inline: content}, nil
	}
	var release func()
	if b.hash, release, err = t.session.blobs.put(content); err == nil {
		release()
	}
	return b, err
}

// EndTable implements transfer.Sink.
func (f *filling) EndTable(context.Context) error { return f.flush() }

func (f *filling) flush() error {
	if f.rows == 0 {
		return nil
	}
	if _, err := f.tx.exec(f.table.insert(f.rows), f.values...); err != nil {
		return fmt.Errorf("write into table %s: %w", f.table.name, err)
	}
	clear(f.values)
	f.values, f.rows, f.bytes = f.values[:0], 0, 0
	return nil
}

// complete refuses a source that ended before its last table.
func (f *filling) complete() error {
	if f.next < len(f.target.tables) {
		return fmt.Errorf("the source has no table %s", f.target.tables[f.next].name)
	}
	return nil
}
