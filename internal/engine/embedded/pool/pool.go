package pool

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/usefloww/flowwd/internal/id"
)

// ErrStopping is the error of calls that come too late.
var ErrStopping = errors.New("the engine is stopping")

// ErrKilled is the error of a child that somebody else ended before it was
// ready.
var ErrKilled = errors.New("a child was ended from outside before it was ready")

// errSlow is an ErrKilled too: the machine, not the child, is at fault as a rule.
var errSlow = fmt.Errorf("a child took too long before it was ready: %w", ErrKilled)

// Config says how a pool behaves. All fields but Insecure are needed.
type Config struct {
	// Command starts a child.
	Command []string
	// Runners is the most children there are at once; Spares of them, at
	// least, wait without an owner when there is room. AtOnce is how many an
	// owner gets without having waited for those it has.
	Runners, Spares, AtOnce int
	// Insecure takes children without a sandbox.
	Insecure bool
	// Memory is what the code in a child may allocate, unless a caller asks
	// for more; Native is what the rest of a child may take. In bytes.
	Memory, Native int64
	// IdleTimeout is how long an owned child waits for another run.
	IdleTimeout time.Duration
	// MaxRuns and MaxResident (bytes) are when a child is worn out.
	MaxRuns     int
	MaxResident int64
	// StartTimeout bounds the start of a child.
	StartTimeout time.Duration
	Logger       *slog.Logger
	Now          func() time.Time
}

// Pool keeps children. Use Start before anything else, and Stop at the end.
type Pool struct {
	config  Config
	starter starter
	group   sync.WaitGroup
	closing chan struct{}

	mu sync.Mutex
	// all are the processes that are not reaped yet.
	all map[*Child]struct{}
	// idle are the children that nobody uses, the longest idle one first.
	idle []*Child
	// live counts the children that are lent or idle, starting those that
	// will be.
	live, starting int
	waiters        []*waiter
	crews          map[id.ID]*crew
	// watching says that the waiters are looked at after a turn.
	watching bool
	started  bool
	stopping bool
	// lastError is why the last start failed; nil when it succeeded. Spare
	// children are not started while paused, which a failure is followed by.
	lastError error
	paused    bool
}

// waiter is somebody who needs a child.
type waiter struct {
	owner  id.ID
	memory int64
	// passed counts those who came later and were served first.
	passed int
	// turns is how long it has waited.
	turns int
	given chan startAnswer
}

// patience is how many later ones may be served before the first in the line,
// because a child of theirs became free.
const patience = 16

// New returns a pool that is not started.
func New(config Config) *Pool {
	return &Pool{
		config:  config,
		starter: starter{command: config.Command, insecure: config.Insecure, requests: make(chan startRequest)},
		closing: make(chan struct{}),
		all:     map[*Child]struct{}{},
		crews:   map[id.ID]*crew{},
	}
}

// Start starts the first child, to see that it works, and then the spare ones
// in the background.
func (p *Pool) Start(ctx context.Context) error {
	p.mu.Lock()
	p.started = true
	p.mu.Unlock()
	p.group.Go(func() { p.starter.serve(p.closing) })
	p.group.Go(p.housekeep)
	first, err := p.Spawn(ctx, p.config.Memory, p.config.Native)
	if err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.live++
	p.putIdle(first)
	p.schedule()
	return nil
}

// Stop kills all children and waits until they are gone, or ctx ends.
func (p *Pool) Stop(ctx context.Context) error {
	p.mu.Lock()
	if p.stopping || !p.started {
		p.stopping = true
		p.mu.Unlock()
		return nil
	}
	p.stopping = true
	for _, w := range p.waiters {
		w.given <- startAnswer{err: ErrStopping}
	}
	p.waiters = nil
	for c := range p.all {
		c.Kill(Stopping)
	}
	close(p.closing)
	p.mu.Unlock()

	gone := make(chan struct{})
	go func() {
		p.group.Wait()
		close(gone)
	}()
	select {
	case <-gone:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("wait for children to end: %w", ctx.Err())
	}
}

// Healthy returns nil when children can be had.
func (p *Pool) Healthy() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.stopping || !p.started:
		return ErrStopping
	case p.live == 0 && p.lastError != nil:
		return p.lastError
	}
	return nil
}

// Acquire lends a child of the organization whose code may allocate memory
// bytes. It waits for one until ctx ends. The child is given back by Release.
func (p *Pool) Acquire(ctx context.Context, owner id.ID, memory int64) (*Child, error) {
	if owner.IsZero() {
		return nil, errors.New("a child is lent to an organization; none is given")
	}
	p.mu.Lock()
	if p.stopping || !p.started {
		p.mu.Unlock()
		return nil, ErrStopping
	}
	w := &waiter{owner: owner, memory: memory, given: make(chan startAnswer, 1)}
	if len(p.waiters) == 0 {
		if c := p.match(w); c != nil {
			p.schedule()
			p.mu.Unlock()
			return c, nil
		}
	}
	p.waiters = append(p.waiters, w)
	p.schedule()
	p.mu.Unlock()

	select {
	case a := <-w.given:
		return a.child, a.err
	case <-ctx.Done():
		p.abandon(w)
		return nil, ctx.Err()
	}
}

// abandon takes a waiter out of the line, and gives back what it was given.
func (p *Pool) abandon(w *waiter) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.waiters = slices.DeleteFunc(p.waiters, func(x *waiter) bool { return x == w })
	select {
	case a := <-w.given:
		if a.child != nil {
			p.back(a.child)
			p.putIdle(a.child)
			p.schedule()
		}
	default:
	}
}

// Release gives a child back. One that was killed or is worn out is replaced.
// slow says that it may have taken much memory meanwhile.
func (p *Pool) Release(c *Child, slow bool) {
	const every = 64
	c.runs++
	worn := c.runs >= p.config.MaxRuns
	if !worn && (slow || c.runs%every == 0) {
		worn = resident(c.cmd.Process.Pid) > p.config.MaxResident
	}
	if worn {
		c.Kill(Retired)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.back(c)
	if c.Killed() != "" || c.ended() || p.stopping {
		p.live--
	} else {
		p.putIdle(c)
	}
	p.schedule()
}

func (p *Pool) putIdle(c *Child) {
	c.idleSince = p.config.Now()
	p.idle = append(p.idle, c)
}

// match takes an idle child for a waiter: one of its owner's, else one without
// an owner, which is the owner's from now on.
func (p *Pool) match(w *waiter) *Child {
	best, more := -1, p.mayGrow(w)
	for i, c := range p.idle {
		switch {
		case c.memory < w.memory:
		case c.owner == w.owner:
			best = i
		case more && c.owner.IsZero() && (best < 0 || p.idle[best].owner.IsZero()):
			best = i
		}
	}
	if best < 0 {
		return nil
	}
	c := p.idle[best]
	p.idle = slices.Delete(p.idle, best, best+1)
	p.lend(c, w.owner)
	return c
}

// schedule gives idle children to those who wait and starts what is missing.
func (p *Pool) schedule() {
	if p.stopping {
		return
	}
	p.serve()
	p.watch()
	spares := 0
	for _, c := range p.idle {
		if c.owner.IsZero() {
			spares++
		}
	}
	growing := p.growing()
	for {
		needed := len(growing)
		if p.starting >= needed+max(0, p.config.Spares-spares) {
			return
		}
		if p.live+p.starting >= p.config.Runners && (p.starting >= needed || !p.evict()) {
			return
		}
		memory := p.config.Memory
		if p.starting < needed {
			memory = max(memory, growing[p.starting].memory)
		} else if p.paused {
			return
		}
		p.launch(memory)
	}
}

// serve hands idle children to waiters, first come first served; a later one may
// be served first, a bounded number of times, when a child of its own is free.
func (p *Pool) serve() {
	for i := 0; i < len(p.waiters) && len(p.idle) > 0; {
		w := p.waiters[i]
		c := p.match(w)
		if c == nil {
			if w.passed >= patience {
				return
			}
			i++
			continue
		}
		for _, before := range p.waiters[:i] {
			before.passed++
		}
		p.waiters = slices.Delete(p.waiters, i, i+1)
		w.given <- startAnswer{child: c}
	}
}

// evict ends the child that is idle for the longest time.
func (p *Pool) evict() bool {
	if len(p.idle) == 0 {
		return false
	}
	p.drop(0)
	return true
}

// drop ends an idle child.
func (p *Pool) drop(i int) {
	p.idle[i].Kill(Retired)
	p.idle = slices.Delete(p.idle, i, i+1)
	p.live--
}

// launch starts a child in the background. It has no owner until it is lent.
func (p *Pool) launch(memory int64) {
	p.starting++
	p.group.Go(func() {
		c, err := p.Spawn(context.Background(), memory, p.config.Native)
		p.mu.Lock()
		defer p.mu.Unlock()
		p.starting--
		p.lastError, p.paused = err, err != nil
		if err == nil {
			p.live++
			p.putIdle(c)
		} else if !p.stopping {
			p.config.Logger.Error("a child process for user code does not start", "error", err)
			p.refuse(err)
		}
		p.schedule()
	})
}

// refuse tells the first in the line that its child does not start.
func (p *Pool) refuse(err error) {
	if len(p.waiters) > 0 {
		p.waiters[0].given <- startAnswer{err: err}
		p.waiters = slices.Delete(p.waiters, 0, 1)
	}
}
