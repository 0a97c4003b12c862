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

	mu         sync.RWMutex
	byAddress  map[address]*workflow.Trigger
	byWorkflow map[id.ID][]address

	// reloading keeps an older reading of a workflow from replacing a newer.
	reloading sync.Mutex
	// pending are workflows whose last reading failed; the zero id stands for all.
	pending map[id.ID]bool
	wake    chan struct{}
	stop    context.CancelFunc
	done    chan struct{}
}

type address struct{ method, path string }

// NewRoutes returns an empty table; Start fills it.
func NewRoutes(store Store, log *slog.Logger) *Routes {
	return &Routes{
		store: store, log: log,
		byAddress:  map[address]*workflow.Trigger{},
		byWorkflow: map[id.ID][]address{},
		pending:    map[id.ID]bool{},
		wake:       make(chan struct{}, 1),
		lookups:    make(chan struct{}, maxLookups),
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
	fresh := Routes{byAddress: map[address]*workflow.Trigger{}, byWorkflow: map[id.ID][]address{}}
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
	r.byAddress, r.byWorkflow = fresh.byAddress, fresh.byWorkflow
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

// Find returns the trigger at an address, nil when there is none. The caller
// must not change it. Where other processes make webhooks too, one that was not
// heard of yet is looked up in the database.
func (r *Routes) Find(ctx context.Context, method, path string) (*workflow.Trigger, error) {
	if t := r.find(method, path); t != nil || !r.Shared {
		return t, nil
	}
	select {
	case r.lookups <- struct{}{}:
		defer func() { <-r.lookups }()
	case <-ctx.Done():
		return nil, fault.Because(ctx.Err(), fault.Unavailable, "the server is busy; send the event again")
	}
	of, err := r.store.WebhookWorkflow(ctx, method, path)
	if err != nil || of.IsZero() {
		return nil, err
	}
	return r.Again(of, method, path)
}

// Again reads the webhooks of a workflow anew and finds the trigger at an
// address, nil when there is none.
func (r *Routes) Again(of id.ID, method, path string) (*workflow.Trigger, error) {
	err := r.reload(of)
	return r.find(method, path), err
}

func (r *Routes) find(method, path string) *workflow.Trigger {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.byAddress[address{method, path}]
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
	for _, a := range r.byWorkflow[workflow] {
		delete(r.byAddress, a)
	}
	delete(r.byWorkflow, workflow)
	for _, t := range triggers {
		r.put(t)
	}
	return nil
}

func (r *Routes) put(t workflow.Trigger) {
	if t.Webhook == nil {
		return
	}
	a := address{t.Webhook.Method, t.Webhook.Path}
	r.byAddress[a] = &t
	r.byWorkflow[t.WorkflowID] = append(r.byWorkflow[t.WorkflowID], a)
}
