package storetest

import (
	"fmt"
	"testing"
	"time"

	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/tenant"
	"github.com/usefloww/flowwd/internal/workflow"
)

func (w *World) workflow(organization, wanted id.ID) (workflow.Workflow, error) {
	return w.Store.Workflow(w.ctx(), []id.ID{organization}, wanted)
}

// named makes a workflow with a name.
func (w *World) named(n tenant.Namespace, name string) (workflow.Workflow, error) {
	f := workflow.Workflow{
		ID: w.ID(), OrganizationID: n.OrganizationID, NamespaceID: n.ID, Name: name, Active: true,
		CreatedByID: w.ID(), CreatedAt: w.Now(), UpdatedAt: w.Now(), Version: 1,
	}
	return f, w.CreateWorkflow(w.ctx(), f)
}

const nameTaken = "A workflow with this name already exists"

func testWorkflows(t *testing.T, backend Backend) {
	t.Run("a workflow is kept as it was made", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		n := w.Namespace()
		text := "what it does"
		f := workflow.Workflow{
			ID: w.ID(), OrganizationID: n.OrganizationID, NamespaceID: n.ID, Name: "Straße %_", Description: &text,
			CreatedAt: w.Now().Add(1234567), UpdatedAt: w.Now().Add(time.Second), Version: 7,
		}
		w.must(w.CreateWorkflow(w.ctx(), f))
		got, err := w.workflow(n.OrganizationID, f.ID)
		w.must(err)
		f.CreatedAt = w.Now().Add(time.Millisecond)
		equal(t, "workflow", got, f)
	})

	t.Run("a foreign or unknown one is not found", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		f := w.Workflow(w.Namespace())
		other := w.Namespace()
		_, err := w.workflow(other.OrganizationID, f.ID)
		w.refused(err, fault.NotFound, "Workflow not found")
		_, err = w.workflow(f.OrganizationID, w.ID())
		w.refused(err, fault.NotFound, "Workflow not found")
		_, err = w.ChangeWorkflow(w.ctx(), w.ID(), workflow.Change{}, w.Now())
		w.refused(err, fault.NotFound, "Workflow not found")
		stray := workflow.Workflow{ID: w.ID(), OrganizationID: f.OrganizationID, NamespaceID: other.ID, Name: "x", Version: 1}
		w.refused(w.CreateWorkflow(w.ctx(), stray), fault.NotFound, "Namespace not found")
	})

	t.Run("names are unique in a namespace", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		n := w.Namespace()
		first, err := w.named(n, "a")
		w.must(err)
		_, err = w.named(n, "a")
		w.refused(err, fault.Conflict, nameTaken)
		_, err = w.named(w.Namespace(), "a")
		w.must(err)
		second, err := w.named(n, "b")
		w.must(err)
		name := "a"
		_, err = w.ChangeWorkflow(w.ctx(), second.ID, workflow.Change{Name: &name}, w.Now())
		w.refused(err, fault.Conflict, nameTaken)
		w.must(w.DeleteWorkflow(w.ctx(), first.ID, w.Now()))
		_, err = w.ChangeWorkflow(w.ctx(), second.ID, workflow.Change{Name: &name}, w.Now())
		w.must(err)
	})

	t.Run("a change touches what it names", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		f := w.Workflow(w.Namespace())
		name, text, off := "new name", "text", false
		described := &text
		var cleared *string
		for _, step := range []struct {
			change workflow.Change
			want   func()
		}{
			{workflow.Change{}, func() {}},
			{workflow.Change{Name: &name}, func() { f.Name = name }},
			{workflow.Change{Description: &described}, func() { f.Description = &text }},
			{workflow.Change{Active: &off}, func() { f.Active = false }},
			{workflow.Change{Description: &cleared}, func() { f.Description = nil }},
		} {
			w.Pass(time.Second)
			got, err := w.ChangeWorkflow(w.ctx(), f.ID, step.change, w.Now())
			w.must(err)
			step.want()
			f.UpdatedAt = w.Now()
			equal(t, "answer", got, f)
			got, err = w.workflow(f.OrganizationID, f.ID)
			w.must(err)
			equal(t, "stored", got, f)
		}
	})

	t.Run("lists", func(t *testing.T) {
		t.Parallel()
		testWorkflowLists(t, NewWorld(t, backend(t)))
	})
}

func testWorkflowLists(t *testing.T, w *World) {
	n, other := w.Namespace(), w.Namespace()
	names := make(map[id.ID]string)
	for _, name := range []string{"alpha", "Beta 100%", "ÄRGER", "under_score", "under score"} {
		f, err := w.named(n, name)
		w.must(err)
		names[f.ID] = name
		w.Pass(time.Second)
	}
	foreign, err := w.named(other, "foreign")
	w.must(err)
	names[foreign.ID] = "foreign"
	both := []id.ID{n.OrganizationID, other.OrganizationID}
	for _, c := range []struct {
		filter workflow.ListFilter
		want   []string
		total  int
	}{
		{workflow.ListFilter{Organizations: both[:1], Limit: 10}, []string{"under score", "under_score", "ÄRGER", "Beta 100%", "alpha"}, 5},
		{workflow.ListFilter{Organizations: both[:1], Limit: 2, Offset: 1}, []string{"under_score", "ÄRGER"}, 5},
		{workflow.ListFilter{Organizations: both, Limit: 1}, []string{"foreign"}, 6},
		{workflow.ListFilter{Organizations: both, NamespaceID: other.ID, Limit: 9}, []string{"foreign"}, 1},
		{workflow.ListFilter{Organizations: both[:1], NamespaceID: other.ID, Limit: 9}, nil, 0},
		{workflow.ListFilter{Organizations: both, Search: "R_S", Limit: 9}, []string{"under_score"}, 1},
		{workflow.ListFilter{Organizations: both, Search: "%", Limit: 9}, []string{"Beta 100%"}, 1},
		{workflow.ListFilter{Organizations: both, Search: "ärg", Limit: 9}, []string{"ÄRGER"}, 1},
		{workflow.ListFilter{Organizations: both, Search: `\`, Limit: 9}, nil, 0},
		{workflow.ListFilter{Limit: 9}, nil, 0},
		{workflow.ListFilter{Organizations: both, Limit: 9, Offset: 100}, nil, 6},
	} {
		page, err := w.Workflows(w.ctx(), c.filter)
		w.must(err)
		var got []string
		for _, f := range page.Workflows {
			got = append(got, names[f.ID])
		}
		equal(t, fmt.Sprintf("list of %+v", c.filter), got, c.want)
		equal(t, fmt.Sprintf("total of %+v", c.filter), page.Total, c.total)
	}
}
