package store

import (
	"time"

	"github.com/usefloww/flowwd/internal/fault"
)

// A writer whose transaction makes no progress for stallTicks times stallTick is
// stalled: its disk or its database says nothing.
const (
	stallTick  = time.Second
	stallTicks = 8
)

var errStalled = fault.New(fault.Unavailable, "the database or its disk does not answer; try again later")

// watch refuses what waits behind a transaction that makes no progress, until the
// writer ends: callers learn within seconds that they must come again. Those whose
// units are in the transaction wait on, for nobody knows what becomes of it.
func (w *writer) watch() {
	tick := time.NewTicker(stallTick)
	defer tick.Stop()
	last, seen := int64(0), 0
	for {
		select {
		case <-w.done:
			return
		case <-tick.C:
		}
		now := w.underway.Load()
		if now == 0 || now != last {
			last, seen = now, 0
			continue
		}
		if seen++; seen >= stallTicks {
			w.refuseWaiting()
		}
	}
}

// refuseWaiting empties the queue.
func (w *writer) refuseWaiting() {
	for {
		select {
		case u, ok := <-w.queue:
			if !ok {
				return
			}
			if u.state.CompareAndSwap(unitWaiting, unitTaken) {
				u.answer <- errStalled
			}
		default:
			return
		}
	}
}
