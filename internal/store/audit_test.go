package store_test

import (
	"database/sql"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/usefloww/flowwd/internal/audit"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/store"
	"github.com/usefloww/flowwd/internal/storetest"
)

// tampering are changes of entry 3 of five, by somebody who has the database, and
// the entry where each shows. A column that is missing here fails the test.
var tampering = []struct {
	column, statement string
	shows             int64
}{
	{"seq", `UPDATE audit_entries SET seq = 9 WHERE seq = 3`, 3},
	{"seq", `UPDATE audit_entries SET seq = 6 WHERE seq = 5`, 6},
	{"id", `UPDATE audit_entries SET id = organization_id WHERE seq = 3`, 3},
	{"at", `UPDATE audit_entries SET at = (SELECT at FROM audit_entries WHERE seq = 5) WHERE seq = 3`, 3},
	{"organization_id", `UPDATE audit_entries SET organization_id = actor_id WHERE seq = 3`, 3},
	{"organization_id", `UPDATE audit_entries SET organization_id = NULL WHERE seq = 3`, 3},
	{"actor_kind", `UPDATE audit_entries SET actor_kind = 'operator' WHERE seq = 3`, 3},
	{"actor_id", `UPDATE audit_entries SET actor_id = NULL WHERE seq = 3`, 3},
	{"actor_name", `UPDATE audit_entries SET actor_name = 'bob' WHERE seq = 3`, 3},
	{"action", `UPDATE audit_entries SET action = 'session.logout' WHERE seq = 3`, 3},
	{"outcome", `UPDATE audit_entries SET outcome = 'refused' WHERE seq = 3`, 3},
	{"target_type", `UPDATE audit_entries SET target_type = target_id, target_id = target_type WHERE seq = 3`, 3},
	{"target_id", `UPDATE audit_entries SET target_id = '' WHERE seq = 3`, 3},
	{"address", `UPDATE audit_entries SET address = '192.0.2.8' WHERE seq = 3`, 3},
	{"request_id", `UPDATE audit_entries SET request_id = 'r2' WHERE seq = 3`, 3},
	{"before_change", `UPDATE audit_entries SET before_change = NULL WHERE seq = 3`, 3},
	{"before_change", `UPDATE audit_entries SET before_change = after_change, after_change = before_change WHERE seq = 3`, 3},
	{"after_change", `UPDATE audit_entries SET after_change = '{}' WHERE seq = 3`, 3},
	{"previous", `UPDATE audit_entries SET previous = hash WHERE seq = 3`, 3},
	{"hash", `UPDATE audit_entries SET hash = previous WHERE seq = 3`, 3},
	{"", `DELETE FROM audit_entries WHERE seq = 3`, 3},
	{"", `DELETE FROM audit_entries WHERE seq = 5`, 5},
	{"", `DELETE FROM audit_entries`, 1},
	{"", `DELETE FROM audit_head`, 5},
	{"", `UPDATE audit_head SET seq = 4`, 4},
	{"", `UPDATE audit_head SET hash = (SELECT hash FROM audit_entries WHERE seq = 4)`, 5},
}

// tampered makes a chain of five entries.
func tampered(t *testing.T, open storetest.Opener) *storetest.World {
	t.Helper()
	w := storetest.NewWorld(t, open)
	ctx := audit.WithActor(t.Context(), audit.Actor{Kind: audit.KindUser, ID: w.ID(), Name: "ada", Address: "192.0.2.7", RequestID: "r1"})
	for range 5 {
		w.Pass(time.Second)
		if err := w.AppendAudit(ctx, audit.Entry{
			OrganizationID: w.ID(), Action: audit.LogIn, Target: audit.Target{Type: "user", ID: "x"},
			Before: audit.Snapshot(map[string]any{"a": 1}), After: audit.Snapshot(map[string]any{"a": 2}),
		}); err != nil {
			t.Fatal(err)
		}
	}
	return w
}

func testTampering(t *testing.T, statement string, shows int64, open storetest.Opener, db func() *sql.DB) {
	t.Helper()
	w := tampered(t, open)
	if n, err := w.VerifyAudit(t.Context()); err != nil || n != 5 {
		t.Fatalf("%d entries, %v", n, err)
	}
	if _, err := db().Exec(statement); err != nil {
		t.Fatal(err)
	}
	_, err := w.VerifyAudit(t.Context())
	var broken *audit.Broken
	if !errors.As(err, &broken) || broken.Seq != shows {
		t.Errorf("%s: got %v, want entry %d to be named", statement, err, shows)
	}
}

func TestTamperingWithTheAuditLogShows(t *testing.T) {
	t.Parallel()
	for _, c := range tampering {
		t.Run(c.column, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "flowwd.db")
			open := func(cfg store.Config) (*store.Store, error) {
				cfg.Path = path
				return store.Open(t.Context(), cfg)
			}
			testTampering(t, c.statement, c.shows, open, func() *sql.DB { return raw(t, path) })
		})
	}
}

// TestTamperingIsTriedOnEveryColumn holds that a column that is added is hashed
// too.
func TestTamperingIsTriedOnEveryColumn(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "flowwd.db")
	opened(t, config(path))
	tried := map[string]bool{}
	for _, c := range tampering {
		tried[c.column] = true
	}
	for _, c := range column(t, raw(t, path), `SELECT name FROM pragma_table_info('audit_entries')`) {
		if !tried[c] {
			t.Errorf("nobody tries to change audit_entries.%s", c)
		}
	}
}

// A forged entry whose hash is right shows at the one that follows it.
func TestForgedAuditEntryShows(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "flowwd.db")
	w := tampered(t, func(cfg store.Config) (*store.Store, error) {
		cfg.Path = path
		return store.Open(t.Context(), cfg)
	})
	links, err := w.AuditChain(t.Context(), id.ID{}, 2, 1)
	if err != nil {
		t.Fatal(err)
	}
	forged := links[0]
	forged.Actor.Name = "bob"
	sum := forged.Sum()
	if _, err := raw(t, path).Exec(`UPDATE audit_entries SET actor_name = 'bob', hash = ? WHERE seq = 3`, sum[:]); err != nil {
		t.Fatal(err)
	}
	_, err = w.VerifyAudit(t.Context())
	if err == nil || !strings.Contains(err.Error(), "audit entry 4 does not follow the entry 3") {
		t.Errorf("got %v", err)
	}
}
