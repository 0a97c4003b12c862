package identity

import (
	"maps"
	"sync"
	"time"
)

// Failures counts what somebody tried and failed at, by key: a user, an address.
// Whoever has failed Max times within Window must wait for the end of it. The
// count is this process's alone. Safe for concurrent use.
type Failures struct {
	Max    int
	Window time.Duration
	Now    func() time.Time

	mu  sync.Mutex
	all map[string]failed
}

type failed struct {
	times int
	until time.Time
}

// maxRemembered bounds the keys that are remembered.
const maxRemembered = 100_000

// Try counts a try for each of the keys before its outcome is known, so that many
// at once are no way around, and returns how long to wait instead when one of
// the keys has failed too often.
func (f *Failures) Try(keys ...string) (wait time.Duration) {
	now := f.Now()
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, key := range keys {
		if x := f.all[key]; x.times >= f.Max && x.until.After(now) {
			return x.until.Sub(now)
		}
	}
	if f.all == nil || len(f.all) > maxRemembered {
		f.forget(now)
	}
	for _, key := range keys {
		x := f.all[key]
		if !x.until.After(now) {
			x = failed{until: now.Add(f.Window)}
		}
		x.times++
		f.all[key] = x
	}
	return 0
}

// Forgive takes back a try that did not fail.
func (f *Failures) Forgive(keys ...string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, key := range keys {
		if x, ok := f.all[key]; ok && x.times > 0 {
			x.times--
			f.all[key] = x
		}
	}
}

// forget drops what is over, and everything when that is not enough: whoever
// fills the memory from so many addresses is not held up by it anyway.
func (f *Failures) forget(now time.Time) {
	maps.DeleteFunc(f.all, func(_ string, x failed) bool { return !x.until.After(now) })
	if f.all == nil || len(f.all) > maxRemembered {
		f.all = map[string]failed{}
	}
}
