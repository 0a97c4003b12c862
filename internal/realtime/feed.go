package realtime

import (
	"context"
	"hash/maphash"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/usefloww/flowwd/internal/id"
)

const (
	// lanes is how many workflows are published for at once. Each workflow has
	// one lane, which keeps its events in order.
	lanes = 8
	// laneLength is how many events may wait in a lane.
	laneLength = 2048
	// maxWaiting is how many bytes of events may wait in all lanes.
	maxWaiting = 32 << 20

	publishTimeout = 2 * time.Second
	// tries is how often an event is published before it is dropped.
	tries = 3
	// retryAfter is the wait before the second try; it doubles.
	retryAfter = 100 * time.Millisecond
	// silence is how long everything is dropped at once after a publication
	// failed for good, so that a transport that is gone is not waited for again
	// and again.
	silence = time.Second
	// maxSilence bounds the wait before subscribers are told again of a gap while
	// nothing else happens; it begins with silence and doubles.
	maxSilence = 16 * time.Second
	// gapsAtOnce is how many workflows' subscribers are told of a gap while events
	// wait.
	gapsAtOnce = 1000
)

// FeedConfig is what a Feed is made of. All fields are required.
type FeedConfig struct {
	Transport Transport
	// RunToken makes what the code of a run shows to this server, and BackendURL
	// is where that is: for events that run on a developer's machine.
	RunToken   func(workflow, execution id.ID) (string, error)
	BackendURL func() string
	Log        *slog.Logger
	Now        func() time.Time
}

// Feed publishes what happens, for each workflow in the order in which it is
// told, and never makes anybody wait. Safe for concurrent use.
type Feed struct {
	FeedConfig
	seed  maphash.Seed
	lanes [lanes]lane
	bytes atomic.Int64

	published, dropped atomic.Int64
	// failing is whether the last publication failed, so that trouble is logged
	// once and not for each event.
	failing atomic.Bool

	stop context.CancelFunc
	done sync.WaitGroup
}

// lane publishes for some of the workflows.
type lane struct {
	queue chan item
	mu    sync.Mutex
	// gaps are workflows that an event was dropped of since they were last
	// published for.
	gaps map[id.ID]bool
}

// maxGaps bounds the workflows that are remembered for a gap; more are told by
// none.
const maxGaps = 10_000

// item is an event on its way.
type item struct {
	workflow id.ID
	size     int
	options  Options
	make     func() ([]byte, error)
	// otherwise makes what is published when make's can't be kept from others; nil
	// when there is nothing to keep from them.
	otherwise func() ([]byte, error)
}

// NewFeed returns a Feed that keeps what fits until Start.
func NewFeed(c FeedConfig) *Feed {
	f := &Feed{FeedConfig: c, seed: maphash.MakeSeed(), stop: func() {}}
	for i := range f.lanes {
		f.lanes[i] = lane{queue: make(chan item, laneLength), gaps: map[id.ID]bool{}}
	}
	return f
}

// Start begins to publish.
func (f *Feed) Start(ctx context.Context) error {
	ctx, f.stop = context.WithCancel(context.WithoutCancel(ctx))
	for i := range f.lanes {
		f.done.Go(func() { f.run(ctx, &f.lanes[i]) })
	}
	return nil
}

// Stop drops what waits and ends.
func (f *Feed) Stop(context.Context) error {
	f.stop()
	f.done.Wait()
	return nil
}

// Counts returns how many events were published and dropped.
func (f *Feed) Counts() (published, dropped int64) { return f.published.Load(), f.dropped.Load() }

// Waiting returns how many events wait to be published.
func (f *Feed) Waiting() int {
	n := 0
	for i := range f.lanes {
		n += len(f.lanes[i].queue)
	}
	return n
}

func (f *Feed) laneOf(workflow id.ID) *lane {
	return &f.lanes[maphash.Bytes(f.seed, workflow[:])%lanes]
}

// put has an event published, or drops it when too much waits. Size is about how
// many bytes it keeps in memory.
func (f *Feed) put(workflow id.ID, size int, o Options, make func() ([]byte, error)) {
	f.enqueue(item{workflow: workflow, size: size, options: o, make: make})
}

func (f *Feed) enqueue(i item) {
	l := f.laneOf(i.workflow)
	if f.bytes.Add(int64(i.size)) <= maxWaiting {
		select {
		case l.queue <- i:
			return
		default:
		}
	}
	f.bytes.Add(-int64(i.size))
	f.drop(l, i.workflow)
}

func (f *Feed) drop(l *lane, workflow id.ID) {
	f.dropped.Add(1)
	l.keepGap(workflow)
}

// keepGap remembers to tell subscribers of a workflow.
func (l *lane) keepGap(workflow id.ID) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.gaps) < maxGaps {
		l.gaps[workflow] = true
	}
}

// takeGap reports whether subscribers of a workflow must be told of a gap.
func (l *lane) takeGap(workflow id.ID) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	gap := l.gaps[workflow]
	delete(l.gaps, workflow)
	return gap
}

// someGaps returns up to limit workflows whose subscribers must be told of a gap.
func (l *lane) someGaps(limit int) []id.ID {
	l.mu.Lock()
	defer l.mu.Unlock()
	var some []id.ID
	for workflow := range l.gaps {
		if len(some) == limit {
			break
		}
		some = append(some, workflow)
	}
	return some
}

func (f *Feed) run(ctx context.Context, l *lane) {
	var silent time.Time // until when everything is dropped
	// What was dropped may have been the last that happens: those who wait for it
	// are told of the gap also when nothing else comes.
	var tell <-chan time.Time
	wait := silence
	for {
		if tell == nil && len(l.someGaps(1)) > 0 {
			tell = time.After(wait)
		}
		select {
		case <-ctx.Done():
			return
		case <-tell:
			tell = nil
			if wait = min(2*wait, maxSilence); f.tellGaps(ctx, l) {
				wait = silence
			}
		case i := <-l.queue:
			f.bytes.Add(-int64(i.size))
			if f.Now().Before(silent) {
				f.drop(l, i.workflow)
			} else if !f.publish(ctx, l, i) {
				f.drop(l, i.workflow)
				silent = f.Now().Add(silence)
			} else {
				wait = silence
			}
		}
	}
}

// tellGaps tells subscribers of some workflows that something was dropped, and
// reports whether it could.
func (f *Feed) tellGaps(ctx context.Context, l *lane) bool {
	for _, workflow := range l.someGaps(gapsAtOnce) {
		if !f.tellGap(ctx, l, workflow) {
			return false
		}
	}
	return true
}

// tellGap tells subscribers of a workflow that something was dropped, if so.
func (f *Feed) tellGap(ctx context.Context, l *lane, workflow id.ID) bool {
	if !l.takeGap(workflow) {
		return true
	}
	word, err := encode(typeGap, workflow, f.Now(), struct{}{})
	if err == nil && f.try(ctx, Channel(workflow), word, Options{}) {
		return true
	}
	l.keepGap(workflow)
	return false
}

// publish publishes an event, after word of a gap when there is one.
func (f *Feed) publish(ctx context.Context, l *lane, i item) bool {
	if !f.tellGap(ctx, l, i.workflow) {
		return false
	}
	data, err := i.make()
	if err == nil && i.otherwise != nil {
		i.options.Otherwise, err = i.otherwise()
	}
	if err != nil {
		f.Log.Error("an event has no JSON form", "workflow", i.workflow, "error", err)
		return true
	}
	if !f.try(ctx, Channel(i.workflow), data, i.options) {
		return false
	}
	f.published.Add(1)
	return true
}

// try publishes data, a few times when that fails.
func (f *Feed) try(ctx context.Context, channel string, data []byte, o Options) bool {
	wait := retryAfter
	for n := 1; ; n++ {
		limited, cancel := context.WithTimeout(ctx, publishTimeout)
		err := f.Transport.Publish(limited, channel, data, o)
		cancel()
		if err == nil {
			if f.failing.CompareAndSwap(true, false) {
				f.Log.Info("realtime events are published again", "dropped", f.dropped.Load())
			}
			return true
		}
		if n == tries || ctx.Err() != nil {
			if ctx.Err() == nil && f.failing.CompareAndSwap(false, true) {
				f.Log.Warn("realtime events are not published and are dropped until they can be", "channel", channel, "tries", n, "error", err)
			}
			return false
		}
		select {
		case <-ctx.Done():
			return false
		case <-time.After(wait):
		}
		wait *= 2
	}
}
