package trigger

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/usefloww/flowwd/internal/execution"
	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/workflow"
)

const (
	routesPage    = 500
	reloadTimeout = 5 * time.Second
	reloadRetry   = time.Second
	maxLookups    = 4
)

// Routes is the table of all webhooks, in memory: deliveries are looked up
// without the database. The database still has the last word, because accepting
// checks that the trigger exists.
type Routes struct {
	// Shared says that other processes make webhooks too.
	Shared bool

	store Store
	log   *slog.Logger
	// lookups bounds how many addresses are looked up in the database at once,
	// for anybody can send to addresses that do not exist.
	lookups chan struct{}

	mu sync.RWMutex
	table

	// reloading keeps an older reading of a workflow from replacing a newer.
	reloading sync.Mutex
	// pending are workflows whose last reading failed; the zero id stands for all.
	pending map[id.ID]bool
	wake    chan struct{}
	stop    context.CancelFunc
	done    chan struct{}
}

// NewRoutes returns an empty table; Start fills it.
func NewRoutes(store Store, log *slog.Logger) *Routes {
	return &Routes{
		store: store, log: log, table: newTable(),
		pending: map[id.ID]bool{},
		wake:    make(chan struct{}, 1),
		lookups: make(chan struct{}, maxLookups),
	}
}

// Start reads all webhooks and begins to follow changes.
func (r *Routes) Start(ctx context.Context) error {
	if err := r.reloadAll(ctx); err != nil {
		return err
	}
	ctx, r.stop = context.WithCancel(context.WithoutCancel(ctx))
	r.done = make(chan struct{})
	go r.retry(ctx)
	return nil
}

// reloadAll reads all webhooks.
func (r *Routes) reloadAll(ctx context.Context) error {
	r.reloading.Lock()
	defer r.reloading.Unlock()
	fresh := newTable()
	var after id.ID
	for {
		page, err := r.store.WebhookTriggers(ctx, after, routesPage)
		if err != nil {
			return fmt.Errorf("read the webhooks: %w", err)
		}
		for _, t := range page {
			fresh.put(t)
		}
		if len(page) < routesPage {
			break
		}
		after = page[len(page)-1].ID
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.table = fresh
	return nil
}

// Stop ends the following of changes.
func (r *Routes) Stop(context.Context) error {
	if r.stop != nil {
		r.stop()
		<-r.done
	}
	return nil
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

// Find returns the trigger at an address, nil when there is none. Where other
// processes make webhooks too, one that was not heard of yet is looked up in the
// database.
func (r *Routes) Find(ctx context.Context, a Address) (*Found, error) {
	if f := r.lookup(a); f != nil || !r.Shared {
		return f, nil
	}
	select {
	case r.lookups <- struct{}{}:
		defer func() { <-r.lookups }()
	case <-ctx.Done():
		return nil, fault.Because(ctx.Err(), fault.Unavailable, "the server is busy; send the event again")
	}
	of, err := r.store.WebhookWorkflow(ctx, a.Method, a.Path)
	if err == nil && of.IsZero() {
		of, err = r.patternWorkflow(ctx, a)
	}
	if err != nil || of.IsZero() {
		return nil, err
	}
	return r.Again(of, a)
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
	paths, err := r.store.WebhookPatterns(ctx, of, a.Method)
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

// Again reads the webhooks of a workflow anew and finds the trigger at an
// address, nil when there is none.
func (r *Routes) Again(of id.ID, a Address) (*Found, error) {
	err := r.reload(of)
	return r.lookup(a), err
}

// Methods returns those that an address takes, sorted.
func (r *Routes) Methods(a Address) []string {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.methods(a)
}

func (r *Routes) lookup(a Address) *Found {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.find(a)
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

// ChangedAll reads all webhooks again. It is called after those of a whole
// organization came or went; when the reading fails it is tried again in the
// background.
func (r *Routes) ChangedAll() {
	ctx, cancel := context.WithTimeout(context.Background(), reloadTimeout)
	defer cancel()
	if err := r.reloadAll(ctx); err != nil {
		r.log.Warn("the webhooks could not be read; trying again", "error", err)
		r.later(id.ID{})
	}
}

// Changed reads a workflow's webhooks again. It is called after the change was
// committed; when the reading fails it is tried again in the background.
func (r *Routes) Changed(workflow id.ID) {
	if err := r.reload(workflow); err != nil {
		r.log.Warn("webhooks of a workflow could not be read; trying again", "workflow", workflow, "error", err)
		r.later(workflow)
	}
}

// later notes a workflow whose webhooks must be read again.
func (r *Routes) later(workflow id.ID) {
	r.mu.Lock()
	r.pending[workflow] = true
	r.mu.Unlock()
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

func (r *Routes) retry(ctx context.Context) {
	defer close(r.done)
	for {
		select {
		case <-ctx.Done():
			return
		case <-r.wake:
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(reloadRetry):
		}
		for _, w := range r.takePending() {
			if w.IsZero() {
				r.ChangedAll()
			} else if r.reload(w) != nil {
				r.later(w)
			}
		}
	}
}

func (r *Routes) takePending() []id.ID {
	r.mu.Lock()
	defer r.mu.Unlock()
	taken := slices.Collect(maps.Keys(r.pending))
	clear(r.pending)
	return taken
}

func (r *Routes) reload(workflow id.ID) error {
	r.reloading.Lock()
	defer r.reloading.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), reloadTimeout)
	defer cancel()
	triggers, err := r.store.Triggers(ctx, workflow)
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.remove(workflow)
	for _, t := range triggers {
		r.put(t)
	}
	return nil
}
