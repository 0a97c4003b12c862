//go:build external

package store_test

import (
	"cmp"
	"database/sql"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	_ "github.com/jackc/pgx/v5/stdlib"

	"github.com/usefloww/flowwd/internal/store"
)

// schema is what both databases must have alike.
type schema struct {
	// Columns are "table.column type, may be null".
	Columns []string
	// Indexes are "table (columns) unique where condition".
	Indexes []string
	// References are "table.column → table".
	References []string
}

// TestSchemasAreAlike holds that a step of the schema is in both dialects.
func TestSchemasAreAlike(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "flowwd.db")
	opened(t, config(path))
	cfg := config("")
	cfg.URL = postgresURL(t)
	s, err := store.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	lite := sqliteSchema(t, raw(t, path))
	server, err := sql.Open("pgx", cfg.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	if len(lite.Columns) < 100 || len(lite.Indexes) < 20 || len(lite.References) < 10 {
		t.Fatalf("only %d columns, %d indexes and %d references were found", len(lite.Columns), len(lite.Indexes), len(lite.References))
	}
	if diff := gocmp.Diff(lite, postgresSchema(t, server)); diff != "" {
		t.Errorf("the schemas differ (-SQLite +PostgreSQL):\n%s", diff)
	}
}

// kinds are PostgreSQL's types and the one of SQLite that stands for them.
var kinds = map[string]string{
	"uuid": "BLOB", "bytea": "BLOB", "bigint": "INTEGER", "boolean": "INTEGER", "timestamp with time zone": "INTEGER", "text": "TEXT",
}

func sqliteSchema(t *testing.T, db *sql.DB) (s schema) {
	t.Helper()
	for _, table := range tables(t, db) {
		for _, c := range column(t, db, `SELECT name || ' ' || type || CASE WHEN "notnull" = 1 THEN '' ELSE ', may be null' END FROM pragma_table_info(?)`, table) {
			s.Columns = append(s.Columns, table+"."+c)
		}
		for _, name := range column(t, db, `SELECT name FROM pragma_index_list(?)`, table) {
			unique := column(t, db, `SELECT CASE WHEN "unique" = 1 THEN 'unique' ELSE '' END FROM pragma_index_list(?) WHERE name = ?`, table, name)[0]
			columns := column(t, db, `SELECT name FROM pragma_index_info(?) ORDER BY seqno`, name)
			condition := ""
			for _, text := range column(t, db, `SELECT COALESCE(sql, '') FROM sqlite_schema WHERE type = 'index' AND name = ?`, name) {
				_, condition, _ = strings.Cut(text, " WHERE ")
			}
			s.Indexes = append(s.Indexes, index(table, columns, unique, condition))
		}
		// The primary key of a table without rowids has no index of its own.
		if key := column(t, db, `SELECT name FROM pragma_table_info(?) WHERE pk > 0 ORDER BY pk`, table); len(key) > 0 {
			s.Indexes = append(s.Indexes, index(table, key, "unique", ""))
		}
		s.References = append(s.References, column(t, db, `SELECT ? || '.' || "from" || ' → ' || "table" FROM pragma_foreign_key_list(?)`, table, table)...)
	}
	return s.sorted()
}

func postgresSchema(t *testing.T, db *sql.DB) (s schema) {
	t.Helper()
	for _, c := range column(t, db, `
		SELECT table_name || '.' || column_name || ' ' || data_type || CASE is_nullable WHEN 'NO' THEN '' ELSE ', may be null' END
		FROM information_schema.columns WHERE table_schema = 'public' AND table_name <> 'goose_db_version'`) {
		for from, to := range kinds {
			if name, rest, ok := strings.Cut(c, " "+from); ok {
				c = name + " " + to + rest
				break
			}
		}
		s.Columns = append(s.Columns, c)
	}
	parts := regexp.MustCompile(`^CREATE (UNIQUE )?INDEX \w+ ON public\.(\w+) USING btree \(([^)]*)\)(?: WHERE (.*))?$`)
	for _, text := range column(t, db, `SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename <> 'goose_db_version'`) {
		m := parts.FindStringSubmatch(text)
		if m == nil {
			t.Fatalf("no pattern for index %s", text)
		}
		unique := ""
		if m[1] != "" {
			unique = "unique"
		}
		s.Indexes = append(s.Indexes, index(m[2], strings.Split(m[3], ", "), unique, m[4]))
	}
	s.References = column(t, db, `
		SELECT c.conrelid::regclass || '.' || a.attname || ' → ' || c.confrelid::regclass
		FROM pg_constraint c JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1] WHERE c.contype = 'f'`)
	return s.sorted()
}

// index writes an index without what the two databases write differently.
func index(table string, columns []string, unique, condition string) string {
	for i, c := range columns {
		columns[i] = strings.Trim(c, `"`)
	}
	condition = strings.NewReplacer(
		"::text", "", "[]", "", "(", "", ")", "", "ARRAY[", "", "]", "", "<> ALL ", "NOT IN ", `"`, "").Replace(condition)
	return fmt.Sprintf("%s (%s) %s where %s", table, strings.Join(columns, ", "), unique, condition)
}

func (s schema) sorted() schema {
	for _, list := range []*[]string{&s.Columns, &s.Indexes, &s.References} {
		slices.SortFunc(*list, cmp.Compare)
		*list = slices.Compact(*list)
	}
	return s
}
