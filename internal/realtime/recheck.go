package realtime

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/usefloww/flowwd/internal/id"
)

const (
	// maxRechecks is how many principals may wait to be decided about anew; more
	// are decided about together with everybody else.
	maxRechecks    = 1000
	recheckTimeout = 5 * time.Second
	recheckRetry   = time.Second
)

// Recheck has connections decided about anew when their principals may do less
// than before, in the background and until it is done. Safe for concurrent use.
type Recheck struct {
	Transport Transport
	Log       *slog.Logger

	mu       sync.Mutex
	waiting  map[id.ID]bool
	all      bool
	wake     chan struct{}
	stop     context.CancelFunc
	finished chan struct{}
}

// NewRecheck returns a Recheck that waits for Start.
func NewRecheck(t Transport, log *slog.Logger) *Recheck {
	return &Recheck{Transport: t, Log: log, waiting: map[id.ID]bool{}, wake: make(chan struct{}, 1)}
}

// Hear takes note of principals that may do less; of everybody with all.
func (r *Recheck) Hear(principals []id.ID, all bool) {
	if len(principals) == 0 && !all {
		return
	}
	r.note(principals, all)
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// note keeps what is to be done.
func (r *Recheck) note(principals []id.ID, all bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.all = r.all || all || len(r.waiting)+len(principals) > maxRechecks
	if r.all {
		clear(r.waiting)
		return
	}
	for _, p := range principals {
		r.waiting[p] = true
	}
}

// Start begins to work.
func (r *Recheck) Start(ctx context.Context) error {
	ctx, r.stop = context.WithCancel(context.WithoutCancel(ctx))
	r.finished = make(chan struct{})
	go func() {
		defer close(r.finished)
		r.run(ctx)
	}()
	return nil
}

// Stop ends the work.
func (r *Recheck) Stop(context.Context) error {
	if r.stop != nil {
		r.stop()
		<-r.finished
	}
	return nil
}

func (r *Recheck) run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-r.wake:
		}
		if r.work(ctx) {
			continue
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(recheckRetry):
		}
		select {
		case r.wake <- struct{}{}:
		default:
		}
	}
}

// work does what waits and reports whether it succeeded; what failed waits on.
func (r *Recheck) work(ctx context.Context) bool {
	r.mu.Lock()
	all, waiting := r.all, r.waiting
	r.all, r.waiting = false, map[id.ID]bool{}
	r.mu.Unlock()
	if all {
		waiting = map[id.ID]bool{{}: true}
	}
	done := true
	for p := range waiting {
		limited, cancel := context.WithTimeout(ctx, recheckTimeout)
		err := r.Transport.Recheck(limited, p)
		cancel()
		if err == nil {
			continue
		}
		done = false
		r.Log.Warn("a change of what somebody may see did not reach the realtime server; trying again", "principal", p, "error", err)
		r.note([]id.ID{p}, p.IsZero())
	}
	return done
}
