package storetest

import (
	"bytes"
	"testing"

	"github.com/usefloww/flowwd/internal/execution"
	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/store"
)

func testRestart(t *testing.T, backend Backend) {
	t.Run("everything is there again", func(t *testing.T) {
		t.Parallel()
		open := backend(t)
		w := NewWorld(t, open)
		n := w.Namespace()
		f, triggers := w.Deployed(n)
		key := w.key(n.OrganizationID, "ci")
		done := w.end(triggers[0], execution.Failed)
		running := w.Run(triggers[0])
		w.must(w.AppendLog(w.ctx(), running.Lease, execution.LogChunk{First: 1, Lines: Lines(3, w.Now())}))
		large := w.Acceptance(triggers[0])
		large.Event.Body = bytes.Repeat([]byte("large "), 50_000)
		w.accept(large)
		waiting := w.accept(w.delivered(triggers[0], "k", "x")).ExecutionID
		read := func() (all []any) {
			for _, x := range []id.ID{done, running.ExecutionID, large.ExecutionID, waiting} {
				all = append(all, w.Get(x, n.OrganizationID), w.lines(x))
			}
			ids, total := w.page(execution.ListFilter{Organizations: []id.ID{n.OrganizationID}, Limit: 10})
			d, statuses := w.statuses(f.ID)
			depth, err := w.QueueDepth(w.ctx())
			w.must(err)
			p, err := w.PrincipalByKeyHash(w.ctx(), key.Hash, w.Now())
			w.must(err)
			return append(all, ids, total, d, statuses, depth, p, w.triggers(f.ID))
		}
		before := read()
		w.must(w.Close())
		w.Open(open)
		equal(t, "what is read", read(), before)

		w.rejoin()
		back, err := w.TakeBackClaims(w.ctx(), "the server was killed", w.Now())
		w.must(err)
		equal(t, "taken back", back, 1)
		claims := w.Claim(5)
		equal(t, "claims", claimed(claims), []id.ID{running.ExecutionID, large.ExecutionID, waiting})
		equal(t, "large body", claims[1].Event, &large.Event)
		equal(t, "delivery", w.accept(w.delivered(triggers[0], "k", "x")).ExecutionID, waiting)
	})

	t.Run("two processes share a database", func(t *testing.T) {
		t.Parallel()
		open := backend(t)
		w := NewWorld(t, open)
		n := w.Namespace()
		other := &World{t: t, ids: w.ids, inc: w.inc}
		other.now.Store(w.now.Load())
		other.Open(open)
		k := other.key(n.OrganizationID, "made beside the server")
		_, err := w.PrincipalByKeyHash(w.ctx(), k.Hash, w.Now())
		w.must(err)
		f, _ := w.Deployed(n)
		_, err = other.workflow(n.OrganizationID, f.ID)
		w.must(err)
	})

	t.Run("a reader changes nothing", func(t *testing.T) {
		t.Parallel()
		open := backend(t)
		w := NewWorld(t, open)
		f, triggers := w.Deployed(w.Namespace())
		reader := &World{t: t, ids: w.ids}
		reader.Open(open, func(c *store.Config) { c.ReadOnly = true })
		_, err := reader.workflow(f.OrganizationID, f.ID)
		w.must(err)
		if problems := reader.Check(w.ctx()); len(problems) > 0 {
			t.Errorf("the database has problems: %v", problems)
		}
		w.must(reader.Ping(w.ctx()))
		_, err = reader.AcceptExecution(w.ctx(), w.Acceptance(triggers[0]))
		w.refused(err, fault.Unavailable, "accept an execution: the database is open for reading only")
		equal(t, "statistics", reader.Stats(), store.Stats{})
	})

	t.Run("a closed store refuses", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		_, triggers := w.Deployed(w.Namespace())
		w.must(w.Close())
		w.must(w.Close())
		_, err := w.AcceptExecution(w.ctx(), w.Acceptance(triggers[0]))
		w.refused(err, fault.Unavailable, "the database is closed")
		_, err = w.QueueDepth(w.ctx())
		w.refused(err, fault.Unavailable, "the database is closed")
		w.refused(w.Ping(w.ctx()), fault.Unavailable, "the database is closed")
	})
}
