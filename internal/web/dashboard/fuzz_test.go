package dashboard

import (
	"net/url"
	"testing"

	"github.com/usefloww/flowwd/internal/fault"
)

// FuzzQueries gives any query to what reads those of the lists of runs and log
// lines: a page never searches for what nobody asked for.
func FuzzQueries(f *testing.F) {
	for _, seed := range []string{
		"state=failed&q=x&since=2026-01-31T12:00&until=2026-02-01", "workflow=x", "before=0192f1a5-7d3c-7b6e-9f00-0123456789ab&after=0192f1a5-7d3c-7b6e-9f00-0123456789ab",
		"since=-1&state=%00", "level=warn&after=1-17&attempt=2", "since=9999-12-31T23:59:59Z",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, query string) {
		q, err := url.ParseQuery(query)
		if err != nil {
			return
		}
		found, err := readFind(q)
		switch {
		case err != nil && !fault.Is(err, fault.Invalid):
			t.Fatalf("%q: %v is no Invalid", query, err)
		case err == nil && (found.State != "" && !found.State.Known() || len(found.Contains) > maxSearch || q.Get("since") != "" && found.Since == nil):
			t.Fatalf("%q: %+v", query, found)
		}
		if _, _, err := readLogQuery(q); err != nil && !fault.Is(err, fault.Invalid) {
			t.Fatalf("%q: %v is no Invalid", query, err)
		}
	})
}
