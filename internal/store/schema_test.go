package store_test

import (
	"database/sql"
	"encoding/hex"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/storetest"
)

// owners are the columns that say whose a row is.
var owners = []string{"organization_id", "workflow_id", "execution_id", "deployment_id"}

// kept are the tables whose rows stay although they belong to somebody.
var kept = map[string]string{
	"audit_entries": "the last one stays, as the end of the chain",
}

func tables(t *testing.T, db *sql.DB) []string {
	t.Helper()
	return column(t, db, `SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name <> 'goose_db_version' ORDER BY name`)
}

func column(t *testing.T, db *sql.DB, query string, values ...any) (found []string) {
	t.Helper()
	rows, err := db.Query(query, values...)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close() //nolint:errcheck // reading to the end reports in rows.Err
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			t.Fatal(err)
		}
		found = append(found, text)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return found
}

func count(t *testing.T, db *sql.DB, table string) (n int) {
	t.Helper()
	if err := db.QueryRow(`SELECT COUNT(*) FROM ` + table).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// TestEveryTableIsCoveredByRetention fills all tables, deletes what was made,
// lets retention run, and looks for rows that are left: in tables whose columns
// say that their rows belong to somebody none may be.
func TestEveryTableIsCoveredByRetention(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "flowwd.db")
	w := storetest.NewWorld(t, storetest.SQLite(t, path))
	f := w.Fill()
	db := raw(t, path)
	for _, table := range tables(t, db) {
		if count(t, db, table) == 0 {
			t.Errorf("table %s is empty before the test begins: fill it in World.Fill", table)
		}
	}
	if err := w.DeleteWorkflow(t.Context(), f.ID, w.Now()); err != nil {
		t.Fatal(err)
	}
	for _, text := range column(t, db, `SELECT lower(hex(id)) FROM organizations`) {
		of, err := hex.DecodeString(text)
		if err != nil {
			t.Fatal(err)
		}
		if err := w.DeleteOrganization(t.Context(), id.ID(of), w.Now()); err != nil {
			t.Fatal(err)
		}
	}
	w.Pass(500 * 24 * time.Hour)
	for n := 1; n > 0; {
		var err error
		if n, err = w.PurgeExpired(t.Context(), w.Now(), w.Now(), 1000); err != nil {
			t.Fatal(err)
		}
	}
	for _, table := range tables(t, db) {
		owned := slices.ContainsFunc(column(t, db, `SELECT name FROM pragma_table_info(?)`, table),
			func(c string) bool { return slices.Contains(owners, c) })
		reason, exception := kept[table]
		switch n := count(t, db, table); {
		case exception && (!owned || n == 0):
			t.Errorf("table %s is listed as kept (%s) but has no owner or no rows: remove it from the list", table, reason)
		case table == "organizations" && n > 0, owned && !exception && n > 0:
			t.Errorf("table %s has %d rows after everything was deleted and expired: PurgeExpired must remove them", table, n)
		}
	}
}

// TestTablesAreStrict holds what makes SQLite refuse what PostgreSQL would.
func TestTablesAreStrict(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "flowwd.db")
	opened(t, config(path))
	db := raw(t, path)
	for _, table := range tables(t, db) {
		if strict := column(t, db, `SELECT strict FROM pragma_table_list(?)`, table); !slices.Equal(strict, []string{"1"}) {
			t.Errorf("table %s is not STRICT", table)
		}
		statement := column(t, db, `SELECT sql FROM sqlite_schema WHERE type = 'table' AND name = ?`, table)[0]
		for _, c := range column(t, db, `SELECT name FROM pragma_table_info(?) WHERE type = 'BLOB'`, table) {
			id := c == "id" || strings.HasSuffix(c, "_id") || c == "claimed_by" || c == "incarnation"
			if id && !strings.Contains(statement, "length("+c+") = 16") && !referring(t, db, table, c) {
				t.Errorf("%s.%s is an id without a check of its length", table, c)
			}
		}
	}
}

// referring reports whether a column points to a row of another table, which
// has checked it.
func referring(t *testing.T, db *sql.DB, table, name string) bool {
	t.Helper()
	return slices.Contains(column(t, db, `SELECT "from" FROM pragma_foreign_key_list(?)`, table), name)
}

// TestRunsAreCheckedLightly holds that no condition of what every run writes has a
// list of more than two values: SQLite makes it a table, anew in each statement.
func TestRunsAreCheckedLightly(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "flowwd.db")
	w := storetest.NewWorld(t, storetest.SQLite(t, path))
	w.Fill()
	db := raw(t, path)
	list := regexp.MustCompile(`IN\s*\([^)]*,[^)]*,[^)]*\)`)
	for _, table := range []string{"events", "executions", "attempts", "log_chunks", "queue_counters", "daily_totals", "hourly_totals"} {
		statements := column(t, db, `SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND tbl_name = ?`, table)
		if len(statements) == 0 {
			t.Errorf("there is no table %s", table)
		}
		for _, s := range statements {
			if found := list.FindString(s); found != "" {
				t.Errorf("%s is checked with the list %q; write comparisons with OR, or AND, instead", table, found)
			}
		}
	}
	// That the schema was written over must not have lost the checks.
	for _, s := range []string{
		`UPDATE executions SET state = 'lost'`, `UPDATE attempts SET outcome = 'lost'`,
		`UPDATE daily_totals SET state = 'lost'`, `UPDATE hourly_totals SET state = 'lost'`,
	} {
		if _, err := db.Exec(s); err == nil || !strings.Contains(err.Error(), "OR") || !strings.Contains(err.Error(), "'cancelled'") {
			t.Errorf("%s: %v; want it refused by a check", s, err)
		}
	}
	if got := column(t, db, `PRAGMA integrity_check`); !slices.Equal(got, []string{"ok"}) {
		t.Errorf("the database is damaged: %q", got)
	}
}

// TestQueriesUseIndexes holds that the statements of the queue and of the lists
// read no table from end to end.
func TestQueriesUseIndexes(t *testing.T) {
	t.Parallel()
	w := storetest.NewWorld(t, sqlite(t))
	w.ReadAll(w.Fill())
	if _, err := w.PurgeExpired(t.Context(), w.Now(), w.Now(), 1000); err != nil {
		t.Fatal(err)
	}
	scanned, looked, err := w.FullScans(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if looked < 50 {
		t.Errorf("only %d statements were looked at; the store has more", looked)
	}
	for _, s := range scanned {
		t.Errorf("a statement reads a whole table: %s", s)
	}
}
