package store_test

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/usefloww/flowwd/internal/store"
	"github.com/usefloww/flowwd/internal/storetest"
	"github.com/usefloww/flowwd/internal/transfer"
)

// marks are the tests of what becomes of databases between transfers.
var marks = []struct {
	name string
	run  func(t *testing.T, place func() place)
}{
	{"used databases are not filled", testUsedTargets},
	{"an interrupted transfer", testInterruptedTransfer},
	{"a transfer that can be repeated", testRepeatedTransfer},
	{"a rehearsal", testRehearsal},
	{"sums that differ", testDifferentSums},
	{"a database that was moved", testFence},
	{"one transfer at a time", testOneTransfer},
}

func TestMarks(t *testing.T) {
	t.Parallel()
	for _, test := range marks {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			test.run(t, func() place { return sqlitePlace(t) })
		})
	}
}

// refused wants a store not to be opened, for a reason, and doctor to say the
// same.
func refused(t *testing.T, p place, reason string) {
	t.Helper()
	if s, err := store.Open(t.Context(), p.cfg); err == nil {
		t.Errorf("a server can start, want: %s", reason)
		_ = s.Close()
	} else if !strings.Contains(err.Error(), reason) {
		t.Errorf("a server is refused with %q, want: %s", err, reason)
	}
	cfg := p.cfg
	cfg.ReadOnly = true
	s := opened(t, cfg)
	if found := errors.Join(s.Check(t.Context())...); found == nil || !strings.Contains(found.Error(), reason) {
		t.Errorf("the check finds %v, want: %s", found, reason)
	}
}

// usable wants a store to be opened like any other.
func usable(t *testing.T, p place) {
	t.Helper()
	s, err := store.Open(t.Context(), p.cfg)
	if err != nil {
		t.Errorf("a server can't start: %v", err)
		return
	}
	if found := s.Check(t.Context()); len(found) > 0 {
		t.Errorf("the check finds %v", found)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// notTaken wants a database not to be filled, and to stay what it is.
func notTaken(t *testing.T, p place, refill bool, reason string) {
	t.Helper()
	before := sums(t, p)
	x, err := store.OpenTarget(t.Context(), p.cfg, refill, "by a test")
	if err == nil {
		t.Errorf("the database can be filled, want: %s", reason)
		_ = x.Close()
	} else if !strings.Contains(err.Error(), reason) {
		t.Errorf("the database is refused with %q, want: %s", err, reason)
	}
	if d := cmp.Diff(before, sums(t, p)); d != "" {
		t.Errorf("a database that was refused has changed:\n%s", d)
	}
}

func testUsedTargets(t *testing.T, place func() place) {
	p := place()
	w := storetest.NewWorld(t, p.open)
	w.Namespace()
	notTaken(t, p, false, "holds data already (in table audit_entries): name an empty or a new one")
	notTaken(t, p, true, "holds data already")
	usable(t, p)

	empty := place()
	usable(t, empty)
	from := place()
	filled(t, from)
	transferred(t, from, empty)
	usable(t, empty)
}

var errStopped = errors.New("stopped by the test")

// stopper is a Sink that ends in the middle.
type stopper struct {
	transfer.Sink
	left int
}

func (s *stopper) Row(ctx context.Context, r transfer.Row) error {
	if s.left--; s.left < 0 {
		return errStopped
	}
	return s.Sink.Row(ctx, r)
}

func testInterruptedTransfer(t *testing.T, place func() place) {
	from, to := place(), place()
	filled(t, from)
	want := sums(t, from)
	for _, rows := range []int{0, 1, int(want.Rows()) / 2, int(want.Rows()) - 1} {
		s, x := snapshot(t, from), target(t, to, false)
		_, err := x.Fill(t.Context(), func(ctx context.Context, sink transfer.Sink) (transfer.Sums, error) {
			return s.Send(ctx, &stopper{sink, rows})
		})
		if !errors.Is(err, errStopped) {
			t.Errorf("a transfer that stops after %d rows ends with %v", rows, err)
		}
		if err := x.Close(); err != nil {
			t.Error(err)
		}
		refused(t, to, "the database is not complete: filling it (by a test) was interrupted")
		if _, err := store.OpenSnapshot(t.Context(), to.cfg); err == nil {
			t.Error("an unfinished database can be transferred to the next")
		}
	}

	// Also one that ended after its rows were stored and before it was released.
	s, x := snapshot(t, from), target(t, to, false)
	if _, err := x.Fill(t.Context(), s.Send); err != nil {
		t.Fatal(err)
	}
	if err := x.Close(); err != nil {
		t.Error(err)
	}
	refused(t, to, "the database is not complete")

	transferred(t, from, to)
	usable(t, to)
	if err := want.Compare(sums(t, to)); err != nil {
		t.Error(err)
	}
}

func testRepeatedTransfer(t *testing.T, place func() place) {
	from, to := place(), place()
	w, _ := filled(t, from)
	for range 2 {
		s, x := snapshot(t, from), target(t, to, true)
		sent, err := x.Fill(t.Context(), s.Send)
		if err == nil {
			err = x.Release(t.Context(), store.ServeOrRefill)
		}
		if err != nil {
			t.Fatal(err)
		}
		_ = x.Close()
		if err := sent.Compare(sums(t, to)); err != nil {
			t.Error(err)
		}
		w.Namespace() // what comes later is in the next one
	}
	notTaken(t, to, false, "holds data already (filled, by a test)")
	usable(t, to)
	notTaken(t, to, true, "holds data already")
}

func testRehearsal(t *testing.T, place func() place) {
	from, to := place(), place()
	filled(t, from)
	s, x := snapshot(t, from), target(t, to, true)
	if _, err := x.Fill(t.Context(), s.Send); err != nil {
		t.Fatal(err)
	}
	if err := x.Release(t.Context(), store.RefillOnly); err != nil {
		t.Fatal(err)
	}
	_ = x.Close()
	refused(t, to, "a copy for a rehearsal (by a test)")
	notRead(t, to)
	x = target(t, to, true)
	if _, err := x.Fill(t.Context(), s.Send); err != nil {
		t.Fatal(err)
	}
	if err := x.Release(t.Context(), store.Serve); err != nil {
		t.Fatal(err)
	}
	_ = x.Close()
	usable(t, to)
}

// notRead wants a copy of a copy to be refused.
func notRead(t *testing.T, p place) {
	t.Helper()
	if s, err := store.OpenSnapshot(t.Context(), p.cfg); err == nil {
		t.Error("a rehearsal can be transferred to the next")
		_ = s.Close()
	}
}

// A copy that is not what its source says it sent is not released.
func testDifferentSums(t *testing.T, place func() place) {
	from, to := place(), place()
	filled(t, from)
	s, x := snapshot(t, from), target(t, to, false)
	_, err := x.Fill(t.Context(), func(ctx context.Context, sink transfer.Sink) (transfer.Sums, error) {
		sent, err := s.Send(ctx, sink)
		sent[0].SHA256[0]++
		sent[1].Rows++
		return sent, err
	})
	for _, reason := range []string{"is not what it was filled with", "has other rows in the copy", "rows, and"} {
		if err == nil || !strings.Contains(err.Error(), reason) {
			t.Errorf("a copy with other rows: %v, want: %s", err, reason)
		}
	}
	_ = x.Close()
	refused(t, to, "the database is not complete")
}

func testFence(t *testing.T, place func() place) {
	from, to := place(), place()
	w, _ := filled(t, from)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	before := sums(t, from)
	for _, first := range []bool{true, false} {
		if marked, err := store.Fence(t.Context(), from.cfg, "to a test"); err != nil || marked != first {
			t.Fatalf("fenced: %v, %v; want %v", marked, err, first)
		}
	}
	refused(t, from, "the database was moved (to a test): serve it there, or run 'flowwd migrate --take-back'")
	if err := before.Compare(sums(t, from)); err != nil {
		t.Error(err)
	}
	transferred(t, from, to) // again, for whoever lost the copy
	usable(t, to)
	if err := store.Unfence(t.Context(), from.cfg); err != nil {
		t.Fatal(err)
	}
	usable(t, from)
	if err := store.Unfence(t.Context(), from.cfg); err == nil {
		t.Error("a database that was not moved can be taken back")
	}
}

func testOneTransfer(t *testing.T, place func() place) {
	to := place()
	first := target(t, to, false)
	second, err := store.OpenTarget(t.Context(), to.cfg, false, "by another")
	if to.cfg.URL == "" {
		// The data folder's lock keeps another process out of a file.
		if err != nil {
			t.Fatal(err)
		}
		_ = second.Close()
		return
	}
	if err == nil || !strings.Contains(err.Error(), "is being filled by another process") {
		t.Errorf("two transfers fill one database: %v", err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	target(t, to, false)
}

func TestMissingDatabasesAreNotMade(t *testing.T) {
	t.Parallel()
	cfg := config(filepath.Join(t.TempDir(), "flowwd.db"))
	if _, err := store.OpenSnapshot(t.Context(), cfg); err == nil {
		t.Error("a database that is not there is read")
	}
	if _, err := store.Fence(t.Context(), cfg, "x"); err == nil {
		t.Error("a database that is not there is fenced")
	}
}
