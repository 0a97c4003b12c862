package loadtest

import (
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/usefloww/flowwd/internal/apptest"
)

// Options say how much load there is. Zero values are replaced by defaults.
type Options struct {
	// Seed starts the random choices, so that a failure can be tried again with
	// the same ones; the server's own timing stays its own.
	Seed uint64
	// Senders is how many events are sent at the same time; 4 when zero.
	Senders int
	// Pause is the mean time between two events of a sender; 8 ms when zero.
	Pause time.Duration
	// Redeploy is the mean time between two deployments; 80 ms when zero,
	// none are made when it is negative.
	Redeploy time.Duration
	// RunTime is how long each run waits; 20 ms when zero.
	RunTime time.Duration
	// Timeouts says that the test makes runs take longer than they may, so that
	// this end is as good as completing.
	Timeouts bool
}

func (o Options) filled() Options {
	if o.Senders == 0 {
		o.Senders = 4
	}
	if o.Pause == 0 {
		o.Pause = 8 * time.Millisecond
	}
	if o.Redeploy == 0 {
		o.Redeploy = 80 * time.Millisecond
	}
	if o.RunTime == 0 {
		o.RunTime = 20 * time.Millisecond
	}
	return o
}

// Load is one workflow with all that was ever sent to it, over many lives of
// its server.
type Load struct {
	options Options
	lives   uint64

	workflowID  string
	events      events
	deployments deployments
	endings     endings
}

// New makes the workflow with its first deployment.
func New(t testing.TB, c *apptest.Client, o Options) *Load {
	t.Helper()
	l := &Load{options: o.filled(), workflowID: c.CreateWorkflow(t, "load")}
	l.events.numbered = map[int]*event{}
	l.deployments.acknowledged = map[int]string{}
	l.endings.seen = map[string]ending{}
	l.deployments.send(t, l, c, func() bool { return false })
	if len(l.deployments.acknowledged) != 1 {
		t.Fatal("the first deployment was not accepted")
	}
	return l
}

// random returns a source of choices of its own for each place that asks.
func (l *Load) random(place uint64) *rand.Rand {
	return rand.New(rand.NewPCG(l.options.Seed, l.lives<<16+place))
}

// Life is load on one life of a server.
type Life struct {
	ending  atomic.Bool
	stop    chan struct{}
	once    sync.Once
	working sync.WaitGroup
}

// Start begins to send to a server. Lost answers are failures of the test until
// Ending is called.
func (l *Load) Start(t testing.TB, c *apptest.Client) *Life {
	l.lives++
	life := &Life{stop: make(chan struct{})}
	for i := range l.options.Senders {
		random := l.random(uint64(i) + 1)
		life.working.Go(func() {
			for life.pause(random, l.options.Pause) {
				l.events.sendNext(t, c, l.address("in"), random, life.ending.Load)
			}
		})
	}
	if l.options.Redeploy > 0 {
		random := l.random(0)
		life.working.Go(func() {
			for life.pause(random, l.options.Redeploy) {
				l.deployments.send(t, l, c, life.ending.Load)
			}
		})
	}
	t.Cleanup(life.Stop)
	return life
}

// pause waits for a random time around a mean and reports whether the load goes
// on.
func (l *Life) pause(random *rand.Rand, mean time.Duration) bool {
	select {
	case <-time.After(time.Duration(random.Int64N(2 * int64(mean)))):
		return true
	case <-l.stop:
		return false
	}
}

// Last lets the load go on for a time.
func (l *Life) Last(d time.Duration) {
	select {
	case <-time.After(d):
	case <-l.stop:
	}
}

// Ending says that the server is about to be taken away.
func (l *Life) Ending() { l.ending.Store(true) }

// Stop ends the load and waits for the answers that are under way.
func (l *Life) Stop() {
	l.once.Do(func() { close(l.stop) })
	l.working.Wait()
}

// address is the path of the workflow's webhook that its author named.
func (l *Load) address(name string) string { return "/webhook/" + l.workflowID + "/" + name }
