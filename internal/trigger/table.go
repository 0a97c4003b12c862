package trigger

import (
	"slices"
	"strings"

	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/workflow"
)

// table finds triggers by their addresses.
type table struct {
	byAddress  map[address]*workflow.Trigger
	byWorkflow map[id.ID][]address
	// patterns are the triggers whose paths have parameters, the most exact path
	// first. All of one shape belong to one workflow.
	patterns map[shape][]*workflow.Trigger
}

type address struct{ method, path string }

// shape is what paths have in common that can meet.
type shape struct {
	method string
	// owner is the first segment below the prefix: of paths that people chose,
	// the workflow's id.
	owner    string
	segments int
}

func newTable() table {
	return table{
		byAddress: map[address]*workflow.Trigger{}, byWorkflow: map[id.ID][]address{}, patterns: map[shape][]*workflow.Trigger{},
	}
}

func shapeOf(method string, segments []string) shape {
	s := shape{method: method, segments: len(segments)}
	if len(segments) > 1 {
		s.owner = segments[1]
	}
	return s
}

func segmentsOf(path string) []string { return strings.Split(strings.Trim(path, "/"), "/") }

func (t *table) put(tr workflow.Trigger) {
	if tr.Webhook == nil {
		return
	}
	a := address{tr.Webhook.Method, tr.Webhook.Path}
	t.byAddress[a] = &tr
	t.byWorkflow[tr.WorkflowID] = append(t.byWorkflow[tr.WorkflowID], a)
	if !hasParams(a.path) {
		return
	}
	s := shapeOf(a.method, segmentsOf(a.path))
	t.patterns[s] = append(t.patterns[s], &tr)
	slices.SortFunc(t.patterns[s], func(a, b *workflow.Trigger) int { return before(a.Webhook.Path, b.Webhook.Path) })
}

func (t *table) remove(of id.ID) {
	for _, a := range t.byWorkflow[of] {
		delete(t.byAddress, a)
		if hasParams(a.path) {
			delete(t.patterns, shapeOf(a.method, segmentsOf(a.path)))
		}
	}
	delete(t.byWorkflow, of)
}

// bound removes workflows, whichever come first, until at most so many addresses
// are left.
func (t *table) bound(most int) {
	for of := range t.byWorkflow {
		if len(t.byAddress) <= most {
			return
		}
		t.remove(of)
	}
}

func (t *table) find(a Address) *Found {
	if tr := t.byAddress[address{a.Method, a.Path}]; tr != nil && !hasParams(tr.Webhook.Path) {
		return &Found{Trigger: tr}
	}
	if len(t.patterns) == 0 {
		return nil
	}
	segments := split(a.Escaped)
	for _, tr := range t.patterns[shapeOf(a.Method, segments)] {
		if values, ok := match(tr.Webhook.Path, segments); ok {
			return &Found{Trigger: tr, Params: values}
		}
	}
	return nil
}

// methods returns those that an address takes, sorted.
func (t *table) methods(a Address) []string {
	var taken []string
	for _, method := range []string{"DELETE", "GET", "PATCH", "POST", "PUT"} {
		a.Method = method
		if t.find(a) != nil {
			taken = append(taken, method)
		}
	}
	return taken
}
