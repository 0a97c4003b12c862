package storetest

import (
	"slices"
	"testing"

	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/records"
)

// ReadRecords reads all entities as administrators can, and returns how many rows
// each has.
func (w *World) ReadRecords() map[string]int {
	w.t.Helper()
	rows := make(map[string]int)
	for _, e := range records.All() {
		all := w.records(e, records.Query{Limit: 1000}).Rows
		rows[e.Table] = len(all)
		w.records(e, records.Query{Search: "no such text", Limit: 10})
		w.records(e, records.Query{Search: w.ID().String(), Limit: 10})
		for _, row := range all {
			key := e.KeyOf(row)
			if _, err := w.Record(w.ctx(), e, key); err != nil {
				w.t.Errorf("%s %s: %v", e.Name, key, err)
			}
			w.records(e, records.Query{Before: key, Limit: 10})
			for i, c := range e.Shown() {
				if c.Indexed && !row[i].Null {
					narrowed := w.records(e, records.Query{Column: c.Name, Value: row[i].Text, Limit: 1000})
					if len(narrowed.Rows) == 0 || len(narrowed.Rows) > len(all) {
						w.t.Errorf("%s with the %s %s: %d rows of %d", e.Name, c.Name, row[i].Text, len(narrowed.Rows), len(all))
					}
					w.records(e, records.Query{Column: c.Name, Value: row[i].Text, Before: key, Limit: 10})
				}
			}
		}
	}
	if _, err := w.Jobs(w.ctx(), 10); err != nil {
		w.t.Errorf("jobs: %v", err)
	}
	return rows
}

func (w *World) records(e records.Entity, q records.Query) records.Page {
	w.t.Helper()
	page, err := w.Records(w.ctx(), e, q)
	if err != nil {
		w.t.Errorf("%s by %+v: %v", e.Name, q, err)
	}
	return page
}

func testRecords(t *testing.T, backend Backend) {
	t.Run("every table can be looked at", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		w.Fill()
		for table, n := range w.ReadRecords() {
			if n == 0 {
				t.Errorf("%s has no rows", table)
			}
		}
	})

	t.Run("pages hold every row once, the newest first", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		w.Fill()
		for _, e := range records.All() {
			whole := w.records(e, records.Query{Limit: 1000}).Rows
			q, n := records.Query{Limit: 2}, 0
			for pages := 0; pages == 0 || q.Before != ""; pages++ {
				page := w.records(e, q)
				for _, row := range page.Rows {
					equal(t, e.Name, row, whole[n])
					n++
				}
				q.Before = page.Next
			}
			equal(t, e.Name+": rows on pages", n, len(whole))
		}
	})

	t.Run("a search finds parts of texts, and ids wherever they stand", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		f := w.Fill()
		w.Deployed(w.Namespace())
		workflows, _ := records.Named("workflow")
		for search, want := range map[string]int{f.Name: 1, "%": 0, "no such": 0, f.ID.String(): 1, w.ID().String(): 0} {
			if got := len(w.records(workflows, records.Query{Search: search, Limit: 1}).Rows); got != want {
				t.Errorf("%q finds %d, want %d", search, got, want)
			}
		}
		triggers, _ := records.Named("trigger")
		if got := len(w.records(triggers, records.Query{Search: f.ID.String(), Limit: 10}).Rows); got == 0 {
			t.Error("the triggers of a workflow are not found by its id")
		}
	})

	t.Run("what is under way and what waits is listed, and who is gone", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		w.Fill()
		n := w.Namespace()
		_, triggers := w.Deployed(n)
		_, _, err := w.CreateRuntime(w.ctx(), w.newRuntime(n, "waits"), mostRuntimes)
		w.must(err)
		running := w.Run(triggers[0]).Lease.ExecutionID
		jobs, err := w.Jobs(w.ctx(), 100)
		w.must(err)
		for name, sort := range map[string][]records.Job{
			"running": jobs.Running, "waiting": jobs.Waiting, "postponed": jobs.Postponed, "batches": jobs.Batches, "runtimes": jobs.Runtimes,
		} {
			if len(sort) == 0 {
				t.Errorf("nothing is %s", name)
			}
			for _, j := range sort {
				e, known := records.Named(j.Entity)
				if _, err := w.Record(w.ctx(), e, j.Key); err != nil || !known {
					t.Errorf("%s: %+v leads nowhere: %v", name, j, err)
				}
				if j.What == "" || j.Organization == "" || j.Since.IsZero() && j.Next.IsZero() {
					t.Errorf("%s: %+v says too little", name, j)
				}
			}
		}
		at := slices.IndexFunc(jobs.Running, func(j records.Job) bool { return j.Key == running.String() })
		if at < 0 || jobs.Running[at].Stuck {
			t.Errorf("the run is missing or stuck: %+v", jobs.Running)
		}
		w.must(w.Leave(w.ctx(), w.inc))
		jobs, err = w.Jobs(w.ctx(), 100)
		w.must(err)
		if len(jobs.Running) == 0 || !jobs.Running[0].Stuck {
			t.Errorf("its server left, and it is not stuck: %+v", jobs.Running)
		}
		few, err := w.Jobs(w.ctx(), 1)
		w.must(err)
		equal(t, "of a limit", len(few.Waiting), 1)
	})

	t.Run("what can't be is refused", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		for _, e := range records.All() {
			for _, key := range []string{"", "x", ",,", "x,1,y", "\x00", id.ID{}.String() + ",x", "99999999999999999999"} {
				if _, err := w.Record(w.ctx(), e, key); !fault.Is(err, fault.NotFound) {
					t.Errorf("%s %q: %v", e.Name, key, err)
				}
			}
			for _, q := range []records.Query{{Column: "no_such"}, {Column: e.Columns[len(e.Columns)-1].Name + " = 1 OR 1", Value: "1"}, {Before: "x,,"}} {
				q.Limit = 1
				if _, err := w.Records(w.ctx(), e, q); !fault.Is(err, fault.Invalid) && q.Before == "" {
					t.Errorf("%s by %+v: %v", e.Name, q, err)
				}
			}
		}
	})
}
