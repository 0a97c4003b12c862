//go:build external

package store_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/usefloww/flowwd/internal/store"
)

func postgresPlace(t testing.TB) place {
	t.Helper()
	cfg := config("")
	cfg.URL, cfg.Blobs = postgresURL(t), t.TempDir()
	return place{"PostgreSQL", cfg}
}

func TestMarksOfPostgreSQL(t *testing.T) {
	t.Parallel()
	for _, test := range marks {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			test.run(t, func() place { return postgresPlace(t) })
		})
	}
}

func TestCopiesWorkInAnotherDatabase(t *testing.T) {
	t.Parallel()
	for _, pair := range []struct{ from, to func(testing.TB) place }{
		{sqlitePlace, postgresPlace}, {postgresPlace, sqlitePlace}, {postgresPlace, postgresPlace},
	} {
		from, to := pair.from(t), pair.to(t)
		t.Run(from.kind+" to "+to.kind, func(t *testing.T) {
			t.Parallel()
			worksAsBefore(t, from, to)
		})
	}
}

// TestThereAndBack moves a database from SQLite to PostgreSQL and back, and
// compares what SQLite itself says is in the two files.
func TestThereAndBack(t *testing.T) {
	t.Parallel()
	from, over, to := sqlitePlace(t), postgresPlace(t), sqlitePlace(t)
	filled(t, from)
	transferred(t, from, over)
	transferred(t, over, to)
	before, after := dump(t, raw(t, from.cfg.Path)), dump(t, raw(t, to.cfg.Path))
	for _, local := range []string{"nodes", "transfer_mark"} {
		delete(before, local)
		delete(after, local)
	}
	if d := cmp.Diff(before, after); d != "" {
		t.Errorf("(-original +copy):\n%s", d)
	}
}

// TestKindsAreThoseOfPostgreSQL holds the names that tell what a column of
// SQLite is to the types that PostgreSQL has for the same column.
func TestKindsAreThoseOfPostgreSQL(t *testing.T) {
	t.Parallel()
	one, other := sqlitePlace(t), postgresPlace(t)
	opened(t, one.cfg)
	opened(t, other.cfg)
	mine, err := store.Kinds(t.Context(), one.cfg)
	if err != nil {
		t.Fatal(err)
	}
	theirs, err := store.Kinds(t.Context(), other.cfg)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(mine, theirs); d != "" {
		t.Errorf("(-SQLite +PostgreSQL):\n%s", d)
	}
	if len(mine) < 100 {
		t.Errorf("only %d columns were looked at", len(mine))
	}
}
