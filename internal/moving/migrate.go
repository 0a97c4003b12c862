package moving

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/usefloww/flowwd/internal/config"
	"github.com/usefloww/flowwd/internal/store"
	"github.com/usefloww/flowwd/internal/transfer"
)

// Migrate copies the database of an installation into another one. The copy is
// released only when its counts and checksums are those of the source.
type Migrate struct {
	// From and To name databases: sqlite:FOLDER or postgres://…; the word
	// before the colon alone means that of Data.
	From, To string
	Data     config.Data
	// Rehearsal copies beside the servers of the source, which goes on. No
	// server starts on such a copy; it is replaced by the next one.
	Rehearsal bool
	Now       func() time.Time
	Report    Report
}

// Run copies the database. Without Rehearsal the source must have no server, and
// none starts on it afterwards: its work goes on in the copy. After an error
// the source is as it was.
func (m Migrate) Run(ctx context.Context) (sums transfer.Sums, err error) {
	from, to, err := m.places()
	if err != nil {
		return nil, err
	}
	if err := from.exists(); err != nil {
		return nil, err
	}
	if !m.Rehearsal {
		free, stopped := m.stopped(ctx, from)
		if stopped != nil {
			return nil, stopped
		}
		defer func() { err = errors.Join(err, free()) }()
	}
	if !to.shared() {
		if err := to.dir.Make(); err != nil {
			return nil, err
		}
	}
	free, err := to.lock()
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, free()) }()
	return m.copy(ctx, from, to)
}

func (m Migrate) places() (from, to place, err error) {
	if from, err = parsePlace(m.From, m.Data); err != nil {
		return from, to, fmt.Errorf("--from: %w", err)
	}
	if to, err = parsePlace(m.To, m.Data); err != nil {
		return from, to, fmt.Errorf("--to: %w", err)
	}
	if from == to {
		return from, to, fmt.Errorf("--from and --to name the same database: %s", from)
	}
	return from, to, nil
}

const rehearse = "or copy it beside the server with --rehearsal to see how long it takes"

// stopped refuses a source that is being served, and keeps servers from a data
// folder until release is called.
func (m Migrate) stopped(ctx context.Context, from place) (release func() error, err error) {
	release, err = from.lock()
	var busy *config.InUseError
	if errors.As(err, &busy) {
		return nil, fmt.Errorf("%s is being served by process %d, and what comes in later would not be in the copy: stop the server, %s", from, busy.PID, rehearse)
	}
	if err != nil {
		return nil, err
	}
	snapshot, err := store.OpenSnapshot(ctx, from.config())
	if err == nil {
		err = errors.Join(refuseServed(ctx, snapshot, from), snapshot.Close())
	}
	if err != nil {
		return nil, errors.Join(err, release())
	}
	return release, nil
}

func refuseServed(ctx context.Context, s *store.Snapshot, from place) error {
	names, err := s.Serving(ctx)
	if err != nil || len(names) == 0 {
		return err
	}
	return fmt.Errorf("%s is being served by %s, and what comes in later would not be in the copy: stop the servers (one that was killed is forgotten after some seconds), %s",
		from, strings.Join(names, " and "), rehearse)
}

func (m Migrate) copy(ctx context.Context, from, to place) (sums transfer.Sums, err error) {
	keys, err := m.keysFor(from, to)
	if err != nil {
		return nil, err
	}
	about := fmt.Sprintf("by a migration from %s that began at %s", from, stamp(m.Now()))
	target, err := store.OpenTarget(ctx, to.config(), true, about)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, target.Close()) }()
	use := store.RefillOnly
	if !m.Rehearsal {
		use = store.ServeOrRefill
		unfence, fenced := m.fence(ctx, from, to)
		if fenced != nil {
			return nil, fenced
		}
		defer func() {
			if sums == nil {
				err = errors.Join(err, unfence())
			}
		}()
	}
	copied, err := m.fill(ctx, from, target)
	if err != nil {
		return nil, err
	}
	if len(keys) > 0 {
		if err := to.dir.AddKeyFiles(keys); err != nil {
			return nil, err
		}
	}
	// From here on the source stays fenced, also when nobody can tell whether
	// the copy was released: a second server must not do the same work.
	return copied, target.Release(ctx, use)
}

// keysFor are the keys that go with the data into another folder. An
// installation with PostgreSQL has them in the data folder of the settings, and
// goes on with that one when it moves there.
func (m Migrate) keysFor(from, to place) (map[string][]byte, error) {
	if to.shared() {
		return nil, nil
	}
	holder := from.dir
	if from.shared() {
		holder = config.DataDir(m.Data.DataDir)
	}
	keys, err := holder.KeyFiles()
	if err != nil {
		return nil, err
	}
	return keys, to.dir.CheckKeyFiles(keys)
}

// fence marks the source as moved, before its state is read: what a server wrote
// after that would be lost. Unfence takes it back, unless the source was marked
// before.
func (m Migrate) fence(ctx context.Context, from, to place) (unfence func() error, err error) {
	marked, err := store.Fence(ctx, from.config(), fmt.Sprintf("to %s at %s", to, stamp(m.Now())))
	if err != nil {
		return nil, err
	}
	return func() error {
		if !marked {
			return nil
		}
		if err := store.Unfence(context.WithoutCancel(ctx), from.config()); err != nil {
			return fmt.Errorf("the source stays marked as moved; run 'flowwd migrate --take-back' on it: %w", err)
		}
		return nil
	}, nil
}

func (m Migrate) fill(ctx context.Context, from place, target *store.Target) (_ transfer.Sums, err error) {
	snapshot, err := store.OpenSnapshot(ctx, from.config())
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, snapshot.Close()) }()
	if !m.Rehearsal {
		// Asked again: one may have started before the source was fenced.
		if err := refuseServed(ctx, snapshot, from); err != nil {
			return nil, err
		}
	}
	return target.Fill(ctx, func(ctx context.Context, to transfer.Sink) (transfer.Sums, error) {
		return snapshot.Send(ctx, &transfer.Progress{Next: to, Report: m.Report.orNone()})
	})
}

// TakeBack lets servers start again on a database that was migrated. What has
// happened in the copy since is not in it.
func TakeBack(ctx context.Context, database string, data config.Data) (err error) {
	p, err := parsePlace(database, data)
	if err != nil {
		return err
	}
	if err := p.exists(); err != nil {
		return err
	}
	release, err := p.lock()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, release()) }()
	return store.Unfence(ctx, p.config())
}
