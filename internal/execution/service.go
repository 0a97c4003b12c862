package execution

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/usefloww/flowwd/internal/engine"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/tracing"
)

// Config is what a Service is made of. All fields are required but Metrics,
// Tracer, Listener, Secrets and Asked.
type Config struct {
	Store  Store
	Engine engine.Engine
	// Name says to a person which server this is; may be empty.
	Name string
	IDs  *id.Source
	Now  func() time.Time
	Log  *slog.Logger
	// Limits bound each attempt; a trigger may ask for another timeout, up to
	// MaxTimeout, and another memory, up to MaxMemory.
	Limits     engine.Limits
	MaxTimeout time.Duration
	MaxMemory  int64
	// Retention is how long ended executions are kept.
	Retention time.Duration
	Metrics   Metrics
	// Tracer tells traces of executions; nil for nobody.
	Tracer *tracing.Tracer
	// Listener is told what happens; nil for nobody.
	Listener Listener
	// Secrets gives code what it asks for; nil where no program does.
	Secrets Secrets
	// Asked answers what the code of a claim asks of the server by name; nil for
	// nobody.
	Asked func(ctx context.Context, c *Claim, name string, question []byte) ([]byte, error)
}

// Metrics is told what happens to executions. It must not block.
type Metrics interface {
	// Accepted is called for each stored event with the state it got.
	Accepted(state State)
	// Ended is called for each attempt with the state it led to, how long the
	// execution had waited for it, and how long it ran.
	Ended(state State, waited, ran time.Duration)
	// ClaimFailed is called when the queue could not be read.
	ClaimFailed()
}

// Service accepts, runs and shows executions.
type Service struct {
	Config
	// life is the one that claims belong to.
	life     atomic.Pointer[life]
	programs *programs
	watchers *watchers
	awaiting *awaiting
	// batches is signalled when there is a new one.
	batches chan struct{}
	// postponed are the executions that wait for their time.
	postponed postponed

	// slots holds a token for each run that may go on at once, endings one for each
	// end that may be on its way into the store beside them.
	slots, endings chan struct{}
	wake           chan struct{}
	// backlog says that the queue may hold something to claim.
	backlog atomic.Bool

	// gate guards accepting, so that nothing joins runs after Stop waits for
	// them.
	gate       sync.RWMutex
	accepting  bool
	runs       sync.WaitGroup
	runContext context.Context
	interrupt  context.CancelCauseFunc
	stopLoops  context.CancelFunc
	loops      sync.WaitGroup
	stopLeases context.CancelFunc
	leases     sync.WaitGroup
}

// leaveTimeout bounds the signing off of a server that stops.
const leaveTimeout = 5 * time.Second

// errStopping is the cause by which runs learn that the server stops.
var errStopping = &engine.Interrupted{Message: "the server was stopped"}

// New returns a Service that accepts and runs nothing before Start.
func New(c Config) *Service {
	if c.Listener == nil {
		c.Listener = nobody{}
	}
	s := &Service{
		Config:   c,
		programs: newPrograms(c.Store.Program),
		watchers: newWatchers(),
		awaiting: newAwaiting(),
		batches:  make(chan struct{}, 1),
		slots:    make(chan struct{}, c.Engine.Slots()),
		endings:  make(chan struct{}, c.Engine.Slots()),
		wake:     make(chan struct{}, 1),

		stopLeases: func() {},
	}
	c.Store.OnEnded(s.endedElsewhere)
	s.postponed.sooner = make(chan struct{}, 1)
	s.runContext, s.interrupt = context.WithCancelCause(context.Background())
	return s
}

// Start takes back what servers that are gone had claimed and begins to run what
// waits.
func (s *Service) Start(ctx context.Context) error {
	if err := s.join(ctx); err != nil {
		return err
	}
	loops, stop := context.WithCancel(context.WithoutCancel(ctx))
	s.stopLoops = stop
	s.backlog.Store(true)
	s.setAccepting(true)
	s.loops.Go(func() { s.claimLoop(loops) })
	s.loops.Go(func() { s.postponedLoop(loops) })
	s.loops.Go(func() { s.retentionLoop(loops) })
	s.loops.Go(func() { s.foldLoop(loops) })
	s.loops.Go(func() { s.batchLoop(loops) })
	if s.Store.Shared() {
		leases, stop := context.WithCancel(context.WithoutCancel(ctx))
		s.stopLeases = stop
		s.leases.Go(func() { s.leaseLoop(leases) })
	}
	return nil
}

// Stop claims nothing more, gives the runs that are under way until ctx ends,
// and then interrupts them; they run again after the next start.
func (s *Service) Stop(ctx context.Context) error {
	s.setAccepting(false)
	if s.stopLoops == nil {
		return nil
	}
	s.stopLoops()
	s.loops.Wait()
	ended := make(chan struct{})
	go func() {
		s.runs.Wait()
		close(ended)
	}()
	select {
	case <-ended:
	case <-ctx.Done():
		s.interrupt(errStopping)
		<-ended
	}
	// Only now: what still ran needed the lease.
	s.stopLeases()
	s.leases.Wait()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), leaveTimeout)
	defer cancel()
	s.leave(ctx)
	return nil
}

// Running returns how many runs go on now, and how many can.
func (s *Service) Running() (running, slots int) { return len(s.slots), cap(s.slots) }

// Ending returns how many runs have ended and have no slot any more, while their end
// is on its way into the store.
func (s *Service) Ending() int { return len(s.endings) }

// Depth returns the state of the queue.
func (s *Service) Depth(ctx context.Context) (Depth, error) { return s.Store.QueueDepth(ctx) }

func (s *Service) setAccepting(on bool) {
	s.gate.Lock()
	defer s.gate.Unlock()
	s.accepting = on
}

// enter joins the runs that Stop waits for, unless the service has stopped.
func (s *Service) enter() bool {
	s.gate.RLock()
	defer s.gate.RUnlock()
	if s.accepting {
		s.runs.Add(1)
	}
	return s.accepting
}

func (s *Service) takeSlot() bool {
	select {
	case s.slots <- struct{}{}:
		return true
	default:
		return false
	}
}

func (s *Service) freeSlot() {
	<-s.slots
	if s.backlog.Load() {
		s.wakeClaims()
	}
}

func (s *Service) wakeClaims() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// signal tells the watchers of an execution that something of it was stored.
func (s *Service) signal(execution id.ID) { s.watchers.signal(execution) }

// Watch returns a channel that is signalled after something of the execution
// was stored; signals that nobody took are merged. stop must be called.
func (s *Service) Watch(execution id.ID) (changed <-chan struct{}, stop func()) {
	return s.watchers.watch(execution)
}
