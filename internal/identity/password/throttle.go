package password

import (
	"strconv"
	"sync"
	"time"

	"github.com/usefloww/flowwd/internal/fault"
)

// allowance is how many tries are free, and what each further one costs.
type allowance struct {
	free int
	// longest bounds the wait, which doubles with each try from a second on.
	longest time.Duration
}

// perAccount lets the owner of an account in that somebody else tries at: he
// waits for a minute at most.
func perAccount() allowance { return allowance{free: 5, longest: time.Minute} }

// perAddress is wider, for many people may share one.
func perAddress() allowance { return allowance{free: 30, longest: 15 * time.Minute} }

const (
	// forget is how long after its last try a key is as new.
	forget = time.Hour
	// maxKeys bounds the memory; 100 bytes each.
	maxKeys = 100_000
)

// throttle limits tries by key. The counts are this server's own: several
// servers allow as many times as much. Safe for concurrent use.
type throttle struct {
	now func() time.Time

	mu   sync.Mutex
	keys map[string]*tries
}

type tries struct {
	n    int
	last time.Time
	// until is when the next one may be made.
	until time.Time
}

// take counts a try for each key before it is made, so that many at once are
// counted too. fault.Limited refuses it, with the wait; then nothing is counted.
func (t *throttle) take(account, address string) error {
	now := t.now()
	t.mu.Lock()
	defer t.mu.Unlock()
	byAccount, byAddress := t.of("account "+account, now), t.of("address "+address, now)
	if wait := max(byAccount.until.Sub(now), byAddress.until.Sub(now)); wait > 0 {
		f := fault.New(fault.Limited, "Too many tries to log in; try again in %s", inWords(wait))
		f.RetryAfter = wait
		return f
	}
	byAccount.count(perAccount(), now)
	byAddress.count(perAddress(), now)
	return nil
}

// succeeded forgets the tries for an account, and takes the one that succeeded
// from its address.
func (t *throttle) succeeded(account, address string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.keys, "account "+account)
	if a := t.keys["address "+address]; a != nil && a.n > 0 {
		a.n--
		a.until = time.Time{}
	}
}

func (t *throttle) of(key string, now time.Time) *tries {
	if t.keys == nil {
		t.keys = make(map[string]*tries)
	}
	if got := t.keys[key]; got != nil && now.Sub(got.last) < forget {
		return got
	}
	if len(t.keys) >= maxKeys {
		t.sweep(now)
	}
	fresh := &tries{}
	t.keys[key] = fresh
	return fresh
}

// sweep makes room: by what is forgotten, and by half of the rest where that is
// not enough.
func (t *throttle) sweep(now time.Time) {
	for key, got := range t.keys {
		if now.Sub(got.last) >= forget {
			delete(t.keys, key)
		}
	}
	for key := range t.keys {
		if len(t.keys) <= maxKeys/2 {
			return
		}
		delete(t.keys, key)
	}
}

func (k *tries) count(a allowance, now time.Time) {
	k.n++
	k.last = now
	if over := k.n - a.free; over >= 0 {
		wait := a.longest
		if over < 10 {
			wait = min(wait, time.Second<<over)
		}
		k.until = now.Add(wait)
	}
}

func inWords(wait time.Duration) string {
	if wait <= time.Minute {
		seconds := int((wait + time.Second - 1) / time.Second)
		if seconds == 1 {
			return "a second"
		}
		return strconv.Itoa(seconds) + " seconds"
	}
	return strconv.Itoa(int((wait+time.Minute-1)/time.Minute)) + " minutes"
}
