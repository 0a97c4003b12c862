package store_test

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/usefloww/flowwd/internal/records"
	"github.com/usefloww/flowwd/internal/storetest"
)

// plain are columns whose names sound as if they opened something.
var plain = map[string]string{
	"programs.hash":            "the content of a program, which is its name",
	"programs.secrets":         "names of secrets",
	"deployments.source_hash":  "the content of a source",
	"deployments.program_hash": "the name of a program",
	"executions.program_hash":  "the name of a program",
	"runtimes.image_hash":      "the tag of an image",
}

// opening are words in the names of columns that open something, or what is
// somebody's own.
var opening = []string{"hash", "secret", "token", "password", "sealed", "encrypt", "code", "previous"}

// TestEveryTableIsAnEntity holds that administrators see each table of the schema,
// and that each of its columns was thought about.
func TestEveryTableIsAnEntity(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "flowwd.db")
	opened(t, config(path))
	db := raw(t, path)
	known := map[string]records.Entity{}
	names := map[string]bool{}
	for _, e := range records.All() {
		known[e.Table] = e
		if names[e.Name] {
			t.Errorf("there are two entities with the name %s", e.Name)
		}
		names[e.Name] = true
	}
	for _, table := range tables(t, db) {
		e, listed := known[table]
		reason, left := records.Left[table]
		if listed == left {
			t.Errorf("table %s must be one of records.All or, with a reason, of records.Left (%q)", table, reason)
		}
		if !listed {
			continue
		}
		want := column(t, db, `SELECT name FROM pragma_table_info(?)`, table)
		var got []string
		for _, c := range e.Columns {
			got = append(got, c.Name)
			if c.Of != "" {
				if _, there := records.Named(c.Of); !there {
					t.Errorf("%s.%s points to %s, which is no entity", table, c.Name, c.Of)
				}
			}
		}
		slices.Sort(want)
		slices.Sort(got)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("the columns of %s (-schema +records.All, where what must not be shown is hidden):\n%s", table, diff)
		}
		if diff := cmp.Diff(column(t, db, `SELECT name FROM pragma_table_info(?) WHERE pk > 0 ORDER BY pk`, table), e.Key); diff != "" {
			t.Errorf("the key of %s (-schema +records.All):\n%s", table, diff)
		}
		delete(known, table)
	}
	for table := range known {
		t.Errorf("%s is an entity and no table", table)
	}
}

// TestNothingThatOpensIsRead goes by the names of columns: a new one that sounds
// like a secret is hidden, or listed as none.
func TestNothingThatOpensIsRead(t *testing.T) {
	t.Parallel()
	for _, e := range records.All() {
		for _, c := range e.Columns {
			sounds := slices.ContainsFunc(opening, func(word string) bool { return strings.Contains(c.Name, word) })
			_, none := plain[e.Table+"."+c.Name]
			if sounds && c.Kind != records.Hidden && c.Kind != records.Size && !none {
				t.Errorf("%s.%s is shown", e.Table, c.Name)
			}
		}
	}
}

// TestRecordsUseIndexes holds that no list of an entity, narrowed or searched, reads
// a table from end to end.
func TestRecordsUseIndexes(t *testing.T) {
	t.Parallel()
	w := storetest.NewWorld(t, sqlite(t))
	w.Fill()
	w.ReadRecords()
	scanned, looked, err := w.FullScans(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if looked < 100 {
		t.Errorf("only %d statements were looked at; the entities have more", looked)
	}
	for _, s := range scanned {
		t.Errorf("a statement reads a whole table: %s", s)
	}
}
