package storetest

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/usefloww/flowwd/internal/deploy"
	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/runtimes"
	"github.com/usefloww/flowwd/internal/tenant"
	"github.com/usefloww/flowwd/internal/workflow"
)

const mostRuntimes = 5

func (w *World) newRuntime(n tenant.Namespace, hash string) runtimes.Runtime {
	return runtimes.Runtime{
		ID: w.ID(), OrganizationID: n.OrganizationID, ImageHash: hash, Digest: "sha256:" + hash, Status: runtimes.InProgress,
		CreatedByID: w.ID(), CreatedAt: w.Now(), Logs: []runtimes.LogEntry{{Time: w.Now(), Level: "info", Message: "waiting"}},
	}
}

// runtime makes a runtime that is ready.
func (w *World) runtime(n tenant.Namespace, hash string) runtimes.Runtime {
	w.t.Helper()
	_, made, err := w.CreateRuntime(w.ctx(), w.newRuntime(n, hash), mostRuntimes)
	w.must(err)
	equal(w.t, "made", made, true)
	return w.readied(runtimes.Completed)
}

// readied makes the next runtime ready, or not.
func (w *World) readied(status runtimes.Status) runtimes.Runtime {
	w.t.Helper()
	r, found, err := w.ClaimRuntime(w.ctx(), w.Now(), w.Now().Add(time.Minute))
	w.must(err)
	equal(w.t, "found", found, true)
	r.Status = status
	r.Logs = append(r.Logs, runtimes.LogEntry{Time: w.Now(), Level: "error", Message: "no luck"})
	held, err := w.ChangeRuntime(w.ctx(), r, w.Now(), w.Now().Add(time.Minute))
	w.must(err)
	equal(w.t, "held", held, true)
	return r
}

// deployedIn makes a deployment in a runtime, without triggers.
func (w *World) deployedIn(f workflow.Workflow, runtime id.ID) (deploy.Activation, error) {
	w.t.Helper()
	a := w.Activation(f)
	a.Deployment.RuntimeID = runtime
	return a, w.ActivateDeployment(w.ctx(), a)
}

func (w *World) readRuntimes(f workflow.Workflow, note func(any, error)) {
	in := []id.ID{f.OrganizationID}
	found, total, err := w.Runtimes(w.ctx(), runtimes.Filter{Organizations: in, Limit: 10})
	note(fmt.Sprint(found, total), err)
	for _, r := range found {
		note(w.Runtime(w.ctx(), in, r.ID))
	}
	note(w.NeededImages(w.ctx(), f.OrganizationID))
}

func testRuntimes(t *testing.T, backend Backend) {
	t.Run("one is made once, and anew when it failed or was removed", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		n, other := w.Namespace(), w.Namespace()
		r := w.runtime(n, "a")
		again, made, err := w.CreateRuntime(w.ctx(), w.newRuntime(n, "a"), mostRuntimes)
		w.must(err)
		equal(t, "made again", made, false)
		equal(t, "the same", again.ID, r.ID)
		_, made, err = w.CreateRuntime(w.ctx(), w.newRuntime(other, "a"), mostRuntimes)
		w.must(err)
		equal(t, "made by another organization", made, true)
		failed := w.readied(runtimes.Failed)
		anew := w.newRuntime(other, "a")
		anew.Digest = "sha256:new"
		got, made, err := w.CreateRuntime(w.ctx(), anew, mostRuntimes)
		w.must(err)
		if !made || got.ID != failed.ID || got.Digest != "sha256:new" || got.Status != runtimes.InProgress || len(got.Logs) != 1 || got.Tries != 0 {
			t.Errorf("begun anew: %v %+v", made, got)
		}
		w.must(w.RemoveRuntime(w.ctx(), r.ID, w.Now()))
		_, made, err = w.CreateRuntime(w.ctx(), w.newRuntime(n, "a"), mostRuntimes)
		w.must(err)
		equal(t, "made anew after it was removed", made, true)
	})

	t.Run("several servers at once make one", func(t *testing.T) {
		t.Parallel()
		open := backend(t)
		w := NewWorld(t, open)
		n := w.Namespace()
		var ids, makers sync.Map
		var group sync.WaitGroup
		for i := range 4 {
			s, r := w.another(open), w.newRuntime(n, "a")
			group.Go(func() {
				got, made, err := s.CreateRuntime(w.ctx(), r, mostRuntimes)
				ids.Store(fmt.Sprint(got.ID, err), true)
				if made {
					makers.Store(i, true)
				}
			})
		}
		group.Wait()
		for what, all := range map[string]*sync.Map{"runtimes": &ids, "makers": &makers} {
			n := 0
			all.Range(func(any, any) bool { n++; return true })
			equal(t, what, n, 1)
		}
	})

	t.Run("there are only so many", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		n := w.Namespace()
		for i := range mostRuntimes {
			w.runtime(n, fmt.Sprint("x", i))
		}
		_, _, err := w.CreateRuntime(w.ctx(), w.newRuntime(n, "more"), mostRuntimes)
		_, made, again := w.CreateRuntime(w.ctx(), w.newRuntime(n, "x0"), mostRuntimes)
		w.must(again)
		equal(t, "one that is there is made again", made, false)
		w.refused(err, fault.Limited, "The organization has 5 runtimes, which is the limit; remove some that are not needed")
		found, total, err := w.Runtimes(w.ctx(), runtimes.Filter{Organizations: []id.ID{n.OrganizationID}, Status: runtimes.Completed, Limit: 2, Offset: 1})
		w.must(err)
		equal(t, "total", total, mostRuntimes)
		equal(t, "page", []string{found[0].ImageHash, found[1].ImageHash}, []string{"x3", "x2"})
	})

	t.Run("it is seen by its organization alone", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		r := w.runtime(w.Namespace(), "a")
		_, err := w.Runtime(w.ctx(), []id.ID{w.Namespace().OrganizationID}, r.ID)
		w.refused(err, fault.NotFound, "Runtime not found")
	})

	t.Run("one server at a time makes it ready", func(t *testing.T) {
		t.Parallel()
		open := backend(t)
		w := NewWorld(t, open)
		_, _, err := w.CreateRuntime(w.ctx(), w.newRuntime(w.Namespace(), "a"), mostRuntimes)
		w.must(err)
		var claims sync.Map
		var group sync.WaitGroup
		for i := range 4 {
			s := w.another(open)
			group.Go(func() {
				if r, found, err := s.ClaimRuntime(w.ctx(), w.Now(), w.Now().Add(time.Minute)); err != nil || found {
					claims.Store(i, fmt.Sprint(r.Tries, err))
				}
			})
		}
		group.Wait()
		var got []any
		claims.Range(func(_, what any) bool { got = append(got, what); return true })
		equal(t, "claims", fmt.Sprint(got), "[1 <nil>]")

		// Who holds it no more changes nothing.
		w.Pass(2 * time.Minute)
		second, found, err := w.ClaimRuntime(w.ctx(), w.Now(), w.Now().Add(time.Minute))
		w.must(err)
		equal(t, "claimed again", found, true)
		first := second
		first.Tries, first.Status = 1, runtimes.Failed
		held, err := w.ChangeRuntime(w.ctx(), first, w.Now(), w.Now())
		w.must(err)
		equal(t, "held by the first", held, false)
		second.Status = runtimes.Completed
		held, err = w.ChangeRuntime(w.ctx(), second, w.Now(), w.Now())
		w.must(err)
		equal(t, "held by the second", held, true)
	})

	t.Run("deployments need a runtime of their organization that is ready", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		n := w.Namespace()
		f, _ := w.Deployed(n)
		pending, _, err := w.CreateRuntime(w.ctx(), w.newRuntime(n, "pending"), mostRuntimes)
		w.must(err)
		_, err = w.deployedIn(f, pending.ID)
		w.refused(err, fault.Conflict, "The runtime is not ready (in_progress); deploy again when it is completed")
		w.readied(runtimes.Completed)
		foreign := w.runtime(w.Namespace(), "foreign")
		_, err = w.deployedIn(f, foreign.ID)
		w.refused(err, fault.Invalid, "Runtime not found")
		f, err = w.Store.Workflow(w.ctx(), []id.ID{f.OrganizationID}, f.ID)
		w.must(err)
		a, err := w.deployedIn(f, pending.ID)
		w.must(err)
		d, err := w.Store.Deployment(w.ctx(), []id.ID{f.OrganizationID}, a.Deployment.ID)
		w.must(err)
		equal(t, "runtime", d.RuntimeID, pending.ID)
		w.refused(w.RemoveRuntime(w.ctx(), pending.ID, w.Now()), fault.Conflict, "A deployment runs in this runtime; delete the deployment first")

		// Nothing that a deployment may still need is collected.
		w.must(w.DeactivateDeployment(w.ctx(), d.ID, w.Now()))
		w.must(w.DeleteDeployment(w.ctx(), d.ID, w.Now()))
		w.must(w.RemoveRuntime(w.ctx(), pending.ID, w.Now()))
		needed, err := w.NeededImages(w.ctx(), n.OrganizationID)
		w.must(err)
		equal(t, "needed", slices.Contains(needed, pending.Digest), true)
		w.Pass(100 * 24 * time.Hour)
		w.purge(24 * time.Hour)
		needed, err = w.NeededImages(w.ctx(), n.OrganizationID)
		w.must(err)
		equal(t, "needed afterwards", len(needed), 0)
		w.purge(24 * time.Hour)
		_, left, err := w.Runtimes(w.ctx(), runtimes.Filter{Organizations: []id.ID{n.OrganizationID}, Limit: 1})
		w.must(err)
		equal(t, "runtimes left", left, 0)
	})
}
