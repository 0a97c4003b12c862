package storetest

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/usefloww/flowwd/internal/execution"
	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/workflow"
)

// testListModel begins and ends executions, deletes workflows, removes what is old
// and adds totals up, in any order and not to the end, and compares every list and
// the number on all its pages with what reading one execution after the other
// gives.
func testListModel(t *testing.T, backend Backend) {
	w := NewWorld(t, backend(t))
	rapid.Check(t, func(r *rapid.T) {
		m := &listModel{w: w}
		for range 2 {
			n := w.Namespace()
			m.organizations = append(m.organizations, n.OrganizationID)
			for range 2 {
				f, triggers := w.Deployed(n)
				m.workflows = append(m.workflows, f)
				m.triggers = append(m.triggers, triggers[0])
			}
		}
		defer m.drain()
		// Fewer steps than rapid would make: each is a transaction. A comparison reads
		// all there is.
		actions := []func(*rapid.T){m.run, m.run, m.run, m.end, m.end, m.end, m.claim, m.refuse, m.delete, m.purge, m.purge, m.fold, m.fold, m.pass}
		for range rapid.IntRange(3, 8).Draw(r, "comparisons") {
			for range rapid.IntRange(1, 4).Draw(r, "steps") {
				rapid.SampledFrom(actions).Draw(r, "action")(r)
			}
			m.compare(r)
		}
	})
	if problems := w.Check(w.ctx()); len(problems) > 0 {
		t.Errorf("the database has problems: %v", problems)
	}
}

type listModel struct {
	w             *World
	organizations []id.ID
	workflows     []workflow.Workflow
	triggers      []workflow.Trigger // the only one of each workflow
	deleted       []id.ID
	claims        []execution.Claim
	accepted      []id.ID // oldest first
}

func (m *listModel) trigger(r *rapid.T) workflow.Trigger {
	return rapid.SampledFrom(m.triggers).Draw(r, "trigger")
}

// run accepts a few, that start or wait.
func (m *listModel) run(r *rapid.T) {
	t := m.trigger(r)
	for range rapid.IntRange(1, 4).Draw(r, "runs") {
		a := m.w.Acceptance(t)
		if rapid.Bool().Draw(r, "slot") {
			a.Claimant = m.w.inc
		}
		got := m.w.accept(a)
		m.accepted = append(m.accepted, got.ExecutionID)
		if got.Claim != nil {
			m.claims = append(m.claims, *got.Claim)
		}
	}
}

// refuse accepts one for a workflow that is switched off.
func (m *listModel) refuse(r *rapid.T) {
	t, on, off := m.trigger(r), true, false
	_, err := m.w.ChangeWorkflow(m.w.ctx(), t.WorkflowID, workflow.Change{Active: &off}, m.w.Now())
	m.w.must(err)
	m.accepted = append(m.accepted, m.w.accept(m.w.Acceptance(t)).ExecutionID)
	_, err = m.w.ChangeWorkflow(m.w.ctx(), t.WorkflowID, workflow.Change{Active: &on}, m.w.Now())
	m.w.must(err)
}

func (m *listModel) claim(r *rapid.T) {
	m.claims = append(m.claims, m.w.Claim(rapid.IntRange(1, 4).Draw(r, "claims"))...)
}

func (m *listModel) end(r *rapid.T) {
	for range rapid.IntRange(1, 4).Draw(r, "ends") {
		if len(m.claims) == 0 {
			return
		}
		i := rapid.IntRange(0, len(m.claims)-1).Draw(r, "claim")
		o := m.w.Outcome()
		o.State = rapid.SampledFrom([]execution.State{execution.Completed, execution.Completed, execution.Failed, execution.TimedOut}).Draw(r, "state")
		m.w.must(m.w.FinishExecution(m.w.ctx(), &m.claims[i], o))
		m.claims = slices.Delete(m.claims, i, i+1)
	}
}

// delete deletes a workflow and makes another in its place.
func (m *listModel) delete(r *rapid.T) {
	i := rapid.IntRange(0, len(m.workflows)-1).Draw(r, "workflow")
	f := m.workflows[i]
	m.w.must(m.w.DeleteWorkflow(m.w.ctx(), f.ID, m.w.Now()))
	m.deleted = append(m.deleted, f.ID)
	n, err := m.w.Store.Namespace(m.w.ctx(), []id.ID{f.OrganizationID}, f.NamespaceID)
	m.w.must(err)
	next, triggers := m.w.Deployed(n)
	m.workflows[i], m.triggers[i] = next, triggers[0]
}

func (m *listModel) purge(r *rapid.T) {
	age := rapid.SampledFrom([]time.Duration{0, 0, 20 * day, 1000 * day}).Draw(r, "age")
	_, err := m.w.PurgeExpired(m.w.ctx(), m.w.Now().Add(-age), m.w.Now(), rapid.SampledFrom([]int{1, 5, 100}).Draw(r, "rows"))
	m.w.must(err)
}

func (m *listModel) fold(r *rapid.T) {
	_, err := m.w.FoldTotals(m.w.ctx(), rapid.IntRange(1, 4).Draw(r, "rows"))
	m.w.must(err)
}

// pass lets time pass, also so much that totals are removed.
func (m *listModel) pass(r *rapid.T) {
	m.w.Pass(rapid.SampledFrom([]time.Duration{time.Minute, day, 30 * day, 450 * day, 450 * day}).Draw(r, "time"))
}

// stored reads all executions that can be seen, newest first.
func (m *listModel) stored() []execution.Execution {
	var all []execution.Execution
	for _, x := range slices.Backward(m.accepted) {
		e, err := m.w.Execution(m.w.ctx(), m.organizations, x)
		if fault.Is(err, fault.NotFound) {
			continue
		}
		m.w.must(err)
		all = append(all, e)
	}
	return all
}

func (m *listModel) compare(r *rapid.T) {
	m.w.Pass(time.Millisecond)
	stored := m.stored()
	of := []id.ID{{}}
	for _, f := range m.workflows {
		of = append(of, f.ID)
	}
	of = append(of, m.deleted...)
	// One list is looked at always, the others in turn.
	f := execution.ListFilter{Organizations: m.organizations, Limit: 3}
	for range 3 {
		var want []id.ID
		for _, e := range stored {
			if slices.Contains(f.Organizations, e.OrganizationID) && (f.WorkflowID.IsZero() || e.WorkflowID == f.WorkflowID) &&
				(e.State == f.State || f.State == "" && e.State != execution.NoDeployment) {
				want = append(want, e.ID)
			}
		}
		ids, total := m.w.page(f)
		from := min(f.Offset, len(want))
		if page := want[from:min(from+f.Limit, len(want))]; total != len(want) || !slices.Equal(ids, page) {
			r.Fatalf("the list of %+v is %v of %d, want %v of %d", f, ids, total, page, len(want))
		}
		f.Organizations = rapid.SampledFrom([][]id.ID{m.organizations, m.organizations[:1], m.organizations[1:]}).Draw(r, "organizations")
		f.WorkflowID = rapid.SampledFrom(of).Draw(r, "of")
		f.State = rapid.SampledFrom(append([]execution.State{""}, execution.States...)).Draw(r, "in")
		f.Limit, f.Offset = rapid.SampledFrom([]int{1, 3, 100}).Draw(r, "limit"), rapid.IntRange(0, 4).Draw(r, "offset")
	}
}

// drain leaves nothing that a later sequence could claim or remove.
func (m *listModel) drain() {
	for _, f := range m.workflows {
		m.w.must(m.w.DeleteWorkflow(m.w.ctx(), f.ID, m.w.Now()))
	}
	for _, c := range m.claims {
		m.w.must(m.w.FinishExecution(m.w.ctx(), &c, m.w.Outcome()))
	}
	m.w.purge(0)
}
