package storetest

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/usefloww/flowwd/internal/audit"
	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/store"
	"github.com/usefloww/flowwd/internal/workflow"
)

// by is a context in which somebody acts.
func (w *World) by(name string) context.Context {
	return audit.WithActor(w.ctx(), audit.Actor{Kind: audit.KindUser, ID: w.ID(), Name: name, Address: "192.0.2.7", RequestID: "r1"})
}

// recorded returns the entries about some types of targets of an organization in
// order, as one line each.
func (w *World) recorded(organization id.ID, targets ...string) (lines []string) {
	w.t.Helper()
	links, err := w.AuditChain(w.ctx(), organization, 0, 1000)
	w.must(err)
	for _, l := range links {
		if !slices.Contains(targets, l.Target.Type) {
			continue
		}
		lines = append(lines, fmt.Sprintf("%s %s %s %s -> %s", l.Actor.Name, l.Action, l.Target.Type, l.Before, l.After))
	}
	return lines
}

// whole wants the chain to hold, and returns how many entries it has.
func (w *World) whole() int64 {
	w.t.Helper()
	n, err := w.VerifyAudit(w.ctx())
	w.must(err)
	return n
}

func testAudit(t *testing.T, backend Backend) {
	t.Run("changes are recorded with who made them", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		n := w.Namespace()
		ctx := w.by("ada")
		f := workflow.Workflow{ID: w.ID(), OrganizationID: n.OrganizationID, NamespaceID: n.ID, Name: "a", Active: true, CreatedAt: w.Now(), UpdatedAt: w.Now(), Version: 1}
		w.must(w.CreateWorkflow(ctx, f))
		off, name, text := false, "b", "about"
		about := &text
		_, err := w.ChangeWorkflow(ctx, f.ID, workflow.Change{Name: &name, Active: &off, Description: &about}, w.Now())
		w.must(err)
		a := w.Activation(f, workflow.Options{})
		w.must(w.ActivateDeployment(ctx, a))
		d := a.Deployment.ID
		w.must(w.SetDeploymentNote(ctx, d, &text))
		w.must(w.DeactivateDeployment(ctx, d, w.Now()))
		w.must(w.DeactivateDeployment(ctx, d, w.Now())) // changes nothing
		again := w.Activation(f)
		again.Deployment.ID, again.Version, again.Source, again.Program = d, 3, nil, nil
		w.must(w.ActivateDeployment(ctx, again))
		w.must(w.DeactivateDeployment(ctx, d, w.Now()))
		w.must(w.DeleteDeployment(ctx, d, w.Now()))
		w.must(w.DeleteWorkflow(ctx, f.ID, w.Now()))

		of := fmt.Sprintf(`"workflow":"%s"`, f.ID)
		equal(t, "entries", w.recorded(n.OrganizationID, "workflow", "deployment"), []string{
			`ada workflow.create workflow  -> {"active":true,"description":null,"folder":null,"name":"a"}`,
			`ada workflow.change workflow {"active":true,"description":null,"folder":null,"name":"a"} -> {"active":false,"description":"about","folder":null,"name":"b"}`,
			fmt.Sprintf(`ada deployment.create deployment  -> {"program":"%x","source":"%x","status":"active",%s}`, a.Program.Hash, a.Deployment.SourceHash, of),
			fmt.Sprintf(`ada deployment.change deployment {"note":null,%s} -> {"note":"about",%s}`, of, of),
			fmt.Sprintf(`ada deployment.change deployment {"status":"active",%s} -> {"status":"inactive",%s}`, of, of),
			fmt.Sprintf(`ada deployment.change deployment  -> {"status":"active",%s}`, of),
			fmt.Sprintf(`ada deployment.change deployment {"status":"active",%s} -> {"status":"inactive",%s}`, of, of),
			fmt.Sprintf(`ada deployment.delete deployment {"status":"inactive",%s} -> `, of),
			`ada workflow.delete workflow {"active":false,"description":"about","folder":null,"name":"b"} -> `,
		})
		links, err := w.AuditChain(w.ctx(), n.OrganizationID, 1, 1)
		w.must(err)
		want := audit.ActorOf(ctx)
		equal(t, "actor", links[0].Actor, want)
		w.whole()
	})

	t.Run("what fails leaves no entry", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		n := w.Namespace()
		f := w.Workflow(n)
		before := w.recorded(n.OrganizationID, "workflow", "deployment")
		taken := f
		taken.ID = w.ID()
		w.refused(w.CreateWorkflow(w.ctx(), taken), fault.Conflict, nameTaken)
		w.refused(w.DeleteWorkflow(w.ctx(), w.ID(), w.Now()), fault.NotFound, "Workflow not found")
		late := w.Activation(f)
		late.Version = 9
		if err := w.ActivateDeployment(w.ctx(), late); !fault.Is(err, fault.Conflict) {
			t.Errorf("got %v, want a conflict", err)
		}
		equal(t, "entries", w.recorded(n.OrganizationID, "workflow", "deployment"), before)
		w.whole()
	})

	t.Run("pages go from the newest to the oldest", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		mine, other, ada := w.ID(), w.ID(), w.by("ada")
		for i := range 10 {
			e := audit.Entry{OrganizationID: mine, Action: audit.ChangeUser, Target: audit.Target{Type: "user", ID: fmt.Sprint(i)}}
			ctx := w.ctx()
			switch {
			case i%3 == 0:
				e.OrganizationID = other
			case i%2 == 0:
				ctx, e.Action, e.Outcome = ada, audit.RefuseAccess, audit.Refused
			}
			w.must(w.AppendAudit(ctx, e))
			w.Pass(time.Hour)
		}
		for _, c := range []struct {
			name string
			f    audit.Filter
			want []int64
		}{
			{"all", audit.Filter{}, []int64{10, 9, 8, 7, 6, 5, 4, 3, 2, 1}},
			{"organization", audit.Filter{OrganizationID: other}, []int64{10, 7, 4, 1}},
			{"none", audit.Filter{OrganizationID: w.ID()}, nil},
			{"before", audit.Filter{Before: 4}, []int64{3, 2, 1}},
			{"action", audit.Filter{Action: audit.RefuseAccess}, []int64{9, 5, 3}},
			{"object of the action", audit.Filter{Action: "access"}, []int64{9, 5, 3}},
			{"a part of an action", audit.Filter{Action: "acc"}, nil},
			{"actor's name", audit.Filter{Actor: "Ada"}, []int64{9, 5, 3}},
			{"actor's id", audit.Filter{Actor: audit.ActorOf(ada).ID.String()}, []int64{9, 5, 3}},
			{"actor's kind", audit.Filter{Actor: "system", OrganizationID: mine}, []int64{8, 6, 2}},
			{"outcome", audit.Filter{Outcome: audit.Refused, OrganizationID: other}, nil},
			{"target", audit.Filter{Target: "7"}, []int64{8}},
			{"target with its type", audit.Filter{Target: "user:7"}, []int64{8}},
			{"target's type", audit.Filter{Target: "user", OrganizationID: other}, []int64{10, 7, 4, 1}},
			{"since", audit.Filter{Since: start().Add(8 * time.Hour)}, []int64{10, 9}},
			{"until", audit.Filter{Until: start().Add(2 * time.Hour)}, []int64{3, 2, 1}},
			{"between", audit.Filter{Since: start().Add(time.Hour + time.Minute), Until: start().Add(4 * time.Hour)}, []int64{5, 4, 3}},
			{"in the future", audit.Filter{Since: start().Add(100 * time.Hour)}, nil},
			{"before all", audit.Filter{Until: start().Add(-time.Hour)}, nil},
		} {
			for _, limit := range []int{1, 2, 100} {
				var got []int64
				f := c.f
				f.Limit = limit
				for {
					page, err := w.AuditPage(w.ctx(), f)
					w.must(err)
					for _, l := range page.Links {
						got = append(got, l.Seq)
					}
					if f.Before = page.Next; f.Before == 0 {
						break
					}
				}
				equal(t, fmt.Sprintf("%s in pages of %d", c.name, limit), got, c.want)
			}
		}
	})

	t.Run("the oldest entries go and the chain goes on", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t), func(cfg *store.Config) { cfg.AuditRetention = 10 * time.Hour })
		add := func() { w.must(w.AppendAudit(w.ctx(), audit.Entry{Action: audit.LogIn})) }
		purge := func(limit, want int) {
			t.Helper()
			n, err := w.PurgeExpired(w.ctx(), w.Now(), w.Now(), limit)
			w.must(err)
			equal(t, "removed", n, want)
		}
		purge(10, 0)
		for range 7 { // one an hour
			add()
			w.Pass(time.Hour)
		}
		for _, c := range []struct {
			pass  time.Duration
			limit int
			want  int
			left  int64
		}{{0, 10, 0, 7}, {4*time.Hour + time.Minute, 10, 2, 5}, {100 * time.Hour, 3, 3, 2}, {0, 3, 1, 1}, {0, 3, 0, 1}} {
			w.Pass(c.pass)
			purge(c.limit, c.want)
			equal(t, "left", w.whole(), c.left)
		}
		add()
		equal(t, "entries", w.whole(), 2)
	})

	t.Run("several servers append to one chain", func(t *testing.T) {
		t.Parallel()
		open := backend(t)
		w := NewWorld(t, open)
		second, err := open(store.Config{Now: w.Now, Log: slog.New(slog.DiscardHandler)})
		w.must(err)
		t.Cleanup(func() { w.must(second.Close()) })
		const writers, each = 8, 25
		var wg sync.WaitGroup
		for i := range writers {
			s := []*store.Store{w.Store, second}[i%2]
			wg.Go(func() {
				for k := range each {
					e := audit.Entry{Action: audit.LogIn, Target: audit.Target{Type: "test", ID: fmt.Sprint(i)}, After: audit.Snapshot(map[string]any{"n": k})}
					if err := s.AppendAudit(w.ctx(), e); err != nil {
						t.Error(err)
					}
				}
			})
		}
		// A walk beside them holds all the same.
		for range 5 {
			w.whole()
		}
		wg.Wait()
		equal(t, "entries", w.whole(), writers*each)
		next := map[string]int{}
		links, err := second.AuditChain(w.ctx(), id.ID{}, 0, 1000)
		w.must(err)
		for _, l := range links {
			var after struct{ N int }
			w.must(json.Unmarshal(l.After, &after))
			equal(t, "order of writer "+l.Target.ID, after.N, next[l.Target.ID])
			next[l.Target.ID]++
		}
	})

	t.Run("odd texts are read again as they are hashed", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		for _, text := range []string{"", "\x00", "a\xffb", "<script>&\u2028", "ü€𝄞", "\\u0000"} {
			ctx := audit.WithActor(w.ctx(), audit.Actor{Kind: audit.KindAnonymous, Name: text, Address: text, RequestID: text})
			w.must(w.AppendAudit(ctx, audit.Entry{
				Action: audit.LogIn, Target: audit.Target{Type: text, ID: text}, At: w.Now().Add(1234567),
				Before: audit.Snapshot(map[string]any{"x": text}), After: json.RawMessage(`{ "spaced" : 1 }`),
			}))
		}
		equal(t, "entries", w.whole(), 6)
		page, err := w.AuditPage(w.ctx(), audit.Filter{Limit: 10})
		w.must(err)
		slices.Reverse(page.Links)
		equal(t, "name", page.Links[2].Actor.Name, "a\uFFFDb")
	})
}
