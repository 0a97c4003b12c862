package store

import (
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
)

// openTest opens a store in a folder of its own.
func openTest(t *testing.T, change ...func(*Config)) *Store {
	t.Helper()
	folder := t.TempDir()
	cfg := Config{
		Path: filepath.Join(folder, "flowwd.db"), Blobs: filepath.Join(folder, "bodies"),
		Now: time.Now, Log: slog.New(slog.DiscardHandler),
	}
	for _, c := range change {
		c(&cfg)
	}
	s, err := Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return s
}

// batch runs units in one commit: it holds the writer until all of them wait.
func batch(t *testing.T, s *Store, units ...func(*tx) error) []error {
	t.Helper()
	held, release := make(chan struct{}), make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		err := s.write(t.Context(), "hold", func(*tx) error {
			close(held)
			<-release
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	})
	<-held
	answers := make([]error, len(units))
	for i, u := range units {
		wg.Go(func() { answers[i] = s.write(t.Context(), "unit", u) })
		waitFor(t, func() bool { return s.Stats().Queued == i+1 })
	}
	close(release)
	wg.Wait()
	return answers
}

// waitFor waits until a condition holds.
func waitFor(t *testing.T, condition func() bool) {
	t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for !condition() {
		if time.Now().After(deadline) {
			t.Fatal("the condition does not come true")
		}
		time.Sleep(100 * time.Microsecond)
	}
}

// insert makes an organization of this name.
func insert(name string) func(*tx) error {
	return func(t *tx) error {
		_, err := t.exec(`INSERT INTO organizations (id, display_name, created_at) VALUES (?, ?, 0)`, testID(name), name)
		return err
	}
}

func testID(name string) (x id.ID) {
	copy(x[:], name)
	return x
}

// stored are the names of the stored organizations.
func stored(t *testing.T, s *Store) string {
	t.Helper()
	var names []string
	err := s.read(t.Context(), "list", func(v *view) error {
		return v.each(`SELECT display_name FROM organizations ORDER BY id`, nil, func(scan scanner) error {
			var name string
			err := scan(&name)
			names = append(names, name)
			return err
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(names, " ")
}

func TestBatchSharesACommit(t *testing.T) {
	t.Parallel()
	s := openTest(t)
	errUnit := errors.New("the unit's own")
	before := s.Stats()
	answers := batch(t, s,
		insert("a"),
		func(t *tx) error { return errors.Join(insert("b")(t), errUnit) },
		insert("c"),
		func(t *tx) error { _ = insert("d")(t); panic("a mistake") },
		func(t *tx) error { return insert("a")(t) }, // refused by the database
		insert("e"),
	)
	for i, want := range []string{"", "the unit's own", "", "panic in a unit of the store: a mistake", "UNIQUE constraint failed", ""} {
		if got := answers[i]; (got == nil) != (want == "") || (got != nil && !strings.Contains(got.Error(), want)) {
			t.Errorf("unit %d: got error %v, want %q", i, got, want)
		}
	}
	if got := stored(t, s); got != "a c e" {
		t.Errorf("stored %q, want the units that did not fail", got)
	}
	after := s.Stats()
	if after.Commits-before.Commits != 2 || after.LargestBatch != 6 || after.Replays != 0 {
		t.Errorf("statistics %+v, want two more commits, the second with 6 units, and no replay", after)
	}
}

func TestBatchThatCannotCommitIsReplayed(t *testing.T) {
	t.Parallel()
	for name, breaking := range map[string]struct {
		unit func(*tx) error
		kind fault.Kind
	}{
		"the commit fails": {func(t *tx) error {
			if err := t.control("PRAGMA defer_foreign_keys = 1"); err != nil {
				return err
			}
			_, err := t.exec(`INSERT INTO namespaces (id, organization_id, created_at) VALUES (?, ?, 0)`, testID("n"), testID("none"))
			return err
		}, fault.Internal},
		"the database rolls back": {func(t *tx) error {
			return errors.Join(insert("lost")(t), t.control(sqlRollback), errors.New("gone"))
		}, fault.Internal},
		"the database is full": {func(t *tx) error {
			if err := t.control("PRAGMA max_page_count = 100"); err != nil {
				return err
			}
			_, err := t.exec(`INSERT INTO programs (hash, engine, engine_version, sdk_version, bridge, bundle) VALUES (?, '', '', '', 1, ?)`,
				make([]byte, 32), make([]byte, 1<<20))
			return err
		}, fault.Unavailable},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := openTest(t)
			answers := batch(t, s, insert("a"), breaking.unit, insert("b"))
			if answers[0] != nil || answers[2] != nil {
				t.Errorf("the neighbours of a broken unit got %v and %v", answers[0], answers[2])
			}
			if answers[1] == nil || fault.KindOf(answers[1]) != breaking.kind {
				t.Errorf("the broken unit got %v, want kind %v", answers[1], breaking.kind)
			}
			if got := stored(t, s); got != "a b" {
				t.Errorf("stored %q, want a and b", got)
			}
			if err := s.write(t.Context(), "after", insert("c")); err != nil {
				t.Errorf("a unit after the broken one: %v", err)
			}
		})
	}
}

func TestCountersOfAFailedUnitAreForgotten(t *testing.T) {
	t.Parallel()
	s := openTest(t)
	o := testID("o")
	count := func(waiting int, err error) func(*tx) error {
		return func(t *tx) error {
			_, read := t.counters.of(t, o)
			t.counters.add(o, waiting, 0)
			return errors.Join(read, err)
		}
	}
	batch(t, s, count(3, nil), count(5, errors.New("failed")), count(4, nil))
	batch(t, s, count(-1, nil), count(-100, nil), count(1, nil)) // the second breaks the check at the commit
	var got counter
	err := s.read(t.Context(), "read", func(v *view) error {
		_, err := v.one(`SELECT waiting FROM queue_counters WHERE organization_id = ?`, args{o}, &got.waiting)
		return err
	})
	if err != nil || got.waiting != 7 {
		t.Errorf("%d wait (%v), want 7", got.waiting, err)
	}
}

func TestUnitWhoseCallerHasGoneDoesNotRun(t *testing.T) {
	t.Parallel()
	s := openTest(t)
	held, release := make(chan struct{}), make(chan struct{})
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	var early, late error
	wg.Go(func() {
		// Leaves in the middle of its turn: it is told what became of it.
		early = s.write(ctx, "early", func(t *tx) error {
			close(held)
			<-release
			return insert("early")(t)
		})
	})
	<-held
	wg.Go(func() { late = s.write(ctx, "late", insert("late")) })
	waitFor(t, func() bool { return s.Stats().Queued == 1 })
	cancel()
	close(release)
	wg.Wait()
	if early != nil || !fault.Is(late, fault.Unavailable) || !errors.Is(late, context.Canceled) {
		t.Errorf("the units got %v and %v, want nil and unavailable", early, late)
	}
	if got := stored(t, s); got != "early" {
		t.Errorf("stored %q, want the unit whose turn had come", got)
	}
}

func TestQueueOfTheWriterIsBounded(t *testing.T) {
	t.Parallel()
	s := openTest(t)
	held, release := make(chan struct{}), make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		_ = s.write(t.Context(), "hold", func(*tx) error {
			close(held)
			<-release
			return nil
		})
	})
	<-held
	for range maxQueued {
		wg.Go(func() {
			if err := s.write(t.Context(), "nothing", func(*tx) error { return nil }); err != nil {
				t.Error(err)
			}
		})
	}
	waitFor(t, func() bool { return s.Stats().Queued == maxQueued })
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if err := s.write(ctx, "one more", func(*tx) error { return nil }); !fault.Is(err, fault.Unavailable) {
		t.Errorf("a unit beyond the queue got %v, want unavailable", err)
	}
	close(release)
	wg.Wait()
}

func TestCloseLetsUnitsFinish(t *testing.T) {
	t.Parallel()
	s := openTest(t)
	held, release := make(chan struct{}), make(chan struct{})
	var wg sync.WaitGroup
	hold := func(t *tx) error {
		close(held)
		<-release
		return nil
	}
	wg.Go(func() { _ = s.write(t.Context(), "hold", hold) })
	<-held
	var waiting error
	wg.Go(func() { waiting = s.write(t.Context(), "waiting", insert("a")) })
	waitFor(t, func() bool { return s.Stats().Queued == 1 })
	wg.Go(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	waitFor(t, func() bool {
		s.writer.mu.RLock()
		defer s.writer.mu.RUnlock()
		return s.writer.closed
	})
	if err := s.write(t.Context(), "late", insert("b")); !errors.Is(err, errClosed) {
		t.Errorf("a unit after the close got %v, want %v", err, errClosed)
	}
	close(release)
	wg.Wait()
	if waiting != nil {
		t.Errorf("a unit that waited at the close got %v", waiting)
	}
}

func TestLockedDatabaseIsUnavailable(t *testing.T) {
	t.Parallel()
	s := openTest(t)
	if err := s.write(t.Context(), "be impatient", func(t *tx) error { return t.control("PRAGMA busy_timeout = 1") }); err != nil {
		t.Fatal(err)
	}
	other, err := sql.Open("sqlite", s.cfg.Path)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close() //nolint:errcheck // a second look at the file
	other.SetMaxOpenConns(1)
	if _, err := other.Exec("BEGIN IMMEDIATE"); err != nil {
		t.Fatal(err)
	}
	err = s.write(t.Context(), "write", insert("a"))
	if !fault.Is(err, fault.Unavailable) || !strings.Contains(err.Error(), "SQLITE_BUSY") {
		t.Errorf("a write to a locked database got %v, want unavailable because it is busy", err)
	}
	if got := stored(t, s); got != "" {
		t.Errorf("stored %q, want nothing", got)
	}
	if _, err := other.Exec("COMMIT"); err != nil {
		t.Fatal(err)
	}
	if err := s.write(t.Context(), "write", insert("a")); err != nil {
		t.Errorf("a write after the lock: %v", err)
	}
}

func TestTransactionLeftOpenIsEnded(t *testing.T) {
	t.Parallel()
	s := openTest(t)
	leave := func(v *view) error { return (&tx{view: *v}).control("BEGIN") }
	c := <-s.readers
	for range s.cfg.Readers {
		if err := leave(&view{ctx: t.Context(), conn: c}); err != nil {
			t.Fatal(err)
		}
		s.readers <- c
		c = <-s.readers
	}
	s.readers <- c
	for range s.cfg.Readers {
		if got := stored(t, s); got != "" {
			t.Errorf("stored %q, want nothing", got)
		}
	}
	s.writer.mu.Lock() // the writer is idle, and stays so
	err := leave(&view{ctx: t.Context(), conn: s.writer.conn})
	s.writer.mu.Unlock()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.write(t.Context(), "write", insert("a")); err != nil {
		t.Errorf("a write after a transaction that was left open: %v", err)
	}
}
