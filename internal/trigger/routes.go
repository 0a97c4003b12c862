package trigger

import (
	"context"
	"sync"

	"github.com/usefloww/flowwd/internal/execution"
	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/workflow"
)

const (
	// maxKept is how many webhooks are kept in memory.
	maxKept = 10_000
	// maxLookups is how many addresses are looked up in the database at once, less
	// than what reads it: anybody can send to addresses that do not exist.
	maxLookups = 2
)

// Routes finds the trigger at an address. A workflow's webhooks are read when the
// first delivery comes and kept in memory until they change, so that the next ones
// are looked up without the database. The database still has the last word,
// because accepting checks that the trigger exists.
type Routes struct {
	store   Store
	lookups chan struct{}

	mu sync.RWMutex
	table
	// forgotten counts what was forgotten: what was read before must not be kept.
	forgotten int
}

// NewRoutes returns what keeps no webhook yet.
func NewRoutes(store Store) *Routes {
	return &Routes{store: store, table: newTable(), lookups: make(chan struct{}, maxLookups)}
}

// Found is a trigger at an address, with the values of the parameters in its
// path. Nobody must change the trigger.
type Found struct {
	*workflow.Trigger
	Params map[string]string
}

// Address is where a request was sent.
type Address struct {
	Method string
	// Path is unescaped; Escaped is the path as it was sent.
	Path, Escaped string
}

// Find returns the trigger at an address, nil when there is none.
func (r *Routes) Find(ctx context.Context, a Address) (*Found, error) {
	if f := r.kept(a); f != nil {
		return f, nil
	}
	t, err := r.look(ctx, a)
	if err != nil {
		return nil, err
	}
	return t.find(a), nil
}

// Methods returns those that an address takes, sorted.
func (r *Routes) Methods(ctx context.Context, a Address) ([]string, error) {
	r.mu.RLock()
	methods := r.methods(a)
	r.mu.RUnlock()
	if len(methods) > 0 {
		return methods, nil // all of an address are of one workflow
	}
	t, err := r.look(ctx, a)
	if err != nil {
		return nil, err
	}
	return t.methods(a), nil
}

// Again reads the webhooks of a workflow anew and finds the trigger at an
// address, nil when there is none.
func (r *Routes) Again(ctx context.Context, of id.ID, a Address) (*Found, error) {
	t, err := r.read(ctx, of)
	if err != nil {
		return nil, err
	}
	return t.find(a), nil
}

// Hear takes note of what other processes stored.
func (r *Routes) Hear(n execution.Notice) {
	for _, w := range n.Workflows {
		r.Changed(w)
	}
	if n.Anything {
		r.ChangedAll()
	}
}

// ChangedAll forgets all webhooks. It is called after those of a whole
// organization came or went.
func (r *Routes) ChangedAll() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.forgotten++
	r.table = newTable()
}

// Changed forgets a workflow's webhooks. It is called after the change was
// committed.
func (r *Routes) Changed(workflow id.ID) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.forgotten++
	r.remove(workflow)
}

func (r *Routes) kept(a Address) *Found {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.find(a)
}

// look reads the webhooks of the workflow that has an address; none when no one
// has it.
func (r *Routes) look(ctx context.Context, a Address) (table, error) {
	select {
	case r.lookups <- struct{}{}:
		defer func() { <-r.lookups }()
	case <-ctx.Done():
		return table{}, fault.Because(ctx.Err(), fault.Unavailable, "the server is busy; send the event again")
	}
	of, err := r.store.WebhookWorkflow(ctx, a.Path)
	if err == nil && of.IsZero() {
		of, err = r.patternWorkflow(ctx, a)
	}
	if err != nil || of.IsZero() {
		return table{}, err
	}
	return r.read(ctx, of)
}

// patternWorkflow returns the workflow that has a path with parameters for an
// address; zero when there is none. The address says which workflow it can be.
func (r *Routes) patternWorkflow(ctx context.Context, a Address) (id.ID, error) {
	segments := split(a.Escaped)
	if len(segments) < 3 {
		return id.ID{}, nil
	}
	of, err := id.Parse(segments[1])
	if err != nil {
		return id.ID{}, nil //nolint:nilerr // not the address of a workflow
	}
	paths, err := r.store.WebhookPatterns(ctx, of)
	if err != nil {
		return id.ID{}, err
	}
	for _, p := range paths {
		if _, ok := match(p, segments); ok {
			return of, nil
		}
	}
	return id.ID{}, nil
}

// read reads the webhooks of a workflow, and keeps them unless something changed
// meanwhile.
func (r *Routes) read(ctx context.Context, of id.ID) (table, error) {
	r.mu.RLock()
	before := r.forgotten
	r.mu.RUnlock()
	triggers, err := r.store.Triggers(ctx, of)
	if err != nil {
		return table{}, err
	}
	t := newTable()
	for _, x := range triggers {
		t.put(x)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.forgotten == before {
		r.remove(of)
		for _, x := range triggers {
			r.put(x)
		}
		r.bound(maxKept)
	}
	return t, nil
}
