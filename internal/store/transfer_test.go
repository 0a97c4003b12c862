package store_test

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/usefloww/flowwd/internal/store"
	"github.com/usefloww/flowwd/internal/storetest"
	"github.com/usefloww/flowwd/internal/transfer"
	"github.com/usefloww/flowwd/internal/workflow"
)

// place is where a database is.
type place struct {
	kind string
	cfg  store.Config
}

func sqlitePlace(t testing.TB) place {
	folder := t.TempDir()
	cfg := config(filepath.Join(folder, "flowwd.db"))
	cfg.Blobs = filepath.Join(folder, "bodies")
	return place{"SQLite", cfg}
}

// open opens a place's database for a world.
func (p place) open(cfg store.Config) (*store.Store, error) {
	cfg.URL, cfg.Path, cfg.Blobs, cfg.Readers = p.cfg.URL, p.cfg.Path, p.cfg.Blobs, 2
	return store.Open(context.Background(), cfg)
}

// filled makes a database with rows in every table, with what is hard to carry:
// a body on disk, an empty body, none, an execution that waits and one that runs.
func filled(t *testing.T, p place) (*storetest.World, workflow.Workflow) {
	t.Helper()
	w := storetest.NewWorld(t, p.open)
	f := w.Fill()
	_, triggers := w.Deployed(w.Namespace())
	for i, body := range [][]byte{{}, nil, bytes.Repeat([]byte{0, 0xff}, 200<<10), []byte("héllo")} {
		a := w.Acceptance(triggers[0])
		a.Event.HasBody, a.Event.Body = body != nil, body
		if _, err := w.AcceptExecution(t.Context(), a); err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			w.Claim(1)
		}
	}
	return w, f
}

func snapshot(t *testing.T, p place) *store.Snapshot {
	t.Helper()
	s, err := store.OpenSnapshot(t.Context(), p.cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() }) // again, after most tests
	return s
}

func target(t *testing.T, p place, refill bool) *store.Target {
	t.Helper()
	s, err := store.OpenTarget(t.Context(), p.cfg, refill, "by a test")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// sums reads a whole database.
func sums(t *testing.T, p place) transfer.Sums {
	t.Helper()
	s, err := store.OpenSnapshot(t.Context(), p.cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	all, err := s.Send(t.Context(), transfer.Discard{})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// transferred moves one database into another.
func transferred(t *testing.T, from, to place) {
	t.Helper()
	s, x := snapshot(t, from), target(t, to, false)
	if _, err := x.Fill(t.Context(), s.Send); err != nil {
		t.Fatal(err)
	}
	if err := x.Release(t.Context(), store.Serve); err != nil {
		t.Fatal(err)
	}
}

// dump writes every row of every table as text, by what SQLite itself says of
// the tables and nothing that a transfer knows.
func dump(t *testing.T, db *sql.DB) map[string][]string {
	t.Helper()
	all := map[string][]string{}
	for _, table := range tables(t, db) {
		names := column(t, db, `SELECT name FROM pragma_table_info(?)`, table)
		for i, name := range names {
			names[i] = fmt.Sprintf(`quote("%s")`, name)
		}
		all[table] = column(t, db, `SELECT `+strings.Join(names, ` || ' ' || `)+` AS line FROM `+table+` ORDER BY line`)
	}
	return all
}

// TestEveryTableIsTransferred fails when a table is added that a transfer
// leaves out or changes. One that says something about its database alone is
// named in local, with the reason.
func TestEveryTableIsTransferred(t *testing.T) {
	t.Parallel()
	local := map[string]string{"nodes": "the processes that use the database", "transfer_mark": "what is under way with it"}
	from, to := sqlitePlace(t), sqlitePlace(t)
	filled(t, from)
	transferred(t, from, to)
	before, after := dump(t, raw(t, from.cfg.Path)), dump(t, raw(t, to.cfg.Path))
	for name, rows := range before {
		switch _, left := local[name]; {
		case left && len(after[name]) > 0:
			t.Errorf("table %s is transferred, and named as one that is not", name)
		case left:
		case len(rows) == 0:
			t.Errorf("table %s is empty, so that its transfer shows nothing: fill it in World.Fill, or say in notTransferred why it stays", name)
		default:
			if d := cmp.Diff(rows, after[name]); d != "" {
				t.Errorf("table %s (-original +copy):\n%s", name, d)
			}
		}
	}
}

// TestKindsFollowTheSchema holds the names that tell what a column of SQLite is
// to what the schema says.
func TestKindsFollowTheSchema(t *testing.T) {
	t.Parallel()
	p := sqlitePlace(t)
	opened(t, p.cfg)
	db := raw(t, p.cfg.Path)
	kinds, err := store.Kinds(t.Context(), p.cfg)
	if err != nil {
		t.Fatal(err)
	}
	checked := 0
	for _, table := range tables(t, db) {
		statement := column(t, db, `SELECT sql FROM sqlite_schema WHERE type = 'table' AND name = ?`, table)[0]
		for _, name := range column(t, db, `SELECT name FROM pragma_table_info(?)`, table) {
			kind, known := kinds[table+"."+name]
			if !known {
				continue
			}
			checked++
			for says, want := range map[string]transfer.Kind{
				"length(" + name + ") = 16":       transfer.ID,
				"(" + name + " IN (0, 1))":        transfer.Bool,
				"length(" + name + ") = 32":       transfer.Bytes,
				"length(" + name + ") BETWEEN":    transfer.Text,
				"CHECK (" + name + " >= 0)":       transfer.Integer,
				"CHECK (" + name + " > 0)":        transfer.Integer,
				"CHECK (" + name + " >= 1)":       transfer.Integer,
				"CHECK (" + name + " BETWEEN 0 ":  transfer.Integer,
				"CHECK (" + name + " IN ('":       transfer.Text,
				"CHECK (" + name + " IN\n":        transfer.Text,
				"length(CAST(" + name + " AS BLO": transfer.Text,
			} {
				if strings.Contains(statement, says) && kind != want {
					t.Errorf("column %s of table %s is taken for %v, but the schema says %q", name, table, kind, says)
				}
			}
			boolean := strings.Contains(statement, name+" IN (0, 1)")
			if kind == transfer.Bool && !boolean {
				t.Errorf("column %s of table %s is taken for a bool, and the schema has no check of that", name, table)
			}
			if kind == transfer.ID && !strings.Contains(statement, "length("+name+") = 16") && !referring(t, db, table, name) {
				t.Errorf("column %s of table %s is taken for an id, and the schema has no check of that", name, table)
			}
		}
	}
	if checked < 100 {
		t.Errorf("only %d columns were looked at", checked)
	}
}

func TestCopiesWorkAsTheOriginalDid(t *testing.T) {
	t.Parallel()
	from, to := sqlitePlace(t), sqlitePlace(t)
	worksAsBefore(t, from, to)
}

// worksAsBefore moves a database and goes on with the copy.
func worksAsBefore(t *testing.T, from, to place) {
	t.Helper()
	w, f := filled(t, from)
	before, err := w.QueueDepth(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	s := snapshot(t, from)
	x := target(t, to, false)
	sent, err := x.Fill(t.Context(), s.Send)
	if err != nil {
		t.Fatal(err)
	}
	if err := x.Release(t.Context(), store.Serve); err != nil {
		t.Fatal(err)
	}
	if err := x.Close(); err != nil {
		t.Fatal(err)
	}
	if err := sent.Compare(sums(t, to)); err != nil {
		t.Errorf("from %s to %s: %v", from.kind, to.kind, err)
	}
	w = storetest.NewWorld(t, to.open)
	if found := w.Check(t.Context()); len(found) > 0 {
		t.Errorf("the copy has problems: %v", found)
	}
	if n, err := w.TakeBackClaims(t.Context(), "restored", w.Now()); err != nil || n == 0 {
		t.Errorf("%d runs of the original are taken back (%v), want those that were under way", n, err)
	}
	// Those that wait for a time of their own came along with it.
	if _, next, err := w.WakePostponed(t.Context(), w.Now(), 100); err != nil || next.IsZero() {
		t.Errorf("the next postponed execution of the copy is at %v (%v), want it as in the original", next, err)
	}
	if n, _, err := w.WakePostponed(t.Context(), w.Now().Add(2*time.Hour), 100); err != nil || n == 0 {
		t.Errorf("%d postponed executions of the copy go on (%v), want some", n, err)
	}
	depth, err := w.QueueDepth(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if depth.Waiting+depth.Running != before.Waiting+before.Running {
		t.Errorf("%d executions are to run in the copy, %d in the original", depth.Waiting+depth.Running, before.Waiting+before.Running)
	}
	seen := map[int]bool{}
	for claims := w.Claim(100); len(claims) > 0; claims = w.Claim(100) {
		for _, c := range claims {
			seen[len(c.Event.Body)] = true
			if err := w.FinishExecution(t.Context(), &c, w.Outcome()); err != nil {
				t.Error(err)
			}
		}
	}
	for _, size := range []int{0, 6, 100_000, 400 << 10} {
		if !seen[size] {
			t.Errorf("no event with a body of %d bytes came out of the copy's queue", size)
		}
	}
	if depth, err = w.QueueDepth(t.Context()); err != nil || depth.Waiting+depth.Running != 0 {
		t.Errorf("the copy's queue is left with %+v (%v)", depth, err)
	}
	w.ReadAll(f)
}

// A snapshot stays what it was, with the files of its large bodies, while the
// server writes, and removes what has expired.
func TestSnapshotsDoNotChange(t *testing.T) {
	t.Parallel()
	from := sqlitePlace(t)
	w, f := filled(t, from)
	want := sums(t, from)
	s := snapshot(t, from)
	if err := w.DeleteWorkflow(t.Context(), f.ID, w.Now()); err != nil {
		t.Fatal(err)
	}
	_, triggers := w.Deployed(w.Namespace())
	w.Accept(triggers[0])
	w.Pass(100 * 24 * time.Hour)
	purgeAll(t, w)
	got, err := s.Send(t.Context(), transfer.Discard{})
	if err != nil {
		t.Fatal(err)
	}
	if err := want.Compare(got); err != nil {
		t.Errorf("a snapshot has changed: %v", err)
	}
	if err := want.Compare(sums(t, from)); err == nil {
		t.Error("nothing was written, so the test shows nothing")
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	files := bodyFiles(t, from)
	purgeAll(t, w)
	if left := bodyFiles(t, from); left >= files {
		t.Errorf("%d files of bodies are left of %d when no snapshot needs them any more", left, files)
	}
}

// purgeAll removes all that retention removes now.
func purgeAll(t *testing.T, w *storetest.World) {
	t.Helper()
	for n := 1; n > 0; {
		var err error
		if n, err = w.PurgeExpired(t.Context(), w.Now(), w.Now(), 1000); err != nil {
			t.Fatal(err)
		}
	}
}

// bodyFiles counts the files of large bodies.
func bodyFiles(t *testing.T, p place) int {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(p.cfg.Blobs, "??", "*"))
	if err != nil {
		t.Fatal(err)
	}
	return len(files)
}
