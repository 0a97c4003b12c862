package storetest

import (
	"encoding/json"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/usefloww/flowwd/internal/execution"
	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/kv"
	"github.com/usefloww/flowwd/internal/store"
	"github.com/usefloww/flowwd/internal/tenant"
	"github.com/usefloww/flowwd/internal/workflow"
)

// owner is people in a namespace, who own all of its tables.
func owner(n tenant.Namespace) kv.Caller {
	return kv.Caller{OrganizationID: n.OrganizationID, NamespaceID: n.ID}
}

// acting is somebody who acts as a workflow.
func acting(f workflow.Workflow) kv.Caller {
	return kv.Caller{OrganizationID: f.OrganizationID, NamespaceID: f.NamespaceID, WorkflowID: f.ID}
}

// running is the attempt that a claim is about.
func running(c execution.Claim) kv.Caller {
	return kv.Caller{Run: kv.Run{ExecutionID: c.ExecutionID, Incarnation: c.Incarnation, Attempt: c.Attempt}}
}

func table(name string) kv.Table { return kv.Table{Store: "default", Name: name} }

func (w *World) put(c kv.Caller, t kv.Table, key, value string) kv.Item {
	w.t.Helper()
	i, err := w.PutKV(w.ctx(), c, kv.Put{Table: t, Key: key, Value: json.RawMessage(value), At: w.Now()})
	w.must(err)
	return i
}

func (w *World) addKV(s *store.Store, c kv.Caller, t kv.Table, key string, by float64) (kv.Item, error) {
	return s.AddKV(w.ctx(), c, kv.Addition{Table: t, Key: key, By: by, At: w.Now()})
}

// keys returns the keys of a page.
func keys(p kv.Page) (found []string) {
	for _, i := range p.Items {
		found = append(found, i.Key)
	}
	return found
}

func testKV(t *testing.T, backend Backend) {
	t.Run("a value is stored, replaced and removed", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		c, at := owner(w.Namespace()), w.Now()
		equal(t, "stored", w.put(c, table("t"), "k", `{"b":1,"a":null}`), kv.Item{Key: "k", Value: json.RawMessage(`{"b":1,"a":null}`), Version: 1, CreatedAt: at, UpdatedAt: at})
		w.Pass(time.Second)
		w.put(c, table("t"), "k", `null`)
		got, err := w.KVItem(w.ctx(), c, table("t"), "k")
		w.must(err)
		equal(t, "replaced", got, kv.Item{Key: "k", Value: json.RawMessage(`null`), Version: 2, CreatedAt: at, UpdatedAt: w.Now()})
		w.must(w.DeleteKV(w.ctx(), c, table("t"), "k", nil))
		_, err = w.KVItem(w.ctx(), c, table("t"), "k")
		w.refused(err, fault.NotFound, "Key 'k' not found in table 't'")
		w.refused(w.DeleteKV(w.ctx(), c, table("t"), "k", nil), fault.NotFound, "Key 'k' not found in table 't'")
		equal(t, "version after a removal", w.put(c, table("t"), "k", `1`).Version, int64(3))
		_, err = w.KVItem(w.ctx(), c, table("other"), "k")
		w.refused(err, fault.NotFound, "Table 'other' not found")
		_, err = w.KVItem(w.ctx(), c, kv.Table{Store: "second", Name: "t"}, "k")
		w.refused(err, fault.NotFound, "Table 't' not found")
		_, err = w.KVItem(w.ctx(), owner(w.Namespace()), table("t"), "k")
		w.refused(err, fault.NotFound, "Table 't' not found")
	})
	t.Run("a writer says which version it replaces", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		c := owner(w.Namespace())
		put := func(version int64) error {
			_, err := w.PutKV(w.ctx(), c, kv.Put{Table: table("t"), Key: "k", Value: json.RawMessage(`1`), IfVersion: &version, At: w.Now()})
			return err
		}
		w.refused(put(5), fault.Conflict, "The key 'k' has no value, so not the version that was expected; read it again")
		w.must(put(0))
		w.refused(put(0), fault.Conflict, "The key 'k' has version 1, which is not the one that was expected; read it again")
		w.must(put(1))
		w.refused(put(1), fault.Conflict, "The key 'k' has version 2, which is not the one that was expected; read it again")
		old, now := int64(1), int64(2)
		w.refused(w.DeleteKV(w.ctx(), c, table("t"), "k", &old), fault.Conflict, "The key 'k' has version 2, which is not the one that was expected; read it again")
		w.must(w.DeleteKV(w.ctx(), c, table("t"), "k", &now))
		w.refused(put(2), fault.Conflict, "The key 'k' has no value, so not the version that was expected; read it again")
	})
	t.Run("numbers are counted up by many at once", func(t *testing.T) {
		t.Parallel()
		open := backend(t)
		w := NewWorld(t, open)
		c := owner(w.Namespace())
		stores := []*store.Store{w.Store}
		if w.Shared() {
			stores = append(stores, w.another(open))
		}
		const writers, each = 8, 10
		var wg sync.WaitGroup
		for i := range writers {
			wg.Go(func() {
				for range each {
					if _, err := w.addKV(stores[i%len(stores)], c, table("t"), "n", 0.5); err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		got, err := w.KVItem(w.ctx(), c, table("t"), "n")
		w.must(err)
		equal(t, "sum", string(got.Value), "40")
		equal(t, "version", got.Version, int64(writers*each))
		w.put(c, table("t"), "text", `"x"`)
		_, err = w.addKV(w.Store, c, table("t"), "text", 1)
		w.refused(err, fault.Conflict, `the value of the key "text" is no number, so nothing can be added to it`)
		_, err = w.addKV(w.Store, c, table("t"), "n", 1<<60)
		w.refused(err, fault.Conflict, `the key "n" would be beyond 9007199254740992, where numbers are not exact any more`)
	})
	t.Run("keys are listed in order, in pages", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		c := owner(w.Namespace())
		for _, key := range []string{"a1", "a", "B", "a_2", "b", "a-0"} {
			w.put(c, table("t"), key, `"`+key+`"`)
		}
		for _, tc := range []struct {
			name string
			l    kv.Listing
			want []string
			more bool
		}{
			{"all", kv.Listing{Limit: 10}, []string{"B", "a", "a-0", "a1", "a_2", "b"}, false},
			{"prefix", kv.Listing{Limit: 10, Prefix: "a"}, []string{"a", "a-0", "a1", "a_2"}, false},
			{"first page", kv.Listing{Limit: 2, Prefix: "a"}, []string{"a", "a-0"}, true},
			{"last page", kv.Listing{Limit: 2, Prefix: "a", After: "a-0", Values: true, MaxBytes: 100}, []string{"a1", "a_2"}, false},
			{"few bytes", kv.Listing{Limit: 10, Values: true, MaxBytes: 7}, []string{"B", "a"}, true},
			{"one at least", kv.Listing{Limit: 10, Values: true, MaxBytes: 1}, []string{"B"}, true},
		} {
			tc.l.Table = table("t")
			page, err := w.KVItems(w.ctx(), c, tc.l)
			w.must(err)
			equal(t, tc.name, keys(page), tc.want)
			equal(t, tc.name+": more", page.More, tc.more)
			if tc.l.Values {
				equal(t, tc.name+": value", string(page.Items[0].Value), `"`+tc.want[0]+`"`)
			}
		}
	})
	t.Run("a workflow reaches what it was permitted", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		n := w.Namespace()
		mine, other := w.Workflow(n), w.Workflow(n)
		w.put(acting(mine), table("t"), "k", `1`)
		read := func(f workflow.Workflow) error {
			_, err := w.KVItem(w.ctx(), acting(f), table("t"), "k")
			return err
		}
		write := func(f workflow.Workflow) error {
			_, err := w.PutKV(w.ctx(), acting(f), kv.Put{Table: table("t"), Key: "k", Value: json.RawMessage(`2`), At: w.Now()})
			return err
		}
		grant := func(by kv.Caller, p kv.Permission) error {
			p.CreatedAt = w.Now()
			_, err := w.GrantKV(w.ctx(), by, table("t"), p)
			return err
		}
		w.must(read(mine))
		w.refused(read(other), fault.Denied, "No read permission for table 't'")
		w.refused(write(other), fault.Denied, "No write permission for table 't'")
		w.refused(grant(acting(other), kv.Permission{WorkflowID: other.ID, CanRead: true}), fault.Denied, "No write permission for table 't'")
		w.must(grant(acting(mine), kv.Permission{WorkflowID: other.ID, CanRead: true}))
		w.must(read(other))
		w.refused(write(other), fault.Denied, "No write permission for table 't'")
		w.must(grant(owner(n), kv.Permission{WorkflowID: other.ID, CanWrite: true}))
		w.must(write(other))
		w.refused(read(other), fault.Denied, "No read permission for table 't'")
		names, err := w.KVTables(w.ctx(), acting(other), "default")
		w.must(err)
		equal(t, "tables", names, []string{"t"})
		all, err := w.AllKVTables(w.ctx(), owner(n))
		w.must(err)
		equal(t, "all tables", all, []kv.TableInfo{{Table: table("t"), Keys: 1, CreatedAt: w.Now()}})
		all, err = w.AllKVTables(w.ctx(), acting(w.Workflow(n)))
		w.must(err)
		equal(t, "all tables without a permission", len(all), 0)
		permissions, err := w.KVPermissions(w.ctx(), owner(n), table("t"))
		w.must(err)
		equal(t, "permissions", len(permissions), 2)
		w.must(w.RevokeKV(w.ctx(), owner(n), table("t"), other.ID))
		w.refused(w.RevokeKV(w.ctx(), owner(n), table("t"), other.ID), fault.NotFound, "No permission found for workflow "+other.ID.String())
		w.refused(write(other), fault.Denied, "No write permission for table 't'")
		names, err = w.KVTables(w.ctx(), acting(other), "default")
		w.must(err)
		equal(t, "tables without a permission", len(names), 0)
		foreign := w.Workflow(w.Namespace())
		w.refused(grant(owner(n), kv.Permission{WorkflowID: foreign.ID}), fault.NotFound, "Workflow "+foreign.ID.String()+" not found in this namespace")
		w.refused(read(foreign), fault.NotFound, "Table 't' not found")
	})
	t.Run("a run writes while its attempt is not over", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		f, triggers := w.Deployed(w.Namespace())
		first := w.Run(triggers[0])
		w.put(running(first), table("t"), "k", `1`)
		equal(t, "read by its workflow", string(w.mustKV(acting(f), "t", "k").Value), `1`)
		w.fail(first, 0)
		w.wake()
		again := w.Claim(1)[0]
		for _, over := range []kv.Caller{running(first), {Run: kv.Run{ExecutionID: first.ExecutionID, Incarnation: w.ID(), Attempt: again.Attempt}}} {
			const text = "This attempt of the run is over, so it can read and write nothing any more"
			_, err := w.PutKV(w.ctx(), over, kv.Put{Table: table("t"), Key: "k", Value: json.RawMessage(`2`), At: w.Now()})
			w.refused(err, fault.Unauthenticated, text)
			_, err = w.addKV(w.Store, over, table("t"), "k", 1)
			w.refused(err, fault.Unauthenticated, text)
			w.refused(w.DeleteKV(w.ctx(), over, table("t"), "k", nil), fault.Unauthenticated, text)
			_, err = w.KVItem(w.ctx(), over, table("t"), "k")
			w.refused(err, fault.Unauthenticated, text)
			_, err = w.KVTables(w.ctx(), over, "default")
			w.refused(err, fault.Unauthenticated, text)
		}
		got, err := w.addKV(w.Store, running(again), table("t"), "k", 2)
		w.must(err)
		equal(t, "counted by the second attempt", string(got.Value), `3`)
	})
	t.Run("many write while the run ends", func(t *testing.T) {
		t.Parallel()
		open := backend(t)
		w := NewWorld(t, open)
		n := w.Namespace()
		_, triggers := w.Deployed(n)
		run := w.Run(triggers[0])
		stores := []*store.Store{w.Store}
		if w.Shared() {
			stores = append(stores, w.another(open))
		}
		w.put(running(run), table("t"), "first", `0`)
		const writers, each, removed = 8, 30, 5
		var kept, late atomic.Int64
		kept.Store(1)
		var ended atomic.Bool
		var wg sync.WaitGroup
		for i := range writers {
			s := stores[i%len(stores)]
			wg.Go(func() {
				for j := range each {
					key, after := fmt.Sprintf("k%d-%d", i, j), ended.Load()
					_, err := s.PutKV(w.ctx(), running(run), kv.Put{Table: table("t"), Key: key, Value: json.RawMessage(`1`), At: w.Now()})
					if fault.Is(err, fault.Unauthenticated) {
						late.Add(1)
						continue
					}
					if err != nil || after {
						t.Errorf("stored after the end: %t: %v", after, err)
					}
					kept.Add(1)
					if j%removed == 0 {
						if err := s.DeleteKV(w.ctx(), owner(n), table("t"), key, nil); err != nil {
							t.Error(err)
						}
						kept.Add(-1)
					}
					if i == 0 && j == each/2 {
						if err := w.FinishExecution(w.ctx(), &run, w.Outcome()); err != nil {
							t.Error(err)
						}
						ended.Store(true)
					}
				}
			})
		}
		wg.Wait()
		if late.Load() == 0 {
			t.Error("no write came after the end")
		}
		page, err := w.KVItems(w.ctx(), owner(n), kv.Listing{Table: table("t"), Limit: kv.MaxPage})
		w.must(err)
		equal(t, "keys", int64(len(page.Items)), kept.Load())
		all, err := w.AllKVTables(w.ctx(), owner(n))
		w.must(err)
		equal(t, "keys that were counted", int64(all[0].Keys), kept.Load())
	})
	t.Run("no version of a key comes again", func(t *testing.T) {
		t.Parallel()
		open := backend(t)
		w := NewWorld(t, open)
		c := owner(w.Namespace())
		stores := []*store.Store{w.Store}
		if w.Shared() {
			stores = append(stores, w.another(open))
		}
		w.put(c, table("t"), "k", `0`)
		const writers, each = 8, 10
		var versions sync.Map
		var wg sync.WaitGroup
		for i := range writers {
			s := stores[i%len(stores)]
			wg.Go(func() {
				for range each {
					item, err := s.PutKV(w.ctx(), c, kv.Put{Table: table("t"), Key: "k", Value: json.RawMessage(`1`), At: w.Now()})
					if err != nil {
						t.Error(err)
					}
					if _, known := versions.LoadOrStore(item.Version, true); known {
						t.Errorf("version %d is there twice", item.Version)
					}
					if err := s.DeleteKV(w.ctx(), c, table("t"), "k", nil); err != nil && !fault.Is(err, fault.NotFound) {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
	})
	t.Run("the tables of a namespace are bounded", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		c := owner(w.Namespace())
		var wg sync.WaitGroup
		for i := range kv.MaxTables {
			wg.Go(func() {
				if _, err := w.PutKV(w.ctx(), c, kv.Put{Table: table(fmt.Sprintf("t%d", i)), Key: "k", Value: json.RawMessage(`1`), At: w.Now()}); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		_, err := w.PutKV(w.ctx(), c, kv.Put{Table: table("more"), Key: "k", Value: json.RawMessage(`1`), At: w.Now()})
		w.refused(err, fault.Conflict, "The namespace has 1000 tables, which is the limit")
		w.put(c, table("t0"), "k", `2`)
		names, err := w.KVTables(w.ctx(), c, "default")
		w.must(err)
		equal(t, "tables", len(names), kv.MaxTables)
	})
}

func (w *World) mustKV(c kv.Caller, name, key string) kv.Item {
	w.t.Helper()
	i, err := w.KVItem(w.ctx(), c, table(name), key)
	w.must(err)
	return i
}

// fillKV makes a table of a workflow.
func (w *World) fillKV(f workflow.Workflow) {
	w.t.Helper()
	w.put(acting(f), table("filled"), "k", `1`)
}

// readKV calls what reads and changes tables.
func (w *World) readKV(f workflow.Workflow, note func(any, error)) {
	c, t := acting(f), table("filled")
	note(w.KVTables(w.ctx(), c, "default"))
	note(w.KVTables(w.ctx(), owner(tenant.Namespace{ID: f.NamespaceID, OrganizationID: f.OrganizationID}), "default"))
	note(w.AllKVTables(w.ctx(), c))
	note(w.AllKVTables(w.ctx(), owner(tenant.Namespace{ID: f.NamespaceID, OrganizationID: f.OrganizationID})))
	note(w.KVItem(w.ctx(), c, t, "k"))
	for _, values := range []bool{true, false} {
		for _, prefix := range []string{"", "k"} {
			note(w.KVItems(w.ctx(), c, kv.Listing{Table: t, Limit: 10, Prefix: prefix, Values: values, MaxBytes: 100}))
		}
	}
	note(w.addKV(w.Store, c, t, "n", 1))
	zero := int64(0)
	note(w.PutKV(w.ctx(), c, kv.Put{Table: t, Key: "new", Value: json.RawMessage(`1`), IfVersion: &zero, At: w.Now()}))
	note(nil, w.DeleteKV(w.ctx(), c, t, "new", nil))
	note(w.GrantKV(w.ctx(), c, t, kv.Permission{WorkflowID: f.ID, CanRead: true, CanWrite: true, CreatedAt: w.Now()}))
	note(w.KVPermissions(w.ctx(), c, t))
	note(nil, w.RevokeKV(w.ctx(), c, t, f.ID))
}
